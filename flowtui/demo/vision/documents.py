"""Documents of the training run: pdf, docx, markdown, source, plain text."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

from flowtui.demo.vision import story

_RESULTS = (
    ("step decay (June)", "0.860", "0.966", "1.9"),
    ("cosine", "0.874", "0.977", "1.6"),
    ("cosine + EMA", "0.877", "0.978", "1.6"),
)

_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


def report_markdown() -> bytes:
    """Tells what was tried, what came out, and what to do next."""
    table = "\n".join(f"| {' | '.join(row)} |" for row in _RESULTS)
    return f"""# {story.RUN}

Cosine schedule against the June baseline, **same data, same seed**.

| schedule | top-1 | top-5 | hours |
|---|---:|---:|---:|
{table}

## What happened at step {story.SPIKE_STEP:,}

A corrupt batch gave a loss of `{story.SPIKE_LOSS}` and an infinite gradient norm.
The scaler skipped {len(story.LOST_STEPS)} steps; validation never noticed.

> Dumplings and gyoza stay the hardest pair. See `plots/confusion_matrix.png`.

## Next

1. Drop shard 9, batch 167
2. Try 288 px at test time
   - memory allows batch 192
3. Ask the label team about *pho* and *ramen*

```python
model = load("resnet50_v1.luml")
model.predict(image).topk(5)
```
""".encode()


def notes_text() -> bytes:
    """Gives hand-written notes with accents, arrows and other scripts, in UTF-8."""
    return """\
Notes from the review on Thursday
=================================

- cosine ≥ step decay from epoch 6 on (Δ top-1 = +1.4)
- crème brûlée → often taken for panna cotta; photos from one café only
- 餃子 and dumplings: two thirds of the disagreements are label noise
- température du GPU: 71 °C, fine
- ask for 200 more паелья pictures ☂ taken indoors
""".encode()


def labels_utf16() -> bytes:
    """Gives the label list as a spreadsheet program saves it: UTF-16 with a byte-order mark."""
    return b"\xff\xfe" + "\r\n".join(["Klasse;Größe", *(f"{n};125" for n in story.CLASSES)]).encode(
        "utf-16-le"
    )


def train_script() -> bytes:
    """Gives the script that made the run."""
    return f'''"""Fine-tunes a ResNet-50 on Food-101."""

import argparse
import math

import torch

WARMUP = {story.WARMUP_STEPS}
PEAK = {story.PEAK_RATE}


def learning_rate(step: int, steps: int) -> float:
    """Linear warm-up, then half a cosine."""
    if step < WARMUP:
        return PEAK * (0.01 + 0.99 * step / WARMUP)
    share = (step - WARMUP) / (steps - WARMUP)
    return 1e-5 + (PEAK - 1e-5) * 0.5 * (1 + math.cos(math.pi * share))


def train_step(model, batch, optimizer, scaler, clip=5.0):
    images, labels = (part.cuda(non_blocking=True) for part in batch)
    with torch.autocast("cuda"):
        loss = torch.nn.functional.cross_entropy(model(images), labels, label_smoothing=0.1)
    scaler.scale(loss).backward()
    scaler.unscale_(optimizer)
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
    scaler.step(optimizer)
    scaler.update()
    optimizer.zero_grad(set_to_none=True)
    return loss.item(), norm.item()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default={story.STEPS})
    parser.add_argument("--batch-size", type=int, default=256)
    args = parser.parse_args()
'''.encode()


def report_pdf() -> bytes:
    """Gives the report as three pages: summary, results with bars, and the incident."""
    pages = [
        _pdf_text(
            720,
            [
                f"({story.RUN})",
                "(Cosine schedule against step decay on Food-101.)",
                "(5,000 steps, batch 256, one GPU, 1 h 38 min.)",
                "(Top-1 rises from 86.0 to 87.4 percent.)",
            ],
        ),
        _pdf_text(720, ["(Results)", *(f"({name}: top-1 {top1})" for name, top1, *_ in _RESULTS)])
        + _pdf_bars([float(top1) for _, top1, *_ in _RESULTS]),
        _pdf_text(
            720,
            [
                f"(Incident at step {story.SPIKE_STEP})",
                f"(Loss {story.SPIKE_LOSS}, gradient norm infinite, five steps skipped.)",
                "(Cause: a truncated image in shard 9, batch 167.)",
            ],
        ),
    ]
    return _pdf(pages)


def model_card_docx() -> bytes:
    """Gives a model card with headings, a bulleted list and a table."""
    body = "".join(
        [
            _docx_text("Model card: resnet50_v1", "Heading1"),
            _docx_text("Names the dish on a photo, out of 101 dishes. Runs on a phone in 40 ms."),
            _docx_text("Limits", "Heading2"),
            _docx_text("Confuses dumplings and gyoza.", "ListBullet"),
            _docx_text("Was never shown drinks; gives a dish anyway.", "ListBullet"),
            _docx_text("Photos from above work best.", "ListBullet"),
            _docx_text("Results", "Heading2"),
            _docx_table([("schedule", "top-1", "top-5", "hours"), *_RESULTS]),
        ]
    )
    return _docx(
        f'{_XML}<w:document xmlns:w="{_WORD}"><w:body>{body}<w:sectPr/></w:body></w:document>'
    )


def _pdf(streams: Sequence[bytes]) -> bytes:
    count = len(streams)
    kids = " ".join(f"{4 + 2 * page} 0 R" for page in range(count))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {count} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for page, stream in enumerate(streams):
        objects += [
            (
                "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842]"
                f" /Resources << /Font << /F1 3 0 R >> >> /Contents {5 + 2 * page} 0 R >>"
            ).encode(),
            b"<< /Length %d >>\nstream\n%b\nendstream" % (len(stream), stream),
        ]
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number, content in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    entries = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    table = b"xref\n0 %d\n0000000000 65535 f \n%b" % (size, entries)
    trailer = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, len(out))
    return bytes(out) + table + trailer


def _pdf_text(top: int, lines: Sequence[str]) -> bytes:
    first, *rest = lines
    body = "".join(f"0 -24 Td {line} Tj\n" for line in rest)
    return f"BT /F1 22 Tf 72 {top} Td {first} Tj\n/F1 13 Tf 0 -16 Td\n{body}ET\n".encode("latin-1")


def _pdf_bars(shares: Sequence[float]) -> bytes:
    bars = "".join(
        f"{72 + 110 * place} 380 80 {(share - 0.8) * 2400:.0f} re f\n"
        for place, share in enumerate(shares)
    )
    return f"0.13 0.57 0.55 rg\n{bars}0 g\n".encode("latin-1")


def _docx(document: str) -> bytes:
    parts = {
        "[Content_Types].xml": f'{_XML}<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels"'
        ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        + "".join(
            f'<Override PartName="/word/{part}.xml" ContentType="application/vnd.openxmlformats-'
            f'officedocument.wordprocessingml.{kind}+xml"/>'
            for part, kind in (("document", "document.main"), ("styles", "styles"))
        )
        + "</Types>",
        "_rels/.rels": _docx_relation("officeDocument", "word/document.xml"),
        "word/_rels/document.xml.rels": _docx_relation("styles", "styles.xml"),
        "word/document.xml": document,
        "word/styles.xml": _docx_styles(
            {
                "Normal": "Normal",
                "Heading1": "heading 1",
                "Heading2": "heading 2",
                "ListBullet": "List Bullet",
            }
        ),
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            # ZipInfo's own date is fixed, where writestr(name) takes the clock's.
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, text)
    return buffer.getvalue()


def _docx_relation(kind: str, target: str) -> str:
    return (
        f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/{kind}" Target="{target}"/></Relationships>'
    )


def _docx_styles(names: Mapping[str, str]) -> str:
    styles = "".join(
        f'<w:style w:type="paragraph" w:styleId="{style}"><w:name w:val="{name}"/></w:style>'
        for style, name in names.items()
    )
    return f'{_XML}<w:styles xmlns:w="{_WORD}">{styles}</w:styles>'


def _docx_text(text: str, style: str = "Normal") -> str:
    return (
        f'<w:p><w:pPr><w:pStyle w:val="{style}"/></w:pPr>'
        f'<w:r><w:t xml:space="preserve">{escape(text)}</w:t></w:r></w:p>'
    )


def _docx_table(rows: Sequence[Sequence[str]]) -> str:
    grid = '<w:gridCol w:w="2200"/>' * len(rows[0])
    lines = "".join(
        f"<w:tr>{''.join(f'<w:tc>{_docx_text(cell)}</w:tc>' for cell in row)}</w:tr>"
        for row in rows
    )
    return f"<w:tbl><w:tblPr/><w:tblGrid>{grid}</w:tblGrid>{lines}</w:tbl>"
