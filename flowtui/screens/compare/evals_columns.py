"""The columns of a comparison's Evals tab: of the scores by set, and of the joined samples."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from flowtui import format as fmt
from flowtui.reports.comparison.sample_texts import (
    ABSENT,
    mean_text,
    odd_words,
    same_text,
    score_outcome,
    set_text,
    words_of_test,
)
from flowtui.screens.compare.evals_reading import ReadComparison
from flowtui.screens.evals.columns import TEXT_CHARACTERS, shown_value
from flowtui.store.compare.joined_samples import JoinedBy
from flowtui.store.compare.sample_page import ComparedSample
from flowtui.store.compare.sample_views import DELTA, ID_COLUMN
from flowtui.store.compare.samples import ComparedSamples
from flowtui.store.compare.score_pairs import ComparedScore, HigherIsBetter, Outcome, ScoreKind
from flowtui.store.samples.score_values import is_number
from flowtui.store.samples.values import Sample
from flowtui.widgets.cells import Line, Piece, Role
from flowtui.widgets.documents.sample_differences import marked_pieces
from flowtui.widgets.lists.compared_cells import delta_piece, score_change
from flowtui.widgets.lists.virtual_table import Cell, Cells, Column

NARROW_BELOW = 110
"""With fewer cells than this, the candidate's output comes before the input."""
SCORE_CELLS = {False: (9, 16), True: (15, 19)}
"""The narrowest and the widest column of a score, by whether it may show two long values."""
WIDE_FROM = 150
KEPT_SAME = (10, 32)
"""How many characters before the first difference are kept of an output; with less room, fewer."""
INPUT, NOTES, OUTPUT = "inputs", "annotations", "outputs."
SET, SCORE, BASELINE, CANDIDATE, TEST = "set", "score", "baseline", "candidate", "test"


# The scores by set ---------------------------------------------------------------------------


def score_columns(scores: Sequence[ComparedScore], letter: str) -> list[Column]:
    """Return the columns of the table of sets and scores, for the candidate with a letter."""
    names = max([8, *(min(len(fmt.plain(one.name, 60)), 24) for one in scores)])
    sets = max([6, *(min(len(set_text(one)) + 1, 16) for one in scores)])
    same = max([5, *(len(same_text(one)) for one in scores)])
    has = {what: any(one.outcomes[what] for one in scores) for what in Outcome}
    found = [
        Column(SET, " set", sets),
        Column(SCORE, "score", names),
        Column(BASELINE, "A", 8, "right"),
        Column(CANDIDATE, letter, 8, "right"),
        Column("delta", "Δ", 8, "right"),
        Column("worse", "worse", 6, "right"),
        Column("better", "better", 6, "right"),
        Column("same", "same", same, "right"),
    ]
    if has[Outcome.CHANGED]:
        found.append(Column("changed", "changed", 7, "right"))
    if has[Outcome.ONLY_BASELINE]:
        found.append(Column("only_a", "only A", 6, "right"))
    if has[Outcome.ONLY_CANDIDATE]:
        found.append(Column("only_b", f"only {letter}", 6, "right"))
    return [*found, Column(TEST, "", 20, stretch=1)]


def score_cells(score: ComparedScore, columns: Sequence[Column]) -> Cells:
    """Return the cells of a score of a set in these columns."""
    outcomes = score.outcomes
    cells = {
        SET: Piece(f" {set_text(score)}", "muted" if score.dataset is None else "text"),
        SCORE: Piece(fmt.plain(score.name, 60)),
        BASELINE: Piece(mean_text(score, score.baseline)),
        CANDIDATE: Piece(mean_text(score, score.candidate)),
        "delta": delta_piece(score),
        "worse": _count(outcomes[Outcome.REGRESSED], "✗", "error", score),
        "better": _count(outcomes[Outcome.IMPROVED], "✓", "ok", score),
        "same": Piece(same_text(score), "muted"),
        "changed": _counted(outcomes[Outcome.CHANGED], "attention"),
        "only_a": _counted(outcomes[Outcome.ONLY_BASELINE], "attention"),
        "only_b": _counted(outcomes[Outcome.ONLY_CANDIDATE], "attention"),
        TEST: Piece(words_of_test(score), _test_role(score)),
    }
    return tuple(cells[column.key] for column in columns)


def tested_line(score: ComparedScore, width: int) -> Line:
    """Return the test of a score in words, with its name as far as there is room for it."""
    name, words = fmt.plain(score.name, 60), words_of_test(score)
    heads = (f" {set_text(score)}  {name}  ", f" {name}  ", " ")
    head = next((one for one in heads if cell_len(one + words) <= width), None)
    if head is None:
        head, words = " ", words_of_test(score, is_short=True)
    return [Piece(head, "muted"), Piece(words, _test_role(score))]


def _test_role(score: ComparedScore) -> Role:
    test = score.test
    if odd_words(score):
        return "attention"
    if test is None or not test.is_unlikely:
        return "muted"
    return "error" if test.leaning < 0 else "ok"


def _count(count: int, mark: str, role: Role, score: ComparedScore) -> Piece:
    if score.higher is None:
        return Piece(ABSENT, "muted")
    return Piece(f"{mark} {count:,}", role) if count else Piece("0", "muted")


def _counted(count: int, role: Role) -> Piece:
    return Piece(f"{count:,}", role) if count else Piece("0", "muted")


def joined_line(found: ReadComparison) -> Line:
    """Return what was joined how, how many scores were tested, and what to know about both."""
    samples, of = found.samples, found.of
    shared = samples.shared(of.candidate)
    on_what = "set and id" if samples.by is JoinedBy.KEY else "equal inputs"
    pieces = [Piece(f" {shared:,} joined on {on_what}", "muted")]
    if of.differing_inputs is None and samples.by is JoinedBy.KEY:
        pieces.append(Piece(" · comparing inputs…", "muted"))
    elif of.differing_inputs:
        words = f"inputs of {len(of.differing_inputs):,} of {shared:,} differ"
        pieces.append(Piece(f" · ▲ {words}: J joins on equal inputs", "attention"))
    if samples.offers_inputs(of.candidate):
        words = "fewer than half: J joins on equal inputs"
        pieces.append(Piece(f" · {words}", "attention"))
    elif samples.by is JoinedBy.INPUTS:
        pieces.append(Piece(" · J joins on ids again", "muted"))
    only = [(samples.sample_count(at) - shared, letter)
            for at, letter in ((0, "A"), (of.candidate, of.letter))]  # fmt: skip
    pieces += [
        Piece(f" · {count:,} only in {letter}", "attention") for count, letter in only if count
    ]
    if of.tested_count:
        pieces.append(Piece(f" · {fmt.count(of.tested_count, 'score')} tested", "muted"))
    if samples.doubled:
        keys = fmt.count(samples.doubled, "key occurs", "keys occur")
        pieces.append(Piece(f" · {keys} more than once: paired in order", "attention"))
    unreadable = sum(len(run.unreadable) for run in samples.runs if run is not None)
    if unreadable:
        words = fmt.count(unreadable, "sample has scores", "samples have scores")
        pieces.append(Piece(f" · ▲ {words} that cannot be read", "attention"))
    for letter, why in found.problems.items():
        pieces.append(Piece(f" · ✗ {letter}: {fmt.plain(str(why), 120)}", "error"))
    return pieces


# The samples ---------------------------------------------------------------------------------


def sample_columns(
    scores: Sequence[ComparedScore], letter: str, width: int, has_sets: bool
) -> list[Column]:
    """Return the columns of the joined samples.

    Args:
        scores: The compared scores; those of which is known what is better come first.
        letter: The candidate's letter.
        width: The width of the table in cells.
        has_sets: Whether samples of several sets are listed.
    """
    known = dict.fromkeys(one.name for one in scores if one.higher is not None)
    names = [*known, *dict.fromkeys(one.name for one in scores if one.name not in known)]
    long = {one.name for one in scores if one.kind is not ScoreKind.PASS_FAIL and one.differing}
    of_scores = [_score_column(name, name in long) for name in names]
    sets = [Column(SET, "set", 8)] if has_sets else []
    texts = [
        Column(INPUT, "input", 14, stretch=2),
        Column(f"{OUTPUT}A", "output A", 14, stretch=3),
        Column(f"{OUTPUT}{letter}", f"output {letter}", 18, stretch=3),
    ]
    if width < NARROW_BELOW:
        texts.insert(0, texts.pop())
    head = Column(ID_COLUMN, "  id", 12)
    notes = Column(NOTES, "✎", 5)
    first = 2 if width >= NARROW_BELOW else 1
    return [head, *of_scores[:first], *sets, *texts, notes, *of_scores[first:]]


def _score_column(name: str, is_long: bool) -> Column:
    title = fmt.plain(name, 300)
    least, most = SCORE_CELLS[is_long]
    return Column(f"{DELTA}{name}", title, max(least, min(len(title) + 2, most)))


def sample_cells(
    sample: ComparedSample,
    columns: Sequence[Column],
    of: ComparedSamples,
    higher: HigherIsBetter,
    width: int,
) -> Cells:
    """Return the cells of a joined sample in these columns.

    Args:
        sample: The sample.
        columns: The columns.
        of: The comparison with the candidate.
        higher: Says what is better.
        width: The width of the table in cells.
    """
    one, other = sample.samples[0], sample.samples[of.candidate]
    kept = KEPT_SAME[width >= WIDE_FROM]
    outputs = _outputs(one, other, kept)
    differs = of.differing_inputs is not None and sample.number in of.differing_inputs
    texts = {
        INPUT: _input(one, other, kept if differs else None),
        f"{OUTPUT}A": outputs[True],
        f"{OUTPUT}{of.letter}": outputs[False],
        ID_COLUMN: _id(sample, one, other, higher, of.letter, differs),
    }
    return tuple(
        texts[column.key] if column.key in texts else _cell(sample, column, one, other, higher)
        for column in columns
    )


def _cell(
    sample: ComparedSample,
    column: Column,
    one: Sample | None,
    other: Sample | None,
    higher: HigherIsBetter,
) -> Cell:
    key = column.key
    if key.startswith(DELTA):
        name = key.removeprefix(DELTA)
        return score_change(one, other, name, higher, column.width)
    if key == SET:
        return Piece(fmt.plain(sample.key[0], 60), "muted")
    counts = [of.annotation_count if of is not None else 0 for of in (one, other)]
    words = "✎" + "/".join(f"{count:,}" for count in counts)
    return Piece(words, "accent") if any(counts) else Piece("")


def _input(one: Sample | None, other: Sample | None, kept: int | None) -> Cell:
    """Return the input on a line; `kept` is None unless the inputs differ, as `_outputs` takes."""
    shown = one or other
    if shown is None:
        return Piece("")
    line = _line(shown, "inputs")
    if kept is None or one is None or other is None:
        return Piece(line)
    after = _line(other, "inputs")
    differing: tuple[Piece, ...] = (Piece(line),)
    if after != line:
        differing = _from_first_difference(marked_pieces(after, line), kept)
    return (Piece("≠ ", "attention"), *differing)


def _id(
    sample: ComparedSample,
    one: Sample | None,
    other: Sample | None,
    higher: HigherIsBetter,
    letter: str,
    differs: bool,
) -> Piece:
    id_ = fmt.plain(sample.key[1], 100)
    if one is None or other is None:
        return Piece(f"{'A' if other is None else letter} {id_}", "muted")
    names = {name for of in (one, other) if isinstance(of.scores, dict) for name in of.scores}
    found = {score_outcome(one, other, name, higher) for name in names}
    if Outcome.REGRESSED in found:
        return Piece(f"✗ {id_}", "error")
    if Outcome.IMPROVED in found:
        return Piece(f"✓ {id_}", "ok")
    if differs or found - {Outcome.SAME}:
        return Piece(f"≠ {id_}", "attention")
    return Piece(f"  {id_}")


def _outputs(one: Sample | None, other: Sample | None, kept: int) -> dict[bool, Cell]:
    """Return the outputs on a line each, by whether it is the baseline's."""
    if one is None or other is None:
        return {
            True: Piece(ABSENT, "muted") if one is None else Piece(_line(one, "outputs")),
            False: Piece(ABSENT, "muted") if other is None else Piece(_line(other, "outputs")),
        }
    before, after = _line(one, "outputs"), _line(other, "outputs")
    if before == after:
        return {True: Piece(before), False: Piece(f"= {after}" if after else "", "muted")}
    return {True: Piece(before), False: _from_first_difference(marked_pieces(after, before), kept)}


def _from_first_difference(pieces: tuple[Piece, ...], kept: int) -> tuple[Piece, ...]:
    """Return a difference without most of what is the same before it, and of what was removed."""
    pieces = tuple(
        Piece(f"{piece.text[: kept + 2]}…-]", piece.role)
        if piece.role == "error" and len(piece.text) > kept + 5
        else piece
        for piece in pieces
    )
    first = pieces[0]
    if first.role != "text" or len(first.text) <= kept or len(pieces) == 1:
        return pieces
    return (Piece("…", "muted"), Piece(first.text[1 - kept :]), *pieces[1:])


def _line(sample: Sample, column: str) -> str:
    """Return a column of a sample on one line."""
    value = sample.value(column)
    if column in sample.unparsed:
        return fmt.plain(str(value), TEXT_CHARACTERS)
    if isinstance(value, dict) and len(value) == 1:
        (value,) = value.values()
    if is_number(value):
        return fmt.number(value)
    return shown_value(value)
