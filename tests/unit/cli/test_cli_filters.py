"""What lists print for a filter and an order: numbers kept as text, names, what is not there."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import pytest

from flowtui.reports.run_table import ListRequest, print_runs
from flowtui.reports.samples import SampleRequest, print_samples, print_scores
from flowtui.reports.trace_list import print_traces
from flowtui.reports.usage import WrongUsage
from flowtui.store.filters import RUN_FIELDS, SAMPLE_FIELDS, TRACE_FIELDS, FieldSet
from flowtui.store.natural import natural_key
from flowtui.store.samples import listing as sample_rows
from flowtui.store.schema import EvalRow, SpanRow
from flowtui.store.store import Store
from tests.unit.stores import NOW, opened, writer

RATES: dict[str, Any] = {
    "run-10": "1e-3", "run-2": 0.01, "run-1": "0.5", "b": "cosine", "Run-3": None, "a": "10",
}  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    directory = tmp_path_factory.mktemp("texts")
    with writer(directory) as writing:
        for name, rate in RATES.items():
            writing.start_run(name, name)
            with writing.experiment(name) as experiment:
                experiment.metrics([("loss", math.nan, 0, NOW)] if name == "b" else [])
                experiment.params(
                    {"loss": 1} if rate is None else {"lr": rate, "sched": {"kind": name}}
                )
        with writing.experiment("a") as experiment:
            experiment.evals(
                EvalRow(
                    dataset_id=f"set-{n % 3 * 5}", id=f"s-{n}", inputs={"n": n},
                    scores={"correct": n % 2 == 0, "grade": str(n) if n % 2 else n / 2},
                    metadata={"lang": ["en", "de"][n % 2]},
                )
                for n in range(12)
            )  # fmt: skip
            experiment.spans(
                SpanRow(
                    trace_id=f"t{n}", span_id=f"s{n}", name=f"step {n}",
                    start_ns=n, end_ns=n + 5, attributes={"city": "Kyiv"},
                )
                for n in (10, 9, 2)
            )  # fmt: skip
    with opened(directory) as opened_store:
        yield opened_store


def runs_named(
    capsys: pytest.CaptureFixture[str], store: Store, filter_text: str = "", sort: str = "name"
) -> tuple[list[str], str]:
    """Gives the names of the runs that are printed, in order, and what is said on stderr."""
    print_runs(store, ListRequest(filter_text, sort, style="json"))
    out, err = capsys.readouterr()
    return [run["name"] for run in json.loads(out)], err


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("lr < 1e-2", ["run-10"]),
        ("lr <= 1e-2", ["run-2", "run-10"]),
        ('lr = "1e-3"', ["run-10"]),
        ("lr between 1e-3 and 1 && !(lr = 0.5)", ["run-2", "run-10"]),
        ("sched.kind = b || lr > 9", ["a", "b"]),
    ],
)
def test_numbers_kept_as_text_are_numbers(
    capsys: pytest.CaptureFixture[str], store: Store, text: str, found: list[str]
) -> None:
    assert runs_named(capsys, store, text) == (found, "")


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("name", ["a", "b", "run-1", "run-2", "Run-3", "run-10"]),
        ("-name", ["run-10", "Run-3", "run-2", "run-1", "b", "a"]),
        ("lr", ["run-10", "run-2", "run-1", "a", "b", "Run-3"]),
        ("-param.lr", ["a", "run-1", "run-2", "run-10", "b", "Run-3"]),
        ("`params.lr`", ["run-10", "run-2", "run-1", "a", "b", "Run-3"]),
        ("sched.kind", ["a", "b", "run-1", "run-2", "run-10", "Run-3"]),
    ],
)
def test_runs_sort_by_any_name_and_as_one_reads_them(
    capsys: pytest.CaptureFixture[str], store: Store, sort: str, order: list[str]
) -> None:
    assert runs_named(capsys, store, sort=sort) == (order, "")


def test_what_runs_are_sorted_by_is_printed(
    capsys: pytest.CaptureFixture[str], store: Store
) -> None:
    print_runs(store, ListRequest(sort="lr"))
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split()[:3] == ["id", "name", "lr"]
    cells = [line.split()[1:3] for line in lines[:-1]]
    assert cells == [
        ["run-10", "1e-3"], ["run-2", "0.01"], ["run-1", "0.5"], ["a", "10"], ["b", "cosine"],
    ]  # fmt: skip
    print_runs(store, ListRequest(sort="sched.kind"))
    assert capsys.readouterr().out.splitlines()[1].split()[1:3] == ["a", "a"]
    # What is no metric of a run is not shown for one, whatever parameter has its name.
    print_runs(store, ListRequest(sort="metric.loss"))
    lines = [line.split()[1:3] for line in capsys.readouterr().out.splitlines()[1:]]
    # The last record of one is of 1970, and nobody holds its database: its process is gone.
    second = {"a": "▲", "b": "NaN"}
    assert sorted(lines) == sorted([name, second.get(name, "●")] for name in RATES)
    print_runs(store, ListRequest(sort="name"))
    assert capsys.readouterr().out.splitlines()[0].split()[:3] == ["id", "name", "↑"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nosuch > 3", 'no metric or parameter "nosuch" in this store'),
        ("param.lrr < 1", 'no parameter "lrr" in this store; closest: lr'),
        ("LR < 1", 'no metric or parameter "LR" in this store; closest: lr'),
        (
            "statu = error",
            'no metric or parameter "statu" in this store; closest: status, upload_status',
        ),
        ("not sched.knd = 1", 'no metric or parameter "sched.knd" in this store; closest: sched'),
        ("lr 1e-3", '"lr" and "1e-3" are searched for as text'),
        ("attributes.status", '"attributes.status" is searched for as text'),
        ("b status", '"b" and "status" are searched for as text'),
        ("status", '"status" is searched for as text'),
    ],
)
def test_filter_that_means_nothing_is_remarked_on(
    capsys: pytest.CaptureFixture[str], store: Store, text: str, said: str
) -> None:
    _found, err = runs_named(capsys, store, text)
    assert err == f"flow-tui: {said}\n"


@pytest.mark.parametrize(
    "text",
    [
        "lr > 100",
        "lr is null",
        "sched.kind = x",
        "metadata.x = 1 or lr > 1",
        "b",
        '"lr" "b"',
        "errors",
    ],
)
def test_what_some_run_has_is_not_remarked_on(
    capsys: pytest.CaptureFixture[str], store: Store, text: str
) -> None:
    _found, err = runs_named(capsys, store, text)
    assert "lr" not in err
    assert err.count("\n") == ("metadata" in text)


def test_samples_of_a_score_that_no_sample_has(
    capsys: pytest.CaptureFixture[str], store: Store
) -> None:
    run = store.resolve("a").row
    said = 'flow-tui: no score "corect" in this run; closest: correct\n'
    wanted = SampleRequest(filter_text="scores.corect = false")
    print_samples(store.opened(run), wanted, "json")
    assert capsys.readouterr() == ("[]\n", said)
    print_scores(store.opened(run), wanted, as_json=True)
    assert capsys.readouterr().err == said
    print_samples(
        store.opened(run), SampleRequest(filter_text="corect = 1 and metadata.langg = x"), "json"
    )
    assert capsys.readouterr().err == (
        'flow-tui: no field "corect" in this run; closest: correct\n'
        'flow-tui: no metadata "langg" in this run; closest: lang\n'
    )
    print_samples(store.opened(run), SampleRequest(filter_text="scores.lang = x"), "json")
    assert (
        capsys.readouterr().err == 'flow-tui: no score "lang" in this run; closest: metadata.lang\n'
    )
    print_samples(
        store.opened(run), SampleRequest("set-10", "grade < 3 and metadata.lang = de"), "json"
    )
    assert capsys.readouterr() == ("[]\n", "")


def test_samples_sort_by_any_name_and_print_it(
    capsys: pytest.CaptureFixture[str], store: Store
) -> None:
    run = store.resolve("a").row
    print_samples(store.opened(run), SampleRequest(sort="grade"), "json")
    samples = json.loads(capsys.readouterr().out)
    grades = [float(sample["scores"]["grade"]) for sample in samples]
    assert grades == sorted(grades)
    assert len(grades) == 12
    print_samples(store.opened(run), SampleRequest(sort="-metadata.lang", limit=1))
    head, line = capsys.readouterr().out.splitlines()
    assert head.split()[:3] == ["set", "sample", "metadata.lang"]
    assert line.split()[:3] == ["set-0", "s-0", "en"]
    print_samples(store.opened(run), SampleRequest(sort="id"), "json")
    ids = [sample["id"] for sample in json.loads(capsys.readouterr().out)]
    assert ids == [f"s-{n}" for n in range(12)]
    assert [one.id for one in store.run("a").ask(sample_rows.datasets)] == [
        "set-0",
        "set-5",
        "set-10",
    ]
    with pytest.raises(WrongUsage, match=r'and no field "grad" in this run; closest: grade'):
        print_samples(store.opened(run), SampleRequest(sort="grad"))


def every_name(fields: FieldSet) -> list[str]:
    return [*fields.columns, *fields.heads]


@pytest.mark.parametrize("name", [*every_name(RUN_FIELDS), "attr.created_at", "tag.x"])
def test_runs_sort_by_every_field(
    capsys: pytest.CaptureFixture[str], store: Store, name: str
) -> None:
    for sort in (name, f"-{name}"):
        print_runs(store, ListRequest(sort=sort))
        head, *lines = capsys.readouterr().out.splitlines()
        assert len(lines) >= len(RATES)
        # What is a column already is not printed twice.
        assert len(set(head.split())) == len(head.split())
        found, _err = runs_named(capsys, store, sort=sort)
        assert sorted(found) == sorted(RATES)


def test_runs_are_in_the_same_order_by_each_name_of_a_column(
    capsys: pytest.CaptureFixture[str], store: Store
) -> None:
    for name, other in (("created", "created_at"), ("group", "group_name"), ("name", "attr.name")):
        for sign in ("", "-"):
            print_runs(store, ListRequest(sort=sign + name))
            print_runs(store, ListRequest(sort=sign + other))
            out = capsys.readouterr().out
            assert out[: len(out) // 2] == out[len(out) // 2 :]


@pytest.mark.parametrize("name", every_name(SAMPLE_FIELDS))
def test_samples_sort_by_every_field(
    capsys: pytest.CaptureFixture[str], store: Store, name: str
) -> None:
    run = store.resolve("a").row
    field = SAMPLE_FIELDS.resolve(name)[0].name
    for sign in ("", "-"):
        print_samples(store.opened(run), SampleRequest(sort=sign + name))
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) == 13
        heads = lines[0].split()
        has_column = field in ("created_at", "updated_at")
        assert heads[2] == (field.removesuffix("_at") if has_column else "correct")
        print_samples(store.opened(run), SampleRequest(sort=sign + name), "json")
        samples = json.loads(capsys.readouterr().out)
        if field in samples[0]:
            found = [natural_key(str(sample[field])) for sample in samples]
            assert found == sorted(found, reverse=bool(sign))


@pytest.mark.parametrize("name", every_name(TRACE_FIELDS))
def test_traces_sort_by_every_field_or_say_by_what_they_do(
    capsys: pytest.CaptureFixture[str], store: Store, name: str
) -> None:
    run = store.resolve("a").row
    if name in ("created_at", "evals"):
        with pytest.raises(WrongUsage, match="is not one of start, name"):
            print_traces(store.opened(run), sort=name)
        return
    for sort in (name, f"-{name}"):
        print_traces(store.opened(run), sort=sort)
        assert len(capsys.readouterr().out.splitlines()) == 4
        print_traces(store.opened(run), sort=sort, style="json")
        assert len(json.loads(capsys.readouterr().out)) == 3


@pytest.mark.parametrize(
    ("sort", "names"),
    [("trace", "2 9 10"), ("-trace_id", "10 9 2"), ("started", "2 9 10"), ("-start", "10 9 2")],
)
def test_traces_sort_by_the_heads_of_their_table(
    capsys: pytest.CaptureFixture[str], store: Store, sort: str, names: str
) -> None:
    print_traces(store.resolve("a"), sort=sort, style="json")
    traces = json.loads(capsys.readouterr().out)
    assert [trace["name"] for trace in traces] == [f"step {n}" for n in names.split()]


def test_filters_take_the_heads_of_tables(capsys: pytest.CaptureFixture[str], store: Store) -> None:
    run = store.resolve("a").row
    assert len(runs_named(capsys, store, "created > 2000 and name != created")[0]) == len(RATES)
    for text, count in (
        ("set = set-5 and sample != s-1", 3),
        ("created >= 2000 and updated >= 2000", 12),
        ("traces = 0 and annotations = 0", 12),
        ("traces > 0 or annotations > 0", 0),
    ):
        print_samples(store.opened(run), SampleRequest(filter_text=text), "json")
        out, err = capsys.readouterr()
        assert (len(json.loads(out)), err) == (count, "")
    for text, count in (
        ("trace = t9", 1),
        ("started = 1970-01-01 and start > 1969-12-31 23:59", 3),
        ("started > 1970-01-01 00:00:00", 3),
        ("started > 1970-01-01 00:00:01", 0),
        ("spans = 1 and errors = 0 and samples = 0 and annotations < 1", 3),
        ("errors", 0),
    ):
        print_traces(store.opened(run), text, style="json")
        out, err = capsys.readouterr()
        assert (len(json.loads(out)), err) == (count, "")


def test_traces_sort_and_filter_by_names(capsys: pytest.CaptureFixture[str], store: Store) -> None:
    run = store.resolve("a").row
    print_traces(store.opened(run), sort="name", style="json")
    names = [trace["name"] for trace in json.loads(capsys.readouterr().out)]
    assert names == ["step 2", "step 9", "step 10"]
    print_traces(store.opened(run), sort="-execution_time", style="json")
    assert len(json.loads(capsys.readouterr().out)) == 3
    print_traces(store.opened(run), "attributes.ciyt = x or attributes.city = y", style="json")
    said = 'flow-tui: no attribute "ciyt" in this run; closest: city\n'
    assert capsys.readouterr() == ("[]\n", said)
    print_traces(store.opened(run), "span_cout > 1", style="json")
    assert capsys.readouterr().err == (
        'flow-tui: no attribute or annotation "span_cout" in this run;'
        " closest: span_count, sample_count\n"
    )
