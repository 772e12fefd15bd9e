"""Summary of the sounds over the agent's answers: does it yield where it should, and only there?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.harness.markdown import milliseconds, table
from benchmarks.harness.stats import Spread, spread
from benchmarks.latency.interruptions import OVER_ANSWER_AFTER_S, Interruption
from benchmarks.latency.people_summary import Share
from benchmarks.latency.profiles import PROFILES
from benchmarks.latency.results import Results, Row
from benchmarks.latency.summary import DEFAULT_SYSTEM
from benchmarks.turn_taking.caller_sounds import BACKCHANNEL, COUGH, INTERRUPTION

INTERRUPTION_SYSTEMS = (DEFAULT_SYSTEM, "stock", "stock-smart-turn", "pipecat", "pipecat-min-words")
"""What is measured by default."""
YIELD_WINDOW_S, STOP_WINDOW_S = 2.0, 1.0
_COLUMNS = (
    "system",
    "interruptions",
    "yields in 2 s [95 % CI]",
    "yield latency p50",
    "p95",
    "backchannels",
    "not silent",
    "goes on [95 % CI]",
    "held p50 / p95",
    "coughs",
    "not silent",
    "goes on [95 % CI]",
    "failures",
)
_ABOUT = """Providers as in `cloud`, in rooms of the LiveKit server, with answers of about 9 s. The caller is heard over
each answer once the agent has been heard for {after:g} s, with {files} sounds: turns of people (interruptions),
acknowledgements of people (backchannels), and synthetic coughs and knocks. The simulated recogniser delivers their
words at their times. All times are the caller's and contain the transport. Yield: from the caller's first sound to a
silence of the agent of at least 0.2 s, within 2 s. Not silent: no such silence begins within 1 s. Goes on: the same
answer is heard behind the sound, and nothing else; held: for how long it was silent before. The sounds in simulated
time, all kinds of them: [turn-taking.md](turn-taking.md).
"""


@dataclass(frozen=True)
class Selectivity:
    """What a system does at sounds of a kind that want nothing of it.

    Attributes:
        unmoved: Where it does not fall silent within 1 s.
        goes_on: Where the answer goes on, and nothing else is said.
        held: Seconds of silence where it goes on.
    """

    unmoved: Share
    goes_on: Share
    held: Spread | None


@dataclass(frozen=True)
class InterruptionSummary:
    """One system; seconds.

    Attributes:
        yields: Interruptions at which it falls silent within 2 s.
        latency: To its silence, of those.
        failures: Sounds before which no answer was heard.
    """

    system: str
    yields: Share
    latency: Spread | None
    backchannels: Selectivity
    coughs: Selectivity
    failures: int


def interruption_rows(results: Results) -> list[Row]:
    """Return the sounds over answers."""
    return [row for row in results.turns if row["profile"] in PROFILES and PROFILES[row["profile"]].interrupts]


def summarize_interruptions(rows: Iterable[Row]) -> list[InterruptionSummary]:
    """Return a summary of each system, in the order of :data:`INTERRUPTION_SYSTEMS`, then of their occurrence."""
    by_system: dict[str, list[Row]] = {name: [] for name in INTERRUPTION_SYSTEMS}
    for row in rows:
        by_system.setdefault(row["system"], []).append(row)
    return [_summary(name, of_system) for name, of_system in by_system.items() if of_system]


def _summary(system: str, rows: Sequence[Row]) -> InterruptionSummary:
    heard = [Interruption.of(row["interruption"]) for row in rows if "interruption" in row]
    interrupted = [found.silent_at() for found in heard if found.kind == INTERRUPTION]
    yields = [silent for silent in interrupted if silent is not None and silent <= YIELD_WINDOW_S]
    return InterruptionSummary(
        system=system,
        yields=Share(len(yields), len(interrupted)),
        latency=spread(yields),
        backchannels=_selectivity([found for found in heard if found.kind == BACKCHANNEL]),
        coughs=_selectivity([found for found in heard if found.kind == COUGH]),
        failures=len(rows) - len(heard),
    )


def _selectivity(heard: Sequence[Interruption]) -> Selectivity:
    silent = [found.silent_at() for found in heard]
    goes_on = [found for found in heard if found.goes_on()]
    return Selectivity(
        unmoved=Share(sum(at is None or at > STOP_WINDOW_S for at in silent), len(heard)),
        goes_on=Share(len(goes_on), len(heard)),
        held=spread([found.held_s() for found in goes_on]),
    )


def interruptions_section(rows: Sequence[Row]) -> str:
    """Return the report's section, empty without such sounds."""
    if not rows:
        return ""
    about = _ABOUT.format(after=OVER_ANSWER_AFTER_S, files=len({row["said"] for row in rows}))
    cells = table(_COLUMNS, map(_cells, summarize_interruptions(rows)), numbers=True)
    return "\n".join(["## Over the agent's speech\n", about, cells, ""])


def _cells(summary: InterruptionSummary) -> list[str]:
    latency, backchannels, coughs = summary.latency, summary.backchannels, summary.coughs
    held = backchannels.held
    return [
        f"**{summary.system}**" if summary.system == DEFAULT_SYSTEM else summary.system,
        str(summary.yields.of),
        str(summary.yields),
        milliseconds(latency.p50) if latency else "-",
        milliseconds(latency.p95) if latency else "-",
        str(backchannels.unmoved.of),
        f"{backchannels.unmoved.count}",
        str(backchannels.goes_on),
        f"{milliseconds(held.p50)} / {milliseconds(held.p95)}" if held else "-",
        str(coughs.unmoved.of),
        f"{coughs.unmoved.count}",
        str(coughs.goes_on),
        str(summary.failures),
    ]
