"""One writer a domain. The lock is the system's, so that it ends with its process, however that ends."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ragkit.errors import RagkitError


class Locked(RagkitError):
    """Another process is writing."""


@contextmanager
def writing(folder: Path, name: str) -> Iterator[None]:
    """Hold the lock of a domain. Raises `Locked` with the number of the process that holds it."""
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            _lock(handle)
        except OSError:
            holder = os.pread(handle, 32, 0).decode("ascii", "replace").strip() if os.name != "nt" else ""
            raise Locked(
                f"The domain {name!r} is being written by process {holder or 'unknown'}.",
                "Wait until it is done. Searching works meanwhile.",
            ) from None
        os.ftruncate(handle, 0)
        os.write(handle, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(handle)


def _lock(handle: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        os.lseek(handle, 1000, os.SEEK_SET)  # beyond the number, which others may read
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        os.lseek(handle, 0, os.SEEK_SET)
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
