"""Documents with bounded texts, so that they stay small whatever was read.

Conversations, media and tools are first parsed from whole values; then each long text is cut here,
with its full length noted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from flowtui.store.bounded_json import Bounds, bounded
from flowtui.store.values import JsonValue
from flowtui.widgets.documents.blocks import Block, Fact, Facts, Section, Text, Turn, Values

TEXT_CHARS = 500_000
"""The length up to which a text is kept: more than anybody reads without a pager."""
_BOUNDS = Bounds(text_chars=TEXT_CHARS)


def bounded_sections(sections: Sequence[Section]) -> tuple[Section, ...]:
    """Return sections in which no text is longer than `TEXT_CHARS`."""
    return tuple(
        replace(section, blocks=tuple(map(_block, section.blocks))) for section in sections
    )


def _block(block: Block) -> Block:
    match block:
        case Text(text=text) if len(text) > TEXT_CHARS:
            return replace(block, text=text[:TEXT_CHARS], full_chars=block.full_chars or len(text))
        case Facts(rows=rows):
            return replace(block, rows=tuple(map(_fact, rows)))
        case Turn(blocks=blocks):
            return replace(block, blocks=tuple(map(_block, blocks)))
        case Values(values=values):
            cut = dict(block.cut)
            kept: dict[str, JsonValue] = {
                name: bounded(value, name, _BOUNDS, cut) for name, value in values.items()
            }
            return replace(block, values=kept, cut=cut)
    return block


def _fact(fact: Fact) -> Fact:
    if len(fact.text) <= TEXT_CHARS:
        return fact
    return replace(fact, text=fact.text[:TEXT_CHARS], full_chars=fact.full_chars or len(fact.text))
