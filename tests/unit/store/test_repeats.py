"""Calls that two instrumentations reported: counted once, and no others."""

from __future__ import annotations

import pytest

from flowtui.store.genai import Usage, usage
from flowtui.store.traces import repeats
from flowtui.store.traces.repeats import counted_once
from flowtui.store.traces.roll_up import taken

GENAI = "opentelemetry.instrumentation.openai_v2"
OTHER = "openinference.instrumentation.openai"


def said(
    scope: str | None = GENAI, response: str = "r1", tokens: int = 100, **more: object
) -> dict[str, object]:
    """Return the attributes of a call of a model as one instrumentation writes them."""
    names = {
        "gen_ai.usage.input_tokens": tokens,
        "gen_ai.usage.output_tokens": 7,
        "gen_ai.response.id": response,
    }
    return {**names, **({} if scope is None else {"otel.scope": {"name": scope}}), **more}


def inferred(response: str = "r1", tokens: int = 100, scope: str | None = OTHER) -> dict:
    """Return the attributes of the same call in the words of OpenInference."""
    return {
        "llm.token_count.prompt": tokens,
        "llm.token_count.completion": 7,
        "llm.token_count.prompt_details.cache_read": 64,
        "output.value": f'{{"id": "{response}", "choices": []}}',
        **({} if scope is None else {"otel.scope": {"name": scope}}),
    }


Told = tuple[str, str | None, dict, int, int]


def total(*spans: Told) -> Usage | None:
    """Return what a trace of spans took: (id, parent, attributes, start, end)."""
    own = {
        id_: used for id_, _, attributes, _, _ in spans if (used := usage(attributes)) is not None
    }
    times = {id_: (start, end) for id_, _, _, start, end in spans}
    once = counted_once(own, times.__getitem__)
    ids, above = [one[0] for one in spans], [one[1] for one in spans]
    return taken(ids, above, {row: once[id_] for row, id_ in enumerate(ids) if id_ in once})


def test_spans_of_two_instrumentations_beside_one_another_are_one_call() -> None:
    spans = ("a", "root", said(), 10, 90), ("b", "root", inferred(), 12, 88)
    # What only one of them knows is kept.
    assert total(("root", None, {}, 0, 99), *spans) == Usage(100, 7, cached_tokens=64)


@pytest.mark.parametrize("order", [1, -1])
def test_nested_spans_are_one_call_even_where_clocks_disagree(order: int) -> None:
    starts = (10, 12)[::order]
    spans = ("a", None, inferred(), starts[0], 90), ("b", "a", said(), starts[1], 88)
    assert total(*spans) in (Usage(100, 7), Usage(100, 7, cached_tokens=64))


def test_the_sum_of_a_framework_does_not_come_back_for_what_is_counted_elsewhere() -> None:
    agent = {"gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 7}
    spans = (
        ("root", None, {}, 0, 100),
        ("one", "root", agent, 1, 99),
        ("other", "root", agent, 2, 98),
        ("a", "one", said(), 10, 90),
        ("b", "other", inferred(), 12, 88),
    )
    assert total(*spans) == Usage(100, 7, cached_tokens=64)


def test_without_scopes_the_dialects_tell_instrumentations_apart() -> None:
    first = ("a", None, said(None), 10, 90)
    assert total(first, ("b", None, inferred(scope=None), 12, 88)) == Usage(
        100, 7, cached_tokens=64
    )
    assert total(first, ("b", None, said(None), 12, 88)) == Usage(200, 14)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(("b", None, said(), 12, 88), id="same instrumentation"),
        pytest.param(("b", None, inferred(tokens=101), 12, 88), id="other usage"),
        pytest.param(("b", None, inferred(response="r2"), 12, 88), id="other response"),
        pytest.param(("b", None, inferred(), 91, 99), id="another time"),
    ],
)
def test_an_id_alone_proves_nothing(other: Told) -> None:
    counted = total(("a", None, said(), 10, 90), other)
    assert counted is not None
    assert counted.output_tokens == 14


def test_a_server_that_repeats_its_ids_is_counted_as_often_as_it_was_asked() -> None:
    spans: list[Told] = []
    for at in range(5):
        start = at * 100
        spans.append((f"a{at}", None, said(), start, start + 50))
        spans.append((f"b{at}", None, inferred(), start + 1, start + 49))
    counted = total(*spans)
    assert counted is not None
    assert (counted.input_tokens, counted.output_tokens) == (500, 35)


def test_calls_at_once_that_share_everything_are_paired_one_to_one() -> None:
    spans: list[Told] = [(f"a{at}", None, said(), 0, 50) for at in range(3)]
    spans += [(f"b{at}", None, inferred(), 1, 49) for at in range(3)]
    counted = total(*spans)
    assert counted is not None
    assert counted.output_tokens == 21


def test_many_spans_of_one_response_are_compared_with_few(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = 0
    is_same = repeats._is_same

    def counting(one: Usage, other: Usage) -> bool:
        nonlocal compared
        compared += 1
        return is_same(one, other)

    monkeypatch.setattr(repeats, "_is_same", counting)
    own = {at: usage(said()) for at in range(2_000)}
    counted_once({at: one for at, one in own.items() if one}, lambda at: (at, 10_000))
    assert compared <= 2_000 * 64


def test_usage_without_ids_is_left_as_it_is() -> None:
    own = {"a": Usage(1), "b": Usage(1)}
    assert counted_once(own, lambda _: (0, 1)) is own
