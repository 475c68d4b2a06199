"""Statistics of arrays, compared with those that NumPy gives of the whole array."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy
import pytest
from safetensors.numpy import save_file

from flowtui.previews import arrays
from flowtui.previews.errors import PreviewFailed
from flowtui.previews.values import Arrays, Mode, Request
from tests.unit.previewed import shown

ASKED = Request(mode=Mode.STATISTICS)


def statistics(path: Path) -> dict[str, tuple[str, ...]]:
    found = shown(path, ASKED).shown
    assert isinstance(found, Arrays)
    return {array.name: array.statistics for array in found.arrays}


def expected(values: numpy.ndarray) -> tuple[str, ...]:  # type: ignore[type-arg]
    numbers = values.astype("f8").ravel()
    known = numbers[~numpy.isnan(numbers)]
    nans = int(numpy.isnan(numbers).sum())
    if values.dtype.kind == "f":
        return (f"{known.min():.6g}", f"{known.max():.6g}", f"{known.mean():.6g}", f"{nans:,}")
    return (str(int(values.min())), str(int(values.max())), f"{known.mean():.6g}", "0")


def some() -> dict[str, numpy.ndarray]:  # type: ignore[type-arg]
    random = numpy.random.default_rng(7)
    floats = random.normal(size=(1_500, 1_000)).astype("f4")
    floats[3, :5] = numpy.nan
    return {
        "weight": floats,
        "half": random.normal(size=1_000).astype("f2"),
        "ids": random.integers(-(2**60), 2**60, 1_000),
        "mask": numpy.array([True, False, True]),
    }


def test_statistics_of_safetensors_are_those_of_numpy(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    values = some()
    save_file(values, path)
    assert statistics(path) == {name: expected(value) for name, value in values.items()}


@pytest.mark.parametrize("save", [numpy.savez, numpy.savez_compressed])
def test_statistics_of_npz_are_those_of_numpy(tmp_path: Path, save) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "a.npz"
    values = some()
    save(path, **values, words=numpy.array(["a"]), things=numpy.array([{}], dtype=object))
    found = statistics(path)
    assert {name: found[name] for name in values} == {
        name: expected(value) for name, value in values.items()
    }
    assert found["words"] == found["things"] == ("not read", "", "", "")


def test_bfloat16_infinities_and_nothing(tmp_path: Path) -> None:
    numbers = numpy.array([1.5, -2.0, numpy.inf, numpy.nan], "<f4")
    halves = (numbers.view("<u4") >> 16).astype("<u2").tobytes()
    header = {
        "a": {"dtype": "BF16", "shape": [4], "data_offsets": [0, 8]},
        "none": {"dtype": "F32", "shape": [0], "data_offsets": [8, 8]},
        "f8": {"dtype": "F8_E4M3", "shape": [2], "data_offsets": [8, 10]},
    }
    data = json.dumps(header).encode()
    path = tmp_path / "a.safetensors"
    path.write_bytes(struct.pack("<Q", len(data)) + data + halves + b"xx")
    assert statistics(path) == {
        "a": ("-2", "inf", "inf", "1"),
        "none": ("", "", "", "0"),
        "f8": ("not read", "", "", ""),
    }


def test_a_file_that_is_cut_off_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    numpy.save(path, numpy.arange(1_000.0))
    assert statistics(path) == {"": ("0", "999", "499.5", "0")}
    path.write_bytes(path.read_bytes()[:3_001])
    with pytest.raises(PreviewFailed, match="cannot be read"):
        shown(path, ASKED)


def test_what_is_not_reached_in_time_is_not_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.safetensors"
    save_file(some(), path)
    monkeypatch.setattr(arrays, "STATISTICS_S", 0)
    assert set(statistics(path).values()) == {("not read", "", "", "")}
