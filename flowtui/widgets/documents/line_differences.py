"""The difference of two files line by line: what changed, with a few equal lines around it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from flowtui import format as fmt
from flowtui.store.values import JsonValue
from flowtui.widgets.cells import Line, Piece, Role
from flowtui.widgets.documents.differences import (
    MAX_KEYS,
    MAX_TOKENS,
    DiffKind,
    key_diff,
    shared_lines,
    word_diff,
)

AROUND = 3
"""How many equal lines are shown before and after a change."""
MAX_PAIRED_CHARS = 2_000
"""Longer lines are not compared word by word."""
VALUE_CHARS = 200
TAB = "    "


@dataclass(frozen=True, slots=True)
class LineDifference:
    """The lines to show, and where the changes begin among them."""

    lines: tuple[Line, ...]
    changes: tuple[int, ...]
    words: str
    """How much differs; empty if nothing does."""
    note: str = ""
    """What the difference leaves out."""


def line_difference(
    before: Sequence[str], after: Sequence[str], letters: tuple[str, str], noun: str = "line"
) -> LineDifference:
    """Return how one text became another, line by line.

    Args:
        before: The lines of the first, not made safe.
        after: Those of the second.
        letters: What a person calls the two.
        noun: What a line is.
    """
    lines: list[Line] = []
    changes: list[int] = []
    removed = added = 0
    cells = len(str(max(len(before), len(after), 1)))
    at_before = at_after = 0
    matches = [*_joined(shared_lines(before, after)), (len(before), len(after), 0)]
    for index, (i, j, count) in enumerate(matches):
        gone, come = before[at_before:i], after[at_after:j]
        if gone or come:
            changes.append(len(lines))
            removed += len(gone)
            added += len(come)
            lines += _changed(gone, come, (at_before, at_after), letters, cells)
        is_last = index == len(matches) - 1 or (i + count, j + count) == (len(before), len(after))
        same = before[i : i + count]
        lines += _same(same, i, cells, not changes, is_last, noun)
        at_before, at_after = i + count, j + count
    if not changes:
        return LineDifference((), (), "")
    words = " · ".join(
        [
            *([f"{fmt.count(removed, noun)} only in {letters[0]}"] if removed else []),
            *([f"{fmt.count(added, noun)} only in {letters[1]}"] if added else []),
        ]
    )
    note = ""
    if len(before) + len(after) > MAX_TOKENS and changes:
        note = f"with so many {noun}s only their beginnings and ends are matched"
    return LineDifference(tuple(lines), tuple(changes), words, note)


def _joined(matches: Iterable[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """Return matches with those joined that follow each other in both texts."""
    joined: list[tuple[int, int, int]] = []
    for i, j, count in matches:
        if joined and (i, j) == (joined[-1][0] + joined[-1][2], joined[-1][1] + joined[-1][2]):
            joined[-1] = (*joined[-1][:2], joined[-1][2] + count)
        elif count:
            joined.append((i, j, count))
    return joined


def _same(
    same: Sequence[str], first: int, cells: int, is_first: bool, is_last: bool, noun: str
) -> Iterator[Line]:
    head = 0 if is_first else AROUND
    tail = 0 if is_last else AROUND
    hidden = len(same) - head - tail
    if hidden <= 1:
        head, hidden = len(same), 0
    for at, text in enumerate(same[:head]):
        yield _line(" ", first + at, text, "muted", cells)
    if hidden > 0:
        yield [Piece(f" … {fmt.count(hidden, f'equal {noun}')}", "muted")]
        for at, text in enumerate(same[len(same) - tail :] if tail else ()):
            yield _line(" ", first + len(same) - tail + at, text, "muted", cells)


def _changed(
    gone: Sequence[str],
    come: Sequence[str],
    firsts: tuple[int, int],
    letters: tuple[str, str],
    cells: int,
) -> Iterator[Line]:
    """Yield the lines of a change; lines that replace others one by one show the changed words."""
    pairs = list(zip(gone, come, strict=True)) if len(gone) == len(come) else []
    marked = [_words(*pair) for pair in pairs]
    for at, text in enumerate(gone):
        pieces = marked[at][0] if marked else [Piece(_safe(text), "error")]
        yield [_head(f"- {letters[0]}", firsts[0] + at, "error", cells), *pieces]
    for at, text in enumerate(come):
        pieces = marked[at][1] if marked else [Piece(_safe(text), "ok")]
        yield [_head(f"+ {letters[1]}", firsts[1] + at, "ok", cells), *pieces]


def _words(gone: str, come: str) -> tuple[list[Piece], list[Piece]]:
    """Return two lines with their own words marked, in brackets as without colours too."""
    if max(len(gone), len(come)) > MAX_PAIRED_CHARS:
        return [Piece(_safe(gone), "error")], [Piece(_safe(come), "ok")]
    runs = word_diff(come, gone)
    if not any(run.kind is DiffKind.SAME and run.text.strip() for run in runs):
        return [Piece(_safe(gone), "error")], [Piece(_safe(come), "ok")]
    left: list[Piece] = []
    right: list[Piece] = []
    for run in runs:
        text = _safe(run.text)
        if run.kind is not DiffKind.ONLY_OUTPUT:
            is_own = run.kind is DiffKind.ONLY_REFERENCE
            left.append(Piece(f"[-{text}-]", "error") if is_own else Piece(text))
        if run.kind is not DiffKind.ONLY_REFERENCE:
            is_own = run.kind is DiffKind.ONLY_OUTPUT
            right.append(Piece(f"{{+{text}+}}", "ok") if is_own else Piece(text))
    return left, right


def _head(mark: str, at: int, role: Role, cells: int) -> Piece:
    return Piece(f"{mark:<3} {at + 1:>{cells}}  ", role)


def _line(mark: str, at: int, text: str, role: Role, cells: int) -> Line:
    return [_head(mark, at, "muted", cells), Piece(_safe(text), role)]


def _safe(text: str) -> str:
    return fmt.plain(text.replace("\t", TAB), max(len(text) * len(TAB), 1))


def json_difference(
    before: JsonValue, after: JsonValue, letters: tuple[str, str]
) -> LineDifference:
    """Return in which paths two JSON values differ, with both values."""
    found = key_diff(after, before)
    differing = [one for one in found if not one.is_same]
    lines: list[Line] = []
    for one in differing:
        path = Piece(f" {fmt.plain(one.path or 'value', 300)}", "title")
        if not one.in_output:
            said = f"{_value(one.reference)}   only in {letters[0]}"
            lines += [[Piece(" -", "error"), path], [Piece(f"     {said}", "error")]]
        elif not one.in_reference:
            said = f"{_value(one.output)}   only in {letters[1]}"
            lines += [[Piece(" +", "ok"), path], [Piece(f"     {said}", "ok")]]
        else:
            lines += [
                [Piece(" ≠", "attention"), path],
                [Piece(f"   {letters[0]} ", "error"), Piece(_value(one.reference))],
                [Piece(f"   {letters[1]} ", "ok"), Piece(_value(one.output))],
            ]
    changes = tuple(
        at for at, line in enumerate(lines) if len(line) == 2 and line[1].role == "title"
    )
    in_both = len(found) - len(differing)
    words = f"{fmt.count(len(differing), 'path differs', 'paths differ')}, {in_both:,} equal"
    note = f"only the first {MAX_KEYS:,} paths are compared" if len(found) == MAX_KEYS else ""
    return LineDifference(tuple(lines), changes, words if differing else "", note)


def _value(value: JsonValue) -> str:
    if isinstance(value, str):
        # 5 and "5" differ.
        more = f"… {len(value):,} characters" if len(value) > VALUE_CHARS else ""
        return f'"{fmt.plain(value[:VALUE_CHARS], VALUE_CHARS)}"{more}'
    return fmt.json_text(value, VALUE_CHARS)
