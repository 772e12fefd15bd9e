"""What Deepgram's two live protocols have in common: the handshake, the audio, and the two tasks of a connection."""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Generic, TypeVar

import numpy as np
from pydantic import BaseModel, Field, ValidationError, model_validator
from starlette.responses import JSONResponse
from starlette.websockets import WebSocket, WebSocketDisconnect

from model_server.audio import SAMPLE_BYTES, UndecodableAudioError, raw_reader
from model_server.backends import STT_SAMPLE_RATE, VAD_FRAME_SAMPLES, Audio, VoiceActivityDetector
from model_server.wav_stream import WavReader

CLIENT_TIMEOUT_S = 11.0
"""Deepgram closes a connection that has received neither audio nor KeepAlive for 10 to 12 seconds."""

UNKNOWN_MODEL = "Bad Request: No such model/language/tier combination found."

Job = TypeVar("Job")


class AudioOptions(BaseModel):
    """The query parameters that describe the audio. Without `encoding` it has a container, which describes itself."""

    encoding: str | None = None
    sample_rate: Annotated[int, Field(ge=8_000, le=48_000)] | None = None
    channels: Annotated[int, Field(ge=1, le=2)] = 1

    @model_validator(mode="after")
    def _check_encoding(self) -> AudioOptions:
        if self.encoding is None:
            return self
        if self.encoding not in SAMPLE_BYTES:
            known = ", ".join(SAMPLE_BYTES)
            raise ValueError(f"encoding {self.encoding!r} is not supported here: send {known}, or WAV without encoding")
        if self.sample_rate is None:
            raise ValueError("sample_rate is required with encoding")
        return self

    def reader(self) -> Callable[[bytes], Audio]:
        """Return what converts the messages of one connection to `STT_SAMPLE_RATE` mono."""
        if self.encoding is None or self.sample_rate is None:
            return WavReader()
        return raw_reader(self.encoding, self.sample_rate, self.channels)


def problems(error: ValidationError) -> str:
    """Return the message of a refusal."""
    found = (f"{'.'.join(map(str, e['loc']))}: {e['msg']}".removeprefix(": ") for e in error.errors())
    return f"Bad Request: {'; '.join(found)}"


async def deny(socket: WebSocket, status: int, code: str, message: str, request_id: str) -> None:
    """Refuse a handshake in Deepgram's shape."""
    body = {"err_code": code, "err_msg": message, "request_id": request_id}
    header = message.encode("ascii", "replace").decode().replace("\n", " ")
    await socket.send_denial_response(JSONResponse(body, status, {"dg-error": header}))


class Frames:
    """Cuts the audio of a connection into frames, and detects speech in them."""

    def __init__(self, read: Callable[[bytes], Audio], vad: VoiceActivityDetector) -> None:
        self._read = read
        self._vad = vad
        self._rest = np.zeros(0, np.float32)

    @property
    def rest_s(self) -> float:
        """The length of the audio that is no whole frame yet."""
        return len(self._rest) / STT_SAMPLE_RATE

    async def push(self, data: bytes) -> list[tuple[Audio, float]]:
        """Return the frames that are complete with these bytes, each with its probability of speech.

        Raises:
            UndecodableAudioError: If they are no audio of the announced format.
        """
        audio = np.concatenate([self._rest, self._read(data)])
        whole = len(audio) // VAD_FRAME_SAMPLES * VAD_FRAME_SAMPLES
        self._rest = audio[whole:]
        frames = audio[:whole].reshape(-1, VAD_FRAME_SAMPLES)
        return list(zip(frames, await asyncio.to_thread(self._vad.probabilities, frames), strict=True))


class Conversation(ABC, Generic[Job]):
    """One connection. Two tasks: one receives audio and makes jobs of it, the other does them and sends the results."""

    def __init__(self, socket: WebSocket, frames: Frames, client_timeout_s: float) -> None:
        self._socket = socket
        self._frames = frames
        self._client_timeout_s = client_timeout_s
        self._jobs: asyncio.Queue[Job | None] = asyncio.Queue()

    async def run(self) -> None:
        """Serve the connection until it is closed."""
        receiving = asyncio.create_task(self._receive())
        sending = asyncio.create_task(self._do_jobs())
        try:
            await asyncio.wait({receiving, sending}, return_when=asyncio.FIRST_COMPLETED)
            if not receiving.done():
                sending.result()  # it ends first only with an error
            if receiving.result():
                await sending
                await self._say_goodbye()
                await self._socket.close(1000)
        except (WebSocketDisconnect, RuntimeError):
            pass  # the client has disconnected
        finally:
            for task in (receiving, sending):
                task.cancel()
            await asyncio.gather(receiving, sending, return_exceptions=True)

    @abstractmethod
    async def _on_frames(self, frames: Sequence[tuple[Audio, float]]) -> None:
        """Take the next frames."""

    @abstractmethod
    async def _on_message(self, message: Mapping[str, Any]) -> bool:
        """Take a message; return whether it is known."""

    @abstractmethod
    def _on_end(self) -> None:
        """Make the last jobs: the client sends no more audio."""

    @abstractmethod
    async def _do_job(self, job: Job) -> None:
        """Do the next job."""

    async def _say_goodbye(self) -> None:
        """Send what follows the last result."""

    async def _refuse_message(self) -> None:
        """Close the connection of a client whose message is unknown."""
        await self._socket.close(1008, "DATA-0000: unparsable or unknown message")

    async def _do_jobs(self) -> None:
        while (job := await self._jobs.get()) is not None:
            await self._do_job(job)

    async def _receive(self) -> bool:
        """Receive until the end; return whether the client waits for the rest of its results."""
        while True:
            try:
                received = await asyncio.wait_for(self._socket.receive(), self._client_timeout_s)
            except asyncio.TimeoutError:
                reason = "NET-0001: no audio data and no text message within the timeout window"
                await self._socket.close(1011, reason)
                return False
            if received["type"] == "websocket.disconnect":
                return False
            data = received.get("bytes")
            if data:
                try:
                    frames = await self._frames.push(data)
                except UndecodableAudioError as error:
                    await self._socket.close(1008, f"DATA-0000: {error}")
                    return False
                await self._on_frames(frames)
                continue
            message = {"type": "CloseStream"} if data == b"" else _parse(received["text"])
            if message.get("type") == "CloseStream":
                self._on_end()
                self._jobs.put_nowait(None)
                return True
            if not await self._on_message(message):
                await self._refuse_message()
                return False


def _parse(text: str) -> Mapping[str, Any]:
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return message if isinstance(message, dict) else {}
