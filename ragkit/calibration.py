"""Calibration: what a total of scores means, learnt from questions of which one knows where they belong.

Three things: the temperature that makes a softmax of totals say how often the first one is right (Guo et al., On
Calibration of Modern Neural Networks, 2017), the probability from which on that is sure enough, and the total below
which a question belongs to none. The last one needs no questions from outside: it is what few of the questions that do
belong somewhere fall short of.
"""

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ragkit.errors import InvalidInput, RagkitError
from ragkit.files import write_whole
from ragkit.indexes.segment import Array
from ragkit.settings import explain

FALSE_ALARMS = 0.03
"""Questions that belong somewhere and would be turned away. Those that come later are less like the examples than these
are like each other, so that it is more of them: 5 % on clinc150's val split."""
RIGHT = 0.99
"""Of the questions that are taken as sure."""
FEWEST = 20
"""Questions from which anything is learnt."""
OUTSIDE = 10
"""Questions from outside from which on they have a say, too."""
_TEMPERATURES = np.geomspace(0.003, 0.5, 40)


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Scale(_Form):
    temperature: float = Field(gt=0)
    sure: float
    inside: float | None
    """The total below which a question belongs to none; None when nothing is known of that."""
    width: float = Field(gt=0)
    """How soon it becomes likely, above that."""
    questions: int = 0
    """That it was learnt from."""

    def odds(self, totals: Array) -> Array:
        """How probable each one is, if it is one of them."""
        scaled = (totals - totals.max(axis=-1, keepdims=True)) / self.temperature
        odds = np.exp(scaled)
        all_: Array = odds / odds.sum(axis=-1, keepdims=True)
        return all_

    def belonging(self, top: float) -> float:
        """How probable it is that it is one of them."""
        inside = _GUESS if self.inside is None else self.inside
        return float(1 / (1 + np.exp(-np.clip((top - inside) / self.width, -50, 50))))


_GUESS = 0.3
"""Where nothing was learnt. It makes scores smaller, and turns nothing away."""
UNKNOWN = Scale(temperature=0.08, sure=0.9, inside=None, width=0.1)
"""Where there is nothing to learn from. Those learnt on sets of our own are .02 to .05; who has learnt nothing had
better look into two domains than be sure of the wrong one."""


def learn(totals: Array, right: Array, false_alarms: float = FALSE_ALARMS) -> Scale | None:
    """A row a question; `right` is its column, or -1 for none of them. None when they are too few."""
    belonging = right >= 0
    known, column = totals[belonging], right[belonging]
    if len(known) < FEWEST:
        return None
    tops = totals.max(axis=1)
    inside = _inside(tops[belonging], tops[~belonging], false_alarms)
    width = max(float(np.median(tops[belonging]) - inside) / 3, 1e-6)
    best = UNKNOWN
    least = np.inf
    for temperature in _TEMPERATURES:
        scale = Scale(temperature=float(temperature), sure=0, inside=inside, width=width, questions=len(totals))
        chances = scale.odds(known)[np.arange(len(known)), column]
        loss = float(-np.log(np.maximum(chances, 1e-9)).mean())
        if loss < least:
            best, least = scale, loss
    odds = best.odds(known)
    return best.model_copy(update={"sure": _sure(odds.max(axis=1), odds.argmax(axis=1) == column)})


def _inside(tops: Array, outside: Array, false_alarms: float) -> float:
    """As many false alarms as are allowed; fewer, where questions from outside show that fewer do as well."""
    most = float(np.quantile(tops, false_alarms))
    if len(outside) < OUTSIDE:
        return most
    cuts = np.unique(np.concatenate([outside[outside <= most], [most]]))
    errors = [float((tops < cut).mean() + (outside >= cut).mean()) for cut in cuts]
    return float(cuts[int(np.argmin(errors))])


def _sure(chances: Array, right: Array) -> float:
    """The lowest chance from which on so many are right."""
    order = np.argsort(-chances, kind="stable")
    shares = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    good = np.flatnonzero(shares >= RIGHT)
    return float(min(max(chances[order[good[-1]]], 0.5), 0.999)) if len(good) else 0.999


class Example(_Form):
    """A line of the file that is learnt from."""

    question: str
    domain: str | None = None


class Learnt(_Form):
    """What `ragkit route fit` keeps."""

    version: int = 1
    examples: dict[str, list[str]] = Field(default_factory=dict)
    outside: list[str] = Field(default_factory=list)


def read_examples(path: Path) -> list[Example]:
    """A JSON object a line: `{"question": "…", "domain": "finance"}`; null or "none" for what belongs to none."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path} cannot be read: {error}.", "Name a file of JSON lines.") from error
    found = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            given = json.loads(line)
            one = Example(question=given["question"], domain=given["domain"])
        except ValidationError as error:
            raise InvalidInput(f"{path}, line {number}: {explain(error, Example)}", "Mend it.") from error
        except (ValueError, TypeError, KeyError) as error:
            raise InvalidInput(
                f"{path}, line {number} is no example: {line[:80]}",
                'Write {"question": "…", "domain": "NAME or none"}.',
            ) from error
        found.append(Example(question=one.question, domain=None if one.domain in ("none", "") else one.domain))
    if not found:
        raise InvalidInput(f"{path} holds no examples.", 'Write {"question": "…", "domain": "…"} on each line.')
    return found


def learnt_from(examples: Iterable[Example]) -> Learnt:
    """Each question once, in the order of the file."""
    by_name: dict[str, dict[str, None]] = {}
    outside: dict[str, None] = {}
    for one in examples:
        place = outside if one.domain is None else by_name.setdefault(one.domain, {})
        place[one.question] = None
    return Learnt(examples={name: list(each) for name, each in by_name.items()}, outside=list(outside))


def keep(path: Path, form: BaseModel) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, form.model_dump_json())
    except OSError as error:
        raise RagkitError(f"{path} cannot be written ({error.strerror or error}).", "Check its disk.") from error


def kept(path: Path) -> Learnt:
    """What was learnt; nothing when it never was."""
    try:
        return Learnt.model_validate_json(path.read_text("utf-8"))
    except FileNotFoundError:
        return Learnt()
    except (OSError, ValueError) as error:
        raise RagkitError(
            f"{path} is not what ragkit wrote: {str(error).splitlines()[0]}.", "Remove it, and fit the routes again."
        ) from error
