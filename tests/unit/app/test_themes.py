"""Every colour that text has can be read on every ground that it stands on."""

from __future__ import annotations

import pytest
from textual.color import Color
from textual.theme import Theme

from flowtui.app.themes import ANSI, THEMES

LEAST_CONTRAST = 4.5
"""WCAG 2.2, 1.4.3."""
GROUNDS = ("background", "surface", "panel")
INKS = ("primary", "secondary", "accent", "foreground", "success", "warning", "error")


def luminance(color: Color) -> float:
    """Return the relative luminance as WCAG defines it, from 0 to 1."""
    parts = [part / 255 for part in (color.r, color.g, color.b)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(ink: str, ground: str) -> float:
    darker, lighter = sorted(luminance(Color.parse(color)) for color in (ink, ground))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize(
    "theme", [one for one in THEMES.values() if one is not ANSI], ids=lambda one: one.name
)
def test_text_can_be_read(theme: Theme) -> None:
    inks = {name: getattr(theme, name) for name in INKS} | dict(theme.variables)
    # It is no text.
    del inks["bar"]
    found = {
        (name, ground): contrast(ink, getattr(theme, ground))
        for name, ink in inks.items()
        for ground in GROUNDS
    }
    assert {pair: value for pair, value in found.items() if value < LEAST_CONTRAST} == {}
