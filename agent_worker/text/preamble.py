"""Remove the opening of an answer that repeats the move just spoken: "Let me check." – "Let me see. It opens …".

Anything else stays, however empty it sounds: an answer may well begin with "Hello" or "Sure".
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from agent_worker.text.messages import look_up_beginnings, polite_words, preambles
from agent_worker.text.move import Move
from agent_worker.text.word_classes import word_classes

_STOP = re.compile(r"\s*(?:[.!?,;:–—…]+|-+(?=\s))\s*")  # not the hyphen of "great-grandmother"
_SENTENCE_END = re.compile(r"[.!?…]")
_NOT_WORD = re.compile(r"[^\w']+")
#: Every preamble is shorter, so nothing longer has to be held back.
_MAX_HELD_CHARS = 200
#: After these moves, an opening counts only if it is a sentence: "Hello, world!" is none.
_WHOLE_SENTENCES = frozenset({Move.GREETING, Move.WELCOME})
#: Words that may also begin what is said: "Right, left, right." They count only as a sentence.
_AMBIGUOUS = frozenset({"right", "great", "hold on"})
#: A sentence about a look-up is short, and holds no number: "Let me check the opening hours."
_MAX_LOOK_UP_WORDS = 10


class Openings:
    """The openings that repeat one move.

    Args:
        language: Language tag of the answer.
        spoken: The sentence that the caller has just heard.
        move: What it did; ``None`` if unknown: then an opening of any move but a greeting repeats it.
        phrases: Phrases that do the same, from the phrase book.
    """

    def __init__(self, language: str, spoken: str = "", move: Move | None = None, phrases: Iterable[str] = ()) -> None:
        listed = {_normalized(phrase) for phrase in (spoken, *phrases, *preambles(language, move))}
        self._fillers = word_classes("guard", language)["bare"] if word_classes("guard", language) else None
        self._begun_sounds = _begun_sounds(self._fillers) if self._fillers else None
        looks_up = move is not None and move.group is Move.LOOK_UP
        self._look_ups = look_up_beginnings(language) if looks_up else ()
        self._leads = tuple(sorted(preambles(language, Move.WORD), key=len, reverse=True)) if looks_up else ()
        self._plain_fillers = (*(_plain_words(self._fillers) if self._fillers else ()), *self._leads)
        self._polite = polite_words(language)
        self._phrases = frozenset(text for text in listed if 0 < len(text) < _MAX_HELD_CHARS)
        self._needs_sentence = move in _WHOLE_SENTENCES

    def strip(self, text: str, *, is_alone: bool = True) -> str:
        """Return the text without the openings that it begins with.

        Args:
            text: The beginning of an answer.
            is_alone: Whether nothing follows the text. Then it is unchanged if nothing else is in it.
        """
        rest = text.lstrip()
        removed = False
        while (stop := self._stop(rest)) and (rest[stop.end() :] or not is_alone):
            rest = rest[stop.end() :]
            removed = True
        return rest[:1].upper() + rest[1:] if removed else text

    def may_become_one(self, text: str) -> bool:
        """Whether a text may be the beginning of an opening."""
        variants = self._variants(_normalized(text))
        return (
            any(self._begins(each, phrase) for each in variants for phrase in self._phrases)
            or any(filler.startswith(variants[-1]) for filler in self._plain_fillers)
            or bool(self._begun_sounds and self._begun_sounds.fullmatch(variants[-1]))
            or self._may_look_up(text)
        )

    def _may_look_up(self, text: str) -> bool:
        """Whether a text may be the beginning of a sentence about a look-up, behind words that only lead to it."""
        if not self._look_ups:
            return False
        rest = text[self._end_of_leads(text) :].rstrip(" .!?…")
        if _STOP.search(rest):
            return False
        words = self._variants(_normalized(rest))[-1]
        return any(start.startswith(words) or _is_look_up(words, start) for start in self._look_ups)

    def _looks_up(self, text: str) -> bool:
        """Whether a text is one sentence about a look-up, without its last punctuation mark."""
        rest = text[self._end_of_leads(text) :]
        if not self._look_ups or _STOP.search(rest):
            return False
        words = self._variants(_normalized(rest))[-1]
        return any(_is_look_up(words, start) for start in self._look_ups)

    def _end_of_leads(self, text: str) -> int:
        """Return where the sentence begins to which fillers only lead: "Sure! Let me check"."""
        end = 0
        for stop in _STOP.finditer(text):
            if self._variants(_normalized(text[end : stop.start()]))[-1]:
                break
            end = stop.end()
        return end

    def _stop(self, text: str) -> re.Match[str] | None:
        """Return the punctuation that ends the longest opening at the beginning of the text."""
        found = None
        for stop in _STOP.finditer(text):
            words = _normalized(text[: stop.start()])
            is_sentence = _SENTENCE_END.search(stop.group()) is not None
            is_end = is_sentence or not (self._needs_sentence or words in _AMBIGUOUS)
            if (is_end and self._is_opening(words)) or (is_sentence and self._looks_up(text[: stop.start()])):
                found = stop  # a longer one may follow: "Hi, there!"
            if not self.may_become_one(text[: stop.start()]):
                break
        return found

    def _begins(self, words: str, phrase: str) -> bool:
        """Whether the phrase, or the phrase with a polite word, may begin with these words."""
        if phrase.startswith(words):
            return True
        rest = words.removeprefix(f"{phrase} ")
        return rest != words and any(polite.startswith(rest) for polite in self._polite)

    def _is_opening(self, words: str) -> bool:
        return any(self._without_polite(each) in self._phrases for each in self._variants(words))

    def _variants(self, words: str) -> list[str]:
        """Return the words, and what is left of them without one filler after another: "oh", "hm", "okay", "sure"."""
        variants = [words]
        while (rest := self._without_filler(variants[-1])) is not None:
            variants.append(rest)
        return variants

    def _without_filler(self, words: str) -> str | None:
        if lead := next((each for each in self._leads if f"{words} ".startswith(f"{each} ")), None):
            return words[len(lead) :].strip()
        filler = self._fillers.match(words) if self._fillers else None
        return words[filler.end() :].strip() if filler and filler.end() else None

    def _without_polite(self, words: str) -> str:
        shorter = words
        for polite in self._polite:
            shorter = shorter.removesuffix(f" {polite}")
        return words if words in self._phrases else shorter


def _is_look_up(words: str, start: str) -> bool:
    is_short = len(words.split()) <= _MAX_LOOK_UP_WORDS and not any(map(str.isdigit, words))
    return is_short and f"{words} ".startswith(f"{start} ")


def strip_preamble(
    text: str, language: str, spoken: str = "", move: Move | None = None, phrases: Iterable[str] = ()
) -> str:
    """Return the text without the openings that repeat what was spoken; unchanged if nothing else is in it.

    An opening ends with a punctuation mark: "Sure, it is open" has one, "Certainly not" has none.

    Args:
        text: An answer.
        language: Its language tag.
        spoken: See :class:`Openings`.
        move: See :class:`Openings`.
        phrases: See :class:`Openings`.
    """
    return Openings(language, spoken, move, phrases).strip(text)


class PreambleFilter:
    """Remove openings from an answer that is streamed; hold back only text that may still become one.

    Args:
        openings: The openings to remove.
    """

    def __init__(self, openings: Openings) -> None:
        self._openings = openings
        self._held: str | None = ""
        self._is_alone = True

    def on_tool_call(self) -> None:
        """The model calls a tool: the answer comes after it, and what is held back is not all of it."""
        self._is_alone = False

    def push(self, piece: str) -> str:
        """Add the next piece of the answer and return the text that can be spoken now."""
        if self._held is None:
            return piece
        self._held += piece
        if len(self._held) > _MAX_HELD_CHARS:
            held, self._held = self._held, None
            return self._openings.strip(held[:_MAX_HELD_CHARS]) + held[_MAX_HELD_CHARS:]
        rest = self._openings.strip(self._held)
        if any(self._openings.may_become_one(text) for text in (self._held, rest)):
            return ""
        self._held = None
        return rest

    def flush(self) -> str:
        """Return the text that is still held back, at the end of the answer."""
        held, self._held = self._held, None
        return self._openings.strip(held, is_alone=self._is_alone) if held else ""


def _alternatives(pattern: re.Pattern[str]) -> list[str]:
    return pattern.pattern.partition("(?:")[2].rpartition(")(?!")[0].split("|")


def _plain_words(pattern: re.Pattern[str]) -> tuple[str, ...]:
    """Return the alternatives of a word class that are plain words: a streamed text may end within one of them."""
    return tuple(each for each in _alternatives(pattern) if each and all(c.isalpha() or c in " '" for c in each))


def _begun_sounds(pattern: re.Pattern[str]) -> re.Pattern[str] | None:
    """Return what matches the beginnings of the alternatives with drawn-out letters: "h" and "hm" of ``h+m+``."""
    sounds = [re.findall(r"[a-z][+*]?", each) for each in _alternatives(pattern) if re.fullmatch(r"[a-z+*]+", each)]
    begun = [letters for letters in sounds if any(letter[-1] in "+*" for letter in letters)]
    beginnings = ("".join(letters[:end]) for letters in begun for end in range(1, len(letters) + 1))
    return re.compile("|".join(beginnings)) if begun else None


def _normalized(text: str) -> str:
    return " ".join(_NOT_WORD.sub(" ", text.replace("’", "'")).lower().split())
