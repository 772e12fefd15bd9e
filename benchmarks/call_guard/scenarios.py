"""What happens to the system while callers are there, and what they hear of it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from livekit import api, rtc

from benchmarks.call_guard.listener import Listener
from benchmarks.call_guard.system import GUARDS, LIVEKIT, WORKERS, System, system

CROWD = 50
#: All callers run on the machine of the servers, and joining is their greatest effort.
_JOIN_TOGETHER = 2
#: Callers of a scenario in which no slot is missing.
_FEW = 4
#: How long each caller of the crowd stays after the agent's first sound.
_STAY_S = 4.0
_GREETING_S = 4.0
#: A caller who is not served by then never is.
_LIMIT_S = 120.0
_REJOIN_AFTER_S = 1.0
#: When callers ask after LiveKit is back, and how soon again.
_ASK_AFTER_S = 1.0
_ASK_EVERY_S = 3.0
#: The simulated models need 0.9 s: what is heard sooner is no answer.
_ANSWER_AFTER_S = 0.8


@dataclass
class Outcome:
    """What the callers of a scenario heard.

    Attributes:
        callers: How many there were.
        silences_s: Of each: from joining, or from the fault, to the next sound of an agent or the announcer.
        agent_waits_s: Of each: from the same instant to the next sound of an agent.
        never_served: Callers who heard no agent within 120 s.
        two_agents_s: The longest time for which a caller had two agents.
        lonely_agent_s: The longest time for which an agent was in a room that its caller had left.
    """

    callers: int
    silences_s: list[float] = field(default_factory=list)
    agent_waits_s: list[float] = field(default_factory=list)
    never_served: int = 0
    two_agents_s: float = 0.0
    lonely_agent_s: float = 0.0


@dataclass(frozen=True)
class Scenario:
    """A scenario.

    Attributes:
        play: Does it.
        webhooks: How often LiveKit tells each guard of a change.
    """

    play: Callable[[System], Awaitable[Outcome]]
    webhooks: int = 1


async def run(scenario: Scenario, folder: Path) -> Outcome:
    """Play a scenario on a system of its own."""
    async with system(folder, webhooks=scenario.webhooks) as running:
        return await scenario.play(running)


async def _crowd(running: System, after_s: float | None = None) -> Outcome:
    """A crowd at once on 8 slots; each stays for a while once it is served. ``after_s``: then a guard is killed."""
    outcome = Outcome(CROWD)
    callers = [Listener(f"crowd-{number}") for number in range(CROWD)]
    joining = asyncio.Semaphore(_JOIN_TOGETHER)

    async def call(caller: Listener) -> None:
        async with caller.joined(running.ports.livekit_url, joining):
            if await _note(outcome, caller, caller.joined_at):
                await asyncio.sleep(_STAY_S)

    async def fault() -> None:
        if after_s is not None:
            await asyncio.sleep(after_s)
            await running.kill(GUARDS[0])

    await asyncio.gather(fault(), *map(call, callers))
    return await _with_agents(outcome, callers, running)


async def _few(running: System, fault: Callable[[System], Awaitable[None]]) -> Outcome:
    """Four callers in conversation with agents of the first worker; then a fault, after which each gets another."""
    outcome = Outcome(_FEW)
    await running.kill(WORKERS[1])
    async with _conversations(running) as callers:
        await running.start(WORKERS[1])
        before = [caller.agents[0] for caller in callers]
        started = time.monotonic()
        await fault(running)
        await asyncio.gather(
            *(_note(outcome, caller, started, but) for caller, but in zip(callers, before, strict=True))
        )
        await asyncio.sleep(_STAY_S)
    return await _with_agents(outcome, callers, running)


async def _lose_container(running: System) -> None:
    await running.kill(WORKERS[0])


async def _lose_container_and_guard(running: System) -> None:
    await running.kill(GUARDS[0])
    await running.kill(WORKERS[0])


async def _rejoin(running: System, fault: Callable[[System], Awaitable[None]] | None = None) -> Outcome:
    """Four callers hang up, and come back to their rooms a second later."""
    outcome = Outcome(_FEW)
    async with _conversations(running) as callers:
        pass
    if fault:
        await fault(running)
    await asyncio.sleep(_REJOIN_AFTER_S)
    again = [Listener(caller.room) for caller in callers]

    async def call(caller: Listener) -> None:
        async with caller.joined(running.ports.livekit_url):
            await _note(outcome, caller, caller.joined_at)
            await asyncio.sleep(_STAY_S)

    await asyncio.gather(*map(call, again))
    return await _with_agents(outcome, again, running)


async def _kill_guard(running: System) -> None:
    await running.kill(GUARDS[0])


async def _restart_livekit(running: System) -> Outcome:
    """LiveKit is killed during four calls, and started again; who loses the room joins it anew, as the page does.

    Agents whose connection is made anew have nothing to say, so the callers ask, again and again, until they are
    answered.
    """
    outcome = Outcome(_FEW)
    async with _conversations(running) as callers:
        killed = time.monotonic()
        await running.kill(LIVEKIT)
        await running.start(LIVEKIT)
        await asyncio.sleep(_ASK_AFTER_S)
        again: list[Listener] = []

        async def go_on(caller: Listener) -> None:
            if await _ask(outcome, caller, killed):
                return
            again.append(Listener(caller.room))
            async with again[-1].joined(running.ports.livekit_url):
                await _ask(outcome, again[-1], killed)

        await asyncio.gather(*map(go_on, callers))
    return await _with_agents(outcome, [*callers, *again], running)


async def _ask(outcome: Outcome, caller: Listener, since: float) -> bool:
    """Ask until there is an answer, and note how long that took; return False if the caller loses the room."""
    asked = time.monotonic()
    answered = asyncio.create_task(_note(outcome, caller, since, heard_after=asked + _ANSWER_AFTER_S))
    try:
        while not answered.done() and caller.is_connected:
            with contextlib.suppress(rtc.StreamError, RuntimeError, asyncio.TimeoutError):
                await asyncio.wait_for(caller.say("How old are trains?"), _ASK_EVERY_S)
            await asyncio.wait([answered], timeout=_ASK_EVERY_S)
        return answered.done()
    finally:
        answered.cancel()


@contextlib.asynccontextmanager
async def _conversations(running: System) -> AsyncIterator[list[Listener]]:
    """Callers who have got an answer of their agents."""
    callers = [Listener(f"call-{number}") for number in range(_FEW)]

    async def converse(caller: Listener) -> None:
        await caller.sound(0, of_agent=True)
        await asyncio.sleep(_GREETING_S)
        asked = time.monotonic()
        await caller.say("How old are trains?")
        await caller.sound(asked, of_agent=True)

    async with contextlib.AsyncExitStack() as stack:
        for caller in callers:
            await stack.enter_async_context(caller.joined(running.ports.livekit_url))
        await asyncio.gather(*map(converse, callers))
        yield callers


async def _note(
    outcome: Outcome, caller: Listener, since: float, but: str = "", heard_after: float | None = None
) -> bool:
    """Note when a caller hears somebody, and an agent; return whether an agent came.

    Args:
        outcome: Gets the times.
        caller: Who listens.
        since: From when the times count.
        but: An agent that does not count.
        heard_after: From when sound counts; by default ``since``.
    """
    after = since if heard_after is None else heard_after

    async def hear() -> None:
        outcome.silences_s.append(await caller.sound(after, but=but) - since)
        outcome.agent_waits_s.append(await caller.sound(after, of_agent=True, but=but) - since)

    try:
        await asyncio.wait_for(hear(), _LIMIT_S)
    except asyncio.TimeoutError:
        outcome.never_served += 1
        return False
    return True


async def _with_agents(outcome: Outcome, callers: list[Listener], running: System) -> Outcome:
    """Add how long there were two agents, and how long agents stay in the rooms that all callers have left."""
    outcome.two_agents_s = max(caller.two_agents_s for caller in callers)
    left = time.monotonic()
    async with running.livekit() as livekit:
        while await _has_agents(livekit):
            await asyncio.sleep(0.5)
    outcome.lonely_agent_s = time.monotonic() - left
    return outcome


async def _has_agents(livekit: api.LiveKitAPI) -> bool:
    for room in (await livekit.room.list_rooms(api.ListRoomsRequest())).rooms:
        present = await livekit.room.list_participants(api.ListParticipantsRequest(room=room.name))
        if any(one.kind == api.ParticipantInfo.Kind.AGENT for one in present.participants):
            return True
    return False


_CROWD = f"{CROWD} callers at once on 8 slots"
_BACK = "callers hang up and come back after 1 s"
_LOST = "a worker's container is lost during calls"

#: By name, as in the table.
SCENARIOS: Mapping[str, Scenario] = {
    _CROWD: Scenario(_crowd),
    f"{_CROWD}, one of two guards killed after 5 s": Scenario(partial(_crowd, after_s=5)),
    _BACK: Scenario(_rejoin),
    f"{_BACK}, webhooks lost": Scenario(_rejoin, webhooks=0),
    f"{_BACK}, webhooks doubled": Scenario(_rejoin, webhooks=2),
    f"{_BACK}, one of two guards killed": Scenario(partial(_rejoin, fault=_kill_guard)),
    _LOST: Scenario(partial(_few, fault=_lose_container)),
    f"{_LOST}, webhooks lost": Scenario(partial(_few, fault=_lose_container), webhooks=0),
    f"{_LOST}, and one of two guards with it": Scenario(partial(_few, fault=_lose_container_and_guard)),
    "LiveKit server killed and started again during calls": Scenario(_restart_livekit),
}
