"""What a file is, by its first bytes first and its name second."""

from __future__ import annotations

import re
import struct
from pathlib import PurePosixPath

from flowtui.previews import encodings, guessing
from flowtui.previews.kind_table import PreviewKind
from flowtui.previews.values import Cancelled, never

_MAGIC = [(magic, kind) for kind in PreviewKind for magic in kind.row.begins]
_INSIDE = [kind for kind in PreviewKind if kind.row.inside]
_BMP_HEADERS = (12, 40, 52, 56, 64, 108, 124)
_MAX_SAFETENSORS_HEADER = 100_000_000
PDF_MARK_WITHIN = 1024
_ROOT_WITHIN = 4096
_PPM = re.compile(rb"P[1-6]\s+(?:#[^\n]*\n\s*)*\d{1,6}\s+(?:#[^\n]*\n\s*)*\d{1,6}\s")
_OLD_EXCEL = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MATLAB = b"MATLAB 7.3 MAT-file"
"""How such a file begins; the one of HDF5 begins after 512 bytes."""
_INSIDE_WITHIN = 2_000
_PICKLE = re.compile(rb"\x80[\x02\x03][(\]}\x8a\x8bcKMJXU]|\x80[\x04\x05]\x95.{8}", re.DOTALL)
"""How a pickle begins: its protocol, and an opcode or, in newer ones, a frame."""
_PICKLED = (*PreviewKind.PICKLE.row.endings, *PreviewKind.TORCH.row.endings, ".bin", ".ckpt", ".p")

_BY_SUFFIX = {
    ending: kind
    for kind in PreviewKind
    if kind.row.is_text and kind is not PreviewKind.TEXT
    for ending in kind.row.endings
}

_DIFF = re.compile(r"(?:diff |index |Index: )[^\n]+\n|--- [^\n]+\n\+\+\+ [^\n]+\n@@ -\d")
"""How a diff begins, whatever its name."""
LANGUAGES = {
    ".py": "python", ".pyi": "python",
    ".ini": "ini", ".cfg": "ini", ".xml": "xml",
    ".svg": "xml", ".css": "css", ".js": "javascript", ".mjs": "javascript", ".ts": "typescript",
    ".tsx": "tsx", ".sql": "sql", ".sh": "bash", ".bash": "bash", ".zsh": "bash", ".c": "c",
    ".h": "c", ".cc": "cpp", ".cpp": "cpp", ".cxx": "cpp", ".hpp": "cpp", ".cu": "cuda",
    ".cuh": "cuda", ".rs": "rust", ".go": "go", ".java": "java", ".kt": "kotlin",
    ".scala": "scala", ".rb": "ruby", ".php": "php", ".pl": "perl", ".lua": "lua", ".r": "r",
    ".jl": "julia", ".swift": "swift", ".cs": "csharp", ".tex": "tex", ".rst": "rst",
    ".proto": "protobuf", ".tf": "terraform",
    ".cmake": "cmake", ".ps1": "powershell", ".jinja": "jinja", ".j2": "jinja", ".dot": "graphviz",
    ".graphql": "graphql", ".dockerfile": "docker", ".mk": "make", ".hs": "haskell",
    ".ex": "elixir", ".erl": "erlang", ".clj": "clojure", ".vue": "vue", ".nix": "nix",
}  # fmt: skip
_LANGUAGE_OF_NAME = {"dockerfile": "docker", "makefile": "make", "cmakelists.txt": "cmake"}


def kind_of(head: bytes, name: str, cancelled: Cancelled = never) -> PreviewKind:
    """Return what a file is.

    Args:
        head: Its first bytes: `files.HEAD_BYTES` of them, or all that there are.
        name: Its name, believed only where the content does not contradict it.
        cancelled: Asked while a child process looks at what may be text.
    """
    if not head:
        return PreviewKind.EMPTY
    found = _by_magic(head) or _by_structure(head, name.lower())
    if found is not None:
        return found
    is_named_text = name.lower().endswith((*_BY_SUFFIX, ".txt", ".log"))
    encoding = guessing.guess(head, cancelled, is_named_text)
    if encoding is None:
        if not is_named_text or not guessing.is_mostly_text(head):
            return PreviewKind.BINARY
        encoding = encodings.FALLBACK
    return _text_kind(encodings.decode(head, encoding), name.lower())


def language_of(name: str) -> str | None:
    """Return the name of the Pygments lexer for a file of this name, None if there is none."""
    lowered = PurePosixPath(name.lower()).name
    return _LANGUAGE_OF_NAME.get(lowered) or LANGUAGES.get(PurePosixPath(lowered).suffix)


def _by_magic(head: bytes) -> PreviewKind | None:
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return PreviewKind.WEBP
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return PreviewKind.WAV
    if head[4:8] == b"ftyp" and head[8:12] in (b"avif", b"avis"):
        return PreviewKind.AVIF
    if _PPM.match(head):
        return PreviewKind.PPM
    if head[257:262] == b"ustar":
        return PreviewKind.TAR
    if head[:2] == b"BM" and len(head) >= 26 and head[6:10] == b"\0\0\0\0":
        (header_bytes,) = struct.unpack_from("<I", head, 14)
        return PreviewKind.BMP if header_bytes in _BMP_HEADERS else None
    return None


def _of_zip(head: bytes, name: str) -> PreviewKind:
    named = [kind for kind in _INSIDE if name.endswith(kind.row.endings)]
    # Other archives may hold such members too, but rarely before all others.
    found = named or [kind for kind in _INSIDE if kind.row.inside in head[:_INSIDE_WITHIN]]
    return found[0] if found else PreviewKind.ZIP


def _by_structure(head: bytes, name: str) -> PreviewKind | None:
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _of_zip(head, name)
    if b"%PDF-" in head[:PDF_MARK_WITHIN] and not name.endswith(tuple(LANGUAGES)):
        return PreviewKind.PDF
    if head.startswith(_OLD_EXCEL) and name.endswith((".xls", ".xlsb")):
        return PreviewKind.EXCEL
    if head.startswith(_MATLAB) or head[512:520] == PreviewKind.HDF5.row.begins[0]:
        return PreviewKind.HDF5
    if head.startswith(b"\0\0\1\0") and name.endswith(PreviewKind.ICO.row.endings):
        return PreviewKind.ICO
    if head[:1] == b"\x08" and name.endswith(PreviewKind.ONNX.row.endings):
        return PreviewKind.ONNX
    if _PICKLE.match(head) and (head[1] >= 4 or name.endswith(_PICKLED)):
        return PreviewKind.PICKLE
    if len(head) > 9 and head[8:9] == b"{":
        (header_bytes,) = struct.unpack_from("<Q", head)
        if 2 <= header_bytes <= _MAX_SAFETENSORS_HEADER:
            return PreviewKind.SAFETENSORS
    return None


def _text_kind(text: str, name: str) -> PreviewKind:
    start = text[:_ROOT_WITHIN].lstrip("\ufeff \t\r\n")
    if start.startswith("<") and "<svg" in start and not name.endswith((".html", ".htm", ".md")):
        return PreviewKind.SVG
    kind = _BY_SUFFIX.get(PurePosixPath(name).suffix)
    if kind is not None:
        return kind
    if "\x1b[" in text:
        return PreviewKind.ANSI
    if _DIFF.match(text):
        return PreviewKind.DIFF
    if language_of(name) is not None:
        return PreviewKind.SOURCE
    if "." not in PurePosixPath(name).name and start.startswith(('{"', "[{", "[[", "{\n", "[\n")):
        return PreviewKind.JSON
    return PreviewKind.TEXT
