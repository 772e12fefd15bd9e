"""What goes wrong, one case at a time."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import uuid4

from benchmarks.reliability.calls import LEAD, Call, Event, hold_call
from benchmarks.reliability.faults import FAST, KINDS, LASTING, MAIN, PARTS, STT, TLS_KINDS, TTS, Part, begin
from benchmarks.reliability.judge import Evidence, Expectation, Verdict, judge
from benchmarks.reliability.mishaps import MishapCase
from benchmarks.reliability.world import TLS, World

_OUTAGE = 20.0
_END_OF_CALL = 15.0


@dataclass(frozen=True)
class ProviderCase:
    """A call of some turns: the first is sound, and before the second something begins to fail.

    Attributes:
        env: Settings of the worker.
    """

    parts: tuple[Part, ...]
    kind: str
    lasting: str
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{' and '.join(part.name for part in self.parts)}: {self.kind}, {self.lasting}"

    @property
    def leads(self) -> Sequence[float]:
        return {"once": (0, LEAD, LEAD), "20 s": (0, LEAD, LEAD, 5.0), "for ever": (0, LEAD, LEAD)}[self.lasting]

    @property
    def expectation(self) -> Expectation:
        # A model that only takes its time is no error, and neither is a recogniser; nor one that was cancelled when the
        # answer was there, or too late.
        unnoticed = (self.kind == "slow" and self.parts in ((FAST,), (STT,), (TTS,))) or (
            self.kind == "silent" and self.parts == (FAST,)
        )
        cancelled = (FAST,) if self.kind == "silent" else ()
        return Expectation(
            failing=(1,) if self.lasting == "once" else (1, 2),
            errors=() if self.kind == "slow" else tuple(part.name for part in self.parts if part not in cancelled),
            unnoticed=unnoticed,
            loses_usage=STT in self.parts or self.kind in ("cut", "silent", "slow", "refused", "garbage", *TLS_KINDS),
        )

    @property
    def alone(self) -> bool:
        """Whether it needs servers of its own."""
        return False

    @property
    def mount(self) -> str:
        return ""

    async def hold(self, world: World) -> Call:
        healing: list[asyncio.Task[None]] = []

        async def fail() -> None:
            await begin(world, self.parts, self.kind, self.lasting)
            if self.lasting == "20 s":
                healing.append(asyncio.create_task(_later(world.heal, _OUTAGE)))

        events: dict[int, Event] = {1: fail}
        if self.lasting == "once":
            events[2] = world.heal
        call = await hold_call(world, f"faults-{uuid4().hex[:8]}", self.leads, events)
        await asyncio.gather(*healing)
        return call


async def _later(event: Event, seconds: float) -> None:
    await asyncio.sleep(seconds)
    await event()


Case = ProviderCase | MishapCase


def provider_cases() -> list[ProviderCase]:
    cases = [
        ProviderCase((part,), kind, lasting, _env(part)) for part in PARTS for kind in KINDS for lasting in LASTING
    ]
    # One provider has both models, and goes down with both.
    cases += [
        ProviderCase((FAST, MAIN), kind, lasting)
        for kind in ("refused", "silent", "500")
        for lasting in ("once", "for ever")
    ]
    return cases + [
        ProviderCase((part,), kind, "for ever", {**_env(part), **TLS}) for part in PARTS for kind in TLS_KINDS
    ]


def _env(part: Part) -> Mapping[str, str]:
    return {"PRERESPONSE_STRATEGY": "llm"} if part is FAST else {}  # phrases do not ask it


async def run_case(case: Case, world: World) -> Verdict:
    """Hold the case's call, and judge what is left of it."""
    await world.heal()
    before, logged = await look(world), world.logged()
    try:
        call = await case.hold(world)
    finally:
        await world.heal()
    await end_of_call(world)
    evidence = Evidence(call, world.log(since=logged), *since(before, await look(world)))
    return judge(evidence, case.expectation)


Look = tuple[Mapping[str, float], Mapping[str, Counter[str]]]
"""The worker's metrics, and what the providers were asked for."""


async def look(world: World) -> Look:
    return await world.metrics(), await world.seen()


def since(before: Look, now: Look) -> Look:
    """What has been added."""
    (counted, seen), (now_counted, now_seen) = before, now
    return (
        {name: value - counted.get(name, 0.0) for name, value in now_counted.items()},
        {part: Counter({k: n - seen[part][k] for k, n in counts.items()}) for part, counts in now_seen.items()},
    )


async def end_of_call(world: World) -> None:
    """Wait until the worker has finished with it: what a call leaves is counted up to its last moment."""
    for _ in range(int(_END_OF_CALL / 0.5)):
        await asyncio.sleep(0.5)
        if not (await world.metrics()).get("livekit_active_conversations", 0):
            break
    await asyncio.sleep(1.0)
