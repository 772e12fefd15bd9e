"""Summary of one system in one profile, and the targets of the default strategy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent_worker.core.settings import Settings
from benchmarks.harness.markdown import milliseconds
from benchmarks.harness.stats import Agreement, Spread, agreement, spread
from benchmarks.latency.results import Results, Row

DEFAULT_SYSTEM = f"agent-worker/{Settings.model_fields['preresponse_strategy'].default}"
"""This worker with its default strategy."""
AUDIBLE_GAP_S = 0.12
"""A shorter silence between two segments is not noticed."""


@dataclass(frozen=True)
class Summary:
    """One system in one profile; times in seconds.

    Attributes:
        end_of_turn: The agent's own measure: caller's last voice to the decision that the turn has ended.
        after_end_of_turn: Response gap less the end-of-turn delay of the same turn; includes the transport delay.
        own_after_end_of_turn: The same by the agent's clock, without the transport delay: what the engine adds.
        inter_segment_gap: Silence between pre-response and answer.
        gap_when_ready: The same for turns whose answer had its first audio before the pre-response ended.
        answer_due: Answer gap; where the answer was ready while the pre-response played, until it was ready.
        covered: Turns in which that was so and no silence was audible.
        record: The caller's response gap less the transport delay, compared with the agent's turn record.
    """

    profile: str
    system: str
    turns: int
    failures: int
    preresponses: int
    response_gap: Spread | None
    answer_gap: Spread | None
    end_of_turn: Spread | None
    after_end_of_turn: Spread | None
    own_after_end_of_turn: Spread | None
    inter_segment_gap: Spread | None
    gap_when_ready: Spread | None
    answer_due: Spread | None
    covered: int
    record: Agreement | None

    @property
    def preresponse_share(self) -> float:
        """Share of the answered turns that had a pre-response."""
        heard = self.turns - self.failures
        return self.preresponses / heard if heard else 0.0


Table = Mapping[tuple[str, str], Summary]
"""By profile and system."""


def summaries(results: Results) -> Table:
    """Summarize all results, in the order in which profiles and systems first occur."""
    cells: dict[tuple[str, str], list[Row]] = {}
    for row in results.turns:
        cells.setdefault((row["profile"], row["system"]), []).append(row)
    delays = {profile: about.get("transport_delay", 0.0) for profile, about in results.profiles.items()}
    return {key: summarize(*key, rows, delays.get(key[0], 0.0)) for key, rows in cells.items()}


def summarize(profile: str, system: str, rows: Sequence[Row], transport_delay: float = 0.0) -> Summary:
    """Summarize the turns of one system; ``transport_delay`` is of audio from caller to agent and back, seconds."""
    good = [row for row in rows if "failure" not in row]
    records = [(row, record_of(row)) for row in good]
    return Summary(
        profile=profile,
        system=system,
        turns=len(rows),
        failures=len(rows) - len(good),
        preresponses=sum(bool(row.get("preresponse")) for row in good),
        response_gap=spread(_values(good, "response_gap")),
        answer_gap=spread(_values(good, "answer_gap")),
        end_of_turn=spread(_values((record for _, record in records), "end_of_turn_delay")),
        after_end_of_turn=spread(_differences((row["response_gap"], record) for row, record in records)),
        own_after_end_of_turn=spread(_differences((record.get("response_gap"), record) for _, record in records)),
        inter_segment_gap=spread(_values(good, "inter_segment_gap")),
        gap_when_ready=spread(_values(filter(answer_was_ready, good), "inter_segment_gap")),
        answer_due=spread([_answer_due(row, transport_delay) for row in good]),
        covered=sum(map(_is_covered, good)),
        record=agreement(
            [
                (row["response_gap"] - transport_delay, record["response_gap"])
                for row, record in records
                if record.get("response_gap") is not None
            ]
        ),
    )


def record_of(row: Row) -> dict[str, Any]:
    """Return the agent's turn record; of several (a reply was started again) the first has the turn's delays."""
    records: list[dict[str, Any]] = row.get("records", [])
    return records[0] if records else {}


def answer_was_ready(row: Row) -> bool:
    """Return whether, by the agent's clock, the answer had its first audio before the pre-response ended."""
    instants = record_of(row).get("instants") or {}
    ready, end = instants.get("main_first_audio"), instants.get("preresponse_end")
    return ready is not None and end is not None and ready <= end


def _is_covered(row: Row) -> bool:
    return answer_was_ready(row) and row.get("inter_segment_gap", 1.0) <= AUDIBLE_GAP_S


def _answer_due(row: Row, transport_delay: float) -> float:
    """Return what the caller would have waited for the answer if nothing had been said before it."""
    heard: float = row["answer_gap"]
    if not _is_covered(row):
        return heard
    ready: float = record_of(row)["instants"]["main_first_audio"]
    return min(heard, ready + transport_delay)


def _values(rows: Iterable[Row], name: str) -> list[float]:
    return [row[name] for row in rows if row.get(name) is not None]


def _differences(gaps: Iterable[tuple[float | None, Row]]) -> list[float]:
    """Return gaps less the end-of-turn delay of their record, where both are known."""
    delays = ((gap, record.get("end_of_turn_delay")) for gap, record in gaps)
    return [gap - delay for gap, delay in delays if gap is not None and delay is not None]


@dataclass(frozen=True)
class Target:
    """A limit: ``value`` and ``limit`` are seconds, or a ratio if ``ratio`` is set; None was not measured."""

    profile: str
    what: str
    value: float | None
    limit: float
    ratio: bool = False
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the value is within the limit; None if it was not measured."""
        return None if self.value is None else self.value <= self.limit


def targets(table: Table) -> Iterator[Target]:
    """Yield the targets of the default strategy in each profile."""
    for profile in dict.fromkeys(profile for profile, _ in table):
        ours, stock, seed = (table.get((profile, name)) for name in (DEFAULT_SYSTEM, "stock", "seed"))
        if ours is None:
            continue
        if profile == "cloud":
            yield from _cloud_targets(ours, stock, seed)
        note = f"the pre-response was still playing in {ours.covered} of {ours.turns} turns" if ours.covered else ""
        due = _difference(_p50(ours, "answer_due"), _p50(stock, "answer_gap"))
        what = "answer gap p50 less stock's, or ready while the pre-response played"
        yield Target(profile, what, due, 0.05, note=note)
        if profile == "fast-main":
            apart = _difference(_p50(ours, "answer_gap"), _p50(stock, "answer_gap"))
            yield Target(profile, "answer gap p50, away from stock's", None if apart is None else abs(apart), 0.05)
        gap, record = ours.gap_when_ready, ours.record
        note = f"{gap.count} turns" if gap else "no such turn"
        what = "inter-segment gap p95 where the answer was ready"
        yield Target(profile, what, gap.p95 if gap else None, AUDIBLE_GAP_S, note=note)
        note = f"{record.count} turns, median difference {milliseconds(record.offset)} ms" if record else ""
        what = "turn record's response gap and the transport delay against the caller's, p95"
        yield Target(profile, what, record.p95 if record else None, 0.04, note=note)


def _cloud_targets(ours: Summary, stock: Summary | None, seed: Summary | None) -> Iterator[Target]:
    gap = _p50(ours, "response_gap")
    for name, other, limit in (("stock", stock, 0.5), ("seed", seed, 0.35)):
        theirs = _p50(other, "response_gap")
        ratio = gap / theirs if gap is not None and theirs else None
        yield Target("cloud", f"response gap p50, of {name}'s", ratio, limit, ratio=True)
    rest = ours.after_end_of_turn
    what = "response gap p50 less own end-of-turn delay p50"
    yield Target("cloud", what, _difference(gap, _p50(ours, "end_of_turn")), 0.08)
    yield Target("cloud", "response gap less the turn's end-of-turn delay, p95", rest.p95 if rest else None, 0.2)


def _p50(summary: Summary | None, name: str) -> float | None:
    found = getattr(summary, name) if summary else None
    return found.p50 if found else None


def _difference(first: float | None, second: float | None) -> float | None:
    return None if first is None or second is None else first - second
