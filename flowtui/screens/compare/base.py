"""The base of the tabs of a comparison, and what they share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Rule

from flowtui.screens.base import StoreScreen
from flowtui.store.compare.run_set import ComparedRun, RunSet
from flowtui.store.values import Kind
from flowtui.widgets.compare import NamedRun, RunState, compare_line
from flowtui.widgets.frame.frame import TABS, KeyLine, OneLine, TabLine
from flowtui.widgets.paint import CURVE_CLASSES

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass
class CompareState:
    """What all tabs of one comparison share; used on the loop only."""

    runs: RunSet
    candidate: str = "B"
    """The letter of the candidate that is looked at, where there is room for one only."""
    states: dict[str, RunState] = field(default_factory=dict)
    """By letter."""
    words: dict[str, str] = field(default_factory=dict)
    """What stands beside the name of a tab that has been looked at, by tab."""
    short_words: dict[str, str] = field(default_factory=dict)
    """The same in fewer cells."""
    tab: str = TABS[0]
    """The tab that was shown last."""
    hidden: set[str] = field(default_factory=set)
    """The letters of runs whose curves are switched off."""

    @property
    def looked_at(self) -> ComparedRun:
        """The candidate that is looked at."""
        return next(run for run in self.runs.runs if run.letter == self.candidate)

    def step(self, by: int) -> None:
        """Look at the next candidate, or the one before; the last is followed by the first."""
        self.candidate = self._stepped(by)

    @property
    def following(self) -> str:
        """The letter of the candidate that comes next."""
        return self._stepped(1)

    def _stepped(self, by: int) -> str:
        letters = [run.letter for run in self.runs.candidates]
        return letters[(letters.index(self.candidate) + by) % len(letters)]


class CompareScreen(StoreScreen):
    """One tab of a comparison, with the lines that all of them share."""

    tab: ClassVar[str]
    reads: ClassVar[frozenset[Kind]] = frozenset()
    """The kinds of record that the tab shows."""
    COMPONENT_CLASSES = CURVE_CLASSES

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left_square_bracket", "step_candidate(-1)", "Candidate back", show=False,
                id="compare.previous", key_display="[",
                tooltip="Look at the candidate before"),
        Binding("right_square_bracket", "step_candidate(1)", "Candidate", show=False,
                id="compare.next", key_display="]", tooltip="Look at the next candidate"),
        Binding("escape", "leave", "Runs", id="compare.leave", key_display="Esc",
                tooltip="Go back to the list of runs"),
    ]  # fmt: skip

    def __init__(self, state: CompareState) -> None:
        super().__init__(state.runs.baseline.store)
        self.state = state
        self.stale: set[str] = {run.letter for run in state.runs.runs}
        """The letters of the runs that have changed since `take_stale` was last called."""

        self._taken: set[str] = set()
        """What `take_stale` returned last."""

    @property
    def runs(self) -> RunSet:
        return self.state.runs

    @property
    def candidate(self) -> str:
        """The letter of the candidate that is looked at."""
        return self.state.candidate

    @property
    def steps_candidates(self) -> bool:
        """Whether `[` and `]` take another candidate now."""
        return len(self.runs.candidates) > 1

    def compose(self) -> ComposeResult:
        yield OneLine(id="compared")
        yield TabLine(self.tab)
        yield Rule()
        yield from self.compose_tab()
        yield KeyLine()

    def compose_tab(self) -> Iterable[Widget]:
        """Yield the widgets between the tab line and the key line."""
        raise NotImplementedError

    def on_mount(self) -> None:
        if self.is_composed:
            self.show_state()
            self.want(self.reads)
            self.bindings_updated_signal.subscribe(self, lambda _screen: self._show_runs())

    def on_screen_resume(self) -> None:
        self.state.tab = self.tab
        self.show_state()

    def on_screen_suspend(self) -> None:
        if self._reader is not None:
            # The read that took them is left now.
            self.stale |= self._taken

    def on_resize(self) -> None:
        self.show_state()

    def show_state(self) -> None:
        """Show what the line on top and the tab line say now."""
        if self.is_composed and self.size.width:
            self._show_runs()
            self.query_one(TabLine).show_words(self.state.words, self.state.short_words)

    def _show_runs(self) -> None:
        if not self.is_composed or not self.size.width:
            return
        places = {run.store.directory for run in self.runs.runs}
        line = compare_line(
            [
                NamedRun(run.letter, run.run.name, self.state.states.get(run.letter, RunState()))
                for run in self.runs.runs
            ],
            self.candidate,
            self._candidate_keys,
            self.flow.store_label if len(places) == 1 else "",
            self.size.width,
            frozenset(self.state.hidden),
        )
        self.query_one("#compared", OneLine).show(line)

    @property
    def _candidate_keys(self) -> str:
        """The keys that lead to the other candidates, as long as nothing else has them."""
        return " ".join(
            active.binding.key_display or self.app.get_key_display(active.binding)
            for active in self.active_bindings.values()
            if active.enabled and active.binding.action.startswith("step_candidate(")
        )

    def tell_count(self, words: str, short: str = "") -> None:
        """Say beside the tab's name what it holds, such as `4≠`.

        Args:
            words: A few words.
            short: Fewer, for where there is no room; empty for the same.
        """
        self.state.words[self.tab] = words
        self.state.short_words[self.tab] = short or words
        self.show_state()

    def store_changed(self, changed: Mapping[str, frozenset[Kind]]) -> None:
        """Read again what has changed of the runs, by letter, as far as the tab shows it."""
        found = {letter: kinds & self.reads for letter, kinds in changed.items()}
        self.stale.update(letter for letter, kinds in found.items() if kinds)
        self.want(kind for kinds in found.values() for kind in kinds)

    def take_stale(self) -> frozenset[str]:
        """Return the letters of the runs to read again; for `read`, once, as it begins."""
        self._taken, self.stale = self.stale, set()
        return frozenset(self._taken)

    def candidate_changed(self) -> None:
        """Show the candidate that is looked at now."""

    def follow(self, what: Any) -> None:
        """Show what another tab refers to: traces by letter, the path of a file."""

    def action_step_candidate(self, by: int) -> None:
        self.state.step(by)
        self.show_state()
        self.candidate_changed()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "step_candidate":
            return self.steps_candidates
        return super().check_action(action, parameters)

    def action_leave(self) -> None:
        self.flow.show_runs()

    @on(TabLine.Picked)
    def switch_tab(self, event: TabLine.Picked) -> None:
        self.flow.show_tab(event.tab)
