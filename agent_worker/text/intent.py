"""What does the caller intend, and should the agent say anything before its answer?

Word classes (``data/intents``) and the decisions of :func:`_judge` over them; a linear model
(``kind_model.py``) that knows what they say has the last word. Both take a recogniser's raw text as well as punctuated
text. When in doubt an intent is chosen with neutral phrases.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib import resources
from re import Pattern

import yaml  # type: ignore[import-untyped]

from agent_worker.text.intent_model import IntentModel


class Intent(str, Enum):
    """What the caller's utterance is, as far as the words before the answer depend on it."""

    QUESTION = "question"
    REQUEST = "request"
    PROBLEM = "problem"  #: trouble, complaint, anger, bad or sad news
    STORY = "story"  #: an account or news without a question
    CORRECTION = "correction"
    THANKS = "thanks"
    GREETING = "greeting"
    YES_NO = "yes_no"  #: answers the agent with yes, no or a short fact
    UNCLEAR = "unclear"
    GOODBYE = "goodbye"
    BACKCHANNEL = "backchannel"
    HOLD = "hold"  #: asks to wait, to stop or to be quiet
    UNFINISHED = "unfinished"
    SIDE_TALK = "side_talk"  #: to somebody else in the room
    NOISE = "noise"

    __str__ = str.__str__

    @property
    def suppresses_preresponse(self) -> bool:
        """Whether the agent should say nothing before its answer."""
        return self in _SILENT


_SILENT = frozenset(
    {Intent.GOODBYE, Intent.BACKCHANNEL, Intent.HOLD, Intent.UNFINISHED, Intent.SIDE_TALK, Intent.NOISE}
)
FALLBACK = Intent.UNCLEAR  #: for what cannot be judged, as in a language without rules: its phrases fit everything
# How much a problem outweighs other kinds, with and without the rules: sympathy for nothing is better than "Okay." to
# somebody who mourns.
_FEARED, _FEARED_BY_RULES = 1.5, 10.0
_PLAUSIBLE = 0.45  # of the likeliest intent's share: what else the utterance may well be
_SILENT_WITH_RULES, _SILENT_AGAINST_RULES = 0.4, 0.6
_FEW_WORDS = 2  # "no", "yes please": what they mean is decided by what the agent said, and the rules know that


def base_language(language: str) -> str:
    """``en`` for ``en-US``."""
    return language.replace("_", "-").split("-")[0].lower()


def in_language(texts: Mapping[str, str], language: str) -> str:
    """The text of the language, or the English one."""
    return texts.get(base_language(language), texts["en"])


@dataclass(frozen=True)
class Utterance:
    """What the caller said, judged.

    Attributes:
        alternatives: What it may be as well as ``intent``, the likeliest first: what is said should fit them too.
    """

    text: str
    intent: Intent
    alternatives: tuple[Intent, ...] = ()

    @property
    def suppresses_preresponse(self) -> bool:
        return self.intent.suppresses_preresponse


def classify(text: str, language: str = "en", context: str | None = None) -> Utterance:
    """Judge what the caller said. Never raises, whatever the text.

    Args:
        text: The recogniser's words.
        language: Such as ``en`` or ``en-US``. Without rules for it the intent is :data:`FALLBACK`.
        context: What the agent said last, perhaps cut off; it decides what a single word means.
    """
    rule = by_rules(text, language, context)
    if not word_classes("intents", language) or len(text.split()) <= _FEW_WORDS:
        return Utterance(text, rule)
    likely = _likely(text, context or "", rule)
    silent = _silence(likely) > (_SILENT_WITH_RULES if rule.suppresses_preresponse else _SILENT_AGAINST_RULES)
    if (
        silent and not rule.suppresses_preresponse
    ):  # what is said to nobody here is that whatever the agent has said before
        silent = _silence(_likely(text, "", rule)) > _SILENT_AGAINST_RULES
    return Utterance(text, *_weighed(rule, likely, silent))


def _likely(text: str, context: str, rule: Intent) -> dict[Intent, float]:
    return {Intent(intent): share for intent, share in IntentModel.load().probabilities(text, context, rule).items()}


def _silence(likely: dict[Intent, float]) -> float:
    return sum(share for intent, share in likely.items() if intent.suppresses_preresponse)


def _weighed(rule: Intent, likely: dict[Intent, float], silent: bool) -> tuple[Intent, tuple[Intent, ...]]:
    """The likeliest intent, and what else is plausible."""
    likely = likely | {
        Intent.PROBLEM: likely[Intent.PROBLEM] * (_FEARED_BY_RULES if rule is Intent.PROBLEM else _FEARED)
    }
    best, *others = sorted(
        (intent for intent in likely if intent.suppresses_preresponse is silent), key=likely.__getitem__, reverse=True
    )
    if silent or best is rule is Intent.PROBLEM:  # what rules and model both take for trouble is certain enough
        return best, ()
    return best, tuple(intent for intent in others if likely[intent] > _PLAUSIBLE * likely[best])


def by_rules(text: str, language: str, context: str | None = None) -> Intent:
    """What the word classes and :func:`_judge` alone say."""
    classes = word_classes("intents", language)
    if not any(map(str.isalnum, _shortened(text))):
        return Intent.NOISE
    return _judge(_Turn(text, classes), _Turn(context or "", classes)) if classes else FALLBACK


@cache
def word_classes(folder: str, language: str) -> dict[str, Pattern[str]]:
    """Patterns of whole words from ``data/<folder>/<language>.yaml``. A class that is not there matches nothing."""
    language = base_language(language)
    file = resources.files("agent_worker.text") / "data" / folder / f"{language}.yaml"
    if not language.isalpha() or not file.is_file():
        return {}
    listed = yaml.safe_load(file.read_text(encoding="utf-8"))
    return defaultdict(lambda: re.compile(r"(?!)"), {name: _any_of(phrases) for name, phrases in listed.items()})


def _any_of(phrases: str) -> Pattern[str]:
    longest_first = sorted(phrases.split(", "), key=len, reverse=True)
    return re.compile(rf"(?<![\w'])(?:{'|'.join(longest_first)})(?!\w)")


_HALF = 250  # characters: of a longer turn the beginning and the end are judged, the rest would only take time
_SHORT, _LONG, _FRAGMENT = 14, 24, 4  # words: a short answer; too long for a correction; hardly a sentence
_ANNOTATION = re.compile(r"\[[^\]]{0,40}\]|\([^)]{0,40}\)|\*[^*]{0,40}\*|<[^>]{0,40}>")  # "[laughs]"
_PUNCTUATION = re.compile(r"[^\w']+|(?<!\w)'|_")
_STUTTER = re.compile(r"\b(\w[\w']*(?: [\w']+){0,3})(?: \1\b)+")
_SOUND = _any_of(r"a+h+, o+h+, u+f+, ow, oof, ugh, a*choo, (ha|he|hi|ja|je|k|rs){2,}h?, h*m+h*m*, p+f+, t+s+k?, s+h+")
_MUMBLE = re.compile(r"(?!www)(?=\w*(\w)\1)[b-df-hj-np-tv-xz]{3,}")  # consonants that are no word: "mmpf"
_FEELINGS = ("grave", "anger", "trouble")  # idioms may hold their words
_BARE = ("agrees", "denies", "reacts", "thanks", "lead")  # what a turn may consist of and yet say little


def _shortened(text: str) -> str:
    shortened = text if len(text) <= 2 * _HALF else f"{text[:_HALF]} {text[-_HALF:]}"
    return _ANNOTATION.sub(" ", re.sub("[’‘`´]", "'", shortened)).strip(" \"'")


class _Turn:
    """A text in which word classes can be looked for."""

    def __init__(self, text: str, classes: dict[str, Pattern[str]]) -> None:
        self._classes = classes
        self.marked = _shortened(text)
        self.raw = " ".join(_PUNCTUATION.sub(" ", self.marked.lower()).split())
        self.words = _STUTTER.sub(r"\1", self.without(self.raw, "filler"))
        self.meant = self.without(self.words, "harmless")
        self.length = len(self.words.split())
        self.sentences: list[str] = []  # without the words that only lead to them
        for part in re.split(r"[.!?…:]+(?:\s|$)", self.marked.lower()):
            sentence = self.without(_PUNCTUATION.sub(" ", part), "filler")
            while lead := classes["lead"].match(sentence):
                sentence = sentence[lead.end() :].strip()
            self.sentences.append(sentence)

    def without(self, text: str, *names: str) -> str:
        for name in names:
            text = self._classes[name].sub(" ", text)
        return " ".join(text.split())

    def rest(self, *names: str) -> int:  # words beside these and mere sounds
        return len(self.without(_SOUND.sub(" ", self.words), *names).split())

    def says(self, name: str) -> bool:
        return self._classes[name].search(self.meant if name in _FEELINGS else self.words) is not None

    def starts(self, *names: str) -> bool:
        return any(self._classes[name].match(text) for name in names for text in (self.words, self.sentences[0]))

    def begins(self, name: str) -> bool:  # any sentence
        return any(self._classes[name].match(sentence) for sentence in self.sentences)

    def ends(self, *names: str) -> bool:
        return any(found.end() == len(self.raw) for name in names for found in self._classes[name].finditer(self.raw))


def _judge(turn: _Turn, agent: _Turn) -> Intent:
    """The first decision that applies:

    1. No words are noise, half a sentence is unfinished.
    2. Grief, danger and anger win over every form.
    3. What is not for the agent or asks for nothing: side-talk, wait and be quiet, goodbye.
    4. Greeting; thanks, unless a wish follows. Only yes, no, okay: an answer if the agent asked, else a backchannel.
    5. Trouble, unless it is an open correction or begins as a question or request. Corrections and contradictions.
    6. Question or request by how a sentence begins. Short after a question: the answer, unless it may be bad news. A
       wish within; else a story.
    """
    asks = "?" in turn.marked or turn.begins("asks") or turn.says("asks_within")
    wishes = asks or turn.begins("requests")
    denies = turn.starts("denies")
    agent_asks = agent.marked.endswith("?") or agent.begins("agent_asks")
    agent_wants_fact = agent_asks and not agent.says("agent_opens")
    corrects = agent.length > 0 and turn.length <= _LONG and not asks and turn.says("corrects")
    contradicts = denies and agent.length > 0 and (not agent_asks or agent.says("agent_checks"))
    troubled = turn.says("trouble") or (agent.says("agent_asks_trouble") and turn.length > 2)

    if turn.rest() == 0 and not (agent_asks and turn.says("agrees")):
        return Intent.NOISE
    breaks_off = turn.marked.endswith((",", "-", "–", "—", ":", ";", "...", "…")) or turn.ends("filler", "open_end")
    breaks_off |= not asks and turn.ends("open_end_unless_asking")
    if breaks_off and not turn.marked.endswith(("?", "!")):
        return Intent.UNFINISHED
    if turn.says("anger") or (turn.says("grave") and (turn.says("own") or not asks)):
        return Intent.PROBLEM
    if turn.says("side_talk"):
        return Intent.SIDE_TALK
    only_waits = turn.starts("wait") and not (wishes or corrects or troubled or turn.says("denies"))
    if (only_waits and turn.length <= _SHORT) or (turn.says("hush") and turn.rest("hush", "wait", *_BARE) <= 1):
        return Intent.HOLD
    if turn.says("farewell") and turn.rest("farewell", *_BARE) < _FRAGMENT and not ("?" in turn.marked or troubled):
        return Intent.GOODBYE
    if turn.starts("greeting") and turn.rest("greeting", "introduces", *_BARE) <= 1:
        return Intent.GREETING
    wants_more = wishes or denies or troubled or agent_wants_fact or turn.says("requests_within")
    if turn.says("thanks") and turn.length <= _SHORT and not wants_more:
        return Intent.THANKS
    if turn.rest(*_BARE) == 0 and "?" not in turn.marked:
        answers = agent_asks or turn.says("accepts")
        return Intent.YES_NO if answers else FALLBACK if denies and not turn.says("reacts") else Intent.BACKCHANNEL
    if turn.length > 2 and any(_MUMBLE.fullmatch(word) for word in _SOUND.sub(" ", turn.words).split()):
        return Intent.UNCLEAR
    if troubled and not corrects and not turn.starts("asks", "requests"):
        return Intent.PROBLEM
    if corrects or (contradicts and turn.length > 1 and not asks):
        return Intent.CORRECTION
    if wishes:
        return Intent.REQUEST if turn.begins("requests") and not turn.says("asks_within") else Intent.QUESTION
    if (agent_wants_fact and turn.length <= _SHORT) or (agent_asks and (denies or turn.starts("agrees"))):
        return Intent.STORY if turn.says("serious") else Intent.YES_NO
    fallback = FALLBACK if turn.length <= _FRAGMENT and not turn.says("own") else Intent.STORY
    return Intent.REQUEST if turn.says("requests_within") else fallback
