"""A small file of each kind in the demo: read by the libraries of its kind, and previewed as it."""

from __future__ import annotations

import pickle
import sqlite3
import tarfile
import wave
from contextlib import closing
from pathlib import Path

import numpy as np
import onnx
import openpyxl
import pytest
from safetensors.numpy import load_file

from flowtui.demo import make_demo
from flowtui.previews.kind_table import PreviewKind
from flowtui.previews.preview import preview
from flowtui.previews.values import DocumentPage, Preview, Request
from tests.unit.demo.test_demo import NOW, folder_of

TRAINING, AGENT = "resnet50-cosine", "support-agent-v3"
KINDS = (
    (TRAINING, "code.tar.gz", PreviewKind.TAR),
    (TRAINING, "pyproject.toml", PreviewKind.TOML),
    (TRAINING, "data/activations.h5", PreviewKind.HDF5),
    (TRAINING, "data/embeddings.npz", PreviewKind.NPZ),
    (TRAINING, "model/best.safetensors", PreviewKind.SAFETENSORS),
    (TRAINING, "model/last.pt", PreviewKind.TORCH),
    (TRAINING, "model/resnet50.onnx", PreviewKind.ONNX),
    (TRAINING, "reports/errors.ipynb", PreviewKind.NOTEBOOK),
    (AGENT, "tools.yaml", PreviewKind.YAML),
    (AGENT, "prompts/system.diff", PreviewKind.DIFF),
    (AGENT, "state/memory.sqlite", PreviewKind.SQLITE),
    (AGENT, "state/planner.pkl", PreviewKind.PICKLE),
    (AGENT, "calls/phone_17.wav", PreviewKind.WAV),
    (AGENT, "calls/transcripts.zip", PreviewKind.ZIP),
    (AGENT, "review/answers.xlsx", PreviewKind.EXCEL),
    (AGENT, "review/quality.html", PreviewKind.HTML),
    (AGENT, "review/scores.parquet", PreviewKind.PARQUET),
)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("kinds") / "store"
    make_demo(directory, NOW)
    return directory


def file_of(demo: Path, run: str, name: str) -> Path:
    return folder_of(demo, run) / "attachments" / name


def previewed(path: Path) -> Preview:
    return preview(path, path.name, Request(width=60, height=20), lambda: False)


@pytest.mark.parametrize(("run", "name", "kind"), KINDS, ids=[name for _, name, _ in KINDS])
def test_each_is_previewed_as_what_it_is(
    demo: Path, run: str, name: str, kind: PreviewKind
) -> None:
    path = file_of(demo, run, name)
    assert path.stat().st_size < 32_000
    read = previewed(path)
    assert read.kind is kind
    assert not getattr(read.shown, "problem", None)
    if kind is PreviewKind.NOTEBOOK:
        assert isinstance(read.shown, DocumentPage)
        text = repr(read.shown.blocks)
        assert "of 3000" in text
        assert "KeyError" in text


def test_their_libraries_read_them(demo: Path) -> None:
    model = file_of(demo, TRAINING, "model")
    onnx.checker.check_model(onnx.load(model / "resnet50.onnx"))
    weights = load_file(model / "best.safetensors")
    assert weights["head.weight"].shape == (12, 32)
    with np.load(file_of(demo, TRAINING, "data/embeddings.npz")) as arrays:
        assert {name: arrays[name].shape for name in arrays} == {
            "start": (48, 16),
            "end": (48, 16),
        }
        assert arrays["end"].std() > arrays["start"].std() > 0
    with tarfile.open(file_of(demo, TRAINING, "code.tar.gz")) as code:
        assert code.getnames() == ["train.py", "pyproject.toml"]
    book = openpyxl.load_workbook(file_of(demo, AGENT, "review/answers.xlsx"))
    assert book.sheetnames == ["Answers", "Topics"]
    assert book["Answers"].max_row == 47
    memory = file_of(demo, AGENT, "state/memory.sqlite")
    with closing(sqlite3.connect(memory)) as connection:
        ((count,),) = connection.execute("select count(*) from customers")
    assert count == 8
    state = pickle.loads(file_of(demo, AGENT, "state/planner.pkl").read_bytes())
    assert state["retries"] == 2
    with wave.open(str(file_of(demo, AGENT, "calls/phone_17.wav"))) as call:
        assert call.getnframes() == call.getframerate() * 1.5


def test_the_checkpoint_shows_its_tensors_and_values(demo: Path) -> None:
    shown = previewed(file_of(demo, TRAINING, "model/last.pt")).shown
    assert [(one.name, one.shape) for one in shown.arrays] == [  # type: ignore[union-attr]
        ("model.stem.weight", (16, 3, 3, 3)),
        ("model.stem.bias", (16,)),
        ("model.head.weight", (12, 32)),
        ("model.head.bias", (12,)),
    ]
    assert shown.metadata["values"]["step"] == 5_000  # type: ignore[union-attr, index, call-overload]
