"""The modal that lists the runs in a registry, and opens one of them where it lies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Input, Label

from flowtui import format as fmt
from flowtui import person
from flowtui.failures import Failure
from flowtui.registry import cache
from flowtui.registry.artifacts import ArtifactQuery, RegistryArtifact
from flowtui.registry.browsing import Browsing, MoreArtifacts
from flowtui.registry.errors import KeyRefused, RangesIgnored
from flowtui.registry.opening import download, open_kept, open_listed
from flowtui.registry.threads import interruptible
from flowtui.reports.saving import file_stem
from flowtui.screens.dialog import Dialog
from flowtui.screens.dialogs.confirm import ConfirmScreen
from flowtui.screens.registry.artifact_lines import ArtifactLines
from flowtui.screens.upload.connection import Connection
from flowtui.store import runs as run_rows
from flowtui.store.archive.values import ArtifactTooLarge
from flowtui.store.errors import StoreError
from flowtui.store.store import Store
from flowtui.store.values import Run
from flowtui.widgets.asking import Asks
from flowtui.widgets.frame.frame import KeyLine
from flowtui.widgets.paint import ROLE_CLASSES

SEARCH_AFTER_S = 0.3
"""How long after the last typed letter the registry is asked."""
PROGRESS_EVERY_S = 0.2
ORDERS = {"created_at": "newest first", "name": "by name", "size": "largest first"}
"""The orders, by the column that the registry is asked for."""
TITLES = {"experiment": "Runs in the registry", "model": "Models in the registry"}


@dataclass(frozen=True, slots=True)
class Visit:
    """A run of the registry that was opened."""

    store: Store
    run: Run
    offline_since_s: float | None = None
    """How long ago it was read, where the registry is out of reach; else None."""


@dataclass(frozen=True, slots=True)
class KeyProblem:
    """The registry has refused the key."""

    reason: str


class RegistryScreen(Asks, Dialog[Visit | KeyProblem | None]):
    """Dismisses with the run that was opened, what is wrong with the key, or None."""

    CSS_PATH = "screen.tcss"
    COMPONENT_CLASSES = ROLE_CLASSES
    AUTO_FOCUS = "ArtifactLines"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "Search", key_display="/", id="registry.search",
                tooltip="Search by name"),
        Binding("s", "sort", "Order", id="registry.sort", tooltip="Order by another column"),
        Binding("m", "models", "Models", id="registry.models",
                tooltip="List models, which may hold a run, or runs"),
        Binding("w", "download", "Save", id="registry.download",
                tooltip="Download this run whole, as a .luml file"),
        Binding("ctrl+r", "reload", "Ask again", show=False, key_display="^R",
                id="registry.reload", tooltip="Ask the registry again"),
        Binding("escape", "back", "Close", key_display="Esc",
                id="registry.close", tooltip="Stop what is being read, or close this"),
    ]  # fmt: skip

    def __init__(self, connection: Connection, store: Store) -> None:
        """Make the screen.

        Args:
            connection: The registry.
            store: The local store, whose runs are marked.
        """
        super().__init__()
        self._connection = connection
        self._store = store
        self._query = ArtifactQuery()
        self._browsing: Browsing | None = None
        self._found: tuple[RegistryArtifact, ...] = ()
        self._local: frozenset[str] = frozenset()
        self._is_whole = False
        self._is_away = False
        """Whether the registry is out of reach, and what is kept of it is listed."""
        self._searching: Timer | None = None
        self._progress: tuple[int, int] | None = None
        """How much of what is being opened is read; None while nothing is."""

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = Content("Runs in the registry")
            dialog.border_subtitle = Content(f"key from {fmt.plain(self._connection.source, 60)}")
            yield Input(placeholder="search by name", compact=True, select_on_focus=False)
            yield ArtifactLines()
            yield Label("", id="registry-note", markup=False)
            yield KeyLine()

    def on_mount(self) -> None:
        # A screen that is closed while it opens has no widgets.
        if self.query(KeyLine):
            self.set_interval(PROGRESS_EVERY_S, self._show_progress)
            self.ask(self._local_ids, self._take_local, group="registry.local")
            self._begin()

    # The list --------------------------------------------------------------------------------

    def _local_ids(self) -> frozenset[str]:
        try:
            return frozenset(run_id for run_id, _ in self._store.ask(run_rows.identities))
        except StoreError:
            return frozenset()

    def _take_local(self, ids: frozenset[str]) -> None:
        self._local = ids
        self._show()

    def _begin(self) -> None:
        """Ask for the list from its beginning."""
        self._browsing = Browsing(self._connection.registry, self._query)
        self._found, self._is_whole = (), False
        self._say("")
        self._show("reading…")
        self._read_more()

    def _read_more(self) -> None:
        browsing = self._browsing
        assert browsing is not None

        def read() -> MoreArtifacts | KeyProblem:
            try:
                return interruptible(browsing.more)
            except KeyRefused as refused:
                return KeyProblem(str(refused))

        self.ask(read, partial(self._take, browsing), self._show_failure, group="registry.list")

    def _take(self, browsing: Browsing, found: MoreArtifacts | KeyProblem) -> None:
        if isinstance(found, KeyProblem):
            self.dismiss(found)
            return
        if browsing is not self._browsing:
            return
        self._found += found.artifacts
        self._is_whole = found.is_last
        self._is_away = bool(found.out_of_reach)
        if self._is_away:
            reason = fmt.plain(found.out_of_reach, 200)
            self._say(f"▲ {reason}; these were read before  ^R tries again", is_failure=True)
        if found.left_out:
            self._say(f"▲ left out: {fmt.plain('; '.join(found.left_out), 300)}")
        needle = fmt.plain(self._query.search, 60)
        what = self._query.types[0].replace("experiment", "run")
        self._show(
            f"no {what} with {needle} in its name" if needle else f"no {what} that you may see"
        )

    def _show(self, note: str = "") -> None:
        for lines in self.query(ArtifactLines):
            lines.show_artifacts(self._found, self._local, note)
        count = f"{len(self._found):,}{'' if self._is_whole else '+'}"
        for dialog in self.query(".dialog"):
            dialog.border_title = Content(
                f"{TITLES[self._query.types[0]]} · {count} · {ORDERS[self._query.sort_by]}"
            )

    def _show_failure(self, reason: str) -> None:
        self._show("✗ not read")
        self._say(f"✗ {fmt.plain(reason, 300)}  ^R tries again", is_failure=True)

    @on(ArtifactLines.CursorMoved)
    def read_on(self, message: ArtifactLines.CursorMoved) -> None:
        lines = self.query_one(ArtifactLines)
        if lines.is_at_end and not self._is_whole and self._found:
            self._read_more()

    @on(Input.Changed)
    def search_soon(self) -> None:
        if self._searching is not None:
            self._searching.stop()
        self._searching = self.set_timer(SEARCH_AFTER_S, self._search)

    @on(Input.Submitted)
    def to_the_list(self) -> None:
        self.query_one(ArtifactLines).focus()

    def _search(self) -> None:
        needle = self.query_one(Input).value.strip()
        if needle != self._query.search:
            self._query = replace(self._query, search=needle)
            self._begin()

    def action_search(self) -> None:
        self.query_one(Input).focus()

    def action_sort(self) -> None:
        columns = list(ORDERS)
        column = columns[(columns.index(self._query.sort_by) + 1) % len(columns)]
        self._query = replace(self._query, sort_by=column, is_descending=column != "name")
        self._begin()

    def action_models(self) -> None:
        types = ("experiment",) if self._query.types == ("model",) else ("model",)
        self._query = replace(self._query, types=types)
        self._begin()

    def action_reload(self) -> None:
        self._begin()

    # Opening ---------------------------------------------------------------------------------

    @on(ArtifactLines.Chosen)
    def open_chosen(self) -> None:
        one = self.query_one(ArtifactLines).artifact
        if one is not None and self._progress is None:
            self._open(one)

    def _open(
        self, one: RegistryArtifact, may_download: bool = False, allow_large: bool = False
    ) -> None:
        registry, is_away = self._connection.registry, self._is_away
        self._progress = (0, 0)

        def read() -> Visit | RangesIgnored | ArtifactTooLarge:
            try:
                if is_away:
                    kept = cache.known(registry.base_url, one)
                    found = open_kept(kept, self._count, allow_large)
                    row = found.store.resolve("latest").row
                    return Visit(found.store, row, found.offline_since_s)
                store = open_listed(
                    registry, one, self._count, lambda size: may_download, allow_large
                )
            except (RangesIgnored, ArtifactTooLarge) as to_be_asked:
                return to_be_asked
            except OSError as error:
                raise Failure(f"it cannot be kept: {error.strerror}") from error
            return Visit(store, store.resolve("latest").row)

        self.ask(read, partial(self._take_opened, one), self._show_unopened, group="registry.open")
        self._show_progress()

    def _take_opened(
        self, one: RegistryArtifact, found: Visit | RangesIgnored | ArtifactTooLarge
    ) -> None:
        self._progress = None
        match found:
            case Visit():
                self.dismiss(found)
            case RangesIgnored():
                size = fmt.size(found.size_bytes or one.size_bytes)
                question = f"The storage only sends whole files. Download all {size}?"
                self._ask_first(question, "", partial(self._open, one, may_download=True))
            case ArtifactTooLarge():
                reason = fmt.plain(f"{found}.", 300)
                # What a storage of whole files sends is kept by now.
                again = partial(self._open, one, may_download=True, allow_large=True)
                self._ask_first("Open it all the same?", reason, again)

    @work
    async def _ask_first(self, question: str, detail: str, then: Callable[[], None]) -> None:
        self._say("")
        if await self.app.push_screen_wait(ConfirmScreen(question, [detail] if detail else [])):
            then()

    def action_download(self) -> None:
        one = self.query_one(ArtifactLines).artifact
        if one is None or self._progress is not None:
            return
        registry = self._connection.registry
        target = person.cwd() / f"{file_stem(one.name, fmt.short_id(one.id))}.luml"

        def read() -> Path:
            if target.exists():
                raise Failure(f"{target.name} is there already")
            try:
                download(registry, one, target, self._count)
            except OSError as error:
                raise Failure(f"{target} cannot be written: {error.strerror}") from error
            return target

        self._progress = (0, 0)
        self.ask(read, self._tell_saved, self._show_unopened, group="registry.open")
        self._show_progress()

    def _tell_saved(self, target: Path) -> None:
        self._progress = None
        self._say(f"saved as {fmt.plain(target.name, 300)}")

    def _count(self, done: int, total: int) -> None:
        if self._progress is not None:
            self._progress = (done, total)

    def _show_unopened(self, reason: str) -> None:
        self._progress = None
        self._say(f"✗ {fmt.plain(reason, 300)}", is_failure=True)

    def _show_progress(self) -> None:
        if self._progress is None:
            return
        done, total = self._progress
        far = f"  {fmt.size(done)} of {fmt.size(total)}" if total else ""
        self._say(f"reading…{far}  Esc stops")

    def action_back(self) -> None:
        if self.query_one(Input).has_focus:
            self.query_one(ArtifactLines).focus()
        elif self._progress is not None:
            self.workers.cancel_group(self, "registry.open")
            self._progress = None
            self._say("stopped; what came is kept")
        else:
            self.dismiss(None)

    def _say(self, text: str, is_failure: bool = False) -> None:
        for note in self.query("#registry-note").results(Label):
            note.set_class(is_failure, "-error")
            note.update(text)
