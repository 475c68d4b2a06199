"""YAML, TOML and diffs: trees as the files say them, and texts that are made to harm."""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path

import pytest
import yaml

from flowtui.previews import config_tree
from flowtui.previews.kind_table import PreviewKind
from flowtui.previews.values import JsonTree, Mode, Request, TextPage
from flowtui.store.values import JsonValue
from tests.unit.previewed import cpu_at_most, outcome_within_budget, shown


def tree(path: Path, text: str | bytes) -> JsonTree:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    found = shown(path).shown
    assert isinstance(found, JsonTree), found
    return found


def refused(path: Path, text: str) -> str:
    path.write_text(text)
    found = shown(path).shown
    assert isinstance(found, TextPage)
    return found.note


def test_yaml_that_a_library_wrote_is_a_tree(tmp_path: Path) -> None:
    value: JsonValue = {
        "model": {"layers": [64, 32], "dropout": 0.1, "name": "żółw", "off": None, "is": True},
        "text": "two\nlines", "number like": "1e3", "list": [[], {}, -1],
    }  # fmt: skip
    path = tmp_path / "a.yaml"
    found = tree(path, yaml.safe_dump(value, allow_unicode=True))
    assert found.value == value
    assert (found.part.unit, found.part.total, found.problem) == ("item", 4, None)
    assert shown(path).kind is PreviewKind.YAML
    lines = shown(path, Request(mode=Mode.TEXT)).shown
    assert isinstance(lines, TextPage)
    assert lines.language == "yaml"


def test_yaml_is_shown_as_it_is_meant_and_nothing_is_made_of_tags(tmp_path: Path) -> None:
    text = """
base: &base {lr: 0.1, steps: 010}
run: {<<: *base, lr: .inf}
on: yes
1: one
day: 2026-02-03
made: !!python/object/apply:os.system ["touch /tmp/made"]
env: !ENV ${HOME}
bad: !!int many
? [a, b]
: pair
"""
    assert tree(tmp_path / "a.yml", text).value == {
        "base": {"lr": 0.1, "steps": 8},
        "run": {"<<": {"lr": 0.1, "steps": 8}, "lr": math.inf},
        "on": True,
        "1": "one",
        "day": str(date(2026, 2, 3)),
        "made": {"!!python/object/apply:os.system": ["touch /tmp/made"]},
        "env": "!ENV ${HOME}",
        "bad": "many",
        '["a", "b"]': "pair",
    }


def test_documents_of_one_file_are_a_list(tmp_path: Path) -> None:
    found = tree(tmp_path / "a.yaml", "a: 1\n---\n- b\n---\n")
    assert found.value == [{"a": 1}, ["b"], None]
    assert (found.part.unit, found.part.total) == ("document", 3)
    assert tree(tmp_path / "a.yaml", "just text").value == "just text"


def test_a_key_that_is_given_twice_is_told_of(tmp_path: Path) -> None:
    found = tree(tmp_path / "a.yaml", "lr: 1\nb: 2\nlr: 3\n")
    assert found.value == {"lr": 3, "b": 2}
    assert found.problem == 'gives the key "lr" more than once, of which the last value is shown'


def test_an_encoding_that_is_not_utf_8(tmp_path: Path) -> None:
    assert tree(tmp_path / "a.yaml", "naïve: é\n".encode("utf-16")).value == {"naïve": "é"}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a: [1, 2\nb: 3\n", "The file is not YAML at line 2: did not find expected"),
        ("a: b: c", "The file is not YAML at line 1: mapping values are not allowed"),
        ("a: *nowhere", "is not YAML: *nowhere stands for nothing"),
        ("- " * 200 + "x", "nests too deeply"),
        ("[" * 5_000, "nest"),
    ],
    ids=["open", "colons", "alias", "deep", "brackets"],
)
def test_yaml_that_is_no_tree_is_text_and_says_why(tmp_path: Path, text: str, why: str) -> None:
    assert why in refused(tmp_path / "a.yaml", text)


def test_an_alias_in_itself_ends(tmp_path: Path) -> None:
    found = tree(tmp_path / "a.yaml", "a: &a\n  - *a\n  - 1\n")
    assert found.value == {"a": ["*a, which it lies in", 1]}


def test_a_billion_laughs_are_refused(tmp_path: Path) -> None:
    lines = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    path = tmp_path / "a.yaml"
    with cpu_at_most(3):
        said = refused(path, "\n".join(lines))
    assert "more than 200,000 values" in said
    assert outcome_within_budget(path) == "TextPage"


def test_a_large_file_is_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config_tree, "WHOLE_BYTES", 100)
    assert "too large to be shown as a tree" in refused(tmp_path / "a.yaml", "a: 1\n" * 100)


@pytest.mark.slow
def test_the_largest_tree_is_there_in_time(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("".join(f"key{n}: [{n}, {n}.5]\n" for n in range(38_000)))
    with cpu_at_most(5):
        assert isinstance(shown(path).shown, JsonTree)
    assert outcome_within_budget(path) == "JsonTree"


def test_toml_is_a_tree(tmp_path: Path) -> None:
    text = 'title = "x"\nwhen = 2026-02-03T04:05:06Z\n[a.b]\nc = [1, 2.5, inf]\n[[d]]\ne = true\n'
    found = tree(tmp_path / "a.toml", text)
    assert found.value == {
        "title": "x", "when": "2026-02-03 04:05:06+00:00", "a": {"b": {"c": [1, 2.5, math.inf]}},
        "d": [{"e": True}],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a = 1\na = 2\n", "The file is not TOML: Cannot overwrite a value (at line 2"),
        ("a = " + "[" * 5_000, "nests too deeply"),
        ("a = " + "1" * 5_000, "too long"),
        ("key", "The file is not TOML"),
    ],
    ids=["twice", "deep", "digits", "cut"],
)
def test_toml_that_is_no_tree_is_text_and_says_why(tmp_path: Path, text: str, why: str) -> None:
    assert why in refused(tmp_path / "a.toml", text)


DIFF = "diff --git a/x.py b/x.py\n--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-old\n+new\n"


@pytest.mark.parametrize("name", ["git_diff", "code.patch", "changes.txt", "a.diff"])
def test_a_diff_is_known_by_its_beginning_or_its_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text(DIFF if name.endswith(("txt", "git_diff")) else DIFF.partition("\n")[2])
    read = shown(path)
    assert (read.kind, read.modes) == (PreviewKind.DIFF, (Mode.BEST, Mode.TEXT, Mode.HEX))
    assert isinstance(read.shown, TextPage)
    assert read.shown.language == "diff"
