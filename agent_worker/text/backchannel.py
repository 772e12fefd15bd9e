"""Tell whether words are a backchannel: "mm-hmm", "yeah, okay", which leave the floor with the speaker.

The word classes are in ``data/backchannels``, one file a language.
"""

from __future__ import annotations

from agent_worker.text.intent_rules import shorten
from agent_worker.text.plain_words import without_punctuation
from agent_worker.text.word_classes import word_classes

#: More words take the floor, whatever they are.
_MAX_WORDS = 7
_CLASSES = ("acknowledges", "reacts", "signals")
_WAITING_CLASSES = ("waits",)
_FALLBACK_LANGUAGE = "en"


def is_backchannel(text: str, language: str, *, waits: bool = False) -> bool:
    """Return whether the words only show that the caller listens.

    Args:
        text: A transcript, raw or punctuated.
        language: Language tag. A language without word classes has those of English, whose sounds most others share.
        waits: Whether the caller waits for an answer: then "thank you" and "no rush" do so, too.
    """
    classes = word_classes("backchannels", language) or word_classes("backchannels", _FALLBACK_LANGUAGE)
    rest = without_punctuation(shorten(text).lower())
    if not rest or len(rest.split()) > _MAX_WORDS:
        return False
    found = False
    for name in (*_WAITING_CLASSES, *_CLASSES) if waits else _CLASSES:
        shorter = classes[name].sub(" ", rest)
        found, rest = found or shorter != rest, shorter
    return found and not classes["particles"].sub(" ", rest).split()


def has_words(text: str) -> bool:
    """Return whether a transcript holds more than annotations such as "[BLANK_AUDIO]" and punctuation."""
    return any(map(str.isalnum, shorten(text)))
