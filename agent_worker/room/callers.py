"""Choose whom the agent listens to among the participants of a room.

livekit-agents listens to the first participant that joins, whoever it is, until this one leaves.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any, Literal

from livekit import rtc
from livekit.agents import AgentSession

from agent_worker.room.roles import may_be_caller

ListenTo = Literal["active_speaker", "first_caller"]


class Callers:
    """The callers of one room. Make it before ``session.start``, and call ``attach`` after it.

    Args:
        room: The room, connected.
        listen_to: ``active_speaker``: who speaks, and who is left when a caller leaves. ``first_caller``: the first
            caller only, with whom the call ends.
    """

    def __init__(self, room: rtc.Room, listen_to: ListenTo) -> None:
        self._room = room
        self._listen_to = listen_to
        self._on_link: list[Callable[[rtc.RemoteParticipant], None]] = []
        self._session: AgentSession[Any] | None = None
        # Before livekit-agents' own handler, which closes the session when the participant leaves that it listens to.
        room.on("participant_disconnected", self._on_left)

    @property
    def placeholder(self) -> str:
        """An identity that nobody has. livekit-agents waits for it, and so links nobody before ``attach``."""
        return f"nobody-{secrets.token_hex(16)}"

    @property
    def present(self) -> list[rtc.RemoteParticipant]:
        """The callers who are in the room, in the order of their arrival."""
        found = [each for each in self._room.remote_participants.values() if may_be_caller(each, self._room)]
        return sorted(found, key=lambda each: each.joined_at.timestamp() if each.joined_at else 0.0)

    def attach(self, session: AgentSession[Any]) -> None:
        """Listen to the first caller, and from now on to whom the choice falls."""
        self._session = session
        self._room.on("participant_connected", self._on_changed)
        self._room.on("participant_attributes_changed", self._on_changed)
        if self._listen_to == "active_speaker":
            self._room.on("active_speakers_changed", self._on_speakers)
        session.once("close", lambda _: self._detach())
        self._link_if_nobody()

    @property
    def linked(self) -> rtc.RemoteParticipant | None:
        """The caller that the agent listens to; None on the console and while there is none."""
        try:
            return self._session.room_io.linked_participant if self._session else None
        except RuntimeError:
            return None

    def follow(self, tell: Callable[[rtc.RemoteParticipant], None]) -> None:
        """Call ``tell`` with the caller that the agent listens to, now and after each change."""
        self._on_link.append(tell)
        if (linked := self.linked) is not None:
            tell(linked)

    def _detach(self) -> None:
        self._session = None
        self._room.off("participant_disconnected", self._on_left)
        self._room.off("participant_connected", self._on_changed)
        self._room.off("participant_attributes_changed", self._on_changed)
        if self._listen_to == "active_speaker":
            self._room.off("active_speakers_changed", self._on_speakers)

    def _on_changed(self, *_: object) -> None:
        self._link_if_nobody()

    def _on_left(self, participant: rtc.RemoteParticipant) -> None:
        linked = self.linked
        if linked is None or linked.identity != participant.identity or self._listen_to == "first_caller":
            return
        others = [each for each in self.present if each.identity != participant.identity]
        if others:
            self._link(others[0])

    def _on_speakers(self, speakers: list[rtc.Participant]) -> None:
        """Switch to the loudest caller, unless the one that the agent listens to speaks, too."""
        linked = self.linked
        identities = [each.identity for each in speakers]
        if linked is not None and may_be_caller(linked, self._room) and linked.identity in identities:
            return
        callers = {each.identity: each for each in self.present}
        if (loudest := next((callers[each] for each in identities if each in callers), None)) is not None:
            self._link(loudest)

    def _link_if_nobody(self) -> None:
        """Listen to the first caller if nobody is listened to, or one who turns out to be none."""
        linked = self.linked
        if (linked is None or not may_be_caller(linked, self._room)) and (callers := self.present):
            self._link(callers[0])

    def _link(self, participant: rtc.RemoteParticipant) -> None:
        if self._session is not None:
            self._session.room_io.set_participant(participant.identity)
            for tell in self._on_link:
                tell(participant)
