"""What a passage names is found with it, and where nothing is named, nothing changes."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

import ragkit
from ragkit.indexes.hit import Hit
from ragkit.indexes.links import Titles

QUESTION = "Where was the man born who built the lighthouse of Sandmouth?"
TOWER = {"id": "tower", "title": "Sandmouth light", "text": "The lighthouse of Sandmouth was built by Émile Corbin."}
CORBIN = {"id": "corbin", "title": "Emile Corbin (engineer)", "text": "Corbin came from Lyon, a city on two rivers."}
OTHERS = [
    {
        "id": f"o{at}",
        "title": f"Place {at}",
        "text": f"One man sold herring, salt, rope and tar from quay number {at} all winter long.",
    }
    for at in range(30)
]

Make = Callable[..., ragkit.Workspace]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A workspace with a domain for each list of records; again with the same name, what that domain is now."""
    workspace = ragkit.open(tmp_path / "workspace")

    def made(**domains: Sequence[Mapping[str, Any]]) -> ragkit.Workspace:
        for name, records in domains.items():
            folder = tmp_path / name
            folder.mkdir(exist_ok=True)
            (folder / "r.jsonl").write_text("\n".join(map(json.dumps, records)))
            workspace.add_domain(name, embedder="hash")
            workspace.ingest(folder, name)
        return workspace

    return made


def place(hits: Sequence[Hit], name: str) -> int:
    return [hit.uri.partition("#")[2] for hit in hits].index(name)


def test_what_the_best_passage_names_comes_next(make: Make) -> None:
    """Though its title has no accent, and says in brackets what he was."""
    workspace = make(d=[TOWER, CORBIN, *OTHERS])
    before, after = (workspace.search(QUESTION, strategy=strategy, k=40) for strategy in ("hybrid", "linked"))
    assert (place(before, "tower"), place(after, "tower")) == (0, 0)
    assert place(before, "corbin") > 5
    assert place(after, "corbin") == 1
    scores = {hit.uri: hit.score for hit in before}
    for hit in after:
        assert hit.parts["links"] >= 0
        assert hit.score == pytest.approx(scores[hit.uri] + hit.parts["links"], abs=1e-6)
    assert [hit.uri for hit in after if hit.parts["links"]] == ["r.jsonl#corbin"]
    assert [hit.uri for hit in workspace.search(QUESTION, strategy="linked", k=2)] == [hit.uri for hit in after[:2]]
    (only,) = workspace.search(QUESTION, strategy="linked", k=1)
    assert only == after[0]


def test_a_linked_passage_stays_behind_the_one_that_points_to_it(make: Make) -> None:
    """However well it fits by itself; and one that says what is left of the question rises further."""
    said = "Corbin kept bees in Sandmouth, and he wrote of them."
    brother = {"id": "brother", "title": "Emile Corbin (priest)", "text": said}
    born = {**CORBIN, "text": "Corbin was a man born in Lyon, a city on two rivers."}
    after = make(d=[TOWER, brother, born, *OTHERS]).search(QUESTION, strategy="linked", k=40)
    assert place(after, "tower") == 0
    top = after[0].score
    rise = {hit.uri: hit.parts["links"] / (top - hit.score + hit.parts["links"]) for hit in after[1:]}
    assert rise["r.jsonl#brother"] == pytest.approx(0.4)
    assert rise["r.jsonl#corbin"] == pytest.approx(0.8)
    assert all(hit.score < after[0].score for hit in after[1:])


@pytest.mark.parametrize("change", [{"title": ""}, {"title": "Corbin"}, {"title": "emile corbins"}])
def test_without_a_title_that_is_said_it_is_hybrid_to_the_last_bit(make: Make, change: Mapping[str, str]) -> None:
    tower = {**TOWER, "text": "The lighthouse of Sandmouth was built by an engineer."}
    untitled = [{**one, "title": ""} for one in OTHERS]
    workspace = make(d=[tower, {**CORBIN, **change}, *untitled])
    for query in (QUESTION, "engineer", "a city on two rivers"):
        one, other = (workspace.search(query, strategy=strategy, k=40) for strategy in ("hybrid", "linked"))
        assert one == other


def test_what_may_not_be_found_is_no_help(make: Make) -> None:
    lyon, paris = ({**CORBIN, "id": name, "city": name} for name in ("lyon", "paris"))
    workspace = make(d=[{**TOWER, "city": "lyon"}, paris, lyon, *({**one, "city": "lyon"} for one in OTHERS)])
    hits = workspace.search(QUESTION, strategy="linked", k=40, where={"city": "lyon"})
    assert len(hits) == 32
    assert place(hits, "lyon") == 1
    assert not [hit for hit in hits if hit.uri.endswith("paris")]
    nobody = workspace.search(QUESTION, strategy="linked", k=40, where={"city": {"!=": "lyon"}})
    assert [hit.uri for hit in nobody] == ["r.jsonl#paris"]


def test_deleted_and_renamed_documents(make: Make) -> None:
    assert place(make(d=[TOWER, CORBIN, *OTHERS]).search(QUESTION, strategy="linked", k=40), "corbin") == 1
    workspace = make(d=[TOWER, *OTHERS])
    assert workspace.search(QUESTION, strategy="linked", k=40) == workspace.search(QUESTION, strategy="hybrid", k=40)
    hits = make(d=[TOWER, {**CORBIN, "title": "A Lyonese"}, *OTHERS]).search(QUESTION, strategy="linked", k=40)
    assert not any(hit.parts.get("links") for hit in hits)
    hits = make(d=[TOWER, CORBIN, *OTHERS]).search(QUESTION, strategy="linked", k=40)
    assert place(hits, "corbin") == 1


def test_links_lead_into_other_domains_of_the_search(make: Make) -> None:
    workspace = make(one=[TOWER, *OTHERS[:15]], two=[CORBIN, *OTHERS[15:]])
    hits = workspace.search(QUESTION, ["one", "two"], "linked", k=40)
    assert (hits[1].domain, hits[1].uri) == ("two", "r.jsonl#corbin")
    alone = workspace.search(QUESTION, ["one"], "linked", k=40)
    assert alone == workspace.search(QUESTION, ["one"], "hybrid", k=40)


def test_of_a_linked_document_the_chunk_that_fits_best_is_shown(make: Make) -> None:
    filler = "\n\n".join(
        f"Chapter {at} tells of stones, sand and mortar, and of how they are mixed. " * 6 for at in range(9)
    )
    text = f"{filler}\n\nCorbin was a man born in Lyon.\n\n{filler}"
    hits = make(d=[TOWER, {**CORBIN, "text": text}, *OTHERS]).search(QUESTION, strategy="linked", k=60)
    assert "born in Lyon" in hits[1].text
    gained = [hit for hit in hits if hit.parts["links"]]
    assert len(gained) == 1
    assert len([hit for hit in hits if hit.uri.endswith("corbin")]) > 2


def test_a_passage_that_no_ranking_had_among_its_thousand_comes_too(make: Make) -> None:
    rows = [
        {"id": f"{at}", "title": "", "text": f"Sandmouth sold salt, rope and tar in year {at}."} for at in range(1500)
    ]
    workspace = make(d=[TOWER, {**CORBIN, "text": "Zzyzx quux."}, *rows])
    assert "r.jsonl#corbin" not in {hit.uri for hit in workspace.search(QUESTION, strategy="hybrid", k=1000)}
    hits = workspace.search(QUESTION, strategy="linked", k=300)
    gained = [hit for hit in hits if hit.parts["links"]]
    assert [hit.uri for hit in gained] == ["r.jsonl#corbin"]


def test_what_every_document_names_is_no_link(make: Make) -> None:
    """A link from everywhere would put the document about the firm among the first of every search."""
    firm = {"id": "firm", "title": "Harbour Works", "text": "Accounts and statutes."}
    named = [{**one, "text": f"{one['text']} So says Harbour Works."} for one in OTHERS]
    tower = {**TOWER, "text": f"{TOWER['text']} So says Harbour Works."}
    few = make(few=[tower, firm, *OTHERS]).search(QUESTION, ["few"], "linked", k=40)
    many = make(many=[tower, firm, *named]).search(QUESTION, ["many"], "linked", k=40)
    assert [hit.uri for hit in few if hit.parts.get("links")] == ["r.jsonl#firm"]
    assert not [hit.uri for hit in many if hit.parts.get("links")]


def test_equals_stay_in_the_same_order_whatever_came_before(make: Make) -> None:
    twins = [{**CORBIN, "id": name} for name in "abc"]
    first = make(d=[TOWER, *twins, *OTHERS]).search(QUESTION, strategy="linked", k=40)
    assert [hit.uri[-1] for hit in first[1:4]] == ["a", "b", "c"]
    assert len({hit.score for hit in first[1:4]}) == 1
    make(d=[TOWER, *OTHERS])
    again = make(d=[TOWER, *twins, *OTHERS]).search(QUESTION, strategy="linked", k=40)
    assert [(hit.uri, hit.score) for hit in again] == [(hit.uri, hit.score) for hit in first]


@pytest.mark.parametrize(
    ("title", "text", "said"),
    [
        ("Émile Corbin", "by EMILE CORBIN, who", True),
        ("Emile Corbin", "by E\u0301mile Corbin's firm", True),
        ("Mercury (planet)", "near Mercury.", True),
        ("Mercury", "near mercury.", False),
        ("Person-centered therapy", "in Person - centered therapy", True),
        ("Prime minister", "the prime minister", False),
        ("Prime minister", "the Prime minister", True),
        ("Lyon", "Lyonnais cooking", False),
        ("Lyon", "the Grand_Lyon district", True),
        ("(untitled)", "an Untitled text", True),
        ("1984", "in 1984", False),
        ("Apollo 11", "as Apollo 11 did", True),
        ("Apollo 11", "as Apollo 1 did", False),
        ("Io", "the moon Io", False),
        ("iPhone", "an iPhone", True),
        ("דוד בן", "אמר דוד בן גוריון", True),
        ("", "nothing", False),
        ("?!", "what?!", False),
    ],
)
def test_titles_where_a_text_says_them(title: str, text: str, said: bool) -> None:
    assert list(Titles([(7, title)]).said(text).values()) == ([(7,)] if said else [])


def test_the_longest_title_is_meant() -> None:
    titles = Titles([(1, "New York"), (2, "New York City"), (3, "City"), (4, "New York (state)")])
    assert titles.said("In New York City and City, New York") == {
        "new york city": (2,), "city": (3,), "new york": (1, 4),
    }  # fmt: skip


def test_a_title_of_many_documents_is_no_name() -> None:
    assert Titles([(at, "Report") for at in range(10)]).said("See Report.") == {"report": tuple(range(10))}
    assert Titles([(at, "Report") for at in range(11)]).said("See Report.") == {}
