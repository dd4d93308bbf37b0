"""Makes the documents of the demo workspace from their sources, the same bytes every time: `make data`.

`sources/finance/report-2025-q3.pdf.md` becomes `demo/finance/report-2025-q3.pdf`. What lies in `demo` without a source
is removed, so that the folder is exactly what its sources say.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import draft
import facts
import office
import paper
import plain

HERE = Path(__file__).parent
DEMO = HERE / "demo"
FORMATS: dict[str, Callable[[draft.Draft], bytes]] = {
    ".md": plain.note,
    ".html": plain.page,
    ".eml": plain.mail,
    ".csv": plain.sheet,
    ".pdf": paper.pdf,
    ".docx": office.word,
    ".xlsx": office.workbook,
    ".pptx": office.slides,
}


def build(target: Path) -> None:
    facts.check()
    made: set[Path] = set()
    for source in sorted((HERE / "sources").rglob("*.md")):
        path = target / source.relative_to(HERE / "sources").with_suffix("")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(FORMATS[path.suffix](draft.load(source)))
        made.add(path)
    if target == DEMO:
        for path in target.rglob("*"):
            if path.is_file() and path not in made:
                path.unlink()


if __name__ == "__main__":
    build(Path(sys.argv[1]) if len(sys.argv) > 1 else DEMO)
