"""The connection: joining the room, who the agent is, and what state it says it is in."""

import asyncio
import warnings
from urllib.parse import urlsplit

from livekit import api, rtc

from caller.clock import Clock
from caller.ear import Ear
from caller.errors import RoomError
from caller.options import CallOptions
from caller.waiting import within

_STATE = "lk.agent.state"
_ON_BEHALF = "lk.publish_on_behalf"
_COMING = 5.0  # seconds; a connection that is being made when we are told to leave


class Line:
    """A room, and the agent in it. Its audio goes to the ear as soon as it is there."""

    def __init__(self, clock: Clock, ear: Ear) -> None:
        self.room = rtc.Room()
        self.agent: rtc.RemoteParticipant | None = None
        self.state_since = 0.0
        self._lost = False
        self._clock = clock
        self._ear = ear
        self.room.on("participant_connected", self._meet)
        self.room.on("participant_disconnected", self._part)
        self.room.on("participant_attributes_changed", self._attributes_changed)
        self.room.on("track_subscribed", self._track_subscribed)
        self.room.on("disconnected", self._disconnected)

    @property
    def state(self) -> str | None:
        """The agent's own word, None when it gives none."""
        return self.agent.attributes.get(_STATE) if self.agent else None

    def check(self) -> None:
        """Raise when the room is gone."""
        if self._lost:
            raise RoomError("the connection to the room was lost: the server closed it or went away")

    async def join(self, options: CallOptions) -> None:
        where = urlsplit(options.url).netloc.rpartition("@")[2]  # an address may carry a password
        room_options = rtc.RoomOptions(connect_timeout=options.connect_timeout)
        connecting = asyncio.ensure_future(self.room.connect(options.url, _token(options), room_options))
        try:
            await within(asyncio.shield(connecting), options.connect_timeout)
        except asyncio.CancelledError:
            # The library goes on connecting, cancelled or not: there has to be a room to leave before we exit.
            await asyncio.wait([connecting], timeout=_COMING)
            raise
        except rtc.ConnectError as error:
            # Not chained and not quoted: the message has the token in it.
            raise RoomError(_refusal(error.message, where, bool(options.token))) from None
        except asyncio.TimeoutError:
            connecting.cancel()
            raise RoomError(
                f"{where}: no answer within {options.connect_timeout:g} s: check the address, then --connect-timeout"
            ) from None
        for participant in self.room.remote_participants.values():
            self._meet(participant)

    def _meet(self, participant: rtc.RemoteParticipant) -> None:
        is_agent = participant.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
        # An avatar is of the same kind, and speaks for the agent without being it.
        if is_agent and self.agent is None and _ON_BEHALF not in participant.attributes:
            self.agent = participant
            self.state_since = self._clock.now()

    def _part(self, participant: rtc.RemoteParticipant) -> None:
        if self.agent and participant.identity == self.agent.identity:
            self.agent = None
            self._ear.let_go()

    def _attributes_changed(self, changed: dict[str, str], participant: rtc.Participant) -> None:
        if self.agent and participant.identity == self.agent.identity and _STATE in changed:
            self.state_since = self._clock.now()

    def _track_subscribed(
        self, track: rtc.Track, _: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant
    ) -> None:
        is_agent = participant.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
        if is_agent and track.kind == rtc.TrackKind.KIND_AUDIO:
            self._ear.follow(track)

    def _disconnected(self, _: object = None) -> None:
        self._lost = True


def _token(options: CallOptions) -> str:
    if options.token:
        return options.token
    grants = api.VideoGrants(room_join=True, room=options.room)
    token = api.AccessToken(options.api_key, options.api_secret).with_identity(options.identity)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a development server's secret is short, and the user knows
        return token.with_grants(grants).to_jwt()


def _refusal(message: str, where: str, by_token: bool) -> str:
    """The reason in the user's terms, made of nothing but what we know to be no secret."""
    if "expired" in message:
        return f"{where}: the token has expired: make a new one"
    if "invalid API key" in message:
        return f"{where}: the server does not know this API key: check LIVEKIT_API_KEY"
    if "401" in message or "403" in message:
        mend = "make a new one that may join this room" if by_token else "check LIVEKIT_API_SECRET"
        return f"{where}: the server refused the {'token' if by_token else 'key and secret'}: {mend}"
    if "404" in message:
        return f"{where}: answers, but is no LiveKit server: check the address"
    if "refused" in message:
        return f"{where}: connection refused: start the LiveKit server there, or check --url"
    if "lookup" in message:
        return f"{where}: no such host: check --url"
    return f"{where}: the server could not be reached: check --url"
