"""Name the move of spoken words, by word lists of their own: the engine does not judge itself.

The letters of the labels: L look-up phrase, A acknowledgement in a word, M at most "mm-hm", W welcome, G greeting,
S sympathy, R ask again, - nothing.
"""

from __future__ import annotations

import re
from enum import Enum

#: Where a human agent's reply begins: later words are the answer.
_BEGINNING_WORDS = 9


class Said(str, Enum):
    """What words do before an answer."""

    NOTHING = "nothing"
    BACKCHANNEL = "backchannel"
    WORD = "word"  #: acknowledges a statement: "Okay.", "Got it.", "I see."
    CONSENT = "consent"  #: acknowledges a request: "Sure.", "Of course."
    LOOK_UP = "look-up"
    SYMPATHY = "sympathy"
    WELCOME = "welcome"
    GREETING = "greeting"
    OTHER = "other"

    @property
    def letter(self) -> str:
        """The letter of the labels."""
        return _LETTERS[self]

    @property
    def group(self) -> str:
        """The column of a table: both acknowledgements are one word."""
        return "one word" if self in (Said.WORD, Said.CONSENT) else self.value


_LETTERS = {
    Said.NOTHING: "-",
    Said.BACKCHANNEL: "M",
    Said.WORD: "A",
    Said.CONSENT: "A",
    Said.LOOK_UP: "L",
    Said.SYMPATHY: "S",
    Said.WELCOME: "W",
    Said.GREETING: "G",
    Said.OTHER: "?",
}
_LOOK_UP = re.compile(
    r"\b(let me|let's see|let see|let's check|moment|(one|a|just a|a quick) (second|sec)|bear with me|checking|looking"
    r"|(i'll|i can|i could|i will|happy to) (go ahead and )?(check|look|search|see|find)|give me a"
    r"|i'm (looking|checking))\b"
)
_PATTERNS = (
    (
        Said.SYMPATHY,
        re.compile(r"\b(sorry|apologi[sz]e|condolences|(sounds|that's) (hard|awful|terrible|frustrating))\b"),
    ),
    (Said.WELCOME, re.compile(r"\b(welcome|my pleasure|glad i could|glad to help|any ?time|no worries)\b")),
    (Said.LOOK_UP, _LOOK_UP),
    (Said.GREETING, re.compile(r"^(hello|hi|hey|good (morning|afternoon|evening))\b")),
    (Said.BACKCHANNEL, re.compile(r"^m+[- ]?h+m+$")),
    (Said.CONSENT, re.compile(r"\b(sure|of course|certainly|absolutely|definitely|gladly|no problem)\b")),
    (
        Said.WORD,
        re.compile(
            r"\b(okay|ok|got it|alright|all right|understood|i see|i hear you|right|thanks?|thank you|noted|good)\b"
        ),
    ),
)
_ONE_WORD = re.compile(
    r"((uh+|um+|oh|well)[ .]+)*(sure|ok(ay)?|yeah|yes|of course|definitely|certainly|absolutely|all ?right|no problem"
    r"|totally|right|perfect|great|i certainly (can|do)|mm ?hmm?)\b"
)
_FACT = re.compile(
    r"\b(address|phone( number)?|zip|post ?code|price|how much|star rating|how many stars|website"
    r"|(confirmation|reservation|reference) number|type of|noise level)\b"
)
_SEARCH = re.compile(
    r"\b(look(ing)? for|find|recommend\w*|suggest\w*|place to|somewhere|some ?place|anything|any|maybe|instead|book"
    r"|restaurant|hotel for|price range|rather|in the)\b"
)


def said_by_agent(text: str | None) -> Said:
    """Return the move of a short sentence that was spoken before an answer."""
    plain = " ".join(re.sub(r"[^\w' -]", " ", (text or "").lower().replace("’", "'")).split())
    if not plain:
        return Said.NOTHING
    return next((said for said, pattern in _PATTERNS if pattern.search(plain)), Said.OTHER)


def begun_by_human(reply: str) -> str:
    """Return how a human agent's reply begins: ``look-up``, ``one word``, or ``nothing``: with the answer itself."""
    beginning = " ".join(reply.lower().split()[:_BEGINNING_WORDS])
    if _LOOK_UP.search(beginning):
        return "look-up"
    return "one word" if _ONE_WORD.match(beginning) else "nothing"


def is_sorry(reply: str) -> bool:
    """Whether a human agent was sorry for the caller, and not for a missing answer."""
    return re.search(r"\bsorry (to hear|about|for your|that (you|happened))", reply.lower()) is not None


def asked_for(caller: str) -> str:
    """Return whether the caller asked for a ``fact`` at hand, or for anything ``else``."""
    words = caller.lower()
    return "fact" if _FACT.search(words) and not _SEARCH.search(words) else "else"
