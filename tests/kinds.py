"""The table of the kinds of files, made of `flowtui.previews.kind_table`.

`python -m tests.kinds` writes it anew; tests/unit/house/test_readme.py checks that it is written.
"""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from flowtui.previews.kind_table import PreviewKind, Row

PAGE = Path(__file__).parents[1] / "docs" / "keys.md"
BEGIN = "<!-- made by python -m tests.kinds -->\n"
END = "<!-- end -->\n"


def table() -> str:
    """Return the table, a line for neighbouring kinds that are shown alike."""
    rows = [kind.row for kind in PreviewKind if kind.row.shows]
    lines = ["| kind | usual names | a preview shows | extra |", "|---|---|---|---|"]
    for (shows, extra), alike in groupby(rows, lambda row: (row.shows, row.extra)):
        lines.append(_line(list(alike), shows, extra))
    return "\n".join(lines) + "\n"


def _line(rows: list[Row], shows: str, extra: str) -> str:
    names = ", ".join(row.name for row in rows)
    endings = " ".join(f"`{ending}`" for row in rows for ending in row.endings)
    return f"| {names} | {endings} | {shows} | {f'`{extra}`' if extra else ''} |"


def written(text: str) -> str:
    """Return the text of the page with the table as it should be."""
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}{table()}{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text("utf-8")), "utf-8")
