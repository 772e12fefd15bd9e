"""Remove the empty opening of an answer that would repeat the pre-response: "Sure, …", "Great question! …"."""

from __future__ import annotations

import re

from agent_worker.text.messages import preambles

_STOP = re.compile(r"\s*(?:[.!,;:–—]+|-+(?=\s))\s*")  # not the hyphen of "great-grandmother"
_NOT_WORD = re.compile(r"[^\w']+")
#: Every preamble is shorter, so nothing longer has to be held back.
_MAX_HELD_CHARS = 200


def strip_preamble(text: str, language: str, spoken: str = "") -> str:
    """Return the text without the preambles that it begins with; unchanged if nothing else is in it.

    A preamble ends with a punctuation mark: "Sure, it is open" has one, "Certainly not" has none.

    Args:
        text: An answer.
        language: Its language tag.
        spoken: A sentence that the caller has just heard, which is a preamble too.
    """
    return _strip(text, _with_sentence(language, spoken))


def _strip(text: str, preambles: frozenset[str]) -> str:
    rest = text.lstrip()
    removed = False
    while (stop := _preamble_stop(rest, preambles)) and rest[stop.end() :]:
        rest = rest[stop.end() :]
        removed = True
    return rest[:1].upper() + rest[1:] if removed else text


class PreambleFilter:
    """Remove preambles from an answer that is streamed; hold back only text that may still become a preamble.

    Args:
        language: Language tag of the answer.
        spoken: A sentence that the caller has just heard, which is a preamble too.
    """

    def __init__(self, language: str, spoken: str = "") -> None:
        self._preambles = _with_sentence(language, spoken)
        self._held: str | None = ""

    def push(self, piece: str) -> str:
        """Add the next piece of the answer and return the text that can be spoken now."""
        if self._held is None:
            return piece
        self._held += piece
        if len(self._held) > _MAX_HELD_CHARS:
            held, self._held = self._held, None
            return _strip(held[:_MAX_HELD_CHARS], self._preambles) + held[_MAX_HELD_CHARS:]
        rest = _strip(self._held, self._preambles)
        if any(_may_become_preamble(_normalized(text), self._preambles) for text in (self._held, rest)):
            return ""
        self._held = None
        return rest

    def flush(self) -> str:
        """Return the text that is still held back, at the end of the answer."""
        held, self._held = self._held, None
        return _strip(held, self._preambles) if held else ""


def _with_sentence(language: str, sentence: str) -> frozenset[str]:
    words = _normalized(sentence)
    return preambles(language) | {words} if 0 < len(words) < _MAX_HELD_CHARS else preambles(language)


def _preamble_stop(text: str, preambles: frozenset[str]) -> re.Match[str] | None:
    """Return the punctuation that ends the preamble at the beginning of the text."""
    found = None
    for stop in _STOP.finditer(text):
        words = _normalized(text[: stop.start()])
        if words in preambles:
            found = stop  # a longer one may follow: "Hi, there!"
        if not _may_become_preamble(words, preambles):
            break
    return found


def _may_become_preamble(words: str, preambles: frozenset[str]) -> bool:
    return any(preamble.startswith(words) for preamble in preambles)


def _normalized(text: str) -> str:
    return " ".join(_NOT_WORD.sub(" ", text.replace("’", "'")).lower().split())
