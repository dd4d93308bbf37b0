"""A Strategy: one way of indexing and retrieving, by name. A TOML file names those that are to be compared.

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
from ragkit.settings import explain


class Strategy(Recipe):
    """What decides a result. Those that share a recipe share an index."""

    name: str
    retriever: str = DEFAULT
    k: int = Field(default=100, ge=1)
    reranker: str | None = None
    """What scores the first hits again. `none` says in a grid that nothing does."""

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

    @property
    def recipe(self) -> Recipe:
        return Recipe(chunker=self.chunker, embedder=self.embedder, analyzer=self.analyzer)


def named(names: Iterable[str], base: Mapping[str, Any] | None = None) -> list[Strategy]:
    """Retrievers by name, on the same index."""
    return [_made(name, {**(base or {}), "retriever": name}) for name in names]


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
    return "-".join(map(str, value.values())) if isinstance(value, Mapping) else str(value)
