"""Whether questions are declined that the documents do not answer: `make abstention`, or
`python -m tests.abstention [a folder to keep indexes in] [--fit]`.

`--fit` learns `ragkit/enough.json` anew, from four sets whose licences allow it. All figures of these four are of
weights that did not see them; all other sets were never learnt from.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ragkit.collection import collection_of
from ragkit.enough import FILE, Scorer, Weights, shipped, weigh
from ragkit.indexes.domain import Domain
from tests import abstentioncases as made
from tests.abstentioncases import Case, Maker
from tests.abstentionfit import calibrated, learn

COMMAND = "python -m tests.abstention build/abstention --fit"
HELD_OUT = ("dragonball", "squad", "chroma")
Score = Callable[[Case], float]
_Array = np.ndarray[Any, np.dtype[np.float64]]


def main(arguments: Sequence[str]) -> None:
    if not made.SETS.is_dir():
        sys.exit("SKIPPED FOR WANT OF DATA: ../shared/datasets is not here")
    places = [one for one in arguments if not one.startswith("--")]
    folder = Path(places[0] if places else "build/abstention")
    folder.mkdir(parents=True, exist_ok=True)
    workspace = made.opened(folder)
    maker = Maker(workspace)
    known: dict[str, list[Case]] = {}
    for name in made.TRAIN:
        questions = made.questions_of(name)
        others = [other for other in made.TRAIN if other != name]
        known[name] = list(maker.asked(name, name, questions, others))
        if name != "doc2dial":  # its questions name nothing
            known[name] += maker.swapped(name, name, questions, made.names_of(name, questions))
    train = [one for cases in known.values() for one in cases]
    if "--fit" in arguments:
        write(train)
    for name in HELD_OUT:
        others = [other for other in made.CORPORA if other != name]
        known[name] = list(maker.asked(name, name, made.questions_of(name), others))
    without = {name: calibrated([one for one in train if one.set != name]) for name in made.TRAIN}
    scorer = shipped().vectors
    scorers = {name: without.get(name, scorer) for name in known}
    wrong_collections(maker, scorers["doc2dial"], train)
    unanswerable(known["dragonball"], scorer)
    conversation(maker, known["doc2dial"], scorers["doc2dial"])
    by_set(known, scorers)
    reliability(known, scorers)
    cost(workspace)


def write(train: Sequence[Case]) -> None:
    words = partial(learn, vectors=False)
    weights = Weights(
        version=1,
        learnt={
            "from": "; ".join(made.TRAIN.values()),
            "what": "signs of their questions with the passages found for them, with the gold passages removed, with a "
            "name or a year swapped, and with another of these collections searched; no text is in here",
            "command": COMMAND,
        },
        embedders=["all-MiniLM-L6-v2"],
        vectors=calibrated(train),
        words=calibrated(train, words),
    )
    place = Path(__file__).resolve().parents[1] / "ragkit" / FILE
    place.write_text(json.dumps(weights.model_dump(), indent=2, ensure_ascii=False) + "\n", "utf-8")
    shipped.cache_clear()
    print(f"{place.name}: learnt from {len(train)} cases")


def wrong_collections(maker: Maker, scorer: Scorer, train: Sequence[Case]) -> None:
    """Weights without doc2dial, which is one of the six collections."""
    own: list[Case] = []
    wrong: list[Case] = []
    for name, question in made.mixed():
        for other in made.MIX.values():
            (own if other == name else wrong).append(maker.put(name, other, question, other == name))
    print(f"\n(a) wrong collections: {len(own)} questions of six collections, {len(wrong)} times put to another one")
    rest = [one for one in train if one.set != "doc2dial"]
    compare(own, wrong, scorer, learn(rest, vectors=False))
    curve(own, wrong, scorer)
    least = float(np.quantile(scores(own, scorer), 0.1))
    for name in made.MIX.values():
        asked = [one for one in own if one.set == name]
        away = [one for one in wrong if one.set == name]
        print(
            f"    {name:11} answered {np.mean(scores(asked, scorer) >= least):6.1%}, declined elsewhere "
            f"{np.mean(scores(away, scorer) < least):6.1%}; another's declined there "
            f"{np.mean(scores([one for one in wrong if one.domain == name], scorer) < least):6.1%}"
        )


def unanswerable(cases: Sequence[Case], scorer: Scorer) -> None:
    asked = [one for one in cases if one.kind == "own"]
    yes, no = [one for one in asked if one.answerable], [one for one in asked if not one.answerable]
    print(f"\n(b) dragonball-finance: {len(yes)} answerable, {len(no)} near-topic unanswerable questions")
    compare(yes, no, scorer, shipped().words)
    curve(yes, no, scorer)


def conversation(maker: Maker, cases: Sequence[Case], scorer: Scorer) -> None:
    """The set marks no turn as unanswerable. Three stand-ins: see docs/decisions/abstention.md."""
    first = [one for one in cases if one.kind == "own"]
    later = [maker.put("doc2dial", "doc2dial", one, own=True) for one in made.later_turns()]
    print(
        f"\n(c) doc2dial, weights without it: {len(first)} first turns, {len(later)} later turns without their history"
    )
    for what, asked in (("first turns", first), ("later turns alone", later)):
        found, lost = [one for one in asked if one.held], [one for one in asked if not one.held]
        values = auc(scores(found, scorer), scores(lost, scorer))
        print(
            f"    {what:18} gold found {len(found) / len(asked):5.1%}; AUC of found against not found {values:.3f}; "
            f"declined {np.mean(scores(found, scorer) < scorer.enough):5.1%} of found, "
            f"{np.mean(scores(lost, scorer) < scorer.enough):5.1%} of not found"
        )
    apart = auc(scores(first, scorer), scores(later, scorer))
    print(f"    first turns against later ones without their history: AUC {apart:.3f}")


def by_set(known: Mapping[str, Sequence[Case]], scorers: Mapping[str, Scorer]) -> None:
    print(
        "\nat the shipped coverage: the share that is declined (and AUC against those whose passages hold the answer)"
    )
    print(f"{'set':12}{'answerable':>12}{'with gold':>12}{'gold lost':>18}{'removed':>18}{'swapped':>18}{'wrong':>18}")
    for name, cases in known.items():
        scorer = scorers[name]
        own = [one for one in cases if one.kind == "own" and one.answerable]
        gold = [one for one in own if one.label]
        cells = [f"{name:12}"]
        cells += [f"{np.mean(scores(some, scorer) < scorer.enough):12.1%}" for some in (own, gold)]
        for some in (
            [one for one in own if one.label is False],
            *([one for one in cases if one.kind == kind] for kind in ("removed", "swapped", "wrong")),
        ):
            declined = np.mean(scores(some, scorer) < scorer.enough) if some else 0
            said = f"{declined:.1%} ({auc(scores(gold, scorer), scores(some, scorer)):.2f})" if some else "–"
            cells.append(f"{said:>18}")
        print("".join(cells))


def reliability(known: Mapping[str, Sequence[Case]], scorers: Mapping[str, Scorer]) -> None:
    """Of what people asked: the question in its own collection, with what was really found."""
    print("\nhow often passages hold the answer that are said to, questions put to their own collections")
    for title, names in (("learnt from, each left out", made.TRAIN), ("held out", HELD_OUT)):
        cases = [(one, scorers[name]) for name in names for one in known[name] if one.kind == "own"]
        told = [(scorer.score(one.signs), bool(one.label)) for one, scorer in cases if one.label is not None]
        said, held = np.array([one for one, _ in told]), np.array([one for _, one in told])
        cells, gap = [], 0.0
        for low in np.arange(0, 1, 0.2):
            inside = (said >= low) & (said < low + 0.2)
            if inside.any():
                cells.append(f"{said[inside].mean():.2f}→{held[inside].mean():.2f} ({inside.sum()})")
                gap += abs(float(said[inside].mean() - held[inside].mean())) * float(inside.mean())
        print(f"    {title:28} {', '.join(cells)}; expected calibration error {gap:.3f}")


def cost(workspace: Any) -> None:
    """Beyond the search, warm: rarity of the words, signs, score and reasons."""
    print("\nwhat it takes beyond the search of 8 passages")
    for name in ("squad", "dragonball"):
        domain = Domain(workspace.path / ".ragkit" / "domains" / name, name)
        asked = [(one.text, workspace.search(one.text, [name], k=made.K)) for one in made.questions_of(name)[:100]]
        for _ in range(2):
            took, used = [], []
            for text, hits in asked:
                began, worked = time.perf_counter(), time.process_time()
                weigh(text, hits, collection_of([domain], text))
                took.append((time.perf_counter() - began) * 1000)
                used.append((time.process_time() - worked) * 1000)
        print(
            f"    {name:12} p50 {statistics.median(took):.2f} ms, p95 {sorted(took)[int(len(took) * 0.95)]:.2f} ms; "
            f"of the processor p50 {statistics.median(used):.2f} ms"
        )


def compare(yes: Sequence[Case], no: Sequence[Case], scorer: Scorer, words: Scorer) -> None:
    """Beside what is obvious, and what was tried before."""
    baselines: dict[str, Score] = {
        "top cosine": lambda one: one.signs["cosine"],
        "idf coverage of the best passage": lambda one: one.signs["hit"],
        "name, date, kind and words in one place": lambda one: one.signs["together"],
        "whether it is about it, alone": lambda one: scorer.about.chance(one.signs),
        "whether one place says it, alone": lambda one: scorer.said.chance(one.signs),
        "both": lambda one: scorer.score(one.signs),
        "both, without cosines": lambda one: words.score(one.signs),
    }
    for name, score in baselines.items():
        a, b = np.array([score(one) for one in yes]), np.array([score(one) for one in no])
        low, high = interval(a, b)
        declined = float(np.mean(b < np.quantile(a, 0.1)))
        print(f"    {name:40} AUC {auc(a, b):.3f} [{low:.3f}, {high:.3f}]; at 90 % coverage {declined:.1%} declined")


def curve(yes: Sequence[Case], no: Sequence[Case], scorer: Scorer) -> None:
    """Risk and coverage: of what is answered, the share that should not have been."""
    a, b = scores(yes, scorer), scores(no, scorer)
    print(f"    {'answered of the answerable':28}{'declined of the others':>24}{'risk of an answer':>20}")
    for coverage in (1.0, 0.98, 0.95, 0.9, 0.8, 0.7, 0.6, 0.5):
        least = float(np.quantile(a, 1 - coverage))
        wrong = int((b >= least).sum())
        risk = wrong / max(1, wrong + int((a >= least).sum()))
        print(f"    {coverage:<28.0%}{np.mean(b < least):>24.1%}{risk:>20.1%}")
    least = scorer.enough
    print(f"    as shipped: {np.mean(a >= least):.1%} answered, {np.mean(b < least):.1%} of the others declined")


def scores(cases: Sequence[Case], scorer: Scorer) -> _Array:
    return np.array([scorer.score(one.signs) for one in cases])


def auc(yes: _Array, no: _Array) -> float:
    if not len(yes) or not len(no):
        return float("nan")
    return float((yes[:, None] > no[None, :]).mean() + (yes[:, None] == no[None, :]).mean() / 2)


def interval(yes: _Array, no: _Array, times: int = 500) -> tuple[float, float]:
    chance = np.random.default_rng(3)
    found = [
        auc(chance.choice(yes, len(yes)), chance.choice(no, len(no))) for _ in range(times if len(no) < 1000 else 50)
    ]
    low, high = np.quantile(found, [0.025, 0.975]).tolist()
    return float(low), float(high)


if __name__ == "__main__":
    main(sys.argv[1:])
