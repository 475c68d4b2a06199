"""What the shell completes: runs, metrics, groups, and the names that lists are shaped by.

A completion that fails offers nothing: there is no place where the shell could show why.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import typer
from typer.core import TyperCommand, TyperOption

from flowtui.cli.opening import TABS
from flowtui.cli.stores import open_run, open_store
from flowtui.settings.values import THEMES
from flowtui.store import runs as run_rows
from flowtui.store.errors import StoreError

_LAST_NAME = re.compile(r"[^\s(),<>=!~]*$")
"""The name that is being typed at the end of an expression."""


class CompletingCommand(TyperCommand):
    """Completes an option's value with the arguments known, and values that begin with a dash.

    typer itself reads no arguments where the last option has no value yet, and takes each word with
    a dash for an option.
    """

    _waiting: Any = None
    """The option, if any, whose value is being typed."""

    # typer brings a click of its own, whose Context has no public name.
    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if ctx.resilient_parsing and args and "--" not in args:
            self._waiting = next((one for one in self.params if _takes_value(one, args[-1])), None)
            if self._waiting is not None:
                args = args[:-1]
        return super().parse_args(ctx, args)

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        """Return the values of the option that waits for one, else the options."""
        if self._waiting is not None:
            return list(self._waiting.shell_complete(ctx, incomplete))
        return super().shell_complete(ctx, incomplete)


def complete_run(ctx: typer.Context, incomplete: str) -> Iterator[str]:
    """Offer the ids and the names of runs; after PATH:: those of another tool's runs there."""
    from flowtui.cli import sources

    path, mark, _ = incomplete.rpartition(sources.MARK)

    def known() -> Iterable[str]:
        if mark:
            found = sources.opened(path, waits=False)
            names = () if found is None else found.ask(run_rows.identities)
            yield from (f"{path}{mark}{name}" for _, name in names)
            return
        for run_id, name in open_store(ctx.params.get("store")).ask(run_rows.identities):
            yield from (run_id, name)

    return (word for word in _readable(known) if word.startswith(incomplete))


def complete_metric(ctx: typer.Context, incomplete: str) -> Iterator[str]:
    """Offer the metrics of the run that was named."""

    def known() -> Iterable[str]:
        _, run = open_run(ctx.params.get("run") or "", ctx.params.get("store"))
        return run.metrics.last_points()

    return _offered(known, incomplete)


def complete_group(ctx: typer.Context, incomplete: str) -> Iterator[str]:
    """Offer the groups of runs."""
    from flowtui.store.care.states import group_names

    def known() -> Iterable[str]:
        return open_store(ctx.params.get("store")).ask(group_names).values()

    return _offered(known, incomplete)


def complete_trashed(ctx: typer.Context, incomplete: str) -> Iterator[str]:
    """Offer the runs that were deleted."""
    from flowtui.store.care.trash import trashed_ids

    return _offered(lambda: trashed_ids(open_store(ctx.params.get("store")).directory), incomplete)


def complete_tab(incomplete: str) -> Iterator[str]:
    """Offer the tabs."""
    return _offered(lambda: TABS, incomplete)


def complete_theme(incomplete: str) -> Iterator[str]:
    """Offer the themes."""
    return _offered(lambda: THEMES, incomplete)


def complete_sort(ctx: typer.Context, incomplete: str) -> Iterator[str]:
    """Offer what a list can be sorted by, downwards too."""
    sign = "-" if incomplete.startswith("-") else ""
    names = _offered(lambda: _fields(ctx), incomplete.removeprefix("-"))
    return (f"{sign}{name}" for name in names)


def complete_columns(ctx: typer.Context, incomplete: str) -> Iterator[str]:
    """Offer the next of several columns."""
    before, comma, last = incomplete.rpartition(",")
    given = set(before.split(","))
    names = _offered(lambda: _fields(ctx), last)
    return (f"{before}{comma}{name}" for name in names if name not in given and "," not in name)


def complete_filter(ctx: typer.Context, incomplete: str) -> Iterator[str]:
    """Offer the names of fields for the last word of an expression."""
    match = _LAST_NAME.search(incomplete)
    last = match[0] if match is not None else ""
    before = incomplete.removesuffix(last) if last else incomplete
    return (f"{before}{name}" for name in _offered(lambda: _fields(ctx), last))


def _takes_value(param: Any, word: str) -> bool:
    return isinstance(param, TyperOption) and word in param.opts and not param.is_flag


def _fields(ctx: typer.Context) -> Iterator[str]:
    """Yield the names that the list of a command can be sorted and filtered by."""
    command = ctx.info_name
    if command == "list":
        from flowtui.reports.run_table import FIELDS

        store = open_store(ctx.params.get("store"))
        params, metrics = store.ask(run_rows.figure_keys)
        yield from FIELDS
        yield from metrics
        yield from params
        yield from (f"{run_rows.BEST}{metric}" for metric in metrics)
        return
    from flowtui.store.annotations import judgements
    from flowtui.store.annotations.listing import SAMPLES, SPANS

    _, run = open_run(ctx.params.get("run") or "", ctx.params.get("store"))
    if command == "traces":
        from flowtui.store.traces.listing import SORTABLE

        yield from (*SORTABLE, "input", "output", "session", "user", "model")
    else:
        from flowtui.store.samples import keys as sample_keys
        from flowtui.store.samples.orders import SORTABLE as SAMPLE_COLUMNS

        yield from SAMPLE_COLUMNS
        yield from (key.name for key in run.ask(sample_keys.keys))
    table = SPANS if command == "traces" else SAMPLES
    yield from (one.field for one in run.ask(judgements.tallies, table))


def _offered(known: Callable[[], Iterable[str]], incomplete: str) -> Iterator[str]:
    """Yield the names that begin with what was typed, each once; none that a shell would break."""
    names = dict.fromkeys(_readable(known))
    return (name for name in names if name.startswith(incomplete) and name.isprintable())


def _readable(known: Callable[[], Iterable[str]]) -> Iterator[str]:
    try:
        yield from known()
    except StoreError:
        return
