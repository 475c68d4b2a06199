"""The attachments of the training run: every kind that can be previewed, and one that cannot.

Most lie in data/attachments/; tables and logs, which are long, are made.
"""

from __future__ import annotations

from datetime import datetime

from flowtui.demo.resources import read_bytes
from flowtui.demo.vision import logs, tables


def made_at_start() -> dict[str, bytes]:
    """Return what the run attached as it began, by name."""
    return {
        # Its file is named .txt, since it is data and not part of the program.
        "train.py": _kept("train.py.txt"),
        "data/config.json": _kept("config.json"),
        "data/class_counts.tsv": _kept("class_counts.tsv"),
        "data/labels_utf16.txt": _kept("labels_utf16.txt"),
        "plots/lr_schedule.svg": _kept("lr_schedule.svg"),
    }


def made_at_end(started_at: datetime) -> dict[str, bytes]:
    """Return what the run attached when it was done, by name."""
    return {
        "plots/confusion_matrix.png": _kept("confusion_matrix.png"),
        "plots/sample_grid.png": _kept("sample_grid.png"),
        "plots/descent.gif": _kept("descent.gif"),
        "reports/report.md": _kept("report.md"),
        "reports/report.pdf": _kept("report.pdf"),
        "reports/model_card.docx": _kept("model_card.docx"),
        "reports/notes.txt": _kept("notes.txt"),
        "data/predictions.csv": tables.predictions_csv(),
        "data/hard_examples.jsonl": tables.hard_examples_jsonl(),
        "data/features.npy": _kept("features.npy"),
        "data/optimizer.state": _kept("optimizer.state"),
        "logs/train.log": logs.coloured(started_at),
        "logs/train_full.log.gz": logs.gzipped(started_at),
    }


def _kept(name: str) -> bytes:
    return read_bytes(f"attachments/{name}")
