"""A picture, sound or file out of a message as a file, so that it can be looked into."""

from __future__ import annotations

import shutil
import tempfile
import threading
import weakref
from mimetypes import guess_extension
from pathlib import Path

from textual.app import App

from flowtui import temporary
from flowtui.failures import Failure
from flowtui.screens.attachments.file_screen import FileScreen
from flowtui.screens.attachments.reading import FileSource
from flowtui.store.genai import MediaPart, media

SUFFIX_CHARS = 5


class MediumFailed(Failure):
    """A medium cannot be made a file; `str()` says why."""


def medium_source(part: MediaPart) -> FileSource:
    """Return a medium as a file; it is written when it is first read, in a thread.

    The file is private, and goes when nothing holds the source any more.
    """
    name = (part.name_or_uri or "").rpartition("/")[2] or part.kind
    if "." not in name:
        name += _suffix(part.mime or "")
    return FileSource(name, name, _MediumFile(part).path)


def _suffix(mime: str) -> str:
    """Return the suffix of a file of some type, as `.png` or `.wav`; an empty text for none."""
    type_ = mime.partition(";")[0].strip().lower()
    short = type_.rpartition("/")[2]
    is_one = short.isalnum() and len(short) <= SUFFIX_CHARS
    return guess_extension(type_) or (f".{short}" if is_one else "")


def show_medium(app: App[object], part: MediaPart) -> None:
    """Show a medium over the present screen, as the Attachments tab shows a file."""
    app.push_screen(FileScreen(medium_source(part)))


class _MediumFile:
    def __init__(self, part: MediaPart) -> None:
        self._part = part
        self._lock = threading.Lock()
        self._path: Path | None = None

    def path(self) -> Path:
        """Return where the file is.

        Raises:
            MediumFailed: Its bytes cannot be decoded, or there is no room for them.
        """
        with self._lock:
            if self._path is None:
                self._path = self._written()
            return self._path

    def _written(self) -> Path:
        try:
            data = media.content(self._part)
        except ValueError as error:
            raise MediumFailed(f"Its bytes cannot be decoded: {error}.") from error
        try:
            folder = tempfile.mkdtemp(prefix="flow-tui-")
            weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
            path = Path(folder, "medium")
            path.write_bytes(data)
        except OSError as error:
            raise MediumFailed(f"It cannot be shown: {temporary.why_not(error)}.") from error
        return path
