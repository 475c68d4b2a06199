"""Scores to cells of a table: one score of a sample, and what the scores of a set add up to."""

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
"""Of an object or list with more values only their number is given."""
TOP_SHOWN = 3
LABEL_CHARS = 16
SUMMARY_CELLS = 12
"""Of a mean, a minimum and a maximum, so that all three have room beside each other."""
MAX_DECIMALS = 6
MOST_DECIMALS = 12
"""With more of them, the power of ten is easier to read."""
NUMBER_CELLS = 8
"""What decimals may take that tell a number from a round one."""
LOW_SHARE = 0.25
"""Numbers in the lowest part of their key's range call for attention."""
BARS = "▁▂▃▄▅▆▇█"
ABSENT = "–"


def score_piece(value: JsonValue, summary: ScoreSummary | None = None) -> Piece:
    """Return a score as text and role, so that a column of them can be aligned to the right.

    With a summary, numbers have as many decimals as the key's range asks for, and a bar that says
    where in the range they are.

    Args:
        value: the score.
        summary: of its key, over the samples that are listed.
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
    """Return an object or list on a short line."""
    if isinstance(value, (list, dict)) and len(value) > NESTED_ITEMS:
        return f"[{len(value):,}]" if isinstance(value, list) else f"{{{len(value):,}}}"
    return fmt.json_text(_without_depth(value), NESTED_CHARS)


def histogram_text(numbers: NumberSummary) -> str:
    """Return a bar for each bin; one that holds anything is higher than one that is empty."""
    most = max(numbers.histogram)
    top = len(BARS) - 1
    return "".join(BARS[math.ceil(count / most * top)] for count in numbers.histogram)


def summary_cells(summary: ScoreSummary) -> tuple[Piece, ...]:
    """Return what a key's scores add up to, in a few short texts: one for each type there is.

    `83 % (10 ✗)` of booleans, `0.725` and `0.50–0.95` of numbers, `good 12 · bad 3` of texts;
    `absent` where no sample has a score.
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
        # Over the numbers, not over their bars.
        return Piece(fmt.number(number) + ("" if numbers is None else "  "), "attention")
    if numbers is None:
        return Piece(fmt.number(value))
    low, high = numbers.minimum, numbers.maximum
    share = min(max(place(number, low, high), 0.0), 1.0)
    bar = BARS[min(int(share * len(BARS)), len(BARS) - 1)]
    role: Role = "attention" if low < high and share < LOW_SHARE else "text"
    return Piece(f"{aligned_number(value, numbers)} {bar}", role)


def aligned_number(value: float, numbers: NumberSummary) -> str:
    """Return a finite number so that, right-aligned, its point is in line with its key's others."""
    decimals = _decimals(numbers)
    if decimals is None:
        return fmt.number(value, 3, cells=NUMBER_CELLS)
    if isinstance(value, int):
        return f"{value:,}" + ("" if _is_whole(numbers) else " " * (decimals + bool(decimals)))
    if _is_whole(numbers) and value == int(value):
        return f"{value:,.0f}"
    return fmt.with_decimals(value, decimals, NUMBER_CELLS)


def cells_of_numbers(numbers: NumberSummary) -> int:
    """Return how wide the widest of a key's numbers is, with its bar."""
    some = (numbers.minimum, numbers.median, numbers.maximum)
    return max(len(aligned_number(value, numbers)) for value in some) + len(" ▁")


def _decimals(numbers: NumberSummary) -> int | None:
    """Return how many decimals show three digits of the largest number, None if too many."""
    largest = max(abs(numbers.minimum), abs(numbers.maximum))
    if largest == 0:
        return 0
    decimals = max(3 - math.ceil(math.log10(largest)), 0)
    return decimals if decimals <= MAX_DECIMALS and largest < 1e9 else None


def _is_whole(numbers: NumberSummary) -> bool:
    """Say whether the numbers look like counts or marks; a rate that is 0 or 1 does not."""
    some = (numbers.minimum, numbers.maximum, numbers.median)
    return numbers.maximum - numbers.minimum > 1 and all(one.is_integer() for one in some)


def _number_cells(numbers: NumberSummary) -> list[Piece]:
    if numbers.minimum == numbers.maximum:
        return [Piece(fmt.number(numbers.mean, 3))]
    mean, low, high = _mean_and_ends(numbers)
    dash = " – " if "-" in f"{low}{high}" else "–"
    return [Piece(mean), Piece(f"{low}{dash}{high}", "muted")]


def _mean_and_ends(numbers: NumberSummary) -> Sequence[str]:
    """Return mean, minimum and maximum with as many digits as show how they lie."""
    values = (numbers.mean, numbers.minimum, numbers.maximum)
    decimals = _decimals(numbers)
    if decimals is None or _is_whole(numbers):
        return fmt.extremes(*values, 3, SUMMARY_CELLS)
    for of_ends in range(max(decimals - 1, 0), MOST_DECIMALS):
        wanted = tuple(zip(values, (max(decimals, of_ends), of_ends, of_ends), strict=True))
        texts = [fmt.with_decimals(value, one, NUMBER_CELLS) for value, one in wanted]
        plain = [f"{value:,.{one}f}" for value, one in wanted]
        mean, low, high = (float(text.replace(",", "")) for text in plain)
        # One that would read as none has a form of its own, whatever the decimals of the others.
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
    """Return a value with what is nested in it given by its number, and long texts cut."""

    def short(item: JsonValue) -> JsonValue:
        if isinstance(item, (list, dict)) and item:
            return f"[{len(item):,}]" if isinstance(item, list) else f"{{{len(item):,}}}"
        return item[:NESTED_CHARS] if isinstance(item, str) else item

    if isinstance(value, dict):
        return {key[:NESTED_CHARS]: short(item) for key, item in islice(value.items(), 8)}
    return [short(item) for item in value] if isinstance(value, list) else value
