"""What runs were set to: which parameters differ, and which runs only repeat another."""

from __future__ import annotations

import math
import random
from itertools import product

from flowtui.store.compare.fact_values import FactValue
from flowtui.store.compare.parameters import Parameters
from flowtui.store.compare.settings import differing, labels, repeats, settings
from flowtui.store.values import JsonValue


def run(**params: JsonValue) -> Parameters:
    return {key: FactValue(value) for key, value in params.items()}


def differs(*runs: Parameters) -> list[str]:
    return differing(settings(runs))


def groups(*runs: Parameters) -> list[tuple[str, tuple[int, ...]]]:
    found = repeats(settings(runs), [bool(run) for run in runs])
    return [(group.path, group.members) for group in found]


def test_values_are_compared_by_path_and_by_what_they_are() -> None:
    one = run(lr=1, sched={"warmup": 10, "kind": "cosine"}, tags=["a", "b"], x=math.nan)
    other = run(lr=1.0, sched={"warmup": 20, "kind": "cosine"}, tags=["a", "c"], x=math.nan)
    assert differs(one, other) == ["sched.warmup", "tags[1]"]
    assert differs(run(a=1), run(a="1"), run(a=True)) == ["a"]
    assert differs(run(a=1), run(a=True)) == ["a"]
    assert differs(run(a=None), run()) == ["a"]
    assert differs(run(a={}), run(a=[])) == ["a"]
    assert differs(one, one) == []


def test_runs_that_differ_in_a_seed_alone_are_put_together() -> None:
    grid = [run(lr=lr, seed=seed, epochs=3) for lr, seed in product((1e-3, 3e-4), (1, 2, 3))]
    draw = random.Random(2)
    draw.shuffle(grid)
    found = groups(*grid)
    assert [path for path, _ in found] == ["seed", "seed"]
    assert sorted(place for _, members in found for place in members) == list(range(6))
    for _, members in found:
        assert len({grid[place]["lr"].value for place in members}) == 1
        assert len({grid[place]["seed"].value for place in members}) == 3


def test_without_a_seed_any_parameter_that_alone_differs_will_do() -> None:
    assert groups(run(lr=1), run(lr=2)) == [("lr", (0, 1))]
    assert groups(run(lr=1, wd=1), run(lr=2, wd=2)) == [("", (0,)), ("", (1,))]
    # Runs that differ in nothing are repeats as well.
    assert groups(run(lr=1), run(lr=1), run(lr=2, wd=1)) == [("", (0, 1)), ("", (2,))]
    assert groups(run(), run()) == [("", (0,)), ("", (1,))]
    assert groups(run(seed=1, lr=1), run(seed=1, lr=2)) == [("lr", (0, 1))]


def test_labels_say_what_differs_and_nothing_else() -> None:
    runs = [
        run(lr=1e-3, opt={"name": "adamw"}, e=3),
        run(lr=3e-4, opt={"name": "sgd"}, e=3),
        run(e=3),
    ]
    assert labels(settings(runs)) == [
        "lr=1e-3  name=adamw", "lr=3e-4  name=sgd", "lr=absent  name=absent"
    ]  # fmt: skip
    assert labels(settings(runs), but="lr")[0] == "name=adamw"
    assert labels(settings([runs[0], runs[0]])) == ["", ""]
    twice = [run(a={"k": 1}, b={"k": 2}), run(a={"k": True}, b={"k": None})]
    assert labels(settings(twice)) == ["a.k=1  b.k=2", "a.k=true  b.k=null"]
