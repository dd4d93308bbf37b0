"""What `ragkit.toml` says under `[guard]`: what may be asked, and what an answer may say."""

import re

from pydantic import BaseModel, ConfigDict, Field, field_validator

from ragkit.pii import Kind


class GuardSettings(BaseModel):
    """What may be asked, and what an answer may say."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_question: int = Field(default=2000, ge=0, description="Characters; 0: any number of them.")
    redact: list[Kind] = Field(default_factory=list, description="What is taken out of questions and answers.")
    ban: list[str] = Field(
        default_factory=list,
        description="Words that neither question nor answer may hold; between slashes, a regular expression.",
    )

    @field_validator("ban")
    @classmethod
    def _patterns(cls, ban: list[str]) -> list[str]:
        for one in ban:
            try:
                topic(one)
            except re.error as error:
                raise ValueError(f"{one!r} is no regular expression: {error}") from error
        return ban


def topic(said: str) -> re.Pattern[str]:
    """The pattern that one ban means, over folded text: whole words, or what stands between slashes."""
    if len(said) > 2 and said[0] == said[-1] == "/":
        return re.compile(said[1:-1], re.IGNORECASE)
    words = said.lower().split()
    if not words:
        raise ValueError("a ban must say what is banned")
    inner = r"\W{1,3}".join(map(re.escape, words))
    before = r"(?<!\w)" if _spaced(words[0][0]) else ""
    return re.compile(f"{before}{inner}(?!\\w)" if _spaced(words[-1][-1]) else f"{before}{inner}")


def _spaced(sign: str) -> bool:
    """Whether words of this script stand apart: those of Chinese, Japanese and Thai do not."""
    return sign.isalnum() and not ("\u0e00" <= sign <= "\u0eff" or "\u3040" <= sign <= "\u9fff" or sign >= "\U00020000")
