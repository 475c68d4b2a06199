"""Attachments: the tree of files, and a preview of the one under the cursor."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.timer import Timer
from textual.widget import Widget

from flowtui import format as fmt
from flowtui.screens.attachments.comparing import FileEnd
from flowtui.screens.attachments.difference import FileDifference
from flowtui.screens.attachments.files import files_in, matches, why_not
from flowtui.screens.attachments.folder_pictures import ShowsFolders
from flowtui.screens.attachments.jobs import FileJobs, Saving
from flowtui.screens.attachments.marked import MarkedFiles
from flowtui.screens.attachments.preview import FilePreview
from flowtui.screens.attachments.reading import FileSource
from flowtui.screens.attachments.series import FileSeries, series_of
from flowtui.screens.dialogs.choose import Choice, chosen_order
from flowtui.screens.may_write import none_logged
from flowtui.store.attachments.listing import By, tree
from flowtui.store.attachments.values import (
    Attachment,
    Attachments,
    FileNode,
    FileState,
    FolderNode,
)
from flowtui.store.compare.files import FileDigests
from flowtui.store.compare.run_set import LETTERS
from flowtui.store.open_run import OpenRun
from flowtui.store.store import Store
from flowtui.store.values import Kind
from flowtui.widgets.cells import Piece
from flowtui.widgets.frame.empty import EmptyText
from flowtui.widgets.frame.filter_line import FilterLine
from flowtui.widgets.frame.pane_line import PaneLine
from flowtui.widgets.frame.panes import Panes
from flowtui.widgets.lists.virtual_list import VirtualList
from flowtui.widgets.paint import CURVE_CLASSES
from flowtui.widgets.trees.file_tree import FileTree
from flowtui.widgets.trees.file_words import word_of_kind

REST_S = 0.15
"""How long the cursor must stay on a file before that is read."""
NARROW_BELOW, WIDE_FROM = 100, 160
HINT = "part of a path, or a pattern: *.png"
ROWS_HINT = "a text in the row, or: loss > 0.5 and label = cat"
HOW = " tracker.log_attachment(name, data) attaches one."
ABSENT = "This store's schema has no attachments."
SORTABLE = (Choice("name", "name"), Choice("size", "size"), Choice("time", "time of change"))


class AttachmentsScreen(ShowsFolders):
    """The fifth tab: the files that were attached to the run."""

    CSS_PATH = "screen.tcss"
    tab = "attachments"
    COMPONENT_CLASSES = CURVE_CLASSES
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012  # Textual declares it as an instance's
        (0, "-narrow"),
        (NARROW_BELOW, "-normal"),
        (WIDE_FROM, "-wide"),
    ]
    reads = frozenset({Kind.ATTACHMENTS})
    needs_records = frozenset(
        {"filter", "open", "save", "sort", "next_pane", "copy", "copy_row", "preview", "mark"}
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", key_display="/", id="attachments.filter",
                tooltip=f"Filter the files: {HINT}; in a preview: find a text in all of it, or "
                        "filter the rows of a table"),
        Binding("o", "open", "View", id="attachments.open",
                tooltip="Open a copy of the file in the system's viewer"),
        Binding("w", "save", "Save", id="attachments.save",
                tooltip="Save a copy of the file, or of the whole folder"),
        Binding("s", "sort", "Sort", id="attachments.sort",
                tooltip="Sort by name, size or time; again: reverse"),
        Binding("space", "mark", "Mark", key_display="Space", id="attachments.mark",
                tooltip="Mark the file, of which two can be compared, or unmark it"),
        Binding("equals_sign", "compare", "Compare", key_display="=", id="attachments.compare",
                tooltip="Show how the two marked files differ, or the marked one and this one"),
        *(
            Binding(binding.key, f"preview({binding.action!r})", binding.description,
                    show=binding.show, key_display=binding.key_display,
                    tooltip=binding.tooltip, id=f"attachments.{binding.id}")
            for binding in FilePreview.KEYS
        ),
        Binding("comma", "step(-1)", "Earlier", show=False, id="attachments.step_back",
                tooltip="The file before in a series: step_100.png, step_200.png"),
        Binding("full_stop", "step(1)", "Later", show=False, id="attachments.step_on",
                tooltip="The next file of a series"),
        Binding("tab", "next_pane(1)", "Pane", key_display="Tab", show=False,
                id="attachments.pane", tooltip="Go to the preview, and back to the files"),
        Binding("shift+tab", "next_pane(-1)", "Pane back", show=False,
                id="attachments.pane_back", tooltip="Go to the previous pane"),
        Binding("y", "copy", "Copy path", show=False, id="attachments.copy",
                tooltip="Copy the path of the file, or what the preview's cursor is on"),
        Binding("Y", "copy_row", "Copy as JSON", show=False, id="attachments.copy_row",
                tooltip="Copy what is known of the file as JSON"),
    ]  # fmt: skip

    def __init__(self, store: Store, run: OpenRun) -> None:
        super().__init__(store, run)
        self._found: Attachments | None = None
        self._was_read = False
        self._needle = ""
        self._order: tuple[By, bool] = ("name", False)
        self._rest: Timer | None = None
        self._panes = Panes(self, self._two_panes)
        self._jobs: FileJobs | None = None
        self._marked = MarkedFiles()
        self._series: FileSeries | None = None

    def compose_tab(self) -> Iterable[Widget]:
        with Horizontal(id="attachment-panes"):
            yield FileTree(id="files")
            yield FilePreview(id="preview")
        yield FileDifference(FileDigests(), id="difference")
        yield EmptyText(id="empty")
        yield FilterLine(HINT, history="attachments", id="filter")
        yield FilterLine("a text in the file", id="find")
        yield FilterLine(ROWS_HINT, history="rows", id="rows")
        yield PaneLine(["Files", "Preview"])

    def on_mount(self) -> None:
        if self.is_composed:
            self._jobs = FileJobs(self, self.flow, self._show_saving)
            self._show_empty("")

    def _two_panes(self) -> list[VirtualList]:
        return [self._files, self._preview.current]

    @property
    def _filter_line(self) -> FilterLine:
        return self.query_one("#filter", FilterLine)

    # Reading ---------------------------------------------------------------------------------

    def read(self, kinds: frozenset[Kind]) -> Iterator[Callable[[], object]]:
        yield partial(self._take_files, self.run.attachments())

    @property
    def has_content(self) -> bool:
        return self._was_read

    def show_reading(self) -> None:
        if self.is_composed and not self._was_read:
            self._show_empty("reading…")

    def _take_files(self, found: Attachments | None) -> None:
        self._was_read = True
        self._found = found
        self.take_whether_any(found is not None and bool(found.files or found.orphans))
        if found is None:
            self._show_empty(ABSENT)
        elif not found.files and not found.orphans:
            none = "No files were attached."
            self._show_empty(none_logged(self.store, self.flow.options, none, HOW))
        else:
            self._arrange(found, self._needle, *self._order)

    def _arrange(self, found: Attachments, needle: str, by: By, is_descending: bool) -> None:
        def arrange() -> FolderNode:
            files = [file for file in (*found.files, *found.orphans) if matches(file, needle)]
            return tree(files, by, is_descending)

        self.ask(arrange, partial(self._show_tree, needle), group="arrange")

    def show_failure(self, reason: str) -> None:
        self.take_whether_any(False)
        self._was_read = True
        self._show_empty(fmt.unread(reason))

    # Showing ---------------------------------------------------------------------------------

    def _show_tree(self, filtered_by: str, root: FolderNode) -> None:
        found = self._found
        if found is None:
            return
        total = len(found.files) + len(found.orphans)
        self._files.sorted_by = self._order
        self._show_empty("")
        self._files.show_tree(root, filtered_by=filtered_by)
        if not root.file_count:
            self._files.show_note(fmt.none_match(total, "file"))
        if filtered_by:
            self._filter_line.note(f"{root.file_count:,} of {total:,}")
        if found.problem is not None:
            self.notify(fmt.plain(found.problem, 200), severity="warning", markup=False)
        # There may be others of it now.
        self._series = None
        self.rest_here()

    def _show_empty(self, text: str) -> None:
        empty = self.query_one(EmptyText)
        empty.show(text)
        empty.display = bool(text)
        self.query_one("#attachment-panes").display = not text and not self._difference.is_open
        self.query_one(PaneLine).set_class(bool(text), "-nothing")
        if not text and self.focused is None:
            self.set_focus(self._files)

    @on(VirtualList.CursorMoved, "#files")
    def wait_for_rest(self) -> None:
        if self._marked.paths:
            # One marked file is compared with the one under the cursor.
            self.refresh_bindings()
        if self._jobs is not None:
            self._jobs.forget_saved()
        if self._rest is not None:
            self._rest.stop()
        self._rest = self.set_timer(REST_S, self.rest_here)

    def show_preview(self) -> None:
        self.rest_here()

    def action_step(self, by: int) -> None:
        series = None if self._series is None else self._series.neighbour(by)
        if series is not None and self._files.go_to(series.path):
            self._series = series
            self._show_file(is_next=True)

    def _show_file(self, *, is_next: bool = False) -> None:
        file = self._files.attachment
        if file is None or file.state is not FileState.PRESENT:
            return
        told = "" if self._series is None else self._series.told
        self._preview.show_source(self._source(file), series=told, is_next=is_next)
        if self._series is None:
            # A folder may have a hundred thousand files.
            path, root = file.path, self._files.root
            self.ask(partial(_series_in, root, path), partial(self._take_series, path),
                     group="series")  # fmt: skip

    def _take_series(self, path: str, series: FileSeries | None) -> None:
        file = self._files.attachment
        if series is not None and file is not None and file.path == path:
            self._series = series
            self._preview.show_series(series.told)
            self.refresh_bindings()

    def rest_here(self) -> None:
        node = self._files.node
        file = self._files.attachment
        if self._series is not None and (file is None or file.path != self._series.path):
            self._series = None
        if isinstance(node, FolderNode):
            latest = "" if node.latest_at is None else f", last changed {fmt.when(node.latest_at)}"
            said = f"{fmt.count(node.file_count, 'file')}, {fmt.size(node.size_bytes)}{latest}"
            self.show_folder(node, said)
        elif node is None:
            self._preview.show_source(None)
        elif node.attachment.state is FileState.PRESENT:
            self._show_file()
        else:
            self._preview.show_source(None, why_not(node.attachment))
        self._panes.fit()

    def source_at(self, path: str) -> FileSource:
        return FileSource(path, path, partial(self.run.files.path, path),
                          partial(self.run.files.glance, path))  # fmt: skip

    def _source(self, file: Attachment) -> FileSource:
        return self.source_at(file.path)

    @on(FilePreview.Shown)
    def take_kind(self, message: FilePreview.Shown) -> None:
        self._files.show_type(message.source.key, word_of_kind(message.kind))
        self._panes.fit()

    def _show_saving(self, saving: Saving | None) -> None:
        def status(width: int) -> list[Piece]:
            assert saving is not None
            share = saving.done_bytes * 100 // max(saving.total_bytes, 1)
            said = f"{fmt.size(saving.done_bytes)} of {fmt.size(saving.total_bytes)}"
            return [
                Piece(f" Saving {fmt.plain(saving.name, 60)}  {share} %", "accent"),
                Piece(f"  {said} · Esc cancels", "muted"),
            ]

        self._preview.show_status(None if saving is None else status)

    # Two files -------------------------------------------------------------------------------

    @property
    def _difference(self) -> FileDifference:
        return self.query_one(FileDifference)

    def action_mark(self) -> None:
        if (file := self._files.attachment) is not None:
            self._marked.toggle(file.path)
            self._files.show_marks(self._marked.paths)
            self.refresh_bindings()

    @property
    def _pair(self) -> tuple[str, str] | None:
        """The paths of the two files that can be compared now."""
        file = self._files.attachment
        return self._marked.pair(None if file is None else file.path)

    def action_compare(self) -> None:
        found, pair = self._found, self._pair
        if found is None or pair is None:
            return
        by_path = {file.path: file for file in (*found.orphans, *found.files)}
        files = [by_path[path] for path in pair if path in by_path]
        unread = [file for file in files if file.state is not FileState.PRESENT]
        if unread or len(files) < len(pair):
            why = why_not(unread[0]) if unread else "A marked file is not there any more."
            self.notify(why, title="Not compared", severity="warning", markup=False)
            return
        one, other = (
            FileEnd(letter, file.path, self._source(file))
            for letter, file in zip(LETTERS, files, strict=False)
        )
        self._difference.open(one, other)
        self._show_difference(True)
        self.set_focus(self._difference.current)

    def _show_difference(self, is_shown: bool) -> None:
        self._difference.display = is_shown
        self.query_one("#attachment-panes").display = not is_shown
        self.query_one(PaneLine).set_class(is_shown, "-nothing")
        self.refresh_bindings()

    @on(FileDifference.Left)
    def leave_difference(self) -> None:
        self._show_difference(False)
        self.set_focus(self._files)

    # Panes -----------------------------------------------------------------------------------

    def on_descendant_focus(self) -> None:
        self._panes.take_focus()

    def on_resize(self) -> None:
        self._panes.fit()

    def action_next_pane(self, by: int) -> None:
        self._panes.step(by)

    @on(VirtualList.Chosen, "#files")
    def go_to_preview(self) -> None:
        self._panes.show(self._preview.current)

    def action_leave(self) -> None:
        if self._jobs is not None and self._jobs.is_saving:
            self._jobs.cancel_saving()
        elif self._is_in_preview and self._leave_inner():
            return
        elif self._is_in_preview:
            self._panes.show(self._files)
        else:
            super().action_leave()

    def _leave_inner(self) -> bool:
        """Go one step back within the preview, if there is one; say whether there was."""
        leaves = (self.end_row_filter, self._preview.leave_member, self.leave_picture)
        return any(leave() for leave in leaves)

    @property
    def _is_in_preview(self) -> bool:
        return self.is_composed and self._panes.current is not self._files

    async def action_preview(self, action: str) -> None:
        """Carry out an action of the preview, wherever the focus is."""
        await self.app.run_action(action, self._preview)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        previews = self.query(FilePreview)
        if self.is_composed and self._difference.is_open and action not in ("leave", "show_tab"):
            # Only the difference's own keys act, and those of the app.
            return False
        if action == "compare":
            return self.is_composed and self._pair is not None
        if action == "step":
            (by,) = parameters
            assert isinstance(by, int)
            return self._series is not None and self._series.neighbour(by) is not None
        if action == "preview" and previews:
            name = str(parameters[0]).partition("(")[0]
            return previews.first().check_action(name, ())
        return super().check_action(action, parameters)

    # Filter and order ------------------------------------------------------------------------

    async def action_filter(self) -> None:
        if self._is_in_preview and not self.shows_pictures:
            await self.open_find()
        else:
            await self._filter_line.open(self._needle)

    @on(FilterLine.Changed, "#filter")
    def set_filter(self, event: FilterLine.Changed) -> None:
        self._needle = event.text.strip()
        if not self._needle:
            event.line.note("")
        if self._found is not None:
            self._arrange(self._found, self._needle, *self._order)

    @on(FilterLine.Left, "#filter")
    def leave_filter(self) -> None:
        self._panes.show(self._files)

    @work
    async def action_sort(self) -> None:
        chosen = await chosen_order(self.flow, SORTABLE, self._order, lambda by: by != "name")
        if chosen is not None and self._found is not None:
            by: dict[str, By] = {"name": "name", "size": "size", "time": "time"}
            self._order = by[chosen[0]], chosen[1]
            self._arrange(self._found, self._needle, *self._order)

    # Taking along ----------------------------------------------------------------------------

    @work
    async def action_open(self) -> None:
        file = self._files.attachment
        if file is None or self._jobs is None:
            self.notify("Enter opens a folder here; o opens a file outside.", timeout=2)
        elif file.state is not FileState.PRESENT:
            self.notify(why_not(file), title="Not opened", severity="warning", markup=False)
        else:
            inner, request = self._preview.shown_file
            if inner is None or not self._is_in_preview:
                inner, request = self._source(file), replace(request, inside=())
            await self._jobs.open(inner, self._preview.kind, request)

    @work
    async def action_save(self) -> None:
        node = self._files.node
        if node is None or self._jobs is None:
            return
        if isinstance(node, FileNode):
            inner = self._preview.shown_file[0] if self._is_in_preview else None
            await self._jobs.save_file(inner or self._source(node.attachment))
            return
        files = [file for file in files_in(node) if file.state is FileState.PRESENT]
        left_out = node.file_count - len(files)
        if left_out:
            self.notify(f"{fmt.count(left_out, 'file')} cannot be read and will be left out.")
        if files:
            sources = [self._source(file) for file in files]
            await self._jobs.save_folder(node.name, sources, f"{node.path}/")

    def action_copy(self) -> None:
        saved = None if self._jobs is None else self._jobs.saved_path
        file = self._files.attachment
        if saved is not None:
            self.flow.copy(str(saved))
        elif self._panes.current is not self._files:
            if text := self._preview.copy_text:
                self.flow.copy(text)
        elif file is not None:
            self.flow.copy(str(self.run.files.folder / Path(file.path)))

    def action_copy_row(self) -> None:
        if (file := self._files.attachment) is not None:
            from dataclasses import asdict

            from flowtui.reports.runs import dumps

            self.flow.copy(dumps(asdict(file)))


def _series_in(folder: FolderNode, path: str) -> FileSeries | None:
    present = (one.path for one in files_in(folder) if one.state is FileState.PRESENT)
    return series_of(path, present)
