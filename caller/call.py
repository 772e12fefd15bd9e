"""Run a call: join, greet, speak, listen, leave."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from livekit import rtc

from caller.agent_audio import AgentAudioMonitor
from caller.audio import Pcm, Recording
from caller.clips import load_clips
from caller.clock import Clock
from caller.errors import NoAgentError
from caller.microphone import Microphone
from caller.options import CallOptions
from caller.report import CallReport, Greeting, Turn, response_start
from caller.room_connection import RoomConnection
from caller.timeouts import wait_for
from caller.transcripts import Transcripts

_POLL_S = 0.02  # instants are taken from the audio, so this delays only our own next step
_LEAVE_TIMEOUT_S = 5.0  # a server that is gone does not confirm that we left

_T = TypeVar("_T")
OnTurn = Callable[[Turn], None]


async def call(options: CallOptions, on_turn: OnTurn | None = None, recording: Recording | None = None) -> CallReport:
    """Join, say every utterance, leave.

    Args:
        options: The room, the utterances, the timeouts.
        on_turn: Called with each turn as it ends.
        recording: Receives all of the agent's audio.

    Returns:
        The report. A turn without a reply is no error: its `first_heard` is None.

    Raises:
        InputError: Before joining, with every problem of the options.
        RoomError: If the room cannot be joined or the connection is lost.
        NoAgentError: If no agent comes into the room.
    """
    clips = await load_clips(options)
    clock = Clock()
    received = recording or (Recording() if options.record else None)
    sent = Recording() if options.record_caller else None
    monitor = AgentAudioMonitor(clock, received)
    connection = RoomConnection(clock, monitor)
    transcripts = Transcripts(connection.room, clock, options.topics)
    microphone = Microphone(clock, sent)
    try:
        await connection.join(options)
        conversation = _Conversation(options, clock, connection, monitor, microphone, transcripts)
        report = await conversation.run(clips, on_turn or (lambda turn: None))
    finally:
        await monitor.aclose()
        with contextlib.suppress(asyncio.TimeoutError):
            await wait_for(connection.room.disconnect(), _LEAVE_TIMEOUT_S)
        await microphone.aclose()
        if options.record and received:
            await asyncio.to_thread(received.write, options.record)
        if options.record_caller and sent:
            await asyncio.to_thread(sent.write, options.record_caller)
    if options.json:
        await asyncio.to_thread(options.json.write_text, report.to_json(), encoding="utf-8")
    return report


@dataclass
class _Conversation:
    options: CallOptions
    clock: Clock
    connection: RoomConnection
    monitor: AgentAudioMonitor
    microphone: Microphone
    transcripts: Transcripts

    async def run(self, clips: list[Pcm], on_turn: OnTurn) -> CallReport:
        agent = await self._wait_for_agent()
        local = self.connection.room.local_participant
        report = CallReport(
            room=self.connection.room.name,
            identity=local.identity,
            agent=agent.identity,
            wall_clock_start=self.clock.wall_clock_start,
            greeting=await self._wait_for_greeting(),
            texts=self.transcripts.texts,
        )
        for i, clip in enumerate(clips):
            begun, agent_is_speaking = self.clock.now(), not self._agent_finished()
            times = await self.microphone.play(clip)
            turn = Turn(
                said=self.options.utterances[i].said,
                first_sent=times.first_sent,
                last_sent=times.last_sent,
                barge_in=i > 0 and self.options.barge_in is not None and agent_is_speaking,
            )
            await self._wait_for_reply(turn, interrupt=i + 1 < len(clips))
            turn.heard = self.monitor.segments(begun)
            turn.caller_transcripts = self.transcripts.of_caller(begun)
            turn.agent_transcripts = self.transcripts.of_agent(begun)
            turn.texts = [text for text in self.transcripts.texts if text.at >= begun]
            report.turns.append(turn)
            on_turn(turn)
        return report

    async def _wait_for_agent(self) -> rtc.RemoteParticipant:
        """Publish the microphone; wait until the agent is in the room, initialised, and subscribed to it."""
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        track = rtc.LocalAudioTrack.create_audio_track("microphone", self.microphone.source)
        publication = await self.connection.room.local_participant.publish_track(track, options)
        timeout = self.options.agent_timeout
        agent = await self._until(lambda: self.connection.agent, timeout)
        if agent is None:
            raise NoAgentError(
                f"no agent in room {self.connection.room.name} within {timeout:g} s: start one, check that it is"
                " dispatched to this room, or raise --agent-timeout"
            )
        # An agent that never subscribes leaves the turns without a reply, and the report says so.
        with contextlib.suppress(asyncio.TimeoutError):
            await wait_for(publication.wait_for_subscription(), timeout)
        await self._until(lambda: self.connection.state != "initializing", timeout)
        return agent

    async def _wait_for_greeting(self) -> Greeting | None:
        if not await self._until(lambda: self.monitor.segments(0), self.options.greeting_wait):
            return None
        await self._until(self._agent_finished, self.options.turn_timeout)
        return Greeting(self.monitor.segments(0), self.transcripts.of_agent(0))

    async def _wait_for_reply(self, turn: Turn, interrupt: bool) -> None:
        """Wait until the reply is over, or with `interrupt` and the option `barge_in` until it is time to barge in."""
        options = self.options

        def response() -> float | None:
            heard = self.monitor.segments(0)
            return response_start(heard, turn.first_sent, turn.last_sent)

        def finished() -> bool:
            began, now = response(), self.clock.now()
            if began is None:
                return self.connection.agent is None
            if interrupt and options.barge_in is not None and now >= began + options.barge_in:
                return True
            return self._agent_finished()

        await self._until(lambda: response() is not None or self.connection.agent is None, options.reply_timeout)
        turn.first_heard = response()
        if turn.first_heard is not None:
            turn.response_gap = turn.first_heard - turn.last_sent
            await self._until(finished, options.turn_timeout)

    def _agent_finished(self) -> bool:
        """Return whether the reply is over.

        Between a pre-response and its answer the state may be 'listening' for a moment, or the audio may pause while
        the state is 'thinking'. So the reply is over when both the state and the silence have lasted.
        """
        now = self.clock.now()
        if self.connection.agent is None or self._quiet(now, self.options.reply_timeout):
            return True
        listening = self.connection.state in (None, "listening")
        state_lasted = self.connection.state is None or now - self.connection.state_since >= self.options.quiet
        return listening and state_lasted and self._quiet(now)

    def _quiet(self, now: float, length: float | None = None) -> bool:
        return now - self.monitor.last_audible >= (self.options.quiet if length is None else length)

    async def _until(self, met: Callable[[], _T], timeout: float) -> _T:
        """Wait until `met` returns something true, at most `timeout` seconds; return its last value."""
        deadline = self.clock.now() + timeout
        while not (value := met()) and self.clock.now() < deadline:
            self.connection.raise_if_lost()
            await asyncio.sleep(_POLL_S)
        return value
