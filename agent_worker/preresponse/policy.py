"""Which move fits a turn: what human agents do there, within rules of what must never be said.

The weights are those of ``text/move_model.py``, learned from human agents. The rules decide which moves are possible at
all: an explicit question is not met with the acknowledgement of a statement, sympathy needs the agreement of rules and
model, a look-up phrase needs silence that it fills.
"""

from __future__ import annotations

import dataclasses
import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from agent_worker.text.asked import Asked, Situation, situation
from agent_worker.text.dictation import Dictation, dictation
from agent_worker.text.intent import Intent
from agent_worker.text.intent_classifier import Classification
from agent_worker.text.move import Move
from agent_worker.text.move_model import GROUPS, MoveModel
from agent_worker.text.trouble import reports_trouble

#: A look-up phrase fills a silence, from the caller's last sound on; if the answer comes sooner, it only delays it.
MIN_LOOK_UP_SILENCE_S = 1.2
#: A reply is reckoned to begin so long after the caller's last sound, at the earliest.
MIN_TURN_END_S = 0.4
#: From this silence on the caller is asked for patience: "One moment, please."
MIN_MOMENT_SILENCE_S = 2.5
#: A group of moves is made so many times running at most; the answer comes first so many times, if anything else fits.
MAX_RUN = 2
_MAX_SILENT_RUN = 3
#: Weight of silence before an answer that takes a while, before one that takes long, and if nothing is known of it:
#: human agents who begin with the answer itself have it at hand.
_USUAL_SILENCE_WEIGHT = 0.7
_LONG_SILENCE_WEIGHT = 0.15
_UNKNOWN_SILENCE_WEIGHT = 0.3
#: How strongly a move that was made less often than human agents make it is preferred.
_BALANCE = 2.5
_MAX_CREDIT = 1.5
#: The intent model's own probability of a problem from which sympathy is due, if the rules agree.
_SYMPATHY_PROBABILITY = 0.3
_SHORT_ANSWER_WORDS = 14
_FRAGMENT_WORDS = 3
#: A longer answer to the agent's question may begin a new search: "maybe a hotel near the park".
_SEARCH_PROBABILITY = 0.5
_WISHES = frozenset({Intent.QUESTION, Intent.REQUEST})


@dataclass(frozen=True)
class Plan:
    """The moves that fit one turn.

    Attributes:
        weights: Share of each possible move.
        human: What human agents do in this situation, by group; empty where no human data speaks.
        is_certain: Whether the turn's kind is certain; otherwise only phrases fit that suit a request and a statement.
        recent: Groups of the last moves, the latest last.
        credits: By group: by how much it was made less often in this call than human agents make it.
    """

    weights: Mapping[Move, float]
    human: Mapping[Move, float] = field(default_factory=dict)
    is_certain: bool = True
    recent: tuple[Move, ...] = ()
    credits: Mapping[Move, float] = field(default_factory=dict)

    @classmethod
    def of_intent(cls, intent: Intent) -> Plan:
        """Return the plan of a turn of which only the intent is known."""
        return cls(_WEIGHTS_BY_INTENT.get(intent, {Move.NOTHING: 1.0}))

    def moves(self, answer_eta: float | None, silence_s: float | None = None) -> tuple[Move, ...]:
        """Return the moves that fit, the best first, up to and with ``NOTHING``.

        Args:
            answer_eta: Seconds until the answer is expected; ``None`` if unknown.
            silence_s: Seconds since the caller's last sound; ``None`` if unknown.
        """
        weights = self._at(answer_eta, max(silence_s or 0.0, MIN_TURN_END_S))
        weights = {move: weight for move, weight in weights.items() if not self._runs_on(move)}
        if self._is_silent_too_often() and any(move is not Move.NOTHING for move in weights):
            weights[Move.NOTHING] = 0.0
        weights.setdefault(Move.NOTHING, 0.0)
        order = sorted(weights, key=lambda move: self._preference(move, weights[move]), reverse=True)
        if order[0] is Move.NOTHING:
            return (Move.NOTHING,)
        return (*(move for move in order if move is not Move.NOTHING and weights[move] > 0), Move.NOTHING)

    def _at(self, answer_eta: float | None, silence_s: float) -> dict[Move, float]:
        """Return the weights for a silence that lasts already, and until the answer comes."""
        weights = dict(self.weights)
        look_up = weights.get(Move.LOOK_UP, 0.0)
        if answer_eta is None:
            factor = _UNKNOWN_SILENCE_WEIGHT
        elif silence_s + answer_eta <= MIN_LOOK_UP_SILENCE_S:
            weights.pop(Move.LOOK_UP, None)
            if Move.CONSENT in weights:  # it takes the request up, too, and is shorter
                weights[Move.CONSENT] += look_up
            return weights
        else:
            factor = _silence_weight(silence_s + answer_eta)
            if look_up and answer_eta > MIN_MOMENT_SILENCE_S:
                weights[Move.MOMENT] = look_up
        if Move.NOTHING in weights and len(weights) > 1:
            weights[Move.NOTHING] *= factor
        return weights

    def _is_silent_too_often(self) -> bool:
        last = self.recent[-_MAX_SILENT_RUN:]
        return len(last) == _MAX_SILENT_RUN and all(move is Move.NOTHING for move in last)

    def _runs_on(self, move: Move) -> bool:
        last = self.recent[-MAX_RUN:]
        return move is not Move.NOTHING and len(last) == MAX_RUN and all(each is move.group for each in last)

    def _preference(self, move: Move, weight: float) -> float:
        return weight * math.exp(_BALANCE * self.credits.get(move.group, 0.0))


def _silence_weight(silence_s: float) -> float:
    """Return how much of the weight of silence is left in one of this length: the longer, the less."""
    past = (silence_s - MIN_LOOK_UP_SILENCE_S) / (MIN_MOMENT_SILENCE_S - MIN_LOOK_UP_SILENCE_S)
    lost = math.log(_USUAL_SILENCE_WEIGHT / _LONG_SILENCE_WEIGHT) * min(max(past, 0.0), 1.0)
    return _USUAL_SILENCE_WEIGHT * math.exp(-lost)


_WEIGHTS_BY_INTENT: dict[Intent, dict[Move, float]] = {
    Intent.QUESTION: {Move.LOOK_UP: 0.7, Move.NOTHING: 0.3},
    Intent.REQUEST: {Move.LOOK_UP: 0.6, Move.CONSENT: 0.3, Move.NOTHING: 0.1},
    Intent.PROBLEM: {Move.SYMPATHY: 1.0},
    Intent.STORY: {Move.LISTEN: 0.7, Move.NOTHING: 0.3},
    Intent.CORRECTION: {Move.WORD: 0.7, Move.NOTHING: 0.3},
    Intent.THANKS: {Move.WELCOME: 1.0},
    Intent.GREETING: {Move.GREETING: 1.0},
    Intent.YES_NO: {Move.WORD: 0.7, Move.NOTHING: 0.3},
    Intent.UNCLEAR: {Move.NOTHING: 0.6, Move.LOOK_UP: 0.4},
}


class MovePolicy:
    """Plans the moves of one call, and remembers those of the last turns.

    Args:
        language: Language tag of the call.

    Attributes:
        language: The language, which may change during the call.
    """

    def __init__(self, language: str) -> None:
        self.language = language
        self._recent: deque[Move] = deque(maxlen=_MAX_SILENT_RUN)
        self._credits: dict[Move, float] = dict.fromkeys(GROUPS, 0.0)

    def plan(self, text: str, agent_text: str | None, classified: Classification) -> Plan:
        """Return the moves that fit a turn. Never raises, whatever the text.

        Args:
            text: The transcript.
            agent_text: What the agent said last, perhaps interrupted.
            classified: The turn's intent.
        """
        seen = _with_agreed_wish(situation(text, agent_text, self.language), classified)
        asks = seen.asked is not Asked.NOTHING
        if classified.suppresses_preresponse or self._is_half_a_value(text, agent_text, seen):
            return self._plan({Move.NOTHING: 1.0})
        is_trouble = _is_sympathy_due(classified) and reports_trouble(text, agent_text, self.language, asks=asks)
        if social := Move.SYMPATHY if is_trouble else _social_move(classified, seen):
            return self._plan({social: 1.0})
        human = MoveModel.load().probabilities(text, seen, self.language)
        if asks:
            may_be_trouble = Intent.PROBLEM in (classified.intent, *classified.alternatives)
            return self._plan(_weights_of_request(human, seen, may_be_trouble), human)
        return self._plan_of_statement(text, classified, seen, human)

    def note(self, plan: Plan, move: Move) -> None:
        """Take a move that was made; ``NOTHING`` if the reply began with the answer."""
        self._recent.append(move.group)
        for group, share in plan.human.items():
            credit = self._credits[group] + share - (group is move.group)
            self._credits[group] = max(-_MAX_CREDIT, min(_MAX_CREDIT, credit))

    def _plan_of_statement(
        self, text: str, classified: Classification, seen: Situation, human: Mapping[Move, float]
    ) -> Plan:
        """Return the plan of a turn in which the rules find no question and no request."""
        length = len(text.split())
        word, nothing, look_up = human[Move.WORD], human[Move.NOTHING], human[Move.LOOK_UP]
        may_ask = bool(_WISHES & {classified.intent, *classified.alternatives})
        answers = classified.intent is Intent.YES_NO or (seen.agent_asked and length <= _SHORT_ANSWER_WORDS)
        if seen.agent_looks_up or (length <= _FRAGMENT_WORDS and not answers and not seen.agent_asked):
            return self._plan({Move.NOTHING: 1.0}, human)
        if classified.intent is Intent.PROBLEM:  # for the model alone: humane if it is trouble, harmless if not
            return self._plan({Move.LISTEN: word + look_up, Move.NOTHING: nothing}, human)
        if answers:
            weights = {Move.WORD: word, Move.NOTHING: nothing}
            if length > _FRAGMENT_WORDS and look_up > _SEARCH_PROBABILITY:
                weights[Move.LOOK_UP] = look_up
            return self._plan(weights, human, is_certain=not may_ask)
        # What only the model takes for a correction is as often half a question.
        is_doubtful = classified.intent is Intent.CORRECTION and classified.by_rules is not Intent.CORRECTION
        if may_ask or is_doubtful or classified.intent is Intent.UNCLEAR:
            return self._plan({Move.LOOK_UP: look_up, Move.NOTHING: nothing + word}, human)
        move = Move.WORD if classified.intent is Intent.CORRECTION else Move.LISTEN
        return self._plan({move: word + look_up, Move.NOTHING: nothing}, human)

    def _is_half_a_value(self, text: str, agent_text: str | None, seen: Situation) -> bool:
        if seen.is_dictated and seen.asked is Asked.NOTHING:
            return True
        return dictation(text, agent_text, self.language) is Dictation.INCOMPLETE

    def _plan(
        self, weights: Mapping[Move, float], human: Mapping[Move, float] | None = None, *, is_certain: bool = True
    ) -> Plan:
        return Plan(weights, human or {}, is_certain, tuple(self._recent), dict(self._credits))


def _with_agreed_wish(seen: Situation, classified: Classification) -> Situation:
    """Return the situation with a wish that only the intents know: "Book room three." without a word that asks."""
    if seen.asked is not Asked.NOTHING or seen.is_closing or seen.is_dictated:
        return seen
    if classified.intent not in _WISHES or classified.intent is not classified.by_rules:
        return seen
    return dataclasses.replace(seen, asked=Asked.ACTION if classified.intent is Intent.REQUEST else Asked.OTHER)


def _social_move(classified: Classification, seen: Situation) -> Move | None:
    """Return the move that a closing, thanks, a greeting or "can you hear me" calls for."""
    if seen.is_closing:
        return Move.NOTHING
    is_greeting = classified.intent is Intent.GREETING
    if seen.asked is Asked.AT_ONCE and not (is_greeting and seen.is_first):
        return Move.NOTHING
    if seen.asked not in (Asked.NOTHING, Asked.AT_ONCE):
        return None
    if classified.intent is Intent.THANKS:
        is_certain = classified.by_rules is Intent.THANKS and not (
            seen.agent_looks_up or seen.agent_asked or seen.adds_to_thanks
        )
        return Move.WELCOME if is_certain else Move.NOTHING
    if is_greeting:
        return Move.GREETING if seen.is_first else Move.NOTHING
    return None


def _is_sympathy_due(classified: Classification) -> bool:
    """Whether rules and model agree on trouble. A needless apology is the worst thing to say."""
    agree = classified.intent is classified.by_rules is Intent.PROBLEM
    return agree and classified.probability >= _SYMPATHY_PROBABILITY


def _weights_of_request(human: Mapping[Move, float], seen: Situation, may_be_trouble: bool) -> dict[Move, float]:
    """Return the weights of a request: consent would answer a yes/no question, and is brisk to trouble."""
    look_up, nothing, word = human[Move.LOOK_UP], human[Move.NOTHING], human[Move.WORD]
    if seen.asked in (Asked.FACT, Asked.ACTION) and not may_be_trouble:
        return {Move.LOOK_UP: look_up, Move.NOTHING: nothing, Move.CONSENT: word}
    if seen.asked is Asked.YES_NO:  # half of the words are a "yes", which is the answer itself
        return {Move.LOOK_UP: look_up, Move.NOTHING: nothing + word / 2}
    return {Move.LOOK_UP: look_up + word, Move.NOTHING: nothing}
