"""The report: a page in Markdown and a plot, from the raw results alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.harness.cli import ReportFiles
from benchmarks.harness.cut_offs import cut_offs
from benchmarks.harness.markdown import milliseconds, row, table, verdict
from benchmarks.harness.stats import Spread
from benchmarks.latency.headline import headline
from benchmarks.latency.interruptions_summary import interruption_rows, interruptions_section
from benchmarks.latency.people_summary import people_rows, people_section
from benchmarks.latency.profiles import PROFILES
from benchmarks.latency.results import Results
from benchmarks.latency.summary import DEFAULT_SYSTEM, Summary, Table, Target, summaries, targets
from benchmarks.latency.tools_summary import tool_rows, tools_section

CONTENDERS = Path(__file__).parent / "contenders.md"
"""What was configured, from which documentation, and whom it favours."""

_COLUMNS = (
    "system",
    "turns",
    "response gap p50 [95 % CI]",
    "p95",
    "answer gap p50 [95 % CI]",
    "p95",
    "end-of-turn delay p50 / p95",
    "after end of turn p50 / p95",
    "inter-segment gap p50 / p95",
    "the same, answer ready p50 / p95",
    "with pre-response",
    "failures",
)
_HEAD = """# Latency as the caller hears it

Made by `python -m benchmarks.latency`, each profile as listed at the end. Do not edit; run it again.
Definitions and method: [README](../../benchmarks/latency/README.md). Times are milliseconds.
Each row of the tables is in [`{json}`]({json}).
In all profiles but `people`: {cut_offs}

![response gap and answer gap of each system]({plot})
"""
_GAPS = (("response_gap", "first sound", "#1b7f5c"), ("answer_gap", "answer", "#8c8c8c"))


def write(results: Results, files: ReportFiles) -> None:
    """Write the page and the plot."""
    if summary_table := summaries(_with_two_gaps(results)):
        _draw(summary_table, files)
    files.write_page(markdown(results, files))


def markdown(results: Results, files: ReportFiles) -> str:
    """Return the page."""
    summary_table = summaries(_with_two_gaps(results))
    parts = [
        _HEAD.format(json=files.json.name, plot=files.plot.name, cut_offs=cut_offs()),
        *filter(None, [headline(results), people_section(people_rows(results))]),
        *(_profile(profile, summaries_) for profile, summaries_ in _by_profile(summary_table)),
        *filter(None, [tools_section(tool_rows(results)), interruptions_section(interruption_rows(results))]),
        CONTENDERS.read_text(encoding="utf-8"),
        f"## Targets\n\nFor {DEFAULT_SYSTEM}, the default strategy.\n",
        _targets(summary_table) + "\n",
        "## The run\n",
        "\n".join(_notes(results, summary_table)) + "\n",
    ]
    return "\n".join(parts)


def _with_two_gaps(results: Results) -> Results:
    """Return the results without those of people, and with tools, which have tables of their own."""
    apart = [name for name, profile in PROFILES.items() if profile.by_recordings or profile.tool_s is not None]
    return results.without(apart)


def _by_profile(summary_table: Table) -> Iterator[tuple[str, list[Summary]]]:
    for profile in dict.fromkeys(profile for profile, _ in summary_table):
        yield profile, [summary for (of, _), summary in summary_table.items() if of == profile]


def _profile(profile: str, rows: Sequence[Summary]) -> str:
    about = PROFILES[profile].about if profile in PROFILES else ""
    cells = table(_COLUMNS, map(_cells, rows), numbers=True)
    return f"## {profile}\n\n{about[:1].upper()}{about[1:]}.\n\n{cells}\n"


def _cells(summary: Summary) -> list[str]:
    return [
        f"**{summary.system}**" if summary.system == DEFAULT_SYSTEM else summary.system,
        str(summary.turns),
        *_median_and_p95(summary.response_gap),
        *_median_and_p95(summary.answer_gap),
        _p50_p95(summary.end_of_turn),
        _p50_p95(summary.after_end_of_turn),
        _p50_p95(summary.inter_segment_gap),
        _p50_p95(summary.gap_when_ready),
        f"{summary.preresponse_share:.0%}",
        str(summary.failures),
    ]


def _median_and_p95(spread: Spread | None) -> tuple[str, str]:
    if spread is None:
        return "-", "-"
    median = f"{milliseconds(spread.p50)} [{milliseconds(spread.low)}, {milliseconds(spread.high)}]"
    return median, milliseconds(spread.p95)


def _p50_p95(spread: Spread | None) -> str:
    return "-" if spread is None else f"{milliseconds(spread.p50)} / {milliseconds(spread.p95)}"


def _targets(summary_table: Table) -> str:
    def value(target: Target, number: float | None) -> str:
        if number is None:
            return "-"
        return f"{number:.2f} times" if target.ratio else f"{milliseconds(number)} ms"

    rows = (
        row(
            target.profile,
            target.what,
            value(target, target.value) + (f" ({target.note})" if target.note else ""),
            value(target, target.limit),
            verdict(target.met),
        )
        for target in targets(summary_table)
    )
    return "\n".join(["| profile | what | value | at most | |", "| --- | --- | ---: | ---: | --- |", *rows])


def _notes(results: Results, summary_table: Table) -> Iterator[str]:
    retried = sum(call["attempt"] > 1 for call in results.calls)
    misheard = sum("misheard" in row for row in results.turns)
    busy = sorted(call["cpu_percent"] for call in results.calls if "cpu_percent" in call)
    yield f"- {len(results.calls)} calls, {retried} of them a second attempt after one that failed"
    yield f"- {misheard} of {len(results.turns)} turns were understood as something other than what was said"
    for profile, about in results.profiles.items():
        delay = milliseconds(about["transport_delay"])
        yield f"- {profile}: `{about['command']}`, begun {about['began']}, commit {about['commit']}"
        yield f"  - {about['machine']}; {about['versions']}; transport delay of audio, there and back: {delay} ms"
    if busy:
        yield f"- the machine was {busy[len(busy) // 2]:.0f} % busy in the median call, {busy[-1]:.0f} % in the worst"
    for call in results.calls:
        if "error" in call:
            yield f"- {call['profile']}, {call['system']}, round {call['round']}: {call['error']}"
    for summary in summary_table.values():
        if record := summary.record:
            own = summary.own_after_end_of_turn
            added = f"; end of turn to first audio by its own clock: p50 {milliseconds(own.p50)}, " if own else ""
            added += f"p95 {milliseconds(own.p95)}" if own else ""
            yield (
                f"- {summary.profile}, {summary.system}: response gap in the turn record and the transport delay "
                f"against the caller's, {record.count} turns: median difference {milliseconds(record.offset)}, "
                f"p95 {milliseconds(record.p95)}{added}"
            )


def _draw(summary_table: Table, files: ReportFiles) -> None:
    """Draw a panel for each profile: a bar to the median, a line to the 95th percentile."""
    from benchmarks.harness.plots import figure  # matplotlib is slow to import

    profiles = list(_by_profile(summary_table))
    height = len(profiles) * (0.42 * max(len(rows) for _, rows in profiles) + 0.9)
    with figure(files.plot, len(profiles), height) as (drawn, panels):
        for panel, (profile, rows) in zip(panels, profiles, strict=True):
            _draw_profile(panel, profile, rows)
        handles, labels = panels[0].get_legend_handles_labels()
        drawn.legend(handles, labels, loc="outside upper center", ncols=2, frameon=False)
        panels[-1].set_xlabel("ms after the caller's last sound: bar p50, line p95")


def _draw_profile(panel: Any, profile: str, rows: Sequence[Summary]) -> None:
    for offset, (name, label, colour) in zip((-0.18, 0.18), _GAPS, strict=True):
        known = [(at + offset, spread) for at, summary in enumerate(rows) if (spread := getattr(summary, name))]
        if not known:
            continue
        at = [position for position, _ in known]
        medians = [spread.p50 * 1000 for _, spread in known]
        tails = [(spread.p95 - spread.p50) * 1000 for _, spread in known]
        panel.barh(at, medians, height=0.34, color=colour, label=label)
        panel.errorbar(medians, at, xerr=[[0] * len(at), tails], fmt="none", ecolor="black", elinewidth=1, capsize=2)
    panel.set_yticks(range(len(rows)), [summary.system for summary in rows])
    panel.invert_yaxis()
    panel.set_xlim(left=0)
    panel.set_title(profile, loc="left", fontsize=10)
    panel.grid(axis="x", alpha=0.3)
