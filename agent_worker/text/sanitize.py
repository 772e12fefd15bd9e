"""Bound and clean text that comes from a provider or from the caller."""

from __future__ import annotations

import re

from livekit.agents import stt

#: An answer of this length is spoken for about ten minutes.
MAX_ANSWER_CHARS = 10_000
MAX_TRANSCRIPT_CHARS = 10_000
#: Text without an end of sentence counts as a sentence from this length on.
MAX_SENTENCE_CHARS = 400

_SURROGATES = re.compile("[\ud800-\udfff]")


def strip_surrogates(text: str) -> str:
    """Return the text without lone surrogates.

    JSON can hold them (for example an emoji that a server split in two) and UTF-8 cannot: TTS, the room and the next
    LLM request would fail.
    """
    return _SURROGATES.sub("", text)


def sanitize_event(event: stt.SpeechEvent) -> stt.SpeechEvent:
    """Clean and bound the transcripts of an event in place. A transcript may be ``null`` instead of a string."""
    if isinstance(event, stt.SpeechEvent):
        for alternative in event.alternatives:
            alternative.text = strip_surrogates(alternative.text or "")[:MAX_TRANSCRIPT_CHARS]
    return event
