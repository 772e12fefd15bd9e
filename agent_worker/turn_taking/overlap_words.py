"""Decide what the caller's words over the agent's speech are: an interruption, or nothing that stops it."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from enum import Enum

from agent_worker.text.backchannel import has_words, is_backchannel
from agent_worker.text.intent import Intent
from agent_worker.text.intent_classifier import classify
from agent_worker.text.intent_rules import intent_by_rules

#: A single word may be the caller's own choice of the agent's words: "Monday or Tuesday?" "Tuesday."
_MIN_ECHO_WORDS = 2
#: From so many words on, a recogniser may have misheard some of the echo.
_MIN_INEXACT_ECHO_WORDS = 5
_ECHO_SHARE = 0.8
#: The intent model takes shorter fragments without a context, such as numbers, for talk to others.
_MIN_SIDE_TALK_WORDS = 5
_SENTENCE_END = re.compile(r"[.!?。！？][\"'”’)]*\s*$")
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")


class OverlapWords(str, Enum):
    """What words over the agent's speech are."""

    INTERRUPTION = "interruption"  #: for the agent
    BACKCHANNEL = "backchannel"  #: the caller listens
    ECHO = "echo"  #: the agent's own words, from the caller's loudspeaker
    SIDE_TALK = "side_talk"  #: to another person in the room
    NO_WORDS = "no_words"  #: a recogniser's annotation of a sound

    __str__ = str.__str__


def judge_overlap(text: str, language: str, agent_text: str, agent_asked: bool, *, waits: bool = False) -> OverlapWords:
    """Judge a transcript, final or not.

    Args:
        text: The caller's words.
        language: Language tag of the call.
        agent_text: What the agent says, or said last.
        agent_asked: Whether the caller has just heard a question of the agent: then "yeah" answers it.
        waits: Whether the caller has heard that the answer is on its way, and none of it: "thank you" does not stop it.
    """
    if not has_words(text):
        return OverlapWords.NO_WORDS
    if not agent_asked and is_backchannel(text, language, waits=waits):
        return OverlapWords.BACKCHANNEL
    if is_echo(text, agent_text):
        return OverlapWords.ECHO
    if _is_side_talk(text, language, agent_text):
        return OverlapWords.SIDE_TALK
    return OverlapWords.INTERRUPTION


def _is_side_talk(text: str, language: str, agent_text: str) -> bool:
    """Return whether the words are to another person.

    A few words, such as a number, and the beginning of a sentence ("Yeah, can you please tell") are so only by their
    word classes: the model takes both for talk to others.
    """
    if classify(text, language, agent_text).intent is not Intent.SIDE_TALK:
        return False
    if intent_by_rules(text, language, agent_text) is Intent.SIDE_TALK:
        return True
    return len(_words(text)) >= _MIN_SIDE_TALK_WORDS and _SENTENCE_END.search(text) is not None


def is_echo(text: str, agent_text: str) -> bool:
    """Return whether the words are a run of the agent's words."""
    words, agents = _words(text), _words(agent_text)
    if not _MIN_ECHO_WORDS <= len(words) <= len(agents) + 1:
        return False
    if any(agents[start : start + len(words)] == words for start in range(len(agents))):
        return True
    if len(words) < _MIN_INEXACT_ECHO_WORDS:
        return False
    known = set(words)
    windows = (agents[start : start + len(words)] for start in range(len(agents) - len(words) + 1))
    return any(
        sum(word in known for word in window) >= _ECHO_SHARE * len(words)
        and SequenceMatcher(a=window, b=words, autojunk=False).ratio() >= _ECHO_SHARE
        for window in windows
    )


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower().replace("’", "'"))
