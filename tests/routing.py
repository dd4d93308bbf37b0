"""How well questions find their domain, on the shared sets: `python -m tests.routing [a folder to keep indexes in]`.

Constants of the selectors were chosen on the train split of routing-mix-a and on clinc150's train and val splits; what
is printed is of the test splits, by a cascade without a model.
"""

import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import ragkit
from ragkit.eval.routing import Pair, accuracy, accuracy_at_coverage, when_committed
from ragkit.route import Inquiry, Route
from tests.quality import SETS, gold_of, ndcg

MIX = {
    "aerodynamics": "cranfield", "computing": "cacm", "finance-reports": "dragonball-finance", "gov-dmv-va": "doc2dial",
    "medicine": "medline", "news-1963": "time",
}  # fmt: skip
DESCRIPTIONS = {
    "auto_and_commute": "Cars and driving: oil changes, tires, gas, mileage, maintena"
    "nce; traffic, directions, distance, Uber.",
    "banking": "Bank accounts: balance, transfers, transactions, bills, PIN,"
    " blocked or frozen accounts, fraud, checks.",
    "credit_cards": "Credit cards: credit score and limit, APR, rewards, new, lost, damaged or declined cards, fees.",
    "home": "Home and lists: music and songs, reminders, calendar, to-do "
    "and shopping lists, orders, smart home devices.",
    "kitchen_and_dining": "Food: recipes, ingredients, calories, cooking time, meal ide"
    "as; restaurants and reservations.",
    "meta": "The assistant's settings: language, volume, speed, accent, i"
    "ts name or mine; yes, no, maybe, cancel, repeat.",
    "small_talk": "Small talk: greetings, goodbye, thanks, jokes, fun facts; wh"
    "o made you, your age, hobbies, name, pets.",
    "travel": "Travel: flights, hotels, car rental, visas, vaccines, luggag"
    "e, exchange rates, time zones, translation.",
    "utility": "Utilities: weather, time, date, alarm, timer, calculator, un"
    "it conversion, definitions, spelling, dice, calls.",
    "work": "Work: pay day, income, taxes, W-2, vacation days and requests, insurance, 401k, meetings, holidays.",
}  # fmt: skip
"""Written from the names of the intents alone."""


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.open()]


def out_of_scope(routes: Sequence[Route], gold: Sequence[str], sums: bool, alarms: float = 0.05) -> float | None:
    """Of the questions from outside, the share that belongs less probably than all but 5 % of the others do."""
    scores = [[score for _, score in route.tools] for route in routes]
    tops = np.array([sum(each) if sums else max(each) for each in scores])  # what is lacking to 1 is that of none
    belongs = np.array([bool(one) for one in gold])
    return None if belongs.all() else float((tops[~belongs] < np.quantile(tops[belongs], alarms)).mean())


def row(name: str, gold: Sequence[str], routes: Sequence[Route], took: Sequence[float]) -> None:
    pairs: list[Pair] = [(one, route.tools[0][0]) for one, route in zip(gold, routes, strict=True)]
    inside = [at for at, one in enumerate(gold) if one]
    own = [pairs[at] for at in inside]
    sure = when_committed(own, [routes[at].confident and bool(routes[at].chosen) for at in inside])
    within = np.mean([gold[at] in routes[at].chosen for at in inside])
    turned = np.mean([not routes[at].chosen for at in inside])
    said = [f"{name:22}", f"{accuracy(own) or 0:8.1%}"]
    tops = [routes[at].tools[0][1] if name.startswith("cascade") else routes[at].margin for at in inside]
    said.append(f"{accuracy_at_coverage(own, tops, 0.9) or 0:8.1%}")
    outside = out_of_scope(routes, gold, name.startswith("cascade"))
    said.append(f"{'–' if outside is None else f'{outside:.1%}':>8}")
    said.append(f"{statistics.median(took) * 1000:7.2f} {sorted(took)[int(0.95 * len(took))] * 1000:7.2f}")
    if name.startswith("cascade"):
        refused = [not route.chosen for one, route in zip(gold, routes, strict=True) if not one]
        said.append(f"sure {sure.coverage:.1%} of which right {sure.accuracy or 0:.1%}; among chosen {within:.1%}")
        said.append(f"({np.mean([len(routes[at].chosen) for at in inside]):.2f} each); turned away {turned:.1%}")
        said.append(f"of {np.mean(refused):.1%} outside" if refused else "")
    print(" ".join(said), flush=True)


def compare(ws: ragkit.Workspace, questions: Sequence[tuple[str, str]], what: Iterable[str]) -> list[Route]:
    """Each selector, and last the cascade. The question's vector is made before the clock starts."""
    print(f"{'':22} accuracy    at 90 %  outside   p50 ms  p95 ms")
    router, (places, all_tools, _) = ws._router, ws._routed(None, None, "extractive", None)
    began = time.perf_counter()
    ready = router.ready(places, all_tools)
    built = time.perf_counter() - began
    settings = ready.cascade.profiles[0].embedder
    from ragkit.cascade import decide_now
    from ragkit.indexes.made import embedder_for

    vectors = embedder_for(settings).passages([text for text, _ in questions])
    routes: list[Route] = []
    for by in what:
        routes, took = [], []
        for (text, _), vector in zip(questions, vectors, strict=True):
            inquiry = Inquiry(text)
            inquiry.give(settings, vector)
            began = time.perf_counter()
            route = decide_now(router.ready(places, all_tools).cascade, inquiry, by)
            took.append(time.perf_counter() - began)
            routes.append(route)
        row(by, [one for _, one in questions], routes, took)
    print(f"(made ready in {built:.1f} s; {ready.cascade.scales})")
    return routes


def mix(folder: Path, split: str = "test") -> None:
    print(f"\nrouting-mix-a, {split}: six collections, no examples, no descriptions")
    ws = ragkit.open(folder / "mix")
    for name, place in MIX.items():
        ws.ingest(SETS / place / "corpus.jsonl", name)
    asked = [one for one in lines(SETS / "routing-mix-a" / "queries.jsonl") if one["split"] == split]
    routes = compare(ws, [(one["text"], one["label"]) for one in asked], ("keyword", "semantic", "evidence", "cascade"))
    retrieval(ws, asked, routes)
    ws.close()


def retrieval(ws: ragkit.Workspace, asked: Sequence[dict[str, Any]], routes: Sequence[Route]) -> None:
    """nDCG@10 of the documents found after routing, and of those found in all domains."""
    gold = {place: gold_of(SETS / place) for place in MIX.values()}
    chunks = {name: ws.status(name)["chunks"] for name in MIX}
    after, all_, seen, times = [], [], [], [[], []]  # type: ignore[var-annotated]
    for one, route in zip(asked, routes, strict=True):
        place, _, query = one["id"].partition(":")
        if query not in gold[place]:
            continue
        wanted = {f"{one['label']}/{document}": grade for document, grade in gold[place][query].items()}
        for at, (domains, scores) in enumerate(((list(route.chosen) or None, after), (None, all_))):
            began = time.perf_counter()
            hits = ws.search(one["text"], domains, k=30)
            times[at].append(time.perf_counter() - began)
            ranked = list(dict.fromkeys(f"{hit.domain}/{hit.uri.partition('#')[2]}" for hit in hits))
            scores.append(ndcg(ranked, wanted))
        seen.append(sum(chunks[name] for name in route.chosen or MIX) / sum(chunks.values()))
    print(
        f"nDCG@10 of {len(after)} questions: routed {np.mean(after):.4f}, all domains {np.mean(all_):.4f}; of the "
        f"chunks {np.mean(seen):.1%} are looked at; p50 of a search {statistics.median(times[0]) * 1000:.1f} ms "
        f"instead of {statistics.median(times[1]) * 1000:.1f}"
    )


def clinc(folder: Path, split: str = "test") -> None:
    asked = lines(SETS / "clinc150" / f"{split}.jsonl")
    questions = [(one["text"], "" if one["domain"] == "oos" else one["domain"]) for one in asked]
    print(f"\nclinc150, {split}: ten domains, described in a sentence each, no examples and no documents")
    ws = ragkit.open(folder / "described")
    for name, said in DESCRIPTIONS.items():
        ws.add_domain(name, description=said)
    compare(ws, questions, ("keyword", "semantic", "cascade"))
    train = lines(SETS / "clinc150" / "train.jsonl")
    path = folder / "examples.jsonl"
    for outside in (False, True):
        used = [one for one in train if outside or one["domain"] != "oos"]
        rows = [{"question": one["text"], "domain": None if one["domain"] == "oos" else one["domain"]} for one in used]
        path.write_text("\n".join(map(json.dumps, rows)))
        print(f"\nclinc150, {split}: fitted on train, {'with its 100' if outside else 'without any'} from outside")
        ws = ragkit.open(folder / "fitted")
        for name in DESCRIPTIONS:
            ws.add_domain(name)
        ws.fit_routes(path)
        compare(ws, questions, ("keyword", "semantic", "cascade"))
        ws.close()


def many(folder: Path, domains: int = 50) -> None:
    """Words at random, and a hash for an embedder of 384 numbers: only the time matters here."""
    print(f"\n{domains} domains of 400 chunks and 150 examples each: what routing takes beyond the question's vector")
    chance = random.Random(7)
    common = ["".join(chance.choices("abcdefghijklmnoprstuvw", k=7)) for _ in range(2_000)]
    ws = ragkit.open(folder / "many")
    questions = []
    for number in range(domains):
        name = f"domain-{number:02}"
        own = ["".join(chance.choices("abcdefghijklmnoprstuvw", k=7)) for _ in range(200)]

        def said(length: int, own: list[str] = own) -> str:
            return " ".join(chance.choice(own if chance.random() < 0.3 else common) for _ in range(length)) + "."

        examples = [said(9) for _ in range(150)]
        questions += [(said(9), name) for _ in range(10)]
        ws.add_domain(
            name, description=said(12), examples=examples, embedder={"name": "hash", "dimension": 384},
        )  # fmt: skip
        path = folder / "many" / f"{name}.jsonl"
        path.write_text("\n".join(json.dumps({"id": str(at), "text": said(80)}) for at in range(400)))
        ws.ingest(path, name)
    chance.shuffle(questions)
    compare(ws, questions, ("keyword", "semantic", "evidence", "cascade"))
    ws.close()


def main(arguments: Sequence[str]) -> None:
    if not SETS.is_dir():
        sys.exit("SKIPPED FOR WANT OF DATA: ../shared/datasets is not here")
    parts: dict[str, Callable[[Path], None]] = {"mix": mix, "clinc": clinc, "many": many}
    with tempfile.TemporaryDirectory() as made:
        folder = Path(arguments[0]) if arguments else Path(made)
        folder.mkdir(parents=True, exist_ok=True)
        for name, measure in parts.items():
            if not arguments[1:] or name in arguments[1:]:
                measure(folder)


if __name__ == "__main__":
    main(sys.argv[1:])
