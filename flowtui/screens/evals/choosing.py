"""What the Evals tab asks for: columns with their widths, and one group of samples by a value."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from flowtui import format as fmt
from flowtui.screens.dialogs.choose import Choice, ChoiceLines, ChooseScreen, ColumnsScreen
from flowtui.screens.evals import columns
from flowtui.screens.evals.columns import Chosen
from flowtui.screens.evals.reading import WantedSamples
from flowtui.store.open_run import OpenRun
from flowtui.store.samples import keys as sample_keys
from flowtui.store.samples.values import SampleGroup

if TYPE_CHECKING:
    from flowtui.widgets.asking import Asks

WIDTH_STEP = 4
LEAST_CELLS, MOST_CELLS = 4, 120
GROUPED = ("scores", "metadata")
"""JSON columns whose keys samples are counted by."""


class SampleColumnsScreen(ColumnsScreen):
    """Chooses columns, their order and widths; `widths` holds those that were changed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,l", "widen(1)", "Width", key_display="←→", tooltip="Make it wider"),
        Binding("left,h", "widen(-1)", "Narrower", show=False, tooltip="Make it narrower"),
        Binding("0", "reset", "Default", tooltip="The columns as they are without a choice"),
    ]

    def __init__(
        self, choices: Sequence[Choice], chosen: Sequence[str], widths: Mapping[str, int]
    ) -> None:
        super().__init__("Columns", choices, chosen)
        self.widths = dict(widths)
        self.is_reset = False

    def action_widen(self, direction: int) -> None:
        lines = self.query_one(ChoiceLines)
        if (choice := lines.choice) is None:
            return
        [column] = columns.columns([choice.key], self.widths, {})
        wanted = column.width + direction * WIDTH_STEP
        self.widths[choice.key] = max(LEAST_CELLS, min(wanted, MOST_CELLS))
        noted = [
            _with_width(one, self.widths) if one.key == choice.key else one for one in self._choices
        ]
        self._choices = noted
        at = lines.cursor
        lines.show_choices(noted, self._chosen)
        lines.cursor = at

    def action_reset(self) -> None:
        self.is_reset = True
        self.dismiss([])


async def choose_columns(
    asks: Asks, run: OpenRun, shown: Sequence[str], chosen: Chosen
) -> Chosen | None:
    """Ask which columns the table of samples has; return them, None to leave them as they are.

    Args:
        asks: who asks.
        run: whose samples; the keys of all of them are read.
        shown: the present columns.
        chosen: the present choice.

    Raises:
        Failure, NoLongerWanted: as `asked`.
    """
    keys = await asks.asked(partial(run.ask, sample_keys.keys))
    others = [*columns.FIXED, *(key.name for key in keys)]
    offered = [*shown, *(key for key in others if key not in shown)]
    choices = [_with_width(Choice(key, columns.title(key)), chosen.widths) for key in offered]
    screen = SampleColumnsScreen(choices, shown, chosen.widths)
    picked = await asks.app.push_screen_wait(screen)
    if screen.is_reset:
        return Chosen()
    return Chosen(tuple(picked), screen.widths) if picked else None


def _with_width(choice: Choice, widths: Mapping[str, int]) -> Choice:
    kind = choice.key.partition(".")[0] if "." in choice.key else ""
    width = f"{widths[choice.key]} cells" if choice.key in widths else ""
    return Choice(choice.key, choice.title, "  ".join(part for part in (kind, width) if part))


async def choose_group(asks: Asks, run: OpenRun, wanted: WantedSamples) -> str | None:
    """Ask for a score or a key of the metadata, then for one of its values.

    Returns:
        A filter for the samples that have it, None for no change.

    Raises:
        Failure, NoLongerWanted: as `asked`.
    """
    keys = await asks.asked(partial(run.ask, sample_keys.keys, wanted.dataset, GROUPED))
    if not keys:
        asks.app.notify("There are no scores and no metadata to count by.", timeout=2)
        return None
    offered = [Choice(key.name, key.name, f"{key.count:,}") for key in keys]
    picked = await asks.app.push_screen_wait(ChooseScreen("Count by", offered, []))
    if not picked:
        return None
    name = picked[0]
    condition = wanted.whole_condition
    groups = await asks.asked(partial(run.ask, sample_keys.groups, name, wanted.dataset, condition))
    choices = [
        Choice(str(at), _label(group), fmt.count(group.count, "sample"))
        for at, group in enumerate(groups.groups)
    ]
    title = fmt.plain(name, 60)
    if groups.other_groups:
        rest = fmt.count(groups.other_groups, "rarer value")
        title = f"{title}: the most common; {rest}, {fmt.count(groups.other_count, 'sample')}"
    chosen = await asks.app.push_screen_wait(ChooseScreen(title, choices, []))
    return group_filter(name, groups.groups[int(chosen[0])]) if chosen else None


def _label(group: SampleGroup) -> str:
    return "(none)" if group.value is None else fmt.json_text(group.value, 80)


def group_filter(name: str, group: SampleGroup) -> str:
    """Return the expression for the samples of a group."""
    column, _, key = name.partition(".")
    field = f"{column}.{_quoted(key, '`')}"
    match group.value:
        case None:
            return f"{field} IS NULL"
        case str(text):
            return f"{field} = {_quoted(text, chr(34))}"
        case value:
            return f"{field} = {json.dumps(value)}"


def _quoted(text: str, quote: str) -> str:
    return quote + text.replace(quote, quote * 2) + quote
