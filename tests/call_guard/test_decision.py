"""What a room needs, without a server."""

from __future__ import annotations

from dataclasses import replace

import pytest

from call_guard.decision import (
    ACCEPT_TIMEOUT_S,
    CLOSE_GRACE_S,
    START_TIMEOUT_S,
    Action,
    Announce,
    CloseRoom,
    CreateDispatch,
    DeleteDispatch,
    Policy,
    RemoveAgent,
    decide,
)
from call_guard.history import RoomHistory
from call_guard.snapshot import Dispatch, Participant, Role, Room
from tests.call_guard.fake_livekit import CALLER, agent

POLICY = Policy()
RECORDER = Participant("recorder", Role.OTHER)
ANNOUNCER = Participant("announcer", Role.ANNOUNCER)


def room(*participants: Participant, dispatches: tuple[Dispatch, ...] = (), is_page_room: bool = False) -> Room:
    return Room("museum", "RM_1", participants, dispatches, is_page_room)


def decisions(*seen: tuple[float, Room], policy: Policy = POLICY, may_dispatch: bool = True) -> list[Action]:
    """Return what is decided at the last of the moments at which the room was seen."""
    history = RoomHistory()
    for now, snapshot in seen:
        history.observe(snapshot, policy.agent_name, now)
    now, snapshot = seen[-1]
    return decide(snapshot, history, policy, now, may_dispatch=may_dispatch)


def test_caller_without_an_agent_gets_one() -> None:
    assert decisions((0, room(CALLER))) == [CreateDispatch()]


@pytest.mark.parametrize("participants", [(), (RECORDER,), (ANNOUNCER,), (CALLER, agent()), (agent(),)])
def test_nobody_else_gets_one(participants: tuple[Participant, ...]) -> None:
    assert decisions((0, room(*participants))) == []


def test_agent_of_another_name_does_not_serve_the_caller() -> None:
    asked = Dispatch("AD_1", "guide", 1)
    seen = room(CALLER, agent(name="tour"), dispatches=(asked,))
    assert decisions((0, seen), (3, seen), policy=Policy("guide")) == [DeleteDispatch("AD_1", "late"), CreateDispatch()]


def test_first_dispatch_of_livekit_is_waited_for() -> None:
    seen = room(CALLER, dispatches=(Dispatch("AD_1", "", 1),))
    assert decisions((0, seen), (ACCEPT_TIMEOUT_S - 0.1, seen)) == []
    assert decisions((0, seen), (ACCEPT_TIMEOUT_S, seen)) == [DeleteDispatch("AD_1", "late"), CreateDispatch()]


def test_agent_that_a_worker_has_accepted_is_waited_for_longer() -> None:
    seen = room(CALLER, dispatches=(Dispatch("AD_1", "", 1, ("agent-1",)),))
    quiet = replace(POLICY, with_announcer=False)
    assert decisions((0, seen), (START_TIMEOUT_S - 0.1, seen), policy=quiet) == []
    expected = [DeleteDispatch("AD_1", "late"), CreateDispatch()]
    assert decisions((0, seen), (START_TIMEOUT_S, seen), policy=quiet) == expected


def test_caller_who_comes_back_gets_a_new_agent_at_once() -> None:
    asked = (Dispatch("AD_1", "", 1, ("agent-1",)),)
    before, empty, back = (
        room(CALLER, agent(), dispatches=asked),
        room(dispatches=asked),
        room(CALLER, dispatches=asked),
    )
    assert decisions((0, before), (5, empty), (8, back)) == [DeleteDispatch("AD_1", "late"), CreateDispatch()]


def test_of_two_requests_both_guards_take_back_the_same_one() -> None:
    first, second = Dispatch("AD_b", "", 1), Dispatch("AD_a", "", 2)
    for order in ((first, second), (second, first)):
        assert decisions((0, room(CALLER, dispatches=order))) == [DeleteDispatch("AD_a", "double")]


def test_of_two_requests_of_the_same_moment_the_id_decides() -> None:
    one, other = Dispatch("AD_a", "", 1), Dispatch("AD_b", "", 1)
    assert decisions((0, room(CALLER, dispatches=(other, one)))) == [DeleteDispatch("AD_b", "double")]


def test_of_two_requests_that_which_a_worker_has_accepted_is_kept() -> None:
    asked = (Dispatch("AD_1", "", 1), Dispatch("AD_2", "", 2, ("agent-2",)))
    assert decisions((0, room(CALLER, dispatches=asked))) == [DeleteDispatch("AD_1", "double")]


@pytest.mark.parametrize("present", [(), (agent(),)])
def test_accepted_requests_are_left_to_the_agents_who_agree_which_of_them_stays(
    present: tuple[Participant, ...],
) -> None:
    """The order of the requests may be another than that of the acceptances, which decides between agents."""
    asked = (Dispatch("AD_1", "", 1, ("agent-1",)), Dispatch("AD_2", "", 2, ("agent-2",)))
    assert decisions((0, room(CALLER, *present, dispatches=asked))) == []


def test_request_of_the_agent_in_the_room_is_kept_though_livekit_does_not_list_its_job_yet() -> None:
    assert decisions((0, room(CALLER, agent(), dispatches=(Dispatch("AD_1", "", 1),)))) == []


def test_later_of_two_agents_is_removed_if_it_does_not_leave() -> None:
    seen = room(CALLER, agent("late", accepted_at=2.0), agent("early", accepted_at=1.0))
    assert decisions((0, seen)) == []
    assert decisions((0, seen), (5, seen)) == [RemoveAgent("late")]


def test_without_a_free_slot_no_agent_is_requested() -> None:
    assert decisions((0, room(CALLER)), may_dispatch=False) == []


def test_callers_who_wait_are_told_once() -> None:
    waiting = room(CALLER)
    assert Announce() not in decisions((0, waiting), (3, waiting))
    assert Announce() in decisions((0, waiting), (3.5, waiting))
    assert Announce() not in decisions((0, waiting), (3.5, room(CALLER, ANNOUNCER)))
    assert Announce() not in decisions((0, waiting), (9, waiting), policy=replace(POLICY, with_announcer=False))


def test_call_that_nobody_takes_is_ended_after_the_limit_and_the_goodbye() -> None:
    waiting, limit = room(CALLER), POLICY.wait_limit_s + CLOSE_GRACE_S
    assert CloseRoom() not in decisions((0, waiting), (limit, waiting))
    assert decisions((0, waiting), (limit + 0.1, waiting)) == [CloseRoom()]


def test_wait_begins_anew_after_an_agent_was_there() -> None:
    waiting = room(CALLER)
    seen = ((0, waiting), (100, room(CALLER, agent())), (200, waiting))
    assert decisions(*seen) == [CreateDispatch()]


def test_named_agent_is_given_only_to_rooms_that_requested_it() -> None:
    named = Policy("guide")
    assert decisions((0, room(CALLER)), policy=named) == []
    assert decisions((0, room(CALLER, is_page_room=True)), policy=named) == [CreateDispatch()]
    other = room(CALLER, dispatches=(Dispatch("AD_1", "tour", 1),))
    assert decisions((0, other), policy=named) == []


def test_only_rooms_of_the_page_get_an_agent_if_so_configured() -> None:
    strict = Policy(page_rooms_only=True)
    assert decisions((0, room(CALLER)), policy=strict) == []
    assert decisions((0, room(CALLER, is_page_room=True)), policy=strict) == [CreateDispatch()]
