"""Terminal escapes in a log: colours become runs, everything else is dropped."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from flowtui.previews.values import Style, StyleRun

PLAIN = Style()
MAX_RUNS = 500
"""How many runs of one line are kept; more would be slower to draw than they are worth."""

ESCAPE = re.compile(
    r"\x1b\[([0-9;:]*)m"  # colours, the only ones that are kept
    r"|\x1b\[[0-?]*[ -/]*[@-~]"
    r"|\x1b[\]PX^_][^\x07\x1b]{0,4096}(?:\x07|\x1b\\)?"
    r"|\x1b[ -/]*[0-~]?"
)


def parsed(line: str, style: Style = PLAIN) -> tuple[str, tuple[StyleRun, ...], Style]:
    """Return a line without escapes, its styled runs, and the style that holds after it."""
    if "\x1b" not in line:
        return line, _runs([(0, len(line), style)]), style
    texts: list[str] = []
    spans: list[tuple[int, int, Style]] = []
    position = length = 0
    for match in ESCAPE.finditer(line):
        text = line[position : match.start()]
        if text:
            texts.append(text)
            spans.append((length, length + len(text), style))
            length += len(text)
        position = match.end()
        if match[1] is not None:
            style = _after(style, match[1])
    rest = line[position:]
    texts.append(rest)
    spans.append((length, length + len(rest), style))
    return "".join(texts), _runs(spans), style


def _runs(spans: list[tuple[int, int, Style]]) -> tuple[StyleRun, ...]:
    styled = [StyleRun(*span) for span in spans if span[2] != PLAIN and span[1] > span[0]]
    return tuple(styled[:MAX_RUNS])


def _after(style: Style, codes: str) -> Style:
    """Return the style after an escape such as `1;31`."""
    numbers = iter(
        int(code) if code.isdigit() and len(code) < 5 else 0
        for code in codes.replace(":", ";").split(";")
    )
    for number in numbers:
        if number == 0:
            style = PLAIN
        elif number in (1, 22):
            style = replace(style, is_bold=number == 1)
        elif 30 <= number <= 37:
            style = replace(style, colour=number - 30)
        elif 90 <= number <= 97:
            style = replace(style, colour=number - 90 + 8)
        elif number == 39:
            style = replace(style, colour=None)
        elif number in (38, 48):
            colour = _extended(numbers)
            style = replace(style, colour=colour) if number == 38 else style
    return style


def _extended(numbers: Iterator[int]) -> int | tuple[int, int, int] | None:
    kind = next(numbers, None)
    if kind == 5:
        return min(next(numbers, 7), 255)
    if kind == 2:
        red, green, blue = (min(next(numbers, 0), 255) for _ in range(3))
        return red, green, blue
    return None
