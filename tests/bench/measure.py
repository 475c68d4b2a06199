"""What a measure is."""

from __future__ import annotations

from dataclasses import dataclass

KB = 1_000
MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Measure:
    """One measured value and what it may be."""

    what: str
    measured: float
    baseline: float | None
    """What it is compared with; None for a budget that is a plain number."""
    budget: float
    unit: str

    @property
    def value(self) -> float:
        """What is held against the budget: the ratio where there is a baseline."""
        return self.measured if self.baseline is None else self.measured / self.baseline

    @property
    def is_met(self) -> bool:
        return self.value <= self.budget
