"""The parts of a document: sections of blocks, as values that know nothing of cells.

Their text is untrusted; the layout makes it safe with `plain`.
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
    """Running text, which is wrapped and keeps its line breaks."""

    text: str
    role: Role = "text"
    indent: int = 0
    label: str = ""
    """A muted word before the first line."""
    peek: int = 0
    """How many lines are shown at first: the first ones, the last ones if negative; 0 for all."""
    source: str | None = None
    """The name of the attribute that holds it."""
    full_chars: int | None = None
    """The length of the stored text, if `text` is only the first part of it."""
    pieces: tuple[Piece, ...] = ()
    """All of `text` in pieces, if they have several roles."""


@dataclass(frozen=True, slots=True)
class Words:
    """Short texts side by side, on as few lines as possible."""

    pieces: tuple[Piece, ...]
    indent: int = 0


@dataclass(frozen=True, slots=True)
class Fact:
    """One labelled text."""

    label: str
    text: str
    role: Role = "text"
    source: str | None = None
    """The name of the attribute that holds it."""
    full_chars: int | None = None
    """The length of the stored text, if `text` is only the first part of it."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Labelled texts, the labels in a column."""

    rows: tuple[Fact, ...]
    indent: int = 0


@dataclass(frozen=True, slots=True)
class Values:
    """Named JSON values, as a tree that folds."""

    key: str
    """Identifies the folds of these values, together with the path of a value."""
    values: Mapping[str, JsonValue]
    cut: Mapping[str, int] = field(default_factory=dict)
    """The full length of each text that `values` holds in part, by its path as `bounded_json`
    writes it: `name`, `name.inside`, `name[3]`."""
    indent: int = 0
    open_levels: int = 0
    """How many levels of nested values are open at first."""
    wraps_texts: bool = False
    """Whether long texts are wrapped beside their names, and not folded to a line."""
    are_attributes: bool = False
    """Whether the names are attributes of the span."""
    targets: Mapping[tuple[str | int, ...], object] = field(default_factory=dict)
    """What following a value posts, by its path."""


@dataclass(frozen=True, slots=True)
class Link:
    """A link to another record."""

    label: str
    target: object | None = None
    """The target that following the link posts; None if the record is not in this store."""
    indent: int = 0


@dataclass(frozen=True, slots=True)
class Turn:
    """Blocks under a name: a message under its sender, or a call under the tool."""

    name: str
    blocks: tuple[Block, ...]
    role: Role = "title"
    note: str = ""
    indent: int = 0
    is_apart: bool = False
    """Whether a blank line stands before it, unless it comes first."""
    can_fold: bool = False
    is_folded: bool = False
    """Whether it is folded at first, if it can fold."""
    are_beside: bool = False
    """Whether its blocks, which are turns that do not fold, stand side by side: as many as there is
    room for, counted from the last. Earlier ones, and all in a narrow document, stand one under the
    other. Without a name the turn has no heading."""


Block: TypeAlias = Text | Words | Facts | Values | Link | Turn


@dataclass(frozen=True, slots=True)
class Section:
    """A titled part of a document; one without a title has no heading and does not fold."""

    key: str
    """Identifies the folds of this section, from one document to the next."""
    title: str
    blocks: tuple[Block, ...]
    note: str = ""
    role: Role = "title"
    is_folded: bool = False
    """Whether it is folded when it is first shown."""
    target: object | None = None
    """What following its heading posts, which then only folds with the arrows."""


Content: TypeAlias = JsonValue | Block | Section


def copied(content: Content) -> str:
    """Return a part of a document as text to copy: texts as they are, data as JSON."""
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
    """Return a value as indented JSON."""
    return json.dumps(value, ensure_ascii=False, indent=2)
