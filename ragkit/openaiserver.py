"""A server of OpenAI's kind: OpenAI's own, or one at home that may need no key."""

from ragkit.errors import InvalidInput
from ragkit.modelserver import ModelServer
from ragkit.modelsettings import ModelSettings


class Server(ModelServer):
    def __init__(self, model: str, settings: ModelSettings) -> None:
        super().__init__(model, settings, "OPENAI", "https://api.openai.com/v1")
        if not self.valid:
            raise InvalidInput(*self.misplaced)
        self._named = bool(settings.key)

    def key_or_none(self) -> str:
        """A variable that was named must be there, wherever the server is."""
        instead = ", or base_url to a server of your own" if self.official else ""
        return self.key(self.official or self._named, instead) or "none"
