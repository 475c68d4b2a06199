"""What people said of a trace or sample, as a column of the lists and as a line over them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from flowtui import format as fmt
from flowtui.store.annotations.judgements import PREFIX, Judgement, JudgementTally
from flowtui.store.annotations.values import AnnotationKind, Value
from flowtui.widgets.cells import Line, Piece, Role
from flowtui.widgets.lists.virtual_table import Column

CELLS = (9, 16)
"""The narrowest and the widest column; between them the length of the name decides."""
NAME_CHARS, VALUE_CHARS = 300, 60
SHOWN_NAMES, SHOWN_VALUES = 8, 3
"""Of how many names the line over the samples tells, and of how many values of a name."""
COMMON_SHARE = 0.2
"""Texts of which none is as common as this are only counted."""
_SIGNS = {AnnotationKind.FEEDBACK: "✎", AnnotationKind.EXPECTATION: "◇"}


def is_judgement(key: str) -> bool:
    """Say whether a column shows what people said under a name."""
    return key.startswith(PREFIX)


def title(field: str) -> str:
    """Return the title of a column: a sign for the kind, and the name."""
    kind, _, name = field.removeprefix(PREFIX).partition(".")
    sign = _SIGNS.get(AnnotationKind(kind)) if kind in tuple(AnnotationKind) else fmt.plain(kind)
    return f"{sign} {fmt.plain(name, NAME_CHARS)}"


def column(field: str, width: int | None = None) -> Column:
    """Return the column of a field."""
    least, most = CELLS
    name = title(field)
    return Column(field, name, width or max(least, min(len(name) + 2, most)))


def piece(judgements: Mapping[str, Judgement], field: str) -> Piece:
    """Return the cell of a trace or sample in a column."""
    said = judgements.get(field)
    if said is None:
        return Piece("")
    if said.is_unanimous:
        again = f" ×{said.count:,}" if said.count > 1 else ""
        return Piece(f"{_shown(said.value)}{again}", _role(said.value))
    return Piece(f"{_shown(said.value, is_short=True)} {_share(said)}", "attention")


def text(said: Judgement) -> str:
    """Return what was said in words: the value, or how many of all said it."""
    return _shown(said.value) if said.is_unanimous else f"{_shown(said.value)} {_share(said)}"


def _share(said: Judgement) -> str:
    return f"{fmt.percent(said.agreeing_count / said.count)} of {said.count:,}"


def _shown(value: Value, is_short: bool = False) -> str:
    if isinstance(value, bool):
        sign, word = ("✓", "true") if value else ("✗", "false")
        return sign if is_short else f"{sign} {word}"
    return f"{value:,}" if isinstance(value, int) else fmt.one_line(value, VALUE_CHARS)


def _role(value: Value) -> Role:
    if isinstance(value, bool):
        return "ok" if value else "error"
    return "text"


def tally_line(tallies: Sequence[JudgementTally]) -> Line:
    """Return for each name what all said under it: `helpful 83 % of 41`."""
    pieces = [Piece(" verdicts", "muted")]
    for one in tallies[:SHOWN_NAMES]:
        pieces.append(Piece(f"   {title(one.field)} "))
        pieces += _tally(one)
    if (more := len(tallies) - SHOWN_NAMES) > 0:
        pieces.append(Piece(f"   and {fmt.count(more, 'more name')}", "muted"))
    return pieces


def _tally(one: JudgementTally) -> Iterator[Piece]:
    of = Piece(f" of {one.count:,}", "muted")
    if (share := one.true_share) is not None:
        yield from (Piece(fmt.percent(share)), of)
    elif (mean := one.mean) is not None:
        yield from (Piece(f"mean {fmt.number(mean, 3)}"), of)
    elif one.counts[0][1] < one.count * COMMON_SHARE:
        yield Piece(fmt.count(len(one.counts), "value"))
        yield of
    else:
        shown = one.counts[:SHOWN_VALUES]
        yield Piece(", ".join(f"{_shown(value)} {number:,}" for value, number in shown))
        if (rest := one.count - sum(number for _, number in shown)) > 0:
            yield Piece(f", others {rest:,}", "muted")
