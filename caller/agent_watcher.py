"""Wait for the agent: until it greets, replies, and has finished."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from caller.clock import Clock
from caller.options import CallOptions
from caller.report import Segment, Turn, response_start

_POLL_S = 0.02  # instants are taken from the audio, so this delays only our own next step

_T = TypeVar("_T")


class AgentAudio(Protocol):
    """What the agent says, without its soft backchannels: `caller.soft_backchannels.SpeechAudio`."""

    @property
    def last_audible(self) -> float:
        """The end of the last audible segment, 0 if there was none."""

    def segments(self, since: float) -> list[Segment]:
        """Return what has been audible after `since`."""


class AgentPresence(Protocol):
    """Whether the agent is there, and in which state: `caller.room_connection.RoomConnection`."""

    state_since: float

    @property
    def present(self) -> bool:
        """Whether the agent is in the room."""

    @property
    def state(self) -> str | None:
        """The state that the agent publishes; None if it publishes none."""

    def raise_if_lost(self) -> None:
        """Raise `RoomError` if the connection was lost."""


class AgentWatcher:
    """Tells when the agent has greeted, replied and finished, by its audio and the state that it publishes."""

    def __init__(self, options: CallOptions, clock: Clock, presence: AgentPresence, audio: AgentAudio) -> None:
        self._options = options
        self._clock = clock
        self._presence = presence
        self._audio = audio

    async def wait_until(self, met: Callable[[], _T], timeout: float) -> _T:
        """Wait until `met` returns something true, at most `timeout` seconds; return its last value."""
        deadline = self._clock.now() + timeout
        while not (value := met()) and self._clock.now() < deadline:
            self._presence.raise_if_lost()
            await self._clock.sleep(_POLL_S)
        return value

    async def wait_for_greeting(self) -> list[Segment]:
        """Wait until a greeting is over; return its segments, none if the agent does not greet."""
        if await self.wait_until(lambda: self._audio.segments(0), self._options.greeting_wait):
            await self.wait_until(self.finished, self._options.turn_timeout)
        return self._audio.segments(0)

    async def wait_for_reply(self, turn: Turn, interrupt: bool, audible_s: float | None = None) -> None:
        """Fill in when the reply began; wait until it is over.

        With `interrupt`, wait only until it is time to barge in: by the option `barge_in`, or when the reply has been
        audible for `audible_s` seconds.
        """
        options = self._options

        def response() -> float | None:
            return response_start(self._audio.segments(0), turn.first_sent, turn.last_sent)

        def over() -> bool:
            began = response()
            if began is None:  # it was a backchannel, of which the announcement came after the sound
                return True
            if interrupt and options.barge_in is not None and self._clock.now() >= began + options.barge_in:
                return True
            if interrupt and audible_s is not None and self._audible_since(began) >= audible_s:
                return True
            return self.finished()

        def begun() -> bool:
            return response() is not None or not self._presence.present

        while await self.wait_until(begun, options.reply_timeout) and response() is not None:
            await self.wait_until(over, options.turn_timeout)
            turn.first_heard = response()
            if turn.first_heard is not None:
                turn.response_gap = turn.first_heard - turn.last_sent
                return

    def _audible_since(self, began: float) -> float:
        return sum(segment.end - segment.start for segment in self._audio.segments(began))

    def finished(self) -> bool:
        """Return whether the agent has finished.

        Between a pre-response and its answer the state may be 'listening' for a moment, or the audio may pause while
        the state is 'thinking'. So the agent has finished when both the state and the silence have lasted.
        """
        now, quiet = self._clock.now(), self._options.quiet
        silence = now - self._audio.last_audible
        if not self._presence.present or silence >= self._options.reply_timeout:
            return True
        state = self._presence.state
        listening = state is None or (state == "listening" and now - self._presence.state_since >= quiet)
        return listening and silence >= quiet
