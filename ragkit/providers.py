"""The names by which users know models, and what makes a model of each."""

from collections.abc import Callable
from difflib import get_close_matches
from typing import TypeVar

from ragkit.errors import InvalidInput
from ragkit.model import Model
from ragkit.modelsettings import ModelSettings

MakeModel = Callable[[str, ModelSettings], Model]
MakeT = TypeVar("MakeT", bound=MakeModel)

providers: dict[str, MakeModel] = {}
"""Added by `provider`: they get what follows the colon, and what the settings say of this model."""


def provider(scheme: str) -> Callable[[MakeT], MakeT]:
    """Use models of your own: `@provider("mine")` makes the name `mine:small` call `it("small", settings)`."""
    if not scheme.isidentifier() or scheme in _OURS:
        raise InvalidInput(f"{scheme!r} is no name for a provider.", f"Use a word, and none of {', '.join(_OURS)}.")

    def add(make: MakeT) -> MakeT:
        providers[scheme] = make
        return make

    return add


def make_model(name: str, settings: ModelSettings) -> Model:
    """The model of this name. What it needs is imported, and its server asked, when it is first used."""
    scheme, colon, rest = name.partition(":")
    if scheme in providers:
        return providers[scheme](rest, settings)
    if scheme in _OURS and bool(colon and rest) == (scheme in _OF_MANY):
        return _OURS[scheme](rest, settings)
    if scheme in _OF_MANY:
        raise InvalidInput(f"{name!r} names no model.", f"Write it as {scheme}:NAME, with a name that {scheme} knows.")
    known = [*_OURS, *providers]
    forms = ", ".join(f"{one}:NAME" if one in _OF_MANY else one for one in known)
    near = get_close_matches(scheme, known, n=1)  # not of the whole name: all of the same model would be alike
    meant = f" Did you mean {_written(near[0], rest)!r}?" if near else ""
    raise InvalidInput(f"There is no model {name!r}.{meant}", f"The forms are: {forms}.")


def _written(scheme: str, rest: str) -> str:
    if scheme in _OF_MANY:
        return f"{scheme}:{rest or 'NAME'}"
    return f"{scheme}:{rest}" if rest and scheme in providers else scheme


def _anthropic(name: str, settings: ModelSettings) -> Model:
    from ragkit.anthropicmodel import AnthropicModel

    return AnthropicModel(name, settings)


def _openai(name: str, settings: ModelSettings) -> Model:
    from ragkit.openaimodel import OpenAIModel

    return OpenAIModel(name, settings)


def _extractive(name: str, settings: ModelSettings) -> Model:
    from ragkit.extractive import Extractive

    return Extractive()


_OURS: dict[str, MakeModel] = {"extractive": _extractive, "anthropic": _anthropic, "openai": _openai}
_OF_MANY = {"anthropic", "openai"}
