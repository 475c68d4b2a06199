"""Overview: a run's metrics, parameters and logged models, and its card."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from flowtui import format as fmt
from flowtui.screens.base import TabScreen
from flowtui.screens.may_write import none_logged, why_not_written
from flowtui.store import models as logged_models
from flowtui.store import params as logged_params
from flowtui.store import uploaded
from flowtui.store.errors import ReadCancelled, StoreError
from flowtui.store.lost_records import damage, lost_records
from flowtui.store.metrics.listing import problems, telling_first
from flowtui.store.open_run import OpenRun
from flowtui.store.store import Store
from flowtui.store.values import Kind, MetricSummary, Model, Param, Point
from flowtui.widgets.frame.filter_line import FilterLine
from flowtui.widgets.frame.frame import Frame
from flowtui.widgets.frame.pane_line import PaneLine
from flowtui.widgets.frame.panes import Panes
from flowtui.widgets.frame.run_card import EDIT, PLACES, UPLOAD, RunCard, UploadedTo
from flowtui.widgets.lists.metric_list import MetricLine, MetricList
from flowtui.widgets.lists.model_list import ModelList
from flowtui.widgets.lists.virtual_list import VirtualList
from flowtui.widgets.trees.value_tree import Entry, ValueTree, matching

if TYPE_CHECKING:
    from flowtui.screens.attachments.jobs import FileJobs
    from flowtui.screens.attachments.reading import FileSource
    from flowtui.store.care.values import RecordTable
    from flowtui.store.uploaded import RemoteArtifact

NARROW_BELOW = 100
"""Narrower screens show one pane at a time."""
WIDE_FROM = 160
"""Screens of this width or more show three columns, and others two."""
SUMMARIES_EVERY_S = 0.1
"""The first interval at which summaries are shown; those that come within it are shown together."""
SUMMARIES_AT_LEAST_EVERY_S = 1.6
"""The longest such interval, which doubles from one batch to the next."""

HOW = {
    Kind.METRICS: ": tracker.log_dynamic(key, value, step)",
    Kind.PARAMS: ": tracker.log_static(key, value)",
    Kind.MODELS: ": tracker.log_model(path)",
}
"""How records of each kind are written."""
ABSENT = "this store's schema has none"
READING = "reading…"


class OverviewScreen(TabScreen):
    """The first tab: parameters, results and the description of a run."""

    CSS_PATH = "screen.tcss"
    tab = "overview"
    reads = frozenset({Kind.PARAMS, Kind.METRICS, Kind.MODELS, Kind.RUN})
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012  # Textual declares it as an instance's
        (0, "-narrow"),
        (NARROW_BELOW, "-normal"),
        (WIDE_FROM, "-wide"),
    ]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", key_display="/", id="overview.filter",
                tooltip="Filter the pane by name or value"),
        Binding("tab", "next_pane(1)", "Pane", id="overview.pane", key_display="Tab",
                tooltip="Go to the next pane"),
        Binding("shift+tab", "next_pane(-1)", "Pane back", show=False,
                id="overview.pane_back", tooltip="Go to the previous pane"),
        Binding("U", "upload", "Upload", id="overview.upload",
                tooltip="Upload this run to the registry"),
        Binding("y", "copy", "Copy", id="overview.copy", tooltip="Copy the value in full"),
        Binding("Y", "copy_row", "Copy as JSON", show=False, id="overview.copy_row",
                tooltip="Copy the whole row as JSON"),
        Binding("o", "open_model", "Open", id="overview.open",
                tooltip="Open a copy of the model in the system's viewer"),
        Binding("w", "save_model", "Save", id="overview.save",
                tooltip="Save a copy of the model"),
        Binding("e", "edit", "Edit", show=False, id="overview.edit",
                tooltip="Edit the run's name, description, tags, group; or those of the model"),
        Binding("D", "delete", "Delete", show=False, id="overview.delete",
                tooltip="Delete the run; or the model under the cursor"),
        Binding("u", "undo", "Undo", show=False, id="overview.undo", tooltip="Undo the last edit"),
    ]  # fmt: skip

    def __init__(self, store: Store, run: OpenRun) -> None:
        super().__init__(store, run)
        self._params: Sequence[Param] | None = ()
        self._points: dict[str, Point | None] = {}
        self._lost: Sequence[str] = ()
        """Sentences about records that are lost, and so are in no list."""
        self._summaries: dict[str, MetricSummary] = {}
        self._filters: dict[str, str] = {}
        self._loaded: set[Kind] = set()
        self._panes = Panes(self, self._four_panes)
        self._jobs: FileJobs | None = None

    def compose_tab(self) -> Iterable[Widget]:
        with Horizontal(id="panes"):
            with Vertical(id="main"):
                yield MetricList(id="metrics")
                with Vertical(id="side"):
                    yield ValueTree("Parameters", id="params")
                    yield ModelList(id="models")
            yield RunCard(why_not_written(self.store, self.flow.options), id="card")
        yield FilterLine("name or value")
        yield PaneLine(["Metrics", "Parameters", "Models", "Run"])

    def on_mount(self) -> None:
        if self.is_composed:
            self.set_focus(self._metrics)
            self._show_card()

    # Reading ---------------------------------------------------------------------------------

    def read(self, kinds: frozenset[Kind]) -> Iterator[Callable[[], object]]:
        run = self.run
        reads: list[tuple[Kind, Callable[[], Iterable[Callable[[], object]]]]] = [
            (Kind.PARAMS, lambda: [partial(self._show_params, run.ask(logged_params.params))]),
            (Kind.MODELS, self._read_models),
            (Kind.RUN, self._read_uploads),
            (Kind.METRICS, self._read_metrics),
            # This is a pass over several tables, too slow to repeat whenever points are written.
            (Kind.RUN, self._read_lost),
        ]
        for kind, read in reads:
            if kind not in kinds:
                continue
            try:
                yield from read()
            except ReadCancelled:
                raise
            except StoreError as error:
                yield partial(self._show_unread, kind, str(error))

    def _read_models(self) -> Iterator[Callable[[], object]]:
        yield partial(self._show_models, self.store.ask(logged_models.models, self.run.id))

    def _read_uploads(self) -> Iterator[Callable[[], object]]:
        found = self.store.ask(uploaded.remote_artifacts, self.run.id)
        yield partial(self.query_one(RunCard).show_uploaded, _placed(found) if found else ())

    def _read_metrics(self) -> Iterator[Callable[[], object]]:
        """Yield the last points, which are cheap to read, and then the summaries as they come."""
        yield partial(self._show_points, self.run.metrics.last_points())
        known = dict(self._summaries)
        batch: list[MetricSummary] = []
        pause_s = SUMMARIES_EVERY_S
        due = monotonic() + pause_s
        for summary in self.run.metrics.summaries(known):
            batch.append(summary)
            if monotonic() >= due:
                yield partial(self._show_summaries, tuple(batch))
                batch.clear()
                # Each batch draws the list anew: with thousands of metrics batches of the same
                # size would take most of the time.
                pause_s = min(pause_s * 2, SUMMARIES_AT_LEAST_EVERY_S)
                due = monotonic() + pause_s
        if batch:
            yield partial(self._show_summaries, tuple(batch))

    # Showing ---------------------------------------------------------------------------------

    @property
    def has_content(self) -> bool:
        return Kind.METRICS in self._loaded

    def show_reading(self) -> None:
        for kind in self.reads - self._loaded if self.is_composed else ():
            self._show_nothing(kind, READING)

    def _show_params(self, params: tuple[Param, ...] | None) -> None:
        self._loaded.add(Kind.PARAMS)
        self._params = params
        self._fill_params()

    def _show_models(self, models: tuple[Model, ...] | None) -> None:
        self._loaded.add(Kind.MODELS)
        self._models.show_models(
            models or (), ABSENT if models is None else self._none(Kind.MODELS)
        )

    def _show_points(self, points: Mapping[str, Point | None]) -> None:
        self._loaded.add(Kind.METRICS)
        self._points = dict(points)
        for gone in self._summaries.keys() - self._points.keys():
            del self._summaries[gone]
        self._fill_metrics()

    def _show_summaries(self, summaries: tuple[MetricSummary, ...]) -> None:
        for summary in summaries:
            self._summaries[summary.key] = summary
            self._points[summary.key] = summary.last
        self._fill_metrics()
        self._show_problems()

    def _read_lost(self) -> Iterator[Callable[[], object]]:
        meta, run = self.store.meta, self.run
        yield partial(self._show_lost, [*lost_records(meta, run), *damage(meta, run)])

    def _show_lost(self, lost: Sequence[str]) -> None:
        self._lost = lost
        self._show_problems()

    def _show_problems(self) -> None:
        broken = (problem for one in self._summaries.values() for problem in problems(one))
        self.query_one(RunCard).show_problems((*self._lost, *broken))

    def _show_unread(self, kind: Kind, reason: str) -> None:
        self._loaded.add(kind)
        self._show_nothing(kind, "", fmt.unread(reason))
        self.offer_again()

    def show_failure(self, reason: str) -> None:
        for kind in self.reads - self._loaded:
            self._show_unread(kind, reason)

    def _show_nothing(self, kind: Kind, why: str, problem: str = "") -> None:
        if kind is Kind.METRICS:
            self._metrics.show_metrics((), why, problem)
        elif kind is Kind.PARAMS:
            self._tree.show_entries((), why, problem)
        elif kind is Kind.MODELS:
            self._models.show_models((), why, problem)

    def _none(self, kind: Kind) -> str:
        return none_logged(self.store, self.flow.options, "none logged", HOW[kind])

    def _fill_metrics(self) -> None:
        needle = self._filters.get("metrics", "").lower()
        lines = [
            MetricLine(key, self._points[key], self._summaries.get(key))
            for key in telling_first(self._points)
            if needle in key.lower()
        ]
        empty = f"none of {len(self._points):,} match" if self._points else self._none(Kind.METRICS)
        self._metrics.show_metrics(lines, empty)

    def _fill_params(self) -> None:
        entries = [
            Entry(param.key, param.value, param.type, param.problem) for param in self._params or ()
        ]
        shown = matching(entries, self._filters.get("params", "")) if entries else entries
        empty = f"none of {len(entries):,} match" if entries else self._none(Kind.PARAMS)
        self._tree.show_entries(shown, ABSENT if self._params is None else empty)

    def show_frame(self, frame: Frame) -> None:
        self._show_card()

    def _show_card(self) -> None:
        if (frame := self.flow.frame) is not None:
            self.query_one(RunCard).show_run(frame.run, frame.standing, frame.upload)

    # Panes -----------------------------------------------------------------------------------

    @property
    def _metrics(self) -> MetricList:
        return self.query_one(MetricList)

    @property
    def _tree(self) -> ValueTree:
        return self.query_one(ValueTree)

    @property
    def _models(self) -> ModelList:
        return self.query_one(ModelList)

    def _four_panes(self) -> list[VirtualList]:
        return [self._metrics, self._tree, self._models, self.query_one(RunCard)]

    @property
    def _pane(self) -> VirtualList:
        """The pane that has the focus, or had it most recently."""
        return self._panes.current

    def on_descendant_focus(self) -> None:
        self._panes.take_focus()
        # Some keys work in one pane only.
        self.refresh_bindings()

    def on_resize(self) -> None:
        self._panes.fit()

    def action_next_pane(self, by: int) -> None:
        self._panes.step(by)

    # Actions ---------------------------------------------------------------------------------

    async def action_filter(self) -> None:
        await self.query_one(FilterLine).open(self._filters.get(self._pane.id or "", ""))

    @on(FilterLine.Changed)
    def filter_pane(self, event: FilterLine.Changed) -> None:
        pane = self._pane
        self._filters[pane.id or ""] = event.text
        if pane is self._metrics:
            self._fill_metrics()
        elif pane is self._tree:
            self._fill_params()

    @on(FilterLine.Left)
    def leave_filter(self) -> None:
        self._pane.focus()

    def hides(self, action: str) -> bool:
        if action in ("filter", "copy") and self.is_composed:
            return not (self._pane.line_count or self._filters.get(self._pane.id or ""))
        return super().hides(action)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "filter" and self.is_composed:
            has_filter = self._pane in (self._metrics, self._tree)
            return has_filter and self.focused is self._pane
        if action in ("open_model", "save_model"):
            return self.is_composed and self._model is not None
        return super().check_action(action, parameters)

    @on(VirtualList.Chosen, "#card")
    def choose_field(self) -> None:
        field = self.query_one(RunCard).field
        if field is not None and field.name == UPLOAD:
            self.action_upload()
        elif field is not None and field.name == EDIT:
            self.action_edit()

    @on(VirtualList.Chosen, "#metrics")
    def open_metric(self) -> None:
        self.flow.show_tab("metrics")

    # Models ----------------------------------------------------------------------------------

    @property
    def _model(self) -> Model | None:
        """The model under the cursor, if its row names a file."""
        model = self._models.model if self._pane is self._models else None
        return model if model is not None and model.path else None

    @property
    def _model_file(self) -> FileSource | None:
        """The file of the model under the cursor."""
        from flowtui.screens.overview.model_files import model_source

        return None if self._model is None else model_source(self.store, self._model)

    def _file_jobs(self) -> FileJobs:
        from flowtui.screens.attachments.jobs import FileJobs

        if self._jobs is None:
            self._jobs = FileJobs(self, self.flow)
        return self._jobs

    @on(VirtualList.Chosen, "#models")
    def list_model(self) -> None:
        from flowtui.screens.attachments.file_screen import FileScreen

        model = self._models.model
        if model is not None and (source := self._model_file) is not None:
            self.app.push_screen(FileScreen(source, model.description or ""))

    def _cared_for(self) -> tuple[RecordTable, list[str]]:
        from flowtui.store.care.values import RecordTable

        model = self._models.model if self._pane is self._models else None
        if model is not None:
            return RecordTable.MODELS, [model.id]
        return RecordTable.RUNS, [self.run.id]

    def action_edit(self) -> None:
        self.flow.edit(*self._cared_for())

    def action_delete(self) -> None:
        self.flow.delete(*self._cared_for())

    def action_undo(self) -> None:
        self.flow.undo_edit()

    @work
    async def action_open_model(self) -> None:
        if (source := self._model_file) is not None:
            await self._file_jobs().open(source)

    @work
    async def action_save_model(self) -> None:
        if (source := self._model_file) is not None:
            await self._file_jobs().save_file(source)

    def action_leave(self) -> None:
        if self._jobs is not None and self._jobs.is_saving:
            self._jobs.cancel_saving()
        else:
            super().action_leave()

    def action_copy(self) -> None:
        if self._jobs is not None and self._jobs.saved_path is not None:
            self.flow.copy(str(self._jobs.saved_path))
            self._jobs.forget_saved()
            return
        value, _row = self._under_cursor()
        if value is not None:
            self.flow.copy(value)

    def action_copy_row(self) -> None:
        _value, row = self._under_cursor()
        if row is not None:
            from flowtui.reports.runs import dumps

            self.flow.copy(dumps(row))

    def _under_cursor(self) -> tuple[str | None, object]:
        """Return the value under the cursor as full text, and its whole row."""
        pane = self._pane
        if pane is self._metrics and (metric := self._metrics.metric):
            summary = self._summaries.get(metric.key)
            row = {"key": metric.key, **(asdict(summary) if summary else {"last": metric.last})}
            row.pop("buckets", None)
            return "" if metric.last is None else fmt.exact(metric.last.value), row
        if pane is self._tree and (node := self._tree.row):
            is_text = isinstance(node.value, str)
            text = node.value if is_text else json.dumps(node.value, ensure_ascii=False)
            return str(text), {".".join(map(str, node.path)): node.value}
        if pane is self._models and (model := self._models.model):
            return str(self.store.directory / (model.path or "")), model._asdict()
        if isinstance(pane, RunCard) and (field := pane.field):
            return field.raw, {field.name: field.raw}
        return None, None

    def action_upload(self) -> None:
        self.flow.action_upload()


def _placed(found: Iterable[RemoteArtifact]) -> tuple[UploadedTo, ...]:
    """Return artifacts with the names of their collections, if this machine remembers them."""
    from flowtui.widgets import remembered

    kept = remembered.get(PLACES)
    places = kept if isinstance(kept, dict) else {}
    return tuple(
        UploadedTo(
            str(places.get(one.artifact_id, f"orbit {one.orbit_id}")),
            one.artifact_id,
            one.created_at,
        )
        for one in found
    )
