"""What a sample of an Inspect log becomes: a sample of an eval set, and the trace of its events.

Source: inspect_ai/log/_log.py (EvalSample, EvalSampleSummary).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from flowtui.sources.inspect_attachments import SampleAttachments
from flowtui.sources.inspect_events import SampleEventReader, usage
from flowtui.sources.inspect_messages import answers, completion, in_short, messages
from flowtui.sources.inspect_scores import reasons, scores
from flowtui.sources.json_values import (
    as_json,
    filled,
    mapping,
    nanoseconds,
    sequence,
    text,
    when,
)
from flowtui.sources.records import SourceBatch
from flowtui.sources.span_drafts import SpanDraft, rows, trace_id
from flowtui.store.schema.rows import EvalRow, LinkRow
from flowtui.store.values import JsonValue

Object: TypeAlias = Mapping[str, JsonValue]
_ABOUT = (
    "description", "model_usage", "total_time", "working_time", "turn_count", "message_count",
    "retries", "token_limit", "message_limit", "time_limit", "invalidation", "sandbox", "files",
    "setup", "store", "model_fallbacks", "uuid",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class EvalSet:
    """What all samples of a log share."""

    log_id: str
    """The id of the run that the log is."""
    task: str


def take_summary(given: JsonValue, of: EvalSet, batch: SourceBatch) -> None:
    """Add a sample to a batch, by what its summary says; it has no trace then."""
    sample = mapping(given)
    if sample:
        attachments = SampleAttachments(None, batch.left_out)
        batch.samples.append(_row(sample, of, attachments, is_whole=False))


def take_sample(given: JsonValue, of: EvalSet, batch: SourceBatch) -> None:
    """Add a sample with its trace to a batch."""
    sample = mapping(given)
    if not sample:
        batch.left_out["samples that are no objects"] += 1
        return
    attachments = SampleAttachments(sample.get("attachments"), batch.left_out)
    row = _row(sample, of, attachments, is_whole=True)
    batch.samples.append(row)
    if retried := len(sequence(sample.get("error_retries"))):
        batch.left_out["tries of samples that failed and were made again"] += retried
    # What sets a sample up comes before it counts as started.
    times = (nanoseconds(sample.get("started_at")), _first_ns(sample))
    known = [at_ns for at_ns in times if at_ns is not None]
    if not known:
        return
    trace = trace_id(of.log_id, text(sample.get("uuid")) or row.id, row.id)
    root = SpanDraft("sample", row.id, min(known), nanoseconds(sample.get("completed_at")) or 0)
    pool = mapping(sample.get("events_data")).get("messages")
    # The conversation comes first, so that it is whole where there is no room for what repeats it.
    _tell_root(root, sample, of, attachments)
    reader = SampleEventReader(root, pool, attachments, batch.left_out)
    reader.read(sample.get("events"))
    if not reader.model_calls:
        # Nothing below it says what was used.
        for counted in mapping(sample.get("model_usage")).values():
            root.attributes |= usage(counted)
    batch.spans += rows(trace, reader.drafts, reader.last_ns)
    batch.links.append(
        LinkRow(dataset_id=row.dataset_id, eval_id=row.id, trace_id=trace,
                created_at=row.created_at)
    )  # fmt: skip


def sample_id(id_: JsonValue, epoch: JsonValue) -> str:
    """Return the id of a sample in an epoch; that of the first is the sample's own.

    So samples of a run with several epochs are compared with those of one with a single epoch.
    """
    return f"{text(id_)} epoch {epoch}" if isinstance(epoch, int) and epoch > 1 else text(id_)


def _row(sample: Object, of: EvalSet, attachments: SampleAttachments, *, is_whole: bool) -> EvalRow:
    error = sample.get("error")
    failure = attachments.resolved(
        error if isinstance(error, str) else mapping(error).get("message")
    )
    found = scores(sample.get("scores"), attachments)
    if failure:
        # A score of this name is how LUML's own evaluation says that a sample failed.
        found["error"] = failure
    metadata: dict[str, JsonValue] = {"epoch": sample.get("epoch")}
    metadata |= {name: attachments.resolved(sample.get(name)) for name in ("metadata", *_ABOUT)}
    metadata["scores"] = reasons(sample.get("scores"), attachments)
    if isinstance(error, dict):
        metadata["traceback"] = attachments.resolved(error.get("traceback"))
    limit = sample.get("limit")
    reason = sample.get("limit_reason")
    metadata["limit"] = filled({"type": limit, "reason": reason}) if reason else limit
    output = attachments.resolved(sample.get("output"))
    metadata["stop_reason"] = _stop_reason(output)
    inputs = {
        "input": in_short(attachments.resolved(sample.get("input"))),
        "choices": sample.get("choices"),
    }
    return EvalRow(
        dataset_id=of.task,
        id=sample_id(sample.get("id"), sample.get("epoch")),
        inputs=filled(inputs),
        outputs=filled({"output": completion(output)}) if is_whole else None,
        refs=filled({"target": attachments.resolved(sample.get("target"))}),
        scores=found,
        metadata=filled(metadata),
        created_at=_moment(sample),
    )


def _stop_reason(output: JsonValue) -> JsonValue:
    choices = sequence(mapping(output).get("choices"))
    return mapping(choices[0]).get("stop_reason") if choices else None


def _moment(sample: Object) -> datetime | None:
    return when(sample.get("completed_at")) or when(sample.get("started_at"))


def _first_ns(sample: Object) -> int | None:
    """Return when the first event of a sample was, None where there is none."""
    events = map(mapping, sequence(sample.get("events")))
    return next((at for event in events if (at := nanoseconds(event.get("timestamp")))), None)


def _tell_root(
    root: SpanDraft, sample: Object, of: EvalSet, attachments: SampleAttachments
) -> None:
    """Give the span of the whole sample its conversation, and say how it ended."""
    conversation = messages(attachments.resolved(sample.get("messages")))
    answered = answers(attachments.resolved(sample.get("output")))
    if answered and conversation and mapping(conversation[-1]).get("role") == "assistant":
        # The last message is the answer.
        del conversation[-1]
    root.attributes |= {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": of.task,
        "inspect.sample.id": text(sample.get("id")),
    }
    if isinstance(epoch := sample.get("epoch"), int):
        root.attributes["inspect.sample.epoch"] = epoch
    if conversation:
        root.attributes["gen_ai.input.messages"] = as_json(conversation)
    if answered:
        root.attributes["gen_ai.output.messages"] = as_json(answered)
    error = mapping(sample.get("error"))
    root.is_ok = not error and root.end_ns > 0
    if error:
        message = text(attachments.resolved(error.get("message")))
        traceback = text(attachments.resolved(error.get("traceback")))
        root.fail(message, root.end_ns or root.start_ns, "", traceback)
    limit = mapping(sample.get("limit"))
    if limit:
        root.attributes["inspect.limit"] = text(limit.get("type"))
