"""A checkpoint of PyTorch: a ZIP file with a pickle that names the storages beside it.

The pickle is put together by its opcodes (protocol 2, see pickletools), since the classes that it
names come with PyTorch.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from datetime import datetime

from flowtui.demo.written.archives import zipped
from flowtui.demo.written.arrays import Tensor

_FOLDER = "archive"
_BYTES_A_NUMBER = 4


def checkpoint(
    tensors: Mapping[str, Tensor], values: Mapping[str, int | float | str], at: datetime
) -> bytes:
    """Return what `torch.save` writes of {"model": tensors, **values}."""
    state = b"".join(
        _text(name) + _tensor(str(number), tensor)
        for number, (name, tensor) in enumerate(tensors.items())
    )
    told = b"".join(_text(key) + _value(value) for key, value in values.items())
    content = _text("model") + pickle.EMPTY_DICT + pickle.MARK + state + pickle.SETITEMS
    pickled = pickle.PROTO + b"\2" + pickle.EMPTY_DICT + pickle.MARK + content + told
    members = {f"{_FOLDER}/data.pkl": pickled + pickle.SETITEMS + pickle.STOP}
    members[f"{_FOLDER}/byteorder"] = b"little"
    for number, tensor in enumerate(tensors.values()):
        members[f"{_FOLDER}/data/{number}"] = tensor.data
    members[f"{_FOLDER}/version"] = b"3\n"
    return zipped(members, at)


def _text(text: str) -> bytes:
    data = text.encode()
    return pickle.BINUNICODE + len(data).to_bytes(4, "little") + data


def _value(value: int | float | str) -> bytes:
    # Of a pickle of one value the protocol before it and the stop after it are left out.
    return pickle.dumps(value, 2)[2:-1]


def _named(module: str, name: str) -> bytes:
    return pickle.GLOBAL + f"{module}\n{name}\n".encode()


def _tuple(*parts: bytes) -> bytes:
    return pickle.MARK + b"".join(parts) + pickle.TUPLE


def _tensor(key: str, tensor: Tensor) -> bytes:
    count = len(tensor.data) // _BYTES_A_NUMBER
    strides = [1]
    for length in reversed(tensor.shape[1:]):
        strides.insert(0, strides[0] * length)
    kind = _named("torch", "FloatStorage")
    storage = _tuple(_text("storage"), kind, _text(key), _text("cpu"), _value(count))
    hooks = _named("collections", "OrderedDict") + pickle.EMPTY_TUPLE + pickle.REDUCE
    arguments = _tuple(
        storage + pickle.BINPERSID,
        _value(0),
        _tuple(*map(_value, tensor.shape)),
        _tuple(*map(_value, strides)),
        pickle.NEWFALSE,
        hooks,
    )
    return _named("torch._utils", "_rebuild_tensor_v2") + arguments + pickle.REDUCE
