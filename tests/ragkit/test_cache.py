import logging
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest
from fakeredis import TcpFakeServer
from pydantic import BaseModel, create_model

from ragkit import sqlitefile
from ragkit.cache import DAY, Cache, SqliteCache, key, pack, unpack
from ragkit.errors import InvalidInput
from ragkit.model import Message, Passage, Quote, Reply, Request, Stop, ToolCall, ToolSpec, Usage
from ragkit.modelsettings import CacheSettings
from ragkit.rediscache import RedisCache

SETTINGS = CacheSettings()
REPLY = Reply("Sí: 12 % – 🙂", "openai:small", usage=Usage(10, 4, 3, 2))
QUOTING = replace(REPLY, text="12 % [1] [2]", quotes=(Quote(1, 0, 4), None))
CALLING = Reply("", "openai:small", "tools", calls=(ToolCall("c1", "search", MappingProxyType({"q": ["a", 1, None]})),))


@pytest.fixture
def redis_url() -> Iterator[str]:
    server = TcpFakeServer(("127.0.0.1", 0))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"redis://127.0.0.1:{server.server_address[1]}/0"
    server.shutdown()
    server.server_close()
    thread.join()


Make = Callable[[CacheSettings], Cache]


@pytest.fixture(params=["sqlite", "redis"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """Opens the same cache again and again."""
    made: list[Cache] = []
    if request.param == "redis":
        url = request.getfixturevalue("redis_url")

    def one(settings: CacheSettings) -> Cache:
        path = tmp_path / "state" / "cache.sqlite"
        made.append(RedisCache(url, settings) if request.param == "redis" else SqliteCache(path, settings))
        return made[-1]

    yield one
    for cache in made:
        cache.close()


@pytest.fixture
def said() -> Iterator[list[str]]:
    """What ragkit writes into its log."""
    messages: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: messages.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger("ragkit").addHandler(handler)
    yield messages
    logging.getLogger("ragkit").removeHandler(handler)


# What every cache promises


def test_a_reply_comes_back_as_it_was_made_and_says_that_it_was_kept(make: Make, said: list[str]) -> None:
    cache = make(SETTINGS)
    assert cache.get("a") is None
    cache.put("a", replace(REPLY, data=create_model("Form")()))
    cache.put("b", CALLING)
    cache.put("c", QUOTING)
    assert cache.get("a") == replace(REPLY, cached=True), "with its usage, and without its data"
    assert cache.get("b") == replace(CALLING, cached=True)
    assert cache.get("c") == replace(QUOTING, cached=True)
    assert make(SETTINGS).get("a") == replace(REPLY, cached=True), "and so for whoever opens it next"
    cache.put("a", replace(REPLY, text="another"))
    assert (cache.get("a") or REPLY).text == "another"
    assert said == []


def test_what_was_kept_before_there_were_quotes_has_none() -> None:
    packed = pack(REPLY)
    assert packed is not None
    assert unpack(_packed(packed[8:].replace(b',"quotes":[]', b""))) == replace(REPLY, cached=True)
    for wrong in (b"[5]", b'[{"number":1}]', b'[{"number":1,"start":"0","end":2}]', b"null"):
        assert unpack(_packed(packed[8:].replace(b'"quotes":[]', b'"quotes":' + wrong))) is None


def _packed(body: bytes) -> bytes:
    return b"%08x" % zlib.crc32(body) + body


@pytest.mark.parametrize("stop", ["length", "refusal"])
def test_a_reply_that_did_not_come_to_its_end_is_not_kept(make: Make, stop: Stop) -> None:
    cache = make(SETTINGS)
    cache.put("a", replace(REPLY, stop=stop))
    assert cache.get("a") is None


def test_what_came_from_a_cache_is_not_made_younger_by_it(make: Make) -> None:
    cache = make(SETTINGS)
    cache.put("a", replace(REPLY, cached=True))
    assert cache.get("a") is None


def test_a_call_that_is_no_json_and_a_reply_that_is_too_large_are_not_kept(make: Make) -> None:
    cache = make(CacheSettings(megabytes=1))
    cache.put("a", replace(CALLING, calls=(ToolCall("1", "f", {"x": {1, 2}}),)))
    cache.put("b", replace(REPLY, text="x" * 1_100_000))
    assert (cache.get("a"), cache.get("b")) == (None, None)


def test_it_expires(make: Make) -> None:
    cache = make(CacheSettings(days=2 / DAY))
    cache.put("a", REPLY)
    assert cache.get("a") is not None
    time.sleep(2.1)
    assert cache.get("a") is None
    forever = make(CacheSettings(days=None))
    forever.put("b", REPLY)
    assert forever.get("b") is not None


def test_it_is_cleared_and_closed(make: Make, said: list[str]) -> None:
    cache = make(SETTINGS)
    for number in range(30):
        cache.put(str(number), REPLY)
    cache.clear()
    assert cache.get("3") is None
    cache.close()
    cache.close()
    assert said == []


def test_threads_may_share_one(make: Make, said: list[str]) -> None:
    cache = make(SETTINGS)
    missing: list[int] = []

    def work(name: int) -> None:
        for number in range(40):
            cache.put(f"{name}.{number}", replace(REPLY, text=f"{name}.{number}"))
            missing.extend(n for n in range(number) if (cache.get(f"{name}.{n}") or REPLY).text != f"{name}.{n}")

    threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (missing, said) == ([], [])


# Keys


class Form(BaseModel):
    a: int


class OtherForm(BaseModel):
    a: float


ASKED = Request(
    (Message("user", "q"), Message("assistant", calls=(ToolCall("1", "f", {"x": 1}),)), Message("tool", "r", (), "1")),
    "system", (Passage(1, "t", "words"),), Form, (ToolSpec("f", "does", {"type": "object"}),), 100, 0.5,
)  # fmt: skip


def test_a_key_stays_the_same_for_the_same() -> None:
    again = replace(ASKED, tools=(ToolSpec("f", "does", MappingProxyType({"type": "object"})),))
    assert key("m", "http://x/v1", ASKED) == key("m", "http://x/v1/", again)
    assert key("m", "", replace(ASKED, temperature=0)) == key("m", "", replace(ASKED, temperature=0.0))
    other = "from ragkit.cache import key; from ragkit.model import Message, Request\n"
    other += "print(key('m', '', Request((Message('user', 'é \\ud800'),))))"
    printed = subprocess.run([sys.executable, "-c", other], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == key("m", "", Request((Message("user", "é \ud800"),))), "in another process as well"


def test_everything_that_decides_a_reply_changes_its_key() -> None:
    messages = ASKED.messages
    others = [
        replace(ASKED, messages=messages[:2]),
        replace(ASKED, messages=(replace(messages[0], text="Q"), *messages[1:])),
        replace(ASKED, messages=(replace(messages[0], role="assistant"), *messages[1:])),
        replace(
            ASKED, messages=(messages[0], replace(messages[1], calls=(ToolCall("1", "f", {"x": 2}),)), messages[2])
        ),
        replace(ASKED, messages=(*messages[:2], replace(messages[2], answers="2"))),
        replace(ASKED, system="System"),
        replace(ASKED, passages=(Passage(2, "t", "words"),)),
        replace(ASKED, passages=(Passage(1, "twords", ""),)),
        replace(ASKED, passages=()),
        replace(ASKED, schema=OtherForm),
        replace(ASKED, schema=None),
        replace(ASKED, tools=(ToolSpec("f", "does", {"type": "object", "properties": {}}),)),
        replace(ASKED, tools=()),
        replace(ASKED, max_tokens=101),
        replace(ASKED, temperature=None),
        replace(ASKED, temperature=0.6),
    ]
    keys = {key("m", "u", request) for request in [ASKED, *others]}
    keys |= {
        key("n", "u", ASKED),
        key("m", "v", ASKED),
        key("m", "u", ASKED, "object"),
        key("m", "u", ASKED, "", False),
    }
    assert len(keys) == len(others) + 5


# A file of its own


class Clock:
    now = 1_000_000_000.0

    def __call__(self) -> float:
        return self.now


def _size(path: Path) -> int:
    return sum(file.stat().st_size for file in path.parent.glob(f"{path.name}*"))


def test_what_was_not_used_for_longest_is_forgotten_and_the_file_stays_small(tmp_path: Path) -> None:
    path, clock = tmp_path / "cache.sqlite", Clock()
    cache = SqliteCache(path, CacheSettings(megabytes=2), clock=clock)
    for number in range(600):
        clock.now += 100
        cache.put(str(number), replace(REPLY, text=f"{number} " * 2000))
        assert cache.get("0") is not None, "it is used again and again"
        assert path.stat().st_size < 2_050_000
    assert _size(path) < 2_000_000 + 2_000_000, "with its log"
    assert cache.get("599") is not None
    assert cache.get("1") is None
    cache.clear()
    assert path.stat().st_size < 100_000, "and it gives room back"
    cache.close()


def test_what_is_too_old_is_removed_from_the_file(tmp_path: Path) -> None:
    path, clock = tmp_path / "cache.sqlite", Clock()
    cache = SqliteCache(path, CacheSettings(days=2), clock=clock)
    cache.put("a", REPLY)
    clock.now += 2 * DAY - 1
    assert cache.get("a") is not None
    clock.now += 2
    assert cache.get("a") is None, "using it has not made it younger"
    cache.put("b", REPLY)
    cache.close()
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT key FROM replies").fetchall() == [("b",)]
    connection.close()


def _raw(path: Path, statement: str, *values: object) -> None:
    connection = sqlite3.connect(path)
    connection.execute(statement, values)
    connection.commit()
    connection.close()


@pytest.mark.parametrize("body", [b"", b"no reply", "text", 3, None])
def test_a_row_that_is_no_reply_is_a_miss(tmp_path: Path, body: object, said: list[str]) -> None:
    path = tmp_path / "cache.sqlite"
    cache = SqliteCache(path, SETTINGS)
    cache.put("a", REPLY)
    cache.put("b", REPLY)
    _raw(path, "UPDATE replies SET body = coalesce(?, CAST(replace(body, '12', '13') AS BLOB)) WHERE key = 'a'", body)
    assert cache.get("a") is None
    assert cache.get("b") is not None
    cache.put("a", REPLY)
    assert cache.get("a") is not None
    cache.close()
    assert said == []


def _garbage(path: Path) -> None:
    path.write_bytes(b"garbage " * 1000)


def _cut(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(5000)


def _zeros(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:4096] + bytes(len(content) - 4096))


def _strange(path: Path) -> None:
    path.unlink()
    _raw(path, "CREATE TABLE replies (other)")


def _lost(path: Path) -> None:
    _raw(path, "DROP TABLE replies")


@pytest.mark.parametrize("harm", [_garbage, _cut, _zeros, _strange, _lost])
@pytest.mark.parametrize("is_open", [False, True])
def test_a_damaged_file_is_set_aside_and_made_anew(
    tmp_path: Path, harm: Callable[[Path], None], is_open: bool, said: list[str]
) -> None:
    path = tmp_path / "cache.sqlite"
    before = SqliteCache(path, SETTINGS)
    for number in range(50):
        before.put(str(number), REPLY)
    before.close()
    cache = SqliteCache(path, SETTINGS)
    if is_open:
        assert cache.get("7") is not None
        _raw(path, "PRAGMA wal_checkpoint(TRUNCATE)")
    harm(path)
    for number in range(50):
        cache.get(str(number))
        cache.put(f"new {number}", REPLY)
    assert all(cache.get(f"new {number}") for number in range(50))
    again = SqliteCache(path, SETTINGS)
    assert again.get("new 7") == replace(REPLY, cached=True)
    again.close()
    cache.close()
    assert (len(said), "is damaged" in "".join(said)) in [(1, True), (0, False)], said
    if not (is_open and harm in (_strange,)):
        assert len(said) == 1
        assert (tmp_path / "cache.sqlite.damaged").exists()


def test_a_file_of_a_newer_version_is_left_alone(tmp_path: Path, said: list[str]) -> None:
    path = tmp_path / "cache.sqlite"
    _raw(path, "PRAGMA user_version = 99")
    content = path.read_bytes()
    for _ in range(2):
        cache = SqliteCache(path, SETTINGS)
        cache.put("a", REPLY)
        assert cache.get("a") is not None
        cache.close()
    assert path.read_bytes()[:96] == content[:96]
    assert len(said) == 2, "one a cache"
    assert "written by a newer ragkit (format 99; this one knows 1)" in said[0]


def test_a_file_that_is_removed_while_it_is_open_is_made_anew(tmp_path: Path, said: list[str]) -> None:
    path = tmp_path / "cache.sqlite"
    cache = SqliteCache(path, SETTINGS)
    cache.put("a", REPLY)
    for file in tmp_path.glob("cache.sqlite*"):
        file.unlink()
    assert cache.get("a") is None
    cache.put("a", REPLY)
    assert path.exists()
    assert cache.get("a") is not None
    cache.close()
    assert said == []


def test_a_place_that_cannot_be_written_is_told_once_and_left_alone(tmp_path: Path, said: list[str]) -> None:
    (tmp_path / "file").write_text("")
    cache = SqliteCache(tmp_path / "file" / "cache.sqlite", SETTINGS)
    for _ in range(3):
        cache.put("a", REPLY)
        assert cache.get("a") is None
    assert len(said) == 1
    assert "goes on without it" in said[0]


def test_a_lock_that_is_not_released_delays_an_ask_only_once(tmp_path: Path, said: list[str]) -> None:
    path = tmp_path / "cache.sqlite"
    cache = SqliteCache(path, SETTINGS)
    cache.put("a", REPLY)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    assert cache.get("a") is not None, "reading waits for nobody"
    start = time.monotonic()
    for number in range(10):
        cache.put(str(number), REPLY)
    assert time.monotonic() - start < 15, "each alone would wait for two"
    assert len(said) == 1
    assert "locked" in said[0]
    holder.close()
    cache.close()


_WRITER = """
import sys
from pathlib import Path
from ragkit.cache import SqliteCache
from ragkit.model import Reply
from ragkit.modelsettings import CacheSettings
cache = SqliteCache(Path(sys.argv[1]), CacheSettings())
print("ready", flush=True)
if sys.argv[4] == "wait":
    sys.stdin.readline()
for number in range(int(sys.argv[3])):
    cache.put(f"{sys.argv[2]}.{number}", Reply(f"{sys.argv[2]}.{number} " * 3000, "m"))
    print(number, flush=True)
cache.close()
"""


def _writer(path: Path, name: str, count: int, wait: str) -> "subprocess.Popen[bytes]":
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(path), name, str(count), wait], stdin=pipe, stdout=pipe, stderr=pipe
    )


def test_processes_may_begin_and_write_at_once(tmp_path: Path, said: list[str]) -> None:
    path = tmp_path / "cache.sqlite"
    writers = [_writer(path, str(name), 100, "wait") for name in range(3)]
    for writer in writers:
        assert writer.stdout is not None
        writer.stdout.readline()
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write(b"\n")
        writer.stdin.flush()
    for writer in writers:
        assert writer.communicate(timeout=60)[1] == b""
    cache = SqliteCache(path, SETTINGS)
    assert all(cache.get(f"{name}.{number}") for name in range(3) for number in range(100))
    cache.close()
    assert said == []


def test_processes_that_find_a_damaged_file_at_once_lose_nothing_new(tmp_path: Path) -> None:
    path = tmp_path / "cache.sqlite"
    _garbage(path)
    writers = [_writer(path, str(name), 30, "go") for name in range(3)]
    for writer in writers:
        writer.communicate(timeout=60)
    cache = SqliteCache(path, SETTINGS)
    assert all(cache.get(f"{name}.{number}") for name in range(3) for number in range(30))
    cache.close()


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9")
def test_a_writer_that_is_killed_leaves_whole_replies(tmp_path: Path, said: list[str]) -> None:
    path = tmp_path / "cache.sqlite"
    for at in range(6):
        writer = _writer(path, str(at), 1_000_000, "go")
        assert writer.stdout is not None
        for _ in range(2 + at * 3):
            last = writer.stdout.readline()
        time.sleep(0.001 * at)
        writer.send_signal(signal.SIGKILL)
        writer.communicate()
        cache = SqliteCache(path, SETTINGS)
        for number in range(int(last) + 1):
            reply = cache.get(f"{at}.{number}")
            assert reply is not None
            assert reply.text == f"{at}.{number} " * 3000
        cache.put("after", REPLY)
        assert cache.get("after") is not None
        cache.close()
        connection = sqlite3.connect(path)
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        connection.close()
    assert said == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="fork")
def test_the_child_of_a_fork_opens_the_file_for_itself(tmp_path: Path) -> None:
    script = """
import os, sys
from pathlib import Path
from ragkit.cache import SqliteCache
from ragkit.model import Reply
from ragkit.modelsettings import CacheSettings
cache = SqliteCache(Path(sys.argv[1]), CacheSettings())
cache.put("a", Reply("a", "m"))
cache._file._lock.acquire()
child = os.fork()
if child == 0:
    cache.put("b", Reply("b", "m"))
    os._exit(0 if cache.get("a") and cache.get("b") else 1)
cache._file._lock.release()
status = os.waitpid(child, 0)[1]
cache.put("c", Reply("c", "m"))
sys.exit(status or not all(map(cache.get, "abc")))
"""
    path = str(tmp_path / "cache.sqlite")
    done = subprocess.run([sys.executable, "-c", script, path], capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_file_brings_itself_to_the_newest_version(tmp_path: Path) -> None:
    path, first = tmp_path / "f.sqlite", ("CREATE TABLE a (x)", "INSERT INTO a VALUES (1)")
    sqlitefile.open_file(path, [first]).close()
    connection = sqlitefile.open_file(path, [first, ("ALTER TABLE a ADD COLUMN y DEFAULT 2",)])
    assert connection.execute("SELECT * FROM a").fetchall() == [(1, 2)]
    assert connection.execute("PRAGMA auto_vacuum").fetchone() == (2,)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()
    file = sqlitefile.SqliteFile(path, [first, ("ALTER TABLE a ADD COLUMN y DEFAULT 2",)])

    def breaks(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO a VALUES (5, 5)")
        raise OSError("in the middle")

    file.write(breaks, None)
    file.close()
    connection = sqlitefile.open_file(path, [(), ()])
    assert connection.execute("SELECT count(*) FROM a").fetchone() == (1,), "all or nothing"
    connection.close()


def test_what_another_process_has_made_anew_is_not_set_aside_again(tmp_path: Path) -> None:
    path = tmp_path / "f.sqlite"
    path.write_bytes(b"damaged")
    found = path.stat().st_dev, path.stat().st_ino
    sqlitefile.set_aside(path, found)
    sqlitefile.open_file(path, [("CREATE TABLE a (x)",)]).close()
    sqlitefile.set_aside(path, found)
    assert path.exists()
    assert (tmp_path / "f.sqlite.damaged").read_bytes() == b"damaged"


def test_an_old_log_does_not_get_into_a_new_file(tmp_path: Path) -> None:
    path = tmp_path / "f.sqlite"
    old = sqlitefile.open_file(path, [("CREATE TABLE a (x)", "INSERT INTO a VALUES (1)")])
    sqlitefile.set_aside(path, (path.stat().st_dev, path.stat().st_ino))
    assert list(tmp_path.glob("f.sqlite-*")) == []
    new = sqlitefile.open_file(path, [("CREATE TABLE a (x)",)])
    old.close()
    new.execute("INSERT INTO a VALUES (2)")
    assert new.execute("SELECT x FROM a").fetchall() == [(2,)]
    assert new.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    new.close()


# A Redis


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def test_a_redis_that_is_away_is_a_miss_told_once_without_its_password(said: list[str]) -> None:
    port = _free_port()
    cache = RedisCache(f"redis://user:hush%21@127.0.0.1:{port}/0", SETTINGS)
    for _ in range(3):
        assert cache.get("a") is None
        cache.put("a", REPLY)
    cache.clear()
    assert said == [
        f"The Redis at 127.0.0.1:{port} does not serve as a cache (ConnectionError). "
        "ragkit goes on without it, and asks it again every 10 seconds."
    ]
    cache._resting = 0
    cache.get("a")
    assert len(said) == 1
    assert "hush" not in repr(cache)
    cache.close()


def test_a_redis_that_is_slow_delays_an_ask_only_once(said: list[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        cache = RedisCache(f"redis://127.0.0.1:{silent.getsockname()[1]}", SETTINGS)
        silent.setblocking(False)
        for asked in (True, False):
            assert cache.get("a") is None
            with nullcontext() if asked else pytest.raises(BlockingIOError):
                silent.accept()[0].close()
        cache.close()
    assert ["TimeoutError" in one for one in said] == [True]


def test_a_redis_that_comes_back_is_used_again(redis_url: str) -> None:
    cache = RedisCache(redis_url, SETTINGS)
    cache._resting = time.monotonic() + 100
    cache.put("a", REPLY)
    assert cache.get("a") is None
    cache._resting = 0
    cache.put("a", REPLY)
    assert cache.get("a") is not None
    cache.close()


def test_what_is_in_a_redis_has_our_prefix_and_an_end_and_only_that_is_cleared(redis_url: str) -> None:
    from redis import Redis

    cache, redis = RedisCache(redis_url, CacheSettings(days=2)), Redis.from_url(redis_url)
    redis.set("theirs", "x")
    cache.put("a", REPLY)
    assert sorted(redis.keys()) == [b"ragkit:3:a", b"theirs"]
    assert 2 * DAY - 60 < redis.ttl("ragkit:3:a") <= 2 * DAY
    redis.set("ragkit:3:b", b"damaged")
    assert cache.get("b") is None
    redis.lpush("ragkit:3:c", "of another type")
    assert cache.get("c") is None
    cache._resting = 0
    cache.clear()
    assert redis.keys() == [b"theirs"]
    cache.close()
    redis.close()


@pytest.mark.parametrize("url", ["localhost:6379", "http://u:hush@h/0", "redis://u:hush@h:port/0", "redis://h?db=hush"])
def test_an_address_that_is_none_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(InvalidInput, match="address of the Redis cache cannot be read") as raised:
        RedisCache(url, SETTINGS)
    assert "hush" not in str(raised.value)
    assert raised.value.__suppress_context__
