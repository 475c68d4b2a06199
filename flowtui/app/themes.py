"""The themes: each gives every role its colour."""

from __future__ import annotations

from textual.theme import Theme

from flowtui.terminal.session import Session
from flowtui.widgets import remembered

DARK = Theme(
    name="flow-dark",
    primary="#7aa2f7",
    secondary="#7dcfff",
    accent="#7dcfff",
    foreground="#d5d9e5",
    background="#14161d",
    surface="#1b1e28",
    panel="#262a38",
    success="#9ece6a",
    warning="#e0af68",
    error="#f7768e",
    variables={
        "text-quiet": "#8d94ae",
        "bar": "#262a38",
        "curve-1": "#7aa2f7",
        "curve-2": "#bb9af7",
        "curve-3": "#73daca",
        "curve-4": "#ff9e64",
        "curve-5": "#e06c9f",
        "curve-6": "#c3d96b",
        "curve-7": "#89b8c2",
        "curve-8": "#c9a27e",
    },
)
LIGHT = Theme(
    name="flow-light",
    primary="#2f5fc4",
    secondary="#086887",
    accent="#086887",
    foreground="#22242c",
    background="#fbfbf9",
    surface="#f1f1ee",
    panel="#dfe3ea",
    success="#286f2b",
    warning="#865700",
    error="#b3243f",
    dark=False,
    variables={
        "text-quiet": "#5d6373",
        "bar": "#dfe3ea",
        "curve-1": "#2f5fc4",
        "curve-2": "#7b3fb5",
        "curve-3": "#006d64",
        "curve-4": "#a54716",
        "curve-5": "#a3216b",
        "curve-6": "#5b6b00",
        "curve-7": "#3d6272",
        "curve-8": "#76512a",
    },
)
# Okabe and Ito's palette: its blue, orange and vermilion differ for every kind of colour vision.
COLOR_BLIND = Theme(
    name="flow-colorblind",
    primary="#56b4e9",
    secondary="#56b4e9",
    accent="#f0e442",
    foreground="#e4e4e4",
    background="#121212",
    surface="#1c1c1c",
    panel="#303030",
    success="#56b4e9",
    warning="#e69f00",
    error="#ee7733",
    variables={
        "text-quiet": "#9a9a9a",
        "bar": "#303030",
        "curve-1": "#56b4e9",
        "curve-2": "#e69f00",
        "curve-3": "#f0e442",
        "curve-4": "#d386b0",
        "curve-5": "#1fb08a",
        "curve-6": "#ee7733",
        "curve-7": "#c8c8c8",
        "curve-8": "#a88bd9",
    },
)
ANSI = Theme(
    name="ansi",
    primary="ansi_blue",
    secondary="ansi_cyan",
    accent="ansi_bright_cyan",
    foreground="ansi_default",
    background="ansi_default",
    surface="ansi_default",
    panel="ansi_bright_black",
    boost="ansi_default",
    success="ansi_green",
    warning="ansi_yellow",
    error="ansi_bright_red",
    ansi=True,
    variables={
        "text-quiet": "ansi_white",
        # Textual makes panels transparent here, and some palettes use bright black for the ground:
        # with either, the bar could not be seen.
        "bar": "ansi_blue",
        "curve-1": "ansi_bright_blue",
        "curve-2": "ansi_bright_magenta",
        "curve-3": "ansi_bright_cyan",
        "curve-4": "ansi_bright_yellow",
        "curve-5": "ansi_bright_green",
        "curve-6": "ansi_bright_red",
        "curve-7": "ansi_cyan",
        "curve-8": "ansi_magenta",
        # Textual's own widgets use these variables in an ANSI theme.
        "ansi-background": "ansi_black",
        "ansi-foreground": "ansi_white",
        "border-blurred": "ansi_bright_black",
        "block-cursor-foreground": "ansi_black",
        "block-cursor-background": "ansi_white",
        "input-cursor-background": "ansi_white",
        "input-cursor-foreground": "ansi_black",
        "input-selection-background": "ansi_bright_blue",
        "input-selection-foreground": "ansi_black",
        "screen-selection-background": "ansi_bright_blue",
        "screen-selection-foreground": "ansi_black",
    },
)
THEMES = {theme.name: theme for theme in (DARK, LIGHT, ANSI, COLOR_BLIND)}


def default_theme(here: Session) -> str:
    """Return the theme that suits a session.

    The ANSI theme marks the cursor by reversing its colours, which a terminal with few colours, or
    none, can show too.
    """
    return ANSI.name if here.has_few_colors or here.is_monochrome else DARK.name


CHOSEN = "theme"
"""Under which name it is remembered which theme was chosen in the app."""


def keep(name: str, of_file: str | None, here: Session) -> None:
    """Remember a theme that was chosen in the app, until the person's file names another one.

    Args:
        name: The theme.
        of_file: The theme that the file names now, if any.
        here: The session that it was chosen in.
    """
    is_poor = default_theme(here) == ANSI.name
    remembered.put(CHOSEN, {"name": name, "over": of_file, "on_few_colors": is_poor})


def kept(of_file: str | None, here: Session) -> str | None:
    """Return the theme that was chosen in the app, if it is still wanted and suits the session.

    One that was chosen where there are many colours is not used where there are few.
    """
    found = remembered.get(CHOSEN)
    if not isinstance(found, dict) or found.get("over") != of_file:
        return None
    name = str(found.get("name"))
    suits = found.get("on_few_colors") is True or default_theme(here) != ANSI.name
    return name if suits and name in THEMES else None
