"""The panes of a preview: one for each way to show a file, and one of them visible."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, TypeVar, cast

from rich.cells import cell_len
from textual import on
from textual.containers import Vertical
from textual.widget import Widget

from flowtui import format as fmt
from flowtui import installation
from flowtui.previews.document_blocks import Member
from flowtui.previews.kind_table import PreviewKind
from flowtui.previews.values import (
    Arrays,
    DocumentPage,
    EmptyFile,
    JsonRecords,
    JsonTree,
    Listing,
    Mode,
    Picture,
    Request,
    TablePage,
    TextPage,
)
from flowtui.screens.attachments import title
from flowtui.screens.attachments.reading import FileSource, ReadPart, is_rendered, joined_lines
from flowtui.widgets.cells import Piece, clipped
from flowtui.widgets.documents import preview_documents, preview_markdown
from flowtui.widgets.documents.blocks import Section, Text
from flowtui.widgets.documents.document import Document
from flowtui.widgets.documents.picture import PicturePane
from flowtui.widgets.documents.picture_grid import PictureGrid
from flowtui.widgets.documents.text_lines import TextLines
from flowtui.widgets.frame.frame import OneLine
from flowtui.widgets.lists import preview_table
from flowtui.widgets.lists.table_pane import TablePane
from flowtui.widgets.lists.virtual_list import VirtualList

if TYPE_CHECKING:
    from flowtui.widgets.host import Host

PageT = TypeVar("PageT")
NUMBERED = (PreviewKind.SOURCE, PreviewKind.JSON, PreviewKind.YAML, PreviewKind.TOML)


class PreviewPanes(Vertical):
    """Shows the part of a file that was read, under a title line."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._source: FileSource | None = None
        self._request = Request()
        """The form in which the file is shown."""
        self._parts: list[ReadPart] = []
        """The parts that were read, from the beginning on; one page if the file has pages."""
        self._current: VirtualList | None = None
        self._status: Callable[[int], list[Piece]] | None = None

    def compose(self) -> Iterable[Widget]:
        yield OneLine(id="preview-title")
        yield TextLines(id="preview-text")
        yield Document(id="preview-document")
        yield TablePane(id="preview-table")
        yield PicturePane(id="preview-picture")
        yield PictureGrid(id="preview-pictures")

    @property
    def _flow(self) -> Host:
        return cast("Host", self.app)

    @property
    def _text(self) -> TextLines:
        return self.query_one(TextLines)

    @property
    def current(self) -> VirtualList:
        """The pane that shows the file."""
        return self._current or self._text

    @property
    def keys_told(self) -> str:
        """The keys that show the file in other forms, with what each shows."""
        return ""

    @property
    def _shown_name(self) -> str:
        name = "" if self._source is None else self._source.name
        names = (name, *(member.name for member in self._request.inside))
        return " › ".join(fmt.plain(one.rpartition("/")[2] or one, 300) for one in names)

    def _title(self, line: Sequence[Piece]) -> None:
        if self.is_attached:
            self.query_one("#preview-title", OneLine).show(clipped(line, self.size.width))

    @property
    def _identity(self) -> tuple[str, Mode, int, tuple[Member, ...]]:
        """The file and its form; cursor and folds stay as long as both stay the same."""
        key = "" if self._source is None else self._source.key
        return key, self._request.mode, self._request.sheet, self._request.inside

    # One way for each kind ---------------------------------------------------------------------

    def show_parts(self, *, is_new: bool) -> None:
        """Show what was read, from the top if it is another file."""
        part = self._parts[0]
        shown = part.preview.shown
        match shown:
            case TextPage() if is_rendered(part.preview, self._request.mode):
                pages = [one.preview.shown for one in self._parts]
                lines = [line.text for page in pages if isinstance(page, TextPage)
                         for line in page.lines]  # fmt: skip
                self._show_sections(preview_markdown.sections(lines))
            case JsonTree():
                self._show_sections(preview_documents.json_sections(shown))
            case JsonRecords():
                self._show_sections(preview_documents.record_sections(self._of(JsonRecords)))
            case DocumentPage():
                self._show_sections(preview_documents.document_sections(self._of(DocumentPage)))
            case Picture():
                self._show_picture(shown)
            case TablePage():
                self._show_table(part, is_new)
            case Arrays():
                self._show_arrays(is_new)
            case Listing():
                sections = preview_documents.member_sections(self._of(Listing))
                if shown.manifest:
                    sections += preview_documents.about_section("Manifest", shown.manifest)
                self._show_sections(sections)
            case EmptyFile():
                self._show_pane(self._text)
                self._text.show_note("This file is empty: it has no bytes.")
            case _:
                self._show_lines(is_new)
        self._show_title()
        self.refresh_bindings()

    def _of(self, kind: type[PageT]) -> list[PageT]:
        shown = [part.preview.shown for part in self._parts]
        return [one for one in shown if isinstance(one, kind)]

    @property
    def _end_note(self) -> str:
        last = self._parts[-1].preview
        part = title.part_of(last)
        has_own_end = part.unit == "page" or isinstance(last.shown, TablePage)
        if part.next_position is None or has_own_end:
            return ""
        return f"… {self._amount}   m shows more"

    @property
    def _amount(self) -> str:
        parts = [one.preview for one in self._parts]
        if isinstance(parts[0].shown, TablePage):
            return self.query_one(TablePane).extent
        count = title.count_of(parts)
        before = title.part_of(parts[0]).first or 0
        return title.shown_part(title.part_of(parts[-1]), count, before)

    def _show_title(self) -> None:
        if self._status is not None:
            self._title(self._status(self.size.width))
        elif self._parts:
            part = self._parts[0]
            line = list(
                title.title(
                    self._shown_name, part.preview, self._amount, self.keys_told, self.size.width
                )
            )
            if part.missing_extra:
                line = _with_advice(line[:2], part.missing_extra, self.size.width)
            self._title(line)

    def show_status(self, status: Callable[[int], list[Piece]] | None) -> None:
        """Show the status of a job in place of the title, until this is called with None."""
        self._status = status
        self._show_title()

    def _show_lines(self, is_new: bool) -> None:
        lines = joined_lines(self._parts)
        read = self._parts[0].preview
        is_numbered = isinstance(read.shown, TextPage) and read.kind in NUMBERED
        first = title.part_of(read).first if is_numbered else None
        self._show_pane(self._text)
        if not lines:
            note = read.shown.note if isinstance(read.shown, TextPage) else ""
            self._text.show_note(note or "This file has no content to show.")
            return
        self._text.show_lines(lines, first=first, end_note=self._end_note, is_new=is_new)

    def _show_sections(self, sections: list[Section]) -> None:
        document = self.query_one(Document)
        note = self._end_note
        if note:
            sections = [*sections, Section("more", "", (Text(note, "muted"),))]
        self._show_pane(document)
        if sections:
            document.show(self._identity, sections)
        else:
            said = title.note_of(self._parts[0].preview)
            document.show_note(f"{said or 'This file has no content to show'}.")

    def _show_arrays(self, is_new: bool) -> None:
        arrays = self._of(Arrays)
        page = preview_table.of_arrays(arrays)
        about = arrays[0].metadata
        if not about:
            self._show_pane(self.query_one(TablePane))
            self.query_one(TablePane).show_page(page, is_new=is_new)
            return
        names = [column.name for column in page.columns]
        right = [at for at, column in enumerate(page.columns) if column.name == "size"]
        content = preview_markdown.table([names, *page.rows], right=right)
        self._show_sections(
            [
                Section("content", "Content", (content,)),
                *preview_documents.about_section("Metadata", about),
            ]
        )

    def _show_table(self, part: ReadPart, is_new: bool) -> None:
        from flowtui.screens.attachments.tables import TableSource

        name = self._source.name if self._source else ""
        pane = self.query_one(TablePane)
        self._show_pane(pane)
        source = TableSource(part.path, name, self._request, part.preview)
        pane.show_source(source, is_new=is_new)

    def _show_picture(self, picture: Picture) -> None:
        here = self._flow.session
        if here.is_monochrome or not here.is_utf8:
            self._show_pane(self._text)
            self._text.show_note(
                "This terminal has no colours or no half blocks, so it cannot show a picture."
            )
            return
        pane = self.query_one(PicturePane)
        self._show_pane(pane)
        pane.show(picture)

    def _show_pane(self, pane: VirtualList) -> None:
        had_focus = self._current is not None and self._current.has_focus
        self._current = pane
        for one in self.query(VirtualList):
            one.display = one is pane
        if had_focus and not pane.has_focus:
            pane.focus()

    @on(TablePane.ExtentChanged)
    def tell_rows(self, message: TablePane.ExtentChanged) -> None:
        message.stop()
        self._show_title()
        self.extent_changed()

    def extent_changed(self) -> None:
        """Tell whoever shows it that other rows of the table are known."""

    @property
    def copy_text(self) -> str:
        """The text under the cursor of the pane that shows the file."""
        pane = self.current
        if isinstance(pane, (Document, TextLines, TablePane)):
            return pane.copy_text
        return ""


def _with_advice(line: list[Piece], extra: str, width: int) -> list[Piece]:
    """Return a title, cut for the command that installs an extra, which is shown whole or not."""
    advised = [Piece(f"  ▲ {installation.adding(extra)}", "attention")]
    advised.append(Piece(" shows more of it", "muted"))
    if sum(cell_len(piece.text) for piece in (*line, *advised)) > width:
        advised = [Piece(f"  ▲ needs {extra}: flow-tui doctor", "attention")]
    return [*line, *advised]
