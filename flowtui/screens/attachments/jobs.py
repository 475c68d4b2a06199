"""Opening files outside the app, and saving copies of them."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from threading import Event
from time import monotonic
from typing import TYPE_CHECKING

from textual.app import SuspendNotSupported
from textual.worker import get_current_worker

from flowtui import format as fmt
from flowtui import person
from flowtui.previews.errors import PreviewCancelled, PreviewFailed
from flowtui.previews.values import Mode, Picture, PreviewKind, Request
from flowtui.reports import saving
from flowtui.screens.attachments.reading import FileSource, whole_text
from flowtui.screens.dialogs.choose import Choice, ChooseScreen
from flowtui.screens.dialogs.save_files import SaveScreen, ToSave
from flowtui.store.errors import StoreError
from flowtui.terminal import opener, pictures
from flowtui.terminal.suspend import NOT_LENT

if TYPE_CHECKING:
    from textual.screen import Screen

    from flowtui.widgets.host import Host

PROGRESS_EVERY_S = 0.1
"""How often the progress of saving is reported."""
FULL_WIDTH_PX, FULL_HEIGHT_PX = 1600, 1200
"""The largest size of a picture that is sent to the terminal in full resolution."""
PICTURES = (PreviewKind.SVG, PreviewKind.PDF)
"""Kinds of file that are drawn as pictures though they are not images."""
NO_DISPLAY = "This is SSH without a display"


@dataclass(frozen=True, slots=True)
class Saving:
    """The progress of saving."""

    name: str
    done_bytes: int
    total_bytes: int


class FileJobs:
    """Opens and saves files for one screen, one save at a time."""

    def __init__(
        self,
        screen: Screen[None],
        app: Host,
        show_progress: Callable[[Saving | None], None] | None = None,
    ) -> None:
        """Take the screen that asks.

        Args:
            screen: The screen whose workers carry out the jobs.
            app: The app.
            show_progress: Is called in the app's thread with the progress of saving, and with None
                at the end. Without it a notification says that saving has begun.
        """
        self._screen = screen
        self._app = app
        self._show_progress = show_progress or self._notify_start
        self._cancel: Event | None = None
        self.saved_path: Path | None = None
        """The path of the last copy, until `forget_saved`."""

    # Opening ---------------------------------------------------------------------------------

    async def open(
        self, source: FileSource, kind: PreviewKind | None = None, request: Request | None = None
    ) -> None:
        """Open a file in the system's viewer, or ask for another way if that cannot work.

        Args:
            source: The file.
            kind: The kind of file, if it is known.
            request: The part of the file that is shown; None for its beginning.
        """
        request = request or Request()
        if not opener.is_elsewhere(os.environ, self._app.session):
            self._in_thread(partial(self._open, source), "open")
            return
        chosen = await self._app.push_screen_wait(
            ChooseScreen(NO_DISPLAY, self._ways(kind), ["pager"])
        )
        match (chosen or [""])[0]:
            case "pager":
                self._in_thread(partial(self._page, source, request), "open")
            case "editor":
                self._in_thread(partial(self._edit, source), "open")
            case "save":
                await self.save_file(source)
            case "scp":
                self._in_thread(partial(self._copy_scp, source), "open")
            case "picture":
                self._in_thread(partial(self._picture, source, request), "open")

    def _ways(self, kind: PreviewKind | None) -> list[Choice]:
        ways = [
            Choice("pager", "Read it in the pager", "text only"),
            Choice("editor", "Look at it in the editor", "a copy, to view only"),
            Choice("save", "Save a copy on this machine"),
            Choice("scp", "Copy the scp command", "it fetches the file to your machine"),
        ]
        by = pictures.protocol(os.environ)
        is_picture = kind is not None and (kind.is_image or kind in PICTURES)
        if by is not None and is_picture and not self._app.session.is_screen:
            ways.append(Choice("picture", "Show it in full resolution", f"by {by}"))
        return ways

    def _in_thread(self, job: Callable[[], None], group: str) -> None:
        def guarded() -> None:
            try:
                job()
            except (StoreError, PreviewFailed, opener.OpenFailed) as error:
                self._notify("Not opened", str(error), True)
            except PreviewCancelled:
                return

        self._screen.run_worker(guarded, thread=True, group=group, exit_on_error=False)

    def _notify(self, title: str, text: str, is_bad: bool = False) -> None:
        """Notify the person of something; callable from any thread."""
        show = partial(
            self._app.notify, fmt.plain(text, 300), title=title, markup=False,
            severity="warning" if is_bad else "information",
        )  # fmt: skip
        # The app may have ended meanwhile.
        with suppress(RuntimeError):
            self._app.call_from_thread(show)

    def _open(self, source: FileSource) -> None:
        words = opener.command(os.environ, self._app.session)
        copy = opener.copies().copied(source.resolve(), source.name, _is_left())
        opener.start(words, copy, lambda why: self._notify("Not opened", why, True))
        self._notify("Opened", f"a copy of {source.name}, in {words[0]}")

    def _page(self, source: FileSource, request: Request) -> None:
        whole = replace(request, mode=Mode.TEXT, is_last=False, index=0)
        text = whole_text(source, whole, _is_left())
        if text is None:
            raise opener.OpenFailed("this is not a text file; save it, or fetch it with scp")
        self._app.call_from_thread(self._app.page, text)

    def _edit(self, source: FileSource) -> None:
        words = opener.editor(os.environ)
        copy = opener.copies().copied(source.resolve(), source.name, _is_left())
        self._app.call_from_thread(self._with_terminal, partial(opener.edit, words, copy))

    def _with_terminal(self, run: Callable[[], None]) -> None:
        """Run something that has the terminal until it ends."""
        try:
            with self._app.suspend():
                run()
        except (opener.OpenFailed, SuspendNotSupported) as error:
            reason = NOT_LENT if isinstance(error, SuspendNotSupported) else str(error)
            self._app.notify(
                fmt.plain(reason, 300), title="Not opened", severity="warning", markup=False
            )
        self._app.action_redraw()

    def _copy_scp(self, source: FileSource) -> None:
        line = opener.scp_command(source.resolve(), os.environ, person.name(), socket.gethostname())
        self._app.call_from_thread(self._app.copy, line)

    def _picture(self, source: FileSource, request: Request) -> None:
        from flowtui.previews.preview import preview

        by = pictures.protocol(os.environ)
        here = self._app.session
        if by is None or not pictures.passes_through(here):
            line = pictures.TMUX_LINE
            raise opener.OpenFailed(f"tmux does not pass pictures on; add to ~/.tmux.conf: {line}")
        full = replace(
            request, mode=Mode.BEST, width=FULL_WIDTH_PX, height=FULL_HEIGHT_PX // 2, is_last=False
        )
        shown = preview(source.resolve(), source.name, full, _is_left()).shown
        if not isinstance(shown, Picture):
            raise opener.OpenFailed("this is not a picture")
        data = pictures.encoded(shown, by, here.is_tmux)
        self._app.call_from_thread(self._with_terminal, partial(_show_picture, data))

    # Saving ----------------------------------------------------------------------------------

    def _notify_start(self, saving: Saving | None) -> None:
        if saving is not None and not saving.done_bytes:
            said = f"{saving.name}, {fmt.size(saving.total_bytes)}. Esc cancels."
            self._app.notify(fmt.plain(said, 200), title="Saving", timeout=2, markup=False)

    @property
    def is_saving(self) -> bool:
        return self._cancel is not None

    def cancel_saving(self) -> None:
        """Stop saving, and leave no part of the copy."""
        if self._cancel is not None:
            self._cancel.set()

    def forget_saved(self) -> None:
        self.saved_path = None

    async def save_file(self, source: FileSource) -> None:
        """Ask for a path, and copy a file there."""
        await self._save({source.name: source}, source.name.rpartition("/")[2], is_folder=False)

    async def save_folder(self, name: str, sources: Sequence[FileSource], prefix: str) -> None:
        """Ask for a path, and copy the files of a folder there.

        Args:
            name: The name of the folder.
            sources: Its files.
            prefix: The beginning of their names that the copies leave out.
        """
        named = {source.name.removeprefix(prefix): source for source in sources}
        await self._save(named, name, is_folder=True)

    async def _save(self, named: Mapping[str, FileSource], name: str, *, is_folder: bool) -> None:
        if self.is_saving:
            self._app.notify("A copy is already being saved; Esc cancels it.", severity="warning")
            return
        try:
            # A folder may have a hundred thousand files, which would block the loop.
            found, total = await asyncio.to_thread(_found, named)
        except (StoreError, OSError) as error:
            reason = error.strerror or "it is missing" if isinstance(error, OSError) else str(error)
            self._app.notify(fmt.plain(reason, 300), title="Not saved", severity="warning",
                             markup=False)  # fmt: skip
            return
        stem, dot, suffix = name.rpartition(".")
        safe = saving.file_stem(name) if is_folder or not stem else (
            f"{saving.file_stem(stem)}{dot}{saving.file_stem(suffix)}"
        )  # fmt: skip
        what = ToSave(safe, total, len(found), is_folder)
        target = await self._app.push_screen_wait(SaveScreen(person.cwd(), what))
        if target is None:
            return
        self._cancel = Event()
        self._show_progress(Saving(target.name, 0, total))
        job = partial(self._copy, found, target, total, is_folder, self._cancel)
        self._screen.run_worker(job, thread=True, group="save", exit_on_error=False)

    def _copy(
        self, found: Mapping[str, Path], target: Path, total: int, is_folder: bool, cancel: Event
    ) -> None:
        due = monotonic()
        is_app_left = _is_left()

        def is_left() -> bool:
            return cancel.is_set() or is_app_left()

        def report(count: int) -> None:
            nonlocal due
            if monotonic() >= due:
                due = monotonic() + PROGRESS_EVERY_S
                progress = Saving(target.name, count, total)
                self._app.call_from_thread(self._show_progress, progress)

        try:
            if is_folder:
                saving.copy_files(found, target, report, is_left)
            else:
                saving.copy_file(next(iter(found.values())), target, report, is_left)
        except saving.SaveFailed as error:
            self._notify("Not saved", str(error), not is_left())
            target_or_none = None
        else:
            target_or_none = target
            self._notify("Saved; y copies the path", str(target))
        with suppress(RuntimeError):
            self._app.call_from_thread(self._finish, target_or_none)

    def _finish(self, saved: Path | None) -> None:
        self._cancel = None
        self.saved_path = saved
        self._show_progress(None)


def _found(named: Mapping[str, FileSource]) -> tuple[dict[str, Path], int]:
    """Return the paths of files, and their total size in bytes.

    Raises:
        StoreError: One of them must not be read.
        OSError: One of them is missing.
    """
    found = {key: source.resolve() for key, source in named.items()}
    return found, sum(path.stat().st_size for path in found.values())


def _is_left() -> Callable[[], bool]:
    """Return a function that says whether the present worker was cancelled."""
    worker = get_current_worker()
    return lambda: worker.is_cancelled


def _show_picture(data: bytes) -> None:
    """Show a picture on the terminal, which the app has suspended, and wait for Enter."""
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
