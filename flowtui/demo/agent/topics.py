"""What customers ask, the tool that finds out, and what a good answer says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random


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

    @property
    def parsed_arguments(self) -> dict[str, object]:
        """The tool's arguments as an object."""
        parsed: dict[str, object] = json.loads(self.arguments)
        return parsed


TOPICS = (
    Topic(
        "order-status",
        "Where is my order {order}? It should have been here {days} days ago.",
        "order_lookup",
        '{"order_id": "{order}"}',
        '{"order_id": "{order}", "status": "in_transit", "carrier": "DPD", "late_days": {days}}',
        "Order {order} is on its way with DPD and {days} days late. I am sorry, {name}.",
        "Orders that are over 2 days late get free express shipping on the next order.",
    ),
    Topic(
        "refund",
        "I sent the {product} back {days} days ago. When do I get my money?",
        "refund_status",
        '{"order_id": "{order}", "item": "{product}"}',
        '{"order_id": "{order}", "refund": "approved", "eta_days": 3}',
        "Your refund for the {product} is approved; expect it within 3 working days.",
        "Refunds go to the payment method of the order within 5 working days of approval.",
    ),
    Topic(
        "cancel",
        "Please cancel {order}, I ordered the wrong colour.",
        "order_cancel",
        '{"order_id": "{order}", "reason": "wrong_item"}',
        '{"order_id": "{order}", "cancelled": true}',
        "Done, {name}: order {order} is cancelled and nothing was charged.",
        "An order can be cancelled until it is handed to the carrier.",
    ),
    Topic(
        "invoice",
        "Can you send the invoice for {order} to my company, with the VAT number?",
        "invoice_create",
        '{"order_id": "{order}", "vat": "ask"}',
        '{"error": "vat_number_missing"}',
        "Gladly. Which VAT number should the invoice for {order} carry?",
        "A company invoice needs the VAT number and the registered address.",
    ),
    Topic(
        "warranty",
        "The {product} stopped working after {days} days. Is that a warranty case?",
        "knowledge_search",
        '{"query": "warranty {product}", "top_k": 3}',
        '{"hits": 3, "best": "warranty-terms"}',
        "Yes. The {product} has a 24-month warranty; we repair or replace it for free.",
        "Every device has a warranty of 24 months, accessories of 6 months.",
    ),
    Topic(
        "address",
        "Wrong street on {order}! It is Rue de l'Église 7, not 17.",
        "address_update",
        '{"order_id": "{order}", "line1": "Rue de l\'Église 7"}',
        '{"order_id": "{order}", "updated": true}',
        "The address of {order} now reads Rue de l'Église 7.",
        "The address can be changed until the parcel is labelled.",
    ),
    Topic(
        "japanese",
        "注文 {order} はいつ届きますか?",
        "order_lookup",
        '{"order_id": "{order}"}',
        '{"order_id": "{order}", "status": "out_for_delivery"}',
        "ご注文 {order} は本日中にお届けの予定です。",
        "Deliveries arrive between 9:00 and 20:00 on working days.",
    ),
    Topic(
        "password",
        "I can't log in any more, the reset mail never comes.",
        "account_lookup",
        '{"email": "customer@example.com"}',
        '{"account": "locked", "bounced_mails": 2}',
        "Two mails to you bounced, {name}. I have unlocked the account; try again now.",
        "An account locks after five wrong passwords and unlocks after an hour.",
    ),
)

_NAMES = ("Mira", "Jonas", "Aiko", "Paulo", "Zoë", "Ivana", "Tom", "Nadia")
_PRODUCTS = ("headphones", "desk lamp", "espresso grinder", "e-reader", "bike light")


def case(topic: Topic, rng: Random) -> Case:
    """Fills a topic in for one customer."""
    fields = {
        "order": f"A-{rng.randrange(10_000, 99_999)}",
        "name": rng.choice(_NAMES),
        "product": rng.choice(_PRODUCTS),
        "days": str(rng.randrange(3, 12)),
    }

    def filled(text: str) -> str:
        for key, value in fields.items():
            text = text.replace(f"{{{key}}}", value)
        return text

    return Case(
        topic,
        filled(topic.question),
        filled(topic.arguments),
        filled(topic.finding),
        filled(topic.answer),
        fields,
    )
