"""Indexes a domain anew, by another recipe, from the texts in its catalog; its old index serves until that is done."""

from collections.abc import Iterator

from ragkit.indexes.catalog import Catalog
from ragkit.indexes.domain import as_document
from ragkit.indexes.embedder import Embedder
from ragkit.indexes.made import Made, made_by
from ragkit.indexes.recipe import Recipe
from ragkit.indexes.writer import Tell, Writer

FORM = 1
"""Goes up when chunkers or analyzers come to cut otherwise: what was indexed before is then indexed anew."""


def recipe_for(catalog: Catalog, recipe: Recipe, embedder: Embedder) -> Made:
    """The recipe as the catalog knows it. The first one is in use at once, another when all is indexed by it."""
    settings = recipe.model_dump_json()
    wanted = (settings, embedder.identity, embedder.dimension, FORM)
    id = catalog.one(
        "SELECT id FROM recipes WHERE settings = ? AND embedder = ? AND dimension = ? AND form = ?", wanted
    )
    if id is None:
        with catalog.transaction():
            id = catalog.execute(
                "INSERT INTO recipes (settings, embedder, dimension, form) VALUES (?, ?, ?, ?)", wanted
            ).lastrowid
            if catalog.meta("recipe") is None:
                catalog.set_meta("recipe", id)
    made = made_by(catalog, id)
    assert made is not None
    return made


def reindex(catalog: Catalog, new: Made, embedder: Embedder, tell: Tell) -> int:
    """Index every document by the new recipe, and then put it in force. Goes on where it was stopped."""
    writer = Writer(catalog, new, embedder, tell)
    done = catalog.one("SELECT done FROM recipes WHERE id = ?", (new.id,))
    total = catalog.one("SELECT count(*) FROM documents")
    count = catalog.one("SELECT count(*) FROM documents WHERE id <= ?", (done,))
    for id, *row in _documents(catalog, done):
        writer.index(id, writer.cut(as_document(*row)).chunks)
        writer.note("UPDATE recipes SET done = ? WHERE id = ?", id, new.id)
        count += 1
        tell("reindex", count, total)
        if writer.due:
            writer.commit()
    writer.commit()
    return int(total)


def _documents(catalog: Catalog, after: int) -> Iterator[tuple[int, str, str, str, str, str, str]]:
    while True:
        rows = catalog.execute(
            """SELECT id, uri, text, title, marks, metadata, media_type FROM documents
            WHERE id > ? ORDER BY id LIMIT 100""",
            (after,),
        ).fetchall()
        yield from rows
        if not rows:
            return
        after = rows[-1][0]


def discard_others(catalog: Catalog, recipe: int) -> None:
    """Put this recipe in force, and remove what was indexed by others."""
    if catalog.meta("recipe") == recipe and not catalog.one("SELECT 1 FROM recipes WHERE id <> ?", (recipe,)):
        return
    names = [name for (name,) in catalog.execute("SELECT name FROM segments WHERE recipe <> ?", (recipe,))]
    with catalog.transaction():
        catalog.set_meta("recipe", recipe)
        catalog.execute("DELETE FROM segments WHERE recipe <> ?", (recipe,))
        catalog.execute("DELETE FROM dead WHERE NOT EXISTS (SELECT 1 FROM segments WHERE chunk BETWEEN first AND last)")
        catalog.execute("DELETE FROM chunks WHERE recipe <> ?", (recipe,))
        catalog.execute("DELETE FROM recipes WHERE id <> ?", (recipe,))
        catalog.execute("DELETE FROM vectors WHERE NOT EXISTS (SELECT 1 FROM chunks WHERE vector = key)")
        catalog.set_meta("generation", catalog.generation + 1)
    for name in names:
        (catalog.folder / name).unlink(missing_ok=True)
