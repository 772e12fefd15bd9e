"""Takes away the opening of an answer that repeats the pre-response: 'Sure, …', 'Great question! …'."""

from __future__ import annotations

import functools
import re

# What chat models open with, by language. Only what says nothing: an answer may well begin with 'Yes'.
_OPENINGS = {
    "en": (
        "sure, sure thing, of course, certainly, absolutely, definitely, great, good question, great question, "
        "that's a great question, that's a good question, okay, ok, all right, alright, got it, i see, i understand, "
        "no problem, i'm sorry to hear that, i'm so sorry to hear that, oh i'm sorry to hear that, "
        "oh i'm so sorry to hear that, let me see, "
        "let me think, let me check, one moment, thanks for asking, thank you for asking, thank you for telling me, "
        "thanks for letting me know, you're welcome, you're very welcome, hello, hi, hi there"
    ),
    "es": (
        "claro, claro que sí, por supuesto, desde luego, buena pregunta, de acuerdo, vale, entiendo, entendido, "
        "un momento, lo siento, lo siento mucho, siento mucho oír eso, de nada, hola"
    ),
    "de": (
        "klar, natürlich, selbstverständlich, gern, gerne, gute frage, okay, alles klar, verstehe, ich verstehe, "
        "einen moment, das tut mir leid, das tut mir sehr leid, gern geschehen, gerne geschehen, hallo"
    ),
    "fr": (
        "bien sûr, certainement, absolument, bonne question, d'accord, je comprends, très bien, un instant, "
        "je suis désolé, je suis désolée, je suis vraiment désolé, je vous en prie, bonjour"
    ),
    "pt": (
        "claro, claro que sim, com certeza, boa pergunta, certo, entendi, entendo, "
        "um momento, sinto muito, de nada, olá"
    ),
}
_STOP = re.compile(r"\s*(?:[.!,;:–—]+|-+(?=\s))\s*")  # not the hyphen of 'great-grandmother'
_LONGEST_HELD = 200  #: characters; all that could be left out is shorter
_LETTERS = re.compile(r"[^\w']+")


@functools.cache
def _openings(language: str) -> frozenset[str]:
    return frozenset(_OPENINGS.get(language.partition("-")[0], "").split(", "))


def strip_preamble(text: str, language: str) -> str:
    """The text without such openings, as many as there are; unchanged if nothing else is in it.

    An opening ends with a punctuation mark: 'Sure, it is open', but not 'Certainly not'.
    """
    rest = text.lstrip()
    removed = False
    while (stop := _first_stop(rest, language)) and rest[stop.end() :]:
        rest = rest[stop.end() :]
        removed = True
    return rest[:1].upper() + rest[1:] if removed else text


def _first_stop(text: str, language: str) -> re.Match[str] | None:
    """The punctuation that ends the opening which the text begins with."""
    found = None
    for stop in _STOP.finditer(text):
        words = _plain(text[: stop.start()])
        if words in _openings(language):
            found = stop  # a longer one may follow: 'Hi, there!'
        if not _may_become_opening(words, language):
            break
    return found


class PreambleFilter:
    """Removes the openings from an answer that comes in pieces; only what may still become one is held back."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._held: str | None = ""

    def push(self, piece: str) -> str:
        """Take the next piece; returns what can be spoken by now."""
        if self._held is None:
            return piece
        self._held += piece
        if len(self._held) > _LONGEST_HELD:
            held, self._held = self._held, None
            return strip_preamble(held[:_LONGEST_HELD], self._language) + held[_LONGEST_HELD:]
        rest = strip_preamble(self._held, self._language)
        if any(_may_become_opening(_plain(text), self._language) for text in (self._held, rest)):
            return ""
        self._held = None
        return rest

    def end(self) -> str:
        """The answer has ended; returns what was held back."""
        held, self._held = self._held, None
        return strip_preamble(held, self._language) if held else ""


def _may_become_opening(words: str, language: str) -> bool:
    return any(opening.startswith(words) for opening in _openings(language))


def _plain(text: str) -> str:
    return " ".join(_LETTERS.sub(" ", text.replace("’", "'")).lower().split())
