"""Whether two values of a store are equal, as JSON."""

from __future__ import annotations

from flowtui.store.values import JsonValue


def is_equal(one: JsonValue, other: JsonValue) -> bool:
    """Say whether two values are equal as JSON: true is not 1, but 1 is 1.0 and NaN is NaN.

    However deep they are nested: JSON may be deeper than Python's stack.
    """
    pairs = [(one, other)]
    while pairs:
        left, right = pairs.pop()
        if type(left) in (int, float) and type(right) in (int, float):
            if left == right or (left != left and right != right):
                continue
            return False
        if type(left) is not type(right):
            return False
        if isinstance(left, dict) and isinstance(right, dict):
            if left.keys() != right.keys():
                return False
            pairs += ((item, right[key]) for key, item in left.items())
        elif isinstance(left, list) and isinstance(right, list):
            if len(left) != len(right):
                return False
            pairs += zip(left, right, strict=True)
        elif left != right:
            return False
    return True
