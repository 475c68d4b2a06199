"""What customers ask, the tool that finds out, and what a good answer says: data/support.toml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from flowtui.demo.resources import filled, read_toml

TEXTS = read_toml("support.toml")
MODEL: str = TEXTS["model"]
SYSTEM: str = TEXTS["system"]
"""What the model is told to be."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One kind of question; the texts may hold {order}, {name}, {product} and {days}."""

    key: str
    question: str
    tool: str
    arguments: str
    """JSON, as the model writes it."""
    finding: str
    """JSON, as the tool answers."""
    answer: str
    document: str


@dataclass(frozen=True, slots=True)
class Case:
    """One question of one customer."""

    topic: Topic
    question: str
    arguments: str
    finding: str
    answer: str
    fields: Mapping[str, str]


TOPICS = tuple(Topic(**topic) for topic in TEXTS["topics"])


def case(topic: Topic, rng: Random) -> Case:
    """Fill a topic in for one customer."""
    fields = {
        "order": f"A-{rng.randrange(10_000, 99_999)}",
        "name": rng.choice(TEXTS["names"]),
        "product": rng.choice(TEXTS["products"]),
        "days": str(rng.randrange(3, 12)),
    }
    return Case(
        topic,
        filled(topic.question, fields),
        filled(topic.arguments, fields),
        filled(topic.finding, fields),
        filled(topic.answer, fields),
        fields,
    )
