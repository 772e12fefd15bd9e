"""The guard with rooms in memory: what callers get, whatever goes wrong."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from collections.abc import Callable
from dataclasses import replace

import pytest
from livekit import api
from prometheus_client import CollectorRegistry

from call_guard.decision import Policy
from call_guard.guard import Guard
from call_guard.metrics import GuardMetrics
from call_guard.snapshot import Dispatch, Role, Room
from tests.call_guard.fake_livekit import CALLER, Clock, FakeLiveKit, agent


class Slots:
    """The workers' report of their capacity."""

    def __init__(self, free: int | None) -> None:
        self.count = free

    async def free(self) -> int | None:
        return self.count


class Guarded:
    """Rooms, and guards of them that share a clock."""

    def __init__(self, *, guards: int = 1, policy: Policy | None = None, free: int | None = None) -> None:
        self.livekit = FakeLiveKit()
        self.clock = Clock()
        self.metrics = GuardMetrics()
        self.announced: list[str] = []
        self.planned: list[tuple[float, Callable[[], None]]] = []
        self.guards = [
            Guard(
                self.livekit,
                policy or Policy(),
                self.metrics,
                self,
                Slots(free),
                self.livekit,
                clock=self.clock,
                sleep=self.clock.sleep,
                later=lambda delay_s, look: self.planned.append((self.clock.now + delay_s, look)),
                jitter=lambda: 0.5,  # the same for all: the worst case
            )
            for _ in range(guards)
        ]

    def announce(self, room: str) -> None:
        self.announced.append(room)

    async def sweep(self) -> None:
        """Let all guards look at the same moment."""
        await asyncio.gather(*(guard.sweep() for guard in self.guards))

    async def sweeps_until(self, condition: Callable[[], bool]) -> None:
        """Let the guards look again and again, 2 s apart, while agents join between."""
        for _ in itertools.takewhile(lambda _: not condition(), itertools.count()):
            await self.sweep()
            self.livekit.agents_join()
            self.clock.now += 2.0

    def agents(self, name: str = "room") -> list[str]:
        return [one.identity for one in self.livekit.rooms[name].members(Role.AGENT)]

    def value(self, name: str, **labels: str) -> float | None:
        registry: CollectorRegistry = self.metrics.registry
        return registry.get_sample_value(name, labels)


async def test_caller_gets_exactly_one_agent() -> None:
    guarded = Guarded()
    guarded.livekit.add(CALLER)
    await guarded.sweep()
    guarded.livekit.agents_join()
    guarded.clock.now += 2
    await guarded.sweep()
    assert guarded.agents() == ["agent-of-1"]
    assert guarded.livekit.created == ["room"]
    assert guarded.value("call_guard_dispatches_total") == 1
    assert guarded.value("call_guard_rooms", state="served") == 1
    assert guarded.value("call_guard_wait_seconds_count") == 1


@pytest.mark.parametrize(("is_page_room", "call_id"), [(True, "room"), (False, "RM_room")])
async def test_log_names_calls_as_page_and_worker_do(
    is_page_room: bool, call_id: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The name of a telephone's room can hold its number."""
    caplog.set_level(logging.INFO, "call_guard")
    guarded = Guarded()
    guarded.livekit.add(CALLER)
    guarded.livekit.rooms["room"] = replace(guarded.livekit.rooms["room"], is_page_room=is_page_room)
    await guarded.sweep()
    guarded.livekit.agents_join()
    guarded.clock.now += 2
    await guarded.sweep()
    assert caplog.messages == [f"{call_id}: an agent was requested", f"{call_id}: an agent is there after 2.2 s"]


@pytest.mark.parametrize("guards", [2, 3])
async def test_guards_that_act_at_the_same_moment_leave_one_request(guards: int) -> None:
    guarded = Guarded(guards=guards)
    guarded.livekit.add(CALLER)
    await guarded.sweep()
    (kept,) = guarded.livekit.rooms["room"].dispatches
    assert kept.id == "AD_1"
    guarded.livekit.agents_join()
    assert guarded.agents() == ["agent-of-1"]


async def test_second_guard_leaves_a_room_alone_in_which_the_first_has_just_acted() -> None:
    guarded = Guarded(guards=2)
    guarded.livekit.add(CALLER)
    for guard in guarded.guards:
        await guard.sweep()
    assert guarded.livekit.created == ["room"]


async def test_doubled_webhooks_bring_one_agent() -> None:
    guarded = Guarded(guards=2)
    guarded.livekit.add(CALLER)
    for guard in (*guarded.guards, *guarded.guards):
        guard.check_soon("room")
    for guard in guarded.guards:
        await guard.idle()
    assert len(guarded.livekit.rooms["room"].dispatches) == 1


async def test_change_during_a_look_is_looked_at_again() -> None:
    guarded = Guarded()
    (guard,) = guarded.guards
    guarded.livekit.add()
    guard.check_soon("room")
    guarded.livekit.add(CALLER)
    guard.check_soon("room")
    await guard.idle()
    assert guarded.livekit.created == ["room"]


async def test_caller_who_comes_back_to_the_room_gets_an_agent_at_once() -> None:
    guarded = Guarded()
    guarded.livekit.add(CALLER)
    await guarded.sweep()
    guarded.livekit.agents_join()
    await guarded.sweep()
    for identity in ("agent-of-1", "caller"):
        guarded.livekit.change("room", leave=identity)
    guarded.clock.now += 2
    await guarded.sweep()
    guarded.livekit.change("room", join=CALLER)
    await guarded.sweep()
    assert guarded.livekit.created == ["room", "room"]


async def test_caller_waits_while_all_workers_are_full_and_gets_the_first_free_slot() -> None:
    guarded = Guarded()
    guarded.livekit.free_slots = 0
    guarded.livekit.add(CALLER)
    await guarded.sweeps_until(lambda: len(guarded.livekit.created) == 3)
    assert guarded.agents() == []
    assert guarded.announced
    assert guarded.value("call_guard_rooms", state="waiting") == 1
    assert len(guarded.livekit.rooms["room"].dispatches) == 1  # late ones are taken back
    guarded.livekit.free_slots = 1
    await guarded.sweeps_until(lambda: bool(guarded.agents()))
    assert len(guarded.agents()) == 1


async def test_wait_goes_on_while_livekit_lists_the_room_as_empty() -> None:
    """LiveKit counts participants of a list only every 3 s."""
    guarded = Guarded(free=0)
    (guard,) = guarded.guards
    guarded.livekit.add(CALLER)
    guarded.livekit.late = True
    guard.check_soon("room")
    await guard.idle()
    for _ in range(2):
        guarded.clock.now += 2
        await guarded.sweep()
    assert guarded.announced == ["room"]
    assert guarded.value("call_guard_abandoned_seconds_count") == 0


async def test_wait_that_begins_while_rooms_are_listed_is_not_forgotten() -> None:
    guarded = Guarded(free=0)
    (guard,) = guarded.guards

    def join() -> None:
        guarded.livekit.add(CALLER)
        guard.check_soon("room")

    guarded.livekit.during_list = join
    await guarded.sweep()
    await guard.idle()
    assert len(guarded.planned) == 1
    guard.check_soon("room")
    await guard.idle()
    assert len(guarded.planned) == 1


async def test_caller_is_told_in_time_even_if_the_next_sweep_is_late() -> None:
    guarded = Guarded(free=0)
    (guard,) = guarded.guards
    guarded.livekit.add(CALLER)
    for _ in range(2):
        guard.check_soon("room")
        await guard.idle()
    ((due_at, look),) = guarded.planned
    assert 3.5 < due_at < 3.6
    assert not guarded.announced
    guarded.clock.now = due_at
    look()
    await guard.idle()
    assert guarded.announced == ["room"]


async def test_longest_waiting_caller_gets_the_free_slot() -> None:
    guarded = Guarded(free=1)
    guarded.livekit.free_slots = 0
    guarded.livekit.add(CALLER, name="first")
    await guarded.sweep()
    guarded.livekit.agents_join()
    guarded.clock.now += 2
    guarded.livekit.add(CALLER, name="second")
    guarded.livekit.rooms = dict(reversed(guarded.livekit.rooms.items()))
    await guarded.sweep()
    guarded.livekit.agents_join()
    guarded.livekit.free_slots = 1
    guarded.clock.now += 2
    await guarded.sweep()
    guarded.livekit.agents_join()
    assert guarded.agents("first")
    assert not guarded.agents("second")


async def test_full_workers_are_asked_for_one_caller_only() -> None:
    guarded = Guarded(free=0)
    for number in range(50):
        guarded.livekit.add(CALLER, name=f"room-{number}")
    await guarded.sweep()
    assert len(guarded.livekit.created) == 1


async def test_call_is_closed_after_the_limit() -> None:
    guarded = Guarded(policy=Policy(wait_limit_s=10))
    guarded.livekit.free_slots = 0
    guarded.livekit.add(CALLER)
    await guarded.sweeps_until(lambda: not guarded.livekit.rooms)
    assert guarded.value("call_guard_closed_rooms_total") == 1
    await guarded.sweep()
    assert guarded.value("call_guard_abandoned_seconds_count") == 1
    assert (guarded.value("call_guard_abandoned_seconds_sum") or 0) >= 10


async def test_caller_who_hangs_up_without_an_agent_is_counted_with_the_wait() -> None:
    guarded = Guarded()
    guarded.livekit.free_slots = 0
    guarded.livekit.add(CALLER)
    await guarded.sweep()
    guarded.clock.now += 8
    guarded.livekit.change("room", leave="caller")
    await guarded.sweep()
    await guarded.sweep()
    guarded.livekit.rooms.clear()
    await guarded.sweep()
    assert guarded.value("call_guard_abandoned_seconds_count") == 1
    assert guarded.value("call_guard_abandoned_seconds_bucket", le="6.0") == 0
    assert guarded.value("call_guard_abandoned_seconds_bucket", le="10.0") == 1
    assert guarded.value("call_guard_wait_seconds_count") == 0


async def test_caller_who_leaves_a_room_that_is_not_ours_has_not_waited_for_us() -> None:
    guarded = Guarded(policy=Policy(page_rooms_only=True))
    guarded.livekit.add(CALLER)
    await guarded.sweep()
    guarded.livekit.rooms.clear()
    await guarded.sweep()
    assert guarded.value("call_guard_abandoned_seconds_count") == 0


async def test_agent_that_was_there_before_the_guard_looked_is_a_wait_of_no_time() -> None:
    guarded = Guarded()
    await guarded.sweep()
    guarded.livekit.add(CALLER, agent(), dispatches=(Dispatch("AD_1", "", 1, ("agent-1",)),))
    await guarded.sweep()
    guarded.clock.now += 60
    await guarded.sweep()
    assert guarded.value("call_guard_wait_seconds_count") == 1
    assert guarded.value("call_guard_wait_seconds_sum") == 0


async def test_calls_that_a_guard_finds_at_its_start_are_not_counted() -> None:
    guarded = Guarded()
    guarded.livekit.add(CALLER, agent(), dispatches=(Dispatch("AD_1", "", 1, ("agent-1",)),))
    await guarded.sweep()
    await guarded.sweep()
    assert guarded.value("call_guard_wait_seconds_count") == 0


async def test_guard_goes_on_after_livekit_was_down() -> None:
    guarded = Guarded()
    guarded.livekit.add(CALLER)
    guarded.livekit.is_down = True
    (guard,) = guarded.guards
    sleeps = itertools.count()

    async def sleep(_: float) -> None:
        if next(sleeps) == 2:
            guarded.livekit.is_down = False
        if guarded.livekit.created:
            raise asyncio.CancelledError

    guard._sleep = sleep
    with contextlib.suppress(asyncio.CancelledError):
        await guard.run(2)
    assert guarded.livekit.created == ["room"]
    assert (guarded.value("call_guard_livekit_errors_total") or 0) >= 2


async def test_guard_that_has_just_started_leaves_served_calls_alone() -> None:
    guarded = Guarded()
    guarded.livekit.add(CALLER, agent(), dispatches=(Dispatch("AD_1", "", 1, ("agent-1",)),))
    await guarded.sweep()
    guarded.clock.now += 60
    await guarded.sweep()
    assert guarded.livekit.created == []
    assert guarded.agents() == ["agent-1"]


async def test_agent_that_is_lost_after_a_long_time_is_replaced_in_the_same_look() -> None:
    guarded = Guarded()
    guarded.livekit.add(CALLER, agent(), dispatches=(Dispatch("AD_1", "", 1, ("agent-1",)),))
    await guarded.sweep()
    guarded.clock.now += 60
    guarded.livekit.change("room", leave="agent-1")
    await guarded.sweep()
    assert guarded.livekit.created == ["room"]


def served_call() -> Guarded:
    guarded = Guarded()
    guarded.livekit.add(CALLER, agent(), dispatches=(Dispatch("AD_0", "", 0, ("agent-1",)),))
    return guarded


async def test_agent_that_no_longer_answers_is_replaced_in_the_same_look() -> None:
    guarded = served_call()
    await guarded.sweep()
    guarded.clock.now += 60
    guarded.livekit.silent.add("agent-1")
    await guarded.sweep()
    guarded.livekit.agents_join()
    assert guarded.livekit.created == ["room"]
    assert guarded.agents() == ["agent-of-1"]
    assert guarded.value("call_guard_removed_agents_total", reason="silent") == 1


async def test_agent_that_has_never_answered_is_left_alone() -> None:
    guarded = served_call()
    guarded.livekit.silent.add("agent-1")
    await guarded.sweeps_until(lambda: guarded.clock.now > 60)
    assert guarded.agents() == ["agent-1"]


async def test_agent_of_which_livekit_cannot_tell_is_left_alone() -> None:
    guarded = served_call()
    await guarded.sweep()
    guarded.livekit.unknown.add("agent-1")
    await guarded.sweeps_until(lambda: guarded.clock.now > 60)
    assert guarded.agents() == ["agent-1"]


async def test_agent_that_answers_at_the_second_time_is_left_alone() -> None:
    guarded = served_call()
    await guarded.sweep()
    answers = iter([False, True])

    async def hesitates(_room: str, _identity: str) -> bool:
        return next(answers)

    guarded.livekit.answers = hesitates  # type: ignore[method-assign]
    await guarded.sweep()
    assert guarded.agents() == ["agent-1"]
    assert next(answers, None) is None


async def test_silent_agent_without_a_caller_is_left_to_livekit() -> None:
    guarded = served_call()
    await guarded.sweep()
    guarded.livekit.change("room", leave="caller")
    guarded.livekit.silent.add("agent-1")
    await guarded.sweep()
    assert guarded.agents() == ["agent-1"]


async def test_silent_agent_is_left_alone_while_livekit_is_slow() -> None:
    guarded = served_call()
    await guarded.sweep()
    guarded.livekit.silent.add("agent-1")
    read = guarded.livekit.read

    async def slowly(name: str, listed: api.Room | None = None, *, with_dispatches: bool = True) -> Room | None:
        guarded.clock.now += 1.0
        return await read(name, listed, with_dispatches=with_dispatches)

    guarded.livekit.read = slowly  # type: ignore[method-assign]
    await guarded.sweep()
    assert guarded.agents() == ["agent-1"]


async def test_canary_gets_an_agent_and_its_wait_is_not_counted() -> None:
    guarded = Guarded()
    await guarded.sweep()
    guarded.livekit.add(CALLER, name="answered", is_canary=True)
    await guarded.sweep()
    guarded.clock.now += 2
    guarded.livekit.agents_join()
    await guarded.sweep()
    assert guarded.livekit.created == ["answered"]
    guarded.livekit.free_slots = 0
    guarded.livekit.add(CALLER, name="not answered", is_canary=True)
    await guarded.sweep()
    guarded.clock.now += 8
    guarded.livekit.rooms.clear()
    await guarded.sweep()
    assert guarded.value("call_guard_wait_seconds_count") == 0
    assert guarded.value("call_guard_abandoned_seconds_count") == 0
