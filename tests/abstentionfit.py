"""Learns the weights of `ragkit/enough.json`: logistic models without negative weights, and their calibration."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.optimize import minimize

from ragkit.enough import Scorer, Stage
from tests.abstentioncases import Case

ABOUT = ("cosine", "cosine of three", "hit")
ABOUT_WORDS = ("known", "hit")
SAID = (
    "named", "asked in a sentence", "asked in three", "asked in a document", "asked side by side", "dated",
    "together", "together on average",
)  # fmt: skip
COVERED = 0.985
"""Of the questions whose passages hold the answer, so many are to be answered, by weights learnt from other sets."""
PRIOR = 0.8
"""Of the questions that are put to a collection, those that it answers: people ask where they expect an answer. It
moves the probabilities, neither their order nor what is declined."""
_SHRINK_ABOUT, _SHRINK_SAID = 0.01, 0.05
_Array = np.ndarray[Any, np.dtype[np.float64]]


def weights_of(cases: Sequence[Case]) -> _Array:
    """Each set counts the same; in each, cases that hold the answer as much as all others, and of these each kind."""
    keys = [(one.set, bool(one.label), "own" if one.kind == "removed" else one.kind) for one in cases]
    sizes = Counter(keys)
    kinds = Counter(key[:2] for key in sizes)
    made = np.array([1 / sizes[key] / kinds[key[:2]] for key in keys])
    return np.asarray(made / made.sum())


def learn(cases: Sequence[Case], vectors: bool = True) -> Scorer:
    """Without calibration: the product as it is, and no least."""
    known = [one for one in cases if one.label is not None]
    weights = weights_of(known)
    about = _logistic(
        known, ABOUT if vectors else ABOUT_WORDS, np.array([one.kind != "wrong" for one in known]), weights,
        _SHRINK_ABOUT,
    )  # fmt: skip
    near = np.array([one.kind != "wrong" for one in known])
    inside = [one for one in known if one.kind != "wrong"]
    names = ("agreement", *SAID) if vectors else SAID
    labels = np.array([bool(one.label) for one in inside])
    said = _logistic(inside, names, labels, weights[near], _SHRINK_SAID)
    return Scorer(about=about, said=said, slope=1, offset=0, enough=0)


def calibrated(cases: Sequence[Case], learn_from: Callable[[Sequence[Case]], Scorer] = learn) -> Scorer:
    """Learnt from all; scale and least from what is said of each set by weights that never saw it."""
    known = [one for one in cases if one.label is not None]
    logits = np.zeros(len(known))
    for name in {one.set for one in known}:
        scorer = learn_from([one for one in known if one.set != name])
        for at, one in enumerate(known):
            if one.set == name:
                logits[at] = _logit(scorer.score(one.signs))
    labels = np.array([bool(one.label) for one in known])
    weights = weights_of(known)
    offset, slope = _fitted(logits[:, None], labels, weights * np.where(labels, PRIOR, 1 - PRIOR) * 2, 0.0)
    positive = np.flatnonzero(labels)
    order = positive[np.argsort(logits[positive])]
    shares = np.cumsum(weights[order]) / weights[order].sum()
    least = logits[order[int(np.searchsorted(shares, 1 - COVERED))]]
    enough = 1 / (1 + np.exp(-(offset + slope[0] * least)))
    scorer = learn_from(known)
    given = {"slope": round(float(slope[0]), 4), "offset": round(float(offset), 4), "enough": round(float(enough), 4)}
    return scorer.model_copy(update=given)


def _logistic(cases: Sequence[Case], names: Sequence[str], labels: _Array, weights: _Array, shrink: float) -> Stage:
    signs = np.array([[one.signs[name] for name in names] for one in cases])
    mean, spread = signs.mean(axis=0), signs.std(axis=0) + 1e-9
    offset, slopes = _fitted((signs - mean) / spread, labels, weights / weights.sum(), shrink)
    real = slopes / spread
    kept: Mapping[str, float] = {
        name: round(float(weight), 4) for name, weight in zip(names, real, strict=True) if weight > 1e-4
    }
    return Stage(offset=round(float(offset - (real * mean).sum()), 4), weights=dict(kept))


def _fitted(signs: _Array, labels: _Array, weights: _Array, shrink: float) -> tuple[float, _Array]:
    sides = np.where(labels, 1.0, -1.0)

    def loss(at: _Array) -> tuple[float, _Array]:
        margins = sides * (signs @ at[1:] + at[0])
        pull = -(weights * sides / (1 + np.exp(margins)))
        value = float((weights * np.logaddexp(0, -margins)).sum() + shrink * (at[1:] ** 2).sum())
        return value, np.concatenate([[pull.sum()], signs.T @ pull + 2 * shrink * at[1:]])

    bounds = [(None, None)] + [(0, None)] * signs.shape[1]
    found = minimize(loss, np.zeros(signs.shape[1] + 1), jac=True, method="L-BFGS-B", bounds=bounds).x
    return float(found[0]), np.asarray(found[1:])


def _logit(score: float) -> float:
    kept = min(max(score, 1e-9), 1 - 1e-9)
    return float(np.log(kept / (1 - kept)))
