"""The kinds of files, a row each: how one is recognised, what reads it, what a person is told.

A new kind is a row here and its reader: a module of this room with a function `shown`, which takes
an `Opened` and a `Request`. A reader whose parser cannot be bounded asks a module of `parsers`,
which runs in a child process. `python -m tests.kinds` makes docs/keys.md's table of these rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True)
class Row:
    """What is known of a kind of file before one is opened."""

    name: str
    """Its name in the title of a preview."""
    word: str
    """Its name in the tree of files, in `file_words.WORD_CELLS` cells."""
    reader: str = ""
    """The module that reads it; nothing for what is shown as text, as bytes or unpacked."""
    endings: tuple[str, ...] = ()
    """The endings of its names, in lower case."""
    begins: tuple[bytes, ...] = ()
    """What its files begin with, any of these."""
    inside: bytes = b""
    """What a ZIP file of this kind names near its beginning."""
    language: str = ""
    """The lexer of Pygments, for a text."""
    extra: str = ""
    """The extra that its reader needs."""
    shows: str = ""
    """What a preview shows of it, for docs/keys.md."""
    is_text: bool = False
    """Whether it is a text, which can be shown line by line too."""
    is_image: bool = False
    """Whether it is a picture made of pixels."""
    is_packed: bool = False
    """Whether it is another file, compressed."""
    is_whole: bool = False
    """Whether all of it must be unpacked before it can be read."""


def _image(name: str, endings: str, *begins: bytes) -> Row:
    return Row(
        name, "picture", "images", tuple(endings.split()), begins, extra="images",
        shows="the picture, the first frame of several", is_image=True, is_whole=True,
    )  # fmt: skip


class PreviewKind(Enum):
    """What a file is; the value is its row."""

    PNG = _image("PNG", ".png", b"\x89PNG\r\n\x1a\n")
    JPEG = _image("JPEG", ".jpg .jpeg", b"\xff\xd8\xff")
    GIF = _image("GIF", ".gif", b"GIF87a", b"GIF89a")
    WEBP = _image("WebP", ".webp")
    BMP = _image("BMP", ".bmp")
    TIFF = _image("TIFF", ".tif .tiff", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
    AVIF = _image("AVIF", ".avif")
    ICO = _image("ICO", ".ico")
    PPM = _image("PPM", ".ppm .pgm .pbm .pnm")
    SVG = Row("SVG", "picture", "svg", (".svg",), language="xml", extra="images",
              shows="the drawing, or its source", is_text=True)  # fmt: skip
    PDF = Row("PDF", "pdf", "pdf", (".pdf",), extra="pdf", is_whole=True,
              shows="page by page, as text, or as a picture")  # fmt: skip
    DOCX = Row("Word", "document", "docx", (".docx",), inside=b"word/", extra="docx",
               is_whole=True, shows="headings, paragraphs, lists and tables")  # fmt: skip
    CSV = Row("CSV", "table", "tables", (".csv",), is_text=True,
              shows="a table of any length and width, or its lines")  # fmt: skip
    TSV = Row("TSV", "table", "tables", (".tsv", ".tab"), is_text=True,
              shows="a table of any length and width, or its lines")  # fmt: skip
    PARQUET = Row("Parquet", "table", "parquet", (".parquet",), (b"PAR1",), extra="parquet",
                  is_whole=True, shows="a table of any length and width")  # fmt: skip
    EXCEL = Row("Excel", "table", "excel", (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"),
                inside=b"xl/", extra="excel", is_whole=True,
                shows="the sheets, each a table of any length and width")  # fmt: skip
    JSON = Row("JSON", "json", "json_file", (".json", ".geojson"), language="json",
               is_text=True, shows="a tree that folds, or its lines")  # fmt: skip
    JSONL = Row("JSONL", "json", "json_file", (".jsonl", ".ndjson"), is_text=True,
                shows="a record for each line, or the lines")  # fmt: skip
    NOTEBOOK = Row("notebook", "notebook", "notebook", (".ipynb",), language="json", is_text=True,
                   is_whole=True, shows="cells as Markdown and source, and their outputs; "
                   "pictures among them open")  # fmt: skip
    HTML = Row(
        "HTML",
        "html",
        "html",
        (".html", ".htm", ".xhtml"),
        language="html",
        is_text=True,
        shows="readable text with headings, links and tables; nothing is fetched",
    )
    YAML = Row("YAML", "yaml", "config_tree", (".yaml", ".yml"), language="yaml", extra="yaml",
               is_text=True, shows="a tree that folds, or its lines")  # fmt: skip
    TOML = Row("TOML", "toml", "config_tree", (".toml",), language="toml",
               is_text=True, shows="a tree that folds, or its lines")  # fmt: skip
    MARKDOWN = Row("Markdown", "markdown", "", (".md", ".markdown"), language="markdown",
                   is_text=True, shows="rendered, or its source")  # fmt: skip
    SOURCE = Row("source", "source", is_text=True, shows="highlighted, with the numbers of lines")
    DIFF = Row("diff", "diff", "", (".diff", ".patch"), language="diff", is_text=True,
               shows="lines, added and removed ones coloured")  # fmt: skip
    TEXT = Row("text", "text", "", (".txt", ".log"), is_text=True,
               shows="lines, in its encoding")  # fmt: skip
    ANSI = Row("log", "text", is_text=True, shows="lines, in the colours of the log")
    GZIP = Row("gzip", "gzip", "", (".gz", ".tgz"), (b"\x1f\x8b\x08",), is_packed=True,
               shows="what is in it")  # fmt: skip
    BZIP2 = Row("bzip2", "bzip2", "", (".bz2", ".tbz2", ".tbz"), (b"BZh",), is_packed=True,
                shows="what is in it")  # fmt: skip
    XZ = Row("xz", "xz", "", (".xz", ".txz"), (b"\xfd7zXZ\0",), is_packed=True,
             shows="what is in it")  # fmt: skip
    ZSTD = Row("zstd", "zstd", "", (".zst", ".zstd"), (b"\x28\xb5\x2f\xfd",), extra="zstd",
               is_packed=True, shows="what is in it")  # fmt: skip
    NPY = Row("npy", "arrays", "arrays", (".npy",), (b"\x93NUMPY",),
              shows="the type and shape of the array; `S` its statistics (`arrays`)")  # fmt: skip
    NPZ = Row("npz", "arrays", "arrays", (".npz",), inside=b".npy", is_whole=True,
              shows="the types and shapes of the arrays; "
              "`S` their statistics (`arrays`)")  # fmt: skip
    SAFETENSORS = Row("safetensors", "arrays", "arrays", (".safetensors",),
                      shows="the types and shapes of the tensors, and the metadata; "
                      "`S` their statistics (`arrays`)")  # fmt: skip
    HDF5 = Row(
        "HDF5",
        "arrays",
        "hdf5",
        (".h5", ".hdf5", ".mat"),
        (b"\x89HDF\r\n\x1a\n",),
        extra="hdf5",
        is_whole=True,
        shows="groups and datasets as a tree, with attributes and first values",
    )
    ONNX = Row("ONNX", "model", "onnx", (".onnx",), is_whole=True,
               shows="inputs, outputs, operators and weights of the model")  # fmt: skip
    WAV = Row("WAV", "sound", "wav", (".wav",), is_whole=True,
              shows="length, rate, channels and the waveform")  # fmt: skip
    TORCH = Row("PyTorch", "tensors", "pickled", (".pt", ".pth"), inside=b"/data.pkl",
                is_whole=True, shows="the shapes of the tensors, the other values, and what "
                "loading it would import; it is never loaded")  # fmt: skip
    PICKLE = Row("pickle", "pickle", "pickled", (".pkl", ".pickle"),
                 shows="the shapes of the arrays, the other values, and what "
                 "loading it would import; it is never loaded")  # fmt: skip
    SQLITE = Row("SQLite", "database", "sqlite", (".db", ".sqlite", ".sqlite3"),
                 (b"SQLite format 3\0",), is_whole=True,
                 shows="the tables, with their counts and first rows")  # fmt: skip
    TAR = Row(
        "tar",
        "archive",
        "archives",
        (".tar", ".luml"),
        shows="the members as a tree, each of which opens; the manifest of a model of LUML",
    )
    ZIP = Row("ZIP", "archive", "archives", (".zip",), is_whole=True,
              shows="the members as a tree, each of which opens")  # fmt: skip
    BINARY = Row("bytes", "binary")
    EMPTY = Row("empty", "empty")

    @property
    def row(self) -> Row:
        row: Row = self.value
        return row

    @property
    def is_image(self) -> bool:
        """Whether the file is a picture made of pixels."""
        return self.row.is_image
