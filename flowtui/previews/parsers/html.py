"""HTML as blocks of readable text: headings, lists, links, tables. Nothing is fetched or run."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flowtui.store.values import JsonValue

EXTRA = ""
LIBRARIES = ("html.parser",)
BLOCK_CHARS = 20_000
MAX_BLOCKS = 20_000
TABLE_ROWS = 50
TABLE_COLUMNS = 30
LINK_CHARS = 200
_HIDDEN = frozenset("script style template noscript svg math object iframe canvas".split())
_BREAKS = frozenset(
    "address article aside body blockquote dd details div dl dt fieldset figcaption figure footer "
    "form header hr li main nav ol p section summary table td th title tr ul".split()
)
_HEADING = re.compile(r"h[1-6]")
_SPACE = re.compile(r"[ \t\r\n\f]+")


def in_child(path: Path, arguments: Mapping[str, JsonValue]) -> tuple[dict[str, JsonValue], bytes]:
    """Return blocks as lists of a word and what the block of that kind holds."""
    codec, skipped, most = (arguments[name] for name in ("codec", "skipped", "most"))
    position, count = arguments["position"], arguments["count"]
    assert isinstance(codec, str)
    assert isinstance(skipped, int)
    assert isinstance(most, int)
    assert isinstance(position, int)
    assert isinstance(count, int)
    with path.open("rb") as file:
        file.seek(skipped)
        data = file.read(most)
        is_whole = not file.read(1)
    reader = _HtmlReader()
    reader.feed(data.decode(codec, "replace"))
    reader.close()
    reader.finish()
    total = len(reader.blocks)
    first = max(total + position, 0) if position < 0 else min(position, total)
    blocks = reader.blocks[first : first + count]
    values: dict[str, JsonValue] = {
        "first": first, "count": len(blocks), "total": total, "has_script": reader.has_script,
        "is_whole": is_whole and total < MAX_BLOCKS,
    }  # fmt: skip
    return values, json.dumps(blocks).encode()


class _HtmlReader(HTMLParser):
    """Collects blocks; what is not closed ends where something else begins."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.blocks: list[JsonValue] = []
        self.has_script = False
        self._text: list[str] = []
        self._kind: tuple[JsonValue, ...] = ("paragraph",)
        self._hidden = 0
        self._pre = 0
        self._lists: list[bool] = []
        self._quotes = 0
        self._links: list[str] = []
        self._tables = 0
        self._rows: list[JsonValue] = []
        self._row: list[JsonValue] | None = None
        self._row_count = 0
        self._is_in_cell = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in _HIDDEN:
            self.has_script |= tag == "script"
            self._hidden += 1
        if tag == "br":
            self._text.append("\n")
        elif tag == "img" and not self._hidden:
            self._text.append(f" [{given.get('alt') or 'picture'}] ")
        elif tag == "a":
            self._links.append((given.get("href") or "")[:LINK_CHARS])
        elif tag == "table":
            self._begin_table()
        elif tag in _BREAKS or tag == "pre" or _HEADING.fullmatch(tag):
            self._begin(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _HIDDEN:
            self._hidden = max(self._hidden - 1, 0)
        elif tag == "a" and self._links:
            link = self._links.pop()
            if link and not link.startswith(("#", "javascript:", "data:")) and not self._hidden:
                self._text.append(f" ({link})")
        elif tag in ("ol", "ul"):
            self._end()
            if self._lists:
                self._lists.pop()
        elif tag == "blockquote":
            self._end()
            self._quotes = max(self._quotes - 1, 0)
        elif tag == "pre":
            self._end()
            self._pre = 0
        elif tag == "table":
            self._end_table()
        elif tag in ("td", "th"):
            self._end_cell()
        elif tag in _BREAKS or _HEADING.fullmatch(tag):
            self._end()

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self._text.append(data if self._pre else _SPACE.sub(" ", data))

    def finish(self) -> None:
        """Take what nothing has ended."""
        self._tables = min(self._tables, 1)
        self._end_table()
        self._end()

    def _begin(self, tag: str) -> None:
        if tag in ("tr", "td", "th") and self._tables:
            self._end_cell()
            if self._tables == 1 and (tag == "tr" or self._row is None):
                self._end_row()
                self._row = []
            if self._tables == 1:
                self._is_in_cell = tag != "tr"
            return
        self._end()
        if tag == "li":
            self._kind = ("item", max(len(self._lists) - 1, 0), bool(self._lists[-1:] == [True]))
        elif tag in ("ol", "ul"):
            self._lists.append(tag == "ol")
        elif tag == "blockquote":
            self._quotes += 1
        elif tag == "pre":
            self._pre = 1
        elif tag == "title":
            self._kind = ("heading", 0)
        elif _HEADING.fullmatch(tag):
            self._kind = ("heading", int(tag[1]))

    def _end(self) -> None:
        """End a block, or a line in the cell of a table."""
        if self._tables:
            self._text.append(" ")
            return
        raw = "".join(self._text)
        text = raw.strip("\n") if self._pre else _lines(raw)
        kind, self._kind = self._kind, ("paragraph",)
        self._text = []
        if not text.strip() or len(self.blocks) >= MAX_BLOCKS:
            return
        shown = text[:BLOCK_CHARS]
        hidden = len(text) - len(shown)
        match kind:
            case ("item", int(level), bool(is_numbered)):
                self.blocks.append(["item", shown, level, is_numbered])
            case ("heading", int(level)):
                self.blocks.append(["heading", level, shown])
            case _ if self._pre or hidden:
                self.blocks.append(["code", shown, "", "", hidden])
            case _:
                self.blocks.append(["quote" if self._quotes else "paragraph", shown])

    def _begin_table(self) -> None:
        if not self._tables:
            self._end()
            self._rows, self._row, self._row_count = [], None, 0
        self._tables += 1

    def _end_cell(self) -> None:
        # A table within a cell is a text of that cell.
        if self._tables == 1 and self._row is not None:
            text = _lines("".join(self._text)).replace("\n", " ")
            if self._is_in_cell:
                self._row.append(text[:BLOCK_CHARS])
            self._text, self._is_in_cell = [], False
        elif self._tables:
            self._text.append(" ")

    def _end_row(self) -> None:
        if self._tables == 1 and self._row:
            self._row_count += 1
            if len(self._rows) < TABLE_ROWS:
                self._rows.append(self._row[:TABLE_COLUMNS])
            self._row = None

    def _end_table(self) -> None:
        if self._tables > 1:
            self._tables -= 1
            return
        if self._tables:
            self._end_cell()
            self._end_row()
            if self._rows and len(self.blocks) < MAX_BLOCKS:
                self.blocks.append(["table", self._rows, self._row_count])
            self._tables, self._text = 0, []


def _lines(text: str) -> str:
    return "\n".join(" ".join(line.split()) for line in text.split("\n")).strip()
