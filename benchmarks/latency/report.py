"""How is it told? As a page of Markdown, from nothing but the raw results."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.latency.profiles import PROFILES
from benchmarks.latency.results import Results
from benchmarks.latency.stats import Spread
from benchmarks.latency.summary import Summary, summaries
from benchmarks.latency.targets import OURS, Target, targets

COLUMNS = (
    "system",
    "turns",
    "response gap p50 [95 % CI]",
    "p95",
    "answer gap p50 [95 % CI]",
    "p95",
    "end-of-turn delay p50 / p95",
    "after end of turn p50 / p95",
    "seam p50 / p95",
    "seam, answer ready p50 / p95",
    "with pre-response",
    "failures",
)


def markdown(results: Results, plot: Path) -> str:
    return "\n".join([*_head(plot), *_profiles(results), *_targets(results), *_notes(results)]) + "\n"


def _head(plot: Path) -> Iterator[str]:
    yield "# How long does a caller wait?"
    yield ""
    yield "Made by `python -m benchmarks.latency`, each profile as told at the end. Do not edit; run it again."
    yield "What is measured and how: [README](../../benchmarks/latency/README.md). Times are milliseconds."
    yield f"Each row of the tables is in [`{plot.with_suffix('.json').name}`]({plot.with_suffix('.json').name})."
    yield ""
    yield f"![response gap and answer gap of each system]({plot.name})"


def _profiles(results: Results) -> Iterator[str]:
    table = summaries(results)
    for profile in dict.fromkeys(profile for profile, _ in table):
        about = PROFILES[profile].about if profile in PROFILES else ""
        yield ""
        yield f"## {profile}"
        yield ""
        yield f"{about[:1].upper()}{about[1:]}."
        yield ""
        yield f"| {' | '.join(COLUMNS)} |"
        yield f"| --- |{' ---: |' * (len(COLUMNS) - 1)}"
        for (of, _), summary in table.items():
            if of == profile:
                yield f"| {' | '.join(_cells(summary))} |"


def _cells(summary: Summary) -> list[str]:
    name = f"**{summary.system}**" if summary.system == OURS else summary.system
    return [
        name,
        str(summary.turns),
        _median(summary.response_gap),
        _p95(summary.response_gap),
        _median(summary.answer_gap),
        _p95(summary.answer_gap),
        _both(summary.end_of_turn),
        _both(summary.after_end_of_turn),
        _both(summary.seam),
        _both(summary.seam_when_ready),
        f"{summary.preresponse_share:.0%}",
        str(summary.failures),
    ]


def _targets(results: Results) -> Iterator[str]:
    yield ""
    yield "## Targets"
    yield ""
    yield f"For {OURS}, the default strategy."
    yield ""
    yield "| profile | what | value | at most | |"
    yield "| --- | --- | ---: | ---: | --- |"
    for target in targets(summaries(results)):
        note = f" ({target.note})" if target.note else ""
        yield (
            f"| {target.profile} | {target.what} | {_value(target, target.value)}{note} |"
            f" {_value(target, target.limit)} | {_verdict(target)} |"
        )


def _notes(results: Results) -> Iterator[str]:
    retried = sum(call["attempt"] > 1 for call in results.calls)
    misheard = sum("misheard" in row for row in results.turns)
    busy = sorted(call["cpu_percent"] for call in results.calls if "cpu_percent" in call)
    yield ""
    yield "## The run"
    yield ""
    yield f"- {len(results.calls)} calls, {retried} of them a second attempt after one that failed"
    yield f"- {misheard} of {len(results.turns)} turns were understood as something else than what was said"
    for profile, about in results.profiles.items():
        versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
        yield f"- {profile}: `{about['command']}`, begun {about['began']}, commit {about['commit']}"
        yield f"  - {about['machine']}; {versions}; sound was {_ms(about['way'])} ms on its way there and back"
    if busy:
        yield f"- the machine was {busy[len(busy) // 2]:.0f} % busy in the median call, {busy[-1]:.0f} % in the worst"
    for call in results.calls:
        if "error" in call:
            yield f"- {call['profile']}, {call['system']}, round {call['round']}: {call['error']}"
    yield from (_record(summary) for summary in summaries(results).values() if summary.record)


def _record(summary: Summary) -> str:
    record, own = summary.record, summary.own_after_end_of_turn
    assert record is not None
    added = f"; end of turn to first audio by its own clock: p50 {_ms(own.p50)}, p95 {_ms(own.p95)}" if own else ""
    return (
        f"- {summary.profile}, {summary.system}: response gap in the turn record and the way against the caller's,"
        f" {record.count} turns: median difference {_ms(record.offset)}, p95 {_ms(record.p95)}{added}"
    )


def _verdict(target: Target) -> str:
    return {True: "met", False: "**NOT met**", None: "not measured"}[target.met]


def _value(target: Target, value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.2f} times" if target.ratio else f"{_ms(value)} ms"


def _median(spread: Spread | None) -> str:
    return "-" if spread is None else f"{_ms(spread.p50)} [{_ms(spread.low)}, {_ms(spread.high)}]"


def _p95(spread: Spread | None) -> str:
    return "-" if spread is None else _ms(spread.p95)


def _both(spread: Spread | None) -> str:
    return "-" if spread is None else f"{_ms(spread.p50)} / {_ms(spread.p95)}"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f}"
