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
    waited_in_silence: Spread | None
    """Answer gap of the turns in which the pre-response was over before the answer's turn came: without one, or with a
    seam that can be heard."""
    record: Agreement | None
    """Response gap as the caller heard it against the agent's turn record."""

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
    return {key: summarise(*key, rows) for key, rows in cells.items()}


def summarise(profile: str, system: str, rows: Sequence[Row]) -> Summary:
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
        waited_in_silence=spread(_values([row for row in good if row.get("seam", 1.0) > AUDIBLE_SEAM], "answer_gap")),
        record=agreement([pair for row in good if (pair := _gaps(row)) is not None]),
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


def _gaps(row: Row) -> tuple[float, float] | None:
    recorded = record_of(row).get("response_gap")
    return None if recorded is None else (row["response_gap"], recorded)
