"""Every key can be changed by an id, and an id means one thing."""

from __future__ import annotations

from collections import defaultdict

from flowtui.settings.bindings import bound


def test_every_binding_has_an_id_and_a_name() -> None:
    bindings = list(bound())
    assert len(bindings) > 300
    assert [f"{node.__name__} {one.key}" for node, one in bindings if not one.id] == []
    shown = [(node, one) for node, one in bindings if one.tooltip]
    assert [one.id for _, one in shown if not one.description] == []


def test_an_id_has_the_same_keys_wherever_it_is_bound() -> None:
    keys = defaultdict(set)
    for _, binding in bound():
        keys[binding.id].add(frozenset(binding.key.split(",")))
    assert {name: found for name, found in keys.items() if len(found) > 1} == {}


def test_no_class_has_an_id_twice() -> None:
    ids = [(node, binding.id) for node, binding in bound()]
    assert len(ids) == len(set(ids))
