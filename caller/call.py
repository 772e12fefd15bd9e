"""Run a call: join, greet, speak, listen, leave."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from livekit import rtc

from caller.agent_audio import AgentAudioMonitor
from caller.agent_watcher import AgentWatcher
from caller.audio import Pcm, Recording
from caller.clips import load_clips
from caller.clock import Clock
from caller.dispatch import ensure_dispatched
from caller.errors import NoAgentError, RoomError
from caller.microphone import Microphone, SendTimes
from caller.options import KEYS, CallOptions, Keys
from caller.report import CallReport, Greeting, Turn
from caller.room_connection import RoomConnection
from caller.soft_backchannels import SpeechAudio
from caller.timeouts import wait_for
from caller.transcripts import Transcripts

_KEY_INTERVAL_S = 0.2  # as fast as people press keys
_PROCEDURE_RETRY_S = 0.1  # an agent may be in the room before it has registered its procedures
_LEAVE_TIMEOUT_S = 5.0  # a server that is gone does not confirm that we left

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
    monitor = AgentAudioMonitor(clock, received, phone=options.phone)
    connection = RoomConnection(clock, monitor, options.agent_name)
    transcripts = Transcripts(connection.room, clock, options.topics)
    microphone = Microphone(clock, sent)
    try:
        await connection.join(options)
        if options.agent_name:
            await ensure_dispatched(options, connection.room.name)
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

    def __post_init__(self) -> None:
        self._speech = SpeechAudio(self.monitor, self.transcripts)
        self._watcher = AgentWatcher(self.options, self.clock, self.connection, self._speech)

    async def run(self, clips: list[Pcm], on_turn: OnTurn) -> CallReport:
        agent = await self._wait_for_agent()
        greeting = await self._watcher.wait_for_greeting()
        await self._call_procedures(agent)
        report = CallReport(
            room=self.connection.room.name,
            identity=self.connection.room.local_participant.identity,
            agent=agent.identity,
            wall_clock_start=self.clock.wall_clock_start,
            greeting=Greeting(greeting, self.transcripts.of_agent(0)) if greeting else None,
            texts=self.transcripts.texts,
        )
        for i, clip in enumerate(clips):
            begun, agent_is_speaking = self.clock.now(), not self._watcher.finished()
            utterance = self.options.utterances[i]
            keys = utterance.keys if isinstance(utterance, Keys) else ""
            times = await (self._press(keys) if keys else self.microphone.play(clip))
            turn = Turn(
                said=utterance.said,
                first_sent=times.first_sent,
                last_sent=times.last_sent,
                barge_in=self._barges_in(i) and agent_is_speaking,
            )
            following = self.options.utterances[i + 1 : i + 2]
            audible_s = following[0].over_reply_after if following else None
            await self._watcher.wait_for_reply(turn, bool(following), audible_s)
            turn.heard = self._speech.segments(begun)
            turn.caller_transcripts = self.transcripts.of_caller(begun)
            turn.agent_transcripts = self.transcripts.of_agent(begun)
            turn.backchannels = [sound for sound in self.transcripts.backchannels if sound.at >= begun]
            turn.texts = [text for text in self.transcripts.texts if text.at >= begun]
            report.turns.append(turn)
            on_turn(turn)
        return report

    async def _press(self, keys: str) -> SendTimes:
        """Press keys; return when the first and the last one were sent."""
        instants: list[float] = []
        for key in keys:
            if instants:
                await self.clock.sleep(_KEY_INTERVAL_S)
            instants.append(self.clock.now())
            await self.connection.room.local_participant.publish_dtmf(code=KEYS.index(key), digit=key)
        return SendTimes(instants[0], instants[-1])

    def _barges_in(self, i: int) -> bool:
        return i > 0 and not (self.options.barge_in is None and self.options.utterances[i].over_reply_after is None)

    async def _call_procedures(self, agent: rtc.RemoteParticipant) -> None:
        for method, payload in self.options.procedures:
            deadline = self.clock.now() + self.options.agent_timeout
            while not await self._call_procedure(agent, method, payload, is_last=self.clock.now() >= deadline):
                await self.clock.sleep(_PROCEDURE_RETRY_S)

    async def _call_procedure(self, agent: rtc.RemoteParticipant, method: str, payload: str, *, is_last: bool) -> bool:
        """Call a procedure; return False if the agent does not have it yet."""
        try:
            await self.connection.room.local_participant.perform_rpc(
                destination_identity=agent.identity, method=method, payload=payload
            )
        except rtc.RpcError as error:
            if error.code == rtc.RpcError.ErrorCode.UNSUPPORTED_METHOD and not is_last:
                return False
            raise RoomError(f"the agent did not run {method}: {error.message}") from None
        return True

    async def _wait_for_agent(self) -> rtc.RemoteParticipant:
        """Publish the microphone; wait until the agent is in the room, initialised, and subscribed to it."""
        room, timeout = self.connection.room, self.options.agent_timeout
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        track = rtc.LocalAudioTrack.create_audio_track("microphone", self.microphone.source)
        publication = await room.local_participant.publish_track(track, options)
        agent = await self._watcher.wait_until(lambda: self.connection.agent, timeout)
        if agent is None:
            raise NoAgentError(
                f"no agent in room {room.name} within {timeout:g} s: start one, check that it is dispatched to this"
                " room, or raise --agent-timeout"
            )
        # An agent that never subscribes leaves the turns without a reply, and the report says so.
        with contextlib.suppress(asyncio.TimeoutError):
            await wait_for(publication.wait_for_subscription(), timeout)
        await self._watcher.wait_until(lambda: self.connection.state != "initializing", timeout)
        return agent
