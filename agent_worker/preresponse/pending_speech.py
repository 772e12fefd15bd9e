"""A sentence whose audio is synthesised before it is certain that it will be spoken."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable

from livekit import rtc
from livekit.agents import utils

from agent_worker.audio.silence import trim_silence
from agent_worker.audio.tts_stream import limit_duration, max_audio_s
from agent_worker.core.log import logger
from agent_worker.telemetry.trace import TurnTrace


class PendingSpeech:
    """A sentence and its audio, which is synthesised from the moment this is created.

    Args:
        text: The sentence.
        frames: Its audio from the voice.
        trace: Gets the time of the first audio.
        clock: Monotonic time in seconds.

    Attributes:
        ready: Resolves to whether there will be audio: with the first frame, or when the synthesis has ended.
        task: The synthesis.
    """

    def __init__(
        self,
        text: str,
        frames: AsyncIterable[rtc.AudioFrame],
        trace: TurnTrace,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.text = text
        self.ready: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._trace = trace
        self._clock = clock
        self._audio = utils.aio.Chan[rtc.AudioFrame]()
        self.task = asyncio.create_task(self._synthesize(frames), name="preresponse_speech")
        self.task.add_done_callback(self._on_done)

    async def frames(self) -> AsyncIterator[rtc.AudioFrame]:
        """Yield the audio as it arrives. Can be read once; the synthesis ends with its reader."""
        try:
            async for frame in self._audio:
                yield frame
        finally:
            self.task.cancel()

    async def _synthesize(self, frames: AsyncIterable[rtc.AudioFrame]) -> None:
        max_s = max_audio_s(len(self.text))
        try:
            async for frame in trim_silence(limit_duration(frames, lambda: max_s), trailing=True):
                self._audio.send_nowait(frame)
                if not self.ready.done():
                    self._trace.fast_first_audio = self._clock()
                    self.ready.set_result(True)
        except Exception as error:
            logger.warning("a pre-response could not be synthesised: %s", type(error).__name__)

    def _on_done(self, _: asyncio.Task[None]) -> None:
        if not self.ready.done():
            self.ready.set_result(False)
        self._audio.close()
