"""What has been measured so far? One JSON file, a line for each turn and call, written as the results come."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.latency.calls import CallResult, as_json

Row = dict[str, Any]


class Cell(NamedTuple):
    """One call to be made."""

    profile: str
    system: str
    round: int


@dataclass
class Results:
    """Attributes:
    profiles: Of each profile's run: ``began``, what ``machine.describe`` tells, and ``way``, how long sound was between
        caller and agent, there and back, seconds (``way.py``).
    calls: One for each attempt.
    turns: One for each turn of the attempt that counts.
    """

    profiles: dict[str, Row] = field(default_factory=dict)
    calls: list[Row] = field(default_factory=list)
    turns: list[Row] = field(default_factory=list)

    def add(self, cell: Cell, result: CallResult, counts: bool, **call: Any) -> None:
        self.calls.append({**cell._asdict(), **({"error": result.error} if result.error else {}), **call})
        if counts:
            self.turns += [{**cell._asdict(), **as_json(row)} for row in result.rows]

    def without(self, profiles: Collection[str]) -> Results:
        """What was measured in all other profiles."""
        return Results(
            profiles={name: about for name, about in self.profiles.items() if name not in profiles},
            calls=[row for row in self.calls if row["profile"] not in profiles],
            turns=[row for row in self.turns if row["profile"] not in profiles],
        )

    def done(self) -> set[Cell]:
        return {Cell(row["profile"], row["system"], row["round"]) for row in self.turns}


def read(path: Path) -> Results:
    data = json.loads(path.read_text(encoding="utf-8"))
    return Results(data["profiles"], data["calls"], data["turns"])


def write(results: Results, path: Path) -> None:
    """Whole or not at all: an interrupted run must be able to go on."""
    profiles = json.dumps(results.profiles, ensure_ascii=False)
    calls, turns = _lines(results.calls), _lines(results.turns)
    text = f'{{"profiles": {profiles},\n"calls": {calls},\n"turns": {turns}}}\n'
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(text, encoding="utf-8")
    part.rename(path)


def _lines(rows: list[Row]) -> str:
    lines = ",\n".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows)
    return f"[\n{lines}\n]"
