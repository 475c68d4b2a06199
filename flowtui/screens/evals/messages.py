"""What the threads that read for the Evals tab send to its screen."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message

from flowtui.screens.evals.reading import ReadList, ReadScores
from flowtui.store.samples.values import Sample


@dataclass
class SamplesListed(Message):
    """Sent by the reader with the samples that were wanted."""

    found: ReadList


@dataclass
class Scored(Message):
    """Sent by the reader with what all scores add up to."""

    scores: ReadScores


@dataclass
class SamplesRead(Message):
    """Sent by the reader with the samples that came into sight."""

    samples: dict[int, Sample]


@dataclass
class SampleFound(Message):
    """Sent by the reader with the sample to open."""

    sample: Sample
    is_followed: bool
    """Whether another tab led to it; else it is under the cursor of the table."""


@dataclass
class NamesRead(Message):
    """Sent by the reader with the names that a filter may hold."""

    names: tuple[str, ...]


@dataclass
class SaveProgress(Message):
    """Sent while samples are saved."""

    done: int
    total: int
