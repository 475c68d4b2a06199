"""The files of logged models: where they are, and what they contain."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content

from flowtui import format as fmt
from flowtui.screens.attachments.preview import FilePreview
from flowtui.screens.attachments.reading import FileSource
from flowtui.screens.dialog import Dialog
from flowtui.store.attachments.listing import resolved
from flowtui.store.attachments.values import AttachmentRefused
from flowtui.store.files.fingerprint import is_of_database
from flowtui.store.store import Store
from flowtui.store.values import Model
from flowtui.widgets.documents import preview_markdown
from flowtui.widgets.documents.document import Document
from flowtui.widgets.frame.frame import KeyLine
from flowtui.widgets.paint import CURVE_CLASSES, ROLE_CLASSES

CARD_CHARACTERS = 200_000
"""How much of a model's card is shown."""


def model_source(store: Store, model: Model) -> FileSource | None:
    """Return the file of a model; None if its row names no file."""
    if not model.path:
        return None
    return FileSource(model.path, model.path, partial(_resolved, store.directory, model.path))


def _resolved(directory: Path, path: str) -> Path:
    """Return the path of a model's file inside the store.

    Raises:
        AttachmentRefused: The path leads out of the store, or to something other than a file.
    """
    try:
        real = resolved(directory, path)
    except AttachmentRefused as error:
        raise AttachmentRefused("Refused: this path is not a file in the store.") from error
    if is_of_database(real, directory.resolve()):
        raise AttachmentRefused("Refused: this path is a database of the store, not a model.")
    return real


class ModelScreen(Dialog[None]):
    """Shows the card of a model, and the files in it: a `.luml` file is a tar archive."""

    CSS_PATH = "model_files.tcss"
    COMPONENT_CLASSES = ROLE_CLASSES | CURVE_CLASSES
    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Back", key_display="Esc", tooltip="Back to the models")
    ]

    def __init__(self, model: Model, source: FileSource | None) -> None:
        """Make the screen.

        Args:
            model: The model, whose description is its card.
            source: Its file; None if its row names none.
        """
        super().__init__()
        self._model = model
        self._source = source

    def compose(self) -> ComposeResult:
        name = self._model.name if self._source is None else self._source.name.rpartition("/")[2]
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = Content(fmt.plain(name, 60))
            if self._model.description:
                yield Document(id="model-card")
            if self._source is not None:
                yield FilePreview()
            yield KeyLine()

    def on_mount(self) -> None:
        # A screen that is closed while it opens has no widgets.
        for card in self.query(Document).filter("#model-card"):
            lines = fmt.plain_lines(self._model.description or "", CARD_CHARACTERS)
            card.show(self._model.id, preview_markdown.sections(lines))
            card.set_class(self._source is None, "-alone")
            card.focus()
        for preview in self.query(FilePreview):
            preview.show_source(self._source)
            if not self._model.description:
                preview.current.focus()
