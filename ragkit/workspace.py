"""A workspace: a folder with `ragkit.toml` and the domains named in it."""

from collections.abc import Sequence
from pathlib import Path

from ragkit import settings
from ragkit.errors import InvalidInput
from ragkit.settings import DomainSettings

FILE = "ragkit.toml"


def open(path: str | Path = ".") -> "Workspace":
    """The workspace in this folder; it is made if there is none."""
    return Workspace(path)


class Workspace:
    def __init__(self, path: str | Path = ".") -> None:
        self.path = Path(path).expanduser().resolve()
        if self.path.exists() and not self.path.is_dir():
            raise InvalidInput(f"{self.path} is a file.", "Name the folder that is to be the workspace.")
        settings.create(self.path / FILE)
        self.settings = settings.load(self.path / FILE)

    @property
    def domains(self) -> dict[str, DomainSettings]:
        """The domains by name."""
        return dict(self.settings.domains)

    def add_domain(self, name: str, *, description: str = "", keywords: Sequence[str] = ()) -> None:
        """Name a collection of documents. For one that is there, what is given here takes the place of what was."""
        known = self.settings.domains.get(name, DomainSettings())
        domain = DomainSettings(description=description or known.description, keywords=list(keywords) or known.keywords)
        settings.save_domain(self.path / FILE, name, domain)
        self.settings.domains[name] = domain

    def __repr__(self) -> str:
        return f"ragkit.open({str(self.path)!r})"
