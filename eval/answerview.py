"""Answers on the page: what each strategy said to a question and what it cites, and what all of its answers took."""

from collections.abc import Callable, Mapping, Sequence

from ragkit.eval.answercost import AnswerCost, money
from ragkit.eval.answered import Answered, Cited
from ragkit.eval.markup import escaped
from ragkit.eval.passage import Range
from ragkit.eval.report import milliseconds, plural
from ragkit.eval.sheet import Cell

HEADS = ("Strategy", "p50 ms", "p95 ms", "Calls", "Tokens", "Money", "Failed", "Abstained", "Incomplete")
ANSWERS = (
    "Only questions that the documents answer, but for abstention. No answer scores 0, and an answer that cannot be "
    "judged is left out."
)
COSTS = (
    "From question to answer, the search included, of the asks that a model answered. Money is in the currency of the "
    "prices in ragkit.toml. Failed: no model answered. Abstained: the passages do not say."
)
MEANINGS = {
    "EM": "1 when the answer is a reference answer, but for case, punctuation and articles, else 0.",
    "F1": "How many words the answer shares with the nearest reference answer, as few others as possible.",
    "contains": "1 when a reference answer stands in the answer, else 0.",
    "abstention": "1 when it answered what the documents answer, or said nothing where they do not, else 0.",
    "groundedness": "The share of the answer's sentences that are supported by all that the answer cites.",
    "groundedness_judge": "The share of the answer's claims of which a language model says that what is cited "
    "supports them.",
    "citation_precision": "The share of citations that help to support the sentence they stand at.",
    "citation_recall": "The share of sentences that are supported by what they cite themselves.",
    "citation_gold_precision": "The share of cited passages that have some of a right passage.",
    "citation_gold_recall": "The share of right passages that have some of a cited one.",
}
_TEXT = 2000
_QUOTE = 300


def answer_cells(cost: AnswerCost) -> list[Cell]:
    """What follows the strategy's name in a row."""
    times: list[Cell] = [(milliseconds(one), one or 0.0, "number") for one in (cost.p50, cost.p95)]
    counts: list[Cell] = [(f"{one:,}", float(one), "number") for one in (cost.calls, cost.tokens)]
    price: Cell = (escaped(money(cost)), -1.0 if cost.money is None else cost.money, "number")
    failed: Cell = (f"✗ {cost.errors:,}" if cost.errors else "0", float(cost.errors), "number")
    rest: list[Cell] = [(f"{one:,}", float(one), "number") for one in (cost.abstained, cost.partial)]
    return [*times, *counts, price, failed, *rest]


def answer_block(
    answer: Answered | None, gold: Mapping[str, Sequence[Range]], text_of: Callable[[str], str | None]
) -> str:
    """One answer above the hits of its strategy; nothing where the strategy only retrieves."""
    if answer is None:
        return ""
    if answer.error:
        return f'<p class="failed"><strong>✗ No answer.</strong> {escaped(answer.error, 1000)}</p>'
    took = [answer.model, f"{milliseconds(answer.seconds)} ms"]
    took += [plural(answer.tokens, "token")] if answer.tokens else []
    about = f'<p class="where">{escaped(", ".join(filter(None, took)), 200)}</p>'
    if answer.abstained:
        return f'<div class="answer"><p><strong>Abstained.</strong> {escaped(answer.reason, 1000)}</p>{about}</div>'
    lacks = "".join(f'<p class="where">Incomplete: {escaped(one, 500)}</p>' for one in answer.missing)
    cited = "".join(_citation(one, gold, text_of) for one in answer.citations)
    cited = f"<ul>{cited}</ul>" if cited else '<p class="where">It cites nothing.</p>'
    return f'<div class="answer"><p>{escaped(answer.text, _TEXT)}</p>{lacks}{cited}{about}</div>'


def _citation(one: Cited, gold: Mapping[str, Sequence[Range]], text_of: Callable[[str], str | None]) -> str:
    right = any(start < one.end and end > one.start for start, end in gold.get(one.uri, ()))
    label = " <strong>✓\u00a0right</strong>" if right else ""
    text = text_of(one.uri)
    said = "The document is not there any more." if text is None else text[one.start : one.end]
    return (
        f'<li class="hit{" right" * right}"><span class="where"><b>[{one.marker}]</b> {escaped(one.uri, 200)}{label}'
        f"</span><p>{escaped(said, _QUOTE)}</p></li>"
    )
