"""Classify the caller's words by hand-written word classes (``data/intents``)."""

from __future__ import annotations

import re
from re import Pattern

from agent_worker.text.intent import FALLBACK, Intent
from agent_worker.text.plain_words import PUNCTUATION, without_punctuation
from agent_worker.text.word_classes import any_of, word_classes

#: Of a longer turn only the beginning and the end are judged, this much of each: time stays bounded.
_MAX_EDGE_CHARS = 250
_SHORT_ANSWER_WORDS = 14
_MAX_CORRECTION_WORDS = 24
_FRAGMENT_WORDS = 4
_ANNOTATION = re.compile(r"\[[^\]]{0,40}\]|\([^)]{0,40}\)|\*[^*]{0,40}\*|<[^>]{0,40}>")  # "[laughs]"
_STUTTER = re.compile(r"\b(\w[\w']*(?: [\w']+){0,3})(?: \1\b)+")
_SOUND = any_of(r"a+h+, o+h+, u+f+, ow, oof, ugh, a*choo, (ha|he|hi|ja|je|k|rs){2,}h?, h*m+h*m*, p+f+, t+s+k?, s+h+")
_MUMBLE = re.compile(r"(?!www)(?=\w*(\w)\1)[b-df-hj-np-tv-xz]{3,}")  # consonants without a vowel: "mmpf"
#: Classes whose words also occur in harmless idioms.
_FEELINGS = ("grave", "anger", "trouble")
#: A turn that consists of these classes alone says little.
_BARE = ("agrees", "denies", "reacts", "thanks", "lead")


def intent_by_rules(text: str, language: str, context: str | None = None) -> Intent:
    """Return the intent that the word classes alone give; ``FALLBACK`` for a language without word classes.

    Args:
        text: The transcript of the caller's turn.
        language: Language tag.
        context: The agent's last words.
    """
    classes = word_classes("intents", language)
    if not any(map(str.isalnum, shorten(text))):
        return Intent.NOISE
    return _first_rule(_Turn(text, classes), _Turn(context or "", classes)) if classes else FALLBACK


def accepts_and_asks(text: str, language: str) -> bool:
    """Return whether the caller agrees with the agent and asks for more, as in "sounds good, can I get the number"."""
    classes = word_classes("intents", language)
    if not classes:
        return False
    turn = _Turn(text, classes)
    return turn.says("for_agent") and any(
        classes[name].match(words) for name in ("agrees", "reacts", "accepts") for words in (turn.words, turn.raw)
    )


def shorten(text: str) -> str:
    """Return the beginning and the end of a long text, without annotations such as "[laughs]"."""
    shortened = text if len(text) <= 2 * _MAX_EDGE_CHARS else f"{text[:_MAX_EDGE_CHARS]} {text[-_MAX_EDGE_CHARS:]}"
    return _ANNOTATION.sub(" ", re.sub("[’‘`´]", "'", shortened)).strip(" \"'")


class _Turn:
    """A text of the caller or of the agent, prepared for look-ups of word classes.

    Attributes:
        marked: The shortened text with its punctuation.
        raw: Its words in lower case.
        words: The same without fillers and stutters.
        meant: The same without harmless idioms.
        length: Number of words.
        sentences: Its sentences without fillers and without the words that only lead to them ("well, so …").
    """

    def __init__(self, text: str, classes: dict[str, Pattern[str]]) -> None:
        self._classes = classes
        self.marked = shorten(text)
        self.raw = without_punctuation(self.marked.lower())
        self.words = _STUTTER.sub(r"\1", self.without(self.raw, "filler"))
        self.meant = self.without(self.words, "harmless")
        self.length = len(self.words.split())
        self.sentences: list[str] = []
        for part in re.split(r"[.!?…:]+(?:\s|$)", self.marked.lower()):
            sentence = self.without(PUNCTUATION.sub(" ", part), "filler")
            while lead := classes["lead"].match(sentence):
                sentence = sentence[lead.end() :].strip()
            self.sentences.append(sentence)

    def without(self, text: str, *names: str) -> str:
        for name in names:
            text = self._classes[name].sub(" ", text)
        return " ".join(text.split())

    def words_besides(self, *names: str) -> int:
        """Count the words that are neither in these classes nor mere sounds."""
        return len(self.without(_SOUND.sub(" ", self.words), *names).split())

    def says(self, name: str) -> bool:
        return self._classes[name].search(self.meant if name in _FEELINGS else self.words) is not None

    def starts(self, *names: str) -> bool:
        return any(self._classes[name].match(text) for name in names for text in (self.words, self.sentences[0]))

    def any_sentence_starts(self, name: str) -> bool:
        return any(self._classes[name].match(sentence) for sentence in self.sentences)

    def ends(self, *names: str) -> bool:
        return any(found.end() == len(self.raw) for name in names for found in self._classes[name].finditer(self.raw))


def _first_rule(turn: _Turn, agent: _Turn) -> Intent:
    """Return the intent of the first rule that applies.

    1. A turn without words is noise; half a sentence is unfinished.
    2. Grief, danger and anger win over every form.
    3. Words that are not for the agent or ask for nothing: side-talk, "wait", "be quiet", goodbye.
    4. A greeting; thanks, unless a wish follows. Only "yes", "no", "okay": an answer if the agent asked, else a
       backchannel.
    5. Trouble, unless it is an open correction or begins as a question or request. Corrections and contradictions.
    6. Question or request by how a sentence begins. A short turn after a question is the answer, unless it may be bad
       news. A wish inside the sentence; else a story.
    """
    asks = "?" in turn.marked or turn.any_sentence_starts("asks") or turn.says("asks_within")
    wishes = asks or turn.any_sentence_starts("requests")
    denies = turn.starts("denies")
    agent_asks = agent.marked.endswith("?") or agent.any_sentence_starts("agent_asks")
    agent_wants_fact = agent_asks and not agent.says("agent_opens")
    corrects = agent.length > 0 and turn.length <= _MAX_CORRECTION_WORDS and not asks and turn.says("corrects")
    contradicts = denies and agent.length > 0 and (not agent_asks or agent.says("agent_checks"))
    troubled = turn.says("trouble") or (agent.says("agent_asks_trouble") and turn.length > 2)

    if turn.words_besides() == 0 and not (agent_asks and turn.says("agrees")):
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
    if (only_waits and turn.length <= _SHORT_ANSWER_WORDS) or (
        turn.says("hush") and turn.words_besides("hush", "wait", *_BARE) <= 1
    ):
        return Intent.HOLD
    if (
        turn.says("farewell")
        and turn.words_besides("farewell", *_BARE) < _FRAGMENT_WORDS
        and not ("?" in turn.marked or troubled)
    ):
        return Intent.GOODBYE
    if turn.starts("greeting") and turn.words_besides("greeting", "introduces", *_BARE) <= 1:
        return Intent.GREETING
    wants_more = wishes or denies or troubled or agent_wants_fact or turn.says("requests_within")
    if turn.says("thanks") and turn.length <= _SHORT_ANSWER_WORDS and not wants_more:
        return Intent.THANKS
    if turn.words_besides(*_BARE) == 0 and "?" not in turn.marked:
        answers = agent_asks or turn.says("accepts")
        return Intent.YES_NO if answers else FALLBACK if denies and not turn.says("reacts") else Intent.BACKCHANNEL
    if turn.length > 2 and any(_MUMBLE.fullmatch(word) for word in _SOUND.sub(" ", turn.words).split()):
        return Intent.UNCLEAR
    if troubled and not corrects and not turn.starts("asks", "requests"):
        return Intent.PROBLEM
    if corrects or (contradicts and turn.length > 1 and not asks):
        return Intent.CORRECTION
    if wishes:
        return (
            Intent.REQUEST if turn.any_sentence_starts("requests") and not turn.says("asks_within") else Intent.QUESTION
        )
    if (agent_wants_fact and turn.length <= _SHORT_ANSWER_WORDS) or (agent_asks and (denies or turn.starts("agrees"))):
        return Intent.STORY if turn.says("serious") else Intent.YES_NO
    fallback = FALLBACK if turn.length <= _FRAGMENT_WORDS and not turn.says("own") else Intent.STORY
    return Intent.REQUEST if turn.says("requests_within") else fallback
