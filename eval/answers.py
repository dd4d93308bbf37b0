"""How right an answer is, by its words alone, and whether the right questions were left unanswered."""

import re
import string
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from ragkit.errors import InvalidInput

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalised(text: str) -> str:
    """In lower case, without ASCII punctuation, without the articles a, an, the, and with single spaces.

    As in the official scorer of SQuAD (Rajpurkar and others, 2016), in its order, so that figures can be compared with
    published ones. It knows no other language's articles, and no typographic quotes.
    """
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def exact_match(answer: str, references: Sequence[str]) -> float:
    """1 when the normalised answer equals any normalised reference, else 0."""
    return _best(lambda reference: float(normalised(answer) == normalised(reference)), references)


def token_f1(answer: str, references: Sequence[str]) -> float:
    """The harmonic mean of precision and recall of the answer's words, with repetition, against the best reference.

    When the answer or a reference has no words left, 1 if neither has, else 0 (as SQuAD 2.0 has it).
    """
    return _best(lambda reference: _f1(normalised(answer).split(), normalised(reference).split()), references)


def contains(answer: str, references: Sequence[str]) -> float:
    """1 when a normalised reference stands in the normalised answer, as whole words, else 0.

    What a long answer is not punished for; nor is one that names everything.
    """
    return _best(lambda reference: float(f" {normalised(reference)} " in f" {normalised(answer)} "), references)


def abstention_accuracy(pairs: Iterable[tuple[bool, bool]]) -> float | None:
    """Of pairs (abstained, unanswerable), the share that agree: no answer exactly where there is none.

    None without pairs. This one number hides which way it errs: see `wrongly_answered` and `wrongly_abstained`.
    """
    return _share([abstained == unanswerable for abstained, unanswerable in pairs])


def wrongly_answered(pairs: Iterable[tuple[bool, bool]]) -> float | None:
    """Of the unanswerable questions, the share that was answered; None without any."""
    return _share([not abstained for abstained, unanswerable in pairs if unanswerable])


def wrongly_abstained(pairs: Iterable[tuple[bool, bool]]) -> float | None:
    """Of the answerable questions, the share that was not answered; None without any."""
    return _share([abstained for abstained, unanswerable in pairs if not unanswerable])


def _best(score: Callable[[str], float], references: Sequence[str]) -> float:
    if isinstance(references, str) or not references:
        raise InvalidInput("There is no list of reference answers to compare with.", "Leave such a question out.")
    return max(map(score, references))


def _f1(words: Sequence[str], expected: Sequence[str]) -> float:
    if not words or not expected:
        return float(words == expected)
    shared = (Counter(words) & Counter(expected)).total()
    return 2 * shared / (len(words) + len(expected))


def _share(verdicts: Sequence[bool]) -> float | None:
    return sum(verdicts) / len(verdicts) if verdicts else None
