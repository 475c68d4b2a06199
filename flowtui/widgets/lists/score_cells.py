"""Scores as cells of a table: a score of a sample, and the summary of a set's scores."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import islice

from flowtui import format as fmt
from flowtui.store.samples.score_values import (
    NumberSummary,
    ScoreSummary,
    as_float,
    is_number,
    place,
)
from flowtui.store.samples.values import KeyType
from flowtui.store.samples.views import is_error_key
from flowtui.store.values import JsonValue
from flowtui.widgets.cells import Piece, Role

TEXT_CHARS = 200
NESTED_CHARS = 40
NESTED_ITEMS = 8
"""Of an object or list with more items than this, only their number is shown."""
TOP_SHOWN = 3
LABEL_CHARS = 16
SUMMARY_CELLS = 12
"""How many cells a mean, a minimum or a maximum may take, so that all three fit."""
MAX_DECIMALS = 6
"""How many decimals the scores of a key may have; if more are needed, they are not aligned."""
MAX_SUMMARY_DECIMALS = 12
"""How many decimals may show how a mean, a minimum and a maximum differ.

With more decimals than these, a power of ten is easier to read.
"""
NUMBER_CELLS = 8
"""How many cells a number may take if it has more decimals, so as not to look like a round one."""
LOW_SHARE = 0.25
"""The lowest part of a key's range: its numbers are coloured for attention."""
ABSENT = "–"


def score_piece(value: JsonValue, summary: ScoreSummary | None = None) -> Piece:
    """Return a score as a cell of a column that is aligned to the right.

    With a summary, a number has as many decimals as the range of its key needs, and a bar that
    shows its place in that range.

    Args:
        value: The score.
        summary: The summary of the scores with the same key; None if it is not known.
    """
    if value is None:
        return Piece(ABSENT, "muted")
    if isinstance(value, bool):
        return Piece("✓ true", "ok") if value else Piece("✗ false", "error")
    if is_number(value):
        return _number(value, None if summary is None else summary.numbers)
    if isinstance(value, str):
        is_error = summary is not None and is_error_key(summary.key)
        return Piece(fmt.plain(value, TEXT_CHARS), "error" if is_error else "text")
    return Piece(nested_text(value), "muted")


def nested_text(value: JsonValue) -> str:
    """Return an object or list as a short line."""
    if isinstance(value, (list, dict)) and len(value) > NESTED_ITEMS:
        return f"[{len(value):,}]" if isinstance(value, list) else f"{{{len(value):,}}}"
    return fmt.json_text(_without_depth(value), NESTED_CHARS)


def histogram_text(numbers: NumberSummary) -> str:
    """Return a bar for each bin; a bin with a single score is higher than an empty one."""
    most = max(numbers.histogram)
    top = len(fmt.BARS) - 1
    return "".join(fmt.BARS[math.ceil(count / most * top)] for count in numbers.histogram)


def summary_cells(summary: ScoreSummary) -> tuple[Piece, ...]:
    """Return the summary of a key's scores as short texts for each type of score that it has.

    They are `83 % (10 ✗)` for booleans, `0.725` and `0.50–0.95` for numbers, `good 12 · bad 3` for
    texts, and `absent` if no sample has a score.
    """
    if not summary.count:
        return (Piece("absent", "muted"),)
    pieces: list[Piece] = []
    if summary.pass_rate is not None:
        failed = summary.boolean_count - summary.pass_count
        pieces.append(Piece(_passed(summary.pass_rate, failed), "error" if failed else "ok"))
    if summary.numbers is not None:
        pieces += _number_cells(summary.numbers)
    odd = fmt.counted(((summary.nan_count, "NaN"), (summary.inf_count, "Inf")))
    if odd:
        pieces.append(Piece(f"▲ {', '.join(odd)}", "attention"))
    if summary.texts is not None:
        pieces.append(_text_counts(summary))
    nested = sum(summary.types.get(type_, 0) for type_ in (KeyType.LIST, KeyType.OBJECT))
    if nested:
        pieces.append(Piece(f"{nested:,} nested", "muted"))
    if summary.missing:
        pieces.append(Piece(f"{summary.missing:,} missing", "muted"))
    return tuple(pieces)


def _number(value: float, numbers: NumberSummary | None) -> Piece:
    number = as_float(value)
    if not math.isfinite(number):
        # Two blanks take the place of the bar, so that it is aligned with the numbers.
        return Piece(fmt.number(number) + ("" if numbers is None else "  "), "attention")
    if numbers is None:
        return Piece(fmt.number(value))
    low, high = numbers.minimum, numbers.maximum
    share = min(max(place(number, low, high), 0.0), 1.0)
    bar = fmt.BARS[min(int(share * len(fmt.BARS)), len(fmt.BARS) - 1)]
    role: Role = "attention" if low < high and share < LOW_SHARE else "text"
    return Piece(f"{aligned_number(value, numbers)} {bar}", role)


def aligned_number(value: float, numbers: NumberSummary) -> str:
    """Return a finite number as text; right-aligned, the points of a key's numbers are in line."""
    decimals = _decimals(numbers)
    if decimals is None:
        return fmt.number(value, 3, cells=NUMBER_CELLS)
    if isinstance(value, int):
        return f"{value:,}" + ("" if _is_whole(numbers) else " " * (decimals + bool(decimals)))
    if _is_whole(numbers) and value == int(value):
        return f"{value:,.0f}"
    return fmt.with_decimals(value, decimals, NUMBER_CELLS)


def cells_of_numbers(numbers: NumberSummary) -> int:
    """Return the width of the widest of a key's numbers with its bar."""
    some = (numbers.minimum, numbers.median, numbers.maximum)
    return max(len(aligned_number(value, numbers)) for value in some) + len(" ▁")


def _decimals(numbers: NumberSummary) -> int | None:
    """Return how many decimals show three digits of the largest number; None if too many."""
    largest = max(abs(numbers.minimum), abs(numbers.maximum))
    if largest == 0:
        return 0
    decimals = max(3 - math.ceil(math.log10(largest)), 0)
    return decimals if decimals <= MAX_DECIMALS and largest < 1e9 else None


def _is_whole(numbers: NumberSummary) -> bool:
    """Return whether the numbers look like counts or grades, not like rates between 0 and 1."""
    some = (numbers.minimum, numbers.maximum, numbers.median)
    return numbers.maximum - numbers.minimum > 1 and all(one.is_integer() for one in some)


def _number_cells(numbers: NumberSummary) -> list[Piece]:
    if numbers.minimum == numbers.maximum:
        return [Piece(fmt.number(numbers.mean, 3))]
    mean, low, high = _mean_and_ends(numbers)
    dash = " – " if "-" in f"{low}{high}" else "–"
    return [Piece(mean), Piece(f"{low}{dash}{high}", "muted")]


def _mean_and_ends(numbers: NumberSummary) -> Sequence[str]:
    """Return mean, minimum and maximum with enough digits to be in the right order, and differ."""
    values = (numbers.mean, numbers.minimum, numbers.maximum)
    decimals = _decimals(numbers)
    if decimals is None or _is_whole(numbers):
        return fmt.extremes(*values, 3, SUMMARY_CELLS)
    for of_ends in range(max(decimals - 1, 0), MAX_SUMMARY_DECIMALS):
        wanted = tuple(zip(values, (max(decimals, of_ends), of_ends, of_ends), strict=True))
        texts = [fmt.with_decimals(value, one, NUMBER_CELLS) for value, one in wanted]
        plain = [f"{value:,.{one}f}" for value, one in wanted]
        mean, low, high = (float(text.replace(",", "")) for text in plain)
        # A number that would be rounded to 0 has an exponent, whatever the others' decimals.
        is_told = all(text == one or "e" in text for text, one in zip(texts, plain, strict=True))
        if is_told and low <= mean <= high and len({mean, low, high}) == len(set(values)):
            return texts
    return fmt.extremes(*values, 3, SUMMARY_CELLS)


def _passed(rate: float, failed: int) -> str:
    return fmt.percent(rate) + (f" ({failed:,} ✗)" if failed else "")


def _text_counts(summary: ScoreSummary) -> Piece:
    texts = summary.texts
    if texts is None:
        return Piece("")
    shown = texts.top[:TOP_SHOWN]
    rest = texts.count - sum(count for _, count in shown)
    parts = [f"{_label(text)} {count:,}" for text, count in shown]
    parts += [f"others {rest:,}"] if rest and shown else []
    role: Role = "error" if is_error_key(summary.key) else "text"
    return Piece(" · ".join(parts) or fmt.count(texts.count, "text"), role)


def _label(text: str) -> str:
    shown = fmt.plain(text[: LABEL_CHARS + 1])
    return f"{shown[: LABEL_CHARS - 1]}…" if len(shown) > LABEL_CHARS else shown or '""'


def _without_depth(value: JsonValue) -> JsonValue:
    """Return a value with its nested containers replaced by their lengths, and long texts cut."""

    def short(item: JsonValue) -> JsonValue:
        if isinstance(item, (list, dict)) and item:
            return f"[{len(item):,}]" if isinstance(item, list) else f"{{{len(item):,}}}"
        return item[:NESTED_CHARS] if isinstance(item, str) else item

    if isinstance(value, dict):
        return {key[:NESTED_CHARS]: short(item) for key, item in islice(value.items(), 8)}
    return [short(item) for item in value] if isinstance(value, list) else value
