"""A Recipe: all that decides how documents become chunks, terms and vectors. Another recipe, another index."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ChunkerSettings(_Strict):
    """How documents are cut. Sizes are in the embedder's own tokens."""

    kind: Literal["structure", "fixed", "recursive", "sentence-window", "parent-child"] = "structure"
    size: int = Field(default=256, ge=16, description="The most tokens of a chunk with its header.")
    overlap: int | None = Field(
        default=None,
        ge=0,
        description="What two neighbours share: sentences (structure, by default 2), tokens (fixed, recursive: 0).",
    )
    around: int = Field(default=2, ge=0, description="sentence-window: sentences read before and after the one found.")
    parent: int = Field(default=1024, ge=32, description="parent-child: the most tokens of what is read.")


class EmbedderSettings(_Strict):
    """Which model makes vectors: `minilm`, `hash`, `sentence-transformers:<name or path>`, `openai:<name>`."""

    name: str = "minilm"
    base_url: str = Field(default="", description="openai: a compatible server, such as http://localhost:11434/v1.")
    dimension: int | None = Field(default=None, ge=1, description="openai: shorten vectors to this length.")
    window: int | None = Field(default=None, ge=16, description="The most tokens of one text, if not the model's own.")


class AnalyzerSettings(_Strict):
    """How text becomes terms for BM25."""

    language: str = Field(default="english", description="Of stemmer and stop words; `none` for neither.")


def _named(field: str) -> Any:
    """Lets `chunker = "fixed"` stand for `chunker = { kind = "fixed" }`."""
    return BeforeValidator(lambda given: {field: given} if isinstance(given, str) else given)


class Recipe(_Strict):
    chunker: Annotated[ChunkerSettings, _named("kind")] = ChunkerSettings()
    embedder: Annotated[EmbedderSettings, _named("name")] = EmbedderSettings()
    analyzer: Annotated[AnalyzerSettings, _named("language")] = AnalyzerSettings()

    @model_validator(mode="after")
    def _sensible(self) -> "Recipe":
        if self.chunker.kind in ("fixed", "recursive") and (self.chunker.overlap or 0) >= self.chunker.size:
            raise ValueError("chunker.overlap must be smaller than chunker.size")
        return self
