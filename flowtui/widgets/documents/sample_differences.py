"""The difference between an output and its reference as blocks, readable without colour too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len

from flowtui import format as fmt
from flowtui.store.values import JsonValue
from flowtui.widgets.cells import Piece, Role, fit
from flowtui.widgets.documents.blocks import Block, Fact, Facts, Text
from flowtui.widgets.documents.differences import (
    MAX_KEYS,
    DiffKind,
    DiffRun,
    KeyDifference,
    key_diff,
    word_diff,
)

SHORT_CELLS = 28
"""Two values of at most this length stand on one line."""
SHOWN_SAME = 20
"""How many keys with equal values are shown."""
SHOWN_KEYS = 200
"""How many keys that differ are shown."""
VALUE_CHARS = 2_000
"""How much of a value is shown."""
_MARKS: dict[DiffKind, tuple[str, str, Role]] = {
    DiffKind.SAME: ("", "", "text"),
    DiffKind.ONLY_REFERENCE: ("[-", "-]", "error"),
    DiffKind.ONLY_OUTPUT: ("{+", "+}", "ok"),
}


def text_block(
    output: str, reference: str, sides: tuple[str, str] = ("the output", "the reference")
) -> tuple[Block, ...]:
    """Return two texts as one, with the parts of only one of them in brackets.

    Args:
        output: The text whose own parts are additions.
        reference: The text whose own parts are missing from the other.
        sides: What a person calls the two.
    """
    runs = word_diff(output, reference)
    legend = Text(f"[-only in {sides[1]}-]  {{+only in {sides[0]}+}}", "muted")
    pieces = tuple(_marked(run) for run in runs)
    if not any(run.kind is DiffKind.SAME and run.text.strip() for run in runs):
        return (Text("they share no words", "muted"), _joined(pieces))
    longest = max((len(run.text) for run in runs if run.kind is not DiffKind.SAME), default=0)
    if longest > VALUE_CHARS:
        # Texts too long to compare by words are one large change; its beginning helps most.
        at = len(runs[0].text) if runs[0].kind is DiffKind.SAME else 0
        note = Text(f"first difference at character {at + 1:,}", "muted")
        return (note, legend, _joined(pieces))
    return (legend, _joined(pieces))


def marked_pieces(output: str, reference: str) -> tuple[Piece, ...]:
    """Return two texts as one in pieces, with the parts of only one of them in brackets."""
    return tuple(_marked(run) for run in word_diff(output, reference))


def key_block(output: JsonValue, reference: JsonValue) -> tuple[Block, ...]:
    """Return two JSON values key by key: first the keys that differ, then the others."""
    found = key_diff(output, reference)
    differing = [row for row in found if not row.is_same]
    same = [row for row in found if row.is_same]
    shown = [*differing[:SHOWN_KEYS], *same[:SHOWN_SAME]]
    texts = [(_short(row.output), _short(row.reference)) for row in shown]
    pairs = [pair for row, pair in zip(shown, texts, strict=True) if _is_pair(row, pair)]
    cells = max((cell_len(output) for output, _ in pairs), default=0)
    rows: list[Fact] = []
    for row, pair in zip(shown, texts, strict=True):
        rows += _facts(row, pair, cells)
    notes = [
        *_left_out(len(differing) - SHOWN_KEYS, "more path that differs", "more paths that differ"),
        *_left_out(len(same) - SHOWN_SAME, "more path is the same", "more paths are the same"),
    ]
    if len(found) == MAX_KEYS:
        notes.append(Text(f"only the first {MAX_KEYS:,} paths are compared", "attention"))
    head = [Text(_counts(found), "muted")]
    if any(not row.is_same for row in found if row.in_output and row.in_reference):
        head.append(Text("output │ reference", "muted"))
    return (*head, Facts(tuple(rows)), *notes)


def _counts(found: Sequence[KeyDifference]) -> str:
    in_both = [row for row in found if row.in_output and row.in_reference]
    differing = sum(not row.is_same for row in in_both)
    said = [f"{differing:,} of {fmt.count(len(in_both), 'shared value')} differ"]
    said += fmt.counted(
        (
            (sum(not row.in_reference for row in found), "only in output"),
            (sum(not row.in_output for row in found), "only in reference"),
        )
    )
    return " · ".join(said)


def _marked(run: DiffRun) -> Piece:
    before, after, role = _MARKS[run.kind]
    return Piece(f"{before}{run.text}{after}", role)


def _joined(pieces: tuple[Piece, ...]) -> Text:
    return Text("".join(piece.text for piece in pieces), pieces=pieces)


def _facts(row: KeyDifference, texts: tuple[str, str], cells: int) -> Iterator[Fact]:
    name = row.path or "value"
    output, reference = texts
    if row.is_same:
        yield Fact(f"= {name}", output, "muted")
    elif not row.in_reference:
        yield Fact(f"+ {name}", f"{output}   only in the output", "attention")
    elif not row.in_output:
        yield Fact(f"- {name}", f"{reference}   only in the reference", "attention")
    elif _is_pair(row, texts):
        yield Fact(f"≠ {name}", f"{fit(output, cells)} │ {reference}", "attention")
    else:
        yield Fact(f"≠ {name}", output, "attention")
        yield Fact("", f"│ {reference}", "attention")


def _is_pair(row: KeyDifference, texts: tuple[str, str]) -> bool:
    are_short = all(cell_len(text) <= SHORT_CELLS and "\n" not in text for text in texts)
    return are_short and row.in_output and row.in_reference and not row.is_same


def _short(value: JsonValue) -> str:
    """Return a value as short JSON, in which texts have quotes."""
    if isinstance(value, str):
        rest = len(value) - VALUE_CHARS
        more = f"… {rest:,} more characters" if rest > 0 else ""
        return f'"{fmt.plain(value[:VALUE_CHARS], VALUE_CHARS)}"{more}'
    return fmt.json_text(value, VALUE_CHARS)


def _left_out(count: int, one: str, more: str) -> Iterator[Text]:
    if count > 0:
        yield Text(f"… {fmt.count(count, one, more)}", "muted")
