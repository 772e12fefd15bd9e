"""The table at the top of the report: first sound and answer, each beside its false cut-offs and its conditions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmarks.harness.markdown import milliseconds, table
from benchmarks.harness.stats import Spread, spread
from benchmarks.harness.systems import SYSTEMS, TOOL_DEFAULT_SYSTEM
from benchmarks.latency.people_summary import PeopleSummary, people_rows, summarize_people
from benchmarks.latency.profiles import PROFILES
from benchmarks.latency.results import Results, Row
from benchmarks.latency.summary import DEFAULT_SYSTEM

_PROFILES = ("typical", "phone", "flux", "tools")
_ENDS_AS = {
    TOOL_DEFAULT_SYSTEM: DEFAULT_SYSTEM,
    **dict.fromkeys(("stock-timeout", "stock-filler", "stock-filler-tuned", "stock-filler-immediate"), "stock"),
    **dict.fromkeys(("pipecat-speak", "pipecat-backend", "pipecat-backend-tool"), "pipecat"),
}
"""What decides the end of the turn as another system does, and says nothing before it."""
_COLUMNS = (
    "conditions",
    "system",
    "turns",
    "first sound p50",
    "p95",
    "turns of people cut off by it [95 % CI]",
    "answer p50",
    "p95",
    "turns of people cut off by it [95 % CI]",
)
_ABOUT = """## First sound and answer

The caller's last sound to the agent's first, and to the first of the answer. Who answers early cuts people off: beside
each of the two is how often it began before a person had ended, which is measured with people as callers (profile
`people`) for each way to decide the end of the turn; the callers of the other profiles never pause. "-": not measured.
"""


def headline(results: Results) -> str:
    """Return the section, empty without one of its profiles."""
    people = {summary.system: summary for summary in summarize_people(people_rows(results))}
    lines = [*_of_people(people), *(line for name in _PROFILES for line in _of_profile(name, results, people))]
    return "\n".join([_ABOUT, table(_COLUMNS, lines, numbers=True), ""]) if lines else ""


def _of_people(people: dict[str, PeopleSummary]) -> Iterator[Sequence[str]]:
    for name, summary in people.items():
        yield _line("people", name, summary.turns, summary.first_sound, summary.answer, summary)


def _of_profile(profile: str, results: Results, people: dict[str, PeopleSummary]) -> Iterator[Sequence[str]]:
    rows = [row for row in results.turns if row["profile"] == profile]
    for name in [name for name in SYSTEMS if any(row["system"] == name for row in rows)]:
        of_system = [row for row in rows if row["system"] == name]
        good = [row for row in of_system if "failure" not in row]
        ends = people.get(_ENDS_AS.get(name, name))
        yield _line(profile, name, len(of_system), _spread(good, "response_gap"), _spread(good, "answer_gap"), ends)


def _spread(rows: Sequence[Row], name: str) -> Spread | None:
    return spread([row[name] for row in rows])


def _line(
    profile: str, system: str, turns: int, first: Spread | None, answer: Spread | None, ends: PeopleSummary | None
) -> Sequence[str]:
    name = f"**{system}**" if system in (DEFAULT_SYSTEM, TOOL_DEFAULT_SYSTEM) else system
    return [
        f"{profile}: {PROFILES[profile].about}",
        name,
        str(turns),
        *_times(first),
        str(ends.cut_turns) if ends else "-",
        *_times(answer),
        str(ends.answer_cut_turns) if ends else "-",
    ]


def _times(values: Spread | None) -> tuple[str, str]:
    return (milliseconds(values.p50), milliseconds(values.p95)) if values else ("-", "-")
