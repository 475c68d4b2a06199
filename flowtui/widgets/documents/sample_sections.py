"""One sample as sections of a document: its scores, then inputs, output and reference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from flowtui import format as fmt
from flowtui.store.annotations.values import SpanTarget
from flowtui.store.equality import is_equal
from flowtui.store.genai import Conversation
from flowtui.store.genai.chats import INPUT, OUTPUT, chat
from flowtui.store.samples.values import Sample
from flowtui.store.samples.views import is_error_key
from flowtui.store.values import JsonValue
from flowtui.widgets.cells import Piece
from flowtui.widgets.documents.blocks import (
    Block,
    Fact,
    Facts,
    Link,
    Section,
    Text,
    Turn,
    Values,
    Words,
)
from flowtui.widgets.documents.bounded_blocks import bounded_sections
from flowtui.widgets.documents.conversation import conversation_blocks, value_blocks
from flowtui.widgets.documents.sample_differences import key_block, text_block
from flowtui.widgets.lists.score_cells import score_piece

ERROR_PREFIX = "__error__"
_WORDS_OF_REASONS = ("reasoning", "reason", "explanation", "rationale")
_ABOUT_ALL = (*_WORDS_OF_REASONS, "reasons", "explanations")
_CHAT_KEYS = frozenset(
    "messages input contents choices output candidates generations"
    " system instructions system_instruction systemInstruction role content".split()
)


def sample_sections(sample: Sample) -> tuple[Section, ...]:
    """Return the sections of a sample, without empty ones.

    Inputs, output and reference stand side by side if the document is wide enough.
    """
    sections = (
        _head(sample),
        _scores(sample),
        Section("said", "", tuple(_said(sample))),
        _metadata(sample),
        _traces(sample),
    )
    return bounded_sections([section for section in sections if section is not None])


def judged_sections(sample: Sample) -> tuple[Section, ...]:
    """Return the sections of a sample that is judged: its output against the reference first.

    Then comes the question, and at the end, folded, what other judges and the code said of it.
    """
    warnings = tuple(Text(f"▲ {problem}", "attention") for problem in sample.problems)
    folded = [
        replace(section, is_folded=True)
        for section in (_scores(sample), _metadata(sample))
        if section is not None
    ]
    sections = (
        Section("problems", "", warnings) if warnings else None,
        Section("said", "", tuple(_judged(sample))),
        *folded,
        _traces(sample),
    )
    return bounded_sections([section for section in sections if section is not None])


def _judged(sample: Sample) -> Iterator[Block]:
    inputs = _turn(sample, "inputs", "Inputs")
    output, reference = compared(sample)
    if sample.refs is None or sample.refs == {}:
        yield _turn(sample, "outputs", "Output", note="no reference")
        yield inputs
    elif _is_same(output, reference):
        yield _turn(sample, "outputs", "Output", note="✓ same as the reference")
        yield inputs
        if sample.outputs != sample.refs:
            yield _whole(sample, "refs", "Reference")
    elif isinstance(output, str) and isinstance(reference, str):
        answer = _turn(sample, "outputs", "Output", note="≠ reference")
        yield Turn("", (answer, _turn(sample, "refs", "Reference")), are_beside=True)
        yield inputs
        yield Turn("Difference", text_block(output, reference), is_apart=True)
    else:
        yield Turn("Output and reference", key_block(output, reference), is_apart=True)
        yield inputs
        yield _whole(sample, "outputs", "Output")
        yield _whole(sample, "refs", "Reference")


def compared(sample: Sample) -> tuple[JsonValue, JsonValue]:
    """Return the parts of the output and of the reference that are compared.

    If both are objects with one value each, these are the values, whatever their names:
    `{"response": ...}` and `{"expected": ...}` are one answer each.
    """
    output, reference = sample.outputs, sample.refs
    if isinstance(output, dict) and isinstance(reference, dict):
        if len(output) == len(reference) == 1:
            (one,), (other,) = output.values(), reference.values()
            is_one_answer = output.keys() == reference.keys() or type(one) is type(other)
            return (one, other) if is_one_answer else (output, reference)
        shared = {key: output[key] for key in output if key in reference}
        if len(shared) == len(reference) == 1:
            (key,) = shared
            return output[key], reference[key]
    return output, reference


# Head and scores -----------------------------------------------------------------------------


def _head(sample: Sample) -> Section:
    words = [Piece(sample.dataset_id or "a set without a name", "muted")]
    if sample.created_at is not None:
        words.append(Piece(fmt.when(sample.created_at), "muted"))
    if sample.annotation_count:
        words.append(Piece(f"✎ {fmt.count(sample.annotation_count, 'annotation')}", "accent"))
    named = Text(sample.id or "a sample without an id", "title")
    warnings = [Text(f"▲ {problem}", "attention") for problem in sample.problems]
    return Section("head", "", (named, Words(tuple(words)), *warnings))


def _scores(sample: Sample) -> Section | None:
    scores = sample.scores
    if scores is None or scores == {}:
        return None
    if not isinstance(scores, dict):
        return Section("scores", "Scores", value_blocks("scores", scores))
    metadata = sample.metadata if isinstance(sample.metadata, dict) else {}
    reasons = {name: dict(reasons_for(name, {**metadata, **scores})) for name in scores}
    told = {key for of_score in reasons.values() for key in of_score}
    shown = [score for score in scores.items() if score[0] not in told]
    facts: list[Fact] = []
    nested: list[Block] = []
    for name, value in sorted(shown, key=lambda score: _urgency(*score)):
        if isinstance(value, (list, dict)) and value:
            nested += value_blocks(f"score {name}", value, label=name)
            nested += [Text(text, "muted", indent=2) for text in reasons[name].values()]
        else:
            facts.append(_fact(name, value))
            facts += [Fact("", text, "muted") for text in reasons[name].values()]
    facts += [Fact(key, text, "muted") for key, text in reasons_for_all(metadata)]
    blocks = ([Facts(tuple(facts))] if facts else []) + nested
    return Section("scores", "Scores", tuple(blocks), f"{len(shown):,}")


def _fact(name: str, value: JsonValue) -> Fact:
    if is_error_key(name) and value is not None:
        scorer = name.removeprefix(ERROR_PREFIX)
        text = value if isinstance(value, str) else fmt.json_text(value)
        return Fact(f"✗ {scorer}", text, "error")
    if isinstance(value, str):
        return Fact(name, value)
    return Fact(name, *score_piece(value))


def _urgency(name: str, value: JsonValue) -> int:
    """Return the rank of a score: errors come first, then failures, then the rest as stored."""
    if is_error_key(name) and value is not None:
        return 0
    return 1 if value is False else 2


def reasons_for(name: str, told: Mapping[str, JsonValue]) -> Iterator[tuple[str, str]]:
    """Yield the texts that give reasons for a score, each with its key or path."""
    for word in _WORDS_OF_REASONS:
        for key in (f"{name}_{word}", f"{name}.{word}", f"{word}.{name}", f"{word}_{name}"):
            text = told.get(key)
            if isinstance(text, str) and text:
                yield key, text
        for key in (word, f"{word}s"):
            group = told.get(key)
            text = group.get(name) if isinstance(group, dict) else None
            if isinstance(text, str) and text:
                yield f"{key} of {name}", text


def reasons_for_all(metadata: Mapping[str, JsonValue]) -> Iterator[tuple[str, str]]:
    """Yield the texts that give reasons for all scores together, each with its key."""
    for key in _ABOUT_ALL:
        text = metadata.get(key)
        if isinstance(text, str) and text:
            yield key, text


# What was said -------------------------------------------------------------------------------


def _said(sample: Sample) -> Iterator[Block]:
    inputs = _turn(sample, "inputs", "Inputs")
    output, reference = compared(sample)
    if sample.refs is None or sample.refs == {}:
        answer = _turn(sample, "outputs", "Output", note="no reference")
        yield Turn("", (inputs, answer), are_beside=True)
        return
    if _is_same(output, reference):
        answer = _turn(sample, "outputs", "Output", note="✓ same as the reference")
        yield Turn("", (inputs, answer), are_beside=True)
        if sample.outputs != sample.refs:
            yield _whole(sample, "refs", "Reference")
        return
    if isinstance(output, str) and isinstance(reference, str):
        answer = _turn(sample, "outputs", "Output", note="≠ reference")
        expected = _turn(sample, "refs", "Reference")
        yield Turn("", (inputs, answer, expected), are_beside=True)
        yield Turn("Difference", text_block(output, reference), is_apart=True)
        return
    yield inputs
    yield Turn("Output and reference", key_block(output, reference), is_apart=True)
    yield _whole(sample, "outputs", "Output")
    yield _whole(sample, "refs", "Reference")


def _is_same(output: JsonValue, reference: JsonValue) -> bool:
    if isinstance(output, str) and isinstance(reference, str):
        return output.strip() == reference.strip()
    return is_equal(output, reference)


def _turn(sample: Sample, column: str, name: str, note: str = "") -> Turn:
    return Turn(name, tuple(column_blocks(sample, column)), note=note, is_apart=True)


def _whole(sample: Sample, column: str, name: str) -> Turn:
    blocks = tuple(column_blocks(sample, column))
    return Turn(name, blocks, note="all of it", is_apart=True, can_fold=True, is_folded=True)


def column_blocks(sample: Sample, column: str) -> Iterator[Block]:
    """Yield the blocks of a column: a chat, a text, or a tree."""
    value = sample.value(column)
    if value is None or value in ({}, [], ""):
        yield Text("none" if value is None else "empty", "muted")
        return
    if isinstance(value, str):
        yield Text(value)
        return
    spoken = chat(value, INPUT if column == "inputs" else OUTPUT)
    if spoken is not None:
        yield from conversation_blocks(Conversation((), spoken, ()))
        rest = {} if isinstance(value, list) else _beside_chat(value)
        if rest:
            yield Values(column, rest, wraps_texts=True)
        return
    if isinstance(value, dict) and len(value) == 1:
        ((name, only),) = value.items()
        if isinstance(only, str):
            yield Text(only, label=name)
            return
    yield from value_blocks(column, value)


def _beside_chat(value: JsonValue) -> Mapping[str, JsonValue]:
    named = value if isinstance(value, dict) else {}
    return {key: item for key, item in named.items() if key not in _CHAT_KEYS}


# The rest ------------------------------------------------------------------------------------


def _metadata(sample: Sample) -> Section | None:
    value = sample.metadata
    if value is None or value == {}:
        return None
    if isinstance(value, dict):
        tree = Values("metadata", value)
        return Section("metadata", "Metadata", (tree,), f"{len(value):,}")
    return Section("metadata", "Metadata", value_blocks("metadata", value))


def _traces(sample: Sample) -> Section | None:
    if not sample.trace_ids:
        return None
    links = tuple(
        Link(f"trace {trace_id}   Enter goes there", SpanTarget(trace_id, ""))
        for trace_id in sample.trace_ids
    )
    return Section("traces", "Traces", links, f"{len(links):,}")
