"""Jupyter notebooks: text cells as Markdown, code cells as code, and what they printed."""

import json
from typing import Any

from ragkit.connectors import markdown
from ragkit.connectors.builder import Builder
from ragkit.connectors.plain import clean
from ragkit.connectors.source import Source
from ragkit.errors import Unreadable


def parse(source: Source, out: Builder) -> None:
    try:
        notebook = json.loads(source.text())
    except ValueError as error:
        raise Unreadable(f"The notebook is no valid JSON: {error}.", "Open it in Jupyter and save it again.") from error
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        raise Unreadable("It is no notebook of version 4: it has no cells.", "Open it in Jupyter and save it again.")
    about = notebook.get("metadata") or {}
    language = str(
        (about.get("kernelspec") or {}).get("language") or (about.get("language_info") or {}).get("name") or ""
    )
    if language:
        out.metadata["language"] = language
    for cell in notebook["cells"]:
        _cell(cell, language, out)


def _cell(cell: dict[str, Any], language: str, out: Builder) -> None:
    text = clean(_joined(cell.get("source"))).strip()
    out.separate()
    if cell.get("cell_type") == "markdown":
        markdown.write(text, out)
    elif cell.get("cell_type") == "code":
        with out.mark("code", label=language):
            out.write(text)
        for output in cell.get("outputs") or ():
            out.block(_printed(output))
    else:
        out.write(text)
    out.separate()


def _printed(output: dict[str, Any]) -> str:
    if output.get("output_type") == "error":
        return f"{output.get('ename', 'Error')}: {output.get('evalue', '')}"
    return _joined(output.get("text") or (output.get("data") or {}).get("text/plain"))


def _joined(lines: Any) -> str:
    return "".join(map(str, lines)) if isinstance(lines, list) else str(lines or "")
