import pytest

from ragkit.errors import InvalidInput
from ragkit.indexes.analyzer import Analyzer
from ragkit.indexes.recipe import AnalyzerSettings


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("It failed with ERR_42 at noon.", "err_42"),
        ("Since v2.1.3 it works.", "v2.1.3"),
        ("Since v2.1.3 it works.", "2.1.3"),
        ("As § 12(b) demands,", "§ 12(b)"),
        ("As §12(b) demands,", "section 12(b)"),
        ("a total of 1,234.50 euros", "1234.50"),
        ("a total of $1234.50", "1,234.50"),
        ("on 2025-09-18 in Turku", "2025"),
        ("see config/app.yaml", "config/app.yaml"),
        ("see config/app.yaml", "yaml"),
        ("write to info@example.com", "info@example.com"),
        ("code in C++ and C#", "c#"),
        ("a naïve CAFÉ owner", "naive cafe"),
        ("the growing companies", "company growth grows"),
        ("Straße", "strasse"),
        ("人口は東京都で", "東京"),
        ("हिन्दी में लिखा", "हिन्दी"),
        ("John's books", "john book"),
        ("snake_case_name", "case"),
        ("well-known facts", "known"),
        ("the function's name(s)", "names"),
    ],
)
def test_what_is_written_is_found(text: str, question: str) -> None:
    analyzer = Analyzer()
    terms = set(analyzer.terms(text))
    assert terms & set(analyzer.terms(question)), (sorted(terms), analyzer.terms(question))


def test_an_identifier_is_more_than_its_parts() -> None:
    assert "err_42" in Analyzer().terms("ERR_42")
    assert "err_42" not in Analyzer().terms("ERR 42")


@pytest.mark.parametrize("text", ["", "???", "— … !", "the of and what is", "\0\x1f", "'’'", "a b. C"])
def test_nothing_to_look_for(text: str) -> None:
    assert Analyzer().terms(text) == []


def test_operators_of_other_engines_are_words_like_any() -> None:
    assert Analyzer().terms('cats AND "dogs" NOT title:mice~2^3') == ["cat", "dog", "titl", "mice", "2", "3"]


def test_languages_differ_and_none_leaves_words_as_they_are() -> None:
    assert Analyzer(AnalyzerSettings(language="german")).terms("die Häuser und der Wald") == ["haus", "wald"]
    assert Analyzer(AnalyzerSettings(language="none")).terms("The growing Houses") == ["the", "growing", "houses"]
    with pytest.raises(InvalidInput, match="no stemmer for the language 'klingon'"):
        Analyzer(AnalyzerSettings(language="klingon")).terms("words")
