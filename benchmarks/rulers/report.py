"""The report: the cause of voicebench's longer latencies, the two rulers side by side, and the scores of others."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.harness.cli import DOCS, ReportFiles
from benchmarks.harness.cut_offs import cut_offs
from benchmarks.harness.markdown import fill, milliseconds, table
from benchmarks.harness.results import load
from benchmarks.harness.stats import agreement, percentile, spread
from benchmarks.latency.people_summary import people_rows
from benchmarks.latency.results import Results as LatencyResults
from benchmarks.rulers.results import Results
from benchmarks.rulers.scenarios import RESPOND
from benchmarks.rulers.scores import Conversation, Said, eva, tau_voice
from caller import Segment

SHIPPED, RESTARTED, CORRECTED = "as shipped", "clock restarted", "corrected"
"""As in ``voicebench_call``, which imports voicebench."""
MAX_DIFFERENCE_S = 0.04
"""Between two rulers of one call; a larger one needs a reason."""
_TEMPLATE = Path(__file__).parent / "template.md"
Row = dict[str, Any]
Conversations = Mapping[str, Sequence[Conversation]]


def write(results: Results, files: ReportFiles) -> None:
    """Write the report."""
    about, people = results.about, of_people(load(DOCS / "latency.json", LatencyResults))
    page = fill(
        _TEMPLATE,
        **about,
        transport_delay=milliseconds(results.transport_delay),
        cut_offs=cut_offs(),
        causes=_causes(results),
        agreement=_agreement(results),
        verdict=_verdict(results),
        voicebench=_voicebench(results),
        tau_voice=_tau_voice(_conversations(results)),
        eva=_eva(_conversations(results)),
        people_tau_voice=_tau_voice(people),
        people_eva=_eva(people),
        failed=sum(session.error is not None for session in results.sessions),
        sessions=len(results.sessions),
        busy=f"{statistics.median(session.cpu_percent for session in results.sessions):.0f}",
    )
    files.write_page(page)


def answered(results: Results, **wanted: Any) -> list[Row]:
    """Return the turns that both rulers heard answered, with the session's ``connect_s``."""
    return [
        {**row, "connect_s": session.connect_s}
        for session in results.of(**wanted)
        for row in session.rows
        if row["expect"] == "respond"
        and row["caller_gap"] is not None
        and row["voicebench"]["response_latency_ms"] is not None
    ]


def difference(row: Row) -> float:
    """Return how much longer voicebench's latency is than what ``caller`` reads, seconds."""
    return float(row["voicebench"]["response_latency_ms"] / 1000 - row["caller_gap"])


def known(row: Row) -> float:
    """Return how much of the difference is found in voicebench: its two tracks, and its end of the caller's sound."""
    return float(row["user_lag"] + row["user_edge"] + row["agent_lag"])


def _largest(rows: Iterable[Row], name: str) -> float:
    largest: float = max((row[name] for row in rows), key=abs)
    return largest


def _median(values: Iterable[float | None]) -> str:
    known = [value for value in values if value is not None]
    return milliseconds(statistics.median(known)) if known else "-"


def _causes(results: Results) -> str:
    rows = []
    for variant in (SHIPPED, RESTARTED, CORRECTED):
        turns = answered(results, variant=variant, scenario=RESPOND, system=_first_system(results))
        if turns:
            rest = [difference(row) - known(row) for row in turns]
            rows.append(
                [
                    variant,
                    len(turns),
                    _median(row["voicebench"]["response_latency_ms"] / 1000 for row in turns),
                    _median(row["caller_gap"] for row in turns),
                    _median(map(difference, turns)),
                    _median(row["connect_s"] for row in turns),
                    _median(row["user_lag"] for row in turns),
                    _median(row["agent_lag"] for row in turns),
                    f"{_median(row['user_edge'] for row in turns)} ({milliseconds(_largest(turns, 'user_edge'))})",
                    f"{_median(rest)} ({milliseconds(max(rest, key=abs))})",
                ]
            )
    headers = (
        "voicebench",
        "turns",
        "voicebench's latency",
        "caller's, same calls",
        "difference",
        "time to connect",
        "user's track early by",
        "agent's track late by",
        "end of the caller's sound later by (largest)",
        "rest (largest)",
    )
    return table(headers, rows, numbers=True)


def _first_system(results: Results) -> str:
    return results.sessions[0].system if results.sessions else ""


def _systems(results: Results) -> list[str]:
    return sorted({session.system for session in results.sessions})


def _agreement(results: Results) -> str:
    rows = []
    for system in _systems(results):
        turns = answered(results, variant=CORRECTED, system=system)
        pairs = [(row["voicebench"]["response_latency_ms"] / 1000, row["caller_gap"]) for row in turns]
        found = agreement(pairs)
        records = [
            row["record_gap"] + results.transport_delay - row["caller_gap"]
            for row in turns
            if row["record_gap"] is not None
        ]
        if found:
            rows.append(
                [
                    system,
                    found.count,
                    *_p50_p95(theirs for theirs, _ in pairs),
                    *_p50_p95(ours for _, ours in pairs),
                    milliseconds(found.offset),
                    milliseconds(found.p95),
                    sum(abs(theirs - ours) > MAX_DIFFERENCE_S for theirs, ours in pairs),
                    _median(records),
                ]
            )
    headers = (
        "system",
        "turns",
        "voicebench p50",
        "p95",
        "caller p50",
        "p95",
        "difference, median",
        "p95 of its size",
        "over 40 ms",
        "record and transport less caller, median",
    )
    return table(headers, rows, numbers=True)


def _p50_p95(values: Iterable[float]) -> tuple[str, str]:
    found = spread(list(values))
    return (milliseconds(found.p50), milliseconds(found.p95)) if found else ("-", "-")


def _verdict(results: Results) -> str:
    turns = answered(results, variant=CORRECTED)
    apart = [row for row in turns if abs(difference(row)) > MAX_DIFFERENCE_S]
    if not turns:
        return "Nothing was measured."
    size = percentile([abs(difference(row)) for row in turns], 95)
    text = (
        f"Of {len(turns)} turns, {len(turns) - len(apart)} differ by at most 40 ms "
        f"(95th percentile of the difference: {milliseconds(size)} ms)."
    )
    return " ".join([text, *_explained(apart)])


def _explained(apart: Sequence[Row]) -> Iterator[str]:
    """Yield how much of the differences over 40 ms the lags of voicebench's two tracks are."""
    if apart:
        rest = [abs(difference(row) - known(row)) for row in apart]
        yield (
            f"In the others the tracks of voicebench are displaced, or the two find another end of the caller's sound: "
            f"without these, which are measured apart, at most {milliseconds(max(rest))} ms remain."
        )


def _voicebench(results: Results) -> str:
    rows = []
    for system in _systems(results):
        sessions = list(results.of(variant=CORRECTED, system=system))
        turns = [row for session in sessions for row in session.rows]
        respond = [row for row in turns if row["expect"] == "respond"]
        stops = [row for row in turns if row["expect"] == "stop"]
        coughs = [row for row in turns if row["expect"] == "ignore"]
        rows.append(
            [
                system,
                f"{sum(row['passed'] for row in turns)} of {len(turns)}",
                *_p50_p95(_seconds(respond, "response_latency_ms")),
                sum(not row["voicebench"]["responded"] for row in respond),
                sum(bool(row["voicebench"]["talk_over"]) for row in respond),
                f"{sum(bool(row['voicebench']['stopped']) for row in stops)} of {len(stops)}",
                _median(_seconds(stops, "stop_latency_ms")),
                _median(row["caller_stop"] for row in stops),
                f"{sum(bool(row['voicebench']['false_barge_in']) for row in coughs)} of {len(coughs)}",
                f"{sum(bool(row['voicebench']['spurious_response']) for row in coughs)} of {len(coughs)}",
            ]
        )
    headers = (
        "system",
        "turns passed",
        "latency p50",
        "p95",
        "no reply",
        "talked over",
        "stopped at a barge-in",
        "after, median",
        "after, by caller's ruler",
        "stopped at a cough",
        "answered a cough",
    )
    return table(headers, rows, numbers=True)


def _seconds(rows: Iterable[Row], name: str) -> list[float]:
    return [row["voicebench"][name] / 1000 for row in rows if row["voicebench"][name] is not None]


def _share(values: Sequence[bool]) -> str:
    return f"{sum(values)} of {len(values)}"


def _conversations(results: Results) -> Conversations:
    return {
        system: [session.conversation for session in results.of(variant=CORRECTED, system=system)]
        for system in _systems(results)
    }


def of_people(latency: LatencyResults) -> Conversations:
    """Return the turns of people in the calls of ``benchmarks.latency``, each as a conversation of one turn."""
    found: dict[str, list[Conversation]] = {}
    for row in people_rows(latency):
        person = row.get("person", {})
        if "heard" in person:
            sounds = [Segment(start, end) for start, end in person["heard"]]
            found.setdefault(row["system"], []).append(Conversation([Said(person["began"], 0.0)], sounds))
    return dict(sorted(found.items()))


def _tau_voice(conversations: Conversations) -> str:
    rows = []
    for system, calls in conversations.items():
        panel = tau_voice(calls)
        rows.append(
            [
                system,
                f"{statistics.fmean(panel.latencies):.2f} s" if panel.latencies else "-",
                _share(panel.answered),
                f"{statistics.fmean(panel.yields):.2f} s" if panel.yields else "-",
                _share(panel.yielded),
                panel.interruptions,
                _share(panel.ignored),
            ]
        )
    headers = ("system", "L_R (mean)", "R_R", "L_Y (mean)", "R_Y", "interruptions of I_A", "S_VT")
    return table(headers, rows, numbers=True)


def _eva(conversations: Conversations) -> str:
    rows = []
    for system, calls in conversations.items():
        found = eva(calls)
        by_reason: dict[str, list[float]] = {
            name: [] for name in ("latency", "user_interrupt", "agent_interrupt", "dual_interrupt")
        }
        for reason, score in zip(found.reasons, found.scores, strict=True):
            by_reason[reason].append(score)
        rows.append(
            [
                system,
                len(found.scores),
                _score(found.scores),
                *(f"{_score(scores)} ({len(scores)})" for scores in by_reason.values()),
                found.early,
                found.missed,
            ]
        )
    headers = (
        "system",
        "turns",
        "score",
        "by latency (turns)",
        "interrupted by the caller",
        "interrupting the caller",
        "both",
        "under 0.2 s",
        "calls without a last reply",
    )
    return table(headers, rows, numbers=True)


def _score(scores: Sequence[float]) -> str:
    return f"{statistics.fmean(scores):.2f}" if scores else "-"
