"""The connection to the room, the agent in it, and the state that the agent publishes."""

import asyncio
import warnings
from urllib.parse import urlsplit

from livekit import api, rtc

from caller.agent_audio import AgentAudioMonitor
from caller.clock import Clock
from caller.errors import RoomError
from caller.options import CallOptions
from caller.timeouts import wait_for

_STATE = "lk.agent.state"
_ON_BEHALF = "lk.publish_on_behalf"
_AGENT_NAME = "lk.agent.name"
_ANSWERED_PHONE = {"sip.callStatus": "active"}  # what LiveKit's SIP server sets
_CONNECT_GRACE_S = 5.0  # for a connection that is being made when the call is cancelled


class RoomConnection:
    """A room and the agent in it, whose audio is handed to the monitor as soon as it is subscribed.

    Args:
        clock: The call's clock.
        monitor: Receives the agent's audio.
        agent_name: The agent that is meant; empty for the first that comes.
    """

    def __init__(self, clock: Clock, monitor: AgentAudioMonitor, agent_name: str = "") -> None:
        self.room = rtc.Room()
        self.agent: rtc.RemoteParticipant | None = None
        self.state_since = 0.0
        self._lost = False
        self._clock = clock
        self._monitor = monitor
        self._agent_name = agent_name
        self.room.on("participant_connected", self._participant_connected)
        self.room.on("participant_disconnected", self._participant_disconnected)
        self.room.on("participant_attributes_changed", self._attributes_changed)
        self.room.on("track_subscribed", self._track_subscribed)
        self.room.on("disconnected", self._disconnected)

    @property
    def present(self) -> bool:
        """Whether the agent is in the room."""
        return self.agent is not None

    @property
    def state(self) -> str | None:
        """The state that the agent publishes; None if it publishes none."""
        return self.agent.attributes.get(_STATE) if self.agent else None

    def raise_if_lost(self) -> None:
        """Raise `RoomError` if the connection was lost."""
        if self._lost:
            raise RoomError("the connection to the room was lost: the server closed it or went away")

    async def join(self, options: CallOptions) -> None:
        """Join the room, or raise `RoomError` with the reason and a remedy."""
        where = urlsplit(options.url).netloc.rpartition("@")[2]  # an address may carry a password
        room_options = rtc.RoomOptions(connect_timeout=options.connect_timeout)
        connecting = asyncio.ensure_future(self.room.connect(options.url, _token(options), room_options))
        try:
            await wait_for(asyncio.shield(connecting), options.connect_timeout)
        except asyncio.CancelledError:
            # The library goes on connecting after a cancellation: we have to be in the room to leave it before we exit.
            await asyncio.wait([connecting], timeout=_CONNECT_GRACE_S)
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
            self._participant_connected(participant)

    def _participant_connected(self, participant: rtc.RemoteParticipant) -> None:
        # An avatar is of the same kind: it publishes on behalf of the agent and is not the agent.
        if self._is_meant(participant) and self.agent is None and _ON_BEHALF not in participant.attributes:
            self.agent = participant
            self.state_since = self._clock.now()

    def _is_meant(self, participant: rtc.RemoteParticipant) -> bool:
        """Whether a participant is an agent, of the name that is meant; an avatar counts as its agent."""
        if participant.kind != rtc.ParticipantKind.PARTICIPANT_KIND_AGENT:
            return False
        name = participant.attributes.get(_AGENT_NAME)  # agents of other frameworks publish none
        return not self._agent_name or name in (None, self._agent_name)

    def _participant_disconnected(self, participant: rtc.RemoteParticipant) -> None:
        if self.agent and participant.identity == self.agent.identity:
            self.agent = None
            self._monitor.detach()

    def _attributes_changed(self, changed: dict[str, str], participant: rtc.Participant) -> None:
        if self.agent and participant.identity == self.agent.identity and _STATE in changed:
            self.state_since = self._clock.now()

    def _track_subscribed(
        self, track: rtc.Track, _: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant
    ) -> None:
        if self._is_meant(participant) and track.kind == rtc.TrackKind.KIND_AUDIO:
            self._monitor.attach(track)

    def _disconnected(self, _: object = None) -> None:
        self._lost = True


def _token(options: CallOptions) -> str:
    if options.token:
        return options.token
    grants = api.VideoGrants(room_join=True, room_create=True, room=options.room)
    token = api.AccessToken(options.api_key, options.api_secret).with_identity(options.identity)
    if options.phone:
        token = token.with_kind("sip").with_attributes(_ANSWERED_PHONE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a development server's secret is short
        return token.with_grants(grants).to_jwt()


def _refusal(message: str, where: str, by_token: bool) -> str:
    """Return the reason and a remedy. It quotes nothing of the message, which has the token in it."""
    if "expired" in message:
        return f"{where}: the token has expired: make a new one"
    if "invalid API key" in message:
        return f"{where}: the server does not know this API key: check LIVEKIT_API_KEY"
    if "401" in message or "403" in message:
        remedy = "make a new one that may join this room" if by_token else "check LIVEKIT_API_SECRET"
        return f"{where}: the server refused the {'token' if by_token else 'key and secret'}: {remedy}"
    if "404" in message:
        return f"{where}: answers, but is no LiveKit server: check the address"
    if "refused" in message:
        return f"{where}: connection refused: start the LiveKit server there, or check --url"
    if "lookup" in message:
        return f"{where}: no such host: check --url"
    return f"{where}: the server could not be reached: check --url"
