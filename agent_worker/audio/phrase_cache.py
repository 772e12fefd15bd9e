"""Audio of fixed sentences in one voice: synthesised once, kept on disk."""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
import wave
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from livekit import rtc
from livekit.agents import APIConnectOptions, tts

from agent_metrics.storage.trusted import check_folder, make_folder, open_file
from agent_worker.audio.silence import split_frame, trim_frame
from agent_worker.audio.tts_stream import limit_duration, max_audio_s
from agent_worker.core.log import logger

_NO_RETRY = APIConnectOptions(max_retry=0, timeout=30)
_MIN_SAMPLE_RATE_HZ = 8_000
_MAX_SAMPLE_RATE_HZ = 192_000
_SAMPLE_BYTES = 2


class PhraseAudio:
    """Audio of short texts in one voice.

    Args:
        folder: Folder of the WAV files, ``<sha256 of voice and text>.wav``. It is not used if it is a symbolic link,
            another user's, or writable by everybody: callers would hear what others put there.
        voice: Everything beside the text that the audio depends on: provider, model, voice.
    """

    def __init__(self, folder: Path, voice: str) -> None:
        self._folder = folder
        self._voice = voice
        self._audio: dict[str, rtc.AudioFrame] = {}

    def frames(self, text: str) -> Sequence[rtc.AudioFrame]:
        """Return the text's audio in short frames; empty if there is none."""
        frame = self._audio.get(text)
        return split_frame(frame) if frame else ()

    def duration(self, text: str) -> float | None:
        """Return how long the text takes to speak, seconds; ``None`` if there is no audio of it."""
        frame = self._audio.get(text)
        return frame.duration if frame else None

    def has_longer(self, text: str) -> bool:
        """Whether a longer text that begins with this one has audio."""
        return any(len(cached) > len(text) and cached.startswith(text) for cached in self._audio)

    def load(self, texts: Iterable[str]) -> list[str]:
        """Read the audio that is on disk. Blocks: call it in a thread.

        Returns:
            The texts without audio.
        """
        missing = [text for text in texts if text not in self._audio]
        return [text for text in missing if not self._read(text)] if self._is_folder_trusted() else missing

    async def make(self, texts: Iterable[str], voice: tts.TTS[Any], concurrency: int = 4) -> int:
        """Synthesise texts and keep their audio. After a failure no further text is started; the failure is logged.

        Returns:
            How many texts have no audio.
        """
        pending = list(texts)
        failed = 0

        async def work() -> None:
            nonlocal failed
            while pending and not failed:
                try:
                    await self._synthesize(pending.pop(0), voice)
                except Exception as error:
                    logger.warning("a phrase could not be synthesised: %s", type(error).__name__)
                    failed += 1

        await asyncio.gather(*(work() for _ in range(concurrency)))
        return failed + len(pending)

    async def _synthesize(self, text: str, voice: tts.TTS[Any]) -> None:
        async with voice.synthesize(text, conn_options=_NO_RETRY) as stream:
            frames = limit_duration((event.frame async for event in stream), lambda: max_audio_s(len(text)))
            frame = trim_frame(rtc.combine_audio_frames([frame async for frame in frames]))
        self._audio[text] = frame  # before it is written: a full disk must not cost another request
        await asyncio.to_thread(self._write, text, frame)

    def _is_folder_trusted(self) -> bool:
        try:
            check_folder(self._folder, group_may_write=True)
        except FileNotFoundError:
            return False
        except OSError as error:
            logger.warning("the audio of the phrases is not kept: %s", error)
            return False
        return True

    def _path(self, text: str) -> Path:
        key = hashlib.sha256("\0".join((self._voice, text)).encode())
        return self._folder / f"{key.hexdigest()}.wav"

    def _read(self, text: str) -> bool:
        try:
            with os.fdopen(open_file(self._path(text)), "rb") as raw, wave.open(raw) as file:
                channels, rate = file.getnchannels(), file.getframerate()
                if file.getsampwidth() != _SAMPLE_BYTES or not _MIN_SAMPLE_RATE_HZ <= rate <= _MAX_SAMPLE_RATE_HZ:
                    return False
                samples = file.getnframes()
                data = file.readframes(samples)
        except (OSError, EOFError, RuntimeError, wave.Error):  # each of them is raised for some file that is no WAV
            return False
        if not data or len(data) != _SAMPLE_BYTES * samples * channels:
            return False
        self._audio[text] = rtc.AudioFrame(data, rate, channels, samples)
        return True

    def _write(self, text: str, frame: rtc.AudioFrame) -> None:
        make_folder(self._folder, group_may_write=True)
        handle, temporary = tempfile.mkstemp(dir=self._folder, suffix=".tmp")
        with os.fdopen(handle, "wb") as file:
            file.write(frame.to_wav_bytes())
        os.replace(temporary, self._path(text))  # another process sees the whole file or none
