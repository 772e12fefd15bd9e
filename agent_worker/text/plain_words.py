"""A text as word classes read it: its words, without punctuation."""

from __future__ import annotations

import re

_APOSTROPHES = re.compile("[’‘`´]")
#: Everything between words; of apostrophes only those that begin a word.
PUNCTUATION = re.compile(r"[^\w']+|(?<!\w)'|_")


def plain_words(text: str) -> str:
    """Return the words in lower case, with one kind of apostrophe, and a space between them."""
    return without_punctuation(_APOSTROPHES.sub("'", text).lower())


def without_punctuation(text: str) -> str:
    """Return the words as they are written, with a space between them."""
    return " ".join(PUNCTUATION.sub(" ", text).split())
