"""Classify what the caller said: which intent, and should the agent stay silent before its answer.

The rules (``intent_rules``) and a linear model (``intent_model``) that sees the rules' result as a feature are combined
here. Both accept raw and punctuated transcripts. In doubt an intent with neutral phrases is chosen.
"""

from __future__ import annotations

from dataclasses import dataclass

from agent_worker.text.intent import FALLBACK, Intent
from agent_worker.text.intent_model import IntentModel
from agent_worker.text.intent_rules import accepts_and_asks, intent_by_rules
from agent_worker.text.word_classes import word_classes

#: Weights of a problem against other intents, without and with the rules' agreement: needless sympathy is a smaller
#: mistake than "Okay." to a caller who mourns.
_PROBLEM_WEIGHT = 1.5
_PROBLEM_WEIGHT_WITH_RULES = 10.0
#: An intent is an alternative from this share of the most probable one's probability on.
_ALTERNATIVE_SHARE = 0.45
#: Probability of all silent intents together from which the agent stays silent, with and against the rules.
_SILENT_PROBABILITY_WITH_RULES = 0.4
_SILENT_PROBABILITY_AGAINST_RULES = 0.6
#: The meaning of "no" or "yes please" depends on the agent's last words, which the rules know best.
_MAX_WORDS_BY_RULES_ALONE = 2


@dataclass(frozen=True)
class Classification:
    """The intent of the caller's words.

    Attributes:
        text: The classified transcript.
        intent: The most probable intent.
        alternatives: Other plausible intents, the most probable first: a pre-response should fit them too.
        by_rules: The intent that the rules alone give.
        probability: The model's own probability of ``intent``; 1 where the rules alone decide.
    """

    text: str
    intent: Intent
    alternatives: tuple[Intent, ...] = ()
    by_rules: Intent = FALLBACK
    probability: float = 1.0

    @property
    def suppresses_preresponse(self) -> bool:
        """Whether the agent says nothing before its answer."""
        return self.intent.suppresses_preresponse


def classify(text: str, language: str = "en", context: str | None = None) -> Classification:
    """Classify the caller's words. Never raises, whatever the text.

    Args:
        text: The transcript.
        language: Language tag, such as ``en`` or ``en-US``. Without rules for it the intent is ``FALLBACK``.
        context: What the agent said last, perhaps interrupted; it decides what a single word means.
    """
    by_rules = intent_by_rules(text, language, context)
    if not word_classes("intents", language) or len(text.split()) <= _MAX_WORDS_BY_RULES_ALONE:
        return Classification(text, by_rules, by_rules=by_rules)
    impossible = _impossible(text, language, by_rules)
    probabilities = _probabilities(text, context or "", by_rules, impossible)
    if by_rules.suppresses_preresponse:
        silent = _silent_probability(probabilities) > _SILENT_PROBABILITY_WITH_RULES
    else:
        silent = _silent_probability(probabilities) > _SILENT_PROBABILITY_AGAINST_RULES
        if silent:  # words that are not for the agent stay so whatever it said before
            without_context = _probabilities(text, "", by_rules, impossible)
            silent = _silent_probability(without_context) > _SILENT_PROBABILITY_AGAINST_RULES
    intent, alternatives = _rank(by_rules, probabilities, silent)
    return Classification(text, intent, alternatives, by_rules, probabilities[intent])


def _impossible(text: str, language: str, by_rules: Intent) -> frozenset[Intent]:
    """Return the intents that the model must not choose: a request to the agent is no side-talk."""
    is_request = by_rules is not Intent.SIDE_TALK and accepts_and_asks(text, language)
    return frozenset({Intent.SIDE_TALK}) if is_request else frozenset()


def _probabilities(text: str, context: str, by_rules: Intent, impossible: frozenset[Intent]) -> dict[Intent, float]:
    found = IntentModel.load().probabilities(text, context, by_rules)
    possible = {Intent(name): probability for name, probability in found.items() if Intent(name) not in impossible}
    total = sum(possible.values())
    return {intent: probability / total for intent, probability in possible.items()} | dict.fromkeys(impossible, 0.0)


def _silent_probability(probabilities: dict[Intent, float]) -> float:
    return sum(probability for intent, probability in probabilities.items() if intent.suppresses_preresponse)


def _rank(by_rules: Intent, probabilities: dict[Intent, float], silent: bool) -> tuple[Intent, tuple[Intent, ...]]:
    """Return the most probable intent and the plausible alternatives."""
    weight = _PROBLEM_WEIGHT_WITH_RULES if by_rules is Intent.PROBLEM else _PROBLEM_WEIGHT
    weighted = probabilities | {Intent.PROBLEM: probabilities[Intent.PROBLEM] * weight}
    candidates = [intent for intent in weighted if intent.suppresses_preresponse is silent]
    best, *others = sorted(candidates, key=weighted.__getitem__, reverse=True)
    if silent or best is by_rules is Intent.PROBLEM:  # a problem for rules and model alike is certain enough
        return best, ()
    return best, tuple(intent for intent in others if weighted[intent] > _ALTERNATIVE_SHARE * weighted[best])
