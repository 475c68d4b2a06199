"""The questions of the Evals tab: which columns to show, and which group of samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from flowtui import format as fmt
from flowtui.screens.dialogs.choose import Choice, ChoiceLines, ChooseScreen, ColumnsScreen
from flowtui.screens.evals import columns
from flowtui.screens.evals.columns import ColumnChoice
from flowtui.screens.evals.reading import SamplesQuery
from flowtui.screens.judgements import title as title_of
from flowtui.store.annotations.judgements import tallies
from flowtui.store.annotations.listing import SAMPLES
from flowtui.store.filter_text import equals, quoted_key
from flowtui.store.open_run import OpenRun
from flowtui.store.samples import keys as sample_keys
from flowtui.store.samples.values import SampleGroup

if TYPE_CHECKING:
    from flowtui.widgets.asking import Asks

WIDTH_STEP = 4
"""How many cells a key makes a column wider or narrower."""
MIN_CELLS, MAX_CELLS = 4, 120
"""The bounds of a column's width."""
GROUPED = ("scores", "metadata")
"""The JSON columns by whose keys samples can be grouped."""


class SampleColumnsScreen(ColumnsScreen):
    """Chooses columns, their order and their widths; `widths` has the widths that were changed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "right,l",
            "widen(1)",
            "Width",
            key_display="←→",
            id="columns.wider",
            tooltip="Make it wider",
        ),
        Binding(
            "left,h",
            "widen(-1)",
            "Narrower",
            show=False,
            id="columns.narrower",
            tooltip="Make it narrower",
        ),
    ]

    def __init__(
        self, choices: Sequence[Choice], chosen: Sequence[str], widths: Mapping[str, int]
    ) -> None:
        super().__init__("Columns", choices, chosen)
        self.widths = dict(widths)

    def action_widen(self, direction: int) -> None:
        lines = self.query_one(ChoiceLines)
        if (choice := lines.choice) is None:
            return
        [column] = columns.columns([choice.key], self.widths, {})
        wanted = column.width + direction * WIDTH_STEP
        self.widths[choice.key] = max(MIN_CELLS, min(wanted, MAX_CELLS))
        noted = [
            _with_width(one, self.widths) if one.key == choice.key else one for one in self._choices
        ]
        self._choices = noted
        at = lines.cursor
        lines.show_choices(noted, self._chosen)
        lines.cursor = at


async def choose_columns(
    asks: Asks, run: OpenRun, shown: Sequence[str], chosen: ColumnChoice
) -> ColumnChoice | None:
    """Ask which columns the table of samples is to have.

    Args:
        asks: The widget that asks.
        run: The run of the samples, whose keys are all read.
        shown: The present columns.
        chosen: The present choice.

    Returns:
        The new choice; None to leave the columns as they are.

    Raises:
        Failure, NoLongerWanted: As `asked` does.
    """
    keys = await asks.asked(partial(run.ask, sample_keys.keys))
    said = await asks.asked(partial(run.ask, tallies, SAMPLES))
    others = [*columns.FIXED, *(one.field for one in said), *(key.name for key in keys)]
    offered = [*shown, *(key for key in others if key not in shown)]
    choices = [_with_width(Choice(key, columns.title(key)), chosen.widths) for key in offered]
    screen = SampleColumnsScreen(choices, shown, chosen.widths)
    picked = await asks.app.push_screen_wait(screen)
    if screen.is_reset:
        return ColumnChoice()
    return ColumnChoice(tuple(picked), screen.widths) if picked else None


def _with_width(choice: Choice, widths: Mapping[str, int]) -> Choice:
    kind = choice.key.partition(".")[0] if "." in choice.key else ""
    width = f"{widths[choice.key]} cells" if choice.key in widths else ""
    return Choice(choice.key, choice.title, "  ".join(part for part in (kind, width) if part))


async def choose_group(asks: Asks, run: OpenRun, wanted: SamplesQuery) -> str | None:
    """Ask for a score or a key of the metadata, and then for one of its values.

    Returns:
        A filter for the samples with that value; None to leave the filter as it is.

    Raises:
        Failure, NoLongerWanted: As `asked` does.
    """
    keys = await asks.asked(partial(run.ask, sample_keys.keys, wanted.dataset, GROUPED))
    said = await asks.asked(partial(run.ask, tallies, SAMPLES, wanted.dataset))
    if not (keys or said):
        text = "There are no scores, no metadata and no annotations to group by."
        asks.app.notify(text, timeout=2)
        return None
    offered = [Choice(one.field, title_of(one.field), f"{one.count:,}") for one in said]
    offered += [Choice(key.name, key.name, f"{key.count:,}") for key in keys]
    picked = await asks.app.push_screen_wait(ChooseScreen("Group by", offered, []))
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
    return equals(f"{column}.{quoted_key(key)}", group.value)
