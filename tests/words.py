"""How many words a reading lost, and how many it made up, against a reference."""

import hashlib
import html
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

REFERENCES = Path(__file__).parent / "references"
_WORD = re.compile(r"[^\W_]+")
_TAGGED = re.compile(r"^\[(header|footer|figure|watermark)\]", re.MULTILINE)


class Difference(NamedTuple):
    missing: float
    """Share of the reference's words that were not read."""
    invented: float
    """Share of the words read that the reference does not have."""
    lost: Counter[str]
    added: Counter[str]

    def __str__(self) -> str:
        return f"missing {self.missing:.1%}, invented {self.invented:.1%}"


def words(text: str) -> list[str]:
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def words_of_markdown(text: str) -> list[str]:
    """Less what is Markdown's own: comments, the targets of links, escapes, entities, check boxes."""
    text = re.sub(r"<!--.*?-->", " ", text, flags=re.DOTALL)
    text = re.sub(r"\]\((?:[^()\s]|\([^()]*\))*(?:\s+\"[^\"]*\")?\)", "] ", text)
    return words(re.sub(r"\\([\\`*_{}\[\]()#+.!|~-])", r"\1", html.unescape(text)))


def compare(expected: Sequence[str], read: Sequence[str], optional: Iterable[str] = ()) -> Difference:
    """By counts, in any order. `optional` words may be read or not: running heads, words inside pictures."""
    want, got, may = Counter(expected), Counter(read), Counter(optional)
    lost, added = want - got, got - want - may
    return Difference(lost.total() / max(1, want.total()), added.total() / max(1, got.total()), lost, added)


def fingerprint(word: str) -> str:
    """Stands for a word of somebody else's document, which is not ours to copy into this repository."""
    return hashlib.blake2b(word.encode(), digest_size=5).hexdigest()


def save_reference(transcription: Path, target: Path) -> None:
    """Make a reference from a transcription of a page as a person sees it; tagged lines hold what may be left out."""
    lines = []
    for line in transcription.read_text("utf-8").splitlines():
        sign = "?" if _TAGGED.match(line) else ""
        lines += [sign + fingerprint(word) for word in words(_TAGGED.sub("", line))]
    target.write_text("\n".join(lines) + "\n", "utf-8")


def load_reference(name: str) -> tuple[list[str], list[str]]:
    """The words that must be read, and those that may be; both as fingerprints."""
    lines = (REFERENCES / f"{name}.words").read_text("utf-8").split()
    return [line for line in lines if line[0] != "?"], [line[1:] for line in lines if line[0] == "?"]
