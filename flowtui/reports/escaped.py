"""Texts and values in the files of programs that interpret what they read.

In CSV a text that looks like a formula gets an apostrophe before it, and control characters are
written as visible signs. In Markdown texts are escaped, cut, and put on one line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from flowtui import format as fmt
from flowtui.joiners import ZWJ, ZWNJ, with_joiners_shown
from flowtui.reports.runs import dumps

MARKDOWN_CHARS = 200
"""How many characters of a value are written in Markdown."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_MARKDOWN = re.compile(r"[\\`*_\[\]<>|~$#!]")
_SIGNS = {ord("&"): "&amp;", ord("@"): "&#64;"}
"""Characters that are written as entities.

Without the one for @, a forge would notify every person whose name with an @ is in the table.
"""


def csv_text(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    text = text.replace("\r\n", "\n")
    begins_a_formula = text.startswith(_FORMULA)
    odd = {char for char in set(text) if not char.isprintable() and char not in f"\n\t{ZWNJ}{ZWJ}"}
    shown = text.translate({ord(char): fmt.plain(char) for char in odd}) if odd else text
    shown = with_joiners_shown(shown)
    return f"'{shown}" if begins_a_formula else shown


def markdown_text(text: str) -> str:
    """Return a text that reads as itself in a table of Markdown."""
    shown = fmt.plain(text, MARKDOWN_CHARS)
    escaped = _MARKDOWN.sub(lambda sign: f"\\{sign.group()}", shown)
    return escaped.translate(_SIGNS)


def markdown_row(cells: Sequence[str]) -> str:
    """Return a row of a table, of cells that are escaped already."""
    return f"| {' | '.join(cells)} |\n"


def markdown_head(cells: Sequence[str]) -> str:
    """Return the first two lines of a table, of cells that are escaped already."""
    return markdown_row(cells) + markdown_row(["---"] * len(cells))


def json_line(value: object) -> str:
    """Return valid JSON in ASCII on one line, also for NaN and infinities."""
    try:
        return json.dumps(value, allow_nan=False)
    except ValueError:
        return json.dumps(json.loads(dumps(value)))
