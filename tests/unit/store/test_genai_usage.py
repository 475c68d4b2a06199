"""Tokens and cost of one span in any dialect."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowtui.store.genai import Usage, usage
from tests.unit.store.test_genai_kinds import JSON

NAMES = (
    "gen_ai.usage.input_tokens gen_ai.usage.output_tokens gen_ai.usage.prompt_tokens "
    "gen_ai.usage.completion_tokens gen_ai.usage.total_tokens llm.usage.total_tokens "
    "gen_ai.usage.cache_read.input_tokens gen_ai.usage.cache_creation.input_tokens "
    "gen_ai.usage.reasoning.output_tokens llm.token_count.prompt llm.token_count.completion "
    "llm.token_count.total llm.cost.total llm.cost.prompt llm.cost.completion "
    "mlflow.chat.tokenUsage mlflow.llm.cost"
).split()


def test_opentelemetry_says_what_was_cached_and_reasoned() -> None:
    found = usage(
        {
            "gen_ai.usage.input_tokens": 120,
            "gen_ai.usage.output_tokens": 40,
            "gen_ai.usage.cache_read.input_tokens": 100,
            "gen_ai.usage.cache_creation.input_tokens": 8,
            "gen_ai.usage.reasoning.output_tokens": 30,
        }
    )
    assert found == Usage(120, 40, 100, 8, 30)
    # Cached tokens are part of the input and those of reasoning of the output.
    assert found.total == 160


def test_old_names_of_opentelemetry_are_read() -> None:
    found = usage({"gen_ai.usage.prompt_tokens": 7, "gen_ai.usage.completion_tokens": 5})
    assert found == Usage(7, 5)


def test_openinference_has_costs_too() -> None:
    found = usage(
        {
            "llm.token_count.prompt": 10,
            "llm.token_count.completion": 4,
            "llm.token_count.total": 14,
            "llm.token_count.prompt_details.cache_read": 6,
            "llm.token_count.prompt_details.cache_write": 2,
            "llm.token_count.completion_details.reasoning": 3,
            "llm.cost.prompt": 0.5,
            "llm.cost.completion": 0.25,
        }
    )
    assert found == Usage(10, 4, 6, 2, 3, 0.75)


def test_a_total_cost_is_not_added_to_its_parts() -> None:
    found = usage({"llm.cost.total": 0.9, "llm.cost.prompt": 0.5, "llm.cost.completion": 0.4})
    assert found == Usage(cost=0.9)


def test_openllmetry_counts_what_came_from_a_cache() -> None:
    found = usage(
        {
            "gen_ai.usage.prompt_tokens": 173,
            "gen_ai.usage.completion_tokens": 12,
            "llm.usage.total_tokens": 185,
            "gen_ai.usage.cache_read_input_tokens": 128,
            "gen_ai.usage.cache_creation_input_tokens": 16,
        }
    )
    assert found == Usage(173, 12, 128, 16)
    assert found.total == 185


@pytest.mark.parametrize("wrap", [json.dumps, lambda value: value])
def test_mlflow_keeps_objects_as_json_or_as_text(wrap) -> None:
    found = usage(
        {
            "mlflow.chat.tokenUsage": wrap(
                {
                    "input_tokens": 30,
                    "output_tokens": 12,
                    "total_tokens": 42,
                    "cache_read_input_tokens": 20,
                    "cache_creation_input_tokens": 4,
                }
            ),
            "mlflow.llm.cost": wrap({"input_cost": 0.1, "output_cost": 0.2, "total_cost": 0.3}),
        }
    )
    assert found == Usage(30, 12, 20, 4, None, 0.3)


def test_a_span_in_two_dialects_is_counted_once() -> None:
    found = usage({"gen_ai.usage.input_tokens": 50, "llm.token_count.prompt": 50})
    assert found == Usage(50)


def test_a_total_alone_is_kept_without_guessing_its_sides() -> None:
    found = usage({"llm.usage.total_tokens": 99})
    assert found is not None
    assert (found.input_tokens, found.output_tokens, found.total) == (None, None, 99)


def test_a_total_beside_one_side_gives_the_rest() -> None:
    found = usage({"llm.token_count.prompt": 30, "llm.token_count.total": 99})
    assert found is not None
    assert (found.input_tokens, found.unsplit_tokens, found.total) == (30, 69, 99)


@pytest.mark.parametrize(
    ("value", "tokens"), [("12", 12), (" 12 ", 12), (12.0, 12), ("12.0", 12), (0, 0)]
)
def test_numbers_may_be_written_as_text_or_float(value: object, tokens: int) -> None:
    assert usage({"gen_ai.usage.input_tokens": value}) == Usage(tokens)


@pytest.mark.parametrize(
    "value",
    [
        *(True, -1, "-3", math.nan, math.inf, "nan", 1.5, "many", "", "1_000", [1], {"a": 1}, None),
        # More than a column of a database, or Python's reader of numbers, takes.
        *(10**400, "9" * 5000, 2**63),
    ],
    ids=lambda value: repr(value)[:12],
)
def test_what_is_no_count_is_passed_over(value: object) -> None:
    assert usage({"gen_ai.usage.input_tokens": value}) is None
    both = usage({"gen_ai.usage.input_tokens": value, "llm.token_count.prompt": 4})
    assert both == Usage(4)


def test_adding_keeps_unknown_apart_from_zero() -> None:
    added = Usage(1, None, 2, None, None, None) + Usage(10, 5, None, None, None, 0.5)
    assert added == Usage(11, 5, 2, None, None, 0.5)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES, JSON)))
def test_no_value_of_any_type_raises(attributes: dict) -> None:
    found = usage(attributes)
    assert found is None or found.total is None or found.total >= 0


@pytest.mark.parametrize(
    ("details", "expected"),
    [
        # Langfuse tells what was cached apart from the rest of the input.
        (
            {"input": 56, "input_cached_tokens": 64, "output": 18, "output_reasoning_tokens": 16},
            Usage(120, 34, 64, None, 16),
        ),
        # Unless the total shows that it does not.
        (
            {"input": 120, "input_cached_tokens": 64, "output": 34, "total": 154},
            Usage(120, 34, 64),
        ),
        (
            {
                "prompt_tokens": 120,
                "completion_tokens": 34,
                "prompt_tokens_details": {"cached_tokens": 64, "audio_tokens": 5},
                "completion_tokens_details": {"reasoning_tokens": 16, "audio_tokens": 6},
            },
            Usage(120, 34, 64, reasoning_tokens=16, input_audio_tokens=5, output_audio_tokens=6),
        ),
        ({"input": "many"}, None),
    ],
)
def test_objects_of_usage_are_read_in_the_words_of_who_made_them(
    details: dict, expected: Usage | None
) -> None:
    assert usage({"langfuse.observation.usage_details": json.dumps(details)}) == expected
    # LiteLLM writes what Python prints.
    if expected is not None and "prompt_tokens" in details:
        assert usage({"metadata.usage_object": str(details)}) == expected


def test_a_name_of_its_own_counts_before_what_an_object_says() -> None:
    both = {
        "gen_ai.usage.input_tokens": 7,
        "langfuse.observation.usage_details": '{"input": 9, "output": 3}',
    }
    assert usage(both) == Usage(7, 3)


@pytest.mark.parametrize(
    "written",
    ["{'a': ", "{1: " * 2_000, "[" * 50_000, "{'input_tokens': __import__('os')}"],
)
def test_what_only_looks_like_a_printed_value_is_no_usage(written: str) -> None:
    assert usage({"metadata.usage_object": written}) is None


def test_the_call_that_usage_is_of_is_known_where_the_span_tells_it() -> None:
    def told(**more: object) -> tuple[str | None, str]:
        found = usage({"gen_ai.usage.input_tokens": 1, **more})
        assert found is not None
        return found.response_id, found.maker

    assert told() == (None, "")
    assert told(**{"gen_ai.response.id": "r"}) == ("r", "OpenTelemetry")
    assert told(**{"output.value": '{"id": "r", "choices": []}'}) == ("r", "OpenTelemetry")
    assert told(**{"output.value": '{"text": "r"}'}) == (None, "")
    assert told(**{"gen_ai.response.id": "r", "otel.scope": {"name": "s"}})[1].endswith("s")
    assert Usage(1) == Usage(1, response_id="r", maker="x")
