"""OpenAI's formats of a transcription: JSON, text, subtitles, and a stream of events."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from model_server.backends import BadInputError, Transcript, Word

FORMATS = ("json", "text", "srt", "verbose_json", "vtt")
_FORMATS_OF_GPT = ("json", "text")
_UNSTREAMED_MODEL = "whisper-1"
_MAX_CUE_S = 7.0
_MAX_CUE_CHARS = 84
"""Two lines of 42, which is as much as a viewer reads at a time."""
_MAX_GAP_S = 1.0
_SENTENCE_END = (".", "?", "!", "\u2026", "\u3002", "\uff1f", "\uff01")
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_TOKENS_PER_S = 10
_LANGUAGE_NAMES = {
    "ar": "arabic",
    "de": "german",
    "en": "english",
    "es": "spanish",
    "fr": "french",
    "hi": "hindi",
    "it": "italian",
    "ja": "japanese",
    "ko": "korean",
    "nl": "dutch",
    "pl": "polish",
    "pt": "portuguese",
    "ru": "russian",
    "tr": "turkish",
    "uk": "ukrainian",
    "zh": "chinese",
}


def is_gpt(model: str) -> bool:
    """Return whether a model is one of the newer ones of OpenAI, which have no times."""
    return "gpt" in model and "transcribe" in model


def check_format(format: object, model: str) -> str:
    """Return the format, or raise `BadInputError` if the model has no such format."""
    if not isinstance(format, str) or format not in FORMATS:
        raise BadInputError(f"'response_format' must be one of {', '.join(FORMATS)}.", param="response_format")
    if is_gpt(model) and format not in _FORMATS_OF_GPT:
        message = f"response_format '{format}' is not compatible with model '{model}'. Use 'json' or 'text' instead."
        raise BadInputError(message, param="response_format", code="unsupported_value")
    return format


def check_language(language: object) -> str:
    """Return the code of a language, empty if there is none, or raise `BadInputError`."""
    if language in (None, ""):
        return ""
    if not isinstance(language, str) or not _LANGUAGE.fullmatch(language):
        message = f"Invalid language '{language}'. Language parameter must be specified in ISO-639-1 format."
        raise BadInputError(message, param="language", code="invalid_language_format")
    return language


def check_stream(stream: object, format: str, model: str) -> bool:
    """Return whether a transcription is streamed: not that of `whisper-1`, whose option OpenAI ignores."""
    if stream not in (None, "", "true", "false", "True", "False", "1", "0"):
        raise BadInputError("'stream' must be true or false.", param="stream")
    if stream not in ("true", "True", "1") or model == _UNSTREAMED_MODEL:
        return False
    if format not in _FORMATS_OF_GPT:
        message = f"response_format '{format}' cannot be streamed. Use 'json' or 'text' instead."
        raise BadInputError(message, param="response_format", code="unsupported_value")
    return True


def events(transcript: Transcript, seconds: float) -> Iterator[dict[str, Any]]:
    """Yield the events of a stream. The model transcribes a file as a whole, so they follow each other at once."""
    words = transcript.text.split(" ") if transcript.text else []
    for number, word in enumerate(words):
        yield {"type": "transcript.text.delta", "delta": f" {word}" if number else word}
    # These models have no audio tokens: tenths of a second and words stand in for them.
    tokens_in, tokens_out = max(1, round(seconds * _TOKENS_PER_S)), len(words)
    usage = {
        "type": "tokens",
        "input_tokens": tokens_in,
        "input_token_details": {"text_tokens": 0, "audio_tokens": tokens_in},
        "output_tokens": tokens_out,
        "total_tokens": tokens_in + tokens_out,
    }
    yield {"type": "transcript.text.done", "text": transcript.text, "usage": usage}


def verbose(transcript: Transcript, seconds: float, language: str) -> dict[str, Any]:
    """Return the fields of `verbose_json`."""
    words = [{"word": word.text, "start": word.start, "end": word.end} for word in transcript.words]
    start, end = (words[0]["start"], words[-1]["end"]) if words else (0.0, seconds)
    segment = {
        "id": 0,
        "seek": 0,
        "start": start,
        "end": end,
        "text": transcript.text,
        "tokens": [],
        "temperature": 0.0,
        "avg_logprob": transcript.mean_log_probability,
        "compression_ratio": 1.0,
        "no_speech_prob": transcript.no_speech_probability,
    }
    return {
        "task": "transcribe",
        "language": _LANGUAGE_NAMES.get(language or "en", language),
        "duration": seconds,
        "text": transcript.text,
        "words": words,
        "segments": [segment] if transcript.text else [],
    }


def subtitles(transcript: Transcript, format: str) -> str:
    """Return a transcript as SubRip (`srt`) or WebVTT (`vtt`)."""
    is_vtt = format == "vtt"
    point = "." if is_vtt else ","
    blocks = ["WEBVTT"] if is_vtt else []
    for number, cue in enumerate(_cues(transcript.words), 1):
        times = f"{_timestamp(cue.start, point)} --> {_timestamp(cue.end, point)}"
        blocks.append(f"{times}\n{cue.text}" if is_vtt else f"{number}\n{times}\n{cue.text}")
    return "\n\n".join(blocks) + "\n\n" if blocks else ""


@dataclass(frozen=True)
class _Cue:
    words: tuple[Word, ...]

    @property
    def start(self) -> float:
        return self.words[0].start

    @property
    def end(self) -> float:
        return self.words[-1].end

    @property
    def text(self) -> str:
        # "-->" would be read as the times of a cue.
        return " ".join(word.text for word in self.words).replace("-->", "->")

    def ends_before(self, word: Word) -> bool:
        is_long = word.end - self.start > _MAX_CUE_S or len(self.text) + 1 + len(word.text) > _MAX_CUE_CHARS
        return is_long or self.text.endswith(_SENTENCE_END) or word.start - self.end > _MAX_GAP_S


def _cues(words: Sequence[Word]) -> Iterator[_Cue]:
    cue: _Cue | None = None
    for word in words:
        if cue is None:
            cue = _Cue((word,))
        elif cue.ends_before(word):
            yield cue
            cue = _Cue((word,))
        else:
            cue = _Cue((*cue.words, word))
    if cue is not None:
        yield cue


def _timestamp(seconds: float, point: str) -> str:
    milliseconds = round(seconds * 1000)
    minutes, milliseconds = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{milliseconds // 1000:02}{point}{milliseconds % 1000:03}"
