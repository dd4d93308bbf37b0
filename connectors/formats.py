"""Which format a file is in: its content is asked first, its name second."""

import io
import re
import zipfile
from dataclasses import dataclass
from pathlib import PurePosixPath

from ragkit.connectors.encoding import decode, looks_like_text
from ragkit.errors import Unreadable


@dataclass(frozen=True, slots=True)
class Format:
    """One row: what it is called, what reads it, and the names its files go by."""

    media_type: str
    module: str
    """The module of this folder whose `parse(source, out)` reads it."""
    extensions: tuple[str, ...]
    words: str
    """What a person calls it."""


_OFFICE = "application/vnd.openxmlformats-officedocument."
_OPEN = "application/vnd.oasis.opendocument."

TEXT = Format("text/plain", "text", (".txt", ".text", ".log"), "text")
MARKDOWN = Format("text/markdown", "markdown", (".md", ".markdown", ".mdown", ".mkd", ".mdx"), "Markdown")
HTML = Format("text/html", "html", (".html", ".htm", ".xhtml"), "HTML")
XML = Format("application/xml", "xml", (".xml", ".rss", ".atom"), "XML")
PDF = Format("application/pdf", "pdf", (".pdf",), "PDF")
DOCX = Format(_OFFICE + "wordprocessingml.document", "docx", (".docx", ".docm", ".dotx"), "Word")
PPTX = Format(_OFFICE + "presentationml.presentation", "pptx", (".pptx", ".pptm", ".ppsx"), "PowerPoint")
XLSX = Format(_OFFICE + "spreadsheetml.sheet", "spreadsheet", (".xlsx", ".xlsm"), "Excel")
XLS = Format("application/vnd.ms-excel", "spreadsheet", (".xls",), "Excel")
ODS = Format(_OPEN + "spreadsheet", "spreadsheet", (".ods",), "OpenDocument sheet")
ODT = Format(_OPEN + "text", "odt", (".odt",), "OpenDocument text")
RTF = Format("application/rtf", "rtf", (".rtf",), "RTF")
MSG = Format("application/vnd.ms-outlook", "msg", (".msg",), "Outlook message")
EML = Format("message/rfc822", "mail", (".eml",), "mail")
MBOX = Format("application/mbox", "mail", (".mbox", ".mbx"), "mailbox")
CSV = Format("text/csv", "table", (".csv",), "CSV")
TSV = Format("text/tab-separated-values", "table", (".tsv", ".tab"), "TSV")
JSON = Format("application/json", "records", (".json",), "JSON")
JSONL = Format("application/jsonl", "records", (".jsonl", ".ndjson"), "JSONL")
NOTEBOOK = Format("application/x-ipynb+json", "notebook", (".ipynb",), "notebook")
EPUB = Format("application/epub+zip", "epub", (".epub",), "EPUB")
RST = Format("text/x-rst", "rst", (".rst", ".rest"), "reStructuredText")
ZIP = Format("application/zip", "archive", (".zip",), "ZIP")
# fmt: off
CODE = Format(
    "text/x-source",
    "sourcecode",
    (
        ".py", ".pyi", ".js", ".mjs", ".cjs", ".jsx", ".ts", ".tsx", ".java", ".kt", ".scala", ".go", ".rs", ".c", ".h",
        ".cc", ".cpp", ".hpp", ".cs", ".rb", ".php", ".swift", ".lua", ".pl", ".r", ".jl", ".sh", ".bash", ".zsh",
        ".ps1", ".sql", ".hs", ".ex", ".exs", ".erl", ".clj", ".dart", ".m", ".css", ".scss", ".vue", ".proto",
        ".graphql", ".tf",
    ),
    "source code",
)
# fmt: on

FORMATS = (
    TEXT, MARKDOWN, HTML, XML, PDF, DOCX, PPTX, XLSX, XLS, ODS, ODT, RTF, MSG, EML, MBOX, CSV, TSV, JSON, JSONL,
    NOTEBOOK, EPUB, RST, ZIP, CODE,
)  # fmt: skip

_BY_EXTENSION = {extension: format for format in FORMATS for extension in format.extensions}
_BINARY = {PDF, DOCX, PPTX, XLSX, XLS, ODS, ODT, MSG, EPUB, ZIP, RTF}
"""A file that is named so but does not begin so is something else."""

# fmt: off
_MEDIA_ENDINGS = frozenset((
    ".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".ico", ".svg", ".heic", ".psd",
    ".mp3", ".wav", ".flac", ".ogg", ".m4a", ".mp4", ".mov", ".avi", ".mkv", ".webm",
    ".ttf", ".otf", ".woff", ".woff2", ".eot",
    ".exe", ".dll", ".so", ".dylib", ".a", ".o", ".obj", ".lib", ".class", ".jar", ".pyc", ".pyo", ".whl", ".bin",
    ".iso", ".dmg", ".img", ".gz", ".bz2", ".xz", ".zst", ".7z", ".rar", ".tar", ".tgz",
    ".db", ".sqlite", ".sqlite3", ".parquet", ".npy", ".npz", ".pkl", ".pt", ".onnx", ".safetensors", ".lock",
    ".faiss", ".idx", ".map", ".tmp", ".swp",
))
# fmt: on

_MAIL_HEADERS = re.compile(
    r"(?im)^(received|message-id|mime-version|return-path|delivered-to|from|to|subject|date|content-type):"
)
_HEADER_BLOCK = re.compile(r"\A(?:>?From .*\n)?(?:[\w-]+:.*\n(?:[ \t].*\n)*)+")


def by_name(name: str) -> Format | None:
    return _BY_EXTENSION.get(PurePosixPath(name).suffix.lower())


def holds_no_text(name: str) -> bool:
    """Pictures, sound, fonts, programs and stores: found in every folder, and nothing that ragkit reads."""
    return PurePosixPath(name).suffix.lower() in _MEDIA_ENDINGS


def detect(data: bytes, name: str) -> Format:
    """The format of a file. Raises `Unreadable` for what is known and not read, or not known at all."""
    named = by_name(name)
    magic = _by_magic(data)
    if magic is not None:
        return magic
    if not looks_like_text(data):
        raise Unreadable(
            f"Its bytes are neither text nor a format that ragkit reads{_named_so(named)}.",
            "Check that the file is complete, convert it (PDF, DOCX, HTML and text work best), or add a parser for it.",
        )
    if named is None or named in _BINARY:
        return _by_text(data) or (CSV if named is XLS else TEXT)
    if named in (TEXT, XML, JSON, JSONL, CSV, TSV):
        return _by_text(data) or named
    return named


def _named_so(named: Format | None) -> str:
    return f", although its name says {named.words}" if named else ""


def _by_magic(data: bytes) -> Format | None:
    if b"%PDF-" in data[:1024]:
        return PDF
    if data.startswith(b"PK\x03\x04") or data.startswith(b"PK\x05\x06"):
        return _inside_zip(data)
    if data.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return _inside_ole(data)
    if data.startswith(b"{\\rtf"):
        return RTF
    return None


def _inside_zip(data: bytes) -> Format:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = set(archive.namelist())
            mimetype = archive.read("mimetype")[:100].decode("ascii", "replace").strip() if "mimetype" in names else ""
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError, EOFError) as error:
        raise Unreadable(
            f"It is a ZIP container (Office files are, too) that is damaged or cut off: {error}.",
            "Copy or download it again.",
        ) from error
    for format in (EPUB, ODT, ODS):
        if mimetype == format.media_type:
            return format
    for format, start in ((DOCX, "word/"), (PPTX, "ppt/"), (XLSX, "xl/")):
        if "[Content_Types].xml" in names and any(name.startswith(start) for name in names):
            return format
    return ZIP


def _inside_ole(data: bytes) -> Format:
    """The container of old Office files names its streams in UTF-16; their names say what it holds."""

    def has(stream: str) -> bool:
        return stream.encode("utf-16-le") in data

    if has("EncryptedPackage"):
        raise Unreadable(
            "It is an Office file protected by a password.", "Save a copy without the password, and ingest that."
        )
    if has("__properties_version1.0"):
        return MSG
    if has("WordDocument"):
        raise Unreadable(
            "It is a Word document in the old binary format (.doc), which ragkit does not read.",
            "Save it as .docx, for instance with: libreoffice --headless --convert-to docx FILE",
        )
    if has("PowerPoint Document"):
        raise Unreadable(
            "It is a PowerPoint presentation in the old binary format (.ppt), which ragkit does not read.",
            "Save it as .pptx, for instance with: libreoffice --headless --convert-to pptx FILE",
        )
    if has("Workbook") or has("Book"):
        return XLS
    raise Unreadable(
        "It is an OLE container (an old Office or Windows file) of a kind that ragkit does not read.",
        "Save it in a current format: DOCX, XLSX, PPTX or PDF.",
    )


def _by_text(data: bytes) -> Format | None:
    """For a name that says nothing, or the wrong thing."""
    head = decode(data[:4096]).text.lstrip("\ufeff \t\r\n")
    start = head[:1024].lower()
    if start.startswith(("<!doctype html", "<html")) or (start.startswith("<?xml") and "<html" in start):
        return HTML
    if start.startswith("<?xml"):
        return XML
    block = _HEADER_BLOCK.match(head.replace("\r\n", "\n"))
    if block and len({found.lower() for found in _MAIL_HEADERS.findall(block[0])}) >= 4:
        return MBOX if head.startswith("From ") else EML
    return None
