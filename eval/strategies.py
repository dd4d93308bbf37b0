"""A Strategy: one way of indexing, retrieving and, with a model, answering. A TOML file names those to be compared.

```toml
[base]                       # what all of them share
k = 100
[variants.words]
retriever = "bm25"
[variants.small]
chunker = { kind = "structure", size = 128 }
[grid]                       # and every combination of these
chunker = ["structure", "fixed"]
retriever = ["hybrid", "vector"]
model = ["none", "extractive"]
```
"""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, field_validator

from ragkit.errors import InvalidInput, NotFound, nearest_of
from ragkit.indexes import reranker as rerankers
from ragkit.indexes.recipe import Recipe
from ragkit.indexes.search import DEFAULT, STRATEGIES
from ragkit.modelsettings import ModelSettings
from ragkit.providers import make_model, providers
from ragkit.settings import explain

NONE = "none"


class Strategy(Recipe):
    """What decides a result. Those that share a recipe share an index."""

    name: str
    retriever: str = DEFAULT
    k: int = Field(default=100, ge=1)
    reranker: str | None = None
    """What scores the first hits again. `none` says in a grid that nothing does."""
    model: str | tuple[str, ...] | None = None
    """Who answers, or several in the order in which they are asked. None, in a grid `none`: it only retrieves."""
    passages: int = Field(default=8, ge=1)
    """From how many passages it answers; `k` are found, whatever it answers from."""

    @field_validator("retriever")
    @classmethod
    def _known(cls, retriever: str) -> str:
        if retriever == "default":
            return DEFAULT
        if retriever not in STRATEGIES:
            raise ValueError(f"there is no {retriever!r}.{nearest_of(retriever, STRATEGIES)}")
        return retriever

    @field_validator("reranker")
    @classmethod
    def _meant(cls, reranker: str | None) -> str | None:
        if reranker is None or reranker == rerankers.NONE:
            return None
        try:
            rerankers.check(reranker)
        except InvalidInput as error:
            raise ValueError(error.reason.rstrip(".")) from error
        return reranker

    @field_validator("model")
    @classmethod
    def _exists(cls, model: str | tuple[str, ...] | None) -> str | tuple[str, ...] | None:
        if model is None or model == NONE:
            return None
        if not model:
            raise ValueError("it names no model")
        for name in (model,) if isinstance(model, str) else model:
            check_model(name)
        return model

    @property
    def models(self) -> tuple[str, ...]:
        """Those that it asks; none when it only retrieves."""
        return () if self.model is None else (self.model,) if isinstance(self.model, str) else self.model

    @property
    def deciding(self) -> dict[str, Any]:
        """Its settings that decide a result: where nobody answers, nothing that is said of answers."""
        return self.model_dump(mode="json", exclude={"name"} if self.model else {"name", "model", "passages"})

    @property
    def recipe(self) -> Recipe:
        return Recipe(chunker=self.chunker, embedder=self.embedder, analyzer=self.analyzer)


def named(names: Iterable[str], base: Mapping[str, Any] | None = None) -> list[Strategy]:
    """Retrievers by name, on the same index."""
    return [_made(name, {**(base or {}), "retriever": name}) for name in names]


def check_model(name: str) -> None:
    """Says so if there can be no model of this name. Nothing is loaded, and nobody is asked."""
    if name.partition(":")[0] not in providers:
        try:
            make_model(name, ModelSettings())
        except InvalidInput as error:
            raise ValueError(error.reason.rstrip(".")) from error


def load(path: Path) -> list[Strategy]:
    """The strategies of a file, in its order."""
    try:
        given = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise NotFound(f"There is no file {path}.", "Check the path for a typing error.") from None
    except (OSError, ValueError) as error:
        raise InvalidInput(f"{path} is no valid TOML: {error}.", "Mend that line.") from error
    for word in given:
        if word not in ("base", "variants", "grid"):
            raise InvalidInput(
                f"{path}: {word!r} is not known.{nearest_of(word, ('base', 'variants', 'grid'))}",
                "A file of strategies has base, variants and grid.",
            )
    _check_form(path, given)
    base = given.get("base", {})
    found = [_made(name, {**base, **variant}) for name, variant in given.get("variants", {}).items()]
    found += [_made(name, {**base, **cell}) for name, cell in _cells(given.get("grid", {}))]
    if not found:
        raise InvalidInput(f"{path} names no strategy.", "Add one, such as [variants.words] with retriever = 'bm25'.")
    return found


def _check_form(path: Path, given: Mapping[str, Any]) -> None:
    base, variants, grid = (given.get(word, {}) for word in ("base", "variants", "grid"))
    right = all(isinstance(one, dict) for one in (base, variants, grid))
    right = right and all(isinstance(one, dict) for one in variants.values())
    right = right and all(isinstance(one, list) for one in grid.values())
    if not right:
        raise InvalidInput(
            f"{path}: base, grid and each of the variants must be tables, and a grid has lists.",
            'Write it like [variants.words] and, in [grid], retriever = ["bm25", "hybrid"].',
        )


def _made(name: str, settings: Mapping[str, Any]) -> Strategy:
    try:
        return Strategy.model_validate({**settings, "name": name})
    except ValidationError as error:
        raise InvalidInput(f"The strategy {name!r}: {explain(error, Strategy)}", "Mend or remove it.") from error


def _cells(grid: Mapping[str, Sequence[Any]]) -> Iterable[tuple[str, dict[str, Any]]]:
    """Every combination, named by its values."""
    if not grid:
        return
    for values in product(*grid.values()):
        yield " ".join(map(_word, values)), dict(zip(grid, values, strict=True))


def _word(value: Any) -> str:
    if isinstance(value, list):
        return "+".join(map(str, value))
    return "-".join(map(str, value.values())) if isinstance(value, Mapping) else str(value)
