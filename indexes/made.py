"""What an index was made by: its recipe, and the very embedder that this meant when it was made."""

from dataclasses import dataclass
from functools import lru_cache

from ragkit.errors import RagkitError
from ragkit.indexes.catalog import Catalog
from ragkit.indexes.embedder import Embedder, make_embedder
from ragkit.indexes.recipe import EmbedderSettings, Recipe


@dataclass(frozen=True, slots=True)
class Made:
    id: int
    recipe: Recipe
    embedder: str
    """Its identity."""
    dimension: int

    def load_embedder(self) -> Embedder:
        """The same embedder. Vectors of any other one could not be compared with those of the index."""
        embedder = embedder_for(self.recipe.embedder)
        if embedder.identity != self.embedder:
            raise RagkitError(
                f"The index was made by the embedder {self.embedder}; what is installed is {embedder.identity}.",
                "Run: ragkit sync, which indexes the domain anew.",
            )
        return embedder


@lru_cache(maxsize=8)
def embedder_for(settings: EmbedderSettings) -> Embedder:
    """Models are large: one for all domains that use it."""
    return make_embedder(settings)


def active(catalog: Catalog) -> Made | None:
    """Of the index in use; None while nothing is indexed."""
    return made_by(catalog, catalog.meta("recipe"))


def made_by(catalog: Catalog, recipe: int | None) -> Made | None:
    row = catalog.execute("SELECT id, settings, embedder, dimension FROM recipes WHERE id = ?", (recipe,)).fetchone()
    return None if row is None else Made(row[0], Recipe.model_validate_json(row[1]), row[2], row[3])
