"""Speech for callers: sentences as WAV files, synthesised in this process by the smallest local voice."""

from __future__ import annotations

import hashlib
import wave
from pathlib import Path

from model_server import weights
from model_server.backends import TTS_SAMPLE_RATE, SpeechRequest
from model_server.tts import HibariTTS


class Speaker:
    """Synthesises sentences; each one once.

    Args:
        folder: For the WAV files.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._tts = HibariTTS(weights.hibari())

    async def wav(self, text: str) -> Path:
        """Return a mono WAV file in which ``text`` is spoken."""
        path = self._folder / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.wav"
        if not path.exists():
            pcm = b"".join([part async for part in self._tts.stream(SpeechRequest("", text, "heart"))])
            with wave.open(str(path), "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(TTS_SAMPLE_RATE)
                file.writeframes(pcm)
        return path
