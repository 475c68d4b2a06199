"""What customers ask, and what each version answers: data/versions/tickets.toml."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from flowtui.demo.resources import filled, read_toml

TEXTS = read_toml("versions/tickets.toml")
TICKET_COUNT = 200
_SEARCH = "search_orders"


@dataclass(frozen=True, slots=True)
class AgentVersion:
    """What tells one version of the agent from the other."""

    key: str
    """As the tickets name the versions that get them wrong."""
    run: str
    limit: int
    """How many orders it fetches."""
    retrieves: bool
    """Whether it looks policies up."""
    answer_prompt: str
    changes: str
    duration: float
    """Of the run, in seconds."""


VERSIONS = tuple(AgentVersion(key, **told) for key, told in TEXTS["versions"].items())


@dataclass(frozen=True, slots=True)
class Ticket:
    """One customer's question, with what the tools know."""

    number: int
    """From 0."""
    topic: Mapping[str, Any]
    """As in tickets.toml, with what the twist replaces."""
    question: str
    right: str
    """What a good answer says."""
    fields: Mapping[str, str]
    orders: Sequence[Mapping[str, str]]
    """The customer's, newest first."""

    @property
    def id(self) -> str:
        return f"ticket-{self.number + 1:03}"

    @property
    def tool(self) -> str:
        return str(self.topic["tool"])

    @property
    def asked(self) -> dict[str, object]:
        """The arguments that the model gives the tool."""
        arguments: dict[str, object] = json.loads(filled(self.topic["arguments"], self.fields))
        return arguments

    def arguments(self, version: AgentVersion) -> dict[str, object]:
        """Return what the tool is called with: a search is limited as the version is configured."""
        return {**self.asked, "limit": version.limit} if self.tool == _SEARCH else self.asked

    def result(self, version: AgentVersion) -> str:
        """Return what the tool finds, as JSON."""
        if self.tool == _SEARCH:
            return json.dumps(self.orders[: version.limit])
        return str(filled(self.topic["result"], self.fields))

    def is_right(self, version: AgentVersion) -> bool:
        """Say whether a version gets it right."""
        return version.key not in self.topic.get("wrong_in", ())

    def is_cited(self, version: AgentVersion) -> bool:
        """Say whether a version names the policy that the answer rests on."""
        return version.retrieves and "is_cited" in self.topic

    def answer(self, version: AgentVersion) -> str:
        """Return what a version answers."""
        if not self.is_right(version):
            return str(filled(self.topic["wrong"], self.fields))
        if self.is_cited(version):
            return f"{self.right} (policies/{self.topic['key']}.md)"
        return self.right

    def judgement(self, rng: Random, version: AgentVersion) -> str:
        """Return why the judge calls a version's answer right or wrong."""
        if self.is_right(version):
            return str(rng.choice(TEXTS["praise"]))
        return str(filled(self.topic["reason"], self.fields))


def tickets(rng: Random, today: datetime) -> Iterator[Ticket]:
    """Make the questions, the topics in turn; a topic's twist comes up as often as it says."""
    topics = TEXTS["topics"]
    for number in range(TICKET_COUNT):
        topic = topics[number % len(topics)]
        turn = number // len(topics)
        twist = topic.get("twist")
        if is_twisted := twist is not None and turn % twist["every"] == twist["every"] - 1:
            question = twist["question"]
            topic = {**topic, **twist}
        else:
            question = topic["questions"][turn % len(topic["questions"])]
        orders = _orders(rng, today, topic["key"], is_twisted)
        fields = {
            "name": rng.choice(TEXTS["names"]),
            "customer": f"C-{rng.randrange(1_000, 9_999)}",
            "country": rng.choice(TEXTS["countries"]),
            "few": str(rng.randrange(3, 12)),
            "order": orders[0]["order_id"],
            "item": orders[0]["item"],
            "older": orders[1]["order_id"],
            "older_item": orders[1]["item"],
        }
        right = filled(topic["answer"], fields)
        yield Ticket(number, topic, filled(question, fields), right, fields, orders)


def _orders(rng: Random, today: datetime, topic: str, is_twisted: bool) -> list[dict[str, str]]:
    """Make a customer's orders; whoever asks for a refund has sent the newest or the next back."""
    items = rng.sample(TEXTS["items"], rng.randrange(2, 5))
    age, number = rng.randrange(3, 9), rng.randrange(70_000, 90_000)
    orders: list[dict[str, str]] = []
    for place, item in enumerate(items):
        status = "delivered"
        if topic == "refund" and place == int(is_twisted):
            status = "returned, refund approved"
        elif topic == "order-status" and not place:
            status = "in transit"
        placed = (today - timedelta(days=age)).date().isoformat()
        orders.append({"order_id": f"A-{number}", "item": item, "placed": placed, "status": status})
        age += rng.randrange(9, 40)
        number -= rng.randrange(200, 4_000)
    return orders
