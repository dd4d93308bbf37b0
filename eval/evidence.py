"""Evidence: what each run found for one question, side by side, as HTML that unfolds."""

import math
from collections.abc import Callable, Mapping, Sequence

from ragkit.eval.answerview import answer_block
from ragkit.eval.markup import escaped
from ragkit.eval.passage import Passage, Range, passage
from ragkit.eval.plot import mark
from ragkit.eval.questions import Question
from ragkit.eval.report import Report, figure
from ragkit.eval.result import Found, Result

HITS = 10
"""Hits shown of each run; below, hardly anyone looks, and the ranks of the gold are told anyway."""
_EXPECTED = 6
"""Gold passages shown of a question."""
_QUOTE = 160
_NAME = 200
"""Characters of a uri or an error that are shown."""

Documents = Mapping[str, Sequence[Range]]
TextOf = Callable[[str], str | None]


def evidence(report: Report, question: Question, text_of: TextOf) -> str:
    """One question, folded: its scores can be read; unfolded: what it should find, and what was found."""
    gold = report.gold.get(question.id, {})
    sides = "".join(
        f"<section><h4>{mark(number)}{escaped(run.name, _NAME)}</h4>"
        f"{_answer(run.results.get(question.id), gold, text_of)}"
        f"{_found(run.results.get(question.id), gold, text_of)}</section>"
        for number, run in enumerate(report.runs)
    )
    tags = f' <span class="faint">{escaped(", ".join(question.tags), _NAME)}</span>' if question.tags else ""
    return (
        f'<details class="question" id="{_anchor(question.id)}"><summary>'
        f"<strong>{escaped(question.question, 1000)}</strong>"
        f' <span class="faint">({escaped(question.id, _NAME)})</span>{tags}{_scores(report, question)}</summary>'
        f"<div>{_answers(question)}{_expected(report, question, gold, text_of)}"
        f'<h3>What each strategy found{_too(report)}</h3><div class="beside">{sides}</div></div></details>'
    )


def _too(report: Report) -> str:
    return " and answered" if any(run.answers for run in report.runs) else ""


def _anchor(question: str) -> str:
    return escaped(f"question-{'-'.join(question.split())}")


def _scores(report: Report, question: Question) -> str:
    said = []
    for run in report.runs:
        result, scores = run.results.get(question.id), report.scored[run.name]
        score = figure(report.quality, scores[question.id]) if question.id in scores else "not scored"
        failed = " (failed)" if result is not None and result.error else ""
        said.append(f"<span>{escaped(run.name, _NAME)} <b>{score}</b>{failed}</span>")
    return f'<span class="scores">{escaped(report.quality, _NAME)}: {" ".join(said)}</span>'


def _answers(question: Question) -> str:
    if question.unanswerable:
        return "<p>The documents do not answer this: finding nothing is right.</p>"
    if not question.answers:
        return ""
    return f"<p>Reference answer: {' / '.join(escaped(answer, 500) for answer in question.answers[:5])}</p>"


def _expected(report: Report, question: Question, gold: Documents, text_of: TextOf) -> str:
    """Each passage of gold, with the rank at which each run has it."""
    ranges = sorted(
        ((uri, one) for uri, own in gold.items() for one in own),
        key=lambda place: min(_rank(run.results.get(question.id), *place) or math.inf for run in report.runs),
    )
    if not ranges:
        why = "It has no gold: nothing says what it should find." if not question.gold else "Its gold was not found."
        return f"<p>{why}</p>"
    heads = "".join(f'<th scope="col" class="number">{escaped(run.name, _NAME)}</th>' for run in report.runs)
    rows = []
    for uri, one in ranges[:_EXPECTED]:
        ranks = "".join(
            f'<td class="number">{_told(run.results.get(question.id), uri, one)}</td>' for run in report.runs
        )
        rows.append(f"<tr><td>{_quote(uri, one, text_of)}</td>{ranks}</tr>")
    few = f"{_EXPECTED} of {len(ranges):,} are shown, those found first; all of them are scored."
    rest = f'<p class="faint">{few}</p>' if len(ranges) > _EXPECTED else ""
    return (
        '<h3>What should be found, and at which rank it was</h3><div class="wide"><table><thead><tr>'
        f'<th scope="col">Passage</th>{heads}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>{rest}'
    )


def _quote(uri: str, one: Range, text_of: TextOf) -> str:
    text = text_of(uri)
    if text is None:
        return f'<span class="where">{escaped(uri, _NAME)}</span> the document is not there any more'
    whole = one == (0, len(text))
    shown = passage(text, *one, (), _QUOTE)
    kind = "whole document, which begins" if whole else "passage"
    return f'<span class="where">{escaped(uri, _NAME)}, {kind}</span><br>{_pieces(shown)}'


def _rank(result: Result | None, uri: str, gold: Range) -> int:
    """The rank of the first hit that has some of the gold; 0 when none has."""
    hits = result.hits if result is not None and not result.error else ()
    return next((rank for rank, hit in enumerate(hits, 1) if _right(hit, {uri: [gold]})), 0)


def _told(result: Result | None, uri: str, gold: Range) -> str:
    if result is None:
        return "not asked"
    if result.error:
        return "failed"
    rank = _rank(result, uri, gold)
    return f"{rank:,}" if rank else "not found"


def _found(result: Result | None, gold: Documents, text_of: TextOf) -> str:
    if result is None:
        return '<p class="failed"><strong>✗ Not asked.</strong> The run has no result for this question.</p>'
    if result.error:
        return f'<p class="failed"><strong>✗ The search failed.</strong> {escaped(result.error, 1000)}</p>'
    if not result.hits:
        return '<p class="failed"><strong>✗ Nothing found.</strong></p>'
    hits = "".join(_hit(rank, hit, gold, text_of) for rank, hit in enumerate(result.hits[:HITS], 1))
    left = len(result.hits) - HITS
    rest = f'<p class="faint">and {left:,} more hits, not shown</p>' if left > 0 else ""
    return f"<ol>{hits}</ol>{rest}"


def _answer(result: Result | None, gold: Documents, text_of: TextOf) -> str:
    return "" if result is None else answer_block(result.answer, gold, text_of)


def _hit(rank: int, hit: Found, gold: Documents, text_of: TextOf) -> str:
    right = _right(hit, gold)
    label = " <strong>✓\u00a0right</strong>" if right else ""
    text = text_of(hit.uri)
    if text is None:
        said = '<span class="faint">The document is not there any more.</span>'
    else:
        said = _pieces(passage(text, hit.start, hit.end, gold.get(hit.uri, ())))
    return (
        f'<li class="hit{" right" * right}"><span class="where"><b>{rank}.</b> {escaped(hit.uri, _NAME)}'
        f" · score {hit.score:.4g}{label}</span><p>{said}</p></li>"
    )


def _right(hit: Found, gold: Documents) -> bool:
    return any(start < hit.end and end > hit.start for start, end in gold.get(hit.uri, ()))


def _pieces(shown: Passage) -> str:
    said = "".join(f"<mark>{escaped(one.text)}</mark>" if one.gold else escaped(one.text) for one in shown.pieces)
    return f"{'… ' * shown.cut_before}{said}{' …' * shown.cut_after}"
