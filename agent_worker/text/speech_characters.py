"""Keep the characters of a streamed text that a voice can read: no emoji, no invisible ones, no HTML entities."""

from __future__ import annotations

import html
import html.entities
import re
import unicodedata

#: "&thinsp;" and its like; the longest name has 31 characters.
_MAX_ENTITY_CHARS = 34
#: What is left of an entity when the text is cut off: "&am", but not the end of "AT&T".
_CUT_ENTITY = re.compile(r"&(#.*|[a-z]{2,})\Z")
_ENTITY_PART = re.compile(r"&(#?[A-Za-z0-9]*)\Z")
_PLAIN = re.compile(r"[ \n!\"'(),.:;?A-Za-z0-9À-ÖØ-öø-ÿ]*\Z")
_JOINERS = "\u200c\u200d"
_NEWLINES = "\u2028\u2029\x0b\x0c\x85"
_READ_AS = {
    **dict.fromkeys(_NEWLINES, "\n"),
    **dict.fromkeys("→⇒➔➜⟶", ","),
    **dict.fromkeys("‐‑", "-"),  # the hyphen, and the one that keeps a line together
    **dict.fromkeys("´‘’", "'"),
    **dict.fromkeys("−", "-"),
    "\t": " ",
    "°": "°",
    "№": "No. ",
    "℃": "°C",
    "℉": "°F",
    "×": "×",
    "÷": "÷",
}
#: Variation selectors and the frame of a keycap: "1️⃣" is "1".
_DECORATION = re.compile("[\ufe00-\ufe0f\u20e3\U000e0100-\U000e01ef]")
#: Letters and digits in a fancy style: bold letters of mathematics, "①", "Ⓐ".
_STYLED = re.compile("[\u2460-\u24ff\u2776-\u2793\U0001d400-\U0001d7ff\uff01-\uff5e]")
#: Emoji and other symbols, private use, not assigned, modifiers, surrogates, control characters.
_UNSPEAKABLE = frozenset({"So", "Co", "Cn", "Cs"})
_INVISIBLE = frozenset({"Cf", "Cc"})


class SpeechCharacters:
    """The stream of characters. Any cut of the text into pieces gives the same result."""

    def __init__(self) -> None:
        self._entity = ""
        self._last = ""

    def push(self, piece: str) -> str:
        """Add the next piece and return what is certain by now."""
        if not self._entity and _PLAIN.match(piece):
            self._last = piece[-1:] or self._last
            return piece
        return "".join(map(self._push_character, piece))

    def flush(self) -> str:
        """Return the rest at the end of the text. An entity that was cut off is left out."""
        held, self._entity = self._entity, ""
        return "" if _CUT_ENTITY.match(held) and _may_be_entity(held) else "".join(map(self._read, held))

    def _push_character(self, character: str) -> str:
        if not self._entity:
            if character == "&":
                self._entity = "&"
                return ""
            return self._read(character)
        if character == ";":
            held, self._entity = self._entity + ";", ""
            return "".join(map(self._read, html.unescape(held)))
        self._entity += character
        if len(self._entity) <= _MAX_ENTITY_CHARS and _ENTITY_PART.match(self._entity):
            return ""
        held, self._entity = self._entity[:-1], ""
        return "".join(map(self._read, held)) + self._push_character(character)

    def _read(self, character: str) -> str:
        read = _read_as(character, after_letter=self._last.isalpha())
        if read is None:
            read = "" if not self._last or self._last.isspace() else " "
        self._last = read[-1:] or self._last
        return read


def _may_be_entity(held: str) -> bool:
    """Whether a text is the beginning of an entity: "&am", but not "&chips"."""
    return held.startswith("&#") or any(name.startswith(held[1:]) for name in html.entities.html5)


def _read_as(character: str, *, after_letter: bool) -> str | None:
    """Return how a character is written for a voice; ``None`` if it stands between words and cannot be read."""
    if character in _READ_AS:
        return _READ_AS[character]
    if character in " \n":
        return character
    if _DECORATION.match(character):
        return ""
    if _STYLED.match(character):
        return unicodedata.normalize("NFKC", character)
    category = unicodedata.category(character)
    if category in _INVISIBLE:
        return character if character in _JOINERS and after_letter else ""
    if category == "Zs":
        return " "
    if category in _UNSPEAKABLE or (category == "Sk" and character not in "^`"):
        return None
    return character
