import time
from collections.abc import Iterator
from pathlib import Path

import numpy
import pytest
from numpy.typing import NDArray

from ragkit.alike import alike
from ragkit.cache import DAY
from ragkit.indexes.embedder import Embedder, make_embedder
from ragkit.indexes.recipe import EmbedderSettings
from ragkit.modelsettings import CacheSettings
from ragkit.semantic import Match, SemanticCache

SETTINGS = CacheSettings()


@pytest.fixture(scope="module")
def minilm() -> Embedder:
    return make_embedder(EmbedderSettings())


class Clock:
    now = 1_000_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[SemanticCache]:
    one = SemanticCache(tmp_path / "semantic.sqlite", SETTINGS)
    yield one
    one.close()


def _vector(*numbers: float) -> NDArray[numpy.float32]:
    vector = numpy.zeros(8, dtype=numpy.float32)
    vector[: len(numbers)] = numbers
    return vector / numpy.linalg.norm(vector)


PARAPHRASES = [
    ("What was the revenue in Q3 2024?", "How much was the revenue in Q3 2024?"),
    ("How much did revenue grow in Q3?", "How much did revenue increase in Q3?"),
    ("How do I reset my password?", "How can I reset my password?"),
    ("How do I reset my password?", "What is the way to reset my password?"),
    ("What is Acme's refund policy?", "What's the refund policy of Acme?"),
    ("What is Acme's refund policy?", "what is acme’s refund policy"),
    ("Who owns the rollout?", "Who is the owner of the rollout?"),
    ("Please tell me what caused the gateway outage.", "What caused the gateway outage?"),
]
TRAPS = [
    ("What was the revenue in Q3?", "What was the revenue in Q4?"),
    ("What was the revenue in the third quarter?", "What was the revenue in the fourth quarter?"),
    ("What was the growth from 2023 to 2024?", "What was the growth from 2024 to 2023?"),
    ("What does section 12 say about notice?", "What does section 12.1 say about notice?"),
    ("Is the change -5 percent?", "Is the change 5 percent?"),
    ("Is the gateway encrypted?", "Is the gateway not encrypted?"),
    ("Which services are encrypted?", "Which services aren't encrypted?"),
    ("Which services are encrypted?", "Which services are unencrypted?"),
    ("Can guests log in?", "Can’t guests log in?"),
    ("Ist das Gateway verschlüsselt?", "Ist das Gateway nicht verschlüsselt?"),
    ("Does Acme supply Bolt?", "Does Bolt supply Acme?"),
    ("What did Alice say about hiring?", "What did Bob say about hiring?"),
    ("Apple revenue in 2024?", "Microsoft revenue in 2024?"),
    ("How is it built in C#?", "How is it built in C++?"),
    ("What does 'soft delete' mean?", "What does 'hard delete' mean?"),
    ('Where is "main.py" described?', 'Where is "test.py" described?'),
    ("What is the budget in $?", "What is the budget in €?"),
    ("What is the highest price?", "What is the lowest price?"),
    ("What happened before the outage?", "What happened after the outage?"),
    ("What was revenue last year?", "What was revenue this year?"),
    ("What are the advantages of the plan?", "What are the disadvantages of the plan?"),
    ("Who approved the budget?", "When was the budget approved?"),
    ("网关是加密的吗?", "网关不是加密的吗?"),
]


@pytest.mark.parametrize(("one", "other"), PARAPHRASES)
def test_a_question_in_other_words_shares_the_answer(
    cache: SemanticCache, minilm: Embedder, one: str, other: str
) -> None:
    for first, second in ((one, other), (other, one)):
        cache.clear()
        cache.put("s", first, minilm.query(first), '{"text": "é"}')
        match = cache.get("s", second, minilm.query(second), 0.95)
        assert match is not None
        assert match[:2] == ('{"text": "é"}', first)
        assert match.cosine == pytest.approx(float(minilm.query(first) @ minilm.query(second)), abs=1e-6)


@pytest.mark.parametrize(("one", "other"), TRAPS)
def test_a_question_with_another_answer_does_not_however_near_it_is(
    cache: SemanticCache, minilm: Embedder, one: str, other: str
) -> None:
    for first, second in ((one, other), (other, one)):
        cache.clear()
        cache.put("s", first, minilm.query(first), "{}")
        assert cache.get("s", second, minilm.query(second), 0.3) is None
        assert cache.get("s", first, minilm.query(first), 0.97) is not None, "but itself does"


def test_some_traps_are_nearer_than_paraphrases(minilm: Embedder) -> None:
    """Which is why a threshold alone is not enough."""

    def cosine(pair: tuple[str, str]) -> float:
        return float(minilm.query(pair[0]) @ minilm.query(pair[1]))

    assert max(map(cosine, TRAPS)) > 0.97 > min(map(cosine, PARAPHRASES))


def test_questions_are_alike_whatever_begins_them() -> None:
    assert alike("In 2024, what was Acme's revenue?", "What was Acme's revenue in 2024?")
    assert alike("WHO OWNS ACME?", "who owns acme?")
    assert alike("Is 1,000 enough?", "Is 1000 enough?")
    assert alike("Thanks for that. What is it?", "Thanks for that. So, what is it?") is False, "So may be a name"
    assert alike("", "")
    assert alike("不?", "不?")


def test_the_nearest_of_the_same_scope_is_found(cache: SemanticCache) -> None:
    cache.put("s", "the near one", _vector(1, 0.1), "near")
    cache.put("s", "the nearest one", _vector(1, 0.01), "nearest")
    cache.put("other", "the same one", _vector(1), "of another index")
    match = cache.get("s", "one the question", _vector(1), 0.99)
    assert match == Match("nearest", "the nearest one", match.cosine if match else 0)
    assert cache.get("s", "one the question", _vector(0.1, 1), 0.99) is None, "too far"
    assert cache.get("new generation", "one the question", _vector(1), 0.5) is None
    near = cache.get("s", "one the question", _vector(1), 1.0)
    assert near is None


def test_a_near_question_that_is_not_alike_does_not_hide_one_that_is(cache: SemanticCache) -> None:
    cache.put("s", "revenue in Q4", _vector(1), "Q4")
    cache.put("s", "the revenue in Q3", _vector(1, 0.1), "Q3")
    match = cache.get("s", "revenue in Q3", _vector(1), 0.9)
    assert match is not None
    assert match.payload == "Q3"


def test_the_same_words_match_whatever_their_vector(cache: SemanticCache) -> None:
    cache.put("s", "Is 5 not 6?", _vector(1), "first")
    cache.put("s", "Is 5 not 6?", _vector(1), "second")
    assert cache.get("s", "Is 5 not 6?", _vector(0, 1), 0.99) == Match("second", "Is 5 not 6?", 1.0)
    assert cache.get("s", "Is 5 not 6", _vector(0, 1), 0.99) is None


def test_odd_questions_and_vectors_are_misses(cache: SemanticCache, caplog: pytest.LogCaptureFixture) -> None:
    cache.put("s", "a lone \ud800", _vector(1), "x")
    assert cache.get("s", "a lone \ud800", _vector(1), 0.5) is None
    cache.put("s", "a", _vector(1), "x")
    cache.put("s", "b", _vector(1) * float("nan"), "x")
    assert cache.get("s", "a question", numpy.ones(3, dtype=numpy.float32), 0.1) is None, "of another dimension"
    assert cache.get("s", "a question", _vector(1), 0.5) is not None
    assert caplog.messages == []


def test_it_expires_and_keeps_what_is_used(tmp_path: Path) -> None:
    clock, path = Clock(), tmp_path / "semantic.sqlite"
    cache = SemanticCache(path, CacheSettings(days=2, megabytes=1), clock=clock)
    cache.put("s", "kept", _vector(1), "x")
    for number in range(300):
        clock.now += 100
        cache.put(f"generation {number}", "lost", _vector(0, 1), "x" * 10_000)
        assert cache.get("s", "kept", _vector(1), 0.9) is not None
        assert path.stat().st_size < 1_050_000
    assert cache.get("generation 1", "lost", _vector(0, 1), 0.9) is None
    assert cache.get("generation 299", "lost", _vector(0, 1), 0.9) is not None
    clock.now += 2 * DAY
    assert cache.get("s", "kept", _vector(1), 0.9) is None
    assert cache.get("s", "kept as well", _vector(1), 0.9) is None
    cache.close()


def test_a_damaged_file_is_a_miss(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "semantic.sqlite"
    path.write_bytes(b"garbage " * 1000)
    cache = SemanticCache(path, SETTINGS)
    assert cache.get("s", "q", _vector(1), 0.9) is None
    cache.put("s", "q", _vector(1), "x")
    assert cache.get("s", "the q", _vector(1), 0.9) is not None
    cache.close()
    assert len(caplog.messages) == 1


def test_ten_thousand_questions_are_no_burden(tmp_path: Path) -> None:
    cache = SemanticCache(tmp_path / "semantic.sqlite", SETTINGS)
    vectors = numpy.random.default_rng(1).standard_normal((2000, 384)).astype(numpy.float32)
    vectors /= numpy.linalg.norm(vectors, axis=1, keepdims=True)
    for number, vector in enumerate(vectors):
        cache.put("s", f"question {number}", vector, "x" * 4000)
    start = time.process_time()
    assert cache.get("s", "the question 77", vectors[77], 0.97) is not None
    assert time.process_time() - start < 1
    cache.close()
