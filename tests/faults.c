/* Counts what a process does to the files of one folder, and at a chosen count kills it or lets the disk fail.
   Preloaded (LD_PRELOAD) and asleep until `faults_arm` is called. Every counted call is noted in a log, one a line. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

enum { OFF, COUNT, KILL, FULL, IO_ERROR, IO_ERROR_ONCE };
static int mode = OFF;
static long chosen;
static char below[PATH_MAX];
static int notes = -1;
static atomic_long count, syncs;

#define REAL(type, name, ...) \
    static type (*real)(__VA_ARGS__); \
    if (!real) real = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

static ssize_t plain_write(int fd, const void *data, size_t size) {
    REAL(ssize_t, "write", int, const void *, size_t);
    return real(fd, data, size);
}

static int plain_open(const char *path, int flags, mode_t rights) {
    REAL(int, "open64", const char *, int, ...);
    return real(path, flags, rights);
}

void faults_arm(int what, long at, const char *folder, const char *log) {
    snprintf(below, sizeof below, "%s", folder);
    notes = plain_open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    chosen = at;
    count = 0;
    mode = what;
}

/* Which call this is, from 1; 0 if it is none of ours. */
static long met(const char *call, const char *path) {
    if (mode == OFF || strncmp(path, below, strlen(below))) return 0;
    char line[PATH_MAX + 32];
    int size = snprintf(line, sizeof line, "%s %s\n", call, path);
    plain_write(notes, line, size);
    return atomic_fetch_add(&count, 1) + 1;
}

static long met_handle(const char *call, int fd) {
    if (mode == OFF) return 0;
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size < 0) return 0;
    path[size] = 0;
    return met(call, path);
}

static void die(void) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

static int full(long number) { return mode == FULL && number >= chosen; }

/* Calls come in another order when files are read by several processes: so the nth fsync, not the nth call. */
static int broken(void) {
    long number = atomic_fetch_add(&syncs, 1) + 1;
    return (mode == IO_ERROR && number >= chosen) || (mode == IO_ERROR_ONCE && number == chosen);
}

/* What is left of a write: all of it, half of it, or -1 for nothing. A kill tears the write, a full disk cuts it off. */
static ssize_t allowed(long number, size_t size) {
    if (mode == KILL && number == chosen && size < 2) die();
    if (full(number)) {
        if (number == chosen && size > 1) return size / 2;
        errno = ENOSPC;
        return -1;
    }
    return mode == KILL && number == chosen ? (ssize_t)(size / 2) : (ssize_t)size;
}

ssize_t write(int fd, const void *data, size_t size) {
    long number = met_handle("write", fd);
    ssize_t some = number ? allowed(number, size) : (ssize_t)size;
    if (some < 0) return -1;
    ssize_t done = plain_write(fd, data, some);
    if (number && mode == KILL && number == chosen) die();
    return done;
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t place) {
    REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t);
    long number = met_handle("write", fd);
    ssize_t some = number ? allowed(number, size) : (ssize_t)size;
    if (some < 0) return -1;
    ssize_t done = real(fd, data, some, place);
    if (number && mode == KILL && number == chosen) die();
    return done;
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t place) { return pwrite64(fd, data, size, place); }

#define STOP(number) if ((number) && mode == KILL && (number) == chosen) die()

static int synced(const char *name, int fd) {
    long number = met_handle("fsync", fd);
    STOP(number);
    if (number && broken()) { errno = EIO; return -1; }
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    return real(fd);
}

int fsync(int fd) { return synced("fsync", fd); }
int fdatasync(int fd) { return synced("fdatasync", fd); }

int ftruncate64(int fd, off64_t size) {
    REAL(int, "ftruncate64", int, off64_t);
    STOP(met_handle("ftruncate", fd));
    return real(fd, size);
}

int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

int unlink(const char *path) {
    REAL(int, "unlink", const char *);
    STOP(met("unlink", path));
    return real(path);
}

int rename(const char *from, const char *to) {
    REAL(int, "rename", const char *, const char *);
    STOP(met("rename", to));
    return real(from, to);
}

static int opened(const char *path, int flags, mode_t rights) {
    struct stat there;
    long number = (flags & O_CREAT) && stat(path, &there) ? met("create", path) : 0;
    STOP(number);
    if (number && full(number)) { errno = ENOSPC; return -1; }
    return plain_open(path, flags, rights);
}

#define RIGHTS(flags) \
    va_list rest; \
    va_start(rest, flags); \
    mode_t rights = (flags) & O_CREAT ? va_arg(rest, mode_t) : 0; \
    va_end(rest)

int open64(const char *path, int flags, ...) { RIGHTS(flags); return opened(path, flags, rights); }
int open(const char *path, int flags, ...) { RIGHTS(flags); return opened(path, flags, rights); }
