"""Alike questions: those that may share an answer.

Vectors know what a question is about, not what decides its answer: "revenue in Q3" and "revenue in Q4" lie nearer to
each other than two ways of asking for either. So alike are only questions with the same numbers and names in the same
order, and the same words that turn a meaning around.
"""

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from functools import cached_property


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
