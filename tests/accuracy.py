"""How well the shared test files are read, word by word: `make accuracy` prints the table of docs/reading.md.

Two kinds of reference: pages transcribed by eye from their rendered image (tests/references, as fingerprints of words),
and the reference conversions of the files' own manifest.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ragkit.connectors.parser import parse

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.words import REFERENCES, Difference, compare, fingerprint, load_reference, words, words_of_markdown

FILES = Path(__file__).resolve().parents[2] / "shared" / "files"
LIMIT = 0.02

EXPLAINED = {
    "598us1r3_j4ek.p9": "the file's own font map turns the ligatures fi and ffi into f and ff; so do pypdf and PDFium",
    "pdf/amt_handbook_sample.pdf": "the reference leaves out the labels inside the figures",
    "pdf/right_to_left_03.pdf": "of 137 words 2 are crosses in boxes, 2 are joined in the file, 2 are the page number",
    "html/wiki_duck.html": "the reference keeps menus and languages; of the article alone 1.3 % are missing",
    "docx/docx_rich_cells.docx": "the reference parts x2 and H2O into x 2 and H 2 O",
    "docx/equations.docx": "the reference writes formulas as LaTeX; ragkit writes (a)/(b) and x^{2}",
    "docx/docx_comments.docx": "ragkit keeps the reviewers' comments, the reference drops them",
    "pptx/powerpoint_sample.pptx": "ragkit keeps the speaker's notes, the reference drops them",
    "pptx/powerpoint_comments.pptx": "the reference adds initials and times to the comments",
    "xlsx/xlsx_01.xlsx": "every value has its header before it; the reference repeats the figures of the charts",
    "xlsx/xlsx_comments.xlsx": "every value has its header before it; the reference adds times to the comments",
}
"""Why a reading differs by more than the limit. Each was looked at, word by word."""


class Row(NamedTuple):
    name: str
    length: int
    difference: Difference

    @property
    def worse(self) -> bool:
        return max(self.difference.missing, self.difference.invented) > LIMIT


def manifest() -> list[dict[str, object]]:
    return [json.loads(line) for line in (FILES / "manifest.jsonl").read_text("utf-8").splitlines()]


def text_of(path: str, page: int | None = None) -> str:
    document = parse(path, Path(path).name, (FILES / path).read_bytes())
    if page is None:
        return document.text
    mark = next(mark for mark in document.marks if mark.kind == "page" and mark.number == page)
    return document.text[mark.start : mark.end]


def against_transcriptions() -> Iterator[Row]:
    paths = {Path(str(row["path"])).stem: str(row["path"]) for row in manifest()}
    for reference in sorted(REFERENCES.glob("*.words")):
        stem, _, page = reference.stem.partition(".p")
        must, may = load_reference(reference.stem)
        read = [fingerprint(word) for word in words(text_of(paths[stem], int(page) if page else None))]
        yield Row(reference.stem, len(must), compare(must, read, may))


def against_conversions() -> Iterator[Row]:
    for row in manifest():
        expect = row.get("expect")
        if isinstance(expect, dict) and expect.get("kind") == "markdown":
            expected = words_of_markdown((FILES / expect["file"]).read_text("utf-8"))
            yield Row(str(row["path"]), len(expected), compare(expected, words(text_of(str(row["path"])))))


def main() -> None:
    if not FILES.is_dir():
        sys.exit("../shared/files is not here, so there is nothing to compare with.")
    print("| file | words | missing | invented | why, where more than 2 % |\n|---|---:|---:|---:|---|")
    for row in (*against_transcriptions(), *against_conversions()):
        missing, invented = row.difference.missing, row.difference.invented
        why = EXPLAINED.get(row.name, "UNEXPLAINED") if row.worse else ""
        print(f"| {row.name} | {row.length:,} | {missing:.1%} | {invented:.1%} | {why} |")


if __name__ == "__main__":
    main()
