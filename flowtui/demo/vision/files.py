"""The attachments of the training run: every kind that can be previewed, and one that cannot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from flowtui.demo.vision import documents, logs, pictures, tables


@dataclass(frozen=True, slots=True)
class File:
    """An attachment before it is written."""

    name: str
    data: bytes
    created_at: datetime


def attachments(started_at: datetime, ended_at: datetime) -> Iterator[File]:
    """Makes the attachments, those of the start first."""
    at_start = {
        "train.py": documents.train_script(),
        "data/config.json": tables.config_json(),
        "data/class_counts.tsv": tables.class_counts_tsv(),
        "data/labels_utf16.txt": documents.labels_utf16(),
        "plots/lr_schedule.svg": pictures.schedule_svg(),
    }
    at_end = {
        "plots/confusion_matrix.png": pictures.confusion_png(),
        "plots/sample_grid.png": pictures.sample_grid_png(),
        "plots/descent.gif": pictures.descent_gif(),
        "reports/report.md": documents.report_markdown(),
        "reports/report.pdf": documents.report_pdf(),
        "reports/model_card.docx": documents.model_card_docx(),
        "reports/notes.txt": documents.notes_text(),
        "data/predictions.csv": tables.predictions_csv(),
        "data/hard_examples.jsonl": tables.hard_examples_jsonl(),
        "data/features.npy": tables.features_npy(),
        "data/optimizer.state": tables.optimizer_state(),
        "logs/train.log": logs.coloured(started_at),
        "logs/train_full.log.gz": logs.gzipped(started_at),
    }
    for name, data in at_start.items():
        yield File(name, data, started_at)
    for name, data in at_end.items():
        yield File(name, data, ended_at)
