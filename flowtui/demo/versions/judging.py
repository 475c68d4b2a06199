"""How the answers are judged: scores, the judge's reasons, and what people said of some."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from random import Random

from flowtui.demo.agent.reviews import REVIEWERS
from flowtui.demo.scene import chance
from flowtui.demo.versions.tickets import TEXTS, AgentVersion, Ticket
from flowtui.demo.versions.tracing import TracedAnswer
from flowtui.store.schema import EvalAnnotationRow, EvalRow


def sample(ticket: Ticket, version: AgentVersion, answer: TracedAnswer, at: datetime) -> EvalRow:
    """Make the sample of a version's answer."""
    # Where both versions say the same, both are judged the same.
    rng = chance(f"versions/{ticket.id}/{ticket.is_right(version)}")
    return EvalRow(
        dataset_id=TEXTS["dataset"],
        id=ticket.id,
        inputs={
            "question": ticket.question,
            "customer": {"id": ticket.fields["customer"], "name": ticket.fields["name"]},
        },
        outputs={"answer": ticket.answer(version), "tool": ticket.tool},
        refs={"answer": ticket.right},
        scores=_scores(rng, ticket, version),
        metadata={
            "topic": ticket.topic["key"],
            "latency_ms": round(answer.length_ms),
            "correct_reason": ticket.judgement(rng, version),
        },
        created_at=at,
    )


def reviews(
    tickets: Sequence[Ticket], version: AgentVersion, at: datetime
) -> Iterator[EvalAnnotationRow]:
    """Review some of the answers: a quarter of the wrong ones, and few of the others."""
    wrong = [ticket for ticket in tickets if not ticket.is_right(version)]
    right = [ticket for ticket in tickets if ticket.is_right(version)]
    for place, ticket in enumerate([*wrong[::4], *right[::25]]):
        ids = {"dataset_id": TEXTS["dataset"], "eval_id": ticket.id}
        user, when = REVIEWERS[place % 2], at + timedelta(minutes=2 * place)
        is_right = ticket.is_right(version)
        yield EvalAnnotationRow(
            **ids,
            name="quality",
            kind="feedback",
            value=is_right,
            user=user,
            rationale=None if is_right else ticket.topic["remark"],
            created_at=when,
        )
        if not is_right:
            yield EvalAnnotationRow(
                **ids,
                name="expected_answer",
                kind="expectation",
                value=ticket.right,
                user=user,
                created_at=when,
            )


def _scores(rng: Random, ticket: Ticket, version: AgentVersion) -> Mapping[str, object]:
    is_right = ticket.is_right(version)
    similarity = rng.uniform(0.88, 0.99) if is_right else rng.uniform(0.28, 0.56)
    conciseness = rng.choice((4, 5, 5))
    if ticket.is_cited(version):
        # The reference names no policy.
        similarity -= rng.uniform(0.004, 0.03)
        conciseness -= rng.random() < 0.3
    scores = {
        "correct": is_right,
        "similarity": round(similarity, 4),
        "conciseness": conciseness,
    }
    return {**scores, "grounded": is_right} if version.retrieves else scores
