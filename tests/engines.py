"""The engines that ragkit could read PDF and HTML with, on the same files: `make engines`. Feeds docs/decisions.

trafilatura and resiliparse are no dependencies; install them beside ragkit to see their rows:
`pip install trafilatura lxml_html_clean resiliparse`.
"""

import importlib.util
import io
import logging
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pypdf
import pypdfium2
from selectolax.lexbor import LexborHTMLParser

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ragkit.connectors.encoding import decode
from tests.accuracy import FILES, manifest, text_of
from tests.words import REFERENCES, compare, fingerprint, load_reference, words, words_of_markdown

Engine = Callable[[Path, int | None], str]


def with_pypdf(path: Path, page: int | None) -> str:
    reader = pypdf.PdfReader(io.BytesIO(path.read_bytes()))
    if reader.is_encrypted:
        reader.decrypt("")
    pages = reader.pages if page is None else [reader.pages[page - 1]]
    return "\n".join(one.extract_text() for one in pages)


def with_pdfium(path: Path, page: int | None) -> str:
    with pypdfium2.PdfDocument(path.read_bytes()) as document:
        numbers = range(len(document)) if page is None else [page - 1]
        return "\n".join(document[number].get_textpage().get_text_range() for number in numbers)


def with_ragkit(path: Path, page: int | None) -> str:
    return text_of(str(path.relative_to(FILES)), page)


def html_with_selectolax(path: Path, page: int | None) -> str:
    tree = LexborHTMLParser(decode(path.read_bytes()).text)
    for node in tree.css("script, style, noscript, template"):
        node.decompose()
    return tree.body.text(separator=" ") if tree.body else ""


def html_with_trafilatura(path: Path, page: int | None) -> str:
    import trafilatura  # type: ignore[import-not-found, unused-ignore]

    return trafilatura.extract(decode(path.read_bytes()).text, favor_recall=True, include_tables=True) or ""


def html_with_resiliparse(path: Path, page: int | None) -> str:
    from resiliparse.extract.html2text import extract_plain_text  # type: ignore[import-not-found, unused-ignore]

    return str(extract_plain_text(decode(path.read_bytes()).text, main_content=True))


PDF: dict[str, Engine] = {"pypdf": with_pypdf, "PDFium": with_pdfium, "ragkit": with_ragkit}
HTML: dict[str, Engine] = {"selectolax, all text": html_with_selectolax, "ragkit": with_ragkit}
if importlib.util.find_spec("trafilatura"):
    HTML["trafilatura"] = html_with_trafilatura
if importlib.util.find_spec("resiliparse"):
    HTML["resiliparse"] = html_with_resiliparse


def row(name: str, values: list[str]) -> None:
    print(f"| {name} | " + " | ".join(values) + " |", flush=True)


def accuracy(ending: str, engines: dict[str, Engine]) -> None:
    """Words missing / invented, in per cent."""
    row("file", list(engines))
    print("|---|" + "---:|" * len(engines))
    paths = {Path(str(one["path"])).stem: FILES / str(one["path"]) for one in manifest()}
    for reference in sorted(REFERENCES.glob("*.words")):
        stem, _, page = reference.stem.partition(".p")
        if paths[stem].suffix == ending:
            must, may = load_reference(reference.stem)
            read = [words(engine(paths[stem], int(page) if page else None)) for engine in engines.values()]
            found = [compare(must, [fingerprint(word) for word in one], may) for one in read]
            row(reference.stem, [f"{one.missing * 100:.1f} / {one.invented * 100:.1f}" for one in found])
    for one in manifest():
        expect, path = one.get("expect"), FILES / str(one["path"])
        if path.suffix != ending or not isinstance(expect, dict):
            continue
        if expect["kind"] == "markdown":
            expected = words_of_markdown((FILES / expect["file"]).read_text("utf-8"))
            found = [compare(expected, words(engine(path, None))) for engine in engines.values()]
            row(path.name, [f"{one.missing * 100:.1f} / {one.invented * 100:.1f}" for one in found])
        elif expect["kind"] == "substrings":
            musts = [" ".join(words_of_markdown(must)) for must in expect["must_include"]]
            texts = [" ".join(words(engine(path, None))) for engine in engines.values()]
            row(path.name, [f"{sum(must in text for must in musts)} of {len(musts)} strings" for text in texts])


def speed(ending: str, engines: dict[str, Engine]) -> None:
    """Seconds for all files that every engine reads, the median of three rounds side by side."""
    files = []
    for path in sorted(FILES.rglob(f"*{ending}")):
        try:
            for engine in engines.values():
                engine(path, None)
        except Exception:  # a file that one of them cannot read is no measure of speed
            continue
        files.append(path)
    rounds: dict[str, list[float]] = {name: [] for name in engines}
    for _ in range(3):
        for name, engine in engines.items():
            began = time.perf_counter()
            for path in files:
                engine(path, None)
            rounds[name].append(time.perf_counter() - began)
    row(f"seconds for {len(files)} files", [f"{sorted(one)[1]:.2f}" for one in rounds.values()])


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    if not FILES.is_dir():
        sys.exit("../shared/files is not here, so there is nothing to compare on.")
    for ending, engines in ((".pdf", PDF), (".html", HTML)):
        accuracy(ending, engines)
        speed(ending, engines)
        print()
