"""Attachments of a comparison: the union of the files, and how those of one path differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.worker import Worker

from flowtui import format as fmt
from flowtui.screens.attachments.comparing import FileEnd
from flowtui.screens.attachments.difference import FileDifference
from flowtui.screens.attachments.reading import FileSource
from flowtui.screens.compare.attachments_table import CompareRows, shown_files
from flowtui.screens.compare.base import CompareScreen, CompareState
from flowtui.screens.exporting import Exports
from flowtui.store.compare.files import (
    ComparedFile,
    ComparedFiles,
    FileDigests,
    FileSameness,
    compared_files,
    count_words,
    read_all,
    to_read,
    with_digests,
)
from flowtui.store.compare.run_set import LETTERS
from flowtui.store.values import Kind
from flowtui.widgets.cells import Piece, justified
from flowtui.widgets.frame.filter_line import FilterLine
from flowtui.widgets.frame.frame import OneLine
from flowtui.widgets.lists.virtual_list import VirtualList

if TYPE_CHECKING:
    from flowtui.screens.dialogs.export import Export

TABLE_ACTIONS = frozenset(
    ("filter", "toggle_all", "compare_this", "compare_all", "copy", "copy_row", "export")
)
TOLD_EVERY_BYTES = 8_000_000
NO_FILES = "None of the runs has attachments."


class CompareAttachments(Exports, CompareScreen):
    """The fifth tab of a comparison: a row a path, and a column a run."""

    CSS_PATH = "attachments.tcss"
    tab = "attachments"
    reads = frozenset({Kind.ATTACHMENTS, Kind.RUN})
    needs_records = TABLE_ACTIONS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "toggle_all", "All", id="compare_files.all",
                tooltip="Show all files, or again only those that are not known to be equal"),
        Binding("slash", "filter", "Filter", key_display="/", id="compare_files.filter",
                tooltip="Filter by part of a path, or a pattern: *.py"),
        Binding("equals_sign", "compare_this", "Contents", key_display="=",
                id="compare_files.this",
                tooltip="Compare the contents of the files under the cursor, of one size"),
        Binding("a", "compare_all", "All contents", id="compare_files.contents",
                tooltip="Compare the contents of all files of one size; Esc ends it"),
        Binding("x", "export", "Export", id="compare_files.export",
                tooltip="Save the list as CSV, JSON lines or Markdown"),
        Binding("y", "copy", "Copy", show=False, id="compare_files.copy",
                tooltip="Copy the path"),
        Binding("Y", "copy_row", "Copy as JSON", show=False, id="compare_files.copy_row",
                tooltip="Copy what is known of the files as JSON"),
    ]  # fmt: skip

    def __init__(self, state: CompareState) -> None:
        super().__init__(state)
        self._digests = FileDigests()
        self._found: ComparedFiles | None = None
        self._seen: list[ComparedFile] = []
        """The files that are listed."""
        self._counts: Counter[FileSameness] = Counter()
        self._shows_all = False
        self._needle = ""
        self._progress = ""
        self._hasher: Worker[None] | None = None
        self._asked_for = ""
        """The path of a file that another tab asked for before the files were read."""

    def compose_tab(self) -> Iterable[Widget]:
        yield OneLine(id="files-title")
        yield CompareRows(self._names, id="compared-files")
        yield FileDifference(self._digests, id="difference")
        yield FilterLine("part of a path, or a pattern: *.py")

    def on_mount(self) -> None:
        if self.is_composed:
            self.set_focus(self._rows)

    @property
    def _names(self) -> list[str]:
        return [of.run.name for of in self.runs.runs]

    @property
    def _rows(self) -> CompareRows:
        return self.query_one(CompareRows)

    @property
    def _difference(self) -> FileDifference:
        return self.query_one(FileDifference)

    # Reading ---------------------------------------------------------------------------------

    def read(self, kinds: frozenset[Kind]) -> Iterator[Callable[[], object]]:
        self.take_stale()
        yield partial(self._take, compared_files(self.runs, self._digests))

    @property
    def has_content(self) -> bool:
        return self._found is not None

    def show_reading(self) -> None:
        if self._found is None and self.is_composed:
            self._rows.resize_content("reading…")

    def show_failure(self, reason: str) -> None:
        if self._found is None:
            self._rows.resize_content(fmt.unread(reason))
        else:
            self.ask_failed(reason)

    def _take(self, found: ComparedFiles) -> None:
        self._found = found
        self._arrange()
        if self._asked_for:
            self.follow(self._asked_for)

    def _take_digests(self) -> None:
        """Show what the digests that have become known say."""
        if (found := self._found) is not None:
            question = partial(with_digests, found, self._digests)
            self.ask(question, partial(self._replace, found), group="digests")

    def _replace(self, known: ComparedFiles, found: ComparedFiles) -> None:
        if self._found is known:
            self._take(found)

    # Showing ---------------------------------------------------------------------------------

    def _arrange(self) -> None:
        """Find which files are to be seen; of a hundred thousand that takes a while."""
        found, shows_all, needle = self._found, self._shows_all, self._needle
        if found is None:
            return

        def arranged() -> tuple[Counter[FileSameness], list[ComparedFile]]:
            return found.counts(), shown_files(found.files, shows_all, needle)

        self.ask(arranged, partial(self._show, found), group="arrange")

    def _show(
        self, found: ComparedFiles, of: tuple[Counter[FileSameness], list[ComparedFile]]
    ) -> None:
        counts, seen = of
        self._seen, self._counts = seen, counts
        self.take_whether_any(bool(found.files))
        if found.failures:
            self.offer_again()
        note = NO_FILES
        if found.files:
            note = "No file differs. v shows all files."
            if self._needle:
                note = fmt.none_match(len(found.files), "file")
        elif found.failures:
            note = "; ".join(f"{letter}: {why}" for letter, why in found.failures.items())
        self._rows.show_files(seen, fmt.plain(note, 500))
        line = self.query_one(FilterLine)
        if line.has_class("-open"):
            line.note(f"{len(seen):,} of {len(found.files):,}" if self._needle else "")
        unequal = counts.total() - counts[FileSameness.EQUAL] - counts[FileSameness.NOT_COMPARED]
        unsure = counts[FileSameness.NOT_COMPARED]
        self.tell_count(f"{unequal:,}≠" + (f" {unsure:,}?" if unsure else ""))
        self._show_title()
        self.refresh_bindings()

    def _show_title(self) -> None:
        found = self._found
        if found is None or not self.size.width:
            return
        left = [Piece(f" {' · '.join(count_words(self._counts)) or 'no files'}")]
        if self._progress:
            left = [Piece(f" {self._progress}", "accent")]
        for letter, why in found.failures.items():
            left.append(Piece(f"  ✗ {letter}: {fmt.plain(why, 80)}", "error"))
        left += [Piece(f"  ▲ {fmt.plain(problem, 120)}", "attention") for problem in found.problems]
        what = "all files" if self._shows_all else "only what differs"
        line = justified(left, [Piece(f"{what} ", "muted")], self.size.width)
        self.query_one("#files-title", OneLine).show(line)

    def on_resize(self) -> None:
        if self.is_composed:
            self._show_title()

    def candidate_changed(self) -> None:
        self._rows.look_at(self._place)
        if self._difference.is_open:
            self.open_row()

    @property
    def _place(self) -> int:
        return LETTERS.index(self.candidate)

    # One path --------------------------------------------------------------------------------

    @on(VirtualList.Chosen, "#compared-files")
    def open_row(self) -> None:
        if (one := self._rows.file) is not None:
            self._open(one)

    def follow(self, path: str) -> None:
        if self._found is None:
            self._asked_for = path
            return
        self._asked_for = ""
        found = next((one for one in self._found.files if one.path == path), None)
        if found is not None:
            self._open(found)

    def _open(self, one: ComparedFile) -> None:
        ends = self._ends(one)
        if isinstance(ends, str):
            self.notify(ends, title="Nothing to compare", markup=False)
            return
        self.add_class("-open")
        self._difference.open(*ends)
        self.set_focus(self._difference.current)
        self.refresh_bindings()

    def _ends(self, one: ComparedFile) -> tuple[FileEnd, FileEnd] | str:
        """Return the two files to compare, or why there are not two.

        They are the baseline's and the candidate's, else the first two that there are.
        """
        sound = [
            index for index, held in enumerate(one.held) if held is not None and not held.problem
        ]
        wanted = [index for index in (0, self._place) if index in sound]
        wanted += [index for index in sound if index not in wanted]
        if len(wanted) < 2:
            return f"Only one run has a file there that can be read: {fmt.plain(one.path, 200)}"
        first, second = sorted(wanted[:2])
        return self._end(one, first), self._end(one, second)

    def _end(self, one: ComparedFile, index: int) -> FileEnd:
        held = one.held[index]
        assert held is not None
        resolve = partial(held.run.files.path, held.attachment.path)
        source = FileSource(f"{LETTERS[index]} {one.path}", one.path, resolve)
        return FileEnd(LETTERS[index], f"{held.run.name}  {one.path}", source)

    @on(FileDifference.Left)
    def close_row(self) -> None:
        self.remove_class("-open")
        self.set_focus(self._rows)
        self.refresh_bindings()

    @on(FileDifference.Compared)
    def take_compared(self) -> None:
        self._take_digests()

    # Contents --------------------------------------------------------------------------------

    def action_compare_this(self) -> None:
        if (one := self._rows.file) is not None:
            self._compare([one])

    def action_compare_all(self) -> None:
        if self._found is not None:
            self._compare(self._found.files)

    def _compare(self, files: Sequence[ComparedFile]) -> None:
        if self._hasher is not None:
            self.notify("Contents are being compared; Esc ends it.", timeout=2)
            return
        if next(to_read(files), None) is None:
            self.notify("Sizes and contents that are known tell already.", timeout=2)
            return
        self._progress = "comparing contents…  Esc ends it"
        self._show_title()
        self._hasher = self.ask(
            partial(self._read_contents, files),
            self._end_comparing,
            lambda reason: self._end_comparing([reason]),
            group="contents",
            left=partial(self._end_comparing, ["Ended before all contents were compared."]),
        )

    def _read_contents(self, files: Sequence[ComparedFile]) -> list[str]:
        next_told = 0

        def told(done: int, total: int) -> None:
            nonlocal next_told
            if done >= next_told:
                next_told = done + TOLD_EVERY_BYTES
                self.meanwhile(partial(self._show_progress, done, total))

        return read_all(files, self._digests, told)

    def _show_progress(self, done: int, total: int) -> None:
        if self._hasher is not None:
            share = done * 100 // max(total, 1)
            self._progress = f"comparing contents: {share} % of {fmt.size(total)} · Esc ends it"
            self._show_title()

    def _end_comparing(self, failed: Sequence[str]) -> None:
        self._hasher = None
        self._progress = ""
        self._take_digests()
        for said in failed[:3]:
            self.notify(fmt.plain(said, 300), title="Not compared", markup=False)
        if len(failed) > 3:
            self.notify(f"{len(failed) - 3:,} more files could not be compared.")

    def action_leave(self) -> None:
        if self._hasher is not None:
            self._hasher.cancel()
        else:
            super().action_leave()

    # Actions ---------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in TABLE_ACTIONS and self.is_composed and self._difference.is_open:
            return False
        return super().check_action(action, parameters)

    def action_toggle_all(self) -> None:
        self._shows_all = not self._shows_all
        self._arrange()

    async def action_filter(self) -> None:
        await self.query_one(FilterLine).open(self._needle)

    @on(FilterLine.Changed)
    def take_filter(self, event: FilterLine.Changed) -> None:
        self._needle = event.text.strip()
        self._arrange()

    @on(FilterLine.Left)
    def leave_filter(self) -> None:
        self.set_focus(self._rows)

    def action_copy(self) -> None:
        if (one := self._rows.file) is not None:
            self.flow.copy(one.path)

    def action_copy_row(self) -> None:
        if (one := self._rows.file) is not None:
            from flowtui.reports.comparison.files import file_document
            from flowtui.reports.runs import dumps

            self.flow.copy(dumps(file_document(one)))

    @work
    async def action_export(self) -> None:
        from flowtui.screens.compare.attachments_saving import FORMATS
        from flowtui.screens.compare.saving import compared_stem

        stem = compared_stem(self._names, "files")
        await self.export(stem, FORMATS, partial(self._save, self._seen))

    def _save(self, files: Sequence[ComparedFile], chosen: Export) -> str:
        from flowtui.screens.compare.attachments_saving import save

        return save(files, self._names, chosen)
