"""Raw results: a row for each turn and call, saved after each wave of calls."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from benchmarks.latency.calls import CallResult

Row = dict[str, Any]


class Cell(NamedTuple):
    """One call to make."""

    profile: str
    system: str
    round: int


@dataclass
class Results:
    """Everything measured so far.

    Attributes:
        profiles: For each profile what ``machine.describe`` returned, and ``transport_delay``: the delay of audio from
            caller to agent and back, seconds.
        calls: One row for each attempt.
        turns: One row for each turn of the attempt that counts.
    """

    profiles: dict[str, Row] = field(default_factory=dict)
    calls: list[Row] = field(default_factory=list)
    turns: list[Row] = field(default_factory=list)

    def add(self, cell: Cell, result: CallResult, counts: bool, **call: Any) -> None:
        """Add an attempt, and its turns if it counts; ``call`` are further columns of the attempt."""
        self.calls.append({**cell._asdict(), **({"error": result.error} if result.error else {}), **call})
        if counts:
            self.turns += [{**cell._asdict(), **row.as_result()} for row in result.rows]

    def without(self, profiles: Collection[str]) -> Results:
        """Return the results of all other profiles."""
        return Results(
            profiles={name: about for name, about in self.profiles.items() if name not in profiles},
            calls=[row for row in self.calls if row["profile"] not in profiles],
            turns=[row for row in self.turns if row["profile"] not in profiles],
        )

    def done(self) -> set[Cell]:
        """Return the calls that are made."""
        return {Cell(row["profile"], row["system"], row["round"]) for row in self.turns}
