"""In which direction a person says that a metric or a score is better, by its name; remembered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from flowtui import format as fmt
from flowtui.store.compare.directions import CHOICES, UNDIRECTED, Direction, by_name
from flowtui.widgets import remembered

if TYPE_CHECKING:
    from flowtui.widgets.host import Host

KEY = "directions"
BY_NAME = "name"
_TITLES = {
    Direction.HIGHER: "Higher is better",
    Direction.LOWER: "Lower is better",
    UNDIRECTED: "Neither is better",
}


def chosen_directions() -> Mapping[str, str]:
    """Return what was chosen, by name, as `direction` takes it."""
    kept = remembered.get(KEY)
    known = kept if isinstance(kept, dict) else {}
    return {name: str(choice) for name, choice in known.items() if choice in CHOICES}


def choose(name: str, choice: str) -> None:
    """Remember a choice; `BY_NAME` forgets what was chosen before."""
    known = dict(chosen_directions())
    known.pop(name, None)
    if choice != BY_NAME:
        known[name] = choice
    remembered.put(KEY, {**known} or None)


async def ask_direction(flow: Host, name: str) -> bool:
    """Ask in which direction a metric or a score is better; to be awaited in a worker.

    Returns:
        Whether the person chose one.
    """
    from flowtui.screens.dialogs.choose import Choice, ChooseScreen

    said = by_name(name)
    note = "not known" if said is None else f"{said} is better"
    choices = [Choice(str(key), title) for key, title in _TITLES.items()]
    choices.append(Choice(BY_NAME, "As its name says", note))
    current = chosen_directions().get(name, BY_NAME)
    title = f"{fmt.plain(name, 40)}: which is better?"
    chosen = await flow.push_screen_wait(ChooseScreen(title, choices, [current]))
    if not chosen:
        return False
    choose(name, chosen[0])
    return True
