"""The eval sets: faq_v1, which goes well, and hard_v2, which does not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from flowtui.demo.agent.topics import TEXTS, TOPICS, Case, case
from flowtui.demo.resources import filled
from flowtui.store.schema import EvalRow


@dataclass(frozen=True, slots=True)
class DemoSample:
    """A sample together with the case that it was made of."""

    row: EvalRow
    case: Case
    passed: bool


def faq(rng: Random, at: datetime) -> list[DemoSample]:
    """Make 240 easy samples."""
    return list(_samples(rng, "faq_v1", 240, pass_rate=0.91, at=at))


def hard(rng: Random, at: datetime) -> list[DemoSample]:
    """Make 220 samples with angry, vague or mixed questions."""
    return list(_samples(rng, "hard_v2", 220, pass_rate=0.58, at=at))


def _samples(
    rng: Random, dataset: str, count: int, pass_rate: float, at: datetime
) -> Iterator[DemoSample]:
    for number in range(count):
        chosen = case(TOPICS[number % len(TOPICS)], rng)
        passed = rng.random() < pass_rate
        row = EvalRow(
            dataset_id=dataset,
            id=f"{dataset.split('_')[0]}-{number + 1:04}",
            inputs={
                "question": _worded(chosen.question, dataset, rng),
                "channel": rng.choice(TEXTS["channels"]),
                "customer": {"name": chosen.fields["name"], "orders": rng.randrange(1, 30)},
            },
            outputs=_outputs(chosen, passed, rng),
            refs={"answer": chosen.answer, "tool": chosen.topic.tool},
            scores=_scores(passed, number, rng),
            metadata={
                "topic": chosen.topic.key,
                "difficulty": "hard" if dataset == "hard_v2" else rng.choice(["easy", "medium"]),
                "language": "ja" if chosen.topic.key == "japanese" else "en",
                "latency_ms": round(rng.lognormvariate(7.4, 0.4)),
            },
            created_at=at + timedelta(seconds=3 * number),
        )
        yield DemoSample(row, chosen, passed)


def _worded(question: str, dataset: str, rng: Random) -> str:
    if dataset != "hard_v2":
        return question
    return str(filled(rng.choice(TEXTS["hard_wordings"]), {"question": question}))


def _outputs(chosen: Case, passed: bool, rng: Random) -> dict[str, object]:
    answer = chosen.answer if passed else rng.choice(TEXTS["wrong_answers"])
    if passed and rng.random() < 0.4:
        answer = answer.replace("you", "you, dear customer,", 1)
    tool = chosen.topic.tool if passed or rng.random() < 0.5 else "knowledge_search"
    return {
        "answer": answer,
        "tool": tool,
        "citations": [f"kb/{chosen.topic.key}.md"] if passed else [],
    }


def _scores(passed: bool, number: int, rng: Random) -> dict[str, object] | None:
    # The judge was down for a while, and the last score came in only later.
    if number % 53 == 52:
        return None
    similarity = rng.betavariate(14, 2) if passed else rng.betavariate(3, 5)
    scores: dict[str, object] = {
        "correct": passed,
        "similarity": round(similarity, 4),
        "verdict": "good" if similarity > 0.8 else "fair" if similarity > 0.5 else "poor",
        "tool_calls": rng.choice((1, 1, 1, 2, 3)),
        "polite": rng.random() < 0.97,
    }
    if number % 7 != 3:
        scores["faithfulness"] = round(min(1.0, similarity + rng.uniform(0, 0.2)), 4)
    if number % 3 == 0:
        scores["toxicity"] = round(rng.betavariate(1, 60), 5)
    return scores
