"""An STT that transcribes what the test says, when the test says it."""

from __future__ import annotations

import asyncio
from typing import Any

from livekit.agents import DEFAULT_API_CONNECT_OPTIONS, APIConnectOptions, LanguageCode, NotGivenOr, stt
from livekit.agents.types import NOT_GIVEN
from livekit.agents.utils import AudioBuffer


class ScriptedSTT(stt.STT[Any]):
    """Streams the events that the test emits. With it, use ``turn_detection: "stt"``.

    Attributes:
        language: Tag of the language that it recognises.
    """

    def __init__(self) -> None:
        super().__init__(capabilities=stt.STTCapabilities(streaming=True, interim_results=True))
        self.language = "en"
        self.events: asyncio.Queue[stt.SpeechEvent] = asyncio.Queue()

    async def _recognize_impl(
        self, buffer: AudioBuffer, *, language: NotGivenOr[str] = NOT_GIVEN, conn_options: APIConnectOptions
    ) -> stt.SpeechEvent:
        raise NotImplementedError("ScriptedSTT only streams")

    def stream(
        self, *, language: NotGivenOr[str] = NOT_GIVEN, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS
    ) -> stt.RecognizeStream:
        """Open a stream of the scripted events."""
        return _ScriptedStream(stt=self, conn_options=conn_options)

    def start_speech(self) -> None:
        """The caller begins to speak."""
        self._emit(stt.SpeechEventType.START_OF_SPEECH)

    def interim(self, text: str) -> None:
        """A transcript may still change."""
        self._emit(stt.SpeechEventType.INTERIM_TRANSCRIPT, text)

    def preflight(self, text: str) -> None:
        """A transcript is likely to be final."""
        self._emit(stt.SpeechEventType.PREFLIGHT_TRANSCRIPT, text)

    def final(self, text: str) -> None:
        """A transcript is final."""
        self._emit(stt.SpeechEventType.FINAL_TRANSCRIPT, text)

    def end_speech(self) -> None:
        """The caller stops speaking."""
        self._emit(stt.SpeechEventType.END_OF_SPEECH)

    def say(self, text: str) -> None:
        """The caller says ``text``: start, final transcript, end."""
        self.start_speech()
        self.final(text)
        self.end_speech()

    def _emit(self, type_: stt.SpeechEventType, text: str = "") -> None:
        alternatives = [stt.SpeechData(language=LanguageCode(self.language), text=text, confidence=1.0)] if text else []
        self.events.put_nowait(stt.SpeechEvent(type=type_, alternatives=alternatives))


class _ScriptedStream(stt.RecognizeStream):
    async def _run(self) -> None:
        script: ScriptedSTT = self._stt  # type: ignore[assignment]
        while True:
            self._event_ch.send_nowait(await script.events.get())
