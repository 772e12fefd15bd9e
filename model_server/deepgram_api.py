"""Deepgram's websockets: the endpoints, and the live transcription of version 1. Audio in, results out."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Annotated, Any

from pydantic import Field, ValidationError, field_validator
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.websockets import WebSocket

from model_server.backends import STT, Audio, Span, Transcript, UnknownModelError
from model_server.deepgram_flux import FLUX, FluxConversation, FluxOptions
from model_server.deepgram_stream import (
    CLIENT_TIMEOUT_S,
    UNKNOWN_MODEL,
    AudioOptions,
    Conversation,
    Frames,
    deny,
    problems,
)
from model_server.segmenter import Segmenter, SegmentEvent, SpeechSegment

MIN_ENDPOINTING_MS = 200
"""Deepgram's model reads a continuous stream, so clients may ask for 25 ms. Whisper reads whole segments, and the
closure before a 't' or 'k' inside a word is up to 150 ms of silence."""

INTERIM_INTERVAL_S = 1.0
"""New speech between two interim results; each costs a whole run of Whisper."""


class LiveOptions(AudioOptions):
    """The query parameters that have an effect; the others are accepted."""

    model: str
    language: str = ""
    interim_results: bool = False
    vad_events: bool = False
    endpointing: Annotated[int, Field(ge=0)] | None = 10
    utterance_end_ms: Annotated[int, Field(ge=1000)] | None = None
    punctuate: bool = False
    smart_format: bool = False

    @field_validator("endpointing", mode="before")
    @classmethod
    def _endpointing(cls, value: object) -> object:
        return {"false": None, "true": 10}.get(value, value) if isinstance(value, str) else value

    @property
    def endpointing_s(self) -> float | None:
        """Silence that ends a segment; None: only a request of the client does."""
        return None if self.endpointing is None else max(self.endpointing, MIN_ENDPOINTING_MS) / 1000


PROJECTS_PATH = "/v1/projects"
"""Clients request it to check their key."""


class DeepgramAPI:
    """The endpoints."""

    def __init__(self, stt: STT, api_key: str | None, client_timeout_s: float = CLIENT_TIMEOUT_S) -> None:
        self._client_timeout_s = client_timeout_s
        self._stt = stt
        self._api_key = api_key

    async def projects(self, request: Request) -> Response:
        """Answer with an empty list; the key has been checked."""
        return JSONResponse({"projects": []})

    async def listen(self, socket: WebSocket) -> None:
        """Serve one conversation."""
        request_id = str(uuid.uuid4())
        if not await self._has_key(socket, request_id):
            return
        try:
            options = LiveOptions.model_validate(dict(socket.query_params))
            model = self._resolve(options.model, is_flux=False)
            self._check_language(options.model, options.language)
        except ValidationError as error:
            return await deny(socket, 400, "Bad Request", problems(error), request_id)
        except UnknownModelError:
            return await deny(socket, 400, "Bad Request", UNKNOWN_MODEL, request_id)
        frames = Frames(options.reader(), self._stt.voice_activity_detector())
        await socket.accept(headers=[(b"dg-request-id", request_id.encode())])
        await _LiveConversation(socket, frames, options, self._stt, model, request_id, self._client_timeout_s).run()

    async def listen_flux(self, socket: WebSocket) -> None:
        """Serve one conversation by turns."""
        request_id = str(uuid.uuid4())
        if not await self._has_key(socket, request_id):
            return
        try:
            options = FluxOptions.of(socket.query_params)
            self._resolve(options.model, is_flux=True)
            for language in options.language_hint if options.is_multilingual else ():
                self._check_language(options.model, language)
        except ValidationError as error:
            return await deny(socket, 400, "Bad Request", problems(error), request_id)
        except UnknownModelError:
            return await deny(socket, 400, "Bad Request", UNKNOWN_MODEL, request_id)
        frames = Frames(options.reader(), self._stt.voice_activity_detector())
        await socket.accept(headers=[(b"dg-request-id", request_id.encode())])
        await FluxConversation(socket, frames, options, self._stt, request_id, self._client_timeout_s).run()

    async def _has_key(self, socket: WebSocket, request_id: str) -> bool:
        given = socket.headers.get("authorization", "")
        if self._api_key and not secrets.compare_digest(given.encode(), f"Token {self._api_key}".encode()):
            await deny(socket, 401, "INVALID_AUTH", "Invalid credentials.", request_id)
            return False
        return True

    def _resolve(self, model: str, *, is_flux: bool) -> str:
        """Return the model's own name. Flux has a path of its own, and the other models are not on it."""
        if (FLUX in model) is not is_flux:
            raise UnknownModelError(model)
        return self._stt.names.resolve(model)

    def _check_language(self, model: str, language: str) -> None:
        if language and not self._stt.takes_language(model, language.partition("-")[0].lower()):
            raise UnknownModelError(model)


@dataclass(frozen=True)
class _Job:
    """A segment in the queue for transcription; None if a Finalize found only silence."""

    segment: SpeechSegment | None
    spans: tuple[Span, ...]
    at_s: float
    is_final: bool = True
    speech_final: bool = False
    from_finalize: bool = False


@dataclass(frozen=True)
class _UtteranceEnd:
    pass


class _LiveConversation(Conversation["_Job | _UtteranceEnd"]):
    """Cuts the audio into segments, and transcribes them."""

    def __init__(
        self,
        socket: WebSocket,
        frames: Frames,
        options: LiveOptions,
        stt: STT,
        model: str,
        request_id: str,
        client_timeout_s: float,
    ) -> None:
        super().__init__(socket, frames, client_timeout_s)
        self._options = options
        self._stt = stt
        self._info = {
            "request_id": request_id,
            "model_info": {"name": model, "version": "local", "arch": "whisper"},
            "model_uuid": str(uuid.uuid5(uuid.NAMESPACE_DNS, model)),
        }
        self._segmenter = Segmenter(options.endpointing_s)
        self._busy = False
        self._spans: list[Span] = []
        self._interim_at = 0.0
        self._awaiting_utterance_end = False
        self._last_word_end = 0.0

    async def _on_message(self, message: Mapping[str, Any]) -> bool:
        kind = message.get("type")
        if kind == "Finalize":
            self._close_segment(speech_final=True, from_finalize=True)
        return kind in ("Finalize", "KeepAlive")

    def _on_end(self) -> None:
        self._close_segment(speech_final=True)

    async def _on_frames(self, frames: Sequence[tuple[Audio, float]]) -> None:
        for frame, probability in frames:
            event = self._segmenter.push(frame, probability)
            if event is SegmentEvent.STARTED:
                self._interim_at = self._segmenter.elapsed_s
                if self._options.vad_events:
                    await self._send("SpeechStarted", {"timestamp": round(self._segmenter.elapsed_s, 3)})
            elif event is not None:
                self._close_segment(speech_final=event is SegmentEvent.ENDED)
            self._check_utterance_end()
        self._queue_interim()

    def _close_segment(self, *, speech_final: bool, from_finalize: bool = False) -> None:
        """Queue the open segment for transcription. Without one, only a Finalize is answered."""
        segment = self._segmenter.take()
        if segment is None and not from_finalize:
            return
        self._jobs.put_nowait(
            _Job(
                segment,
                self._spans_with(segment),
                self._segmenter.elapsed_s,
                speech_final=speech_final and segment is not None,
                from_finalize=from_finalize,
            )
        )
        if segment is not None:
            self._spans.append((segment.start_s, segment.start_s + segment.duration_s))
            self._awaiting_utterance_end = True

    def _queue_interim(self) -> None:
        """Queue an interim result if no other transcription has to wait for it."""
        segmenter = self._segmenter
        if not (self._options.interim_results and segmenter.speaking):
            return
        if segmenter.elapsed_s - self._interim_at < INTERIM_INTERVAL_S or self._busy or not self._stt.idle:
            return
        self._interim_at = segmenter.elapsed_s
        self._busy = True  # now, and not only when the other task wakes up
        segment = segmenter.snapshot()
        self._jobs.put_nowait(_Job(segment, self._spans_with(segment), segmenter.elapsed_s, is_final=False))

    def _spans_with(self, segment: SpeechSegment | None) -> tuple[Span, ...]:
        """Return where the segments up to this one lie in the stream."""
        last = ((segment.start_s, segment.start_s + segment.duration_s),) if segment else ()
        return (*self._spans, *last)

    def _check_utterance_end(self) -> None:
        limit_ms = self._options.utterance_end_ms
        if limit_ms and self._awaiting_utterance_end and self._segmenter.silence_s * 1000 >= limit_ms:
            self._awaiting_utterance_end = False
            self._jobs.put_nowait(_UtteranceEnd())

    async def _do_job(self, job: _Job | _UtteranceEnd) -> None:
        self._busy = True
        if isinstance(job, _Job):
            await self._send_result(job)
        elif self._last_word_end:
            await self._send("UtteranceEnd", {"last_word_end": self._last_word_end})
        self._busy = not self._jobs.empty()

    async def _say_goodbye(self) -> None:
        await self._socket.send_json(self._metadata())

    async def _send_result(self, job: _Job) -> None:
        transcript, start, duration = Transcript("", ()), job.at_s, 0.0
        if job.segment is not None:
            start, duration = job.segment.start_s, job.segment.duration_s
            transcript = await self._stt.transcribe(
                self._options.model,
                job.segment.audio,
                segment=len(job.spans) - 1,
                final=job.is_final,
                spans=job.spans,
            )
        # A cough gives no text. But a client that was told of speech, or asked to finalize, is told of its end.
        if not transcript.text and not (job.speech_final or job.from_finalize):
            return
        words = self._words(transcript, start)
        if words:
            self._last_word_end = words[-1]["end"]
        alternative = {
            "transcript": self._format(transcript.text),
            "confidence": round(transcript.confidence, 4),
            "words": words,
        }
        await self._socket.send_json(
            {
                "type": "Results",
                "channel_index": [0, 1],
                "start": round(start, 3),
                "duration": round(duration, 3),
                "is_final": job.is_final,
                "speech_final": job.speech_final,
                "from_finalize": job.from_finalize,
                "channel": {"alternatives": [alternative]},
                "metadata": self._info,
            }
        )

    def _words(self, transcript: Transcript, start: float) -> list[dict[str, Any]]:
        return [
            {
                "word": _strip_punctuation(word.text),
                "start": round(start + word.start, 3),
                "end": round(start + word.end, 3),
                "confidence": round(word.confidence, 4),
                "punctuated_word": word.text,
            }
            for word in transcript.words
        ]

    def _format(self, text: str) -> str:
        if self._options.punctuate or self._options.smart_format:
            return text
        return " ".join(_strip_punctuation(word) for word in text.split())

    async def _send(self, kind: str, fields: Mapping[str, object]) -> None:
        await self._socket.send_json({"type": kind, "channel": [0, 1], **fields})

    def _metadata(self) -> dict[str, Any]:
        model = self._info["model_uuid"]
        return {
            "type": "Metadata",
            "transaction_key": "deprecated",
            "request_id": self._info["request_id"],
            "sha256": "",
            "created": datetime.now(timezone.utc).isoformat(),
            "duration": round(self._segmenter.elapsed_s + self._frames.rest_s, 3),
            "channels": self._options.channels,
            "models": [model],
            "model_info": {model: self._info["model_info"]},
        }


def _strip_punctuation(word: str) -> str:
    return word.lower().strip('.,!?;:"“”…()')
