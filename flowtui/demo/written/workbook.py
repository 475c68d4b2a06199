"""An Excel workbook: a ZIP file with a list of sheets, and an XML file for each (ECMA-376)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from xml.sax.saxutils import escape, quoteattr

from flowtui.demo.written.archives import zipped

_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_SCHEMAS = "http://schemas.openxmlformats.org"
_MAIN = f"{_SCHEMAS}/spreadsheetml/2006/main"
_RELATED = f"{_SCHEMAS}/officeDocument/2006/relationships"
_PACKAGED = f"{_SCHEMAS}/package/2006"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"

Cell = str | int | float


def workbook(sheets: Mapping[str, Sequence[Sequence[Cell]]], at: datetime) -> bytes:
    """Return a workbook of sheets, each with its rows by its name."""
    members = {
        "[Content_Types].xml": _types(len(sheets)),
        "_rels/.rels": _relations(["officeDocument"], ["xl/workbook.xml"]),
        "xl/workbook.xml": _names(list(sheets)),
        "xl/_rels/workbook.xml.rels": _relations(
            ["worksheet"] * len(sheets),
            [f"worksheets/sheet{number}.xml" for number in range(1, len(sheets) + 1)],
        ),
    }
    for number, rows in enumerate(sheets.values(), 1):
        members[f"xl/worksheets/sheet{number}.xml"] = _sheet(rows)
    return zipped({name: (_HEAD + text).encode() for name, text in members.items()}, at)


def _types(count: int) -> str:
    parts = {"/xl/workbook.xml": f"{_KIND}.sheet.main+xml"}
    for number in range(1, count + 1):
        parts[f"/xl/worksheets/sheet{number}.xml"] = f"{_KIND}.worksheet+xml"
    listed = "".join(
        f'<Override PartName="{name}" ContentType="{kind}"/>' for name, kind in parts.items()
    )
    related = "application/vnd.openxmlformats-package.relationships+xml"
    default = f'<Default Extension="rels" ContentType="{related}"/>'
    return f'<Types xmlns="{_PACKAGED}/content-types">{default}{listed}</Types>'


def _relations(kinds: Sequence[str], targets: Sequence[str]) -> str:
    listed = "".join(
        f'<Relationship Id="rId{number}" Type="{_RELATED}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(zip(kinds, targets, strict=True), 1)
    )
    return f'<Relationships xmlns="{_PACKAGED}/relationships">{listed}</Relationships>'


def _names(names: Sequence[str]) -> str:
    listed = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{number}" r:id="rId{number}"/>'
        for number, name in enumerate(names, 1)
    )
    spaces = f'xmlns="{_MAIN}" xmlns:r="{_RELATED}"'
    return f"<workbook {spaces}><sheets>{listed}</sheets></workbook>"


def _sheet(rows: Sequence[Sequence[Cell]]) -> str:
    listed = "".join(
        f'<row r="{number}">{"".join(_cells(number, row))}</row>'
        for number, row in enumerate(rows, 1)
    )
    return f'<worksheet xmlns="{_MAIN}"><sheetData>{listed}</sheetData></worksheet>'


def _cells(number: int, row: Sequence[Cell]) -> Iterator[str]:
    for at, cell in enumerate(row):
        place = f"{chr(ord('A') + at)}{number}"
        if isinstance(cell, str):
            yield f'<c r="{place}" t="inlineStr"><is><t>{escape(cell)}</t></is></c>'
        else:
            yield f'<c r="{place}"><v>{cell}</v></c>'
