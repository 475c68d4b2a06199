"""What README and the pages of docs/ tell a person, as one text."""

from __future__ import annotations

import re
from pathlib import Path

TOP = Path(__file__).parents[1]
README = TOP / "README.md"
INSIDE = TOP / "docs" / "inside.md"
"""The page for the next developer, which tells nothing about use."""


def pages() -> list[Path]:
    """Return README and the pages about use, in the order of their names."""
    return [README, *sorted(set(TOP.glob("docs/*.md")) - {INSIDE})]


def told() -> str:
    """Return the text of all pages, each page of docs/ as a chapter of README."""
    texts = [page.read_text("utf-8") for page in pages()]
    return "\n".join([texts[0], *(re.sub(r"(?m)^(#+ )", r"#\1", text) for text in texts[1:])])
