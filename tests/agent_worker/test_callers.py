"""Whom the agent listens to when several people are in the room."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from livekit import rtc
from livekit.agents import AgentSession

from agent_worker.room.topics import ROLE_ATTRIBUTE, SUPERVISOR_ROLE
from tests.agent_worker.test_call import call_in_a_room
from tests.agent_worker.test_session_meter import Changes
from tests.waiting import settle, until

_KINDS = rtc.ParticipantKind


class People:
    """A room in which the test lets people come, speak and leave."""

    def __init__(self, room: rtc.Room, session: AgentSession[Any]) -> None:
        self.room = room
        self.session = session
        self._arrivals = 0

    @property
    def listened_to(self) -> str | None:
        linked = self.session.room_io.linked_participant
        return linked.identity if linked else None

    def join(self, identity: str, kind: Any = _KINDS.PARTICIPANT_KIND_STANDARD, **attributes: str) -> None:
        """Somebody comes; ``hidden=…`` is a permission."""
        self._arrivals += 1
        person: Any = SimpleNamespace(
            identity=identity,
            sid=f"PA_{identity}",
            name=identity,
            kind=kind,
            attributes={name.replace("__", "."): value for name, value in attributes.items() if name != "hidden"},
            permissions=SimpleNamespace(hidden="hidden" in attributes),
            joined_at=datetime.fromtimestamp(self._arrivals, timezone.utc),
            track_publications={},
            disconnect_reason=rtc.DisconnectReason.CLIENT_INITIATED,
        )
        self.room._remote_participants[identity] = person
        self.room.emit("participant_connected", person)

    def leave(self, identity: str) -> None:
        self.room.emit("participant_disconnected", self.room._remote_participants.pop(identity))

    def speak(self, *identities: str) -> None:
        """These are heard, the loudest first; others, such as the agent, may be among them."""
        stranger: Any = SimpleNamespace(identity="agent")
        people = [self.room._remote_participants.get(each, stranger) for each in identities]
        self.room.emit("active_speakers_changed", people)


@asynccontextmanager
async def people(folder: Path, **settings: Any) -> AsyncIterator[People]:
    sessions: list[AgentSession[Any]] = []
    async with call_in_a_room(folder, sessions=sessions, **settings) as room:
        yield People(room, sessions[0])


async def test_agent_listens_to_who_speaks(tmp_path: Path) -> None:
    async with people(tmp_path) as now:
        now.join("ann")
        now.join("bob")
        assert now.listened_to == "ann"
        now.speak("bob")
        assert now.listened_to == "bob"
        now.speak()
        assert now.listened_to == "bob"
        now.speak("agent", "ann")
        assert now.listened_to == "ann"


async def test_agent_stays_with_a_caller_who_speaks_however_loud_another_is(tmp_path: Path) -> None:
    async with people(tmp_path) as now:
        now.join("ann")
        now.join("bob")
        now.speak("bob", "ann")
        assert now.listened_to == "ann"


async def test_call_goes_on_with_who_is_there_when_the_caller_leaves(tmp_path: Path) -> None:
    gained = Changes()
    async with people(tmp_path) as now:
        now.join("ann")
        now.join("bob")
        now.leave("ann")
        assert now.listened_to == "bob"
        await settle()
        assert not now.session._is_closing()
        closed: list[object] = []
        now.session.once("close", closed.append)
        now.leave("bob")
        await until(lambda: closed)
    assert gained("livekit_calls_ended_total", reason="caller_left") == 1


async def test_with_the_first_caller_only_the_call_is_this_ones(tmp_path: Path) -> None:
    async with people(tmp_path, listen_to="first_caller") as now:
        now.join("ann")
        now.join("bob")
        now.speak("bob")
        assert now.listened_to == "ann"
        now.leave("ann")
        await until(now.session._is_closing)


@pytest.mark.parametrize("listen_to", ["active_speaker", "first_caller"])
@pytest.mark.parametrize(
    "who",
    [
        {ROLE_ATTRIBUTE.replace(".", "__"): SUPERVISOR_ROLE},
        {"hidden": "yes"},
        {"kind": _KINDS.PARTICIPANT_KIND_AGENT},
        {"kind": _KINDS.PARTICIPANT_KIND_EGRESS},
        {"lk__publish_on_behalf": "agent"},
    ],
)
async def test_supervisor_is_never_the_caller(who: dict[str, Any], listen_to: str, tmp_path: Path) -> None:
    async with people(tmp_path, listen_to=listen_to) as now:
        now.join("other", **who)
        now.speak("other")
        assert now.listened_to is None
        now.join("ann")
        assert now.listened_to == "ann"
        now.speak("other")
        assert now.listened_to == "ann"
        now.leave("ann")
        await until(now.session._is_closing)


async def test_caller_who_claims_to_speak_for_an_agent_that_is_not_there_is_listened_to(tmp_path: Path) -> None:
    async with people(tmp_path) as now:
        now.join("ann", lk__publish_on_behalf="x")
        assert now.listened_to == "ann"


async def test_caller_who_becomes_a_supervisor_is_not_listened_to_any_more(tmp_path: Path) -> None:
    async with people(tmp_path) as now:
        now.join("ann")
        now.join("bob")
        ann = now.room._remote_participants["ann"]
        ann.attributes[ROLE_ATTRIBUTE] = SUPERVISOR_ROLE
        now.room.emit("participant_attributes_changed", {ROLE_ATTRIBUTE: SUPERVISOR_ROLE}, ann)
        assert now.listened_to == "bob"


async def test_caller_who_comes_back_after_a_lost_connection_is_listened_to_again(tmp_path: Path) -> None:
    async with people(tmp_path) as now:
        now.join("ann")
        now.room._remote_participants["ann"].disconnect_reason = rtc.DisconnectReason.UNKNOWN_REASON
        now.leave("ann")
        assert now.listened_to is None
        now.join("ann")
        assert now.listened_to == "ann"
        assert not now.session._is_closing()
