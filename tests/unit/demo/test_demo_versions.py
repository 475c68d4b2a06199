"""What the demo's two runs of one agent hold, which are made to be compared."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from difflib import ndiff
from pathlib import Path
from typing import Any

import pytest

from flowtui.demo import make_demo
from tests.unit.demo.test_demo import NOW, folder_of, query

Attributes = dict[str, Any]
TOOL = "execute_tool search_orders"


@dataclass(frozen=True)
class Version:
    """One of the two runs, as plain SQL reads it."""

    folder: Path
    samples: dict[str, dict[str, Any]]
    """By id: the columns of a sample."""
    spans: dict[str, list[tuple[str, Attributes]]]
    """By the id of a sample: name and attributes of the spans of its trace, by start."""

    def is_right(self, sample: str) -> bool:
        return bool(self.samples[sample]["scores"]["correct"])

    def span(self, sample: str, name: str) -> Attributes:
        (attributes,) = [told for found, told in self.spans[sample] if found == name]
        return attributes

    def params(self) -> dict[str, str]:
        return dict(query(self.folder / "exp.db", "select key, value from static_params"))


def read(folder: Path) -> Version:
    path = folder / "exp.db"
    columns = ("inputs", "outputs", "refs", "scores", "metadata")
    samples = {
        id_: dict(zip(columns, map(json.loads, texts), strict=True))
        for id_, *texts in query(path, f"select id, {', '.join(columns)} from evals order by id")
    }
    spans: dict[str, list[tuple[str, Attributes]]] = defaultdict(list)
    for sample, name, attributes in query(
        path,
        "select eval_id, name, attributes from spans join eval_traces_bridge using (trace_id)"
        " order by start_time_unix_nano",
    ):
        spans[sample].append((name, json.loads(attributes)))
    return Version(folder, samples, spans)


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> tuple[Version, Version]:
    directory = tmp_path_factory.mktemp("demo")
    make_demo(directory, NOW)
    return (
        read(folder_of(directory, "support-agent-v4")),
        read(folder_of(directory, "support-agent-v5")),
    )


def broken(one: Version, other: Version) -> list[str]:
    return [id_ for id_ in one.samples if one.is_right(id_) and not other.is_right(id_)]


def test_both_were_asked_the_same_questions(versions: tuple[Version, Version]) -> None:
    one, other = versions
    assert len(one.samples) == 200
    assert one.samples.keys() == other.samples.keys()
    for id_, sample in one.samples.items():
        assert sample["inputs"] == other.samples[id_]["inputs"]
        assert sample["refs"] == other.samples[id_]["refs"]
        assert sample["metadata"]["topic"] == other.samples[id_]["metadata"]["topic"]


def test_a_dozen_broke_and_twenty_were_mended(versions: tuple[Version, Version]) -> None:
    one, other = versions
    outcomes = Counter((one.is_right(id_), other.is_right(id_)) for id_ in one.samples)
    assert outcomes == {
        (True, True): 146,
        (True, False): 12,
        (False, True): 20,
        (False, False): 22,
    }
    topics = {one.samples[id_]["metadata"]["topic"] for id_ in broken(one, other)}
    assert topics == {"refund"}


def test_scores_are_of_three_types_and_the_judge_gives_a_reason(
    versions: tuple[Version, Version],
) -> None:
    one, other = versions
    types = {"correct": bool, "similarity": float, "conciseness": int}
    for version, more in ((one, {}), (other, {"grounded": bool})):
        for sample in version.samples.values():
            scores = sample["scores"]
            assert {key: type(value) for key, value in scores.items()} == {**types, **more}
            assert (scores["similarity"] > 0.6) == scores["correct"]
            assert sample["metadata"]["correct_reason"]


def test_answers_of_one_text_are_judged_alike(versions: tuple[Version, Version]) -> None:
    one, other = versions
    alike = [
        id_ for id_ in one.samples if one.samples[id_]["outputs"] == other.samples[id_]["outputs"]
    ]
    assert 100 < len(alike) < 150
    for id_ in alike:
        scores = other.samples[id_]["scores"]
        assert one.samples[id_]["scores"] == {
            key: scores[key] for key in scores if key != "grounded"
        }


def test_each_sample_has_a_trace_that_looks_policies_up_in_the_newer_version_only(
    versions: tuple[Version, Version],
) -> None:
    one, other = versions
    assert one.spans.keys() == other.spans.keys() == one.samples.keys()
    for id_, spans in one.spans.items():
        root, plan, tool, answer = [name for name, _ in spans]
        assert [name for name, _ in other.spans[id_]] == [
            *(root, plan, tool),
            *("retrieve policies", answer),
        ]


def test_a_trace_says_what_its_sample_says(versions: tuple[Version, Version]) -> None:
    for version in versions:
        for id_, sample in version.samples.items():
            attributes = version.span(id_, "support-agent")
            (asked,) = json.loads(attributes["gen_ai.input.messages"])
            (answered,) = json.loads(attributes["gen_ai.output.messages"])
            assert asked["parts"][0]["content"] == sample["inputs"]["question"]
            assert answered["parts"][0]["content"] == sample["outputs"]["answer"]


def test_where_an_answer_broke_the_search_for_orders_is_the_first_that_differs(
    versions: tuple[Version, Version],
) -> None:
    one, other = versions
    for id_ in broken(one, other):
        (_, root), (_, plan), (_, tool), _ = one.spans[id_]
        (_, other_root), (_, other_plan), (name, other_tool), *_ = other.spans[id_]
        assert root["gen_ai.input.messages"] == other_root["gen_ai.input.messages"]
        assert plan == other_plan
        assert name == TOOL
        arguments = json.loads(tool["gen_ai.tool.call.arguments"])
        assert arguments["limit"] == 5
        assert json.loads(other_tool["gen_ai.tool.call.arguments"]) == {**arguments, "limit": 1}


def test_a_refund_broke_where_the_order_that_was_sent_back_is_not_the_newest(
    versions: tuple[Version, Version],
) -> None:
    one, other = versions
    older = []
    for id_, sample in one.samples.items():
        if sample["metadata"]["topic"] != "refund":
            continue
        orders = json.loads(one.span(id_, TOOL)["gen_ai.tool.call.result"])
        assert json.loads(other.span(id_, TOOL)["gen_ai.tool.call.result"]) == orders[:1]
        (place,) = [n for n, order in enumerate(orders) if order["status"].startswith("returned")]
        assert orders[place]["item"] in sample["inputs"]["question"]
        assert orders[place]["order_id"] in sample["outputs"]["answer"]
        if place:
            older.append(id_)
            assert orders[0]["order_id"] in other.samples[id_]["outputs"]["answer"]
    assert older == broken(one, other)


def test_where_an_answer_was_mended_it_names_a_policy_that_was_looked_up(
    versions: tuple[Version, Version],
) -> None:
    one, other = versions
    for id_ in one.samples:
        if other.is_right(id_) and not one.is_right(id_):
            found = json.loads(other.span(id_, "retrieve policies")["gen_ai.retrieval.documents"])
            assert len(found) == 3
            assert found[0]["id"] in other.samples[id_]["outputs"]["answer"]


def test_tokens_and_cost_of_a_trace_are_those_of_its_calls(
    versions: tuple[Version, Version],
) -> None:
    totals = []
    for version in versions:
        cost = 0.0
        for id_ in version.samples:
            calls = [told for name, told in version.spans[id_] if name.startswith("chat ")]
            root = version.span(id_, "support-agent")
            for key in ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"):
                assert root[key] == sum(call[key] for call in calls)
            cost += sum(call["llm.cost.total"] for call in calls)
        ((logged,),) = query(
            version.folder / "exp.db",
            "select max(value) from dynamic_metrics where key = 'cost/total_usd'",
        )
        assert logged == pytest.approx(cost)
        totals.append(cost)
    assert 1.05 < totals[1] / totals[0] < 1.3


def test_params_differ_in_a_few_and_tell_what_the_traces_show(
    versions: tuple[Version, Version],
) -> None:
    one, other = (version.params() for version in versions)
    assert one.keys() - other.keys() == {"few_shot_examples"}
    assert other.keys() <= one.keys()
    assert {key for key in other if one[key] != other[key]} == {
        *("max_output_tokens", "prompts"),
        *("retrieval", "search_orders"),
    }
    assert [json.loads(params["search_orders"])["limit"] for params in (one, other)] == [5, 1]


def test_the_configuration_differs_in_two_lines(versions: tuple[Version, Version]) -> None:
    one, other = (
        (version.folder / "attachments/config.yaml").read_text().splitlines()
        for version in versions
    )
    changed = [line.split() for line in ndiff(one, other) if line[0] in "-+"]
    assert changed == [
        ["-", "limit:", "5"],
        ["+", "limit:", "1"],
        ["-", "enabled:", "false"],
        ["+", "enabled:", "true"],
    ]


def test_attachments_are_equal_or_differ_or_are_only_in_one(
    versions: tuple[Version, Version],
) -> None:
    one, other = (
        {
            str(file.relative_to(version.folder / "attachments")): file.read_bytes()
            for file in (version.folder / "attachments").rglob("*")
            if file.is_file()
        }
        for version in versions
    )
    assert other.keys() - one.keys() == {"prompts/policies.md"}
    assert {name for name in one if one[name] == other[name]} == {"prompts/plan.md"}
    assert {name for name in one if one[name] != other[name]} == {
        *("config.yaml", "prompts/answer.md"),
        "reports/report.md",
    }


def test_reports_and_metrics_count_what_the_samples_say(
    versions: tuple[Version, Version],
) -> None:
    for version in versions:
        right = sum(map(version.is_right, version.samples))
        report = (version.folder / "attachments/reports/report.md").read_text()
        assert f"**{right} of 200**" in report
        ((rate,),) = query(
            version.folder / "exp.db",
            "select value from dynamic_metrics where key = 'eval/pass_rate' and step = 199",
        )
        assert rate == right / 200


def test_people_said_something_of_each(versions: tuple[Version, Version]) -> None:
    for version in versions:
        found = query(
            version.folder / "exp.db",
            "select eval_id, annotation_kind, value from eval_annotations where name = 'quality'",
        )
        assert len(found) > 10
        for id_, kind, value in found:
            assert (kind, value == "true") == ("feedback", version.is_right(id_))
