"""What a document consists of: sections of blocks, as values that say nothing of cells.

Text in them is untrusted; laying a document out is what makes it plain.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from flowtui.store.values import JsonValue
from flowtui.widgets.cells import Piece, Role


@dataclass(frozen=True, slots=True)
class Text:
    """Running text, wrapped; its line breaks are kept."""

    text: str
    role: Role = "text"
    indent: int = 0
    label: str = ""
    """A muted word before the first line."""
    peek: int = 0
    """How many lines are shown of it at first: the first ones, or the last ones if negative."""
    source: str | None = None
    """The attribute that it is."""
    full_chars: int | None = None
    """How long the stored text is, where `text` is only the first part of it."""
    pieces: tuple[Piece, ...] = ()
    """All of `text` in stretches of their own roles, where it has not one role."""


@dataclass(frozen=True, slots=True)
class Words:
    """Short texts side by side, on as few lines as hold them."""

    pieces: tuple[Piece, ...]
    indent: int = 0


@dataclass(frozen=True, slots=True)
class Fact:
    """One labelled text."""

    label: str
    text: str
    role: Role = "text"
    source: str | None = None
    """The attribute that it is."""
    full_chars: int | None = None
    """How long the stored text is, where `text` is only the first part of it."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Labelled texts, the labels in a column."""

    rows: tuple[Fact, ...]
    indent: int = 0


@dataclass(frozen=True, slots=True)
class Values:
    """Named JSON values, as a tree that folds."""

    key: str
    """Folds are kept by it and the path of a value."""
    values: Mapping[str, JsonValue]
    cut: Mapping[str, int] = field(default_factory=dict)
    """How many characters the texts have of which `values` holds the first part only, by path, as
    `bounded_json` writes it: `name`, `name.inside`, `name[3]`."""
    indent: int = 0
    open_levels: int = 0
    """How many levels of nested values stand open at first."""
    wraps_texts: bool = False
    """Whether long texts stand wrapped beside their names, and not folded to a line."""
    are_attributes: bool = False
    """Whether the names are those of the span's attributes."""


@dataclass(frozen=True, slots=True)
class Link:
    """Something that leads elsewhere."""

    label: str
    target: object | None = None
    """What following it posts; None for what leads nowhere here."""
    indent: int = 0


@dataclass(frozen=True, slots=True)
class Turn:
    """Blocks under a name: a message under who spoke, a call under what was called."""

    name: str
    blocks: tuple[Block, ...]
    role: Role = "title"
    note: str = ""
    indent: int = 0
    is_apart: bool = False
    """Whether a blank line stands before it, unless it is the first."""
    can_fold: bool = False
    is_folded: bool = False
    """Whether it stands folded at first, where it can."""
    are_beside: bool = False
    """Whether its blocks, turns that do not fold, stand side by side: as many as there is room
    for, counted from the last. Those before them, and all in a narrow document, stand one under
    the other. Without a name it has no heading."""


Block: TypeAlias = Text | Words | Facts | Values | Link | Turn


@dataclass(frozen=True, slots=True)
class Section:
    """A titled part of a document; one without a title has no heading and does not fold."""

    key: str
    """Folds are kept by it, from one document to the next."""
    title: str
    blocks: tuple[Block, ...]
    note: str = ""
    role: Role = "title"
    is_folded: bool = False
    """How it stands when it is first shown."""


Content: TypeAlias = JsonValue | Block | Section


def copied(content: Content) -> str:
    """Return what copying a part of a document gives: texts as they are, data as JSON."""
    match content:
        case str() | Text():
            return content if isinstance(content, str) else content.text
        case Section(blocks=blocks):
            return "\n\n".join(map(copied, blocks))
        case Turn(blocks=blocks):
            return "\n".join(map(copied, blocks))
        case Words(pieces=pieces):
            return "  ".join(piece.text for piece in pieces)
        case Facts(rows=rows):
            return "\n".join(f"{row.label}\t{row.text}" for row in rows)
        case Values(values=values):
            return json_lines(dict(values))
        case Link(label=label):
            return label
    return json_lines(content)


def json_lines(value: JsonValue) -> str:
    """Return a value as JSON over as many lines as it takes."""
    return json.dumps(value, ensure_ascii=False, indent=2)
