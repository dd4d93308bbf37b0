"""The other side of a comparison, with what only one side says of both: Apple's revenue with Microsoft's."""

import re
from collections.abc import Sequence

from ragkit.coordination import periods
from ragkit.wording import Word, words

_THAT = re.compile(r"(?:that|those) (of|in|for|at|from|on)\s+", re.IGNORECASE)


def like(left: str, right: str) -> str:
    """The right side with what only the left says of both: Apple's revenue with Microsoft's, or that of Microsoft."""
    if that := _THAT.match(right):
        other = right[that.end() :]
        if (was := periods(left)) and periods(other) == [other] and len(was) == 1:
            return left.replace(was[0], other)
        return f"{_bare(left)} {that[1]} {other}"
    ours, theirs = words(left), words(f"of {right}")[1:]
    if not theirs or not all(word.kind in ("name", "num", "poss", "mark") or word.low == "the" for word in theirs):
        return right
    if (was := periods(left)) and periods(right) == [right] and len(was) == 1:
        return left.replace(was[0], right)
    name = right.removesuffix("'s").removesuffix("’s")
    if " the " in f" {left}".lower():
        name = re.sub(r"^the\s+", "", name, flags=re.IGNORECASE)
    at = next((n for n, word in enumerate(ours) if word.kind == "name" and not periods(word.text)), None)
    if at is None:
        return right
    end = at
    while end < len(ours) and ours[end].kind == "name":
        end += 1
    alone = at == 0 and end == len(ours)
    owned = end < len(ours) and ours[end].kind == "poss"
    if alone or not (owned or (at and ours[at - 1].kind in ("prep", "det"))):
        return right
    return left[: ours[at].start] + name + left[ours[end - 1].end :]


def _bare(left: str) -> str:
    """The revenue, of `the revenue of Apple` and of `Apple's revenue`."""
    said = words(f"of {left}")[1:]
    end = next((n for n, word in enumerate(said) if word.kind == "prep" and n), len(said))
    owner = next((n for n, word in enumerate(said[:end]) if word.kind == "poss"), None)
    phrase = left[: said[end - 1].end - 3]
    return phrase if owner is None else f"the {phrase[said[owner].end - 3 :].strip()}"


def of_the_same(items: Sequence[str]) -> list[str]:
    """Version 1 of a policy and version 2: the second is of that policy, too."""
    said = [words(f"of {item}")[1:] for item in items]
    behind = [next((n for n, word in enumerate(one) if word.kind == "prep"), len(one)) for one in said]
    heads = [_head(one[:end]) for one, end in zip(said, behind, strict=True)]
    tails = [
        item[one[end].start - 3 :] if end < len(one) else "" for item, one, end in zip(items, said, behind, strict=True)
    ]
    given = {tail for tail in tails if tail}
    if not heads[0] or len(set(heads)) > 1 or len(given) != 1 or not next(iter(given)).startswith("of "):
        return list(items)
    tail = next(iter(given))
    return [item if tails[n] else f"{item} {tail}" for n, item in enumerate(items)]


def _head(phrase: Sequence[Word]) -> str:
    """The noun of `version 2` and of `the 2023 version`, of which there are several; else empty."""
    nouns = [word.low for word in phrase if word.kind in ("noun", "name") and not word.text.isupper()]
    told = any(word.kind in ("num", "adj") for word in phrase)
    return nouns[0] if told and len(nouns) == 1 else ""
