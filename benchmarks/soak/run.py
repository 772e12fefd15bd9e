"""Calls without a pause on several lines, and samples of everything that could grow."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from benchmarks.harness.usage import ProcessTree, holdings
from benchmarks.reliability.calls import Call, HeardTurn, make_call
from benchmarks.reliability.cases import Counts, wait_for_end_of_call
from benchmarks.reliability.checks import STT_TOLERANCE, Evidence, count_differences, problems_of_good_turn
from benchmarks.reliability.testbed import Testbed

_SAMPLE_INTERVAL_S = 15.0
_TURNS_PER_CALL = (1, 6)


@dataclass(frozen=True)
class Sample:
    """What each part holds at one moment.

    Attributes:
        minute: Since the first call started.
        values: By part and measure, such as ``worker, threads``.
    """

    minute: float
    values: Mapping[str, float]


@dataclass
class Soak:
    """All that is measured.

    Attributes:
        about: Description of the run.
        calls: Number of calls.
        turns: The turns of all calls.
        understood: Turns for which the caller received a transcript.
        finals: Final transcripts that the callers received.
        samples: In the order of time.
        problems: Calls that failed, and counters that are wrong.
    """

    about: Mapping[str, Any]
    calls: int = 0
    turns: list[HeardTurn] = field(default_factory=list)
    understood: int = 0
    finals: int = 0
    samples: list[Sample] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def add(self, call: Call) -> None:
        """Add a call and check its turns."""
        self.calls += 1
        self.turns += call.turns
        self.understood += call.understood
        self.finals += call.finals
        self.problems += [call.error] if call.error else []
        self.problems += [
            f"call {self.calls}: {problem}"
            for number, turn in enumerate(call.turns)
            for problem in problems_of_good_turn(number, turn)
        ]


async def soak(
    result: Soak, testbed: Testbed, minutes: float, lines: int, seed: int, progress: Callable[[str], None]
) -> None:
    """Make calls on each line until the time is over, then compare the counters with the providers'."""
    before, started = await Counts.read(testbed), time.monotonic()
    end = started + 60 * minutes
    callers = [
        asyncio.create_task(_call_until(end, testbed, random.Random(f"{seed}/{line}"), result)) for line in range(lines)
    ]
    while any(not caller.done() for caller in callers):
        sample = await asyncio.to_thread(_sample, testbed, (time.monotonic() - started) / 60)
        if sample.minute <= minutes:  # later the lines end one by one
            result.samples.append(sample)
        progress(f"{sample.minute:.1f} min, {result.calls} calls: {sample.values['worker, memory, MB']:.0f} MB")
        await asyncio.wait(callers, timeout=_SAMPLE_INTERVAL_S)
    await asyncio.gather(*callers)
    await wait_for_end_of_call(testbed)
    counts = await Counts.read(testbed)
    evidence = Evidence(Call(result.turns, result.understood, result.finals, None), "", *counts.since(before))
    result.problems += count_differences(evidence, loses_usage=False, stt_tolerance=STT_TOLERANCE)


async def _call_until(end: float, testbed: Testbed, chance: random.Random, result: Soak) -> None:
    while time.monotonic() < end:
        leads = [round(chance.uniform(0, 1), 1) for _ in range(chance.randint(*_TURNS_PER_CALL))]
        try:
            result.add(await make_call(testbed, f"soak-{uuid4().hex[:8]}", leads, {}))
        except Exception as error:  # one unexpected failure must not end an hour of calls
            result.problems.append(f"a call: {type(error).__name__}: {error}")
            await asyncio.sleep(1)


def _sample(testbed: Testbed, minute: float) -> Sample:
    """Read what each part holds; blocks for some milliseconds."""
    (worker_pid,) = testbed.worker_pids
    worker, *calls = ProcessTree(worker_pid).processes()
    parts = {
        "worker": [worker],
        "its calls' processes": calls,
        "agent-metrics": ProcessTree(testbed.children["agent-metrics"].pid).processes(),
        "LiveKit server": ProcessTree(testbed.children["LiveKit server"].pid).processes(),
    }
    values = {f"{part}, {name}": value for part, them in parts.items() for name, value in holdings(them).items()}
    values["its calls' processes, number"] = len(calls)
    values["metrics folder, files"], values["metrics folder, KB"] = _size(testbed.folder / "metrics")
    values["temporary folder, files"], _ = _size(testbed.folder / "tmp")
    values["phrases' audio, files"], _ = _size(testbed.folder / "phrases")
    return Sample(minute, values)


def _size(folder: Path) -> tuple[float, float]:
    """Return the number of files in a folder, and their KB."""
    sizes = []
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            sizes.append(path.stat().st_size)
    return len(sizes), sum(sizes) / 1000
