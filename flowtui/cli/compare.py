"""What `flow-tui compare A B` does: open the runs, then show, print or judge them."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TextIO

from flowtui.cli.opening import Opening
from flowtui.cli.stores import ARTIFACT_SUFFIX, open_artifact, open_store
from flowtui.cli.telling import is_terminal
from flowtui.reports.usage import WrongUsage
from flowtui.store.compare.run_set import FEWEST, MOST, RunSet
from flowtui.store.errors import RunNotFound, StoreError, StoreNotFound
from flowtui.store.values import Status

if TYPE_CHECKING:
    from flowtui.store.open_run import OpenRun
    from flowtui.store.store import Store

STORE_MARK = "::"
"""Stands between a store and a run of it: `DIR::RUN`."""
REGRESSED = 3
"""The exit code of a gate that fails."""
BETTER = ("higher", "lower")


@dataclass(frozen=True, slots=True)
class Gate:
    """What a build must not make worse."""

    names: tuple[str, ...]
    """Scores and metrics; none where nothing is judged."""
    tolerance: float = 0.0
    better: str | None = None
    """Which direction is better where a name does not say it; None to ask for it then."""
    allows_active: bool = False

    def checked(self) -> Gate:
        """Return the gate, if it makes sense.

        Raises:
            WrongUsage: It does not.
        """
        # A comparison with NaN is never true, so that a NaN would let everything pass.
        if not 0 <= self.tolerance < float("inf"):
            raise WrongUsage("--tolerance is a number that is not negative")
        if self.better is not None and self.better not in BETTER:
            raise WrongUsage(f"--better {self.better!r} is not one of {', '.join(BETTER)}")
        if not self.names and (self.tolerance or self.better or self.allows_active):
            raise WrongUsage(
                "--tolerance, --better and --allow-active need --fail-on-regression NAME"
            )
        return self


def compare(
    words: Sequence[str], opening: Opening, gate: Gate, *, as_json: bool, shows_all: bool
) -> NoReturn:
    """Compare runs: in the app on a terminal, else as text or JSON; leave with the exit code.

    Raises:
        StoreError: A run does not exist or cannot be read.
        WrongUsage: There are too few runs or too many, or the gate makes no sense.
    """
    if not FEWEST <= len(words) <= MOST:
        raise WrongUsage(f"{len(words)} runs were given: {FEWEST} to {MOST} can be compared")
    gate.checked()
    opening.checked()
    opened = open_runs(words, opening.store, opening.allow_large)
    if gate.names or as_json or not is_terminal():
        runs = RunSet.of(opened)
        if as_json or not gate.names:
            from flowtui.reports.comparison import printing

            printing.print_comparison(runs, as_json=as_json, shows_all=shows_all)
        sys.exit(_judge(runs, gate, sys.stderr if as_json else sys.stdout) if gate.names else 0)
    opening.run_app(opened[0][0], None, opened)


def open_runs(
    words: Sequence[str], option: str | None, allow_large: bool = False
) -> list[tuple[Store, OpenRun]]:
    """Open runs, each with its store; a store that several of them are in is opened once.

    Args:
        words: Each a run of the store as `Store.resolve` takes it, `DIR::RUN`, the path of an
            artifact, or what names a run in the registry. A run of that name or id comes first,
            whatever else the word may mean.
        option: The store of runs without one, as for `open_store`.
        allow_large: Whether an artifact may unpack to more than is usual, without asking.

    Raises:
        StoreError: There is no such store, run or file.
    """
    opener = _Opener(option, allow_large)
    return [opener.open(word) for word in words]


class _Opener:
    def __init__(self, option: str | None, allow_large: bool) -> None:
        self._option = option
        self._allow_large = allow_large
        self._stores: dict[object, Store] = {}

    def open(self, word: str) -> tuple[Store, OpenRun]:
        try:
            store = self._store(self._option)
            return store, store.resolve(word)
        except (RunNotFound, StoreNotFound) as error:
            where, mark, name = word.rpartition(STORE_MARK)
            if mark and where and name and not self._is_remote(word):
                store = self._store(where)
                return store, store.resolve(name)
            if word.endswith(ARTIFACT_SUFFIX) or os.sep in word:
                path = Path(word)
                if path.is_file():
                    key = path.resolve()
                    if key not in self._stores:
                        self._stores[key] = open_artifact(path, self._allow_large)
                    return self._stores[key], self._stores[key].resolve("latest")
                if word.endswith(ARTIFACT_SUFFIX):
                    raise RunNotFound(f"{error}, and there is no file {word}") from error
            return self._remote(word, error)

    def _is_remote(self, word: str) -> bool:
        """Say whether a word is the name of a run in the registry, and no folder is called so."""
        from flowtui.registry.artifacts import SCHEME

        return word.startswith(SCHEME) and not Path(word.rpartition(STORE_MARK)[0]).is_dir()

    def _remote(self, word: str, unknown: StoreError) -> tuple[Store, OpenRun]:
        if word not in self._stores:
            from flowtui.cli import remote

            self._stores[word] = remote.opened(word, unknown, self._allow_large)[0]
        return self._stores[word], self._stores[word].resolve("latest")

    def _store(self, option: str | None) -> Store:
        store = self._stores.get(option)
        if store is None:
            store = open_store(option, self._allow_large)
            # The same folder may be named in several ways.
            store = self._stores.setdefault(store.directory.resolve(), store)
            self._stores[option] = store
        return store


def _judge(runs: RunSet, gate: Gate, out: TextIO) -> int:
    """Print the verdicts of a gate, and return the exit code."""
    from flowtui import format as fmt
    from flowtui.store.compare.directions import Direction, direction
    from flowtui.store.compare.gate import GateMisused, verdicts

    for run in runs.runs:
        row = run.run.row
        if row.status == Status.COMPLETED or gate.allows_active:
            continue
        why = "is still active, so that its values may change"
        if not row.is_active:
            why = f"has not ended well (its status is {row.status})"
        raise StoreError(
            f"{run.letter} ({run.run.name}) {why}: judge a run that has completed, or give"
            " --allow-active"
        )

    def direction_of(name: str, is_pass_fail: bool) -> Direction | None:
        said = direction(name, is_pass_fail=is_pass_fail)
        return Direction(gate.better) if said is None and gate.better is not None else said

    try:
        found = verdicts(runs, gate.names, direction_of, gate.tolerance)
    except GateMisused as error:
        raise WrongUsage(str(error)) from error
    for verdict in found:
        word = "REGRESSION" if verdict.has_regressed else "ok"
        against = f"A → {verdict.letter}"
        line = f"{word}  {verdict.name}  {against}: {verdict.said}"
        print(fmt.plain(line, 2_000), file=out)
    return REGRESSED if any(verdict.has_regressed for verdict in found) else 0
