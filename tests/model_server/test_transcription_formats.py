"""Subtitles, events and refusals of transcriptions."""

from __future__ import annotations

import pytest

from model_server.backends import BadInputError, Transcript, Word
from model_server.transcription_formats import check_format, check_language, check_stream, events, subtitles


def spoken(*words: tuple[str, float, float]) -> Transcript:
    found = tuple(Word(text, start, end, 0.9) for text, start, end in words)
    return Transcript(" ".join(word.text for word in found), found)


def test_each_sentence_is_a_cue() -> None:
    text = spoken(("It", 0.0, 0.2), ("opens.", 0.2, 0.5), ("Come", 3660.6, 3660.8), ("early!", 3660.8, 3661.2345))
    assert subtitles(text, "srt") == (
        "1\n00:00:00,000 --> 00:00:00,500\nIt opens.\n\n2\n01:01:00,600 --> 01:01:01,234\nCome early!\n\n"
    )
    assert subtitles(text, "vtt") == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:00.500\nIt opens.\n\n01:01:00.600 --> 01:01:01.234\nCome early!\n\n"
    )


@pytest.mark.parametrize(
    ("words", "cues"),
    [
        ([("one", 0.0, 0.5), ("two", 2.0, 2.5)], 2),
        ([("word", second, second + 1.0) for second in range(20)], 3),
        ([("characters" * 3, second / 10, second / 10 + 0.1) for second in range(4)], 2),
        ([], 0),
    ],
    ids=["a pause", "seven seconds", "two lines", "nothing"],
)
def test_cue_ends_before_a_pause_and_when_it_is_long(words: list[tuple[str, float, float]], cues: int) -> None:
    assert subtitles(spoken(*words), "srt").count("-->") == cues
    assert subtitles(spoken(*words), "vtt").startswith("WEBVTT\n\n")


def test_text_cannot_be_taken_for_the_times_of_a_cue() -> None:
    assert subtitles(spoken(("a", 0.0, 0.1), ("-->", 0.1, 0.2), ("b", 0.2, 0.3)), "vtt").count("-->") == 1


@pytest.mark.parametrize("text", ["It opens at nine.", "Ja.", ""])
def test_events_join_to_the_text(text: str) -> None:
    *deltas, done = events(Transcript(text, ()), 2.0)
    assert "".join(delta["delta"] for delta in deltas) == text == done["text"]
    assert {delta["type"] for delta in deltas} <= {"transcript.text.delta"}
    assert done["type"] == "transcript.text.done"
    assert done["usage"]["total_tokens"] == done["usage"]["input_tokens"] + done["usage"]["output_tokens"]


@pytest.mark.parametrize("format", ["srt", "vtt", "verbose_json"])
def test_models_without_times_have_no_format_with_times(format: str) -> None:
    assert check_format(format, "whisper-1") == format
    for model in ("gpt-4o-mini-transcribe", "gpt-4o-transcribe-diarize"):
        with pytest.raises(BadInputError, match="not compatible") as refusal:
            check_format(format, model)
        assert (refusal.value.param, refusal.value.code) == ("response_format", "unsupported_value")


@pytest.mark.parametrize("format", ["subtitles", "", None, 5])
def test_unknown_format_is_refused(format: object) -> None:
    with pytest.raises(BadInputError, match="must be one of json, text, srt"):
        check_format(format, "whisper-1")


@pytest.mark.parametrize("language", ["german", "de-DE", "d", "DE", 5])
def test_language_is_a_code(language: object) -> None:
    assert [check_language(given) for given in ("de", "yue", "", None)] == ["de", "yue", "", ""]
    with pytest.raises(BadInputError, match="ISO-639-1") as refusal:
        check_language(language)
    assert (refusal.value.param, refusal.value.code) == ("language", "invalid_language_format")


def test_stream_is_ignored_by_whisper_1_and_needs_a_format_without_times() -> None:
    assert check_stream("true", "json", "gpt-4o-transcribe")
    assert check_stream("true", "text", "Systran/faster-whisper-small.en")
    assert not check_stream("true", "srt", "whisper-1")
    assert not check_stream("false", "json", "gpt-4o-transcribe")
    assert not check_stream(None, "json", "gpt-4o-transcribe")
    with pytest.raises(BadInputError, match="cannot be streamed"):
        check_stream("true", "srt", "Systran/faster-whisper-small.en")
    with pytest.raises(BadInputError, match="true or false"):
        check_stream("maybe", "json", "gpt-4o-transcribe")
