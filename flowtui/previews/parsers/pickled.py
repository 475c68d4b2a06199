"""What a pickle holds, by its opcodes alone: nothing is imported, called or loaded.

A pickle is a program. This reads it as `pickletools` does, with words in place of what it would
import and make, so that what loading it would do can be seen before anybody does it.
"""

from __future__ import annotations

import json
import math
import os
import pickletools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO, TypeAlias, cast

if TYPE_CHECKING:
    from flowtui.store.values import JsonValue

EXTRA = ""
LIBRARIES = ("pickletools",)
MAX_STEPS = 2_000_000
MAX_PICKLES = 100
MAX_ARRAYS = 10_000
MAX_IMPORTS = 1_000
SKIPPED_BYTES = 100_000
"""A longer text or block of bytes is passed over."""
_TORCH_MAGIC = 0x1950A86A20F9469CFC6C
_ITEM_BYTES = {
    "Double": 8, "Float": 4, "Half": 2, "BFloat16": 2, "Long": 8, "Int": 4, "Short": 2, "Char": 1,
    "Byte": 1, "Bool": 1, "ComplexFloat": 8, "ComplexDouble": 16,
}  # fmt: skip
_TORCH_NAMES = {
    "Double": "float64", "Float": "float32", "Half": "float16", "BFloat16": "bfloat16",
    "Long": "int64", "Int": "int32", "Short": "int16", "Char": "int8", "Byte": "uint8",
    "Bool": "bool", "ComplexFloat": "complex64", "ComplexDouble": "complex128",
}  # fmt: skip
_NUMPY_LETTERS = {"f": "float", "i": "int", "u": "uint", "c": "complex", "b": "bool"}
_MAX_DEPTH, _MAX_ITEMS, _TEXT_CHARS = 6, 50, 200
_MAX_VALUES = 5_000
"""How many values are shown; a value may be in many places."""
_NAME_CHARS = 1_000
_BROKEN = (ValueError, KeyError, IndexError, AttributeError, TypeError, OverflowError)
# What is on the stack of the machine is of any type, and nothing is done with it but to show it.
_Thing: TypeAlias = Any


@dataclass(frozen=True, slots=True)
class _Global:
    """Something that loading would import."""

    name: str


@dataclass(eq=False, slots=True)
class _PickledObject:
    """Something that loading would make, by a call."""

    what: _Thing
    arguments: _Thing
    state: _Thing = None
    items: list[_Thing] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Tensor:
    dtype: str
    shape: tuple[int, ...]
    size_bytes: int | None


class _Long(bytes):
    """Stands for a block that was passed over: it has its length, and not its bytes."""

    size = 0

    def __len__(self) -> int:
        return self.size


class _Skipping:
    """Gives `pickletools` a file from which long blocks are not read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._size = os.fstat(file.fileno()).st_size

    def read(self, count: int) -> bytes:
        if count <= SKIPPED_BYTES:
            return self._file.read(count)
        start = self._file.tell()
        block = _Long(self._file.read(_TEXT_CHARS))
        block.size = min(count, self._size - start)
        self._file.seek(start + block.size)
        return block

    def readline(self) -> bytes:
        return self._file.readline(SKIPPED_BYTES)

    def tell(self) -> int:
        return self._file.tell()


def in_child(path: Path, arguments: Mapping[str, JsonValue]) -> tuple[dict[str, JsonValue], bytes]:
    """Return the arrays with their names, what would be imported, and the other values."""
    machine = _Machine()
    problem = ""
    roots: list[_Thing] = []
    with path.open("rb") as file:
        try:
            while len(roots) < MAX_PICKLES and file.read(1):
                file.seek(-1, os.SEEK_CUR)
                roots.append(machine.run(file))
                if roots[0] == _TORCH_MAGIC and len(roots) == 4:
                    # What follows are the bytes of its tensors.
                    break
        except (
            ValueError,
            KeyError,
            IndexError,
            AttributeError,
            TypeError,
            OverflowError,
        ) as error:
            problem = f"it breaks off: {str(error)[:_TEXT_CHARS]}" if not roots else ""
        if machine.steps > MAX_STEPS:
            problem = "only its first part was read"
    root = roots[3] if roots[:1] == [_TORCH_MAGIC] and len(roots) > 3 else None
    root = root if root is not None else roots[0] if len(roots) == 1 else roots
    if not roots:
        root = machine.stack[0] if machine.stack else None
    arrays = _arrays(root)
    imports: list[JsonValue] = [*islice(machine.imports, MAX_IMPORTS)]
    values: dict[str, JsonValue] = {
        "imports": imports, "problem": problem,
        "values": _Plain().of(root),
    }  # fmt: skip
    shown: list[JsonValue] = [
        [name, one.dtype, list(one.shape), one.size_bytes] for name, one in arrays
    ]
    return values, json.dumps(shown).encode()


class _Machine:
    """Runs opcodes over words in place of things."""

    def __init__(self) -> None:
        self.imports: dict[str, None] = {}
        self.steps = 0
        self.stack: list[_Thing] = []
        self._marks: list[int] = []
        self._memo: dict[int, _Thing] = {}

    def run(self, file: BinaryIO) -> _Thing:
        self.stack, self._marks, self._memo = [], [], {}
        for opcode, argument, _ in pickletools.genops(cast(IO[bytes], _Skipping(file))):
            self.steps += 1
            if self.steps > MAX_STEPS:
                raise ValueError("it is too long")
            if opcode.name == "STOP":
                return self.stack.pop() if self.stack else None
            self._step(opcode.name, argument)
        return None

    def _step(self, name: str, argument: _Thing) -> None:
        stack = self.stack
        match name:
            case "MARK":
                self._marks.append(len(stack))
            case "POP":
                if self._marks and self._marks[-1] == len(stack):
                    self._marks.pop()
                else:
                    stack.pop()
            case "POP_MARK":
                self._since_mark()
            case "DUP":
                stack.append(stack[-1])
            case "PUT" | "BINPUT" | "LONG_BINPUT":
                self._memo[int(argument)] = stack[-1]
            case "MEMOIZE":
                self._memo[len(self._memo)] = stack[-1]
            case "GET" | "BINGET" | "LONG_BINGET":
                stack.append(self._memo[int(argument)])
            case "EMPTY_DICT" | "EMPTY_LIST" | "EMPTY_SET" | "EMPTY_TUPLE":
                empty: dict[str, _Thing] = {"EMPTY_DICT": {}, "EMPTY_TUPLE": ()}
                stack.append(empty.get(name, []))
            case "DICT":
                items = self._since_mark()
                stack.append(_pairs({}, items))
            case "LIST" | "FROZENSET":
                stack.append(self._since_mark())
            case "TUPLE":
                stack.append(tuple(self._since_mark()))
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                count = int(name[-1])
                stack[-count:] = [tuple(stack[-count:])]
            case "APPEND":
                item = stack.pop()
                _extend(stack[-1], [item])
            case "APPENDS" | "ADDITEMS":
                items = self._since_mark()
                _extend(stack[-1], items)
            case "SETITEM":
                value, key = stack.pop(), stack.pop()
                _set_items(stack[-1], [key, value])
            case "SETITEMS":
                items = self._since_mark()
                _set_items(stack[-1], items)
            case _:
                self._make(name, argument)

    def _make(self, name: str, argument: _Thing) -> None:
        stack = self.stack
        match name:
            case "GLOBAL":
                stack.append(self._imported(*str(argument).split(" ", 1)))
            case "STACK_GLOBAL":
                what, module = stack.pop(), stack.pop()
                stack.append(self._imported(str(module), str(what)))
            case "REDUCE" | "NEWOBJ":
                given, what = stack.pop(), stack.pop()
                stack.append(_called(what, given))
            case "NEWOBJ_EX":
                _, given, what = stack.pop(), stack.pop(), stack.pop()
                stack.append(_called(what, given))
            case "INST":
                given = tuple(self._since_mark())
                stack.append(_called(self._imported(*str(argument).split(" ", 1)), given))
            case "OBJ":
                what, *items = self._since_mark()
                stack.append(_called(what, tuple(items)))
            case "BUILD":
                state = stack.pop()
                stack[-1] = _built(stack[-1], state)
            case "PERSID":
                stack.append(_PickledObject(_Global("persistent id"), argument))
            case "BINPERSID":
                stack.append(_PickledObject(_Global("persistent id"), stack.pop()))
            case "NONE" | "NEWTRUE" | "NEWFALSE":
                stack.append({"NONE": None, "NEWTRUE": True, "NEWFALSE": False}[name])
            case "EXT1" | "EXT2" | "EXT4":
                stack.append(self._imported("copyreg extension", str(argument)))
            case "PROTO" | "FRAME" | "READONLY_BUFFER":
                pass
            case "NEXT_BUFFER":
                stack.append(b"")
            case _:
                stack.append(argument)

    def _imported(self, module: str, name: str = "") -> _Global:
        full = f"{module}.{name}"[:_TEXT_CHARS]
        self.imports[full] = None
        return _Global(full)

    def _since_mark(self) -> list[_Thing]:
        at = self._marks.pop()
        items = self.stack[at:]
        del self.stack[at:]
        return items


def _pairs(target: dict[_Thing, _Thing], items: list[_Thing]) -> dict[_Thing, _Thing]:
    for key, value in zip(items[::2], items[1::2], strict=False):
        is_plain = isinstance(key, (str, int, float, bytes, bool, type(None)))
        target[key if is_plain else json.dumps(_Plain().of(key))] = value
    return target


def _extend(target: _Thing, items: list[_Thing]) -> None:
    if isinstance(target, list):
        target.extend(items)
    elif isinstance(target, _PickledObject):
        target.items.extend(items)


def _set_items(target: _Thing, items: list[_Thing]) -> None:
    if isinstance(target, dict):
        _pairs(target, items)
    elif isinstance(target, _PickledObject):
        target.state = _pairs(target.state if isinstance(target.state, dict) else {}, items)


def _called(what: _Thing, given: _Thing) -> _Thing:
    """Return what a call would make, as far as it is known without making it."""
    name = what.name if isinstance(what, _Global) else ""
    if name in ("collections.OrderedDict", "collections.defaultdict"):
        return {}
    if name.startswith("torch._utils._rebuild_"):
        match given:
            case (_PickledObject(arguments=("storage", _Global(kind), *_)), _, tuple(shape), *_):
                return _tensor_of_torch(kind, shape)
            case (_Tensor() as inner, *_):
                return inner
    if name.endswith("._frombuffer"):
        match given:
            case (_, _PickledObject(arguments=(str(code), *_)), tuple(shape), *_):
                return _tensor_of_numpy(code, shape)
    return _PickledObject(what, given)


def _tensor_of_numpy(code: str, shape: tuple[_Thing, ...]) -> _Tensor:
    sizes = tuple(size for size in shape if isinstance(size, int))
    letter, item = code.lstrip("<>|=")[:1], code.lstrip("<>|=")[1:]
    if letter not in _NUMPY_LETTERS or not item.isdigit():
        return _Tensor(code, sizes, None)
    bits = "" if letter == "b" else int(item) * 8
    return _Tensor(f"{_NUMPY_LETTERS[letter]}{bits}", sizes, int(item) * math.prod(sizes))


def _tensor_of_torch(storage: str, shape: tuple[_Thing, ...]) -> _Tensor:
    kind = storage.rpartition(".")[2].removesuffix("Storage")
    sizes = tuple(size for size in shape if isinstance(size, int))
    item = _ITEM_BYTES.get(kind)
    return _Tensor(
        _TORCH_NAMES.get(kind, kind), sizes, None if item is None else item * math.prod(sizes)
    )


def _built(made: _Thing, state: _Thing) -> _Thing:
    if not isinstance(made, _PickledObject):
        return made
    name = made.what.name if isinstance(made.what, _Global) else ""
    match state:
        case (_, tuple(shape), _PickledObject(arguments=(str(code), *_)), *_) if (
            "_reconstruct" in name
        ):
            return _tensor_of_numpy(code, shape)
    made.state = state
    return made


def _arrays(root: _Thing) -> list[tuple[str, _Tensor]]:
    """Return the arrays at any depth, each with the names on the way to it."""
    found: list[tuple[str, _Tensor]] = []
    seen: set[int] = set()
    waiting: list[tuple[str, _Thing]] = [("", root)]
    while waiting and len(found) < MAX_ARRAYS:
        name, thing = waiting.pop()
        if isinstance(thing, _Tensor):
            found.append((name, thing))
            continue
        if not isinstance(thing, (dict, list, tuple, _PickledObject)) or id(thing) in seen:
            continue
        seen.add(id(thing))
        inside = [
            (f"{name}.{key}"[-_NAME_CHARS:] if name else str(key), one)
            for key, one in _inside(thing)
        ]
        waiting += reversed(inside)
    return found


def _inside(thing: _Thing) -> Iterator[tuple[_Thing, _Thing]]:
    if isinstance(thing, dict):
        for key, value in thing.items():
            # Modules of PyTorch keep their parts under these names, which nobody uses.
            if key in ("_parameters", "_buffers", "_modules") and isinstance(value, dict):
                yield from value.items()
            else:
                yield str(key)[:_TEXT_CHARS], value
    elif isinstance(thing, _PickledObject):
        yield from _inside(thing.state)
        yield from enumerate(thing.items)
    elif isinstance(thing, (list, tuple)):
        yield from enumerate(thing)


class _Plain:
    """Turns values into JSON, cut where they are deep or many; what would be made is in words."""

    def __init__(self) -> None:
        self._left = _MAX_VALUES

    def of(self, thing: _Thing, depth: int = 0) -> JsonValue:
        self._left -= 1
        match thing:
            case None | bool() | float():
                return thing
            case int():
                return thing if abs(thing) < 1 << 63 else f"a number of {thing.bit_length():,} bits"
            case str():
                return thing[:_TEXT_CHARS]
            case bytes() | bytearray():
                return f"{len(thing):,} bytes"
            case _Tensor(dtype, shape):
                return f"{dtype} {list(shape)}"
            case _Global(name):
                return name
            case _ if depth >= _MAX_DEPTH or self._left < 0:
                return "…"
            case dict():
                some = list(thing.items())[:_MAX_ITEMS]
                shown = {str(key)[:_TEXT_CHARS]: self.of(one, depth + 1) for key, one in some}
                more = len(thing) - len(some)
                return shown | ({"…": f"{more:,} more"} if more > 0 else {})
            case list() | tuple():
                items = [self.of(one, depth + 1) for one in thing[:_MAX_ITEMS]]
                more = len(thing) - len(items)
                return items + ([f"… {more:,} more"] if more > 0 else [])
            case _PickledObject():
                return self._made(thing, depth + 1)
        return f"something of the type {type(thing).__name__}"

    def _made(self, thing: _PickledObject, depth: int) -> JsonValue:
        said = {"made by": thing.what, "of": thing.arguments or None, "state": thing.state,
                "items": thing.items or None}  # fmt: skip
        return {name: self.of(one, depth) for name, one in said.items() if one is not None}
