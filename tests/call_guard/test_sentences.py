"""The audio of what callers who wait are told."""

from __future__ import annotations

import wave
from pathlib import Path

import pytest

from agent_worker.core.settings import BadSettingsError, load
from agent_worker.text.messages import waiting
from call_guard.sentences import BUILT_IN, BadAudioError, SentenceBook
from call_guard.settings import GuardSettings


def write(file: Path, seconds: float = 0.1, *, channels: int = 1, rate: int = 8000) -> Path:
    with wave.open(str(file), "wb") as wav:
        wav.setnchannels(channels)
        wav.setsampwidth(2)
        wav.setframerate(rate)
        wav.writeframes(b"\0\0" * int(seconds * rate) * channels)
    return file


def folder_of(folder: Path, *languages: str) -> Path:
    for number, language in enumerate(languages, 1):
        write(folder / f"{language}-waiting.wav", number)
        write(folder / f"{language}-farewell.wav", number)
    return folder


def duration(book: SentenceBook, language: str) -> float:
    sentences = book.of(language)
    assert sentences
    return sentences.waiting.duration


def test_guard_comes_with_english_audio_of_a_few_seconds() -> None:
    sentences = SentenceBook([BUILT_IN]).of("en")
    assert sentences
    for audio in (sentences.waiting, sentences.farewell):
        assert 3 < audio.duration < 10
        assert max(audio.samples[1::2]) > 0  # not silent


def test_caller_hears_their_own_language_or_the_next_best(tmp_path: Path) -> None:
    book = SentenceBook([folder_of(tmp_path, "de", "de-at", "en")], "de")
    assert duration(book, "de-AT") == 2
    assert duration(book, "de-CH") == 1
    assert duration(book, "en-US") == 3
    assert duration(book, "fr") == duration(book, "") == 1  # GUARD_LANGUAGE


def test_own_audio_takes_precedence_over_that_of_the_guard(tmp_path: Path) -> None:
    assert duration(SentenceBook([folder_of(tmp_path, "en"), BUILT_IN]), "en") == 1
    assert SentenceBook([folder_of(tmp_path, "de"), BUILT_IN]).languages == ["de", "en"]


@pytest.mark.parametrize("fault", ["text", "missing", "stereo", "empty", "long"])
def test_file_that_cannot_be_played_is_refused(tmp_path: Path, fault: str) -> None:
    folder_of(tmp_path, "en")
    file = tmp_path / "en-farewell.wav"
    if fault == "text":
        file.write_text("Goodbye!")
    elif fault == "missing":
        file.unlink()
    else:
        seconds = {"empty": 0.0, "long": 61.0}.get(fault, 1.0)
        write(file, seconds, channels=2 if fault == "stereo" else 1)
    with pytest.raises(BadAudioError, match=r"en-farewell\.wav: "):
        SentenceBook([tmp_path])


def test_wrong_audio_is_refused_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUARD_AUDIO_DIR", str(tmp_path / "nowhere"))
    with pytest.raises(BadSettingsError, match="GUARD_AUDIO_DIR is wrong: no folder"):
        load(GuardSettings)
    (tmp_path / "de-waiting.wav").write_text("Bitte warten")
    monkeypatch.setenv("GUARD_AUDIO_DIR", str(tmp_path))
    with pytest.raises(BadSettingsError, match=r"GUARD_AUDIO_DIR is wrong: .*de-waiting\.wav"):
        load(GuardSettings)


@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "pt"])
def test_every_language_has_both_sentences(language: str) -> None:
    assert all(waiting(language))
