"""A SemanticCache: questions that mean nearly the same share an answer.

Vectors know what a question is about, not what decides its answer: "revenue in Q3" and "revenue in Q4" lie nearer to
each other than two ways of asking for either. So two questions share an answer only when, besides a high cosine, they
have the same numbers and names in the same order, and the same words that turn a meaning around (`alike`).
"""

import re
import sqlite3
import time
import unicodedata
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ragkit.cache import DAY, TOUCH
from ragkit.modelsettings import CacheSettings
from ragkit.sqlitefile import SqliteFile, shed, shrink

if TYPE_CHECKING:
    from ragkit.indexes.embedder import Vectors

_MIGRATIONS = [
    (  # 1: the first
        """CREATE TABLE questions (
            id INTEGER PRIMARY KEY, scope TEXT NOT NULL, question TEXT NOT NULL, made REAL NOT NULL,
            used REAL NOT NULL, size INTEGER NOT NULL, vector BLOB NOT NULL, UNIQUE (scope, question))""",
        # apart, so that comparing questions does not read answers, which takes twice as long
        """CREATE TABLE answers (
            id INTEGER PRIMARY KEY REFERENCES questions ON DELETE CASCADE, payload TEXT NOT NULL)""",
        "CREATE INDEX questions_by_use ON questions (used)",
        "CREATE INDEX questions_by_age ON questions (made)",
    ),
]


class Match(NamedTuple):
    payload: str
    """As it was put; whoever put it checks that it can still be read."""
    question: str
    """The one that was asked before."""
    cosine: float


class SemanticCache:
    """What was answered in which scope. A scope is a hash of all that decides answers: domains and their generations,
    settings, the identity of the embedder. When one of them changes nothing matches, and what was there grows old.

    Every question of a scope is compared, which takes 30 to 70 ms for 10,000 of them.
    """

    def __init__(self, path: Path, settings: CacheSettings, *, clock: Callable[[], float] = time.time) -> None:
        self._file = SqliteFile(path, _MIGRATIONS)
        self._most = settings.megabytes * 1_000_000
        self._days = settings.days
        self._clock = clock

    def get(self, scope: str, question: str, vector: "Vectors", threshold: float) -> Match | None:
        """The nearest question of this scope, as long as its cosine is not below the threshold, and it is `alike`."""
        now = self._clock()
        for row, cosine in self._near(scope, question, vector, threshold, self._oldest(now)):
            found = self._row(row)
            if found is not None and alike(question, found[0]):
                if abs(now - found[2]) > TOUCH:
                    self._touch(row, now)
                return Match(found[1], found[0], cosine)
        return None

    def put(self, scope: str, question: str, vector: "Vectors", payload: str) -> None:
        blob = _bytes_of(vector)
        try:
            size = len(blob) + len(question.encode()) + len(payload.encode())
        except UnicodeEncodeError:  # lone surrogates, which a command line may hold
            return
        if size > self._most:
            return
        now = self._clock()

        def keep(connection: sqlite3.Connection) -> bool:
            connection.execute("DELETE FROM questions WHERE made < ?", (self._oldest(now),))
            connection.execute("DELETE FROM questions WHERE scope = ? AND question = ?", (scope, question))
            row = connection.execute(
                "INSERT INTO questions (scope, question, made, used, size, vector) VALUES (?, ?, ?, ?, ?, ?)",
                (scope, question, now, now, size, blob),
            ).lastrowid
            connection.execute("INSERT INTO answers VALUES (?, ?)", (row, payload))
            return shed(connection, "questions", self._most)

        if self._file.write(keep, False):
            self._file.read(shrink, None)

    def clear(self) -> None:
        self._file.write(lambda connection: connection.execute("DELETE FROM questions"), None)
        self._file.read(shrink, None)

    def close(self) -> None:
        self._file.close()

    def _near(
        self, scope: str, question: str, vector: "Vectors", threshold: float, oldest: float
    ) -> list[tuple[int, float]]:
        """Rows and their cosines, the nearest first; of the same words there can be only one."""
        import numpy

        blob = _bytes_of(vector)
        fitting = "SELECT id, vector FROM questions WHERE scope = ? AND made >= ? AND length(vector) = ?"

        def all_of_scope(connection: sqlite3.Connection) -> list[tuple[int, bytes]]:
            return connection.execute(fitting, (scope, oldest, len(blob))).fetchall()

        def of_same_words(connection: sqlite3.Connection) -> Any:
            same = "SELECT id FROM questions WHERE scope = ? AND question = ? AND made >= ?"
            return connection.execute(same, (scope, question, oldest)).fetchone()

        try:
            question.encode()
        except UnicodeEncodeError:
            return []
        same = self._file.read(of_same_words, None)
        if same is not None:
            return [(same[0], 1.0)]
        rows: list[tuple[int, bytes]] = self._file.read(all_of_scope, [])
        if not rows:
            return []
        matrix = numpy.frombuffer(b"".join(one for _, one in rows), dtype="<f4").reshape(len(rows), -1)
        cosines = matrix @ numpy.frombuffer(blob, dtype="<f4")
        enough = numpy.flatnonzero(cosines >= threshold)
        nearest = enough[numpy.argsort(-cosines[enough], kind="stable")]
        return [(rows[at][0], min(1.0, float(cosines[at]))) for at in nearest]

    def _row(self, row: int) -> Any:
        find = "SELECT question, payload, used FROM questions JOIN answers USING (id) WHERE id = ?"
        return self._file.read(lambda connection: connection.execute(find, (row,)).fetchone(), None)

    def _touch(self, row: int, now: float) -> None:
        note = "UPDATE questions SET used = ? WHERE id = ?"
        self._file.write(lambda connection: connection.execute(note, (now, row)), None)

    def _oldest(self, now: float) -> float:
        return float("-inf") if self._days is None else now - self._days * DAY


def _bytes_of(vector: "Vectors") -> bytes:
    return vector.astype("<f4").tobytes()


def alike(one: str, other: str) -> bool:
    """Whether nothing that a vector overlooks tells these questions apart. When in doubt they are not alike: that
    costs a call of a model, and the contrary a wrong answer.
    """
    if one == other:
        return True
    first, second = _Words(one), _Words(other)
    if not (first.latin and second.latin):  # we know no negations there, and nothing marks a name
        return False
    names = first.names | second.names
    return (
        first.numbers == second.numbers
        and first.turns == second.turns
        and first.quotes == second.quotes
        and first.signs == second.signs
        and first.only(names) == second.only(names)
        and not first.opposes(second)
        and not second.opposes(first)
    )


_WORD = re.compile(r"(?:(?<!\w)[-−])?\d+(?:[.,:/\-]?\w+)*|[^\W\d]\w*(?:[.\-_/:@&'’]\w+)*(?:\+\+|#)?")
_SENTENCE_END = re.compile(r"[.!?:…]")
_QUOTED = re.compile(r"\"([^\"]+)\"|“([^”]+)”|„([^“”]+)[“”]|«([^»]+)»|`([^`]+)`|(?<!\w)['‘]([^'’]+)['’](?!\w)")
_SIGN = re.compile(r"[^\w\s.,;:!?…\"'’‘“”„«»`()\[\]\-–—−]")
_LETTER_BEYOND_LATIN = re.compile("[^\\W\\d_\u0000-\u024f\u1e00-\u1eff]")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NUMBERS = _words(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million billion trillion "
    "dozen half quarter third fourth fifth sixth seventh eighth ninth tenth first second last once twice double triple "
    "monday tuesday wednesday thursday friday saturday sunday january february march april june july august "
    "september october november december spring summer autumn winter today yesterday tomorrow"
)
"""They count or date as figures do."""
_TURNS = _words(
    # negations, in the languages that a Latin script may be
    "not no never none neither nor nobody nothing nowhere without cannot except unless hardly "
    "nicht kein keine keinen keiner keines keinem nie ohne ne pas jamais sans sin nunca non senza mai geen niet não "
    # opposites: they stand in like sentences, so that vectors hardly tell them apart
    "more less fewer most least highest lowest higher lower high low maximum minimum max min best worst better worse "
    "largest smallest biggest longest shortest oldest newest earliest latest above below over under before after since "
    "until next previous past current old new up down profit cost costs add remove added removed enable disable "
    "enabled disabled start end starts ends open close opened closed allow forbid allowed forbidden include exclude "
    "included excluded buy sell bought sold import export input output success failure internal external public "
    "private approve reject approved rejected accept accepted refuse refused pass fail passed failed all any only "
    "every from by who when where why"
)
_SAME = {
    **dict.fromkeys(
        _words("increase increased increases increasing grow grew grown grows growth rise rose rises"), "up"
    ),
    **dict.fromkeys(
        _words("decrease decreased decreases decreasing fall fell falls decline declined drop dropped"), "down"
    ),
    "cannot": "not",
}
_PREFIX = re.compile("(?:un|dis|in|im|ir|il|non-?|de|mis|anti-?)(?=..)")
_OPENINGS = _words(
    "a an the this that these those what which who whom whose when where why how is are was were be do does did has "
    "have had can could will would shall should may might must in on at for from to of by with about and or but if as "
    "please tell give show list explain describe compare summarize summarise find name define write let there it its "
    "i we you he she they my our your his her their me us we're"
)
"""Words that begin a question with a capital and are no names for that."""


_SELF = frozenset(["i", "i'm", "i'd", "i've", "i'll"])


@dataclass(frozen=True)
class _Words:
    """A question by what decides its answer."""

    text: str

    @cached_property
    def latin(self) -> bool:
        return not _LETTER_BEYOND_LATIN.search(self.text)

    @cached_property
    def _plain(self) -> str:
        return unicodedata.normalize("NFKC", self.text).replace("’", "'")

    @cached_property
    def _found(self) -> list[tuple[str, bool]]:
        """Each word in small letters, and whether it is written as a name."""
        found: list[tuple[str, bool]] = []
        end = 0
        for match in _WORD.finditer(self._plain):
            between, end = self._plain[end : match.start()], match.end()
            word = match.group().removesuffix("'s")
            small = word.casefold()
            opens = small in _OPENINGS and (not found or _SENTENCE_END.search(between) is not None)
            found.append((small, word != word.lower() and not opens and small not in _SELF))
        return found

    @cached_property
    def numbers(self) -> list[str]:
        return [word.replace(",", "") for word, _ in self._found if word in _NUMBERS or any(map(str.isdigit, word))]

    @cached_property
    def turns(self) -> Counter[str]:
        words = ("not" if word.endswith("n't") else _SAME.get(word, word) for word, _ in self._found)
        return Counter(word for word in words if word in _TURNS)

    def opposes(self, other: "_Words") -> bool:
        """Whether a word of this one is turned around there: encrypted, unencrypted."""
        mine, theirs = ({word for word, _ in one._found} for one in (self, other))
        return any(_PREFIX.sub("", word, count=1) in mine - theirs for word in theirs - mine if _PREFIX.match(word))

    @cached_property
    def quotes(self) -> Counter[str]:
        found = _QUOTED.findall(self._plain)
        return Counter("".join(groups).casefold().strip() for groups in found)

    @cached_property
    def signs(self) -> Counter[str]:
        """Currencies, percents, comparisons."""
        return Counter(_SIGN.findall(self._plain))

    @cached_property
    def names(self) -> frozenset[str]:
        return frozenset(word for word, named in self._found if named)

    def only(self, names: frozenset[str]) -> list[str]:
        """These names as they follow each other here, capitals or not: who is asked may matter, and whom they ask."""
        return [word for word, _ in self._found if word in names]
