"""The type of a file in one word, by its name or by its preview."""

from __future__ import annotations

from pathlib import PurePosixPath

from flowtui.previews.kind_table import PreviewKind
from flowtui.previews.kinds import LANGUAGES

WORD_CELLS = 8
_BY_SUFFIX = {
    **dict.fromkeys(LANGUAGES, "source"),
    **{ending: kind.row.word for kind in PreviewKind for ending in kind.row.endings},
}


def word_of_name(name: str) -> str:
    """Return the usual type of a file with this name; `file` if the name does not tell."""
    lowered = PurePosixPath(name.lower())
    if any(kind.row.is_packed and lowered.suffix in kind.row.endings for kind in PreviewKind):
        lowered = lowered.with_suffix("")
    return _BY_SUFFIX.get(lowered.suffix, "file")


def word_of_kind(kind: PreviewKind) -> str:
    """Return the type of a file by the kind of its preview."""
    return kind.row.word
