"""What a screen does with files beside showing them: open them outside, and save them."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, TypeVar

from textual.app import SuspendNotSupported

from flowtui import format as fmt
from flowtui import person
from flowtui.failures import Failure, NoLongerWanted
from flowtui.previews.kind_table import PreviewKind
from flowtui.previews.values import Mode, Picture, Request
from flowtui.reports import saving
from flowtui.screens.attachments.reading import FileSource
from flowtui.screens.attachments.whole import whole_text
from flowtui.screens.dialogs.choose import Choice, ChooseScreen
from flowtui.screens.dialogs.save_files import SaveScreen, ToSave
from flowtui.store.cancelling import is_left
from flowtui.terminal import opener, pictures
from flowtui.terminal.suspend import NOT_LENT

if TYPE_CHECKING:
    from textual.worker import Worker

    from flowtui.widgets.asking import Asks
    from flowtui.widgets.host import Host

T = TypeVar("T")

TOLD_EVERY_S = 0.1
FULL_WIDTH_PX, FULL_HEIGHT_PX = 1600, 1200
PICTURES = (PreviewKind.SVG, PreviewKind.PDF)
NO_DISPLAY = "This is SSH without a display"


@dataclass(frozen=True, slots=True)
class Saving:
    """How far saving has come."""

    name: str
    done_bytes: int
    total_bytes: int


class FileJobs:
    """Opens and saves files for one screen, one save at a time."""

    def __init__(
        self,
        screen: Asks,
        app: Host,
        told: Callable[[Saving | None], None] | None = None,
    ) -> None:
        """Take who asks.

        Args:
            screen: shows what the jobs say.
            app: the app.
            told: is called in the app's thread with how far saving is, with None when it is over;
                without it a line over the screen says so at the start.
        """
        self._screen = screen
        self._app = app
        self._told = told or self._notify_start
        self._saver: Worker[None] | None = None
        self.saved_path: Path | None = None
        """Where something was saved, until `forget_saved`."""

    # Opening ---------------------------------------------------------------------------------

    async def open(
        self, source: FileSource, kind: PreviewKind | None = None, request: Request | None = None
    ) -> None:
        """Open a file in the system's viewer, or ask how where that cannot work.

        Args:
            source: the file.
            kind: what it is, if it was looked into.
            request: which part of it is shown; its beginning otherwise.
        """
        request = request or Request()
        if not opener.is_elsewhere(os.environ, self._app.session):
            said = f"a copy of {source.name}, in "
            self._ask(
                partial(self._open, source), lambda program: self._tell("Opened", said + program)
            )
            return
        chosen = await self._app.push_screen_wait(
            ChooseScreen(NO_DISPLAY, self._ways(kind), ["pager"])
        )
        match (chosen or [""])[0]:
            case "pager":
                self._ask(partial(self._text, source, request), self._app.page)
            case "editor":
                self._ask(partial(_to_edit, source), self._handed_over)
            case "save":
                await self.save_file(source)
            case "scp":
                self._ask(partial(_scp_line, source), self._app.copy)
            case "picture":
                self._ask(
                    partial(self._picture, source, request),
                    lambda data: self._handed_over(partial(_show_picture, data)),
                )

    def _ways(self, kind: PreviewKind | None) -> list[Choice]:
        ways = [
            Choice("pager", "Read it in the pager", "text only"),
            Choice("editor", "Look at it in the editor", "a copy, to view only"),
            Choice("save", "Save a copy on this machine"),
            Choice("scp", "Copy the scp command", "it fetches the file to your machine"),
        ]
        by = pictures.protocol(os.environ, self._app.options.pictures)
        is_picture = kind is not None and (kind.is_image or kind in PICTURES)
        if by is not None and is_picture and not self._app.session.is_screen:
            ways.append(Choice("picture", "Show it in full resolution", f"by {by}"))
        return ways

    def _ask(self, question: Callable[[], T], then: Callable[[T], object]) -> None:
        failed = partial(self._tell, "Not opened", is_bad=True)
        self._screen.ask(question, then, failed, group="open", replaces=False)

    def _tell(self, title: str, text: str, is_bad: bool = False) -> None:
        self._app.notify(
            fmt.plain(text, 300), title=title, markup=False,
            severity="warning" if is_bad else "information",
        )  # fmt: skip

    def _open(self, source: FileSource) -> str:
        """Have a copy opened; return with what program."""
        words = opener.command(os.environ, self._app.session)
        copy = opener.copies().copied(source.resolve(), source.name, is_left)
        opener.start(words, copy)
        return words[0]

    def _text(self, source: FileSource, request: Request) -> str:
        text = whole_text(source, request)
        if text is None:
            raise opener.OpenFailed("this is not a text file; save it, or fetch it with scp")
        return text

    def _handed_over(self, run: Callable[[], None]) -> None:
        """Let something have the terminal for as long as it takes."""
        try:
            with self._app.suspend():
                run()
        except (opener.OpenFailed, SuspendNotSupported) as error:
            reason = NOT_LENT if isinstance(error, SuspendNotSupported) else str(error)
            self._tell("Not opened", reason, True)
        self._app.action_redraw()

    def _picture(self, source: FileSource, request: Request) -> bytes:
        from flowtui.previews.preview import preview

        by = pictures.protocol(os.environ, self._app.options.pictures)
        here = self._app.session
        if by is None or not pictures.passes_through(here):
            line = pictures.TMUX_LINE
            raise opener.OpenFailed(f"tmux holds pictures back; in ~/.tmux.conf: {line}")
        full = replace(
            request,
            mode=Mode.PICTURE,
            width=FULL_WIDTH_PX,
            height=FULL_HEIGHT_PX // 2,
            is_last=False,
        )
        shown = preview(source.resolve(), source.name, full, is_left).shown
        if not isinstance(shown, Picture):
            raise opener.OpenFailed("this is not a picture")
        return pictures.encoded(shown, by, here.is_tmux)

    # Saving ----------------------------------------------------------------------------------

    def _notify_start(self, saving: Saving | None) -> None:
        if saving is not None and not saving.done_bytes:
            said = f"{saving.name}, {fmt.size(saving.total_bytes)}. Esc cancels."
            self._app.notify(fmt.plain(said, 200), title="Saving", timeout=2, markup=False)

    @property
    def is_saving(self) -> bool:
        return self._saver is not None

    def cancel_saving(self) -> None:
        """Stop what is being saved; nothing of it is left."""
        if self._saver is not None:
            self._saver.cancel()

    def forget_saved(self) -> None:
        self.saved_path = None

    async def save_file(self, source: FileSource) -> None:
        """Ask where to, and copy a file there."""
        await self._save({source.name: source}, source.name.rpartition("/")[2], is_folder=False)

    async def save_folder(self, name: str, sources: Sequence[FileSource], prefix: str) -> None:
        """Ask where to, and copy a folder there: those of its files that there are.

        Args:
            name: of the folder.
            sources: its files.
            prefix: of their names, which is not to be part of the copy.
        """
        named = {source.name.removeprefix(prefix): source for source in sources}
        await self._save(named, name, is_folder=True)

    async def _save(self, named: Mapping[str, FileSource], name: str, *, is_folder: bool) -> None:
        if self.is_saving:
            self._app.notify("Something is being saved; Esc cancels it.", severity="warning")
            return
        try:
            # A folder may have a hundred thousand files.
            found, total = await self._screen.asked(partial(_found, named))
        except NoLongerWanted:
            return
        except Failure as error:
            self._tell("Not saved", str(error), True)
            return
        stem, dot, suffix = name.rpartition(".")
        safe = saving.file_stem(name) if is_folder or not stem else (
            f"{saving.file_stem(stem)}{dot}{saving.file_stem(suffix)}"
        )  # fmt: skip
        what = ToSave(safe, total, len(found), is_folder)
        target = await self._app.push_screen_wait(SaveScreen(person.cwd(), what))
        if target is None:
            return
        self._told(Saving(target.name, 0, total))
        self._saver = self._screen.ask(
            partial(self._copy, found, target, total, is_folder),
            partial(self._finish, target),
            self._end_unsaved,
            group="save",
            replaces=False,
            left=self._put_away,
        )

    def _copy(self, found: Mapping[str, Path], target: Path, total: int, is_folder: bool) -> None:
        due = monotonic()

        def told(count: int) -> None:
            nonlocal due
            if monotonic() >= due:
                due = monotonic() + TOLD_EVERY_S
                self._screen.meanwhile(partial(self._told, Saving(target.name, count, total)))

        if is_folder:
            saving.copy_files(found, target, told, is_left)
        else:
            saving.copy_file(next(iter(found.values())), target, told, is_left)

    def _finish(self, target: Path, _nothing: None) -> None:
        self._put_away()
        self.saved_path = target
        self._tell("Saved; y copies the path", str(target))

    def _end_unsaved(self, reason: str) -> None:
        was_left = self._saver is not None and self._saver.is_cancelled
        self._put_away()
        self._tell("Not saved", reason, not was_left)

    def _put_away(self) -> None:
        self._saver = None
        self._told(None)


def _found(named: Mapping[str, FileSource]) -> tuple[dict[str, Path], int]:
    """Return where files lie and how many bytes they are together.

    Raises:
        StoreError: one of them must not be read.
        SaveFailed: one of them is missing.
    """
    found = {key: source.resolve() for key, source in named.items()}
    try:
        return found, sum(path.stat().st_size for path in found.values())
    except OSError as error:
        raise saving.SaveFailed(error.strerror or "it is missing") from error


def _to_edit(source: FileSource) -> Callable[[], None]:
    """Return what has a copy edited, in the terminal."""
    words = opener.viewing_editor(os.environ)
    copy = opener.copies().copied(source.resolve(), source.name, is_left)
    return partial(opener.edit, words, copy)


def _scp_line(source: FileSource) -> str:
    return opener.scp_command(source.resolve(), os.environ, person.name(), socket.gethostname())


def _show_picture(data: bytes) -> None:
    """Write a picture on the terminal that was handed over, and wait for Enter."""
    out = sys.__stdout__
    if out is None:
        return
    out.write("\x1b[2J\x1b[H")
    out.flush()
    out.buffer.write(data)
    out.buffer.flush()
    out.write("\n\nEnter goes back ")
    out.flush()
    with suppress(EOFError):
        input()
