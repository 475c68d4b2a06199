"""The columns of the table of samples: their titles, and their cells for a sample."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from flowtui import format as fmt
from flowtui.screens import judgements
from flowtui.store.samples.score_values import ScoreSummary, is_number
from flowtui.store.samples.values import JSON_COLUMNS, Sample
from flowtui.store.samples.views import is_error_key
from flowtui.store.values import JsonValue
from flowtui.widgets.cells import Align, Piece
from flowtui.widgets.lists.score_cells import cells_of_numbers, score_piece
from flowtui.widgets.lists.virtual_table import GAP, Cells, Column

ID, DATASET, TRACE, NOTES = "id", "dataset", "traces", "annotations"
CREATED, UPDATED = "created", "updated"
FIXED = {
    ID: Column(ID, "  id", 14),
    DATASET: Column(DATASET, "set", 8),
    "inputs": Column("inputs", "inputs", 20, stretch=3),
    "outputs": Column("outputs", "output", 16, stretch=3),
    "refs": Column("refs", "reference", 12, stretch=2),
    TRACE: Column(TRACE, "trace", 5),
    NOTES: Column(NOTES, "✎", 3),
    CREATED: Column(CREATED, "created", 16),
    UPDATED: Column(UPDATED, "updated", 16),
}
REFERENCE_FROM = 110
"""From how many cells on a table has the reference beside the output; else it comes later."""
SCORE_CELLS = (9, 14)
"""The narrowest and the widest column of a score; between them the length of its name decides."""
VALUE_CELLS = 16
"""The narrowest column of any other value."""
TITLE_CHARS, MAX_TITLE_CELLS = 300, 60
"""How much of a title is kept, and how wide its column becomes for it.

More is kept than fits, because long titles may differ only at their ends: a title that is cut
is told from the others by its end.
"""
TEXT_CHARACTERS = 400
"""How many characters of a text are kept: more than the widest column shows."""
SHOWN_ITEMS, ITEM_CHARACTERS = 8, 150
"""How many items of an object are shown on its line, and how many characters of each."""
PREFIXES = {"scores": "", "metadata": "", "inputs": "in ", "outputs": "out ", "refs": "ref "}


@dataclass(frozen=True, slots=True)
class ColumnChoice:
    """The columns that were chosen; without keys the default columns are shown."""

    keys: tuple[str, ...] = ()
    widths: Mapping[str, int] = field(default_factory=dict)
    """The cells of the columns that were made wider or narrower, by key."""

    def as_json(self) -> JsonValue:
        """Return the choice as a value that can be remembered."""
        return {"keys": list(self.keys), "widths": dict(self.widths)}


def chosen_from(value: JsonValue) -> ColumnChoice:
    """Return the choice that was remembered, or the default if it is not understood."""
    if not isinstance(value, dict):
        return ColumnChoice()
    keys, widths = value.get("keys"), value.get("widths")
    known = [key for key in keys if _is_column(key)] if isinstance(keys, list) else []
    cells = widths if isinstance(widths, dict) else {}
    return ColumnChoice(
        tuple(str(key) for key in known),
        {key: width for key, width in cells.items() if type(width) is int and 0 < width < 500},
    )


def _is_column(key: JsonValue) -> bool:
    if not isinstance(key, str):
        return False
    if judgements.is_judgement(key):
        return True
    column, dot, name = key.partition(".")
    return key in FIXED or (column in JSON_COLUMNS and bool(dot and name))


def default_keys(
    score_keys: Sequence[str], has_sets: bool, width: int, judged: Sequence[str] = ()
) -> list[str]:
    """Return the keys of the default columns: id and notes, scores, texts, the other scores.

    Args:
        score_keys: The keys of all scores.
        judged: The fields of what people said. Where there is room beside a score and the texts
            they come after the scores, else last.
        has_sets: Whether samples of several sets are listed.
        width: The width of the table in cells. As many scores come before the texts as there is
            room for, and at least one.
    """
    head = [ID, NOTES, *([DATASET] if has_sets else [])]
    texts = ["inputs", "outputs", "refs"] if width >= REFERENCE_FROM else ["inputs", "outputs"]
    room = width - sum(FIXED[key].width + len(GAP) for key in (*head, *texts))
    scores = [f"scores.{key}" for key in score_keys]
    rest = [key for key in ("refs", TRACE) if key not in texts]
    score_cells = SCORE_CELLS[0] + 2 + len(GAP)
    # At most half of the room, which the scores need too.
    said, left = 0, room
    for key in judged:
        needed = judgements.column(key).width + len(GAP)
        if left - needed < max(score_cells * bool(scores), room // 2):
            break
        left -= needed
        said += 1
    first = max(left // score_cells, 1)
    shown = [*head, *scores[:first], *judged[:said]]
    return [*shown, *texts, *rest, *scores[first:], *judged[said:]]


def columns(
    keys: Iterable[str], widths: Mapping[str, int], summaries: Mapping[str, ScoreSummary]
) -> list[Column]:
    """Return columns by their keys: a key of FIXED, or a JSON column, a dot and a key in it."""
    return [_column(key, widths.get(key), summaries) for key in keys]


def title(key: str) -> str:
    """Return what a column is called where its title would be a sign."""
    if key == NOTES:
        return "annotations"
    if key in FIXED:
        return FIXED[key].title.strip()
    if judgements.is_judgement(key):
        return judgements.title(key)
    column, _, name = key.partition(".")
    return PREFIXES[column] + fmt.plain(name, TITLE_CHARS)


def _column(key: str, width: int | None, summaries: Mapping[str, ScoreSummary]) -> Column:
    if key in FIXED:
        known = FIXED[key]
        return known if width is None else Column(key, known.title, width)
    if judgements.is_judgement(key):
        return judgements.column(key, width)
    is_score = key.startswith("scores.")
    name = title(key)
    least, most = SCORE_CELLS
    # Two more cells for the arrow that shows the order.
    wanted = min(len(name), MAX_TITLE_CELLS) + 2
    natural = max(least, min(wanted, most)) if is_score else max(VALUE_CELLS, wanted)
    summary = summaries.get(key.removeprefix("scores.")) if is_score else None
    align: Align = "left"
    if summary is not None and summary.numbers is not None:
        align = "right"
        natural = max(natural, cells_of_numbers(summary.numbers))
    return Column(key, name, width or natural, align)


def cells(sample: Sample, shown: Sequence[Column], summaries: Mapping[str, ScoreSummary]) -> Cells:
    """Return the cells of a sample in these columns."""
    return tuple(_cell(sample, column, summaries) for column in shown)


def _cell(sample: Sample, shown: Column, summaries: Mapping[str, ScoreSummary]) -> Piece:
    key = shown.key
    if judgements.is_judgement(key):
        return judgements.piece(sample.judgements, key)
    column, _, name = key.partition(".")
    if column == "scores" and name:
        held = sample.scores
        if isinstance(held, dict) and name in held:
            return score_piece(held[name], summaries.get(name))
        return Piece("")
    if column in JSON_COLUMNS:
        return _value_piece(sample, column, name, shown.width)
    if key == ID:
        return _id_piece(sample)
    texts = {
        DATASET: fmt.plain(sample.dataset_id, 60),
        TRACE: "→" if sample.trace_ids else "",
        CREATED: "" if sample.created_at is None else fmt.when_short(sample.created_at),
        UPDATED: "" if sample.updated_at is None else fmt.when_short(sample.updated_at),
    }
    if key in texts:
        return Piece(texts[key], "muted")
    count = sample.annotation_count
    return Piece(f"✎{count:,}" if count else "", "accent")


def _id_piece(sample: Sample) -> Piece:
    if has_failed(sample):
        return Piece(f"✗ {fmt.plain(sample.id, 100)}", "error")
    return Piece(f"  {fmt.plain(sample.id, 100)}")


def has_failed(sample: Sample) -> bool:
    """Return whether a score of a sample is false, or has the name of an error and a value."""
    scores = sample.scores
    return isinstance(scores, dict) and any(
        value is False or (value is not None and is_error_key(key)) for key, value in scores.items()
    )


def _value_piece(sample: Sample, column: str, name: str, cells: int) -> Piece:
    if column in sample.unparsed:
        return Piece(f"▲ {fmt.plain(str(sample.value(column)), TEXT_CHARACTERS)}", "attention")
    value = sample.value(column)
    if name:
        if not isinstance(value, dict) or name not in value:
            return Piece("")
        value = value[name]
    if is_number(value):
        # If a number were cut like a text, it would lose its exponent and look like another number.
        return Piece(fmt.fitted(value, cells))
    return Piece(shown_value(value), "muted" if value is None else "text")


def shown_value(value: JsonValue) -> str:
    """Return a value of any shape on one line; an empty text for null and empty containers."""
    if value is None or value in ({}, []):
        return ""
    if isinstance(value, dict):
        return "  ".join(_items(value))
    return fmt.json_text(value, TEXT_CHARACTERS)


def _items(value: Mapping[str, JsonValue]) -> Iterator[str]:
    """Yield the first items of an object; the first one without its name if it is a text."""
    for at, (key, item) in enumerate(islice(value.items(), SHOWN_ITEMS)):
        if text := fmt.json_text(item, ITEM_CHARACTERS):
            yield text if at == 0 and isinstance(item, str) else f"{fmt.plain(key, 40)}: {text}"
