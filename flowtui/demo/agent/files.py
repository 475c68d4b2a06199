"""The attachments of the agent run: its prompt, its tools, its memory, and what reviewers wrote."""

from __future__ import annotations

import io
import json
import math
import pickle
import wave
from array import array
from collections import Counter, OrderedDict
from collections.abc import Sequence
from datetime import datetime

from flowtui.demo.agent.samples import DemoSample
from flowtui.demo.agent.topics import SYSTEM, TEXTS, TOPICS
from flowtui.demo.resources import read_bytes
from flowtui.demo.scene import chance
from flowtui.demo.written import archives, database, workbook

_REVIEWED = 46
_TRANSCRIPTS = 5
_RATE_HZ = 8_000
_SECONDS = 1.5


def made(
    started_at: datetime, reviewed_at: datetime, samples: Sequence[DemoSample]
) -> dict[str, bytes]:
    """Return what is attached, by name."""
    return {
        "tools.yaml": read_bytes("agent/tools.yaml"),
        "prompts/system.md": f"# System\n\n{SYSTEM}\n".encode(),
        "prompts/system.diff": read_bytes("agent/prompt.diff"),
        "state/memory.sqlite": _memory(samples, started_at),
        "state/planner.pkl": _planner(started_at),
        "calls/phone_17.wav": _call(),
        "calls/transcripts.zip": _transcripts(samples, started_at),
        "review/answers.xlsx": _review(samples, reviewed_at),
        "review/quality.html": read_bytes("agent/quality.html"),
        "review/scores.parquet": read_bytes("agent/scores.parquet"),
    }


def _memory(samples: Sequence[DemoSample], at: datetime) -> bytes:
    """Return what the agent remembers of customers and documents."""
    known = OrderedDict((one.case.fields["name"], one.case.fields) for one in samples)
    customers = [
        (number, name, fields["order"], fields["product"], at.isoformat())
        for number, (name, fields) in enumerate(known.items(), 1)
    ]
    documents = [(f"kb/{topic.key}.md", topic.document) for topic in TOPICS]
    return database.database(
        {
            "customers": (
                "id integer primary key, name text, last_order text, product text, seen_at text",
                customers,
            ),
            "documents": ("path text primary key, content text", documents),
        }
    )


def _planner(at: datetime) -> bytes:
    """Return the state of the planner as the agent pickled it."""
    state = {
        "model": TEXTS["model"],
        "at": at,
        "tools": Counter({topic.tool: 9 - number for number, topic in enumerate(TOPICS)}),
        "retries": 2,
    }
    return pickle.dumps(state, 4)


def _call() -> bytes:
    """Return a call on the telephone: a ringing tone, then a voice that is only noise."""
    rng = chance("agent/call")
    count = int(_RATE_HZ * _SECONDS)
    samples = array("h")
    for number in range(count):
        at = number / _RATE_HZ
        if at < _SECONDS / 3:
            heard = 0.25 * (math.sin(at * 2_764.6) + math.sin(at * 3_015.9))
        else:
            loudness = abs(math.sin(at * 9)) * abs(math.sin(at * 2.3))
            heard = 0.6 * loudness * rng.uniform(-1, 1)
        samples.append(round(32_000 * heard))
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(samples.itemsize)
        sound.setframerate(_RATE_HZ)
        sound.writeframes(samples.tobytes())
    return out.getvalue()


def _transcripts(samples: Sequence[DemoSample], at: datetime) -> bytes:
    some = samples[:_TRANSCRIPTS]
    members = {
        f"transcripts/{one.row.id}.md": (
            f"**Customer:** {one.case.question}\n\n**Agent:** {one.case.answer}\n".encode()
        )
        for one in some
    }
    listed = [{"id": one.row.id, "topic": one.case.topic.key} for one in some]
    members["transcripts/index.json"] = json.dumps(listed, indent=1).encode()
    return archives.zipped(members, at)


def _review(samples: Sequence[DemoSample], at: datetime) -> bytes:
    """Return the workbook in which two people judged answers."""
    rng = chance("agent/workbook")
    rows: list[list[workbook.Cell]] = [["sample", "topic", "question", "good", "stars", "said"]]
    good: Counter[str] = Counter()
    for one in rng.sample(samples, _REVIEWED):
        is_good = one.passed and rng.random() < 0.9
        stars = rng.randrange(4, 6) if is_good else rng.randrange(1, 4)
        said = rng.choice(TEXTS["praise" if is_good else "blame"])
        topic = one.case.topic.key
        good[topic] += is_good
        rows.append(
            [str(one.row.id), topic, one.case.question, "yes" if is_good else "no", stars, said]
        )
    counts = Counter(str(row[1]) for row in rows[1:])
    topics: list[list[workbook.Cell]] = [["topic", "answers", "good"]]
    topics += [[topic, count, good[topic]] for topic, count in counts.most_common()]
    return workbook.workbook({"Answers": rows, "Topics": topics}, at)
