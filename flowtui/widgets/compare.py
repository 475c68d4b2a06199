"""How compared runs look: a letter and a colour each, and the line on top of a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from flowtui import format as fmt
from flowtui.store.compare.run_set import LETTERS
from flowtui.store.liveness.standing import Activity, Standing
from flowtui.told_apart import told_apart
from flowtui.widgets.cells import Piece, Role, clipped, fit, justified, width_of

NAME_CELLS = (8, 40)
"""The narrowest and the widest name of a run in the line on top."""


def letter_role(letter: str) -> Role:
    """Return the role in which a run's letter and curves are drawn."""
    return cast("Role", f"curve-{LETTERS.index(letter) + 1}")


@dataclass(frozen=True, slots=True)
class RunState:
    """What a comparison says of one of its runs, besides its records."""

    standing: Standing = Standing()  # noqa: RUF009  # It is frozen.
    problem: str = ""
    """Why it may not be shown as it is now; empty where it can be read."""


@dataclass(frozen=True, slots=True)
class NamedRun:
    """A run as the line on top names it."""

    letter: str
    name: str
    state: RunState


def compare_line(
    runs: Sequence[NamedRun],
    candidate: str,
    keys: str,
    store: str,
    width: int,
    hidden: frozenset[str],
) -> list[Piece]:
    """Return the line on top of a comparison.

    If there is no room for all runs, it names the baseline and the candidate that is looked at.

    Args:
        runs: The runs, the baseline first.
        candidate: The letter of the candidate that is looked at.
        keys: The keys that lead to the other candidates; empty while they mean something else.
        store: The store's folder, as a person would write it; empty where there are several.
        width: The width in cells.
        hidden: The letters of runs that are switched off.
    """
    looked = f"candidate {candidate}  {keys}" if keys and len(runs) > 2 else ""
    said = " · ".join(filter(None, (fmt.count(len(runs), "run"), "baseline A", looked)))
    head = [Piece(" compare", "title")]
    words = {of.letter: _words(of, of.letter in hidden) for of in runs}
    least = sum(width_of(words[of.letter]) + NAME_CELLS[0] + 5 for of in runs)
    shown = list(runs)
    if len(runs) > 2 and width_of(head) + least > width:
        shown = [of for of in runs if of.letter in (LETTERS[0], candidate)]
        place = [of.letter for of in runs].index(candidate)
        said = f"candidate {place} of {len(runs) - 1}{keys and '  '}{keys}"
    full = f"{said} · {fmt.plain(store)}" if store else said
    room = width - width_of(head) - sum(width_of(words[of.letter]) + 5 for of in shown)
    wanted = [len(fmt.plain(of.name, NAME_CELLS[1])) for of in shown]
    # The names come first, then how many runs there are, then where they are.
    right = next((text for text in (full, said, looked) if sum(wanted) + len(text) + 3 <= room), "")
    names = _shares(wanted, room)
    left = list(head)
    labels = told_apart([fmt.plain(of.name, 200) for of in shown], names)
    for of, label, cells in zip(shown, labels, names, strict=True):
        name = fit(label, cells)
        role: Role = "muted" if of.letter in hidden else "text"
        left += [Piece("   "), Piece(of.letter, letter_role(of.letter)), Piece(f" {name}", role)]
        left += words[of.letter]
    return justified(clipped(left, width), [Piece(right, "muted"), Piece(" ")], width)


def _words(of: NamedRun, is_hidden: bool) -> list[Piece]:
    if of.state.problem:
        return [Piece(f" ▲ {fmt.plain(of.state.problem, 60)}", "attention")]
    if is_hidden:
        return [Piece(" off", "muted")]
    activity = of.state.standing.activity
    if activity is None:
        return []
    if activity is Activity.STOPPED:
        return [Piece(" " + fmt.run_state_short("", of.state.standing), "attention")]
    return [Piece(" ● live" if activity is Activity.ACTIVE else " ○ quiet", "ok")]


def _shares(wanted: Sequence[int], room: int) -> list[int]:
    """Return how many cells each name gets: what it needs, or a fair share of the room."""
    given = [0] * len(wanted)
    left = max(room, NAME_CELLS[0] * len(wanted))
    # The shortest first, so that what they leave over goes to the longer ones.
    for rank, index in enumerate(sorted(range(len(wanted)), key=wanted.__getitem__)):
        given[index] = min(wanted[index], left // (len(wanted) - rank))
        left -= given[index]
    return given


def change_of_duration(change_ns: int) -> str:
    """Return by how much a duration has changed, with its sign; equal ones say so."""
    if not change_ns:
        return "="
    return f"{'+' if change_ns > 0 else '-'}{fmt.duration(abs(change_ns) / 1e9)}"
