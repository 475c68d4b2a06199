"""Values to text: pure functions, no clock, no Textual. Numbers have a module of their own.

`plain` is the only door for text out of a store. Whatever it lets through is printable, has no
power over a terminal, reads in the order it is stored, and is of bounded length.
"""

from __future__ import annotations

import json
import math
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, tzinfo
from itertools import pairwise
from pathlib import Path

from flowtui.joiners import ZWJ, ZWNJ, with_joiners_shown
from flowtui.number_text import aligned as aligned
from flowtui.number_text import distinct as distinct
from flowtui.number_text import exact as exact
from flowtui.number_text import extremes as extremes
from flowtui.number_text import fitted as fitted
from flowtui.number_text import number as number
from flowtui.number_text import percent as percent
from flowtui.number_text import with_decimals as with_decimals
from flowtui.store.liveness.standing import Activity, Standing
from flowtui.store.values import Bucket, JsonValue, Status

DEFAULT_LIMIT = 1_000
"""How many characters are shown of a text: more than the widest terminal shows of one cell."""
MAX_MARKS = 3
"""Combining marks on one letter; more would climb over the neighbouring lines."""

_BIDI = {
    "\u061c": "ALM", "\u200e": "LRM", "\u200f": "RLM", "\u202a": "LRE", "\u202b": "RLE",
    "\u202c": "PDF", "\u202d": "LRO", "\u202e": "RLO", "\u2066": "LRI", "\u2067": "RLI",
    "\u2068": "FSI", "\u2069": "PDI",
}  # fmt: skip
_NAMED = {"\n": "↵", "\r": "␍", "\t": "→", "\x7f": "␡", "\u200b": "‹ZWSP›"}
_NAMED.update({chr(code): chr(0x2400 + code) for code in range(32) if code not in (9, 10)})
_NAMED.update({char: f"‹{name}›" for char, name in _BIDI.items()})
# Variation selectors only choose between two looks of a character, of unpredictable widths.
_NAMED.update({"\ufe0e": "", "\ufe0f": ""})


def plain(text: str, limit: int = DEFAULT_LIMIT) -> str:
    """Return text that is safe to show on one line.

    Controls, format characters and undecodable bytes become visible stand-ins; joiners only where
    no script and no emoji needs them (see `joiners`). Past `limit` characters the text ends with
    how many more there are.
    """
    shown = text[:limit]
    if not (shown.isascii() and shown.isprintable()):
        shown = _visible(shown)
    rest = len(text) - limit
    return f"{shown}… {rest:,} more" if rest > 0 else shown


def one_line(text: str, limit: int) -> str:
    """Return the beginning of a text, safe to show, with a space for each line break and tab."""
    shown = " ".join(text.split())
    return plain(shown[:limit]) + ("…" if len(shown) > limit else "")


def plain_lines(text: str, limit: int = 100 * DEFAULT_LIMIT) -> list[str]:
    """Return text that is safe to show as lines; tabs reach to every fourth column."""
    shown = text[:limit].replace("\r\n", "\n").expandtabs(4)
    lines = [plain(line, len(line)) for line in shown.split("\n")]
    if len(text) > limit:
        lines.append(f"… {len(text) - limit:,} more characters")
    return lines


def plain_text(text: str) -> str:
    """Return all of a text, however long, safe to show as it is."""
    return "\n".join(plain_lines(text, len(text)))


def _visible(text: str) -> str:
    parts: list[str] = []
    marks = 0
    for char in text:
        category = unicodedata.category(char)
        if category in ("Mn", "Me"):
            marks += 1
            if marks > MAX_MARKS and char not in _NAMED:
                continue
            parts.append(_NAMED.get(char, char))
            continue
        if marks > MAX_MARKS:
            parts.append(f"‹{marks - MAX_MARKS} marks›")
        marks = 0
        if char in _NAMED:
            parts.append(_NAMED[char])
        elif category == "Cs":
            # A byte that is not valid UTF-8 arrives as U+DC80 and up.
            code = ord(char)
            parts.append(f"‹{code - 0xDC00:02X}›" if code >= 0xDC80 else f"‹{code:04X}›")
        elif char in (ZWNJ, ZWJ):
            parts.append(char)
        elif category in ("Cc", "Cf", "Zl", "Zp", "Cn"):
            parts.append(f"‹U+{ord(char):04X}›")
        elif category == "Zs":
            parts.append(char if char == "\u3000" else " ")
        else:
            parts.append(char)
    if marks > MAX_MARKS:
        parts.append(f"‹{marks - MAX_MARKS} marks›")
    return with_joiners_shown("".join(parts))


def count(value: int, noun: str, plural: str | None = None) -> str:
    """Return `1 point`, `1,204 points`."""
    return f"{value:,} {noun if value == 1 else plural or noun + 's'}"


def counted(counts: Iterable[tuple[int, str]]) -> list[str]:
    """Return the counts above zero with their words: `5 NaN`, `1 Inf`."""
    return [f"{number_of:,} {word}" for number_of, word in counts if number_of]


def tokens(total: int | None, unread_count: int) -> str:
    """Return the tokens of a trace; `≥` where some of its spans are too large to be read."""
    if not unread_count:
        return "" if total is None else f"{total:,}"
    return "?" if total is None else f"≥{total:,}"


def odd_points(nan_count: int, inf_count: int, unreadable_count: int) -> list[str]:
    """Return how many points of a metric are not finite numbers, by kind."""
    return counted(((nan_count, "NaN"), (inf_count, "Inf"), (unreadable_count, "broken")))


def lost_spans(dropped_count: int, refused_count: int) -> list[str]:
    """Return how many spans were dropped and how many requests of an exporter refused."""
    refused = [count(refused_count, "refused request")] if refused_count else []
    return [*counted([(dropped_count, "dropped")]), *refused]


def unkept_records(log_count: int, metric_count: int) -> str:
    """Return how much came of what a receiver does not keep; nothing where nothing did."""
    counts = ((log_count, "other log record"), (metric_count, "metric"))
    parts = [count(number, noun) for number, noun in counts if number]
    return f"not kept: {', '.join(parts)}" if parts else ""


def size(size_bytes: int) -> str:
    """Return a size in decimal units: `97.8 MB`."""
    if abs(size_bytes) < 1000:
        return f"{size_bytes} B"
    units = ("kB", "MB", "GB", "TB", "PB")
    value, power = size_bytes / 1000, 0
    while abs(value) >= 999.5 and power + 1 < len(units):
        value, power = value / 1000, power + 1
    return f"{value:.3g} {units[power]}" if abs(value) < 999.5 else f"{value:,.0f} {units[power]}"


def duration(seconds: float) -> str:
    """Return a duration as a person says it: `2 h 14 m`, `3.2 s`, `410 ms`."""
    if seconds < 0:
        return f"-{duration(-seconds)}"
    if seconds < 0.9995:
        if seconds == 0:
            return "0 s"
        in_ms = seconds * 1e3
        return f"{in_ms:.3g} ms" if in_ms >= 0.9995 else f"{seconds * 1e6:.3g} µs"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} m {rest} s" if rest and minutes < 10 else f"{minutes} m"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} m" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    # After a hundred days nobody counts hours, and a column of durations has no room for both.
    return f"{days} d {hours} h" if hours and days < 100 else f"{days} d"


def took(start_ns: int | None, end_ns: int | None) -> str:
    """Return how long something took, or the words for why that is not known."""
    if start_ns is None:
        return "no times" if end_ns is None else "no start"
    return "not ended" if end_ns is None else duration((end_ns - start_ns) / 1e9)


def ago(seconds: float) -> str:
    """Return how long ago something was; a little in the future is `now`, since clocks differ."""
    if seconds < 1:
        return "now"
    if seconds < 60:
        return f"{math.floor(seconds)} s ago"
    return f"{duration(seconds // 60 * 60)} ago"


def when(moment: datetime, zone: tzinfo | None = None) -> str:
    """Return a date and time with its zone, local unless one is given."""
    local = moment.astimezone(zone)
    return f"{day(local)} {local:%H:%M %Z}"


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def day(moment: datetime, has_year: bool = True) -> str:
    """Return a date in English, as all the rest is, whatever the locale: `9 Jun 2026`."""
    return f"{moment.day} {_MONTHS[moment.month - 1]}" + (f" {moment.year}" if has_year else "")


def when_exactly(time: float, parts: int, zone: tzinfo | None = None) -> str:
    """Return a Unix time, counted in `parts` a second, in full: `28 May 2026 20:26:40.137`."""
    seconds, part = divmod(time, parts)
    local = datetime.fromtimestamp(int(seconds), UTC).astimezone(zone)
    decimals = f".{int(part):0{len(str(parts)) - 1}}" if parts > 1 else ""
    return f"{day(local, has_year=True)} {local:%H:%M:%S}{decimals}"


def when_short(moment: datetime, zone: tzinfo | None = None) -> str:
    """Return a date and time for a column of them: `2026-11-24 02:04`."""
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"


def when_sent(text: str, zone: tzinfo | None = None) -> str:
    """Return a server's date and time as `when_short` does; any other text stays as it was sent."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return plain(text, 40)
    if len(text) <= len("2026-11-24"):
        return text
    # A time without a zone is taken as UTC, which servers use.
    return when_short(moment if moment.tzinfo else moment.replace(tzinfo=UTC), zone)


def short_id(run_id: str) -> str:
    """Return the part of an id that is enough to type: its first eight characters."""
    return plain(run_id[:8])


def path(directory: Path, base: Path | None, base_name: str) -> str:
    """Return a path as a person would write it: from the base, if there is one above it."""
    absolute = directory.absolute()
    if base is not None and absolute.is_relative_to(base) and absolute != base:
        return f"{base_name}/{absolute.relative_to(base)}"
    return str(absolute)


STATUS_GLYPHS: dict[str, str] = {Status.ACTIVE: "●", Status.COMPLETED: "✓", Status.ERROR: "✗"}


def status(text: str) -> str:
    """Return a status as glyph and word; one that the SDK does not write gets a question mark."""
    return f"{STATUS_GLYPHS.get(text, '?')} {plain(text, 20) or 'no status'}"


STOPPED_GLYPH, QUIET_GLYPH = "▲", "○"


def run_state(text: str, standing: Standing) -> str:
    """Return the status of a run as glyph and words, with what is known of its process."""
    if standing.activity is Activity.STOPPED:
        return f"{STOPPED_GLYPH} stopped without an end"
    if standing.activity is Activity.QUIET and standing.silent_s is not None:
        return f"{status(text)}, quiet {duration(standing.silent_s // 60 * 60)}"
    return status(text)


def run_state_short(text: str, standing: Standing) -> str:
    """Return the same as a glyph and one word, for a column."""
    if standing.activity is Activity.STOPPED:
        return f"{STOPPED_GLYPH} stopped"
    return f"{QUIET_GLYPH} quiet" if standing.activity is Activity.QUIET else status(text)


def elapsed(standing: Standing) -> str:
    """Return how long a run took or has been going on; nothing where that is not known."""
    if standing.elapsed_s is None:
        return ""
    return f"{'~' if standing.is_rough else ''}{duration(standing.elapsed_s)}"


TRACE_GLYPHS = {"ok": "✓", "error": "✗", "unset": "–", "in_progress": "●"}


def trace_state(state: str) -> str:
    """Return the state of a trace as glyph and words."""
    return f"{TRACE_GLYPHS[state]} {state.replace('_', ' ')}"


def none_match(total: int, noun: str) -> str:
    """Return that a filter lets nothing through, and the key that helps."""
    return f"None of the {count(total, noun)} match. / changes the filter."


def unread(reason: str) -> str:
    """Return why something cannot be shown, and the key that helps."""
    return f"✗ {plain(reason, 500)}. r tries again."


def json_text(value: JsonValue, limit: int = DEFAULT_LIMIT) -> str:
    """Return a JSON value on one line, texts without quotes."""
    if isinstance(value, str):
        return plain(value, limit)
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if isinstance(value, float):
        return exact(value)
    if isinstance(value, int):
        return str(value)
    return plain(json.dumps(value, ensure_ascii=False), limit)


BARS = "▁▂▃▄▅▆▇"
"""None fills its cell, so that bars on lines below each other do not run into one block."""
_LOWEST, _HIGHEST = BARS[0], BARS[-1]
_APART = 2
"""Heights between values out of scale and the rest, so that they stand out without colour."""
OUTLIER_SPREADS = 4.0
"""A bucket this many interquartile ranges away is a spike: drawn full, and marked."""


def sparkline(buckets: Sequence[Bucket | None], width: int) -> list[tuple[str, bool]]:
    """Return (bar, is a spike) for each of at most `width` cells, oldest first.

    A cell shows the extreme of its buckets that is farther from the middle of all, so that no spike
    is averaged away; spikes are left out of the scale so that the rest keeps its shape. Where there
    are spikes, the highest or the lowest bar is used for them alone.
    """
    # Divided by 32, so that differences between the largest floats stay finite.
    cells = [
        bucket and Bucket(bucket.low / 32, bucket.high / 32) for bucket in _cells(buckets, width)
    ]
    filled = sorted(value for bucket in cells if bucket for value in (bucket.low, bucket.high))
    if not filled:
        return [(" ", False) for _ in cells]
    middle = filled[len(filled) // 2]
    low_quarter, high_quarter = filled[len(filled) // 4], filled[(3 * len(filled)) // 4]
    reach = (high_quarter - low_quarter) * OUTLIER_SPREADS
    floor, roof = low_quarter - reach, high_quarter + reach
    values = [
        None if cell is None else max(cell.high, cell.low, key=lambda value: abs(value - middle))
        for cell in cells
    ]
    outside = [value is not None and not floor <= value <= roof for value in values]
    inside = [value for value in filled if floor <= value <= roof]
    bars = _bars(values, floor, roof, (inside[0], inside[-1]))
    # Where a curve starts or ends far out, or often goes there, that is not a spike.
    is_rare = sum(outside) <= max(len(values) // 8, 1)
    last = len(values) - 1
    return [
        (bar, is_outside and is_rare and 0 < index < last)
        for index, (bar, is_outside) in enumerate(zip(bars, outside, strict=True))
    ]


def _bars(
    values: Sequence[float | None], floor: float, roof: float, scale: tuple[float, float]
) -> list[str]:
    """Return a bar for each value; those below the floor and above the roof are out of scale."""
    bottom, top = scale
    has_below = any(value is not None and value < floor for value in values)
    has_above = any(value is not None and value > roof for value in values)
    lowest = _APART if has_below else 0
    heights = len(BARS) - lowest - (_APART if has_above else 0)
    # A constant is drawn far from the values out of scale.
    constant = 1.0 if has_below and not has_above else 0.0

    def bar(value: float | None) -> str:
        if value is None:
            return " "
        if not floor <= value <= roof:
            return _LOWEST if value < floor else _HIGHEST
        share = (value - bottom) / (top - bottom) if top > bottom else constant
        return BARS[lowest + min(int(share * heights), heights - 1)]

    return [bar(value) for value in values]


def _cells(buckets: Sequence[Bucket | None], width: int) -> list[Bucket | None]:
    if len(buckets) <= width:
        return list(buckets)
    edges = [index * len(buckets) // width for index in range(width + 1)]
    return [_span(buckets[a:b]) for a, b in pairwise(edges)]


def _span(buckets: Iterable[Bucket | None]) -> Bucket | None:
    filled = [bucket for bucket in buckets if bucket is not None]
    if not filled:
        return None
    return Bucket(min(bucket.low for bucket in filled), max(bucket.high for bucket in filled))
