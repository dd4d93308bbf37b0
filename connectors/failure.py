"""What could not be read, as a row with a sentence that its reader understands."""

from dataclasses import dataclass

from ragkit.errors import RagkitError


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that could not be read: a row that the user sees, never a silent gap."""

    uri: str
    reason: str
    """What happened, in a sentence."""
    hint: str = ""
    """What to do next."""


def explain(uri: str, error: Exception) -> Failure:
    """Any error of any parser as a row. What ragkit raises on purpose explains itself."""
    if isinstance(error, RagkitError):
        return Failure(uri, error.reason, error.hint)
    if isinstance(error, FileNotFoundError):
        return Failure(uri, "It was removed or renamed before it could be read.", "Scan again.")
    if isinstance(error, PermissionError):
        return Failure(uri, "You may not read it.", "Give yourself read permission, or exclude it.")
    if isinstance(error, MemoryError):
        return Failure(uri, "It needs more memory than one file may use.", "Split it, or raise the memory limit.")
    if isinstance(error, RecursionError):
        return Failure(uri, "It is nested too deeply to be read.", "Flatten it, or exclude it.")
    said = " ".join(str(error).split())[:200]
    return Failure(
        uri,
        f"Its parser stopped with {type(error).__name__}{': ' + said if said else ''}.",
        "The file may be damaged: open it in its own program and save it again.",
    )
