"""The semantic selector: how near a question lies to the examples, descriptions and centroids of each tool.

Where tools have enough examples, a kernel ridge regression over them says more than nearness alone. It is solved in
closed form over landmarks (Williams and Seeger, Using the Nyström Method to Speed Up Kernel Machines, 2001): no
training, and a new domain costs one solve. The landmarks are among the examples that are compared anyway, so that a
question costs one product with a matrix.
"""

from collections.abc import Sequence

import numpy as np

from ragkit.indexes.recipe import EmbedderSettings
from ragkit.indexes.segment import Array
from ragkit.profile import Profile, cosines_of
from ragkit.route import Inquiry, Selection

NEAREST = 5
"""The mean of so many of the nearest examples is their nearness."""
_PER = 10
"""... but of one for every ten examples that there are: with few, the nearest alone."""
MOST = 8192
"""Examples of all tools that a question is compared with, evenly out of each. 15,000 instead of 8,000 change a tenth
of a point on clinc150's val split, and would take longer than all the rest."""
LANDMARKS = 2048
_LEARNT = 20_000
"""Examples that the regression is solved over."""
FEW = 10
"""Examples below which a tool takes no part in the regression."""
SHARE = 0.5
"""What the regression's 0 to 1 weighs against a cosine."""
_WIDTH = 2.0
_RIDGE = 0.1
_SHOWN = 60


class SemanticSelector:
    name = "semantic"

    def __init__(self, profiles: Sequence[Profile]) -> None:
        self._profiles = list(profiles)
        groups: dict[EmbedderSettings, list[int]] = {}
        for at, one in enumerate(profiles):
            if len(one.vectors) or len(one.centroids):
                groups.setdefault(one.embedder, []).append(at)
        self._groups = [
            (embedder, places, _Group([profiles[at] for at in places])) for embedder, places in groups.items()
        ]

    def select(self, question: Inquiry) -> Selection:
        near, learnt = self.parts(question)
        scores = near + SHARE * learnt
        names = [one.name for one in self._profiles]
        best = int(scores.argmax()) if len(scores) else -1
        return Selection(self.name, dict(zip(names, scores.tolist(), strict=True)), self._reason(best, question))

    def parts(self, question: Inquiry) -> tuple[Array, Array]:
        """How near each tool is, and what the regression says of it; nothing good or bad of one that takes no part."""
        near, learnt = np.zeros(len(self._profiles)), np.zeros(len(self._profiles))
        for embedder, places, group in self._groups:
            near[places], learnt[places] = group.scores(question.vector(embedder))
        return near, learnt

    def _reason(self, best: int, question: Inquiry) -> str:
        for embedder, places, group in self._groups:
            if best in places:
                what, cosine = group.nearest(places.index(best), question.vector(embedder))
                return f"Nearest to {self._profiles[best].name}: {what} ({cosine:.2f})."
        return "No tool has a description, examples or documents."


class _Group:
    """Tools of one embedder: vectors of two could not be compared."""

    def __init__(self, profiles: Sequence[Profile]) -> None:
        self._profiles = profiles
        most = _fair([len(one.examples) for one in profiles], MOST)
        self._picked = [_spread(len(one.examples), n) for one, n in zip(profiles, most, strict=True)]
        blocks: list[Array] = []
        for one, picked in zip(profiles, self._picked, strict=True):
            blocks += [one.vectors[picked], one.vectors[len(one.examples) :], one.centroids]
        ends = np.cumsum([len(block) for block in blocks])
        self._ends = [0, *ends.tolist()]
        filled = [block for block in blocks if len(block)]
        self._rows = np.ascontiguousarray(np.concatenate(filled), np.float32)
        self._solve()

    def scores(self, vector: Array) -> tuple[Array, Array]:
        cosines = cosines_of(self._rows, vector)
        near = np.array([self._near(at, cosines) for at in range(len(self._profiles))])
        learnt = np.zeros(len(self._profiles))
        if self._weights is not None:
            said = np.exp(2 * _WIDTH * (cosines[self._landmarks] - 1)) @ self._weights
            learnt[:] = said.max()
            learnt[self._learners] = said
        return near, learnt

    def _near(self, at: int, cosines: Array) -> float:
        first, middle, _, last = self._ends[3 * at : 3 * at + 4]
        nears = [float(cosines[middle:last].max())] if last > middle else []
        examples = cosines[first:middle]
        if len(examples):
            k = min(NEAREST, max(1, len(examples) // _PER))
            nears.append(float(np.partition(examples, len(examples) - k)[len(examples) - k :].mean()))
        return max(nears, default=0.0)

    def nearest(self, at: int, vector: Array) -> tuple[str, float]:
        first, middle, below, last = self._ends[3 * at : 3 * at + 4]
        cosines = cosines_of(self._rows[first:last], vector)
        best = int(cosines.argmax())
        if first + best < middle:
            said = self._profiles[at].examples[self._picked[at][best]]
            return f"“{said if len(said) <= _SHOWN else said[: _SHOWN - 1] + '…'}”", float(cosines[best])
        return ("its description" if first + best < below else "its documents"), float(cosines[best])

    def _solve(self) -> None:
        """(K'K + r K_mm) w = K'y, with K from examples to landmarks. Each tool weighs as much as any other one."""
        self._learners = [at for at, one in enumerate(self._profiles) if len(one.examples) >= FEW]
        self._weights: Array | None = None
        self._landmarks = np.zeros(0, np.int64)
        if len(self._learners) < 2:
            return
        sizes = [len(self._profiles[at].examples) for at in self._learners]
        rows, labels = [], []
        for column, (at, n) in enumerate(zip(self._learners, _fair(sizes, _LEARNT), strict=True)):
            one = self._profiles[at]
            rows.append(one.vectors[_spread(len(one.examples), n)])
            labels += [column] * n
        marks = []
        for at, n in zip(
            self._learners, _fair([len(self._picked[at]) for at in self._learners], LANDMARKS), strict=True
        ):
            marks.append(self._ends[3 * at] + _spread(len(self._picked[at]), n))
        self._landmarks = np.concatenate(marks)
        examples, landmarks = np.concatenate(rows), self._rows[self._landmarks]
        counts = np.bincount(labels)
        weight = (len(labels) / (len(counts) * counts))[labels].astype(np.float32)
        gram = np.zeros((len(landmarks), len(landmarks)))
        right = np.zeros((len(landmarks), len(counts)))
        for start in range(0, len(examples), 4096):  # as the whole would not fit where there are many
            kernel = np.exp(2 * _WIDTH * (examples[start : start + 4096] @ landmarks.T - 1))
            own = np.array(labels[start : start + 4096])
            weighed = kernel * weight[start : start + 4096, None]
            gram += weighed.T @ kernel
            right += np.stack([weighed[own == column].sum(axis=0) for column in range(len(counts))], axis=1)
        among = np.exp(2 * _WIDTH * (landmarks @ landmarks.T - 1))
        among[np.diag_indices(len(among))] += 1e-4  # examples that say the same would make it singular
        self._weights = np.linalg.solve(gram + _RIDGE * among, right).astype(np.float32)


def _fair(sizes: Sequence[int], most: int) -> list[int]:
    """As much of each as fits: all of the small ones, and the same number of each large one."""
    left, given = most, [0] * len(sizes)
    for place, at in enumerate(sorted(range(len(sizes)), key=lambda at: sizes[at])):
        given[at] = min(sizes[at], left // (len(sizes) - place))
        left -= given[at]
    return given


def _spread(size: int, count: int) -> Array:
    """So many places of so many, evenly."""
    return (
        np.arange(size)
        if count >= size
        else np.linspace(0, size - 1, count).astype(np.int64)
        if count
        else np.zeros(0, np.int64)
    )
