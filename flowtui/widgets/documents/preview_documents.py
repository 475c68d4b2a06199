"""Previews of structured files as sections of a document: JSON, JSONL, Word, arrays, archives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from flowtui import format as fmt
from flowtui.previews.document_blocks import (
    Code,
    Heading,
    Item,
    Markdown,
    Member,
    Paragraph,
    Problem,
    Table,
)
from flowtui.previews.values import DocumentPage, JsonRecord, JsonRecords, JsonTree, Listing
from flowtui.store.values import JsonValue
from flowtui.widgets.documents import preview_markdown, preview_text
from flowtui.widgets.documents.blocks import Block, Link, Section, Text, Values
from flowtui.widgets.documents.value_runs import items_of

InSection: TypeAlias = Paragraph | Item | Table | Code | Problem | Member

OPEN_ALL_BELOW = 40
"""With fewer values than this inside the outermost ones, two nested levels are open; else none."""
MAX_PROBLEMS = 5
LEVEL_CELLS = 2
_GAP = Text("")
MAX_FOLDERS = 20
"""How many folders above a member of an archive are shown as folders."""


def json_sections(tree: JsonTree) -> list[Section]:
    """Return one JSON value as a tree, after a warning about what it lacks of the file."""
    lacks = [] if tree.problem is None else [_warning(f"The file {tree.problem}.")]
    return [Section("json", "", (*lacks, _values("json", tree.value)))]


def record_sections(pages: Sequence[JsonRecords]) -> list[Section]:
    """Return the records of JSONL, each foldable under its number, after the broken lines."""
    records = [record for page in pages for record in page.records]
    first = pages[0].part.first
    numbered = {
        str(number): record.value for number, record in enumerate(records, (first or 0) + 1)
    }
    blocks: list[Block] = list(_broken(records, (first or 0) + 1))
    blocks.append(Values("records", numbered, open_levels=1 if len(records) == 1 else 0))
    return [Section("records", "", tuple(blocks))]


def _broken(records: Sequence[JsonRecord], first: int) -> list[Text]:
    found = [(n, one.problem) for n, one in enumerate(records, first) if one.problem]
    texts = [_warning(f"line {n:,} {problem}") for n, problem in found[:MAX_PROBLEMS]]
    if len(found) > MAX_PROBLEMS:
        texts.append(Text(f"▲ {len(found) - MAX_PROBLEMS:,} more such lines", "attention"))
    return texts


def _warning(text: str) -> Text:
    return Text(f"▲ {fmt.plain(text, 300)}", "attention")


def _values(key: str, value: JsonValue) -> Values:
    if not isinstance(value, (dict, list)) or not value:
        return Values(key, {"value": value})
    named = {str(name): inner for name, inner in items_of(value)}
    inside = sum(len(inner) for inner in named.values() if isinstance(inner, (dict, list)))
    return Values(key, named, open_levels=2 if inside < OPEN_ALL_BELOW else 0)


def document_sections(pages: Sequence[DocumentPage]) -> list[Section]:
    """Return a document with a section for each heading; following a file posts its `Member`."""
    parts: list[tuple[str, list[Block]]] = [("", [])]
    for block in (block for page in pages for block in page.blocks):
        match block:
            case Heading(text=text):
                parts.append((text, []))
            case Markdown(text):
                for section in preview_markdown.sections(text.splitlines()):
                    if section.title:
                        parts.append((section.title, []))
                    parts[-1][1].extend([*section.blocks, _GAP])
            case _:
                if (
                    isinstance(block, Code)
                    and block.label
                    and parts[-1][1][-1:] not in ([], [_GAP])
                ):
                    parts[-1][1].append(_GAP)
                parts[-1][1].append(_block(block))
    return [
        Section(f"h{number}", title, preview_markdown.trimmed(blocks))
        for number, (title, blocks) in enumerate(parts)
        if title or blocks
    ]


def _block(block: InSection) -> Block:
    match block:
        case Item(text, level, is_numbered):
            return Text(text, indent=LEVEL_CELLS * level, label="#" if is_numbered else "•")
        case Table(rows, row_count):
            hidden = row_count - len(rows)
            return preview_markdown.table(rows, f"… {hidden:,} more rows" if hidden > 0 else "")
        case Code(text, language, label, hidden):
            pieces = preview_text.code_pieces(text, language) if language else ()
            full = len(text) + hidden if hidden else None
            return Text(
                text, label=label, pieces=pieces, indent=0 if label else LEVEL_CELLS,
                full_chars=full,
            )  # fmt: skip
        case Problem(text):
            return Text(f"✗ {text}", "error", indent=LEVEL_CELLS)
        case Member(name, size_bytes):
            return Link(f"→ {name}  {fmt.size(size_bytes)}", block, indent=LEVEL_CELLS)
        case Paragraph(text, is_quoted=True):
            return Text(f"{text}\n", "muted", indent=LEVEL_CELLS, label="│")
        case Paragraph(text):
            return Text(f"{text}\n")


def member_sections(pages: Sequence[Listing]) -> list[Section]:
    """Return the members of an archive as a tree; following a file posts its `Member`."""
    root: dict[str, JsonValue] = {}
    targets: dict[tuple[str | int, ...], object] = {}
    count = 0
    for member in (member for page in pages for member in page.members):
        count += 1
        *above, name = _path_of(member.name)
        folder, path = root, tuple(above)
        for part in above:
            inner = folder.setdefault(part, {})
            assert isinstance(inner, dict)
            folder = inner
        if not name:
            continue
        shown, number = name, 1
        while shown in folder:
            # Archives may have several members of one name.
            number += 1
            shown = f"{name} ({number})"
        folder[shown] = fmt.size(member.size_bytes) if member.type == "file" else member.type
        if member.type == "file":
            targets[(*path, shown)] = member
    if not root:
        return []
    levels = MAX_FOLDERS if count < OPEN_ALL_BELOW else 0
    tree = Values("members", root, open_levels=levels, targets=targets)
    return [Section("members", "", (tree,))]


def _path_of(name: str) -> list[str]:
    """Return the folders of a member, each with a slash, and its own name: empty for a folder."""
    parts = name.split("/")
    above = [f"{part}/" for part in parts[:-1][:MAX_FOLDERS]]
    return [*above, "/".join(parts[len(above) :])]


def about_section(title: str, about: JsonValue) -> list[Section]:
    """Return what a file says about itself, foldable under a title."""
    return [Section("about", title, (_values("about", about),))]


def shape(numbers: Sequence[int]) -> str:
    """Return dimensions as `50,000 × 768`; `scalar` if there are none."""
    return " × ".join(f"{number:,}" for number in numbers) or "scalar"


def size_or_nothing(size_bytes: int | None) -> str:
    return "" if size_bytes is None else fmt.size(size_bytes)
