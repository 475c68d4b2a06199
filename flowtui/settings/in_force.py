"""What is in force of each setting, and where it comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from flowtui import person
from flowtui.settings.values import FILE_NAME, Settings
from flowtui.store.errors import StoreNotFound
from flowtui.store.location import locate
from flowtui.store.values import JsonValue, StoreLocation
from flowtui.terminal import session
from flowtui.widgets import remembered

USER_VARIABLE = "FLOW_TUI_USER"
DEFAULT = "default"
IN_APP = "chosen in the app"


class Given(NamedTuple):
    """What the options of a command line say; None for what they do not say."""

    store: str | None = None
    theme: str | None = None
    user: str | None = None
    is_slow: bool | None = None


class Chosen(NamedTuple):
    """A setting that is in force."""

    name: str
    value: JsonValue
    source: str
    """Where it comes from, in words."""
    line: int = 0
    """The line of config.toml, if it comes from there and is known."""

    @property
    def origin(self) -> str:
        """Where it comes from, with the line."""
        return f"{self.source}, line {self.line}" if self.line else self.source


def theme(given: Given, settings: Settings, here: session.Session) -> Chosen:
    """Return the theme; of two wishes the later one counts, that of the app or that of the file."""
    from flowtui.app import themes

    default = themes.default_theme(here)
    is_poor = default == themes.ANSI.name
    if given.theme is not None:
        return Chosen("theme", given.theme, "--theme")
    if given.is_slow:
        return Chosen("theme", themes.ANSI.name, "--slow")
    if (name := themes.kept(settings.theme, here)) is not None:
        return Chosen("theme", name, IN_APP)
    if is_poor:
        # The other themes mark the cursor by a colour alone.
        return Chosen("theme", default, "this terminal has few colours")
    if settings.theme is not None:
        return Chosen("theme", settings.theme, FILE_NAME)
    if settings.is_slow and given.is_slow is None:
        return Chosen("theme", themes.ANSI.name, f"{FILE_NAME}: slow")
    return Chosen("theme", default, DEFAULT)


def user(given: Given, settings: Settings, environ: Mapping[str, str]) -> Chosen:
    """Return the author of annotations."""
    if given.user:
        return Chosen("user", given.user, "--user")
    if named := environ.get(USER_VARIABLE):
        return Chosen("user", named, USER_VARIABLE)
    if settings.user is not None:
        return Chosen("user", settings.user, FILE_NAME)
    return Chosen("user", person.name(), "login name")


def is_slow(given: Given, settings: Settings) -> Chosen:
    """Return whether updates are few from the start."""
    if given.is_slow is not None:
        return Chosen("slow", given.is_slow, "--slow" if given.is_slow else "--no-slow")
    if settings.is_slow is not None:
        return Chosen("slow", settings.is_slow, FILE_NAME)
    return Chosen("slow", False, DEFAULT)


def takes_mouse(settings: Settings, here: session.Session) -> Chosen:
    """Return whether the app takes the mouse."""
    if settings.takes_mouse is not None:
        return Chosen("mouse", settings.takes_mouse, FILE_NAME)
    if here.has_mouse:
        return Chosen("mouse", True, DEFAULT)
    return Chosen("mouse", False, "GNU screen would hold Esc back")


def in_force(
    given: Given, settings: Settings, environ: Mapping[str, str], cwd: Path
) -> Iterator[Chosen]:
    """Yield each setting, with its line if it comes from the file; keys are not among them."""
    for chosen in _settings(given, settings, environ, cwd):
        line = settings.line(chosen.name) if chosen.source == FILE_NAME else 0
        yield chosen._replace(line=line)


def _settings(
    given: Given, settings: Settings, environ: Mapping[str, str], cwd: Path
) -> Iterator[Chosen]:
    yield theme(given, settings, session.session(environ))
    yield user(given, settings, environ)
    place = None
    try:
        place = locate(given.store, environ, cwd, person.home(), settings.place)
        yield Chosen("store", str(place.directory), place.source)
    except StoreNotFound as error:
        yield Chosen("store", None, str(error))
    yield _columns(settings, place)
    yield is_slow(given, settings)
    yield takes_mouse(settings, session.session(environ))
    # Imported here: the app's start needs no more of this module than its first functions.
    from flowtui.terminal import pictures

    if settings.pictures is not None:
        yield Chosen("pictures", settings.pictures, FILE_NAME)
    else:
        by = pictures.protocol(environ)
        yield Chosen("pictures", "none" if by is None else by.lower(), "the terminal")


def _columns(settings: Settings, place: StoreLocation | None) -> Chosen:
    from flowtui.screens.runs.column_plan import COLUMNS_KEY

    kept = remembered.get(COLUMNS_KEY)
    of_store = kept.get(str(place.directory)) if isinstance(kept, dict) and place else None
    if isinstance(of_store, list):
        return Chosen("columns", of_store, f"{IN_APP}, for this store")
    if settings.columns:
        return Chosen("columns", list(settings.columns), FILE_NAME)
    return Chosen("columns", None, "what matters among the listed runs")
