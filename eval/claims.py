"""The claims of a kept answer: its sentences, each with the texts that it cites."""

import re
from collections.abc import Iterator, Mapping, Sequence

from ragkit.errors import InvalidInput
from ragkit.eval.answered import Answered, Cited
from ragkit.eval.groundedness import Claim
from ragkit.indexes.sentences import sentences

_MARK = re.compile(r"\s*\[(\d{1,4})\]")
_LEADING = re.compile(r"(?:\s*\[\d{1,4}\])+\s*")
_SAYS = re.compile(r"[^\W_]")


def bare(text: str) -> str:
    """An answer without its marks, as it is compared with reference answers."""
    return _MARK.sub("", text).strip()


def marked(text: str) -> list[tuple[str, tuple[int, ...]]]:
    """The sentences of an answer without their marks, each with the numbers of these.

    Marks stand in a sentence or after its full stop: then they come before the next one's first word, and belong to it
    only when the sentence before them has marks of its own.
    """
    found: list[tuple[str, tuple[int, ...]]] = []
    for piece in (text[start:end] for start, end in sentences(text, 0, len(text))):
        leading = _LEADING.match(piece)
        if leading and found and (not found[-1][1] or leading.end() == len(piece)):
            said, numbers = found.pop()
            found.append((said, (*numbers, *_numbers(leading[0]))))
            piece = piece[leading.end() :]
        if _SAYS.search(bare(piece)):
            found.append((bare(piece), _numbers(piece)))
    return [(said, tuple(dict.fromkeys(numbers))) for said, numbers in found]


def claims(answer: Answered, texts: Mapping[str, str]) -> tuple[Claim, ...]:
    """What it says, each sentence with the texts that this very sentence cites."""
    cited = {one.marker: quote(one, texts) for one in answer.citations}
    return tuple(
        Claim(said, tuple(cited[number] for number in numbers if number in cited))
        for said, numbers in marked(answer.text)
    )


def together(answer: Answered, said: Sequence[str], texts: Mapping[str, str]) -> tuple[Claim, ...]:
    """These claims of it, each with all that the answer cites anywhere."""
    cited = tuple(dict.fromkeys(_quotes(answer, texts)))
    return tuple(Claim(one, cited) for one in said)


def quote(cited: Cited, texts: Mapping[str, str]) -> str:
    try:
        return texts[cited.uri][cited.start : cited.end]
    except KeyError:
        raise InvalidInput(
            f"What is cited of {cited.uri!r} cannot be read, for its text is not there.",
            "Pass the text of every document that is cited.",
        ) from None


def _quotes(answer: Answered, texts: Mapping[str, str]) -> Iterator[str]:
    return (quote(one, texts) for one in answer.citations)


def _numbers(piece: str) -> tuple[int, ...]:
    return tuple(int(number) for number in _MARK.findall(piece))
