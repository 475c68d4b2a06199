"""Notebooks and HTML as documents: what stands in them, and pages that are made to harm."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import nbformat
import pytest
from nbformat import v3, v4

from flowtui.previews.document_blocks import (
    Code,
    DocumentBlock,
    Heading,
    Item,
    Markdown,
    Member,
    Paragraph,
    Problem,
    Table,
)
from flowtui.previews.errors import PreviewFailed
from flowtui.previews.kind_table import PreviewKind
from flowtui.previews.values import DocumentPage, Mode, Picture, Request, TextPage
from tests.unit.previewed import cpu_at_most, outcome_within_budget, shown
from tests.unit.previews.test_previews_pictures import plain_png


def notebook(path: Path) -> Path:
    """A notebook with a cell of each kind and outputs of several."""
    cells = [
        v4.new_markdown_cell("# Training\n\nOn **one** GPU."),
        v4.new_code_cell(
            "def f(x):\n    return x",
            execution_count=3,
            outputs=[
                v4.new_output("stream", text="  0%|\r 50%|\r100%|\n\x1b[31mloss\x1b[0m 0.5\n"),
                v4.new_output("execute_result", {"text/plain": "[1, 2]"}, execution_count=3),
                v4.new_output(
                    "display_data",
                    {
                        "image/png": base64.b64encode(plain_png(30, 20)).decode(),
                        "text/plain": "<Figure>",
                    },
                ),
                v4.new_output("display_data", {"text/html": "<h1>A table</h1>"}),
            ],
        ),
        v4.new_code_cell(
            "1/0",
            outputs=[
                v4.new_output(
                    "error", ename="ZeroDivisionError", evalue="division by zero",
                    traceback=["\x1b[0;31mTraceback\x1b[0m", "  1/0"],
                )
            ],
        ),
        v4.new_raw_cell("as it is"),
    ]  # fmt: skip
    made = v4.new_notebook(cells=cells, metadata={"language_info": {"name": "python"}})
    nbformat.write(made, str(path))
    return path


def blocks(path: Path, request: Request | None = None) -> tuple[DocumentBlock, ...]:
    found = shown(path, request).shown
    assert isinstance(found, DocumentPage)
    return found.blocks


def test_a_notebook_is_its_cells_and_what_running_them_gave(tmp_path: Path) -> None:
    path = notebook(tmp_path / "a.ipynb")
    read = shown(path)
    assert (read.kind, read.modes) == (PreviewKind.NOTEBOOK, (Mode.BEST, Mode.TEXT, Mode.HEX))
    assert blocks(path) == (
        Markdown("# Training\n\nOn **one** GPU."),
        Code("def f(x):\n    return x", "python", "[3]"),
        Code("100%|\nloss 0.5"),
        Code("[1, 2]"),
        Member("output-2-3.png", len(plain_png(30, 20)), "file", 1_002),
        Member("output-2-4.html", 16, "file", 1_003),
        Code("1/0", "python", "[ ]"),
        Problem("ZeroDivisionError: division by zero"),
        Code("Traceback\n  1/0"),
        Code("as it is"),
    )
    part = read.shown.part  # type: ignore[union-attr]
    assert (part.unit, part.count, part.total) == ("cell", 4, 4)
    assert isinstance(shown(path, Request(mode=Mode.TEXT)).shown, TextPage)


def test_outputs_of_a_notebook_are_members(tmp_path: Path) -> None:
    path = notebook(tmp_path / "a.ipynb")
    picture, page = (block for block in blocks(path) if isinstance(block, Member))
    drawn = shown(path, Request(width=40, height=20, inside=(picture,)))
    assert isinstance(drawn.shown, Picture)
    assert (drawn.shown.source_width, drawn.shown.source_height) == (30, 20)
    assert blocks(path, Request(inside=(page,))) == (Heading(1, "A table"),)
    gone = Member("output-9-1.png", 1, "file", 8_000)
    with pytest.raises(PreviewFailed, match="not there any more"):
        shown(path, Request(inside=(gone,)))


def test_cells_are_read_page_by_page(tmp_path: Path) -> None:
    path = tmp_path / "a.ipynb"
    made = v4.new_notebook(cells=[v4.new_code_cell(f"x = {n}") for n in range(300)])
    nbformat.write(made, str(path))
    first = shown(path).shown
    assert isinstance(first, DocumentPage)
    assert (first.part.count, first.part.total, first.part.next_position) == (200, 300, 200)
    rest = blocks(path, Request(position=200, index=200))
    assert (len(rest), rest[0]) == (100, Code("x = 200", "python", "[ ]"))
    last = blocks(path, Request(is_last=True, count=1))
    assert last == (Code("x = 299", "python", "[ ]"),)


def test_a_notebook_of_version_3_is_read(tmp_path: Path) -> None:
    sheet = v3.new_worksheet(
        cells=[
            v3.new_heading_cell("Old", level=2),
            v3.new_code_cell("1 + 1", prompt_number=2, language="python", outputs=[
                v3.new_output("pyout", output_text="2", prompt_number=2)]),
        ]
    )  # fmt: skip
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps(v3.new_notebook(worksheets=[sheet])))
    assert blocks(path) == (Heading(2, "Old"), Code("1 + 1", "python", "[2]"), Code("2"))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ('{"cells": [', "cut off"),
        ('{"a": 1}', "no cells"),
        ("[1, 2]", "not a notebook"),
        ('{"cells": ' + "[" * 100_000 + "]" * 100_000 + "}", "not JSON"),
    ],
    ids=["cut", "object", "list", "deep"],
)
def test_what_is_no_notebook_is_said_to_be_none(tmp_path: Path, data: str, why: str) -> None:
    path = tmp_path / "a.ipynb"
    path.write_text(data)
    with pytest.raises(PreviewFailed, match=why):
        shown(path)
    assert isinstance(shown(path, Request(mode=Mode.TEXT)).shown, TextPage)


def test_odd_values_in_a_notebook_harm_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.ipynb"
    outputs = [
        3,
        {"output_type": "display_data", "data": {"image/png": "no base 64"}},
        {"output_type": "error", "traceback": 3},
        {"output_type": "display_data", "data": {"application/vnd.x": {}}},
    ]
    odd = [
        None, 7, "x", [], {}, {"cell_type": "code", "source": 7, "outputs": {"a": 1}},
        {"cell_type": "code", "source": ["a", 3], "execution_count": "x", "outputs": outputs},
    ]  # fmt: skip
    path.write_text(json.dumps({"cells": odd}))
    assert blocks(path)[-3:] == (
        Problem("None: "), Code(""), Paragraph("An output of the type application/vnd.x."),
    )  # fmt: skip


@pytest.mark.slow
def test_a_large_notebook_keeps_within_the_budget(tmp_path: Path) -> None:
    path = tmp_path / "a.ipynb"
    picture = v4.new_output("display_data", {"image/png": "A" * 5_000_000})
    cells = [v4.new_code_cell("x", outputs=[picture]) for _ in range(5)]
    made = v4.new_notebook(cells=cells)
    path.write_text(json.dumps(made))
    assert outcome_within_budget(path) == "DocumentPage"
    path.write_text(json.dumps({"cells": [{"cell_type": "raw", "source": "x" * 40_000_000}]}))
    assert outcome_within_budget(path).startswith("The notebook is too large")


PAGE = """<!doctype html><html><head><title>Report</title><style>p { color: red }</style></head>
<body><h1>Results</h1><p>All is <b>well</b>.<br>See <a href="https://x.org/a">here</a>
and <a href="#below">below</a>.
<ul><li>one<li>two<ol><li>deep</ol></ul>
<table><thead><tr><th>a<th>b</thead><tr><td>1<td></tr><tr><td><table><tr><td>in</table><td>2</table>
<pre>x = 1
  y &lt; 2</pre><blockquote>said</blockquote><img alt="a curve" src="http://127.0.0.1:1/no.png">
<script>document.write("<p>no</p>")</script></body></html>"""


def test_html_is_readable_text(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    path.write_text(PAGE)
    assert shown(path).kind is PreviewKind.HTML
    assert blocks(path) == (
        Heading(0, "Report"),
        Heading(1, "Results"),
        Paragraph("All is well.\nSee here (https://x.org/a) and below."),
        Item("one", 0),
        Item("two", 0),
        Item("deep", 1, is_numbered=True),
        Table((("a", "b"), ("1", ""), ("in", "2")), 3),
        Code("x = 1\n  y < 2"),
        Paragraph("said", is_quoted=True),
        Paragraph("[a curve]"),
    )
    source = shown(path, Request(mode=Mode.TEXT)).shown
    assert isinstance(source, TextPage)
    assert source.language == "html"


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "gb18030"])
def test_html_is_read_in_its_encoding(tmp_path: Path, codec: str) -> None:
    path = tmp_path / "a.html"
    path.write_bytes(("<p>实验结果很好，模型收敛了。</p>" * 20).encode(codec))
    assert set(blocks(path)) == {Paragraph("实验结果很好，模型收敛了。")}


def test_a_page_that_a_script_makes_says_so(tmp_path: Path) -> None:
    path = tmp_path / "plot.html"
    path.write_text("<html><body><div id=a></div><script>plot()</script></body></html>")
    page = shown(path).shown
    assert isinstance(page, DocumentPage)
    assert (page.blocks, page.note) == ((), "a script makes this page; o opens it")


HOSTILE = {
    "deep": "<div>" * 300_000 + "text",
    "lists": "<ul><li>a" * 100_000,
    "tables": "<table><tr><td>" * 100_000 + "text",
    "open": "<" * 1_000_000,
    "comments": "<!--" * 300_000,
    "declarations": "<![" * 300_000,
    "attributes": "<p " + "a=b " * 500_000 + ">text",
    "entities": "&#x41;" * 500_000,
    "one line": "x" * 6_000_000,
    "ends": "</p>" * 500_000,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_html_is_shown_or_refused_in_time(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.html"
    path.write_text("<p>first</p>" + HOSTILE[name])
    with cpu_at_most(7):
        outcome = outcome_within_budget(path)
    refusals = ("This file takes too long", "This file needs too much", "The parser gave up")
    assert outcome == "DocumentPage" or outcome.startswith(refusals)
