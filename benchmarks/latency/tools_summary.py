"""Summary of the turns in which a tool works: silence, repeated sentences, and how soon the result is heard."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from benchmarks.harness.markdown import milliseconds, table
from benchmarks.harness.stats import Spread, spread
from benchmarks.harness.systems import SYSTEMS, TOOL_DEFAULT_SYSTEM
from benchmarks.latency.profiles import PROFILES
from benchmarks.latency.results import Results, Row

_COLUMNS = (
    "system",
    "turns",
    "first sound p50 [95 % CI]",
    "p95",
    "longest silence p50 [95 % CI]",
    "longest of all",
    "result to answer p50 [95 % CI]",
    "p95",
    "sentences before the answer",
    "turns with a sentence said twice",
    "failures",
)

_ABOUT = """Providers as in `cloud`. In each turn the main model calls a tool, whatever the caller says, and answers
once it has returned. The longest silence is the longest between the caller's last sound and the answer's first; the
result comes when the tool returns, by its own note of the time. The other systems say sentences of this worker, so that
none speaks for longer. Each sentence has a tone of its own: one that is said twice in a turn is heard as such.
"""

_CONFIGURATIONS = {
    TOOL_DEFAULT_SYSTEM: "this worker with its defaults: a pre-response, then a filler whenever 2.5 s of silence have "
    "passed (`FILLER_DELAY`), 4.5 s after a filler",
    "agent-worker/tool-no-filler": "this worker with `FILLER_DELAY=0`: a pre-response only",
    "stock-filler": "livekit-agents as in the example of its documentation (Async tools, 'Filler speech'): "
    "`with_filler(LINE, delay=5)` around the tool's work, which speaks once",
    "stock-filler-tuned": "livekit-agents in the documentation's second form, with this worker's delays: "
    "`with_filler(lambda step: LINES[step], delay=2.5, interval=3.5, max_steps=3)`",
    "stock-filler-immediate": "livekit-agents with `with_filler(LINE, delay=0)`: it speaks when the tool is called",
    "pipecat-speak": "Pipecat as its examples of function calling: one `TTSSpeakFrame` on `on_function_calls_started`",
    "pipecat-backend-tool": "Pipecat's `LLMWithBackend`: the fast model speaks, and the main model calls the tool",
}


@dataclass(frozen=True)
class ToolSummary:
    """One system in one profile; times in seconds.

    Attributes:
        turns: Turns of calls that were made.
        failures: Those that do not count.
        first_sound: From the caller's last sound to the agent's first.
        longest_silence: The longest of each turn, until the answer.
        max_silence: The longest of all turns.
        result_to_answer: From the tool's return to the answer's first sound.
        sentences: Mean number of sentences before the answer.
        turns_with_repeat: Turns in which a sentence was said twice before the answer.
    """

    system: str
    turns: int
    failures: int
    first_sound: Spread | None
    longest_silence: Spread | None
    max_silence: float | None
    result_to_answer: Spread | None
    sentences: float
    turns_with_repeat: int


def tool_rows(results: Results) -> list[Row]:
    """Return the turns of the profiles with a tool."""
    return [row for row in results.turns if row["profile"] in PROFILES and PROFILES[row["profile"]].tool_s is not None]


def summarize_tools(rows: Iterable[Row]) -> list[ToolSummary]:
    """Return a summary of each system, in the order of :data:`SYSTEMS`, then of their occurrence."""
    by_system: dict[str, list[Row]] = {}
    for row in rows:
        by_system.setdefault(row["system"], []).append(row)
    order = list(SYSTEMS)
    names = sorted(by_system, key=lambda name: order.index(name) if name in order else len(order))
    return [_summary(name, by_system[name]) for name in names]


def _summary(system: str, rows: Sequence[Row]) -> ToolSummary:
    good = [row for row in rows if "failure" not in row and "tool" in row]
    judged = [row["tool"] for row in good]
    silences = [found["longest_silence"] for found in judged]
    return ToolSummary(
        system=system,
        turns=len(rows),
        failures=len(rows) - len(good),
        first_sound=spread([row["response_gap"] for row in good]),
        longest_silence=spread(silences),
        max_silence=max(silences, default=None),
        result_to_answer=spread([found["result_to_answer"] for found in judged]),
        sentences=sum(found["sentences"] for found in judged) / len(judged) if judged else 0.0,
        turns_with_repeat=sum(found["said_again"] > 0 for found in judged),
    )


def tools_section(rows: Sequence[Row]) -> str:
    """Return the report's section, empty without such turns."""
    if not rows:
        return ""
    return "\n".join(["## While a tool works\n", _ABOUT, *_systems(rows), "", *_tables(rows)])


def _systems(rows: Sequence[Row]) -> Iterator[str]:
    measured = {row["system"] for row in rows}
    yield from (f"- {name}: {words}" for name, words in _CONFIGURATIONS.items() if name in measured)


def _tables(rows: Sequence[Row]) -> Iterator[str]:
    for profile in dict.fromkeys(row["profile"] for row in rows):
        of_profile = summarize_tools(row for row in rows if row["profile"] == profile)
        yield f"### {profile}: the tool takes {PROFILES[profile].tool_s:g} s\n"
        yield table(_COLUMNS, map(_cells, of_profile), numbers=True)
        yield ""


def _cells(summary: ToolSummary) -> list[str]:
    return [
        f"**{summary.system}**" if summary.system == TOOL_DEFAULT_SYSTEM else summary.system,
        str(summary.turns),
        _median(summary.first_sound),
        _p95(summary.first_sound),
        _median(summary.longest_silence),
        milliseconds(summary.max_silence),
        _median(summary.result_to_answer),
        _p95(summary.result_to_answer),
        f"{summary.sentences:.1f}",
        str(summary.turns_with_repeat),
        str(summary.failures),
    ]


def _median(values: Spread | None) -> str:
    if values is None:
        return "-"
    return f"{milliseconds(values.p50)} [{milliseconds(values.low)}, {milliseconds(values.high)}]"


def _p95(values: Spread | None) -> str:
    return milliseconds(values.p95) if values else "-"
