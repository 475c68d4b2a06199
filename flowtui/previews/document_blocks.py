"""The blocks of a document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Member:
    """A file within a file."""

    name: str
    size_bytes: int
    type: str
    """file, folder, link or other."""
    position: int = 0
    """Where its header begins, or which member it is."""


@dataclass(frozen=True, slots=True)
class Heading:
    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    text: str
    is_quoted: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """An item of a list; `level` 0 is outermost."""

    text: str
    level: int
    is_numbered: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    rows: tuple[tuple[str, ...], ...]
    row_count: int


@dataclass(frozen=True, slots=True)
class Code:
    """Source, or what a program has printed, in the lines that it has."""

    text: str
    language: str = ""
    """The lexer of Pygments; nothing for what was printed."""
    label: str = ""
    """What stands before it: `[3]` for the third cell that was run."""
    hidden_chars: int = 0
    """How many more characters it has."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong, as the document tells it."""

    text: str


@dataclass(frozen=True, slots=True)
class Markdown:
    """A part of the document in Markdown, headings included."""

    text: str


DocumentBlock: TypeAlias = Heading | Paragraph | Item | Table | Code | Problem | Markdown | Member
