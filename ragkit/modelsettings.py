"""What `ragkit.toml` says of models: where they are, what they cost, and how much of everything an ask may take."""

from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Price(_Settings):
    """Money for a million tokens, in whatever currency you are billed. What is not said is unknown, not free."""

    input: Decimal = Field(ge=0)
    output: Decimal = Field(ge=0)
    cache_read: Decimal | None = Field(default=None, ge=0)
    cache_write: Decimal | None = Field(default=None, ge=0)


class ModelSettings(_Settings):
    """One model, as `[models."openai:llama3"]`. Every word has a default that works."""

    base_url: str = Field(default="", description="Another server than the provider's own.")
    key: str = Field(default="", description="The environment variable that holds the key, if not the usual one.")
    price: Price | None = None
    form: Literal["", "schema", "object", "prompt"] = Field(
        default="", description="How the server is told the form of its answer; found out when not said."
    )
    citations: bool | None = Field(
        default=None,
        description="Let the server cite. When not said: Anthropic's own does, no other with its API is asked to.",
    )
    timeout: float = Field(default=60, gt=0, description="Seconds for one call.")
    tries: int = Field(default=4, ge=1, description="How often a call is made before the next model is asked.")
    concurrency: int = Field(default=8, ge=1, description="Calls at a time.")
    requests_per_minute: int | None = Field(default=None, ge=1)
    tokens_per_minute: int | None = Field(default=None, ge=1)
    failures: int = Field(default=5, ge=1, description="This many in a row, and the model is left alone for a while.")
    cooldown: float = Field(default=30, gt=0, description="Seconds for which it is.")


class BudgetSettings(_Settings):
    """The most that may be spent; None is no limit."""

    money: Decimal | None = Field(default=None, ge=0)
    tokens: int | None = Field(default=None, ge=0)
    calls: int | None = Field(default=None, ge=0)


class AskSettings(BudgetSettings):
    """One ask."""

    seconds: float | None = Field(default=120, gt=0, description="From the question to the answer.")
    evidence: float | None = Field(
        default=None, ge=0, le=1, description="How likely passages must hold an answer that is written without a model."
    )
    judge: str = Field(
        default="", description="A model that checks claims. Without one: by words, numbers, names and likeness."
    )
    claims: Literal["strict", "mark", "off"] = Field(
        default="mark", description="Claims that their sources do not support: left out, marked [?], or not looked at."
    )


class CacheSettings(_Settings):
    """What is remembered of answers."""

    exact: bool = Field(default=True, description="The same prompt to the same model is answered from memory.")
    redis: str = Field(default="", description="redis://…: a memory that several machines share.")
    semantic: float | None = Field(
        default=None, gt=0, le=1, description="Questions this similar (a cosine, such as 0.97) share an answer."
    )
    days: float | None = Field(default=30, gt=0, description="How long an answer is kept.")
    megabytes: int = Field(default=200, ge=1)


class TraceSettings(_Settings):
    """What is kept of how answers were made."""

    keep: bool = True
    texts: bool = Field(default=True, description="Keep questions, prompts and answers; or only names and numbers.")
    megabytes: int = Field(default=100, ge=1, description="Beyond this, the oldest traces are forgotten.")
    otlp: str = Field(default="", description="Where an OTLP collector listens: http://localhost:4318")
