"""Deepgram's live transcription: audio in and results out, over one websocket per conversation."""

from __future__ import annotations

import asyncio
import json
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, Field, ValidationError, field_validator
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from model_server.audio import pcm_reader
from model_server.backends import STT, STT_SAMPLE_RATE, VAD_FRAME_SAMPLES, Span, Transcript, UnknownModelError
from model_server.segmenter import Segmenter, SegmentEvent, SpeechSegment

MIN_ENDPOINTING_MS = 200
"""Deepgram's model reads a continuous stream, so clients may ask for 25 ms. Whisper reads whole segments, and the
closure before a 't' or 'k' inside a word is up to 150 ms of silence."""

INTERIM_INTERVAL_S = 1.0
"""New speech between two interim results; each costs a whole run of Whisper."""

CLIENT_TIMEOUT_S = 11.0
"""Deepgram closes a connection that has received neither audio nor KeepAlive for 10 to 12 seconds."""


class LiveOptions(BaseModel):
    """The query parameters that have an effect; the others are accepted."""

    model: str
    encoding: Literal["linear16"]
    sample_rate: Annotated[int, Field(ge=8_000, le=48_000)]
    channels: Annotated[int, Field(ge=1, le=2)] = 1
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
        authorization = socket.headers.get("authorization", "")
        if self._api_key and not secrets.compare_digest(authorization.encode(), f"Token {self._api_key}".encode()):
            return await _deny(socket, 401, "INVALID_AUTH", "Invalid credentials.", request_id)
        try:
            options = LiveOptions.model_validate(dict(socket.query_params))
            model = self._stt.names.resolve(options.model)
        except ValidationError as error:
            problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
            return await _deny(socket, 400, "Bad Request", f"Bad Request: {problems}", request_id)
        except UnknownModelError:
            message = "Bad Request: No such model/language/tier combination found."
            return await _deny(socket, 400, "Bad Request", message, request_id)
        await socket.accept(headers=[(b"dg-request-id", request_id.encode())])
        await _Conversation(socket, options, self._stt, model, request_id, self._client_timeout_s).run()


async def _deny(socket: WebSocket, status: int, code: str, message: str, request_id: str) -> None:
    body = {"err_code": code, "err_msg": message, "request_id": request_id}
    await socket.send_denial_response(JSONResponse(body, status, {"dg-error": message}))


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


class _Conversation:
    """Two tasks: one receives audio and cuts it into segments, the other transcribes them and sends the results."""

    def __init__(
        self,
        socket: WebSocket,
        options: LiveOptions,
        stt: STT,
        model: str,
        request_id: str,
        client_timeout_s: float,
    ) -> None:
        self._client_timeout_s = client_timeout_s
        self._socket = socket
        self._options = options
        self._stt = stt
        self._info = {
            "request_id": request_id,
            "model_info": {"name": model, "version": "local", "arch": "whisper"},
            "model_uuid": str(uuid.uuid5(uuid.NAMESPACE_DNS, model)),
        }
        self._read = pcm_reader(options.sample_rate, options.channels)
        self._vad = stt.voice_activity_detector()
        self._segmenter = Segmenter(options.endpointing_s)
        self._rest = np.zeros(0, np.float32)
        self._jobs: asyncio.Queue[_Job | _UtteranceEnd | None] = asyncio.Queue()
        self._busy = False
        self._spans: list[Span] = []
        self._interim_at = 0.0
        self._awaiting_utterance_end = False
        self._last_word_end = 0.0

    async def run(self) -> None:
        receiving = asyncio.create_task(self._receive())
        sending = asyncio.create_task(self._send_results())
        try:
            await asyncio.wait({receiving, sending}, return_when=asyncio.FIRST_COMPLETED)
            if not receiving.done():
                sending.result()  # it ends first only with an error
            if receiving.result():
                await sending
                await self._socket.send_json(self._metadata())
                await self._socket.close(1000)
        except (WebSocketDisconnect, RuntimeError):
            pass  # the client has disconnected
        finally:
            for task in (receiving, sending):
                task.cancel()
            await asyncio.gather(receiving, sending, return_exceptions=True)

    async def _receive(self) -> bool:
        """Receive until the end; return whether the client waits for the rest of its results."""
        while True:
            try:
                message = await asyncio.wait_for(self._socket.receive(), self._client_timeout_s)
            except asyncio.TimeoutError:
                reason = "NET-0001: no audio data and no text message within the timeout window"
                await self._socket.close(1011, reason)
                return False
            if message["type"] == "websocket.disconnect":
                return False
            if (pcm := message.get("bytes")) is not None:
                if len(pcm) % (2 * self._options.channels):
                    await self._socket.close(1008, "DATA-0000: not 16-bit samples")
                    return False
                if pcm:
                    await self._push(pcm)
                    continue
            kind = "CloseStream" if pcm == b"" else _message_type(message["text"])
            if kind == "Finalize":
                self._close_segment(speech_final=True, from_finalize=True)
            elif kind == "CloseStream":
                self._close_segment(speech_final=True)
                self._jobs.put_nowait(None)
                return True
            elif kind != "KeepAlive":
                await self._socket.close(1008, "DATA-0000: unparsable or unknown message")
                return False

    async def _push(self, pcm: bytes) -> None:
        audio = np.concatenate([self._rest, self._read(pcm)])
        whole = len(audio) // VAD_FRAME_SAMPLES * VAD_FRAME_SAMPLES
        self._rest = audio[whole:]
        frames = audio[:whole].reshape(-1, VAD_FRAME_SAMPLES)
        for frame, probability in zip(frames, await asyncio.to_thread(self._vad.probabilities, frames), strict=True):
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

    async def _send_results(self) -> None:
        while (job := await self._jobs.get()) is not None:
            self._busy = True
            if isinstance(job, _Job):
                await self._send_result(job)
            elif self._last_word_end:
                await self._send("UtteranceEnd", {"last_word_end": self._last_word_end})
            self._busy = not self._jobs.empty()

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
            "duration": round(self._segmenter.elapsed_s + len(self._rest) / STT_SAMPLE_RATE, 3),
            "channels": self._options.channels,
            "models": [model],
            "model_info": {model: self._info["model_info"]},
        }


def _message_type(text: str) -> object:
    try:
        message = json.loads(text)
    except ValueError:
        return None
    return message.get("type") if isinstance(message, dict) else None


def _strip_punctuation(word: str) -> str:
    return word.lower().strip('.,!?;:"“”…()')
