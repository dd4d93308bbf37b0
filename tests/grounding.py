"""How well claims are told to be supported, by human labels: `python -m tests.grounding DIR [--train]`.

Area under the ROC curve and balanced accuracy by set, beside three baselines: length, the idf coverage of the claim's
words, and the similarity of its sentence vector. Intervals are percentiles of 1,000 samples of the claims. Leave one
out: each row of `left out` is by weights from the other sets, with no claim of the same publication (both halves of
frank, both of begin) among them; `ships` is the same with no other set than those that the shipped weights may be
learnt from, and never its own. DIR keeps the features between runs. `--train` writes the files in ragkit/ anew.

Sets are weighed alike in training, and so are both labels within one; each set has a bias of its own, which is dropped:
how much is supported in a set says nothing about another. No weight may be negative, for no feature is: each is made
so that more of it is better.
"""

import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ragkit.eval.agreement import area
from ragkit.groundfeatures import terms
from ragkit.grounding import Grounding
from ragkit.groundweights import RARITY, WEIGHTS, Line, Source, Weights, rarity
from ragkit.groundweights import weights as shipped
from ragkit.indexes.tokens import TokenReader
from tests.grounded import SETS, Labelled, labelled

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

COMMAND = "make grounding TRAIN=--train"
LICENCES = {
    "begin wow": "CC BY 4.0",
    "begin cmu": "CC BY 4.0",
    "wice": "ODC-BY (labels), CC BY-SA 4.0 (claims), Common Crawl's terms (pages)",
}
"""What the shipped weights are learnt from. The texts of frank are for research, and climate-fever names no licence."""
TOKENS = ("coverage", "middle", "deep", "sentence", "numbers", "names")
WORDS = ("coverage", "numbers", "names")
BETTER_LOW = ("numbers", "names")
_KEPT_SMALL = 0.1
"""How much the squares of the weights cost. With .02 the mean AUC, left out, is .003 lower, with .4 not higher."""
_SAMPLES = 1000
_ENOUGH = 0.5
"""The bias is such that this score is where the balanced accuracy is best."""


class Table:
    """Features, labels and sets of all claims."""

    def __init__(self, folder: Path) -> None:
        rows = list(labelled())
        self.sets = np.array([name for name, _, _ in rows])
        self.labels = np.array([label for _, _, label in rows])
        self.names = list(dict.fromkeys(self.sets.tolist()))
        self.columns = _features(folder, rows)
        self.capped = self.columns["sense"] + self.columns["numbers"] + self.columns["names"] > 0

    def of(self, features: Sequence[str]) -> Floats:
        return np.stack([self.columns[name] * (-1 if name in BETTER_LOW else 1) for name in features], axis=1)

    def among(self, names: Sequence[str]) -> Bools:
        chosen: Bools = np.isin(self.sets, names)
        return chosen


def _features(folder: Path, rows: list[Labelled]) -> dict[str, Floats]:
    kept = folder / "features.npz"
    if kept.is_file():
        return dict(np.load(kept))
    grounding, columns = Grounding(), list[dict[str, float]]()
    for start in range(0, len(rows), 50):
        part = [(claim.text, claim.cited) for _, claim, _ in rows[start : start + 50]]
        found = grounding.features(part)
        said = [grounding.disagreements(*one) for one in part]
        for (text, _), one, against in zip(part, found, said, strict=True):
            one["length"] = -float(len(text))
            one["sense"] = float(any(disagreement.kind == "sense" for disagreement in against))
        columns += found
        print(f"\r{start + len(part):,} of {len(rows):,}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    arrays: dict[str, Floats] = {name: np.array([one[name] for one in columns]) for name in columns[0]}
    np.savez(kept, **arrays)  # type: ignore[arg-type] # names of arrays
    return arrays


def learn(table: Table, features: Sequence[str], names: Sequence[str]) -> Line:
    """Logistic regression, with a bias a set; the one that is kept has the best balanced accuracy over these sets."""
    from scipy.optimize import minimize

    rows = table.of(features)[table.among(names)]
    labels, sets = table.labels[table.among(names)], table.sets[table.among(names)]
    mean, scale = rows.mean(axis=0), rows.std(axis=0) + 1e-9
    rows = (rows - mean) / scale
    group = np.array([names.index(name) for name in sets])
    cell = 2 * group + labels  # one a set and label
    weigh = 1 / np.bincount(cell)[cell]
    weigh /= weigh.sum()
    sign = np.where(labels, 1.0, -1.0)
    count = len(features)

    def loss(point: Floats) -> tuple[float, Floats]:
        weights, biases = point[:count], point[count:]
        margin = sign * (rows @ weights + biases[group])
        slope = -sign * weigh / (1 + np.exp(margin))
        value = float((np.logaddexp(0, -margin) * weigh).sum() + _KEPT_SMALL * weights @ weights)
        gradient = np.concatenate([rows.T @ slope + 2 * _KEPT_SMALL * weights, np.bincount(group, slope, len(names))])
        return value, gradient

    bounds = [(0, None)] * count + [(None, None)] * len(names)
    best = minimize(loss, np.zeros(count + len(names)), jac=True, method="L-BFGS-B", bounds=bounds).x[:count]
    plain = best / scale
    signed = {
        name: round(float(-value if name in BETTER_LOW else value), 4)
        for name, value in zip(features, plain, strict=True)
    }
    totals = _totals(table, signed)
    return Line(weights=signed, bias=-round(_threshold(table, totals, names), 4))


def _totals(table: Table, weights: dict[str, float]) -> Floats:
    totals: Floats = sum((weight * table.columns[name] for name, weight in weights.items()), np.zeros(len(table.sets)))
    return totals


def _threshold(table: Table, totals: Floats, names: Sequence[str]) -> float:
    places = np.quantile(totals[table.among(names)], np.linspace(0.02, 0.98, 97))
    found = [(float(np.mean([_balanced(table, totals >= at, name) for name in names])), float(at)) for at in places]
    return max(found)[1]


def _scores(table: Table, line: Line, cap: bool = True) -> Floats:
    scores: Floats = 1 / (1 + np.exp(-(_totals(table, line.weights) + line.bias)))
    return np.where(table.capped, np.minimum(scores, 0.9 * _ENOUGH), scores) if cap else scores


def _balanced(table: Table, said: Bools, name: str) -> float:
    own = table.sets == name
    return float(np.mean([(said == label)[own & (table.labels == label)].mean() for label in (True, False)]))


def _area(scores: Floats, labels: Bools) -> float:
    return area(scores.tolist(), labels.tolist()) or 0.0


def _family(name: str) -> str:
    return name.split()[0]


def measure(table: Table) -> None:
    found: dict[str, Floats] = {name: table.columns[column] for name, column in (
        ("length", "length"), ("coverage", "coverage"), ("similarity", "sentence"))}  # fmt: skip
    said: dict[str, Bools] = {}
    for title, features, sources in (
        ("words, left out", WORDS, table.names), ("tokens, left out", TOKENS, table.names),
        ("words, ships", WORDS, [*LICENCES]), ("tokens, ships", TOKENS, [*LICENCES]),
    ):  # fmt: skip
        scores = np.zeros(len(table.sets))
        for name in table.names:
            others = [one for one in sources if _family(one) != _family(name)]
            own = table.sets == name
            scores[own] = _scores(table, learn(table, features, others))[own]
        found[title], said[title] = scores, scores >= _ENOUGH
    print(f"{'AUC':18}" + "".join(f"{name:>22}" for name in (*table.names, "mean")))
    samples = {title: _resampled(table, scores) for title, scores in found.items()}
    for title, scores in found.items():
        areas = [_area(scores[table.sets == name], table.labels[table.sets == name]) for name in table.names]
        cells = [*zip(areas, samples[title].T, strict=True), (float(np.mean(areas)), samples[title].mean(axis=1))]
        print(f"{title:18}" + "".join(f"{_cell(value, sample):>22}" for value, sample in cells))
    best = max(("length", "coverage", "similarity"), key=lambda title: samples[title].mean())
    for title in said:
        gain = (samples[title] - samples[best]).mean(axis=1)
        print(f"{title} over {best}, mean of the sets: {_cell(float(gain.mean()), gain)}")
    print(f"\n{'balanced accuracy':18}" + "".join(f"{name:>15}" for name in (*table.names, "mean")))
    for title, verdicts in said.items():
        values = [_balanced(table, verdicts, name) for name in table.names]
        print(f"{title:18}" + "".join(f"{value:15.3f}" for value in (*values, np.mean(values))))


def _resampled(table: Table, scores: Floats) -> Floats:
    """Areas of samples, one row a sample and one column a set; the same claims for all scores, so that they pair."""
    found = np.zeros((_SAMPLES, len(table.names)))
    for column, name in enumerate(table.names):
        rng = np.random.default_rng(11)
        own, labels = scores[table.sets == name], table.labels[table.sets == name]
        ranks = np.unique(own, return_inverse=True)[1]
        for row in range(_SAMPLES):
            drawn = rng.integers(0, len(own), len(own))
            yes = np.bincount(ranks[drawn], labels[drawn], ranks.max() + 1)
            no = np.bincount(ranks[drawn], ~labels[drawn], ranks.max() + 1)
            won = (yes * (np.cumsum(no) - no / 2)).sum()
            found[row, column] = won / max(1.0, yes.sum() * no.sum())
    return found


def _cell(value: float, sample: Floats) -> str:
    low, high = np.quantile(sample, (0.025, 0.975))
    return f"{value:.3f} ({low:.3f}–{high:.3f})"


def train(table: Table) -> None:
    names = [*LICENCES]
    sources = [Source(name=name, licence=LICENCES[name], pairs=int((table.sets == name).sum())) for name in names]
    made = Weights(
        version=1,
        command=COMMAND,
        sources=sources,
        supported=_ENOUGH,
        tokens=learn(table, TOKENS, names),
        words=learn(table, WORDS, names),
    )
    WEIGHTS.write_text(made.model_dump_json(indent=2) + "\n", encoding="utf-8")
    print(WEIGHTS.read_text(encoding="utf-8"))


def count_words() -> None:
    """In how many paragraphs of squad-articles each stem, and each piece of MiniLM's vocabulary, stands."""
    reader = TokenReader()
    stems, pieces = Counter[str](), Counter[int]()
    paragraphs = 0
    with (SETS / "squad-articles" / "corpus.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            texts = [text for text in json.loads(line)["text"].split("\n") if len(text) >= 80]
            paragraphs += len(texts)
            for text, ids in zip(texts, reader.pieces(texts), strict=True):
                stems.update(terms(text))
                pieces.update(set(ids))
    made: dict[str, Any] = {
        "version": 1,
        "command": COMMAND,
        "sources": [{"name": "squad-articles (Wikipedia)", "licence": "CC BY-SA 4.0", "pairs": paragraphs}],
        "paragraphs": paragraphs,
        "stems": {stem: number for stem, number in sorted(stems.items()) if number >= 10},
        "pieces": [pieces[piece] for piece in range(reader.vocabulary)],
    }
    RARITY.write_text(json.dumps(made, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
    rarity.cache_clear()


def main() -> None:
    if not SETS.is_dir():
        sys.exit("SKIPPED FOR WANT OF DATA: ../shared/datasets is not here")
    arguments = [one for one in sys.argv[1:] if one]
    training = "--train" in arguments
    folder = Path(next(one for one in arguments if one != "--train"))
    folder.mkdir(parents=True, exist_ok=True)
    if training:
        (folder / "features.npz").unlink(missing_ok=True)
        count_words()
    table = Table(folder)
    if training:
        train(table)
        shipped.cache_clear()
    measure(table)


if __name__ == "__main__":
    main()
