"""The scripted conversation: five turns that depend on each other, and what makes each of them good."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from agent_worker.preresponse.agent import ANSWER_NOTE
from agent_worker.preresponse.phrases import PhraseBook
from agent_worker.preresponse.policy import Plan
from agent_worker.text.intent import Intent
from agent_worker.text.messages import apology
from agent_worker.text.move import SPOKEN_MOVES, Move
from caller import Text
from testbed.conversation import MAX_WORD_ERROR_RATE, TurnResult

LANGUAGE = "en"
_PHRASES = PhraseBook.load(LANGUAGE)
#: Why a turn has no pre-response although they are on: the answer was there as soon, or silence was due or fits.
_INTENDED_SILENCE = frozenset({"answer_first", "silent_kind", "nothing_to_say"})
#: So many words in a row are no coincidence.
_COPIED_WORDS = 5


@dataclass(frozen=True)
class ScriptedTurn:
    """One turn of the script.

    Attributes:
        purpose: What it shows, in a word or two.
        said: What the caller says.
        intents: Those whose phrases fit.
        expected: Beginnings of words of which the answer has at least one.
        over_reply_after: The caller says it over the reply to the turn before, once that has been audible for so many
            seconds.
    """

    purpose: str
    said: str
    intents: tuple[Intent, ...]
    expected: tuple[str, ...]
    over_reply_after: float | None = None

    @property
    def utterance(self) -> Text:
        """The turn for the caller."""
        return Text(self.said, self.over_reply_after)


_NETWORK = ("internet", "router", "modem", "provider", "connection", "cable", "network")
SCRIPT = (
    ScriptedTurn(
        "question",
        "What does an internet router do?",
        (Intent.QUESTION, Intent.REQUEST, Intent.UNCLEAR),
        ("network", "internet", "connect", "device", "data", "packet", "traffic", "wifi"),
    ),
    ScriptedTurn(
        "problem",
        "My internet has been down since yesterday morning.",
        (Intent.PROBLEM, Intent.STORY),
        _NETWORK,
    ),
    ScriptedTurn(
        "follow-up",
        "I have already restarted it. What else can I try?",
        (Intent.QUESTION, Intent.REQUEST, Intent.PROBLEM, Intent.STORY, Intent.UNCLEAR),
        (*_NETWORK, "device", "reset", "firmware", "signal", "check", "unplug", "plug", "restart", "call", "contact"),
    ),
    ScriptedTurn(
        "barge-in",
        "Sorry, who should I call about it?",
        (Intent.QUESTION, Intent.REQUEST, Intent.CORRECTION, Intent.UNCLEAR),
        (*_NETWORK, "isp", "carrier", "tech", "support", "expert"),
        over_reply_after=4.0,
    ),
    ScriptedTurn(
        "thanks",
        "Thank you very much for your help.",
        (Intent.THANKS,),
        ("welcome", "glad", "help", "pleasure", "happy", "anytime", "great", "good", "enjoy", "luck", "question"),
    ),
)


def problems_of(turn: ScriptedTurn, result: TurnResult, earlier: Sequence[TurnResult], preresponses: bool) -> list[str]:
    """Return why a turn is not good; nothing if it is.

    Args:
        turn: What was scripted.
        result: What happened.
        earlier: The turns before it.
        preresponses: Whether pre-responses were on.
    """
    found = [
        _transcript_problem(result),
        _preresponse_problem(turn, result) if preresponses else None,
        *_answer_problems(turn, result, earlier),
    ]
    return [problem for problem in found if problem]


def _transcript_problem(result: TurnResult) -> str | None:
    if result.word_error_rate < MAX_WORD_ERROR_RATE:
        return None
    return f"understood as {result.heard!r}" if result.heard else "not understood at all"


def _preresponse_problem(turn: ScriptedTurn, result: TurnResult) -> str | None:
    if not result.preresponse:
        return None if result.outcome in _INTENDED_SILENCE else f"no pre-response ({result.outcome})"
    fitting = {_words(phrase) for phrase in _fitting_phrases(turn)}
    return None if _words(result.preresponse) in fitting else f"the pre-response {result.preresponse!r} does not fit"


def _fitting_phrases(turn: ScriptedTurn) -> list[str]:
    groups = {move.group for intent in turn.intents for move in Plan.of_intent(intent).weights}
    # "I see." fits trouble, too, and is harmless without it.
    fitting = [move for move in SPOKEN_MOVES if move.group in groups or move is Move.LISTEN]
    return [phrase for move in fitting for phrase in _PHRASES.of(move)]


def _answer_problems(turn: ScriptedTurn, result: TurnResult, earlier: Sequence[TurnResult]) -> list[str]:
    if not result.answer.strip() or result.response_gap is None:
        return ["no answer was heard"]
    words = _words(result.answer)
    problems = []
    if _words(apology(LANGUAGE)) in words:
        problems.append("the agent apologised for a failure")
    if _copies(words, _words(ANSWER_NOTE)):
        problems.append("the answer repeats the note to the model")
    if any(_sentences(result.answer) & _sentences(before.answer) for before in earlier):
        problems.append("the answer repeats a sentence of an earlier one")
    if not any(word.startswith(turn.expected) for word in words.split()):
        problems.append(f"the answer is beside the point, it has none of {', '.join(turn.expected)}")
    return problems


def _sentences(text: str) -> set[str]:
    return {_words(sentence) for sentence in re.split(r"[.!?]+", text) if len(sentence.split()) >= _COPIED_WORDS}


def _copies(words: str, source: str) -> bool:
    parts = source.split()
    runs = (parts[i : i + _COPIED_WORDS] for i in range(len(parts) - _COPIED_WORDS + 1))
    return any(f" {' '.join(run)} " in f" {words} " for run in runs)


def _words(text: str) -> str:
    return " ".join(re.findall(r"[a-z0-9']+", text.lower().replace("’", "'")))
