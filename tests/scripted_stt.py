"""Ears that hear what a test says, when it says so."""

from __future__ import annotations

import asyncio
from typing import Any

from livekit import rtc
from livekit.agents import DEFAULT_API_CONNECT_OPTIONS, APIConnectOptions, NotGivenOr, stt
from livekit.agents.types import NOT_GIVEN
from livekit.agents.utils import AudioBuffer
from livekit.agents.voice import io


class ScriptedSTT(stt.STT[Any]):
    """Streams the events that are put into ``events``."""

    def __init__(self) -> None:
        super().__init__(capabilities=stt.STTCapabilities(streaming=True, interim_results=True))
        self.events: asyncio.Queue[stt.SpeechEvent] = asyncio.Queue()

    async def _recognize_impl(
        self, buffer: AudioBuffer, *, language: NotGivenOr[str] = NOT_GIVEN, conn_options: APIConnectOptions
    ) -> stt.SpeechEvent:
        raise NotImplementedError("only streams")

    def stream(
        self, *, language: NotGivenOr[str] = NOT_GIVEN, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS
    ) -> stt.RecognizeStream:
        return _ScriptedStream(stt=self, conn_options=conn_options)

    def hear(self, kind: stt.SpeechEventType, text: str = "") -> None:
        alternatives = [stt.SpeechData(language="en", text=text, confidence=1.0)] if text else []  # type: ignore[arg-type]
        self.events.put_nowait(stt.SpeechEvent(type=kind, alternatives=alternatives))

    def hear_start(self) -> None:
        self.hear(stt.SpeechEventType.START_OF_SPEECH)

    def hear_final(self, text: str) -> None:
        self.hear(stt.SpeechEventType.FINAL_TRANSCRIPT, text)

    def hear_preflight(self, text: str) -> None:
        self.hear(stt.SpeechEventType.PREFLIGHT_TRANSCRIPT, text)

    def hear_end(self) -> None:
        self.hear(stt.SpeechEventType.END_OF_SPEECH)

    def hear_turn(self, text: str) -> None:
        """From its first sound to its last."""
        self.hear_start()
        self.hear_final(text)
        self.hear_end()


class _ScriptedStream(stt.RecognizeStream):
    async def _run(self) -> None:
        script: ScriptedSTT = self._stt  # type: ignore[assignment]
        while True:
            self._event_ch.send_nowait(await script.events.get())


class SilentMicrophone(io.AudioInput):
    """Gives silence, so that the session listens at all."""

    def __init__(self) -> None:
        super().__init__(label="test")

    async def __anext__(self) -> rtc.AudioFrame:
        await asyncio.sleep(0.02)
        return rtc.AudioFrame(bytes(640), 16000, 1, 320)
