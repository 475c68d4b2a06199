"""A modal that shows one file: that of a model, or a picture that somebody sent to one."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content

from flowtui import format as fmt
from flowtui.screens.attachments.jobs import FileJobs
from flowtui.screens.attachments.preview import FilePreview
from flowtui.screens.attachments.reading import FileSource
from flowtui.screens.dialog import Dialog
from flowtui.widgets.asking import Asks
from flowtui.widgets.documents import preview_markdown
from flowtui.widgets.documents.document import Document
from flowtui.widgets.frame.frame import KeyLine
from flowtui.widgets.paint import CURVE_CLASSES, ROLE_CLASSES

if TYPE_CHECKING:
    from flowtui.widgets.host import Host

CARD_CHARACTERS = 200_000
"""How much of a card is shown."""


class FileScreen(Asks, Dialog[None]):
    """Shows a file as the Attachments tab does; the files of an archive as a list."""

    CSS_PATH = "file_screen.tcss"
    COMPONENT_CLASSES = ROLE_CLASSES | CURVE_CLASSES
    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back", key_display="Esc",
                id="file.leave", tooltip="Back to where the file was named"),
        Binding("o", "open_file", "Open", id="file.open",
                tooltip="Open a private copy in the system's viewer"),
        Binding("w", "save_file", "Save", id="file.save", tooltip="Save a copy of the file"),
        Binding("tab", "next_part", "Card or file", key_display="Tab",
                id="file.pane", tooltip="To the card, or to the file"),
    ]  # fmt: skip

    def __init__(self, source: FileSource, card: str = "") -> None:
        """Make the screen.

        Args:
            source: The file.
            card: What is written about it, in Markdown, shown above it; empty for nothing.
        """
        super().__init__()
        self._source = source
        self._card = card.strip()
        self._jobs: FileJobs | None = None

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = Content(fmt.plain(self._source.name.rpartition("/")[2], 60))
            if self._card:
                yield Document(id="card")
            yield FilePreview()
            yield KeyLine()

    def on_mount(self) -> None:
        # A screen that is closed while it opens has no widgets.
        for preview in self.query(FilePreview):
            preview.show_source(self._source)
            preview.current.focus()
        for card in self.query("#card").results(Document):
            lines = fmt.plain_lines(self._card, CARD_CHARACTERS)
            card.show(self._source.name, preview_markdown.sections(lines))
            card.focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return bool(self._card) or action != "next_part"

    def action_next_part(self) -> None:
        self.focus_next()

    @property
    def _file_jobs(self) -> FileJobs:
        if self._jobs is None:
            self._jobs = FileJobs(self, cast("Host", self.app))
        return self._jobs

    @work
    async def action_open_file(self) -> None:
        preview = self.query_one(FilePreview)
        source, request = preview.shown_file
        await self._file_jobs.open(source or self._source, preview.kind, request)

    @work
    async def action_save_file(self) -> None:
        source, _ = self.query_one(FilePreview).shown_file
        await self._file_jobs.save_file(source or self._source)

    def action_leave(self) -> None:
        """Go back to the archive that a member is shown of, or to where the file was named."""
        if not any(preview.leave_member() for preview in self.query(FilePreview)):
            self.dismiss(None)
