"""The attachments of the training run: every kind that can be previewed, and one that cannot.

Most lie in data/attachments/; tables and logs, which are long, and what has a simple form are made.
"""

from __future__ import annotations

import base64
import json
from datetime import datetime

from flowtui.demo.resources import filled, read_bytes, read_json
from flowtui.demo.vision import logs, story, tables, weights
from flowtui.demo.written import archives


def made_at_start(started_at: datetime) -> dict[str, bytes]:
    """Return what the run attached as it began, by name."""
    # These files are named .txt, since they are data and not part of the program.
    code = {"train.py": _kept("train.py.txt"), "pyproject.toml": _kept("pyproject.toml.txt")}
    return {
        **code,
        "code.tar.gz": archives.tar_gz(code, started_at),
        "data/config.json": _kept("config.json"),
        "data/class_counts.tsv": _kept("class_counts.tsv"),
        "data/labels_utf16.txt": _kept("labels_utf16.txt"),
        "plots/lr_schedule.svg": _kept("lr_schedule.svg"),
    }


def made_at_end(started_at: datetime, ended_at: datetime) -> dict[str, bytes]:
    """Return what the run attached when it was done, by name."""
    predictions = tables.predictions_csv()
    return {
        "plots/confusion_matrix.png": _kept("confusion_matrix.png"),
        "plots/sample_grid.png": _kept("sample_grid.png"),
        "plots/descent.gif": _kept("descent.gif"),
        "reports/report.md": _kept("report.md"),
        "reports/report.pdf": _kept("report.pdf"),
        "reports/model_card.docx": _kept("model_card.docx"),
        "reports/notes.txt": _kept("notes.txt"),
        "reports/errors.ipynb": _notebook(predictions),
        "model/best.safetensors": weights.safetensors(),
        "model/last.pt": weights.torch_checkpoint(ended_at),
        "model/resnet50.onnx": weights.onnx(),
        "data/predictions.csv": predictions,
        "data/embeddings.npz": weights.embeddings(ended_at),
        "data/activations.h5": _kept("activations.h5"),
        "data/hard_examples.jsonl": tables.hard_examples_jsonl(),
        "data/features.npy": _kept("features.npy"),
        "data/optimizer.state": _kept("optimizer.state"),
        "logs/train.log": logs.coloured(started_at),
        "logs/train_full.log.gz": logs.gzipped(started_at),
    }


def _notebook(predictions: bytes) -> bytes:
    """Return the notebook in which somebody looked at what was guessed wrong."""
    values = {
        "run": story.RUN,
        "count": predictions.count(b"\n") - 1,
        "wrong": predictions.count(b",False,"),
        "picture": base64.b64encode(_kept("confusion_matrix.png")).decode(),
    }
    notebook = filled(read_json("attachments/errors.ipynb.json"), values)
    return json.dumps(notebook, indent=1).encode()


def _kept(name: str) -> bytes:
    return read_bytes(f"attachments/{name}")
