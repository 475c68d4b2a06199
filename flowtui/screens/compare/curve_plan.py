"""Which curves a comparison draws of a metric: a run each, means of repeats, or differences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from flowtui.screens.metrics.reading import Curved, Zoomed
from flowtui.store.compare.curves import FoldedSource
from flowtui.store.compare.parameters import Parameters
from flowtui.store.compare.run_set import LETTERS
from flowtui.store.compare.settings import Repeats, Setting, labels, repeats, settings
from flowtui.store.metrics.source import MetricSource
from flowtui.store.metrics.values import FoldedSeries
from flowtui.store.open_run import OpenRun
from flowtui.widgets.charts.curve import LostCurve, Overlay
from flowtui.widgets.compare import letter_role

BASELINE = LETTERS[0]


@dataclass(frozen=True)
class PlannedRun:
    """One run of a comparison, as far as its curves need it."""

    letter: str
    run: OpenRun
    name: str
    keys: frozenset[str] = frozenset()
    """The metrics that it has."""
    settings: tuple[tuple[str, Setting], ...] = ()
    """What it has at the paths at which the runs differ."""
    has_params: bool = False


@dataclass(frozen=True)
class CurvePlan:
    """What is drawn, and what it is called."""

    runs: tuple[PlannedRun, ...] = ()
    """Those that can be read, in the order of their letters."""
    unread: tuple[LostCurve, ...] = ()
    """Those that cannot."""
    hidden: frozenset[str] = frozenset()
    """The letters of those that are switched off."""
    is_difference: bool = False
    """Whether each curve is drawn less the baseline's."""
    is_folded: bool = False
    """Whether runs that only repeat one another are one curve, their mean."""
    by_params: bool = False
    """Whether runs are called by the parameters in which they differ, and not by their names."""

    @cached_property
    def shown(self) -> tuple[PlannedRun, ...]:
        return tuple(run for run in self.runs if run.letter not in self.hidden)

    @cached_property
    def groups(self) -> tuple[Repeats, ...]:
        """The runs in sight that are one curve each, as places in `shown`."""
        if not self.is_folded:
            return tuple(Repeats("", (place,)) for place in range(len(self.shown)))
        found = [dict(run.settings) for run in self.shown]
        return repeats(found, [run.has_params for run in self.shown])

    @property
    def computed(self) -> tuple[bool, bool]:
        """What is computed of the runs."""
        return self.is_difference, self.is_folded

    @property
    def folded_by(self) -> str:
        """The parameter over which means are taken; empty if no runs are folded."""
        return next((group.path for group in self.groups if group.path), "")

    @property
    def has_repeats(self) -> bool:
        return any(len(group.members) > 1 for group in self.groups)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What each group is called, as stored and not safe to show."""
        firsts = [self.shown[group.members[0]] for group in self.groups]
        by_params = labels([dict(run.settings) for run in firsts], but=self.folded_by)
        made = []
        for group, run, label in zip(self.groups, firsts, by_params, strict=True):
            count = len(group.members)
            name = (label or run.name) if self.by_params or count > 1 else run.name
            over = f" over {group.path}" if group.path else ""
            made.append(f"{name}  mean of {count}{over}" if count > 1 else name)
        return tuple(made)

    def curved(self, key: str) -> list[Curved]:
        """Return the curves of a metric."""
        made = []
        baseline = self._baseline(key)
        for group in self.groups:
            members = [self.shown[place] for place in group.members]
            having = [run for run in members if key in run.keys]
            letters = "".join(run.letter for run in members)
            if not having or (self.is_difference and (BASELINE in letters or not baseline)):
                continue
            sources = tuple(MetricSource(run.run, key) for run in having)
            if len(sources) == 1 and not self.is_difference:
                made.append(Curved(letters, sources[0]))
            else:
                subtracted = baseline if self.is_difference else ()
                made.append(Curved(letters, FoldedSource(key, sources, subtracted)))
        return made

    def _baseline(self, key: str) -> tuple[MetricSource, ...]:
        """Return what differences are taken to: the baseline, or the mean of it and its repeats."""
        for group in self.groups:
            members = [self.shown[place] for place in group.members]
            if any(run.letter == BASELINE for run in members):
                return tuple(MetricSource(run.run, key) for run in members if key in run.keys)
        return tuple(
            MetricSource(run.run, key)
            for run in self.runs
            if run.letter == BASELINE and key in run.keys
        )

    def overlays(self, found: Zoomed) -> tuple[Overlay, ...]:
        """Return what was read as curves with their letters, colours and names."""
        called = self._called
        return tuple(
            Overlay(
                one.series,
                letter_role(one.name[0]),
                one.name[0],
                letters=one.name,
                text=called.get(one.name, ""),
                smoothed=one.smoothed,
                band=one.series.band if isinstance(one.series, FoldedSeries) else (),
            )
            for one in found.curves
        )

    @property
    def _called(self) -> dict[str, str]:
        """What each group is called, by the letters of its runs."""
        return {
            "".join(self.shown[place].letter for place in group.members): name
            for group, name in zip(self.groups, self.names, strict=True)
        }

    def lost(self, found: Zoomed | None = None) -> tuple[LostCurve, ...]:
        """Return which curves in sight cannot be read, of those that were read or of any metric."""
        called = self._called
        lost = [one for one in self.unread if one.letters not in self.hidden]
        lost += [
            LostCurve(letters, letter_role(letters[0]), called.get(letters, ""), why)
            for letters, why in (() if found is None else found.lost)
        ]
        return tuple(sorted(lost, key=lambda one: one.letters))

    def note(self, key: str, lost: Sequence[LostCurve] = ()) -> str:
        """Return which of the runs in sight have a metric, and which of them cannot be read.

        It is empty if all have it and are drawn as they are.
        """
        letters = "".join(one.letters for one in lost)
        known = [run for run in self.shown if run.letter not in letters]
        having = [run.letter for run in known if key in run.keys]
        said = [self.subtracted] if self.is_difference and having else []
        if having and len(having) < len(known):
            said.append(f"only {' '.join(having)}")
        elif not having and not lost:
            said.append("none in sight")
        return ", ".join([*said, *unreadable(lost)])

    def why_none(self, key: str) -> str:
        """Return why a metric has no curve."""
        having = [run for run in self.runs if key in run.keys]
        if not any(run.letter not in self.hidden for run in having):
            return "The runs that have it are off: v"
        if self.is_difference and any(one.letters == BASELINE for one in self.unread):
            return f"{BASELINE} cannot be read, so there is no difference to it"
        if self.is_difference and not any(run.letter == BASELINE for run in having):
            return f"{BASELINE} has no such metric, so there is no difference to it"
        if self.is_difference:
            return f"no other run has it at the steps of {BASELINE}"
        return "no row has a step that is a number"

    @property
    def subtracted(self) -> str:
        """What differences are to, in a few words."""
        return f"each minus {BASELINE}"

    def heading(self, found: Zoomed) -> str:
        """Return what is drawn, in a few words."""
        lost = self.lost(found)
        letters = "".join(one.letters for one in lost)
        count = sum(run.letter not in letters for run in self.shown)
        words = [f"{count} run" if count == 1 else f"{count} runs", *unreadable(lost)]
        if self.is_difference:
            words.append(self.subtracted)
        if self.is_folded:
            by = f" over {self.folded_by}" if self.folded_by else ""
            words.append(f"repeats folded{by}" if self.has_repeats else "no repeats to fold")
        return " · ".join(words)


def unreadable(lost: Sequence[LostCurve]) -> list[str]:
    """Return which runs cannot be read, in a few words; nothing if there are none."""
    return [f"{' '.join(one.letters for one in lost)} unreadable"] if lost else []


def planned(
    found: Sequence[tuple[str, OpenRun, frozenset[str], Parameters]],
) -> tuple[PlannedRun, ...]:
    """Return runs with their letters, their metrics and their parameters as they are drawn."""
    differing = settings([params for *_, params in found])
    return tuple(
        PlannedRun(letter, run, run.name, keys, tuple(own.items()), has_params=bool(params))
        for (letter, run, keys, params), own in zip(found, differing, strict=True)
    )
