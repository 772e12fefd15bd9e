"""Text that came from outside, from a provider or the caller: which part of it is fit to be passed on?"""

from __future__ import annotations

import re

from livekit.agents import stt

#: Characters. An answer is spoken for ten minutes at this; what somebody says in one turn, for as long.
MAX_ANSWER_CHARS = 10_000
MAX_UTTERANCE_CHARS = 10_000
#: Where no first sentence ends, it is taken to end here.
MAX_SENTENCE_CHARS = 400

_HALVES = re.compile("[\ud800-\udfff]")


def strip_surrogates(text: str) -> str:
    """The text without halves of surrogate pairs.

    JSON can hold them (an emoji that a server cuts in two), and no UTF-8 can: the voice, the room and the next request
    to a model would fail on them.
    """
    return _HALVES.sub("", text)


def sanitize_event(event: stt.SpeechEvent) -> stt.SpeechEvent:
    """The event, with transcripts that can be passed on. A recogniser may say ``null`` where a text should be."""
    if isinstance(event, stt.SpeechEvent):
        for heard in event.alternatives:
            heard.text = strip_surrogates(heard.text or "")[:MAX_UTTERANCE_CHARS]
    return event
