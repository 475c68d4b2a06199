"""The preview of one file: read in the background, and shown in the pane that suits it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.timer import Timer

from flowtui import format as fmt
from flowtui.previews.document_blocks import Member
from flowtui.previews.kind_table import PreviewKind
from flowtui.previews.values import Mode, Picture, Request, TablePage
from flowtui.screens.attachments import title
from flowtui.screens.attachments.looking import ZOOM_KEYS
from flowtui.screens.attachments.members import member_source
from flowtui.screens.attachments.reading import (
    FileSource,
    Previews,
    ReadPart,
)
from flowtui.screens.attachments.sharp import SharpPanes
from flowtui.screens.dialogs.choose import Choice, ChooseScreen
from flowtui.widgets.cells import Piece
from flowtui.widgets.documents.document import Document
from flowtui.widgets.documents.picture import PicturePane
from flowtui.widgets.lists.table_pane import TablePane
from flowtui.widgets.lists.virtual_list import VirtualList

RESIZE_S = 0.15
"""How long the pane must keep its size before a picture is drawn anew for it."""
FRAME_LINES = 5
"""How many lines of the screen are not the pane's when it has the whole screen."""
MIN_CELLS, MIN_LINES = 8, 4
_FORMS = {Mode.BEST: "rendered", Mode.TEXT: "text", Mode.PICTURE: "picture"}


class EncodingScreen(ChooseScreen):
    """Chooses an encoding."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "take_current"


class FilePreview(SharpPanes):
    """Shows one file. Posts `Shown` when it knows the file's kind and the pane that shows it."""

    KEYS: ClassVar[list[Binding]] = [
        Binding("m", "more", "More", id="preview.more", tooltip="Read on where the preview ends"),
        Binding("p", "switch", "As text", id="preview.switch",
                tooltip="Switch between the picture, table or tree and its text"),
        Binding("left_square_bracket", "turn(-1)", "Previous page", show=False,
                id="preview.before", tooltip="Show the previous page"),
        Binding("right_square_bracket", "turn(1)", "Page", key_display="[ ]", id="preview.after",
                tooltip="Show the next page"),
        Binding("c", "encoding", "Encoding", id="preview.encoding",
                tooltip="Read the text in another encoding"),
        Binding("S", "statistics", "Statistics", show=False, id="preview.statistics",
                tooltip="Minimum, maximum, mean and NaN of each array, or without them again"),
        Binding("n", "find_next(1)", "Next match", show=False, id="preview.next",
                tooltip="The next line with the text that / has found"),
        Binding("N", "find_next(-1)", "Previous match", show=False, id="preview.previous",
                tooltip="The line before with that text"),
        *ZOOM_KEYS,
        Binding("H", "bytes", "Bytes", show=False, id="preview.bytes",
                tooltip="Switch between the bytes of the file and its content"),
    ]  # fmt: skip
    BINDINGS: ClassVar[list[BindingType]] = [*KEYS]

    @dataclass
    class Shown(Message):
        """Sent by FilePreview when a file is shown, with its kind."""

        source: FileSource
        kind: PreviewKind

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._previews = Previews()
        self._resize: Timer | None = None
        self._series = ""
        self._outer: list[tuple[Request, int]] = []
        """What a member that is shown lies in, and where the cursor was there."""
        self._cursor_then: int | None = None
        """Where the cursor is to be in what is being read."""
        self._further: Request | None = None
        """The part after those that are shown, from the key that asks for it until it is read."""

    def on_mount(self) -> None:
        self._show_pane(self._text)
        self.app.theme_changed_signal.subscribe(self, lambda _theme: self._draw_again())

    # What is shown ---------------------------------------------------------------------------

    @property
    def source(self) -> FileSource | None:
        return self._source

    @property
    def request(self) -> Request:
        """The form in which the file is shown."""
        return self._request

    def show_source(
        self, source: FileSource | None, note: str = "", series: str = "", *, is_next: bool = False
    ) -> None:
        """Show a file from its beginning, or a sentence if there is no file.

        Args:
            source: The file.
            note: The sentence.
            series: Which file of a series it is, as `3 of 12`; empty if it is of none.
            is_next: Whether it is looked at as the one before was: in that form, as near.
        """
        if source is None:
            self.show_nothing()
            self._title([])
            self._show_pane(self._text)
            self._text.show_note(note)
            return
        is_other = self._source is None or source.key != self._source.key
        if is_other:
            self.show_nothing()
        self._source, self._series = source, series
        if is_other:
            request = replace(self._wanted, inside=(), encoding=None) if is_next else Request()
            self._request = self._fitting(request)
            self._ask(replace(self._request, position=0, index=0))
        else:
            # It was forgotten when the preview was left.
            self.sharpen()
            self._read(self._wanted)

    def show_nothing(self) -> None:
        self._source, self._series, self._parts, self._folder = None, "", [], None
        self._further = None
        self.forget_search()
        for group in ("preview", "pictures"):
            self.workers.cancel_group(self, group)
        # A table reads on for itself.
        self.workers.cancel_node(self.query_one(TablePane))
        self._outer.clear()
        self._cursor_then = None

    def show_series(self, series: str) -> None:
        """Say which file of a series is shown, once that is known."""
        self._series = series
        if self._parts:
            self._show_title()

    def leave(self) -> None:
        """Stop whatever is read for a preview that nobody sees."""
        self.soften()
        for group in ("preview", "find", "pictures"):
            self.workers.cancel_group(self, group)
        self.workers.cancel_node(self.query_one(TablePane))

    @property
    def _is_paged(self) -> bool:
        return self.kind is PreviewKind.PDF and self._request.mode is not Mode.HEX

    def _fitting(self, request: Request) -> Request:
        # On a narrow terminal a hidden pane will have the whole screen.
        size = self.size if self.size.width else self.screen.size - (0, FRAME_LINES)
        return replace(
            request,
            width=max(size.width - 2, MIN_CELLS),
            height=max(size.height - 1, MIN_LINES),
            background=self._background(),
        )

    def _background(self) -> tuple[int, int, int]:
        return self.background_colors[1].rgb if not self.app.native_ansi_color else (0, 0, 0)

    def _show_reading(self) -> None:
        if self._source is not None and not self._parts:
            self._title([Piece(f" {self._shown_name}", "title"), Piece("  reading…", "muted")])
            self._show_pane(self._text)
            self._text.show_note("reading…")

    def read_part(self, request: Request) -> None:
        self._ask(request)

    def _ask(self, request: Request) -> None:
        """Read another part, or another form, in place of those that are shown."""
        if self._source is not None:
            self._wanted, self._further = request, None
            self._read(request)

    def _read(self, request: Request) -> None:
        if self._source is not None:
            source = self._source
            self.ask(
                partial(self._previews.read, source, request),
                partial(self._show_part, source, request),
                partial(self._show_failure, source, request),
                group="preview",
                waiting=self._show_reading,
            )

    # Reading ---------------------------------------------------------------------------------

    def _show_part(self, source: FileSource, request: Request, part: ReadPart) -> None:
        if self._source is None or source.key != self._source.key:
            return
        before = self._identity if self._parts else None
        jump, self._jump = self._jump, None
        if request == self._further:
            self._parts.append(part)
        elif self._is_shown(part, request):
            if self._further is not None:
                # The file was looked at again while this was being read.
                self._read(self._further)
            return
        else:
            self._parts = [part]
            self._request = request
        self._further = None
        self.show_parts(is_new=self._identity != before)
        if jump is not None:
            self._cursor_then = jump.line
            self._is_jumped = True
        if self._cursor_then is not None:
            self.current.cursor = self._cursor_then
            self._cursor_then = None
        self.post_message(self.Shown(self._source, part.preview.kind))

    def _is_shown(self, part: ReadPart, request: Request) -> bool:
        """Say whether a part is shown already, alone or as the first of several."""
        if not self._parts or request != self._request:
            return False
        first = self._parts[0]
        return first == part or (len(self._parts) > 1 and first.preview.shown == part.preview.shown)

    def _show_failure(self, source: FileSource, request: Request, reason: str) -> None:
        if self._source is None or source.key != self._source.key:
            return
        self._further = None
        if request.position and self._parts:
            self.notify(fmt.plain(reason, 300), severity="warning", markup=False)
            return
        self._parts = []
        self._request = request
        self._title([Piece(f" {self._shown_name}", "title")])
        self._show_pane(self._text)
        self._text.show_note(f"✗ {fmt.plain(reason, 500)}")
        self.refresh_bindings()

    # Members ---------------------------------------------------------------------------------

    @on(Document.Followed)
    def show_member(self, event: Document.Followed) -> None:
        """Show the member of an archive that was followed."""
        event.stop()
        if isinstance(event.target, Member):
            self.forget_search()
            self._outer.append((self._request, self.current.cursor))
            inside = (*self._request.inside, event.target)
            self._parts = []
            self._request = self._fitting(Request(inside=inside))
            self._ask(self._request)

    def leave_member(self) -> bool:
        """Show what a member lies in, if one is shown; say whether one was."""
        if not self._outer:
            return False
        self.forget_search()
        request, self._cursor_then = self._outer.pop()
        self._parts = []
        self._request = request
        self._ask(replace(request, position=0, index=0))
        return True

    @property
    def shown_file(self) -> tuple[FileSource | None, Request]:
        """The file or member that is shown, and the form in which it is."""
        inside = self._request.inside
        if self._source is None or not inside:
            return self._source, self._request
        return member_source(self._source, inside), replace(self._request, inside=())

    # Keys ------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "turn":
            return self._is_paged or len(self._sheets) > 1
        if action == "more":
            return bool(self._parts) and bool(self._end_note)
        if action == "switch":
            return self._other_mode is not None
        if action == "find_next":
            return bool(self._needle)
        if action == "statistics":
            return Mode.STATISTICS in self._modes
        if action == "encoding":
            return bool(self._encodings)
        if action in ("zoom", "pan"):
            return self.can_look(action)
        return True

    @property
    def _modes(self) -> tuple[Mode, ...]:
        return self._parts[0].preview.modes if self._parts else (Mode.BEST, Mode.HEX)

    @property
    def _other_mode(self) -> Mode | None:
        """The form that `p` switches to: the text of a picture, table or tree, or back."""
        if Mode.TEXT not in self._modes or self.kind in (
            PreviewKind.TEXT, PreviewKind.ANSI, PreviewKind.SOURCE, PreviewKind.DIFF
        ):  # fmt: skip
            return None
        if self.kind is PreviewKind.PDF:
            is_picture = isinstance(self._parts[0].preview.shown, Picture)
            return Mode.TEXT if is_picture else Mode.PICTURE
        return self._modes[0] if self._wanted.mode is Mode.TEXT else Mode.TEXT

    @property
    def _amount(self) -> str:
        file = f"file {self._series}" if self._series else ""
        return title.SEPARATOR.join(filter(None, (super()._amount, file)))

    @property
    def keys_told(self) -> str:
        told = [self.found_told] if self._needle else []
        if (other := self._other_mode) is not None and self._wanted.mode is not Mode.HEX:
            told.append(f"p {_FORMS[other]}")
        if Mode.STATISTICS in self._modes and self._wanted.mode is Mode.BEST:
            told.append("S statistics")
        if len(self._modes) > 1:
            told.append("H content" if self._wanted.mode is Mode.HEX else "H bytes")
        if self._is_paged or len(self._sheets) > 1:
            told.append("[ ] turn")
        told = [*self.zoom_told, *told]
        if self._series:
            told.append(", . series")
        return "  ".join(told)

    def action_more(self) -> None:
        if self._source is None or not self._parts or not self._end_note:
            return
        part = title.part_of(self._parts[-1].preview)
        if part.next_position is not None:
            index = None if part.first is None else part.first + part.count
            request = replace(self._request, position=part.next_position, index=index)
            if self._is_paged:
                self._ask(request)
            else:
                self._further = request
                self._read(request)

    @on(VirtualList.Chosen, "#preview-text")
    def read_on(self, event: VirtualList.Chosen) -> None:
        event.stop()
        self.action_more()

    def action_switch(self) -> None:
        if self._source is not None and self._other_mode is not None:
            self._show_as(self._other_mode)

    @property
    def _encodings(self) -> tuple[tuple[str, str], ...]:
        """The encodings in which the text can be read, each with how the text begins in it."""
        known = self._parts[0].preview.encoding if self._parts else None
        return () if known is None else known.choices

    @work
    async def action_encoding(self) -> None:
        source, encodings = self._source, self._encodings
        if source is None or not encodings:
            return
        known = self._parts[0].preview.encoding
        assert known is not None
        chosen = await self.app.push_screen_wait(
            EncodingScreen(
                "Read the text as", [Choice(name, name, text) for name, text in encodings],
                [known.name],
            )
        )  # fmt: skip
        if chosen and self._source is not None and source.key == self._source.key:
            self._ask(replace(self._wanted, encoding=chosen[0], position=0, index=0))

    def action_statistics(self) -> None:
        has_some = self._wanted.mode is Mode.STATISTICS
        self._show_as(Mode.BEST if has_some else Mode.STATISTICS)

    def action_bytes(self) -> None:
        if self._source is not None:
            is_hex = self._wanted.mode is Mode.HEX
            self._show_as(self._modes[0] if is_hex else Mode.HEX)

    def _show_as(self, mode: Mode) -> None:
        assert self._source is not None
        keeps_page = self.kind is PreviewKind.PDF and Mode.HEX not in (mode, self._wanted.mode)
        request = self._fitting(replace(self._wanted, mode=mode))
        self._ask(request if keeps_page else replace(request, position=0, index=0))

    @on(PicturePane.PageWanted)
    def turn_page(self, event: PicturePane.PageWanted) -> None:
        event.stop()
        self.action_turn(event.by)

    @property
    def _sheets(self) -> tuple[str, ...]:
        shown = self._parts[0].preview.shown if self._parts else None
        return shown.sheets if isinstance(shown, TablePage) else ()

    def action_turn(self, by: int) -> None:
        sheet = self._wanted.sheet + by
        if 0 <= sheet < len(self._sheets):
            self._ask(replace(self._wanted, sheet=sheet, position=0, index=0, first_column=0))
        if self._source is None or not self._is_paged:
            return
        part = title.part_of(self._parts[0].preview)
        page = self._wanted.position + by
        if 0 <= page < (part.total or 0):
            self._ask(replace(self._wanted, position=page, index=page))

    def on_resize(self) -> None:
        self._show_title()
        if self._resize is not None:
            self._resize.stop()
        self._resize = self.set_timer(RESIZE_S, self._fit_picture)

    def _draw_again(self) -> None:
        self._fit_picture()
        self._grid.drop()

    def _fit_picture(self) -> None:
        fitting = self._fitting(self._wanted)
        if not self._parts or self._source is None or fitting == self._wanted:
            return
        if isinstance(self._parts[0].preview.shown, Picture) and self.size:
            self._ask(fitting)
