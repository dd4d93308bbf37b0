"""What comes back from a search: exact ranges, as many as asked for, and clear words when there is none."""

import asyncio
import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ragkit
from ragkit.errors import InvalidInput, NotFound
from ragkit.indexes import filters, fusion
from ragkit.indexes.search import STRATEGIES

YEARS = range(2000, 2025)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> ragkit.Workspace:
    folder = tmp_path_factory.mktemp("folder")
    records = [
        {
            "id": f"{year}-{month}", "title": f"Report {month}/{year}", "year": year, "month": f"{month:02}",
            "text": f"In month {month} of {year} the harbour handled {year * month} tons of grain. " * 3,
            "tags": ["even" if month % 2 == 0 else "odd", "harbour"],
            "audit": {"by": "Kay" if year % 5 == 0 else "Lee"},
            **({"draft": True} if (year, month) == (2001, 7) else {}), "day": f"{year}-{month:02}-15",
        }
        for year in YEARS for month in range(1, 13)
    ]  # fmt: skip
    (folder / "reports.jsonl").write_text("\n".join(map(json.dumps, records)))
    (folder / "notes").mkdir()
    (folder / "notes" / "a [1].md").write_text("---\nyear: 2001\n---\n# Notes\n\nThe pilot notes the tides.")
    made = ragkit.open(tmp_path_factory.mktemp("workspace"))
    for name in ("one", "two"):
        made.add_domain(name, embedder="hash")
    made.ingest(folder, "one")
    (folder / "notes" / "b.md").write_text("The crane lifts the grain.")
    made.ingest(folder / "notes", "two")
    return made


@pytest.mark.parametrize("strategy", [*STRATEGIES, "default"])
@pytest.mark.parametrize("domains", [["one"], ["one", "two"], None])
def test_hits_are_exact_ranges_in_order(workspace: ragkit.Workspace, strategy: str, domains: list[str] | None) -> None:
    hits = workspace.search("grain in the harbour", domains, strategy, k=7)
    assert [hit.rank for hit in hits] == list(range(1, 8))
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    for hit in hits:
        document = workspace.document(hit.uri, hit.domain)
        assert document.text[hit.start : hit.end] == hit.text
        assert document.title == hit.title
        assert hit.parts


@pytest.mark.parametrize(
    ("where", "count"),
    [
        ({"year": 2001}, 13),
        ({"year": "2001"}, 13),
        ({"month": "07"}, 25),
        ({"month": 7}, 0),
        ({"year": {">=": 2020}}, 60),
        ({"year": {">": 2020, "<": 2022}}, 12),
        ({"year": {"<=": "2000"}}, 12),
        ({"year": [2003, 2004, 1900]}, 24),
        ({"year": {"!=": 2001}}, 288),
        ({"tags": "even"}, 150),
        ({"tags": ["even", "odd"]}, 300),
        ({"audit.by": "Kay"}, 60),
        ({"day": {">=": date(2024, 6, 1)}}, 7),
        ({"draft": True}, 1),
        ({"draft": {"exists": True}}, 1),
        ({"draft": {"exists": False}, "year": 2001}, 12),
        ({"uri": {"glob": "notes/*"}}, 1),
        ({"uri": "notes/a [1].md"}, 1),
        ({"title": "Report 3/2011"}, 1),
        ({"media_type": {"glob": "text/*"}}, 1),
        ({"year": 2001, "month": "07"}, 1),
        ({"nothing": 1}, 0),
        ({}, 301),
    ],
)
def test_filters(workspace: ragkit.Workspace, where: dict[str, Any], count: int) -> None:
    for strategy in ("vector", "hybrid"):
        assert len(workspace.search("grain", ["one"], strategy, k=1000, where=where)) == count


@pytest.mark.parametrize("strategy", ["bm25", "vector", "hybrid", "rrf"])
def test_a_filter_says_what_may_be_found_before_anything_is_ranked(workspace: ragkit.Workspace, strategy: str) -> None:
    hits = workspace.search("grain in month 3 of 2010", ["one"], strategy, k=10, where={"year": 2001})
    assert len(hits) == 10
    assert {hit.uri.split("#")[-1][:4] for hit in hits} <= {"2001", "note"}


@pytest.mark.parametrize(
    "where",
    [{"year": {"~": 1}}, {"year": object()}, {"year": None}, "year=1", {"year": {"in": [{}]}}],
)
def test_what_is_no_filter_is_told(workspace: ragkit.Workspace, where: Any) -> None:
    with pytest.raises(InvalidInput):
        workspace.search("grain", where=where)


@pytest.mark.parametrize(
    ("query", "arguments", "words"),
    [
        ("", {}, "holds no word to search for"),
        ("the of", {}, "holds no word to search for"),
        ("?! …", {"strategy": "vector"}, "holds no word to search for"),
        ("grain", {"k": 0}, "k=0 asks for no result"),
        ("grain " * 20_000, {}, "has 120,000 characters"),
        ("grain", {"strategy": "hybird"}, "Did you mean 'hybrid'"),
    ],
)
def test_questions_that_are_none(
    workspace: ragkit.Workspace, query: str, arguments: dict[str, Any], words: str
) -> None:
    with pytest.raises(InvalidInput, match=words.replace("?", "[?]")):
        workspace.search(query, **arguments)


def test_unknown_names_are_told_with_the_nearest(workspace: ragkit.Workspace) -> None:
    with pytest.raises(NotFound, match=r"no domain 'onne'\. Did you mean 'one'"):
        workspace.search("grain", ["onne"])
    with pytest.raises(NotFound, match=r"Did you mean 'reports\.jsonl#2001-7'"):
        workspace.document("reports.jsonl#2001-77", "one")
    with pytest.raises(NotFound, match="no domain 'x'"):
        workspace.document("a", "x")


def test_a_workspace_without_documents_says_so(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="The workspace holds nothing yet"):
        ragkit.open(tmp_path).search("grain")


def test_nothing_found_is_no_error(workspace: ragkit.Workspace) -> None:
    assert workspace.search("xylophone", strategy="bm25") == []


def test_words_that_the_question_repeats_count_as_often(workspace: ragkit.Workspace) -> None:
    (once,) = workspace.search("crane", ["two"], "bm25")
    (twice,) = workspace.search("crane crane", ["two"], "bm25")
    assert twice.score == pytest.approx(2 * once.score, rel=1e-6)


def test_domains_of_one_kind_are_ranked_as_one(workspace: ragkit.Workspace) -> None:
    """A word's rarity is counted over both: else the small domain's would be the best of everything."""
    hits = workspace.search("grain crane", ["one", "two"], "bm25", k=400)
    alone = {
        (hit.domain, hit.uri): hit.score for name in ("one", "two") for hit in workspace.search("crane", [name], "bm25")
    }
    assert (hits[0].domain, hits[0].uri) == ("two", "b.md")
    assert hits[0].score > 3 * alone["two", "b.md"]


def test_domains_of_different_embedders_are_searched_together(workspace: ragkit.Workspace, tmp_path: Path) -> None:
    (tmp_path / "c.md").write_text("The grain is weighed.")
    workspace.add_domain("three", embedder={"name": "hash", "dimension": 64}, analyzer="german")
    workspace.ingest(tmp_path / "c.md", "three")
    for strategy in ("vector", "hybrid", "bm25"):
        assert {hit.domain for hit in workspace.search("grain", ["two", "three"], strategy)} == {"two", "three"}


def test_it_works_in_a_running_loop_and_awaited(workspace: ragkit.Workspace) -> None:
    async def both() -> bool:
        return await workspace.asearch("grain", ["one"]) == workspace.search("grain", ["one"])

    assert asyncio.run(both())


def test_a_domain_that_drops_a_word_does_not_forbid_it_to_others(workspace: ragkit.Workspace, tmp_path: Path) -> None:
    (tmp_path / "d.md").write_text("To be or not to be.")
    workspace.add_domain("four", embedder="hash", analyzer="none")
    workspace.ingest(tmp_path / "d.md", "four")
    assert [hit.uri for hit in workspace.search("to be", ["one", "four"], "bm25")] == ["d.md"]


def test_no_domain_is_not_every_domain(workspace: ragkit.Workspace) -> None:
    with pytest.raises(InvalidInput, match="No domain is named"):
        workspace.search("grain", [])


def test_a_filter_holds_in_every_domain(workspace: ragkit.Workspace) -> None:
    hits = workspace.search("grain notes tides", ["one", "two"], "hybrid", k=400, where={"year": 2001})
    assert {(hit.domain, hit.uri) for hit in hits if hit.domain == "two"} == {("two", "a [1].md")}
    assert len(hits) == 14


def test_hybrid_is_the_two_scores_on_their_scales(workspace: ragkit.Workspace) -> None:
    """All 301 chunks have a cosine, few hold a word: the scale of words ends at 0, that of cosines at the last."""
    query = "2010 tides"
    by_words = {hit.uri: hit.score for hit in workspace.search(query, ["one"], "bm25", k=1000)}
    by_meaning = {hit.uri: hit.score for hit in workspace.search(query, ["one"], "vector", k=1000)}
    high, low = max(by_meaning.values()), min(by_meaning.values())
    expected = {
        uri: 0.6 * (cosine - low) / (high - low) + 0.4 * by_words.get(uri, 0) / max(by_words.values())
        for uri, cosine in by_meaning.items()
    }
    hits = workspace.search(query, ["one"], "hybrid", k=1000)
    assert {hit.uri: hit.score for hit in hits} == pytest.approx(expected, abs=1e-5)
    assert all(hit.parts["vector"] == pytest.approx(by_meaning[hit.uri], abs=1e-6) for hit in hits)
    assert [hit.uri for hit in workspace.search(query, ["one"], "hybrid", k=10)] == [hit.uri for hit in hits[:10]]


def test_rrf_is_the_sum_of_reciprocal_ranks(workspace: ragkit.Workspace) -> None:
    rows, scores = fusion.reciprocal_ranks([np.array([3, 1, 2]), np.array([1, 4])])
    assert rows.tolist() == [1, 3, 4, 2]
    assert scores.tolist() == pytest.approx([1 / 62 + 1 / 61, 1 / 61, 1 / 62, 1 / 63])
    first = {strategy: workspace.search("pilot tides", ["one"], strategy)[0].uri for strategy in ("bm25", "rrf")}
    assert first == {"bm25": "notes/a [1].md", "rrf": "notes/a [1].md"}


@pytest.mark.parametrize(
    ("written", "where"),
    [
        (["year=2024"], {"year": [{"=": "2024"}]}),
        (["year >= 2020", "year<2024"], {"year": [{">=": "2020"}, {"<": "2024"}]}),
        (["tag!=a", "tag!=b"], {"tag": [{"!=": "a"}, {"!=": "b"}]}),
        (["author in Kay, Lee"], {"author": [{"in": ["Kay", "Lee"]}]}),
        (["uri glob a/*.md"], {"uri": [{"glob": "a/*.md"}]}),
        (["draft exists", "x absent"], {"draft": [{"exists": True}], "x": [{"exists": False}]}),
        (["note=a = b"], {"note": [{"=": "a = b"}]}),
    ],
)
def test_conditions_as_they_are_written(written: list[str], where: dict[str, Any]) -> None:
    assert filters.parse(written) == where


@pytest.mark.parametrize("written", ["year", "year==2024", "year=>2024", "=1", "a b=1", ""])
def test_what_is_no_condition_is_told(written: str) -> None:
    with pytest.raises(InvalidInput, match="is no condition"):
        filters.parse([written])


def test_several_conditions_on_one_key_all_hold(workspace: ragkit.Workspace) -> None:
    where = filters.parse(["year!=2001", "year!=2002", "year<2004"])
    assert len(workspace.search("grain", ["one"], "vector", k=1000, where=where)) == 24


@pytest.mark.parametrize("kind", ["sentence-window", "parent-child"])
def test_what_is_read_may_be_more_than_what_was_found_but_never_twice(tmp_path: Path, kind: str) -> None:
    parts = [f"## Part {at}\n\n" + " ".join(f"The grain of lot {at}-{n} is dry." for n in range(12)) for at in range(9)]
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "lots.md").write_text("# Lots\n\n" + "\n\n".join(parts))
    workspace = ragkit.open(tmp_path / "w")
    workspace.add_domain("d", embedder="hash", chunker={"kind": kind, "size": 32, "parent": 200})
    workspace.ingest(tmp_path / "docs", "d")
    hits = workspace.search("dry grain", ["d"], k=5)
    document = workspace.document("lots.md", "d")
    assert len(hits) == 5
    assert len({(hit.start, hit.end) for hit in hits}) == 5
    for hit in hits:
        assert hit.start <= hit.matched[0] < hit.matched[1] <= hit.end
        assert document.text[hit.start : hit.end] == hit.text
