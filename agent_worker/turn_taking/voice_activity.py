"""Let several parts of a call see the events of its voice activity detector."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any, cast

from livekit import rtc
from livekit.agents import vad

VoiceActivityObserver = Callable[[vad.VADEvent], None]


class ObservedVAD(vad.VAD):
    """A voice activity detector that shows each event to its observers before livekit-agents handles it.

    livekit-agents tells its applications of the start and the end of speech only, not of what is between them.

    Args:
        source: The detector.
    """

    def __init__(self, source: vad.VAD) -> None:
        super().__init__(capabilities=source.capabilities)
        self._source = source
        self._observers: list[VoiceActivityObserver] = []
        source.on("metrics_collected", lambda metrics: self.emit("metrics_collected", metrics))

    @property
    def model(self) -> str:
        """Name of the model."""
        return self._source.model

    @property
    def provider(self) -> str:
        """Who provides the model."""
        return self._source.provider

    @property
    def min_silence_duration(self) -> float | None:
        """Seconds of silence that end speech; ``None`` if the detector does not tell. livekit-agents asks for it."""
        return getattr(self._source, "min_silence_duration", None)

    def observe(self, observer: VoiceActivityObserver) -> None:
        """Call ``observer`` with each event. With a recogniser that does not stream, it gets each event twice."""
        self._observers.append(observer)

    def stream(self) -> vad.VADStream:
        """Open a stream."""
        return cast(vad.VADStream, _ObservedStream(self._source.stream(), self._show))

    def _show(self, event: vad.VADEvent) -> None:
        for observer in self._observers:
            observer(event)


class _ObservedStream:
    """A stream of events; everything but their delivery is the source's."""

    def __init__(self, source: vad.VADStream, show: VoiceActivityObserver) -> None:
        self._source = source
        self._show = show

    def push_frame(self, frame: rtc.AudioFrame) -> None:
        self._source.push_frame(frame)

    def flush(self) -> None:
        self._source.flush()

    def end_input(self) -> None:
        self._source.end_input()

    async def aclose(self) -> None:
        await self._source.aclose()

    def __aiter__(self) -> AsyncIterator[vad.VADEvent]:
        return self

    async def __anext__(self) -> vad.VADEvent:
        event = await anext(self._source)
        self._show(event)
        return event

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)
