"""Pickles and checkpoints of PyTorch: what is in them, and that nothing of them is ever run."""

from __future__ import annotations

import collections
import io
import os
import pickle
import struct
import types
import zipfile
from pathlib import Path

import numpy
import pytest

from flowtui.previews.kind_table import PreviewKind
from flowtui.previews.values import Array, Arrays, Request
from flowtui.store.values import JsonValue
from tests.unit.previewed import cpu_at_most, outcome_within_budget, shown


def arrays(path: Path, request: Request | None = None) -> Arrays:
    found = shown(path, request).shown
    assert isinstance(found, Arrays)
    return found


def about(path: Path, key: str) -> JsonValue:
    metadata = arrays(path).metadata
    assert isinstance(metadata, dict)
    return metadata.get(key)


class _Storage:
    """Stands for a storage of PyTorch, which is pickled as a persistent id."""

    def __init__(self, kind: str, key: str, count: int) -> None:
        self.place = ("storage", getattr(torch, kind), key, "cpu", count)


class _Tensor:
    """Is pickled as PyTorch pickles a tensor."""

    def __init__(self, storage: _Storage, shape: tuple[int, ...]) -> None:
        self.storage, self.shape = storage, shape

    def __reduce__(self) -> tuple[object, ...]:
        hooks: dict[str, object] = collections.OrderedDict()
        strides = tuple(1 for _ in self.shape)
        return rebuild, (self.storage, 0, self.shape, strides, False, hooks)


def rebuild() -> None: ...


rebuild.__module__, rebuild.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
torch = types.ModuleType("torch")
utils = types.ModuleType("torch._utils")
utils._rebuild_tensor_v2 = rebuild  # type: ignore[attr-defined]
for _kind in ("FloatStorage", "BFloat16Storage", "LongStorage"):
    setattr(torch, _kind, type(_kind, (), {"__module__": "torch"}))


class _Writer(pickle.Pickler):
    def persistent_id(self, thing: object) -> object:
        return thing.place if isinstance(thing, _Storage) else None


@pytest.fixture
def _torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """The names that pickles of PyTorch refer to."""
    monkeypatch.setitem(__import__("sys").modules, "torch", torch)
    monkeypatch.setitem(__import__("sys").modules, "torch._utils", utils)


def state() -> dict[str, object]:
    weight = _Tensor(_Storage("FloatStorage", "0", 50_000), (100, 500))
    return collections.OrderedDict(
        model=collections.OrderedDict(
            [("fc.weight", weight), ("fc.bias", _Tensor(_Storage("BFloat16Storage", "1", 9), (9,)))]
        ),
        epoch=3,
        loss=0.25,
        steps=_Tensor(_Storage("LongStorage", "2", 1), ()),
    )


def torch_pickle(value: object) -> bytes:
    out = io.BytesIO()
    _Writer(out, 2).dump(value)
    return out.getvalue()


FOUND = (
    Array("model.fc.weight", "float32", (100, 500), 200_000),
    Array("model.fc.bias", "bfloat16", (9,), 18),
    Array("steps", "int64", (), 8),
)


@pytest.mark.usefixtures("_torch")
def test_a_checkpoint_shows_its_tensors_and_what_it_would_import(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", torch_pickle(state()))
        archive.writestr("archive/data/0", bytes(200_000))
        archive.writestr("archive/version", "3\n")
    assert shown(path).kind is PreviewKind.TORCH
    found = arrays(path)
    assert found.arrays == FOUND
    assert about(path, "loading it would import") == [
        "collections.OrderedDict", "torch._utils._rebuild_tensor_v2", "torch.FloatStorage",
        "torch.BFloat16Storage", "torch.LongStorage",
    ]  # fmt: skip
    values = about(path, "values")
    assert isinstance(values, dict)
    assert (values["epoch"], values["loss"], values["steps"]) == (3, 0.25, "int64 []")
    assert arrays(path, Request(position=1, count=1)).arrays == FOUND[1:2]


@pytest.mark.usefixtures("_torch")
def test_a_checkpoint_of_the_old_form_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "model.pth"
    parts = [0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}, state(), ["0", "1", "2"]]
    path.write_bytes(b"".join(map(torch_pickle, parts)) + os.urandom(5_000))
    assert shown(path).kind is PreviewKind.PICKLE
    assert arrays(path).arrays == FOUND


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_arrays_of_numpy_in_a_pickle(tmp_path: Path, protocol: int) -> None:
    path = tmp_path / "a.pkl"
    value = {"x": numpy.zeros((3, 4), "f4"), "labels": [numpy.arange(5)], "name": "run", 7: {1}}
    path.write_bytes(pickle.dumps(value, protocol))
    assert shown(path).kind is PreviewKind.PICKLE
    assert arrays(path).arrays == (
        Array("x", "float32", (3, 4), 48), Array("labels.0", "int64", (5,), 40),
    )  # fmt: skip
    values = about(path, "values")
    assert isinstance(values, dict)
    assert (values["x"], values["name"]) == ("float32 [3, 4]", "run")


class _Harm:
    def __reduce__(self) -> tuple[object, ...]:
        return os.system, ("touch made-by-a-pickle",)


def test_nothing_in_a_pickle_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "a.pkl"
    path.write_bytes(pickle.dumps({"x": _Harm()}))
    imports = about(path, "loading it would import")
    assert imports == [f"{os.system.__module__}.system"]
    assert about(path, "values") == {
        "x": {"made by": f"{os.system.__module__}.system", "of": ["touch made-by-a-pickle"]}
    }
    assert [child.name for child in tmp_path.iterdir()] == ["a.pkl"]


def test_objects_are_told_of_in_words(tmp_path: Path) -> None:
    path = tmp_path / "a.pkl"
    path.write_bytes(pickle.dumps(types.SimpleNamespace(lr=0.1, when=collections.Counter(a=2))))
    assert about(path, "values") == {
        "made by": "types.SimpleNamespace",
        "state": {"lr": 0.1, "when": {"made by": "collections.Counter", "of": [{"a": 2}]}},
    }


def test_a_pickle_that_breaks_off_shows_what_came_before(tmp_path: Path) -> None:
    path = tmp_path / "a.pkl"
    path.write_bytes(pickle.dumps({"a": 1, "b": [2] * 1000}, 4)[:-900])
    assert str(about(path, "not loaded")).startswith("it breaks off")


def _deep() -> bytes:
    return b"\x80\x02" + b"]" * 500_000 + b"a" * 499_999 + b"."


def _shared() -> bytes:
    # Each list has the one before it ten times.
    return b"\x80\x02]" + b"".join(
        b"q%c](%sue" % (n, b"h%c" % n * 10) for n in range(90)
    ) + b"."  # fmt: skip


HOSTILE = {
    "deep": _deep(),
    "shared": _shared(),
    "lying length": b"\x80\x04\x95" + struct.pack("<Q", 1 << 40) + b"\x8e"
    + struct.pack("<Q", 1 << 40) + b"x",
    "marks": b"\x80\x02" + b"(" * 3_000_000 + b".",
    "memo": b"\x80\x02K\0" + b"".join(b"r" + struct.pack("<I", n) for n in range(300_000)) + b".",
    "cycle": b"\x80\x02]q\x00h\x00a.",
    "empty stack": b"\x80\x04\x95" + bytes(8) + b"0000R.",
    "big number": b"\x80\x02\x8b" + struct.pack("<i", 1_000_000) + b"\x7f" * 1_000_000 + b".",
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_pickles_are_shown_or_refused_in_time(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.pkl"
    path.write_bytes(HOSTILE[name])
    with cpu_at_most(8):
        outcome = outcome_within_budget(path)
    assert outcome == "Arrays" or outcome.startswith(
        ("The parser gave up", "This file needs too much memory", "This file takes too long")
    )


def test_a_large_block_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "a.pkl"
    with path.open("wb") as file:
        file.write(b"\x80\x04\x95" + struct.pack("<Q", 3_000_000_020) + b"}\x8c\x01xB")
        file.seek(-1, os.SEEK_CUR)
        file.write(b"\x8e" + struct.pack("<Q", 3_000_000_000))
        file.seek(3_000_000_000, os.SEEK_CUR)
        file.write(b"s.")
    with cpu_at_most(2):
        assert about(path, "values") == {"x": "3,000,000,000 bytes"}
