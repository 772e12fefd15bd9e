"""What callers who wait are told: WAV files made beforehand, two for each language.

``call_guard/audio`` has those that come with the guard; ``GUARD_AUDIO_DIR`` has your own, which take precedence. A
file is named ``en-waiting.wav`` or ``en-farewell.wav``; ``agent-worker phrases waiting FOLDER`` makes both with your
voice.
"""

from __future__ import annotations

import wave
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

BUILT_IN = Path(__file__).resolve().parent / "audio"
WAITING: Final = "waiting"
FAREWELL: Final = "farewell"
_FALLBACK_LANGUAGE = "en"
_MAX_SECONDS = 60


class BadAudioError(Exception):
    """A file cannot be played. The message says which, and why."""


@dataclass(frozen=True)
class Audio:
    """Sound: 16-bit samples of one channel."""

    samples: bytes
    sample_rate: int

    @property
    def duration(self) -> float:
        """Seconds."""
        return len(self.samples) / 2 / self.sample_rate


@dataclass(frozen=True)
class Sentences:
    """The two sentences of one language."""

    waiting: Audio
    farewell: Audio


class SentenceBook:
    """The sentences of all languages.

    Args:
        folders: Where the files are; the first that has a file of a language decides.
        language: Of callers whose language is not known.

    Raises:
        BadAudioError: If a file cannot be played, or one of the two is missing.
    """

    def __init__(self, folders: Iterable[Path], language: str = _FALLBACK_LANGUAGE) -> None:
        self._by_language: dict[str, Sentences] = {}
        for folder in folders:
            for file in sorted(folder.glob(f"*-{WAITING}.wav")):
                tag = file.name.removesuffix(f"-{WAITING}.wav").lower()
                farewell = file.with_name(file.name.replace(f"-{WAITING}", f"-{FAREWELL}"))
                if tag not in self._by_language:
                    self._by_language[tag] = Sentences(read_wav(file), read_wav(farewell))
        self._language = language

    @property
    def languages(self) -> list[str]:
        """The languages that have sentences."""
        return sorted(self._by_language)

    def of(self, language: str) -> Sentences | None:
        """Return the sentences for a caller.

        Args:
            language: A language tag, or empty. A region that has no sentences gets those of its language.
        """
        for tag in (language, self._language, _FALLBACK_LANGUAGE):
            for candidate in (tag.lower(), tag.lower().partition("-")[0]):
                if candidate in self._by_language:
                    return self._by_language[candidate]
        return None


def read_wav(file: Path) -> Audio:
    """Return the sound of a WAV file.

    Raises:
        BadAudioError: If it has not 16 bits and one channel, is empty, too long, or no WAV file.
    """
    try:
        with wave.open(str(file), "rb") as wav:
            is_usable = wav.getsampwidth() == 2 and wav.getnchannels() == 1
            audio = Audio(wav.readframes(_MAX_SECONDS * wav.getframerate()), wav.getframerate())
            is_whole = 0 < wav.getnframes() * 2 == len(audio.samples)
    except (OSError, EOFError, wave.Error) as error:
        raise BadAudioError(f"{file}: {getattr(error, 'strerror', None) or error or 'no WAV file'}") from None
    if not is_usable or not is_whole:
        raise BadAudioError(f"{file}: needs one channel of 16 bits, and at most {_MAX_SECONDS} s of sound")
    return audio
