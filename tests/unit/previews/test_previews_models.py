"""HDF5 and ONNX: what is in a model, and files that are made to harm or to lead elsewhere."""

from __future__ import annotations

import struct
from pathlib import Path

import h5py
import numpy
import onnx
import pytest
from onnx import TensorProto, helper

from flowtui.previews.document_blocks import Heading, Item, Table
from flowtui.previews.errors import PreviewFailed
from flowtui.previews.kind_table import PreviewKind
from flowtui.previews.values import DocumentPage, JsonTree
from flowtui.store.values import JsonValue
from tests.unit.previewed import cpu_at_most, outcome_within_budget, shown


def tree(path: Path) -> dict[str, JsonValue]:
    found = shown(path).shown
    assert isinstance(found, JsonTree)
    assert isinstance(found.value, dict)
    return found.value


def test_an_hdf5_file_is_a_tree_with_shapes_and_first_values(tmp_path: Path) -> None:
    path = tmp_path / "weights.h5"
    with h5py.File(path, "w") as file:
        file.attrs["made by"] = "keras"
        layer = file.create_group("layers/dense")
        values = numpy.arange(12.0).reshape(3, 4)
        kernel = layer.create_dataset("kernel", data=values, compression="gzip")
        kernel.attrs["unit"] = numpy.array([1, 2])
        file["names"] = ["a", "żółw"]
        file["step"] = 3
        file["flags"] = numpy.array([True, False])
        file.create_dataset("huge", shape=(1_000, 1_000_000), dtype="f4", chunks=(1_000, 1_000))
        file.create_dataset("nothing", shape=(0, 3), dtype="f4")
    assert shown(path).kind is PreviewKind.HDF5
    found = tree(path)
    assert found["attributes"] == {"made by": "keras"}
    assert found["layers"] == {
        "dense": {
            "kernel": {
                "type": "float64", "shape": "3 × 4", "compression": "gzip",
                "values": [0.0, 1.0, 2.0, 3.0, "… 8 more"], "attributes": {"unit": [1, 2]},
            }
        }
    }  # fmt: skip
    assert found["names"] == {"type": "object", "shape": "2", "values": ["a", "żółw"]}
    assert found["step"] == {"type": "int64", "shape": "scalar", "values": 3}
    assert found["flags"] == {"type": "bool", "shape": "2", "values": [True, False]}
    huge = found["huge"]
    assert isinstance(huge, dict)
    assert huge["values"] == [*[0.0] * 10, "… 999,999,990 more"]
    assert found["nothing"] == {"type": "float32", "shape": "0 × 3"}


def test_a_matlab_file_of_7_3_is_one(tmp_path: Path) -> None:
    path = tmp_path / "a.mat"
    with h5py.File(path, "w", userblock_size=512) as file:
        file["x"] = [1, 2]
    with path.open("r+b") as raw:
        raw.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64")
    assert shown(path).kind is PreviewKind.HDF5
    assert tree(path)["x"] == {"type": "int64", "shape": "2", "values": [1, 2]}


def test_nothing_outside_an_hdf5_file_is_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_bytes(b"not to be shown!")
    path = tmp_path / "a.h5"
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["x"] = [5, 6]
    with h5py.File(path, "w") as file:
        file["link"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "/x")
        file["soft"] = h5py.SoftLink("/nowhere")
        file.create_dataset("raw", (16,), "u1", external=[(str(secret), 0, 16)])
        layout = h5py.VirtualLayout((2,), "i8")
        layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "x", (2,))
        file.create_virtual_dataset("virtual", layout)
        file["group/self"] = file["/"]
    found = tree(path)
    assert str(found["link"]).startswith("link to another file: ")
    assert found["soft"] == "link to /nowhere"
    assert found["raw"] == {"type": "uint8", "shape": "16"}
    assert found["virtual"] == {"type": "int64", "shape": "2"}
    assert found["group"] == {"self": {"…": "a group that it lies in"}}


def test_a_chunk_that_unpacks_to_much_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset(
            "x", data=numpy.zeros(50_000_000, "f4"), chunks=(50_000_000,), compression="gzip"
        )
    assert tree(path)["x"] == {"type": "float32", "shape": "50,000,000", "compression": "gzip"}
    assert outcome_within_budget(path) == "JsonTree"


def test_many_and_deep_groups_end(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        for number in range(6_000):
            file.create_group(f"g{number}")
        file["deep/" + "/".join(["d"] * 200)] = 1
    found = shown(path).shown
    assert isinstance(found, JsonTree)
    assert (found.part.total, found.note) == (None, "the first 5,000 groups and datasets")
    assert outcome_within_budget(path) == "JsonTree"


def test_a_broken_hdf5_file_is_said_to_be(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["x"] = numpy.arange(1_000)
    data = path.read_bytes()
    path.write_bytes(data[:3_000])
    with pytest.raises(PreviewFailed, match="broken, or cut off"):
        shown(path)
    path.write_bytes(data[:96] + b"\xff" * 400 + data[496:])
    assert outcome_within_budget(path) in ("JsonTree", "The HDF5 file is broken, or cut off.")


def model(path: Path, weight_bytes: int = 800) -> Path:
    weight = helper.make_tensor("w", TensorProto.FLOAT, [10, weight_bytes // 40],
                                bytes(weight_bytes), raw=True)  # fmt: skip
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["x", "w"], ["h"]),
            helper.make_node("Relu", ["h"], ["a"]),
            helper.make_node("Relu", ["a"], ["y"]),
            helper.make_node("FusedGelu", ["y"], ["z"], domain="com.microsoft"),
        ],
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 10]),
         helper.make_tensor_value_info("w", TensorProto.FLOAT, [10, weight_bytes // 40])],
        [helper.make_tensor_value_info("y", TensorProto.BFLOAT16, None)],
        [weight],
    )  # fmt: skip
    made = helper.make_model(
        graph, producer_name="pytorch", producer_version="2.9",
        opset_imports=[helper.make_opsetid("", 21), helper.make_opsetid("com.microsoft", 1)],
    )  # fmt: skip
    made.ir_version = 10
    helper.set_model_props(made, {"run": "r1"})
    onnx.save(made, path)
    return path


def test_an_onnx_model_tells_what_is_in_it(tmp_path: Path) -> None:
    path = model(tmp_path / "net.onnx")
    assert shown(path).kind is PreviewKind.ONNX
    found = shown(path).shown
    assert isinstance(found, DocumentPage)
    assert found.blocks == (
        Heading(1, "Model"),
        Item("IR version: 10", 0),
        Item("made by: pytorch", 0),
        Item("version of it: 2.9", 0),
        Item("graph: net", 0),
        Heading(1, "Operator sets"),
        Table((("domain", "version"), ("ai.onnx", "21"), ("com.microsoft", "1")), 3),
        Heading(1, "Inputs"),
        Table((("name", "type", "shape"), ("x", "float32", "batch × 10")), 2),
        Heading(1, "Outputs"),
        Table((("name", "type", "shape"), ("y", "bfloat16", "")), 2),
        Heading(1, "Operators"),
        Table(
            (("operator", "count"), ("Relu", "2"), ("MatMul", "1"),
             ("com.microsoft.FusedGelu", "1")), 4,
        ),
        Heading(1, "Metadata"),
        Table((("name", "value"), ("run", "r1")), 2),
        Heading(1, "Weights"),
        Table((("name", "type", "shape"), ("w", "float32", "10 × 20")), 2),
    )  # fmt: skip


def test_weights_of_an_onnx_model_are_passed_over(tmp_path: Path) -> None:
    path = model(tmp_path / "net.onnx", 40_000_000)
    with cpu_at_most(1):
        assert isinstance(shown(path).shown, DocumentPage)
    assert outcome_within_budget(path) == "DocumentPage"


HOSTILE = {
    "fields": b"\x08\x01" * 4_000_000,
    "long numbers": b"\x08" + b"\xff" * 1_000_000,
    "lying length": b"\x08\x0a\x3a" + b"\xff\xff\xff\xff\x7f" + b"x" * 100,
    "nodes": b"\x08\x0a\x3a" + struct.pack("<I", 0x80808080)[:0] + b"\x80\x89\x7a"
    + b"\x0a\x00" * 1_000_000,
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_models_are_refused_in_time(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.onnx"
    path.write_bytes(HOSTILE[name])
    with cpu_at_most(8):
        outcome = outcome_within_budget(path)
    assert outcome == "DocumentPage" or outcome.endswith(
        ("cut off.", "too many parts to be shown.", "it has no graph.", "takes too long to read.",
         "needs too much memory to be shown.")
    ) or outcome.startswith("The parser gave up")  # fmt: skip


@pytest.mark.parametrize("at", [10, 60, 200])
def test_a_model_that_is_cut_off_is_said_to_be(tmp_path: Path, at: int) -> None:
    path = model(tmp_path / "net.onnx")
    path.write_bytes(path.read_bytes()[:at])
    with pytest.raises(PreviewFailed, match=r"cut off|no graph"):
        shown(path)
