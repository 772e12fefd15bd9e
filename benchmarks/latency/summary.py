"""What has one system shown in one profile?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.latency.results import Results, Row
from benchmarks.latency.stats import Agreement, Spread, agreement, spread


@dataclass(frozen=True)
class Summary:
    """Seconds."""

    profile: str
    system: str
    turns: int
    failures: int
    preresponses: int
    response_gap: Spread | None
    answer_gap: Spread | None
    end_of_turn: Spread | None
    """The agent's own measure: caller's last voice to its decision that the turn has ended."""
    after_end_of_turn: Spread | None
    """Response gap less the end-of-turn delay of the same turn. It has the way there and back in it."""
    own_after_end_of_turn: Spread | None
    """The same by the agent's own clock, which knows nothing of the way: what the engine adds."""
    seam: Spread | None
    seam_when_ready: Spread | None
    """Of the turns whose answer had its first sound before the pre-response ended."""
    answer_due: Spread | None
    """Answer gap, but to when the answer could have been heard where the pre-response was still playing then."""
    covered: int
    """Turns in which it was."""
    record: Agreement | None
    """Response gap as the caller heard it, less the way there and back, against the agent's turn record."""

    @property
    def preresponse_share(self) -> float:
        heard = self.turns - self.failures
        return self.preresponses / heard if heard else 0.0


AUDIBLE_SEAM = 0.12


def summaries(results: Results) -> dict[tuple[str, str], Summary]:
    """By profile and system, in the order in which they first come."""
    cells: dict[tuple[str, str], list[Row]] = {}
    for row in results.turns:
        cells.setdefault((row["profile"], row["system"]), []).append(row)
    return {key: summarise(*key, rows, _way(results, key[0])) for key, rows in cells.items()}


def _way(results: Results, profile: str) -> float:
    """0 where it was not measured."""
    way: float = results.profiles.get(profile, {}).get("way", 0.0)
    return way


def summarise(profile: str, system: str, rows: Sequence[Row], way: float = 0.0) -> Summary:
    """``way``: seconds that sound was between caller and agent, there and back."""
    good = [row for row in rows if "failure" not in row]
    ready = [row for row in good if answer_was_ready(row)]
    return Summary(
        profile=profile,
        system=system,
        turns=len(rows),
        failures=len(rows) - len(good),
        preresponses=sum(bool(row.get("preresponse")) for row in good),
        response_gap=spread(_values(good, "response_gap")),
        answer_gap=spread(_values(good, "answer_gap")),
        end_of_turn=spread(_recorded(good, "end_of_turn_delay")),
        after_end_of_turn=spread(_after_end_of_turn(good)),
        own_after_end_of_turn=spread(_own_after_end_of_turn(good)),
        seam=spread(_values(good, "seam")),
        seam_when_ready=spread(_values(ready, "seam")),
        answer_due=spread([_answer_due(row, way) for row in good]),
        covered=sum(_covered(row) for row in good),
        record=agreement([(heard - way, recorded) for row in good for heard, recorded in _gaps(row)]),
    )


def record_of(row: Row) -> dict[str, Any]:
    """The agent's turn record. Where a reply was begun anew there are several, and the first has the turn's delays."""
    records: list[dict[str, Any]] = row.get("records", [])
    return records[0] if records else {}


def answer_was_ready(row: Row) -> bool:
    """By the agent's own clock: its answer had its first sound before its pre-response ended."""
    instants = record_of(row).get("instants") or {}
    ready, end = instants.get("main_first_audio"), instants.get("preresponse_end")
    return ready is not None and end is not None and ready <= end


def _covered(row: Row) -> bool:
    """Whether the answer came while the pre-response was still playing, and followed it without an audible silence."""
    return answer_was_ready(row) and row.get("seam", 1.0) <= AUDIBLE_SEAM


def _answer_due(row: Row, way: float) -> float:
    """What the caller would have waited for the answer if nothing had been said before it."""
    heard: float = row["answer_gap"]
    return min(heard, record_of(row)["instants"]["main_first_audio"] + way) if _covered(row) else heard


def _values(rows: Iterable[Row], name: str) -> list[float]:
    return [row[name] for row in rows if row.get(name) is not None]


def _recorded(rows: Iterable[Row], name: str) -> list[float]:
    return [value for row in rows if (value := record_of(row).get(name)) is not None]


def _after_end_of_turn(rows: Iterable[Row]) -> list[float]:
    delays = ((row["response_gap"], record_of(row).get("end_of_turn_delay")) for row in rows)
    return [gap - delay for gap, delay in delays if delay is not None]


def _own_after_end_of_turn(rows: Iterable[Row]) -> list[float]:
    records = map(record_of, rows)
    delays = ((record.get("response_gap"), record.get("end_of_turn_delay")) for record in records)
    return [gap - delay for gap, delay in delays if gap is not None and delay is not None]


def _gaps(row: Row) -> list[tuple[float, float]]:
    recorded = record_of(row).get("response_gap")
    return [] if recorded is None else [(row["response_gap"], recorded)]
