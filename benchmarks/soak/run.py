"""Call after call, on several lines at once, while everything is measured that could grow."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import uuid4

from benchmarks.reliability.calls import Call, HeardTurn, hold_call
from benchmarks.reliability.cases import end_of_call, look, since
from benchmarks.reliability.judge import STT_SHARE, Evidence, problems_of_sound_turn, uncounted
from benchmarks.reliability.world import World
from benchmarks.soak.samples import Sample, take

_EVERY = 15.0
_TURNS = (1, 6)
"""Of a call, fewest and most."""


@dataclass
class Soak:
    calls: int = 0
    turns: list[HeardTurn] = field(default_factory=list)
    understood: int = 0
    finals: int = 0
    samples: list[Sample] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    """Calls that failed, and what was miscounted."""

    def add(self, call: Call) -> None:
        self.calls += 1
        self.turns += call.turns
        self.understood += call.understood
        self.finals += call.finals
        self.problems += [call.error] if call.error else []
        self.problems += [
            f"call {self.calls}: {problem}"
            for number, turn in enumerate(call.turns)
            for problem in problems_of_sound_turn(number, turn)
        ]


async def soak(world: World, minutes: float, lines: int, seed: int, say: Callable[[str], None]) -> Soak:
    """Call on ``lines`` lines until the time is over."""
    result, began = Soak(), time.monotonic()
    before = await look(world)
    ends = began + 60 * minutes
    callers = [asyncio.create_task(_call_on(world, ends, random.Random(f"{seed}/{n}"), result)) for n in range(lines)]
    while any(not caller.done() for caller in callers):
        sample = await asyncio.to_thread(take, world, (time.monotonic() - began) / 60)
        if sample.minute <= minutes:  # after that lines fall silent one by one
            result.samples.append(sample)
        say(f"{sample.minute:.1f} min, {result.calls} calls: {sample.values['worker, memory, MB']:.0f} MB")
        await asyncio.wait(callers, timeout=_EVERY)
    await asyncio.gather(*callers)
    await end_of_call(world)
    everything = Call(result.turns, result.understood, result.finals, None)
    evidence = Evidence(everything, "", *since(before, await look(world)))
    result.problems += uncounted(evidence, loses_usage=False, stt_share=STT_SHARE)
    return result


async def _call_on(world: World, ends: float, chance: random.Random, result: Soak) -> None:
    while time.monotonic() < ends:
        leads = [chance.uniform(0, 1) for _ in range(chance.randint(*_TURNS))]
        try:
            result.add(await hold_call(world, f"soak-{uuid4().hex[:8]}", [round(lead, 1) for lead in leads], {}))
        except Exception as error:  # of an hour of calls one may go wrong in a way that nobody has thought of
            result.problems.append(f"a call: {type(error).__name__}: {error}")
            await asyncio.sleep(1)


def count(turns: list[HeardTurn]) -> Counter[str]:
    """What was heard, and how often."""
    return Counter(", ".join(turn.heard) or "nothing" for turn in turns)
