"""What the scorer has learnt: weights by feature, and how rare words are. Both are files that a person can read."""

import json
import math
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

WEIGHTS = Path(__file__).with_name("groundweights.json")
RARITY = Path(__file__).with_name("groundrarity.json")


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(_Form):
    """What something was learnt from, and under which licence that is."""

    name: str
    licence: str
    pairs: int = Field(gt=0)


class Line(_Form):
    """The score is the logistic function of the bias and the weighted features."""

    weights: dict[str, float]
    bias: float

    def score(self, features: dict[str, float]) -> float:
        total = self.bias + sum(weight * features[name] for name, weight in self.weights.items())
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))


class Weights(_Form):
    version: Literal[1]
    command: str
    """That learns them anew."""
    sources: list[Source]
    supported: float = Field(gt=0, lt=1)
    """The score from which on a claim is supported."""
    tokens: Line
    """With vectors of tokens."""
    words: Line
    """Without any model."""


class Rarity(_Form):
    """In how many paragraphs a word stands. Counts hold nothing of a text."""

    version: Literal[1]
    command: str
    sources: list[Source]
    paragraphs: int
    stems: dict[str, int]
    pieces: list[int]
    """Of the pieces of MiniLM's vocabulary, by id."""

    def of_stem(self, stem: str) -> float:
        return self._idf(self.stems.get(stem, 1))

    def of_piece(self, piece: int) -> float:
        return self._idf(self.pieces[piece])

    def _idf(self, count: int) -> float:
        return math.log((self.paragraphs + 1) / (count + 0.5))


@lru_cache(1)
def weights() -> Weights:
    return Weights.model_validate_json(WEIGHTS.read_bytes())


@lru_cache(1)
def rarity() -> Rarity:
    """Known to be true to its form, which a test holds: checking 40,000 counts at every start would take longer."""
    read = json.loads(RARITY.read_bytes())
    return Rarity.model_construct(**read)
