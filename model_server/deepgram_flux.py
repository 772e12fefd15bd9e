"""Deepgram's live transcription by turns (Flux, `/v2/listen`): the model says when the speaker's turn is over.

https://developers.deepgram.com/docs/flux/state
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import BaseModel, Field, ValidationError, model_validator
from starlette.datastructures import QueryParams
from starlette.websockets import WebSocket

from model_server.backends import STT, Audio, Transcript, TurnPause
from model_server.deepgram_stream import AudioOptions, Conversation, Frames
from model_server.segmenter import Segmenter, SegmentEvent, SpeechSegment

FLUX = "flux-"
"""In the name of each model of this protocol."""
UPDATE_INTERVAL_S = 0.25
"""Audio between two messages of a turn."""
PAUSE_S = 0.16
"""Silence in which the turn may be over. The closure before a 't' or 'k' inside a word is up to 0.15 s long."""
_NEVER = 1.0
"""The threshold that no confidence reaches: only the client and the timeout end turns."""
_MAX_TIMEOUT_MS = 60_000


class Thresholds(BaseModel):
    """When a turn is over. A client may change them during the call."""

    eot_threshold: Annotated[float, Field(ge=0.5, le=_NEVER)] = 0.7
    eager_eot_threshold: Annotated[float, Field(ge=0.3, le=0.9)] | None = None
    eot_timeout_ms: Annotated[int, Field(ge=500, le=_MAX_TIMEOUT_MS)] = 5000

    @model_validator(mode="after")
    def _check_order(self) -> Thresholds:
        if self.eager_eot_threshold is not None and self.eager_eot_threshold > self.eot_threshold:
            raise ValueError("eager_eot_threshold must not be greater than eot_threshold")
        return self


class FluxOptions(AudioOptions, Thresholds):
    """The query parameters that have an effect; the others are accepted."""

    model: str
    keyterm: list[str] = []
    language_hint: list[str] = []

    @classmethod
    def of(cls, query: QueryParams) -> FluxOptions:
        """Return the options in a query, where two of them may be repeated."""
        lists = {name: query.getlist(name) for name in ("keyterm", "language_hint")}
        return cls.model_validate({**dict(query), **lists})

    @property
    def is_multilingual(self) -> bool:
        """Whether the model recognises more than English."""
        return self.model.endswith("-multi")


class _Configure(BaseModel):
    """A client's message that changes options; what it does not have stays as it is."""

    thresholds: dict[str, Any] = {}
    keyterms: list[str] | None = None
    language_hints: list[str] | None = None


@dataclass(frozen=True)
class _Speech:
    """Speech that goes on, for an interim transcript."""

    segment: SpeechSegment
    number: int
    at_s: float


@dataclass(frozen=True)
class _Segment:
    """Speech that has ended, or been cut. `silence_s` is None if no pause follows it."""

    segment: SpeechSegment
    number: int
    at_s: float
    silence_s: float | None


@dataclass(frozen=True)
class _Silence:
    at_s: float
    silence_s: float


@dataclass(frozen=True)
class _EndTurn:
    """The client ends the turn."""

    at_s: float


@dataclass(frozen=True)
class _Change:
    message: Mapping[str, Any]


_Job = _Speech | _Segment | _Silence | _EndTurn | _Change


@dataclass
class _Turn:
    """A turn that is not over.

    Attributes:
        start_s: When it began, from the start of the stream.
        final: The words of segments that have ended.
        interim: The words of the segment that goes on.
        pause: The silence after it; None while the speaker speaks, or is cut in the middle of a long segment.
        confidence: That it is over.
        is_eager: Whether the client was told that it may be over.
        sent_at_s: When the latest message was sent, by the stream.
    """

    start_s: float
    final: list[dict[str, Any]] = field(default_factory=list)
    interim: list[dict[str, Any]] = field(default_factory=list)
    pause: TurnPause | None = None
    confidence: float = 0.0
    is_eager: bool = False
    sent_at_s: float = 0.0

    @property
    def words(self) -> list[dict[str, Any]]:
        """All words so far."""
        return [*self.final, *self.interim]


class FluxConversation(Conversation[_Job]):
    """Cuts the audio at pauses, and tells the client how each changes the turn.

    Times are those of the stream, so that a slow transcription delays messages but changes nothing in them.

    Args:
        socket: The client, accepted.
        frames: Its audio.
        options: Its options.
        stt: The model.
        request_id: In each message.
        client_timeout_s: How long to wait for a message of the client.
        now: The clock that shows whether interim transcripts take too long.
    """

    def __init__(
        self,
        socket: WebSocket,
        frames: Frames,
        options: FluxOptions,
        stt: STT,
        request_id: str,
        client_timeout_s: float,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(socket, frames, client_timeout_s)
        self._options = options
        self._stt = stt
        self._request_id = request_id
        self._now = now
        self._segmenter = Segmenter(PAUSE_S)
        self._number = 0
        self._next_interim_s = 0.0
        self._interim_took_s = 0.0
        self._turn: _Turn | None = None
        self._turn_index = 0
        self._sequence_id = 0

    async def run(self) -> None:
        """Serve the connection until it is closed."""
        await self._send({"type": "Connected"})
        await super().run()

    # --- what arrives

    async def _on_frames(self, frames: Sequence[tuple[Audio, float]]) -> None:
        for frame, probability in frames:
            event = self._segmenter.push(frame, probability)
            if event is SegmentEvent.STARTED:
                self._next_interim_s = self._segmenter.elapsed_s
            elif event is not None:
                self._queue_segment(self._segmenter.silence_s if event is SegmentEvent.ENDED else None)
            self._queue_progress()

    def _queue_progress(self) -> None:
        at_s = self._segmenter.elapsed_s
        if not self._segmenter.is_open:
            if self._number and self._segmenter.silence_s * 1000 <= _MAX_TIMEOUT_MS + 1000:
                self._jobs.put_nowait(_Silence(at_s, self._segmenter.silence_s))
        elif at_s >= self._next_interim_s and (segment := self._segmenter.snapshot()):
            self._next_interim_s = at_s + UPDATE_INTERVAL_S
            self._jobs.put_nowait(_Speech(segment, self._number, at_s))

    def _queue_segment(self, silence_s: float | None) -> None:
        if segment := self._segmenter.take():
            self._jobs.put_nowait(_Segment(segment, self._number, self._segmenter.elapsed_s, silence_s))
            self._number += 1

    async def _on_message(self, message: Mapping[str, Any]) -> bool:
        kind = message.get("type")
        if kind == "ForceEndTurn":
            self._on_end()
        elif kind == "Configure":
            self._jobs.put_nowait(_Change(message))
        return kind in ("ForceEndTurn", "Configure", "KeepAlive")

    def _on_end(self) -> None:
        self._queue_segment(None)
        self._jobs.put_nowait(_EndTurn(self._segmenter.elapsed_s))

    async def _refuse_message(self) -> None:
        description = "Text message received from client did not match any of the expected formats."
        await self._send({"type": "Error", "code": "UNPARSABLE_CLIENT_MESSAGE", "description": description})
        await self._socket.close(1008, "DATA-0000: unparsable or unknown message")

    # --- what is sent

    async def _do_job(self, job: _Job) -> None:
        if isinstance(job, _Speech):
            await self._hear(job)
        elif isinstance(job, _Segment):
            await self._finish_segment(job)
        elif isinstance(job, _Silence):
            await self._judge(job.at_s, job.silence_s)
        elif isinstance(job, _EndTurn):
            await self._end_turn(job.at_s, trigger="manual")
        else:
            await self._change(job.message)

    async def _hear(self, job: _Speech) -> None:
        if self._interim_took_s > UPDATE_INTERVAL_S and not self._jobs.empty():
            return  # the model is too slow for every one: only the newest is transcribed
        started = self._now()
        transcript = await self._stt.transcribe(self._options.model, job.segment.audio, segment=job.number, final=False)
        self._interim_took_s = self._now() - started
        words = _words(transcript, job.segment.start_s)
        if self._turn is None:
            if words:
                await self._start_turn(job.segment.start_s, job.at_s, words)
            return
        self._turn.interim, self._turn.pause, self._turn.confidence = words, None, 0.0
        if self._turn.is_eager:
            await self._resume_turn(job.at_s)
        else:
            await self._tell("Update", job.at_s)

    async def _finish_segment(self, job: _Segment) -> None:
        transcript = await self._stt.transcribe(self._options.model, job.segment.audio, segment=job.number, final=True)
        words = _words(transcript, job.segment.start_s)
        if self._turn is None:
            if not words:
                return  # a cough
            await self._start_turn(job.segment.start_s, job.at_s, words)
        turn = self._turn
        assert turn is not None
        turn.interim = words
        if turn.is_eager and words:
            await self._resume_turn(job.at_s)
        turn.final, turn.interim = turn.words, []
        if job.silence_s is not None:
            turn.pause = self._stt.turn_pause(self._options.model, transcript.text or _text(turn.final))
            await self._judge(job.at_s, job.silence_s)

    async def _judge(self, at_s: float, silence_s: float) -> None:
        """Tell the client whether the turn is over, or may be."""
        turn, options = self._turn, self._options
        if turn is None:
            return
        turn.confidence = turn.pause.confidence(silence_s) if turn.pause else 0.0
        eager = options.eager_eot_threshold
        if eager is not None and not turn.is_eager and turn.confidence >= eager and turn.words:
            turn.is_eager = True
            await self._tell("EagerEndOfTurn", at_s)
        is_certain = options.eot_threshold < _NEVER and turn.confidence >= options.eot_threshold
        if is_certain or silence_s * 1000 >= options.eot_timeout_ms:
            await self._end_turn(at_s, trigger="model")
        elif at_s - turn.sent_at_s >= UPDATE_INTERVAL_S:
            await self._tell("Update", at_s)

    async def _start_turn(self, start_s: float, at_s: float, words: list[dict[str, Any]]) -> None:
        self._turn = _Turn(start_s, interim=words)
        await self._tell("StartOfTurn", at_s)

    async def _resume_turn(self, at_s: float) -> None:
        assert self._turn is not None
        self._turn.is_eager, self._turn.confidence = False, 0.0
        await self._tell("TurnResumed", at_s)

    async def _end_turn(self, at_s: float, *, trigger: str) -> None:
        if self._turn is None:
            return
        await self._tell("EndOfTurn", at_s, trigger=trigger)
        self._turn = None
        self._turn_index += 1

    async def _change(self, message: Mapping[str, Any]) -> None:
        options = self._options
        try:
            change = _Configure.model_validate(message)
            thresholds = Thresholds.model_validate({**_thresholds(options), **change.thresholds})
        except ValidationError:
            await self._send({"type": "ConfigureFailure"})
            return
        keyterms = options.keyterm if change.keyterms is None else change.keyterms
        hints = options.language_hint if change.language_hints is None else change.language_hints
        update = {**thresholds.model_dump(), "keyterm": keyterms, "language_hint": hints}
        self._options = options = options.model_copy(update=update)
        answer = {"type": "ConfigureSuccess", "thresholds": _thresholds(options), "keyterms": options.keyterm}
        await self._send({**answer, **({"language_hints": hints} if options.is_multilingual else {})})

    async def _tell(self, event: str, at_s: float, **more: object) -> None:
        turn = self._turn
        assert turn is not None
        turn.sent_at_s = at_s
        message = {
            "type": "TurnInfo",
            "event": event,
            "turn_index": self._turn_index,
            "audio_window_start": round(turn.start_s, 3),
            "audio_window_end": round(at_s, 3),
            "transcript": _text(turn.words),
            "words": turn.words,
            "end_of_turn_confidence": round(turn.confidence, 4),
        }
        await self._send({**message, **self._languages(), **more})

    def _languages(self) -> dict[str, list[str]]:
        if not self._options.is_multilingual:
            return {}
        hints = self._options.language_hint
        detected = {"languages": hints[:1] or ["en"]}
        return {**detected, "languages_hinted": hints} if hints else detected

    async def _send(self, fields: Mapping[str, Any]) -> None:
        number = self._sequence_id
        self._sequence_id += 1
        await self._socket.send_json({"request_id": self._request_id, "sequence_id": number, **fields})


def _thresholds(thresholds: Thresholds) -> dict[str, Any]:
    return {name: getattr(thresholds, name) for name in Thresholds.model_fields}


def _words(transcript: Transcript, start_s: float) -> list[dict[str, Any]]:
    return [
        {
            "word": word.text,
            "start": round(start_s + word.start, 3),
            "end": round(start_s + word.end, 3),
            "confidence": round(word.confidence, 4),
        }
        for word in transcript.words
    ]


def _text(words: Sequence[Mapping[str, Any]]) -> str:
    return " ".join(word["word"] for word in words)
