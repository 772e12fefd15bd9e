"""A text that is going to be spoken, and its audio on the way."""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
import time
import wave
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from livekit import rtc
from livekit.agents import AgentSession, APIConnectOptions, APITimeoutError, tokenize, tts, utils

from agent_worker.audio.silence import split_frame, trim_frame, trim_silence
from agent_worker.core.aio import wait_future_or_event
from agent_worker.core.log import logger
from agent_worker.telemetry.trace import TurnTrace
from agent_worker.text.sanitize import MAX_SENTENCE_CHARS

_ONCE = APIConnectOptions(max_retry=0, timeout=30)
#: As livekit-agents passes an answer on to a voice that is given whole sentences.
_SENTENCES = tokenize.blingfire.SentenceTokenizer(retain_format=True)
#: How long a voice may take to begin, and then to go on, seconds. Clients wait for up to 30, and callers do not.
TTS_TIMEOUT_S = 3.5
#: Seconds of audio that a text may become: many times what the slowest voice needs.
_LONGEST_START = 10.0
_LONGEST_CHARACTER = 0.5
_LOWEST_RATE, _HIGHEST_RATE = 8_000, 192_000


class VoiceSilentError(APITimeoutError):
    """A voice that was given something to speak did not speak."""


def report_silence(session: AgentSession[Any], error: VoiceSilentError) -> None:
    """Have it counted: the voice's client, which would wait on, reports no error."""
    if isinstance(session.tts, tts.TTS):
        session.tts.emit(
            "error", tts.TTSError(timestamp=time.time(), label=session.tts.label, error=error, recoverable=True)
        )


class TTSInput:
    """Passes a text on to a voice, and knows when there was something more of it for the voice to speak."""

    def __init__(self, text: AsyncIterable[str]) -> None:
        self._text = text
        self._sentence = ""
        self._characters = 0
        self._begun = self._ended = False
        #: A further sentence is there, or all of the text.
        self.speakable = asyncio.Event()

    async def __aiter__(self) -> AsyncIterator[str]:
        async for piece in self._text:
            self._characters += len(piece)
            self._sentence += piece
            *complete, begun = _SENTENCES.tokenize(self._sentence) or [""]
            if complete:
                self._sentence = begun
            if complete or (self._characters > MAX_SENTENCE_CHARS and not self._begun):
                self.speakable.set()
            yield piece
        self._ended = True
        self.speakable.set()

    def heard(self) -> None:
        """The voice has begun or gone on: it is its turn again when there is more."""
        self._begun = True
        if not self._ended:
            self.speakable.clear()

    @property
    def max_audio_duration(self) -> float:
        """What its audio may last, as far as it has been passed on, seconds."""
        return max_audio_duration(self._characters)


def max_audio_duration(characters: int) -> float:
    """What the audio of a text may last, seconds: beyond that a voice is out of order."""
    return _LONGEST_START + _LONGEST_CHARACTER * characters


async def limit_duration(
    audio: AsyncIterable[rtc.AudioFrame], seconds: Callable[[], float]
) -> AsyncIterator[rtc.AudioFrame]:
    """The audio, but no more of it than ``seconds``: a voice that does not stop is left."""
    heard = 0.0
    async for frame in audio:
        heard += frame.duration
        if heard > seconds():
            logger.warning("a voice is cut off: it went on after %.0f s", seconds())
            if isinstance(audio, AsyncGenerator):
                await audio.aclose()
            return
        yield frame


async def with_timeout(
    audio: AsyncIterable[rtc.AudioFrame], given: TTSInput, patience: float = TTS_TIMEOUT_S
) -> AsyncIterator[rtc.AudioFrame]:
    """The audio of a text, from a voice that may neither be silent nor fall silent.

    It may take as long as there is audio to be heard: a slow voice has that long for its next sentence.

    Raises:
        VoiceSilentError: If a sentence more is there than when it last spoke, or the whole text, and no audio comes.
    """
    frames = aiter(limit_duration(audio, lambda: given.max_audio_duration))
    heard_until = 0.0
    while True:
        coming = asyncio.ensure_future(anext(frames, None))
        try:
            await wait_future_or_event(coming, given.speakable)
            await asyncio.wait([coming], timeout=patience + max(0.0, heard_until - time.monotonic()))
            if not coming.done():
                raise VoiceSilentError("the voice is silent")
        finally:
            if not coming.done():
                await utils.aio.cancel_and_wait(coming)
        frame = coming.result()
        if frame is None:
            return
        heard_until = max(heard_until, time.monotonic()) + frame.duration
        given.heard()
        yield frame


class Speech:
    """A text and its audio, which is made from the moment this is created.

    ``ready`` gets whether there will be audio, once its first frame is there or the synthesis has ended.
    """

    def __init__(self, text: str, frames: AsyncIterable[rtc.AudioFrame], timeline: TurnTrace) -> None:
        self.text = text
        self.ready: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._audio = utils.aio.Chan[rtc.AudioFrame]()
        self.task = asyncio.create_task(self._make(frames, timeline), name="preresponse_speech")
        self.task.add_done_callback(self._finish)

    async def frames(self) -> AsyncIterator[rtc.AudioFrame]:
        """The audio, as it comes. To be read once; the synthesis ends with the reader."""
        try:
            async for frame in self._audio:
                yield frame
        finally:
            self.task.cancel()

    async def _make(self, frames: AsyncIterable[rtc.AudioFrame], timeline: TurnTrace) -> None:
        try:
            longest = max_audio_duration(len(self.text))
            async for frame in trim_silence(limit_duration(frames, lambda: longest), trailing=True):
                self._audio.send_nowait(frame)
                if not self.ready.done():
                    timeline.fast_first_audio = timeline.now()
                    self.ready.set_result(True)
        except Exception as error:
            logger.warning("a pre-response could not be synthesised: %s", type(error).__name__)

    def _finish(self, _: asyncio.Task[None]) -> None:
        if not self.ready.done():
            self.ready.set_result(False)
        self._audio.close()


class PhraseAudio:
    """Audio of short texts in one voice, made once and kept on disk.

    Args:
        folder: Where the WAV files are, ``<sha256 of voice and text>.wav``.
        voice: What the audio depends on beside the text: provider, model, voice.
    """

    def __init__(self, folder: Path, voice: str) -> None:
        self._folder = folder
        self._voice = voice
        self._audio: dict[str, rtc.AudioFrame] = {}

    def frames(self, text: str) -> Sequence[rtc.AudioFrame]:
        """The text's audio; nothing if it has not been made."""
        frame = self._audio.get(text)
        return split_frame(frame) if frame else ()

    def has_longer(self, text: str) -> bool:
        """Whether a text that has been made begins with this one, and goes on."""
        return any(len(made) > len(text) and made.startswith(text) for made in self._audio)

    def seconds(self, text: str) -> float | None:
        """How long the text takes to speak; ``None`` if its audio has not been made."""
        frame = self._audio.get(text)
        return frame.duration if frame else None

    def load(self, texts: Iterable[str]) -> list[str]:
        """Read what there is from disk. Blocks: call it in a thread.

        Returns:
            The texts that there is no audio of.
        """
        return [text for text in texts if text not in self._audio and not self._read(text)]

    async def make(self, texts: Iterable[str], voice: tts.TTS[Any], at_once: int = 4) -> int:
        """Have the texts spoken and keep the audio. After a first failure no further text is tried.

        Returns:
            How many were not made; it is logged why.
        """
        waiting = list(texts)
        failed = 0

        async def work() -> None:
            nonlocal failed
            while waiting and not failed:
                try:
                    await self._make(waiting.pop(0), voice)
                except Exception as error:
                    logger.warning("a phrase could not be synthesised: %s", type(error).__name__)
                    failed += 1

        await asyncio.gather(*(work() for _ in range(at_once)))
        return failed + len(waiting)

    async def _make(self, text: str, voice: tts.TTS[Any]) -> None:
        async with voice.synthesize(text, conn_options=_ONCE) as stream:
            frames = limit_duration((event.frame async for event in stream), lambda: max_audio_duration(len(text)))
            frame = trim_frame(rtc.combine_audio_frames([frame async for frame in frames]))
        self._audio[text] = frame  # where it cannot be written it is not asked for again at least
        await asyncio.to_thread(self._write, text, frame)

    def _path(self, text: str) -> Path:
        key = hashlib.sha256("\0".join((self._voice, text)).encode())
        return self._folder / f"{key.hexdigest()}.wav"

    def _read(self, text: str) -> bool:
        try:
            with wave.open(str(self._path(text))) as file:
                channels, rate = file.getnchannels(), file.getframerate()
                if file.getsampwidth() != 2 or not _LOWEST_RATE <= rate <= _HIGHEST_RATE:
                    return False
                samples = file.getnframes()
                data = file.readframes(samples)
        except (OSError, EOFError, RuntimeError, wave.Error):  # wave raises all of them for what is no wave file
            return False
        if not data or len(data) != 2 * samples * channels:
            return False
        self._audio[text] = rtc.AudioFrame(data, rate, channels, samples)
        return True

    def _write(self, text: str, frame: rtc.AudioFrame) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=self._folder, suffix=".tmp")
        with os.fdopen(handle, "wb") as raw, wave.open(raw, "wb") as file:
            file.setnchannels(frame.num_channels)
            file.setsampwidth(2)
            file.setframerate(frame.sample_rate)
            file.writeframes(frame.data)
        os.replace(temporary, self._path(text))  # another process sees the whole file or none
