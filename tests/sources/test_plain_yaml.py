"""The YAML that MLflow writes, compared with what PyYAML reads of what it wrote."""

from __future__ import annotations

import math
import time
from contextlib import suppress

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from flowtui.sources.plain_yaml import YamlError, mapping

# PyYAML itself does not get back what it wrote with these, nor may it write the others as they are.
LOST = "\x85\u2028\u2029\ufeff"
texts = st.text(st.characters(exclude_characters=LOST, exclude_categories=("Cs",)))
pieces = ["a word", "'", '"', "\n", " ", ": ", "- ", "#", "\\", "é", "\t"]
wrapped = st.lists(st.sampled_from(pieces), max_size=60).map("".join)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts | wrapped
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.from_regex(r"[a-z_.]{1,12}", fullmatch=True), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.from_regex(r"[a-z_.]{1,12}", fullmatch=True), values, max_size=4),
       st.booleans())  # fmt: skip
def test_what_pyyaml_writes_is_read_as_pyyaml_reads_it(
    document: dict[str, object], is_plain: bool
) -> None:
    text = yaml.safe_dump(document, default_flow_style=False, allow_unicode=is_plain)
    assert mapping(text) == yaml.safe_load(text)


@pytest.mark.parametrize(
    "text", ["0E0", "1e5", "1.0e5", "1.0e+5", "-.5", ".5", "1.", "+1.5", "0.5"]
)
def test_a_text_that_looks_like_a_number_is_a_text(text: str) -> None:
    assert mapping(f"a: {text}\n") == yaml.safe_load(f"a: {text}\n")
    assert mapping(yaml.safe_dump({"a": text})) == {"a": text}


@pytest.mark.parametrize("white", ["\xa0", "\u3000", "\u2003", "\x1c", "\f"])
def test_white_space_that_is_none_in_yaml_belongs_to_the_text(white: str) -> None:
    for document in ({"a": white}, {"a": [white, f"{white}b"]}, {white: f"b{white}"}):
        assert mapping(yaml.safe_dump(document, allow_unicode=True)) == document
        assert mapping(yaml.safe_dump(document)) == document


def test_numbers_that_are_none() -> None:
    assert mapping("a: -.inf\n")["a"] == -math.inf
    assert mapping("a: .nan\n")["a"] != mapping("a: .nan\n")["a"]
    assert mapping("") == {}


@pytest.mark.parametrize(
    "text",
    ["a: 'x", 'a: "x', "a", "- a\n", "a: &x 1", "a: {b: 1}", "a: |\n  x",
     "'a' 1", "a:\n  - b\n c: 1", "".join(f"{' ' * n}a:\n" for n in range(90))],
)  # fmt: skip
def test_what_it_does_not_write_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(YamlError, match=r"line \d+|not a mapping"):
        mapping(text)


@pytest.mark.parametrize("line", ["'", '"', "''\n", "- ", "\\", "a: ", "\n"])
def test_no_text_takes_long(line: str) -> None:
    began_s = time.monotonic()
    for start in ("a: '", 'a: "', "a: x\n  ", "a:\n"):
        with suppress(YamlError):
            mapping(start + f"{line}\n" * 100_000 + "  x'\"")
    assert time.monotonic() - began_s < 10
