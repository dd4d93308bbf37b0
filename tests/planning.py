"""How good the plans are that rules make: `.venv/bin/python -m tests.planning [folder of sets] [--show SET]`.

Simple sets: how often a question becomes more than one. Every split counts as wrong, also of questions that do ask two
things. fanoutqa: a human sub-question is covered when one planned sub-question shares with it at least 60 % of the
words of both (Dice, stemmed, without stop words). What its answers would have told is not asked of a plan: the words of
the answers to what it depends on are left out, and one that depends on another is covered only by one that does, or by
one that asks about one of several. "recall" is the softer measure: 60 % of the human words, whatever else is said. The
first row is what the undivided question reaches. musique: a question is recognised when its plan has a step that waits
for another; the split is right when there are as many steps as human ones, and close when the steps, in order, have the
same words (each human step has a planned one with Dice >= 0.5, names of relations and answers left out).
"""

import json
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ragkit.indexes.analyzer import Analyzer
from ragkit.plan import HOLE, Plan, SubQuestion, whole
from ragkit.ruleplanner import plan_by_rules

_ANALYZER = Analyzer()
_SIMPLE = {
    "squad-articles": ("queries", "text"), "cranfield": ("queries", "text"), "medline": ("queries", "text"),
    "time": ("queries", "text"), "cacm": ("queries", "text"), "aragog": ("questions", "question"),
    "doc2dial": ("queries", "text"), "clinc150": ("test", "text"), "chroma-chunking": ("questions", "question"),
}  # fmt: skip
_COUNTED = ("squad-articles", "cranfield", "medline", "time", "cacm")


def _rows(folder: Path, name: str, file: str) -> list[dict[str, Any]]:
    with (folder / name / f"{file}.jsonl").open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _terms(text: str) -> set[str]:
    return set(_ANALYZER.terms(HOLE.sub(" ", text)))


def simple(folder: Path, show: str) -> None:
    print(f"{'simple sets':18}{'questions':>10}{'split':>7}{'%':>7}{'ms':>7}")
    total = wrong = 0
    for name, (file, key) in _SIMPLE.items():
        texts = [row[key] for row in _rows(folder, name, file) if row.get("turn", 1) == 1]
        began = time.perf_counter()
        plans = [plan_by_rules(text) for text in texts]
        took = 1000 * (time.perf_counter() - began) / len(texts)
        split = [plan for plan in plans if not plan.simple]
        print(f"{name:18}{len(texts):10}{len(split):7}{100 * len(split) / len(texts):7.1f}{took:7.2f}")
        if name in _COUNTED:
            total, wrong = total + len(texts), wrong + len(split)
        _show(split, show == name)
    print(f"{'the first five':18}{total:10}{wrong:7}{100 * wrong / total:7.1f}")


def fanout(folder: Path, show: str) -> None:
    rows = _rows(folder, "fanoutqa-dev", "questions")
    plans = [plan_by_rules(row["question"]) for row in rows]
    split = [plan for plan in plans if not plan.simple]
    sizes = sorted(len(plan.sub_questions) for plan in plans)
    print(f"\nfanoutqa-dev: {len(rows)} questions, {len(split)} divided ({100 * len(split) / len(rows):.0f} %), "
          f"sizes {[(size, sizes.count(size)) for size in sorted(set(sizes))]}")  # fmt: skip
    print(
        f"{'':18}{'Dice: of all':>14}{'a question':>12}{'recall: of all':>16}{'a question':>12}{'first':>8}{'after':>8}"
    )
    for label, made in (("undivided", [whole(row["question"]) for row in rows]), ("by rules", plans)):
        strict = [_covered(row, plan, False) for row, plan in zip(rows, made, strict=True)]
        soft = [_covered(row, plan, True) for row, plan in zip(rows, made, strict=True)]
        firsts = [hit for row, hits in zip(rows, strict, strict=True)
                  for sub, hit in zip(row["sub_questions"], hits, strict=True) if not sub["depends_on"]]  # fmt: skip
        afters = [hit for row, hits in zip(rows, strict, strict=True)
                  for sub, hit in zip(row["sub_questions"], hits, strict=True) if sub["depends_on"]]  # fmt: skip
        print(f"{label:18}{_all(strict):14.1f}{_each(strict):12.1f}{_all(soft):16.1f}{_each(soft):12.1f}"
              f"{_all([firsts]):8.1f}{_all([afters]):8.1f}")  # fmt: skip
    _show(plans, show == "fanoutqa-dev")


def _covered(row: dict[str, Any], plan: Plan, soft: bool) -> list[bool]:
    subs = {sub["id"]: sub for sub in row["sub_questions"]}
    return [any(_covers(sub, one, subs, soft, plan) for one in plan.sub_questions) for sub in row["sub_questions"]]


def _covers(sub: dict[str, Any], one: SubQuestion, subs: dict[str, Any], soft: bool, plan: Plan) -> bool:
    known: set[str] = set()
    for need in sub["depends_on"]:
        known |= _terms(json.dumps(subs[need]["answer"], ensure_ascii=False)) if need in subs else set()
    human, ours = _terms(sub["question"]) - known, _terms(one.text) - known
    if not human:
        human = _terms(sub["question"])
    shared = len(human & ours)
    if soft:
        return shared >= 0.6 * len(human)
    waits = bool(one.depends_on) or (len(plan.sub_questions) > 1 and one.why.startswith("one "))
    return 2 * shared >= 0.6 * (len(human) + len(ours)) and (waits or not sub["depends_on"])


def _all(hits: Iterable[list[bool]]) -> float:
    flat = [hit for row in hits for hit in row]
    return 100 * sum(flat) / len(flat)


def _each(hits: list[list[bool]]) -> float:
    return 100 * sum(sum(row) / len(row) for row in hits) / len(hits)


def musique(folder: Path, show: str) -> None:
    rows = _rows(folder, "musique-100", "queries")
    plans = [plan_by_rules(row["text"]) for row in rows]
    known = [plan for plan in plans if any(sub.depends_on for sub in plan.sub_questions)]
    same = [len(plan.sub_questions) == row["hops"] for row, plan in zip(rows, plans, strict=True)]
    close = [_close(row, plan) for row, plan in zip(rows, plans, strict=True)]
    print(f"\nmusique-100: {len(known)} of {len(rows)} recognised; as many steps as the human ones {sum(same)}; "
          f"each human step has its own {sum(close)}")  # fmt: skip
    for hops in (2, 3, 4):
        of = [number for number, row in enumerate(rows) if row["hops"] == hops]
        many = sum(not plans[number].simple for number in of), sum(same[number] for number in of)
        each = sum(close[number] for number in of)
        print(f"  {hops} hops: {len(of)} questions, recognised {many[0]}, as many steps {many[1]}, each step {each}")
    _show(plans, show == "musique-100")


def _close(row: dict[str, Any], plan: Plan) -> bool:
    """Each human step, in order, has a planned one for itself. What of a human step the question does not say
    (`>> performer`, names that are answers) is left out of it."""
    asked = _terms(row["text"])
    at = 0
    for sub in row["sub_questions"]:
        human = _terms(sub["question"].replace(">>", " ").replace("#", " ")) & asked
        while at < len(plan.sub_questions):
            ours = _terms(plan.sub_questions[at].text)
            at += 1
            if 2 * len(human & ours) >= 0.5 * (len(human) + len(ours)):
                break
        else:
            return False
    return True


def _show(plans: Iterable[Plan], wanted: bool) -> None:
    for plan in plans if wanted else ():
        print(f"  {plan.question}")
        for sub in plan.sub_questions if not plan.simple else ():
            print(f"      {sub.id} {sub.text}{' (each)' if sub.each else ''}")


def main() -> None:
    args = sys.argv[1:]
    show = args.pop(args.index("--show") + 1) if "--show" in args else ""
    folder = Path(next((arg for arg in args if not arg.startswith("--")), "../shared/datasets"))
    simple(folder, show)
    fanout(folder, show)
    musique(folder, show)


if __name__ == "__main__":
    main()
