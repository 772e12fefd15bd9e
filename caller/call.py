"""The conversation: greet, say, listen, again."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import TypeVar

from livekit import rtc

from caller.audio import Pcm, Recording
from caller.clock import Clock
from caller.ear import Ear
from caller.errors import NoAgentError
from caller.line import Line
from caller.microphone import Microphone
from caller.options import CallOptions
from caller.report import CallReport, Greeting, Turn, response_start
from caller.transcripts import Transcripts
from caller.utterances import load
from caller.waiting import within

_POLL = 0.02  # seconds; instants are taken from the audio, so this only delays our own next step
_LEAVE = 5.0  # seconds; a server that is gone does not say goodbye

_T = TypeVar("_T")
OnTurn = Callable[[Turn], None]


async def call(options: CallOptions, on_turn: OnTurn | None = None, recording: Recording | None = None) -> CallReport:
    """Join, say every utterance, leave. `on_turn` is called as each turn ends.

    All that is heard goes to `recording`, for who wants to look into the sound itself.

    Raises `InputError` before joining, with all problems; `RoomError`; `NoAgentError`. A turn without a reply
    is no error: its `first_heard` is None.
    """
    clips = await load(options)
    clock = Clock()
    heard = recording or (Recording() if options.record else None)
    sent = Recording() if options.record_caller else None
    ear = Ear(clock, heard)
    line = Line(clock, ear)
    transcripts = Transcripts(line.room, clock, options.topics)
    microphone = Microphone(clock, sent)
    try:
        await line.join(options)
        conversation = _Conversation(options, clock, line, ear, microphone, transcripts)
        report = await conversation.hold(clips, on_turn or (lambda turn: None))
    finally:
        await ear.aclose()
        with contextlib.suppress(asyncio.TimeoutError):
            await within(line.room.disconnect(), _LEAVE)
        await microphone.aclose()
        if options.record and heard:
            await asyncio.to_thread(heard.write, options.record)
        if options.record_caller and sent:
            await asyncio.to_thread(sent.write, options.record_caller)
    if options.json:
        await asyncio.to_thread(options.json.write_text, report.to_json(), encoding="utf-8")
    return report


class _Conversation:
    def __init__(
        self,
        options: CallOptions,
        clock: Clock,
        line: Line,
        ear: Ear,
        microphone: Microphone,
        transcripts: Transcripts,
    ) -> None:
        self._options = options
        self._clock = clock
        self._line = line
        self._ear = ear
        self._microphone = microphone
        self._transcripts = transcripts

    async def hold(self, clips: list[Pcm], on_turn: OnTurn) -> CallReport:
        agent = await self._meet_agent()
        me = self._line.room.local_participant
        report = CallReport(
            room=self._line.room.name,
            identity=me.identity,
            agent=agent.identity,
            wall_clock_start=self._clock.wall_clock_start,
            greeting=await self._hear_greeting(),
            texts=self._transcripts.texts,
        )
        for i, clip in enumerate(clips):
            begun, agent_is_speaking = self._clock.now(), not self._finished()
            spoken = await self._microphone.say(clip)
            turn = Turn(
                said=self._options.utterances[i].said,
                first_sent=spoken.first_sent,
                last_sent=spoken.last_sent,
                barge_in=i > 0 and self._options.barge_in is not None and agent_is_speaking,
            )
            await self._hear_reply(turn, interrupt=i + 1 < len(clips))
            turn.heard = self._ear.segments(begun)
            turn.caller_transcripts = self._transcripts.of_caller(begun)
            turn.agent_transcripts = self._transcripts.of_agent(begun)
            turn.texts = [text for text in self._transcripts.texts if text.at >= begun]
            report.turns.append(turn)
            on_turn(turn)
        return report

    async def _meet_agent(self) -> rtc.RemoteParticipant:
        """Wait until the agent is there, awake, and hears our microphone."""
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        track = rtc.LocalAudioTrack.create_audio_track("microphone", self._microphone.source)
        publication = await self._line.room.local_participant.publish_track(track, options)
        timeout = self._options.agent_timeout
        agent = await self._until(lambda: self._line.agent, timeout)
        if agent is None:
            raise NoAgentError(
                f"no agent in room {self._line.room.name} within {timeout:g} s: start one, check that it is"
                " dispatched to this room, or raise --agent-timeout"
            )
        # An agent that never listens leaves the turns without a reply, and that is what is reported.
        with contextlib.suppress(asyncio.TimeoutError):
            await within(publication.wait_for_subscription(), timeout)
        await self._until(lambda: self._line.state != "initializing", timeout)
        return agent

    async def _hear_greeting(self) -> Greeting | None:
        if not await self._until(lambda: self._ear.segments(0), self._options.greeting_wait):
            return None
        await self._until(self._finished, self._options.turn_timeout)
        return Greeting(self._ear.segments(0), self._transcripts.of_agent(0))

    async def _hear_reply(self, turn: Turn, interrupt: bool) -> None:
        """Wait until the reply is over, or, if `interrupt` and so asked for, until the time to barge in."""
        options = self._options

        def response() -> float | None:
            heard = self._ear.segments(0)
            return response_start(heard, turn.first_sent, turn.last_sent)

        def over() -> bool:
            began, now = response(), self._clock.now()
            if began is None:
                return self._line.agent is None
            if interrupt and options.barge_in is not None and now >= began + options.barge_in:
                return True
            return self._finished()

        await self._until(lambda: response() is not None or self._line.agent is None, options.reply_timeout)
        turn.first_heard = response()
        if turn.first_heard is not None:
            turn.response_gap = turn.first_heard - turn.last_sent
            await self._until(over, options.turn_timeout)

    def _finished(self) -> bool:
        """Whether the agent has no more to say.

        Between a pre-response and its answer the state may turn to 'listening' for a moment, or the audio may
        pause while the state says 'thinking'. So both have to last, together.
        """
        now = self._clock.now()
        if self._line.agent is None or self._quiet(now, self._options.reply_timeout):
            return True
        listening = self._line.state in (None, "listening")
        stable = self._line.state is None or now - self._line.state_since >= self._options.quiet
        return listening and stable and self._quiet(now)

    def _quiet(self, now: float, length: float | None = None) -> bool:
        return now - self._ear.last_audible >= (self._options.quiet if length is None else length)

    async def _until(self, met: Callable[[], _T], timeout: float) -> _T:
        """Wait for `met` to be true, at most `timeout`; its value then."""
        deadline = self._clock.now() + timeout
        while not (value := met()) and self._clock.now() < deadline:
            self._line.check()
            await asyncio.sleep(_POLL)
        return value
