"""Files of several kinds compared: by blocks, by the rows of all sheets, by what is in a pickle."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from flowtui.previews.values import Request
from flowtui.screens.attachments.comparing import FileEnd, compare
from flowtui.screens.attachments.reading import FileSource
from tests.unit.previews.test_previews_pages import notebook
from tests.unit.previews.test_previews_workbooks import workbook


def changed_notebook(path: Path) -> None:
    notebook(path)
    path.write_text(path.read_text().replace("return x", "return x + 1"))


def changed_workbook(path: Path) -> None:
    workbook(path)
    book = openpyxl.load_workbook(path)
    book["Numbers & more"]["A2"] = "y"
    book.save(path)


PAIRS: dict[str, tuple[Callable[[Path], object], Callable[[Path], object]]] = {
    "a.ipynb": (notebook, changed_notebook),
    "a.xlsx": (workbook, changed_workbook),
    "a.pkl": (
        lambda path: path.write_bytes(pickle.dumps({"lr": 1})),
        lambda path: path.write_bytes(pickle.dumps({"lr": 2})),
    ),
    "a.html": (
        lambda path: path.write_text("<h1>One</h1><table><tr><td>1</table>"),
        lambda path: path.write_text("<h1>One</h1><table><tr><td>2</table>"),
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_what_differs_is_found_wherever_it_is(tmp_path: Path, name: str) -> None:
    ends = []
    for letter, make in zip("AB", PAIRS[name], strict=True):
        path = tmp_path / letter / name
        path.parent.mkdir()
        make(path)
        ends.append(FileEnd(letter, name, FileSource(letter, name, lambda path=path: path)))
    found = compare(ends[0], ends[1], Request())
    assert found.difference is not None
    assert found.note == ""
    assert found.difference.changes
