"""Filters against the real luml-sdk 0.4.0: what it accepts finds the same runs and samples here.

One process of the SDK writes a store of twenty runs and answers every expression; the same
expressions are then compiled here and run on that store. Another does so for samples.
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from flowtui.store.errors import FilterError
from flowtui.store.filters import register_functions, run_condition, sample_condition
from flowtui.store.samples import listing as sample_rows
from flowtui.store.store import Store
from tests.unit.stores import opened

SDK_ANSWERS = r"""
import json, sqlite3, sys
from luml.experiments.backends._exceptions import LumlFilterError
from luml.experiments.tracker import ExperimentTracker

folder, expressions = sys.argv[1], json.load(sys.stdin)
tracker = ExperimentTracker(f"sqlite://{folder}")
names = ["bert-base", "bert-large", "BERT_tiny", "gpt", "50%_off", "it's", "a true story",
         'say "hi"', "Ünïcode", "back\\slash"]
tags = [None, ["prod"], ["prod", "test"], ["préprod"], [], ["a_b", "50%"]]
for n in range(20):
    run = f"run-{n:02}"
    tracker.start_experiment(names[n % 10], ["g1", "g2"][n % 2], run, tags[n % 6])
    if n % 4:
        tracker.log_static("lr", [0.1, 0.01, 1][n % 3], run)
        tracker.log_static("optimizer", ["adam", "sgd", "Adam"][n % 3], run)
        tracker.log_static("amp", n % 2 == 0, run)
        tracker.log_static("sched", {"warmup": n, "kind": ["cosine", "step"][n % 2]}, run)
        tracker.log_static("layers", [1, n], run)
        tracker.log_static("mixed", [n, str(n), None, float(n)][n % 3], run)
        tracker.log_static("my-key", n, run)
    if n % 5 == 0:
        tracker.log_static("optim.lr", n / 10, run)
    if n % 3:
        tracker.log_dynamic("accuracy", n / 20, 0, run)
        tracker.log_dynamic("eval.loss", 1 - n / 20, 0, run)
        tracker.log_dynamic("drop", -n, 0, run)
    if n % 7 == 0:
        tracker.fail_experiment(run)
    elif n % 7 != 3:
        tracker.end_experiment(run)
    if n % 2:
        tracker.update_experiment(run, description=f"Run number {n}")
tracker.current_experiment_id = None
meta = sqlite3.connect(f"{folder}/meta.db")
for n in range(20):
    meta.execute("UPDATE experiments SET created_at = ?, duration = duration * 0 + ? WHERE id = ?",
                 (f"2025-03-{n // 2 + 1:02} {n:02}:00:00", n * 30.5, f"run-{n:02}"))
meta.commit()
groups = [row[0] for row in meta.execute("SELECT id FROM experiment_groups")]
meta.close()
answers = {}
for expression in expressions:
    try:
        page = tracker.backend.list_groups_experiments_pagination(groups, 100, search=expression)
        answers[expression] = sorted(item.id for item in page.items)
    except (LumlFilterError, sqlite3.Error):
        answers[expression] = "rejected"
json.dump(answers, sys.stdout)
"""

RUN_ROWS = """
SELECT e.id, e.name, e.status, e.description, e.group_id, g.name AS group_name, e.created_at,
  e.duration, e.tags, e.source, e.upload_status, e.metadata, e.static_params AS params,
  e.dynamic_params AS metrics
FROM experiments e LEFT JOIN experiment_groups g ON g.id = e.group_id
"""

ACCEPTED = (
    "id = 'run-03'",
    'id IN ("run-03", "run-04",)',
    'id NOT IN ("run-03", "run-04") AND id LIKE "run-0%"',
    'name = "bert-base"',
    "name='bert-base'",
    '"name" = "BERT-base"',
    "`name` != 'gpt'",
    'name LIKE "bert%"',
    'name LIKE"%base"',
    "name like 'b_rt%'",
    'name ILIKE "BERT%"',
    'name ILIKE "üNÏCODE"',
    'name LIKE "ünïcode"',
    'name CONTAINS "t_t"',
    "name contains '50%'",
    'name CONTAINS "%off"',
    'name LIKE "50%"',
    'name = ""',
    'name = "it\'s"',
    "name = 'say \"hi\"'",
    r'name = "back\slash"',
    'name IN ("gpt")',
    'name in ("gpt") or name not in ("gpt", "bert-base")',
    'status = "active"',
    'status != "completed"',
    'status = "ACTIVE"',
    'status IN ("error", "active")',
    'description LIKE "%number 1%"',
    'description != "x"',
    'description NOT IN ("x")',
    'description ILIKE "RUN%"',
    'group_id != "x"',
    'attribute.name = "gpt"',
    "attr.duration >= 61",
    "duration > 100",
    "duration <= 91.5",
    "duration = 30.5",
    "duration != 30.5",
    "duration < 1.5e2",
    "duration > -1",
    "duration > true",
    'created_at > "2025-03-05"',
    'created_at <= "2025-03-05"',
    "created_at < '2025-03-05'",
    'created_at >= "2025-03-05" AND created_at < "2025-03-07"',
    'tags LIKE "%prod%"',
    "tags LIKE '%\"prod\"%'",
    'tags CONTAINS "test"',
    'TAGS ILIKE "%PROD%"',
    'tag.x LIKE "%test%"',
    "tags LIKE '[\"prod\"%'",
    "tags = '[\"prod\"]'",
    "param.lr = 0.1",
    "params.lr = .1",
    "static_params.lr = 1",
    "parameter.lr != 0.1",
    'parameters.optimizer = "adam"',
    'param.optimizer != "adam"',
    'param.optimizer LIKE "ad%"',
    'param.optimizer ILIKE "AD%"',
    'param.optimizer CONTAINS "g"',
    'param.lr LIKE "0.0%"',
    'param.lr = "0.1"',
    "param.amp = true",
    "param.amp != FALSE",
    "param.amp = 1",
    'param.amp = "true"',
    "param.sched.warmup = 6",
    'param.sched.kind LIKE "cos%"',
    'param.sched CONTAINS "cosine"',
    "param.layers = '[1,6]'",
    "param.mixed = 6",
    'param.mixed != "7"',
    "param.`my-key` = 6",
    "`param.my-key` = 6",
    "param.absent = 1",
    "param.absent != 1",
    "metric.accuracy > 0.5",
    "metric.accuracy>=0.5",
    "metrics.accuracy != 0.5",
    "dynamic_params.accuracy = 0.5",
    "METRIC.accuracy < 1e0",
    "metric.drop < -3",
    "metric.drop>-4",
    "metric.accuracy < true",
    "metric.absent > 0",
    'status = "active" OR status = "error" AND metric.accuracy > 0.5',
    '(status = "active" OR status = "error") AND metric.accuracy > 0.5',
    'metric.accuracy > 0.2 and (param.lr = 0.1 or (param.lr = 1 and status = "completed"))',
    'name = "x" OR (name = "gpt" OR (name = "it\'s" AND duration > 1))',
)


@dataclass(frozen=True)
class Difference:
    """An expression that the SDK accepts and answers wrongly, and what it should find."""

    expression: str
    reason: str
    ids: str
    """The numbers of the runs, or "" for none, or "refused"."""


DIFFERENCES = (
    Difference(
        "created_at = '2025-03-05'",
        "A day is compared with a day and a time, so that nothing is ever equal.",
        "08 09",
    ),
    Difference(
        "created_at != '2025-03-01'",
        "The same: nothing is ever equal, so everything differs.",
        " ".join(f"{n:02}" for n in range(2, 20)),
    ),
    Difference(
        "created_at > 2026",
        "The column's type makes a number of 2026, and any text is larger than any number.",
        "",
    ),
    Difference("created_at >= '20250310'", "The same, of a date without dashes.", "18 19"),
    Difference(
        "tags = 'prod'",
        "Compares with the whole list as it is stored.",
        "01 02 07 08 13 14 19",
    ),
    Difference(
        "tags != 'prod'",
        "The same; and a run without tags has no tag 'prod'.",
        "00 03 04 05 06 09 10 11 12 15 16 17 18",
    ),
    Difference("tags LIKE 'test'", "The same: a tag never begins or ends the list.", "02 08 14"),
    Difference("tags LIKE '%é%'", "The list is stored with é written as \\u00e9.", "03 09 15"),
    Difference("param.optim.lr = 0.5", "A dot in a key is always read as a nested object.", "05"),
    Difference("metric.eval.loss < 0.1", "The same, of a metric.", "19"),
    Difference("name = 'a true story'", "`true` becomes 1 inside quotes, too.", "06 16"),
    Difference("name = 'it''s'", "A doubled quote stays two characters.", "05 15"),
    Difference(
        r'name = "say \"hi\""',
        "The backslash stays in the value; here it never escapes, so the quote ends the text.",
        "refused",
    ),
    Difference(
        "param.mixed = 13",
        "What was logged as the text 13 is a number: YAML reads numbers such as 1e-3 as text.",
        "13",
    ),
    Difference("param.mixed != 13", "The same.", "01 06 09 15 18 19"),
    Difference(r"name IN ('back\\slash')", "In a list only, a backslash escapes.", ""),
)


@dataclass(frozen=True)
class Answered:
    """The SDK's answers, and a connection to the store that they are of."""

    answers: dict[str, list[str] | str]
    connection: sqlite3.Connection

    def here(self, expression: str) -> list[str]:
        condition = run_condition(expression)
        sql = f"SELECT id FROM ({RUN_ROWS}) AS run WHERE {condition.sql} ORDER BY id"
        return [row[0] for row in self.connection.execute(sql, condition.params)]


@pytest.fixture(scope="module")
def answered(
    sdk_python: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Answered]:
    folder = tmp_path_factory.mktemp("filters")
    expressions = [*ACCEPTED, *(difference.expression for difference in DIFFERENCES)]
    process = subprocess.run(
        [sdk_python("0.4.0"), "-c", SDK_ANSWERS, folder],
        input=json.dumps(expressions),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert process.returncode == 0, process.stderr
    connection = sqlite3.connect(folder / "meta.db")
    register_functions(connection)
    yield Answered(json.loads(process.stdout), connection)
    connection.close()


@pytest.mark.parametrize("expression", ACCEPTED)
def test_filter_finds_what_the_sdk_finds(answered: Answered, expression: str) -> None:
    assert answered.answers[expression] != "rejected"
    assert answered.here(expression) == answered.answers[expression]


def test_most_answers_tell_runs_apart(answered: Answered) -> None:
    sizes = [len(answered.answers[expression]) for expression in ACCEPTED]
    assert sum(0 < size < 20 for size in sizes) > len(sizes) * 3 / 4


@pytest.mark.parametrize(
    "difference", DIFFERENCES, ids=[difference.expression for difference in DIFFERENCES]
)
def test_wrong_answers_of_the_sdk_are_right_here(
    answered: Answered, difference: Difference
) -> None:
    theirs = answered.answers[difference.expression]
    assert theirs != "rejected"
    if difference.ids == "refused":
        with pytest.raises(FilterError):
            run_condition(difference.expression)
        return
    ours = answered.here(difference.expression)
    assert ours == [f"run-{number}" for number in difference.ids.split()]
    assert ours != theirs


SDK_SAMPLE_ANSWERS = r"""
import json, sqlite3, sys
from luml.experiments.backends._exceptions import LumlFilterError
from luml.experiments.tracker import ExperimentTracker

folder, expressions = sys.argv[1], json.load(sys.stdin)
tracker = ExperimentTracker(f"sqlite://{folder}")
run = tracker.start_experiment("evals", experiment_id="run-1")
answers_given = ["Paris", "paris", "Lyon", "50%_off", "it's", "\u00dcber", 4, None]
for n in range(24):
    tracker.log_eval_sample(
        f"s{n:02}", ["faq", "math"][n % 2], {"question": f"Question {n}", "n": n, "a b": n % 3},
        {"answer": answers_given[n % 8], "items": [{"n": n}], "deep": {"level": {"x": n}}},
        {"answer": answers_given[n // 8]} if n % 4 else None,
        {"accuracy": n / 24, "correct": n % 3 == 0, "mixed": [n, str(n), None][n % 3]},
        {"lang": ["en", "de"][n % 2], "latency_ms": n * 100} if n % 5 else None, run)
    if n % 6 == 0:
        tracker.log_eval_annotation(
            ["faq", "math"][n % 2], f"s{n:02}", "good", "feedback", "bool", n % 12 == 0, "ana",
            experiment_id=run)
        tracker.log_eval_annotation(
            ["faq", "math"][n % 2], f"s{n:02}", "stars", "expectation", "int", n, "ana",
            experiment_id=run)
    if n % 7 == 0:
        tracker.log_eval_annotation(
            ["faq", "math"][n % 2], f"s{n:02}", "answer key", "expectation", "string",
            ["a Bird", "true"][n % 2], "sam", experiment_id=run)
tracker.end_experiment(run)
db = sqlite3.connect(f"{folder}/run-1/exp.db")
for n in range(24):
    db.execute("UPDATE evals SET created_at = ?, updated_at = created_at WHERE id = ?",
               (f"2025-03-{n + 1:02} 10:00:00", f"s{n:02}"))
db.commit()
db.close()
answers = {}
for expression in expressions:
    try:
        page = tracker.backend.get_experiment_evals(run, 100, filters=[expression])
        answers[expression] = sorted(item.id for item in page.items)
    except (LumlFilterError, sqlite3.Error):
        answers[expression] = "rejected"
json.dump(answers, sys.stdout)
"""

SAMPLES_ACCEPTED = (
    'id = "s03"',
    'id IN ("s03", "s04") OR id LIKE "s1%"',
    'id NOT IN ("s03", "s04")',
    'dataset_id = "faq"',
    'dataset_id ILIKE "FA%"',
    'dataset_id != "faq"',
    'created_at > "2025-03-10"',
    'created_at >= "2025-03-05" AND created_at < "2025-03-07"',
    'inputs.question CONTAINS "question 1"',
    "inputs.n >= 20",
    "inputs.n != 3",
    "inputs.absent = 1",
    "inputs.absent != 1",
    'outputs.answer = "Paris"',
    'outputs.answer != "Paris"',
    'outputs.answer LIKE "par%"',
    'outputs.answer ILIKE "PAR%"',
    'outputs.answer = "it\'s"',
    'outputs.answer CONTAINS "50%"',
    'outputs.answer IN ("Paris", "Lyon")',
    'outputs.answer NOT IN ("Paris", "Lyon")',
    "outputs.answer = 4",
    "inputs.`a b` = 2",
    "outputs.deep.level.x > 20",
    'outputs.deep CONTAINS "level"',
    'refs.answer = "Lyon"',
    "scores.accuracy > 0.5",
    "scores.accuracy <= .25",
    "scores.correct = true",
    "scores.correct != TRUE",
    "scores.correct = 0",
    "scores.mixed = 6",
    'scores.mixed = "7"',
    'scores.mixed != "7"',
    'metadata.lang = "de" AND metadata.latency_ms >= 1000',
    "annotations.good = true",
    "annotations.good != true",
    'annotations.good = "false"',
    "annotations.feedback.good = 1",
    "annotations.expectation.good = true",
    "annotations.expectations.stars = 6",
    "annotations_expectation.stars >= 12",
    "annotations.stars != 6",
    "annotations.stars < 12",
    'annotations.answer key = "a Bird"',
    'annotations.expectation.answer key LIKE "%bird"',
    'annotations.answer key CONTAINS "bird"',
    'annotations.answer key != "a Bird"',
    'annotations.good IN ("true", "x")',
    'scores.accuracy > 0.8 OR (dataset_id = "math" AND metadata.latency_ms < 500)',
)
SAMPLE_DIFFERENCES = (
    Difference(
        "scores.mixed > 10",
        "SQLite holds every text for larger than every number; one that is a number is compared.",
        "12 13 15 16 18 19 21 22",
    ),
    Difference("scores.mixed = 7", "What was logged as the text 7 is the number 7.", "07"),
    Difference(
        'scores.mixed < "5"',
        "The same: every number is smaller than a text.",
        "01 04 10 13 16 19 22",
    ),
    Difference(
        "annotations.good > 0",
        "The text true is cast to the number 0.",
        "00 12",
    ),
    Difference(
        "created_at = '2025-03-05'",
        "A day is compared with a day and a time, so that nothing is ever equal.",
        "04",
    ),
    Difference(
        'annotations.good NOT IN ("true")',
        "The name is taken to be 'good NOT'.",
        "06 18",
    ),
)


@pytest.fixture(scope="module")
def samples_answered(
    sdk_python: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[dict[str, list[str] | str], Store]]:
    folder = tmp_path_factory.mktemp("sample-filters")
    expressions = [*SAMPLES_ACCEPTED, *(one.expression for one in SAMPLE_DIFFERENCES)]
    process = subprocess.run(
        [sdk_python("0.4.0"), "-c", SDK_SAMPLE_ANSWERS, folder],
        input=json.dumps(expressions),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert process.returncode == 0, process.stderr
    with opened(folder) as store:
        yield json.loads(process.stdout), store


def samples_here(store: Store, expression: str) -> list[str]:
    keys = store.run("run-1").ask(sample_rows.ordered, None, sample_condition(expression))
    return sorted(sample.id for sample in store.run("run-1").ask(sample_rows.at, keys).values())


@pytest.mark.parametrize("expression", SAMPLES_ACCEPTED)
def test_filter_of_samples_finds_what_the_sdk_finds(
    samples_answered: tuple[dict[str, list[str] | str], Store], expression: str
) -> None:
    answers, store = samples_answered
    assert answers[expression] != "rejected"
    assert samples_here(store, expression) == answers[expression]


@pytest.mark.parametrize(
    "difference", SAMPLE_DIFFERENCES, ids=[one.expression for one in SAMPLE_DIFFERENCES]
)
def test_wrong_answers_of_the_sdk_about_samples_are_right_here(
    samples_answered: tuple[dict[str, list[str] | str], Store], difference: Difference
) -> None:
    answers, store = samples_answered
    ours = samples_here(store, difference.expression)
    assert ours == [f"s{number}" for number in difference.ids.split()]
    assert ours != answers[difference.expression]
