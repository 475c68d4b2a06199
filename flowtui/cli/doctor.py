"""What this terminal, session and store can do, as lines for a person."""

from __future__ import annotations

import importlib.util
import shutil
import sqlite3
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from flowtui import __version__, installation, person
from flowtui.cli import logout
from flowtui.format import count, plain
from flowtui.settings import keymap
from flowtui.settings.settings import settings
from flowtui.store import runs as run_rows
from flowtui.store.checks import oddities
from flowtui.store.errors import StoreError
from flowtui.store.files.file_systems import Sharing, kind
from flowtui.store.location import locate
from flowtui.store.store import Store
from flowtui.terminal import opener, pictures, placeholders
from flowtui.terminal.session import Session, session

EXTRAS = {
    "images": ("PIL", "resvg_py"),
    "pdf": ("pypdfium2",),
    "docx": ("docx",),
    "parquet": ("duckdb",),
    "arrays": ("numpy",),
    "excel": ("python_calamine",),
    "hdf5": ("h5py",),
    "yaml": ("yaml",),
    "zstd": ("zstandard",),
    "receive": ("starlette", "uvicorn"),
    "keyring": ("keyring",),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    glyph: str
    subject: str
    text: str
    remedy: str = ""

    @property
    def line(self) -> str:
        remedy = f"\n{'':14}→ {self.remedy}" if self.remedy else ""
        return f"{self.glyph} {self.subject:<11} {self.text}{remedy}"

    @property
    def is_error(self) -> bool:
        return self.glyph == "✗"


def findings(
    environ: Mapping[str, str],
    store: str | None,
    cwd: Path,
    home: Path | None,
    has_terminal: bool = True,
) -> list[Finding]:
    """Return what was found, in the order in which it matters to a person.

    Args:
        environ: The environment.
        store: Which store, as on the command line.
        cwd: Where it was started.
        home: The person's home folder, where one is known.
        has_terminal: Whether a person sits at a terminal; a job or a pipe has none.
    """
    here = session(environ)
    of_terminal = [*_terminal(here), _colors(here), _clipboard(here), _pictures(environ, here)]
    return [
        _versions(),
        *_person(environ, home),
        *_settings(),
        *_store(store, environ, cwd, home),
        *(of_terminal if has_terminal else [_NO_TERMINAL]),
        _text(here),
        _viewer(environ, here),
        *_logout(),
        _registry(environ, cwd, home),
        *_extras(),
    ]


_NO_TERMINAL = Finding(
    "·", "terminal", "none here: opening a run prints it as text, for a file or another program"
)


def _versions() -> Finding:
    python = ".".join(str(part) for part in sys.version_info[:3])
    text = f"flow-tui {__version__}, Python {python}, SQLite {sqlite3.sqlite_version}"
    return Finding("✓", "version", text)


def _person(environ: Mapping[str, str], home: Path | None) -> Iterator[Finding]:
    """Yield what is missing where the user has no name or no home, as in a container."""
    if person.name() == person.number() and not environ.get("FLOW_TUI_USER"):
        text = f"{person.number()}: this user has no name here, and annotations carry the number"
        yield Finding("▲", "author", text, "export FLOW_TUI_USER=NAME, or --user NAME")
    if home is None:
        text = "none is known: what is to be kept goes to the folder for temporary files"
        yield Finding("▲", "home", text, "export HOME=DIR")


def _settings() -> Iterator[Finding]:
    found = settings()
    mistakes = sorted((*found.mistakes, *keymap.checked(found).mistakes))
    yield from (Finding("▲", "settings", str(one), "flow-tui config --edit") for one in mistakes)
    if not mistakes:
        where = plain(str(found.path), 500)
        text = where if found.exists else f"as they come; flow-tui config --edit makes {where}"
        yield Finding("✓" if found.exists else "·", "settings", text)


def _store(
    option: str | None, environ: Mapping[str, str], cwd: Path, home: Path | None
) -> Iterator[Finding]:
    odd: list[str] = []
    try:
        where = locate(option, environ, cwd, home, settings().place)
        with closing(Store(where)) as opened:
            odd = opened.ask(oddities)
            groups = opened.ask(run_rows.groups)
            is_shared = opened.meta.sharing is Sharing.SHARED
            disk = kind(str(opened.meta.files.main))
    except StoreError as error:
        yield Finding("✗", "store", plain(str(error), 500))
        yield from (Finding("▲", "store", plain(text, 500)) for text in odd)
        return
    runs = count(sum(group.run_count for group in groups), "run")
    yield Finding("✓", "store", f"{plain(str(where.directory))} ({where.source}): {runs}")
    yield from (Finding("▲", "store", plain(text, 500)) for text in odd)
    if is_shared:
        text = f"on {plain(disk, 60) or 'a disk that is not known here'}, which others may share: "
        yield Finding("▲", "disk", text + _OF_A_SHARED_DISK, _FOR_A_SHARED_DISK)


_OF_A_SHARED_DISK = (
    "a run that is being written is shown as of some seconds ago, and annotated when it has ended"
)
_FOR_A_SHARED_DISK = "flow-tui on the machine that writes follows a run at once"


def _terminal(here: Session) -> Iterator[Finding]:
    where = ["over SSH"] if here.is_ssh else ["on this machine"]
    where += ["in tmux"] * here.is_tmux + ["in screen"] * here.is_screen
    if here.is_dumb:
        yield Finding("✗", "terminal", f"TERM is {here.term or 'not set'}: only text output works",
                      "export TERM=xterm-256color")  # fmt: skip
    else:
        yield Finding("✓", "terminal", f"{here.term}, {', '.join(where)}")
    if here.is_ssh:
        # What is sent is small already; compression leaves a quarter of it.
        yield Finding("·", "link", "over a slow one, ssh compresses what is drawn", "ssh -C HOST")


def _colors(here: Session) -> Finding:
    if here.is_monochrome:
        return Finding("✓", "colours", "none, as NO_COLOR asks")
    if here.is_truecolor:
        return Finding("✓", "colours", "24-bit")
    if here.has_few_colors and here.draws_for_screen:
        remedy = "term screen-256color, in ~/.screenrc, has 256"
        return Finding("·", "colours", "screen's own sixteen: theme `ansi` is used", remedy)
    if here.has_few_colors:
        return Finding("✓", "colours", "the terminal's own sixteen: theme `ansi` is used")
    if here.draws_for_screen:
        remedy = "export TEXTUAL_COLOR_SYSTEM=truecolor, in screen 5 with `truecolor on`"
        return Finding("✓", "colours", "256, as many as most versions of screen have", remedy)
    remedy = "export COLORTERM=truecolor, if its manual says 24-bit"
    return Finding("▲", "colours", "256; the terminal may have more", remedy)


def _text(here: Session) -> Finding:
    if here.is_utf8:
        return Finding("✓", "text", "UTF-8")
    text = "the locale has no UTF-8: ASCII stands in for other characters"
    # LC_ALL overrides the other variables.
    return Finding("▲", "text", text, f"export {here.locale_variable}=C.UTF-8")


def _clipboard(here: Session) -> Finding:
    if here.is_tmux:
        if shutil.which("tmux"):
            remedy = "set -s set-clipboard on, in ~/.tmux.conf, passes it to the outer terminal"
            return Finding("✓", "clipboard", "through tmux", remedy)
        return Finding("▲", "clipboard", "in tmux, but its command is not on the PATH")
    if not here.has_clipboard:
        return Finding("▲", "clipboard", "this terminal has none that a program can write to")
    if here.is_behind_another:
        remedy = "set -s set-clipboard on, in the ~/.tmux.conf of the machine that tmux runs on"
        return Finding("·", "clipboard", "asked of tmux or screen on another machine", remedy)
    text = "asked of the terminal (OSC 52); some need it switched on in their settings"
    return Finding("✓", "clipboard", text)


def _viewer(environ: Mapping[str, str], here: Session) -> Finding:
    if opener.is_elsewhere(environ, here):
        text = "SSH without a display: attachments go to the pager, the editor, or through scp"
        return Finding("·", "viewer", text, f"export {opener.VARIABLE}=PROGRAM, if one works here")
    try:
        words = opener.command(environ, here)
    except opener.OpenFailed as error:
        return Finding("▲", "viewer", plain(str(error), 300))
    return Finding("✓", "viewer", plain(" ".join(words), 300))


def _logout() -> Iterator[Finding]:
    """Yield what keeps `flow-tui run` from leaving a program running."""
    if logout.ends_processes():
        text = "this system ends your processes then, those of `flow-tui run` too"
        yield Finding("▲", "logout", text, logout.REMEDY)


def _pictures(environ: Mapping[str, str], here: Session) -> Finding:
    by = pictures.protocol(environ, settings().pictures)
    if by is None:
        return Finding("·", "pictures", "in half cells; no way to full resolution is known here")
    if placeholders.are_likely(environ, settings().pictures, here):
        # It is asked by the app: kitty has them from 0.28 on.
        text = f"in full resolution by {by}, in place if the terminal has placeholders"
        return Finding("✓", "pictures", text)
    if pictures.passes_through(here):
        return Finding("✓", "pictures", f"in half cells, and in full resolution by {by}")
    if here.is_tmux:
        remedy = f"{pictures.TMUX_LINE}, in ~/.tmux.conf"
        return Finding("▲", "pictures", f"in half cells; tmux holds back those by {by}", remedy)
    return Finding("·", "pictures", f"in half cells; screen holds back those by {by}")


def _registry(environ: Mapping[str, str], cwd: Path, home: Path | None) -> Finding:
    from flowtui.registry.client import base_url
    from flowtui.registry.credentials import find_key

    found = find_key(environ, cwd, home)
    if found is None:
        remedy = "export LUML_API_KEY=..., with a key from your profile in LUML, to upload runs"
        return Finding("·", "registry", f"{plain(base_url(environ), 200)}: no key", remedy)
    text = f"{plain(base_url(environ), 200)}, with the key from {found.source}"
    return Finding("✓", "registry", text)


def _extras() -> Iterator[Finding]:
    for extra, modules in EXTRAS.items():
        if all(importlib.util.find_spec(module) for module in modules):
            yield Finding("✓", extra, "installed")
        else:
            yield Finding("·", extra, "not installed", installation.adding(extra))
