"""The type of a file in one word, by its name or by its preview."""

from __future__ import annotations

from pathlib import PurePosixPath

from flowtui.previews.kinds import LANGUAGES
from flowtui.previews.values import PreviewKind

WORD_CELLS = 8
_BY_SUFFIX = {
    **dict.fromkeys(LANGUAGES, "source"),
    **dict.fromkeys(
        (
            ".png",
            ".jpg",
            ".jpeg",
            ".gif",
            ".webp",
            ".bmp",
            ".tif",
            ".tiff",
            ".svg",
        ),
        "picture",
    ),
    **dict.fromkeys((".csv", ".tsv", ".tab", ".parquet"), "table"),
    **dict.fromkeys((".json", ".jsonl", ".ndjson", ".geojson", ".ipynb"), "json"),
    **dict.fromkeys((".tar", ".tgz", ".zip", ".luml"), "archive"),
    **dict.fromkeys((".npy", ".npz", ".safetensors"), "arrays"),
    **dict.fromkeys((".txt", ".log"), "text"),
    ".pdf": "pdf",
    ".docx": "document",
    ".md": "markdown",
    ".markdown": "markdown",
}
_OF_KIND = {
    PreviewKind.SVG: "picture",
    PreviewKind.CSV: "table",
    PreviewKind.TSV: "table",
    PreviewKind.PARQUET: "table",
    PreviewKind.JSONL: "json",
    PreviewKind.ANSI: "text",
    PreviewKind.DOCX: "document",
    PreviewKind.NPY: "arrays",
    PreviewKind.NPZ: "arrays",
    PreviewKind.SAFETENSORS: "arrays",
    PreviewKind.TAR: "archive",
    PreviewKind.ZIP: "archive",
}


def word_of_name(name: str) -> str:
    """Return the usual type of a file with this name; `file` if the name does not tell."""
    lowered = PurePosixPath(name.lower())
    if lowered.suffix in (".gz", ".zst"):
        lowered = lowered.with_suffix("")
    return _BY_SUFFIX.get(lowered.suffix, "file")


def word_of_kind(kind: PreviewKind) -> str:
    """Return the type of a file by the kind of its preview."""
    if kind.is_image:
        return "picture"
    return _OF_KIND.get(kind, kind.value)
