"""Deepgram's live transcription: audio in and results out, over one WebSocket a conversation."""

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
from model_server.backends import STT, STT_SAMPLE_RATE, VAD_FRAME, Transcript, UnknownModelError
from model_server.utterances import Change, Segmenter, Utterance

MIN_ENDPOINTING_MS = 200
"""Deepgram's model hears a continuous stream, so callers may ask for 25 ms. Whisper hears whole utterances, and the
closure before a 't' or 'k' in the middle of a word is up to 150 ms of silence."""

INTERIM_SECONDS = 1.0
"""New speech between two interim results; each costs a whole run of Whisper."""

SILENT_CLIENT_SECONDS = 11.0
"""Deepgram ends a connection that brings neither audio nor KeepAlive for 10 to 12 seconds."""


class LiveOptions(BaseModel):
    """The query parameters that change something here; the rest is accepted."""

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
    def endpointing_seconds(self) -> float | None:
        return None if self.endpointing is None else max(self.endpointing, MIN_ENDPOINTING_MS) / 1000


PROJECTS = "/v1/projects"
"""Whoever may ask for it has a good key."""


class DeepgramAPI:
    def __init__(self, stt: STT, api_key: str | None) -> None:
        self._stt = stt
        self._api_key = api_key

    async def projects(self, request: Request) -> Response:
        return JSONResponse({"projects": []})

    async def listen(self, socket: WebSocket) -> None:
        request_id = str(uuid.uuid4())
        given = socket.headers.get("authorization", "")
        if self._api_key and not secrets.compare_digest(given.encode(), f"Token {self._api_key}".encode()):
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
        await _Conversation(socket, options, self._stt, model, request_id).run()


async def _deny(socket: WebSocket, status: int, code: str, message: str, request_id: str) -> None:
    body = {"err_code": code, "err_msg": message, "request_id": request_id}
    await socket.send_denial_response(JSONResponse(body, status, {"dg-error": message}))


@dataclass(frozen=True)
class _Job:
    """Something to transcribe, when its turn comes. `utterance` is None where there was nothing but silence."""

    utterance: Utterance | None
    number: int
    at: float
    is_final: bool = True
    speech_final: bool = False
    from_finalize: bool = False


@dataclass(frozen=True)
class _UtteranceEnd:
    pass


class _Conversation:
    """Two tasks: one listens and cuts the audio, the other transcribes the pieces and answers, in their order."""

    def __init__(self, socket: WebSocket, options: LiveOptions, stt: STT, model: str, request_id: str) -> None:
        self._socket = socket
        self._options = options
        self._stt = stt
        self._info = {
            "request_id": request_id,
            "model_info": {"name": model, "version": "local", "arch": "whisper"},
            "model_uuid": str(uuid.uuid5(uuid.NAMESPACE_DNS, model)),
        }
        self._read = pcm_reader(options.sample_rate, options.channels)
        self._voice = stt.voice_detector()
        self._segmenter = Segmenter(options.endpointing_seconds)
        self._rest = np.zeros(0, np.float32)
        self._jobs: asyncio.Queue[_Job | _UtteranceEnd | None] = asyncio.Queue()
        self._busy = False
        self._number = 0
        self._interim_at = 0.0
        self._awaiting_utterance_end = False
        self._last_word_end = 0.0

    async def run(self) -> None:
        listening = asyncio.create_task(self._listen())
        answering = asyncio.create_task(self._answer())
        try:
            await asyncio.wait({listening, answering}, return_when=asyncio.FIRST_COMPLETED)
            if not listening.done():
                answering.result()  # it only ends first by an error
            if listening.result():
                await answering
                await self._socket.send_json(self._metadata())
                await self._socket.close(1000)
        except (WebSocketDisconnect, RuntimeError):
            pass  # the client is gone; there is nobody to tell
        finally:
            for task in (listening, answering):
                task.cancel()
            await asyncio.gather(listening, answering, return_exceptions=True)

    async def _listen(self) -> bool:
        """Returns whether the client asked for the rest of its results."""
        while True:
            try:
                message = await asyncio.wait_for(self._socket.receive(), SILENT_CLIENT_SECONDS)
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
                    await self._hear(pcm)
                    continue
            kind = "CloseStream" if pcm == b"" else _kind(message["text"])
            if kind == "Finalize":
                self._finish(speech_final=True, from_finalize=True)
            elif kind == "CloseStream":
                self._finish(speech_final=True)
                self._jobs.put_nowait(None)
                return True
            elif kind != "KeepAlive":
                await self._socket.close(1008, "DATA-0000: unparsable or unknown message")
                return False

    async def _hear(self, pcm: bytes) -> None:
        audio = np.concatenate([self._rest, self._read(pcm)])
        whole = len(audio) // VAD_FRAME * VAD_FRAME
        self._rest = audio[whole:]
        frames = audio[:whole].reshape(-1, VAD_FRAME)
        for frame, probability in zip(frames, await asyncio.to_thread(self._voice.probabilities, frames), strict=True):
            change = self._segmenter.push(frame, probability)
            if change is Change.STARTED:
                self._interim_at = self._segmenter.heard
                if self._options.vad_events:
                    await self._send("SpeechStarted", {"timestamp": round(self._segmenter.heard, 3)})
            elif change is not None:
                self._finish(speech_final=change is Change.ENDED)
            self._note_utterance_end()
        self._offer_interim()

    def _finish(self, *, speech_final: bool, from_finalize: bool = False) -> None:
        """Transcribe what is open. Without anything open only a Finalize is answered."""
        utterance = self._segmenter.take()
        if utterance is None and not from_finalize:
            return
        self._jobs.put_nowait(
            _Job(
                utterance,
                self._number,
                self._segmenter.heard,
                speech_final=speech_final and utterance is not None,
                from_finalize=from_finalize,
            )
        )
        if utterance is not None:
            self._number += 1
            self._awaiting_utterance_end = True

    def _offer_interim(self) -> None:
        """Asks for an interim result if nobody has to wait for it, least of all this caller's final one."""
        segmenter = self._segmenter
        if not (self._options.interim_results and segmenter.speaking):
            return
        if segmenter.heard - self._interim_at < INTERIM_SECONDS or self._busy or not self._stt.idle:
            return
        self._interim_at = segmenter.heard
        self._busy = True  # from now on, and not only from the moment the other task wakes up
        self._jobs.put_nowait(_Job(segmenter.snapshot(), self._number, segmenter.heard, is_final=False))

    def _note_utterance_end(self) -> None:
        wanted = self._options.utterance_end_ms
        if wanted and self._awaiting_utterance_end and self._segmenter.silence * 1000 >= wanted:
            self._awaiting_utterance_end = False
            self._jobs.put_nowait(_UtteranceEnd())

    async def _answer(self) -> None:
        while (job := await self._jobs.get()) is not None:
            self._busy = True
            if isinstance(job, _Job):
                await self._result(job)
            elif self._last_word_end:
                await self._send("UtteranceEnd", {"last_word_end": self._last_word_end})
            self._busy = not self._jobs.empty()

    async def _result(self, job: _Job) -> None:
        transcript, start, duration = Transcript("", ()), job.at, 0.0
        if job.utterance is not None:
            start, duration = job.utterance.start, job.utterance.duration
            transcript = await self._stt.transcribe(
                self._options.model, job.utterance.audio, utterance=job.number, final=job.is_final
            )
        # A cough says nothing. But who was told of speech, or asked to finalize, is told of its end.
        if not transcript.text and not (job.speech_final or job.from_finalize):
            return
        words = self._words(transcript, start)
        if words:
            self._last_word_end = words[-1]["end"]
        alternative = {
            "transcript": self._formatted(transcript.text),
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
                "word": _plain(word.text),
                "start": round(start + word.start, 3),
                "end": round(start + word.end, 3),
                "confidence": round(word.confidence, 4),
                "punctuated_word": word.text,
            }
            for word in transcript.words
        ]

    def _formatted(self, text: str) -> str:
        if self._options.punctuate or self._options.smart_format:
            return text
        return " ".join(_plain(word) for word in text.split())

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
            "duration": round(self._segmenter.heard + len(self._rest) / STT_SAMPLE_RATE, 3),
            "channels": self._options.channels,
            "models": [model],
            "model_info": {model: self._info["model_info"]},
        }


def _kind(text: str) -> object:
    try:
        message = json.loads(text)
    except ValueError:
        return None
    return message.get("type") if isinstance(message, dict) else None


def _plain(word: str) -> str:
    return word.lower().strip('.,!?;:"“”…()')
