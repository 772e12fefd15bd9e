"""What kind of utterance is this, and should the agent say anything before its answer?

Rules over word classes and sentence patterns, not a model: a call takes well under a millisecond and its reason can be
read. They work on a recogniser's raw text (no capitals, no punctuation, fillers, false starts) as on punctuated text.
When in doubt they choose a kind whose phrases are neutral.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from re import Pattern


class Kind(str, Enum):
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
    def silent(self) -> bool:
        """Whether the agent should say nothing before its answer."""
        return self in _SILENT


_SILENT = frozenset({Kind.GOODBYE, Kind.BACKCHANNEL, Kind.HOLD, Kind.UNFINISHED, Kind.SIDE_TALK, Kind.NOISE})

#: For what cannot be judged, such as a language without rules: its phrases fit everything that is said.
NEUTRAL = Kind.UNCLEAR


@dataclass(frozen=True)
class Utterance:
    """What the caller said, judged."""

    text: str
    kind: Kind

    @property
    def silent(self) -> bool:
        """Whether the agent should say nothing before its answer."""
        return self.kind.silent


def classify(text: str, language: str = "en", context: str | None = None) -> Utterance:
    """Judge what the caller said. Never raises, whatever the text.

    Args:
        text: The recogniser's words.
        language: Such as ``en`` or ``en-US``. Without rules for it the kind is :data:`NEUTRAL`.
        context: What the agent said last, perhaps cut off; it decides what a single word means.
    """
    rules_of = _RULES.get(language.replace("_", "-").split("-")[0].lower())
    if not any(letter.isalnum() for letter in _plain(text)):
        return Utterance(text, Kind.NOISE)
    if rules_of is None:
        return Utterance(text, NEUTRAL)
    rules = rules_of()
    return Utterance(text, _judge(_Turn.of(text, rules), _Heard.of(context or "", rules), rules))


# --- The text, made comparable ---------------------------------------------------------------------------------------

_MAX_CHARACTERS = 700  # of a longer turn the beginning and the end are judged: the rest would only take time
_APOSTROPHES = str.maketrans("’‘`´", "''''")
_NO_WORD = re.compile(r"[^\w']+|(?<!\w)'|'(?!\w)|_")
_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+")
_ANNOTATION = re.compile(r"\[[^\]]{0,40}\]|\([^)]{0,40}\)|\*[^*]{0,40}\*|<[^>]{0,40}>")  # "[laughs]"
_STUTTER = re.compile(r"\b([\w']+(?: [\w']+){0,3})(?: \1\b)+")


def _plain(text: str) -> str:
    return " ".join(_ANNOTATION.sub(" ", text.translate(_APOSTROPHES)).split())


def _shortened(text: str) -> str:
    half = _MAX_CHARACTERS // 2
    return text if len(text) <= _MAX_CHARACTERS else f"{text[:half]} {text[-half:]}"


def _words(text: str, rules: _Rules) -> str:
    """The words in lower case, one space apart, without fillers and punctuation."""
    words = _NO_WORD.sub(" ", text.lower()).split()
    kept = " ".join(rules.respelled.get(word, word) for word in words if word not in rules.fillers)
    return kept


@dataclass(frozen=True)
class _Turn:
    """What the caller said."""

    marked: str  # with its punctuation and capitals
    words: str
    sentences: tuple[str, ...]  # words of each
    meant: str  # words without idioms whose words mean something else
    repeats: int  # of words, which are left out
    _found: dict[tuple[Pattern[str], str], bool] = field(default_factory=dict, compare=False)

    @classmethod
    def of(cls, text: str, rules: _Rules) -> _Turn:
        marked = _shortened(_plain(text))
        words, repeats = _STUTTER.subn(r"\1", _words(marked, rules))
        sentences = (_STUTTER.sub(r"\1", _words(sentence, rules)) for sentence in _SENTENCE_END.split(marked))
        return cls(marked, words, tuple(filter(None, sentences)), rules.harmless.sub("·", words), repeats)

    @property
    def length(self) -> int:
        return len(self.words.split())

    def says(self, pattern: Pattern[str]) -> bool:
        return self._once(pattern, "says", lambda: pattern.search(self.words) is not None)

    def means(self, pattern: Pattern[str]) -> bool:
        return self._once(pattern, "means", lambda: pattern.search(self.meant) is not None)

    def begins(self, pattern: Pattern[str]) -> bool:
        starts = {self.words, *self.sentences}
        return self._once(pattern, "begins", lambda: any(pattern.match(start) for start in starts))

    def _once(self, pattern: Pattern[str], how: str, find: Callable[[], bool]) -> bool:
        if (pattern, how) not in self._found:
            self._found[pattern, how] = find()
        return self._found[pattern, how]


@dataclass(frozen=True)
class _Heard:
    """What the agent said last, and what it leads one to expect."""

    asks: bool = False  # for an answer of any length
    asks_openly: bool = False  # for an account
    offers_help: bool = False
    asks_trouble: bool = False
    confirms: bool = False
    anything_else: bool = False
    wellbeing: bool = False
    anything: bool = False
    names: frozenset[str] = frozenset()

    @classmethod
    def of(cls, context: str, rules: _Rules) -> _Heard:
        marked = _plain(context)[-_MAX_CHARACTERS:]
        if not marked:
            return cls()
        last = _SENTENCE_END.split(marked)[-1]
        words = _words(last, rules)
        said = _words(marked, rules)
        question = last.endswith("?") or (last[-1] not in ".!" and rules.asking.match(words) is not None)
        asks = question or rules.agent_asks.search(words) is not None
        return cls(
            asks=asks,
            asks_openly=bool(rules.agent_asks_openly.search(words)),
            offers_help=bool(rules.agent_offers_help.search(words) or rules.agent_answers_phone.search(said))
            or not (asks or rules.finite.search(said) or rules.agrees_first.match(words)),
            asks_trouble=bool(rules.agent_asks_trouble.search(said)),
            confirms=asks and bool(rules.agent_confirms.search(words)),
            anything_else=bool(rules.agent_anything_else.search(words)),
            wellbeing=bool(rules.agent_wellbeing.search(words)),
            anything=True,
            names=frozenset(re.findall(r"\b[A-Z]\w+", marked)),
        )


# --- The rules, the first that applies decides -----------------------------------------------------------------------


def _judge(turn: _Turn, heard: _Heard, rules: _Rules) -> Kind:
    for rule in _ORDER:
        if kind := rule(turn, heard, rules):
            return kind
    return Kind.STORY


def _noise(turn: _Turn, heard: _Heard, rules: _Rules) -> Kind | None:
    words = turn.words.split()
    return Kind.NOISE if all(rules.noise.fullmatch(word) for word in words) else None


def _unfinished(turn: _Turn, heard: _Heard, rules: _Rules) -> Kind | None:
    marked = turn.marked.rstrip("\"' ")
    if marked.endswith(("?", "!")):
        return None
    if marked.endswith((",", "-", "–", "—", ":", ";")) and turn.length > 1:
        return Kind.UNFINISHED
    if marked.endswith(("...", "…")) and turn.length > 1 and not rules.refuses.fullmatch(turn.words):
        return Kind.UNFINISHED
    last = _NO_WORD.sub(" ", marked.lower()).split()[-1]
    if last in rules.fillers and last not in rules.fillers_at_end and turn.length > 1:
        return Kind.UNFINISHED
    if rules.cut_off.search(turn.words):
        return Kind.UNFINISHED
    if not marked.endswith(".") and rules.may_end_with.search(turn.words) and not turn.says(rules.strands):
        return Kind.UNFINISHED
    return None


def _grave(turn: _Turn, heard: _Heard, rules: _Rules) -> Kind | None:
    if turn.means(rules.good_news):
        return None
    if turn.means(rules.emergency):
        return Kind.PROBLEM
    if turn.means(rules.grief) and (turn.means(rules.own) or not _asks(turn, rules)):
        return Kind.PROBLEM
    return None


def _side_talk(turn: _Turn, heard: _Heard, rules: _Rules) -> Kind | None:
    if turn.says(rules.side_talk) or (heard.asks and turn.says(rules.side_talk_if_asked)):
        return Kind.SIDE_TALK
    named = _named(turn, rules) - {name.lower() for name in heard.names}
    others = (
        bool(named)
        or turn.says(rules.vocative)
        or (heard.asks and not heard.offers_help and _hailed(turn, heard, rules))
    )
    if heard.asks and rules.vocative.match(turn.words) and not turn.says(rules.thanks):
        return Kind.SIDE_TALK
    if others and not turn.says(rules.thanks) and turn.begins(rules.to_others):
        return Kind.SIDE_TALK
    return None


def _named(turn: _Turn, rules: _Rules) -> frozenset[str]:
    """Whom the turn calls by name."""
    called = _VOCATIVE.search(turn.marked)
    return frozenset({(called[1] or called[2]).lower()} if called else ()) - rules.openers


def _hailed(turn: _Turn, heard: _Heard, rules: _Rules) -> bool:
    """Whether it begins with a name that is not the agent's."""
    hailed = rules.hails.match(turn.words)
    name = hailed and (hailed["hailed"] or hailed["named"])
    return bool(name) and name not in rules.openers | {own.lower() for own in heard.names}


# "João, come down", "Just put it there, Dave."
_VOCATIVE = re.compile(r"^(?:[Hh]ey )?([A-Z][a-zà-ÿ]+),(?= )|, ([A-Z][a-zà-ÿ]+)[.!?]*$")


def _hold(turn: _Turn, heard: _Heard, rules: _Rules) -> Kind | None:
    if rules.hush.fullmatch(turn.words):
        return Kind.HOLD
    if heard.asks and not heard.asks_openly and rules.fetches.match(turn.words):
        return Kind.HOLD
    if turn.length <= _LONG and rules.hold_at_end.search(turn.words) and "?" not in turn.marked:
        return Kind.HOLD
    if not (begun := rules.hold.match(turn.words)):
        return None
    rest = turn.words[begun.end() :].strip()
    if not rest or rules.hush.fullmatch(rest) or (rules.busy.match(rest) and "?" not in turn.marked):
        return Kind.HOLD
    return None


def _farewell(turn: _Turn, heard: _Heard, rules: _Rules) -> Kind | None:
    if _asks(turn, rules) or turn.means(rules.trouble):
        return None
    rest = _without(turn.words, rules.farewell, rules.thanks, rules.polite)
    if turn.says(rules.farewell) and (len(rest) <= 2 or rules.farewell_at_end.search(turn.words)):
        return Kind.GOODBYE
    rest = _without(turn.words, rules.closing, rules.thanks, rules.polite)
    wraps_up = turn.says(rules.closing) and (heard.anything_else or turn.says(rules.thanks)) and len(rest) <= 2
    only_no = heard.anything_else and turn.says(rules.refuses) and len(rest) <= 1
    return Kind.GOODBYE if wraps_up or only_no else None


def _reaction(turn: _Turn, heard: _Heard, rules: _Rules) -> Kind | None:
    """A bare agreeing word answers a question, and after a statement only shows that one listens."""
    if rules.accepts.fullmatch(turn.words):
        return Kind.YES_NO
    if rules.agrees.fullmatch(turn.words):
        return Kind.YES_NO if heard.asks else Kind.BACKCHANNEL
    if not heard.asks and rules.reacts.fullmatch(turn.words) and not turn.marked.endswith("?"):
        return Kind.BACKCHANNEL
    if rules.refuses.fullmatch(turn.words):
        if heard.asks or not heard.anything:
            return Kind.YES_NO
        return Kind.CORRECTION if rules.denies.match(turn.words) else None
    return None


def _angry(turn: _Turn, heard: _Heard, rules: _Rules) -> Kind | None:
    return Kind.PROBLEM if turn.means(rules.anger) else None


def _polite_only(turn: _Turn, heard: _Heard, rules: _Rules) -> Kind | None:
    introduced = turn.says(rules.greets_only) and not (heard.asks and not heard.wellbeing)
    if introduced and len(_without(turn.words, rules.greets_only, rules.thanks, rules.polite)) <= 1:
        return Kind.GREETING
    if rules.greeting.match(turn.words):
        rest = _without(turn.words, rules.greeting, rules.greets_only, rules.polite)
        if len(rest) <= 1 or (heard.wellbeing and len(rest) <= 3) or rules.introduces.search(turn.words):
            return Kind.GREETING
    troubled = turn.means(rules.trouble) and (not rules.thanks.match(turn.words) or turn.says(rules.but))
    if turn.says(rules.thanks) and not troubled and not _asks(turn, rules):
        rest = _without(turn.words, rules.thanks, rules.polite)
        if len(rest) <= 3 or not (turn.begins(rules.requesting) or turn.says(rules.requesting_anywhere)):
            return Kind.YES_NO if heard.asks and rules.refuses.match(turn.words) else Kind.THANKS
    return None


def _unclear(turn: _Turn, heard: _Heard, rules: _Rules) -> Kind | None:
    words = turn.words.split()
    noises = sum(1 for word in words if rules.noise.fullmatch(word))
    broken = rules.garbled.search(turn.words) is not None
    cut = len(_CUT_WORD.findall(turn.marked))
    signs = noises + 2 * broken + (turn.repeats > 1) + (cut > 1)
    return Kind.UNCLEAR if signs >= 2 and len(words) >= 3 else None


_CUT_WORD = re.compile(r"\w(?:-|\.\.\.|…)(?= |$|\w+ )")


def _correction(turn: _Turn, heard: _Heard, rules: _Rules) -> Kind | None:
    if not heard.anything:
        return None
    denies = rules.denies.match(turn.words) is not None
    asks = (turn.begins(rules.asking) and not rules.corrects.match(turn.words)) or turn.says(rules.asks_indirectly)
    if asks or turn.length > _LONG_CORRECTION:
        return None
    if turn.means(rules.trouble) and not turn.says(rules.corrects):
        return None
    if turn.says(rules.corrects) or (not heard.asks and turn.says(rules.spells)):
        return Kind.CORRECTION
    words = turn.words
    own_names = (name.lower() for name in heard.names)
    if not heard.asks and any(f"not {name}" in words or words.startswith(f"{name} is ") for name in own_names):
        return Kind.CORRECTION
    if denies and turn.length > 1 and (heard.confirms or not heard.asks):
        return Kind.CORRECTION
    return None


def _trouble(turn: _Turn, heard: _Heard, rules: _Rules) -> Kind | None:
    if turn.means(rules.good_news):
        return None
    told = turn.means(rules.trouble) or (heard.asks_trouble and turn.length > 2)
    formed = rules.asking.match(turn.words) or rules.requesting.match(turn.words) or turn.says(rules.asks_indirectly)
    return Kind.PROBLEM if told and not formed else None


def _reply(turn: _Turn, heard: _Heard, rules: _Rules) -> Kind | None:
    """A few words after a statement: they conclude from it, ask about a part of it, or put a part of it right."""
    if not heard.anything or heard.asks or heard.offers_help or turn.length > _SHORT:
        return None
    if rules.concludes.match(turn.words) or (turn.length <= _FRAGMENT and rules.asks_on.match(turn.words)):
        return Kind.QUESTION
    if turn.begins(rules.asking) or turn.begins(rules.requesting) or turn.says(rules.requesting_anywhere):
        return None
    stated = turn.length <= _FRAGMENT + 1 and rules.states.match(turn.words)
    return Kind.CORRECTION if stated or (turn.length <= _FRAGMENT and not turn.says(rules.finite)) else None


def _wish(turn: _Turn, heard: _Heard, rules: _Rules) -> Kind | None:
    """A question or a request. The one that the turn begins with, else the one that it comes to."""
    if turn.says(rules.about_instructions):
        return Kind.REQUEST
    if turn.says(rules.asks_indirectly):
        return Kind.QUESTION
    if turn.begins(rules.requesting):
        return Kind.REQUEST
    if _asks(turn, rules):
        return Kind.QUESTION
    if turn.says(rules.requesting_anywhere):
        return Kind.REQUEST
    return None


def _answer(turn: _Turn, heard: _Heard, rules: _Rules) -> Kind | None:
    if rules.agrees_first.match(turn.words) or rules.refuses_first.match(turn.words):
        return Kind.YES_NO if heard.asks and turn.length <= _LONG else None
    if not heard.asks or turn.length > _LONG:
        return None
    if heard.asks_openly and (turn.length > _FRAGMENT or turn.says(rules.finite)):
        return None
    if heard.offers_help:
        return None if turn.says(rules.finite) else Kind.REQUEST
    return Kind.YES_NO


_LONG_CORRECTION = 30
_LONG = 16  # words: more than a short fact
_SHORT = 12
_FRAGMENT = 4  # words: hardly a sentence


def _fragment(turn: _Turn, heard: _Heard, rules: _Rules) -> Kind | None:
    if turn.means(rules.good_news):
        return None
    if turn.length <= _FRAGMENT and not heard.asks and not turn.says(rules.finite):
        return Kind.REQUEST
    return None


def _bad_news(turn: _Turn, heard: _Heard, rules: _Rules) -> Kind | None:
    """An account whose words are bad ones."""
    if turn.means(rules.good_news):
        return None
    if turn.means(rules.bad):
        return Kind.PROBLEM
    # Nobody calls to say, unasked, what a thing does, unless it does not do what it should.
    complains = rules.of_a_thing.match(turn.words) and not turn.says(rules.good) and turn.length > _FRAGMENT - 1
    return Kind.PROBLEM if complains and (heard.offers_help or not heard.anything) else None


_Rule = Callable[[_Turn, _Heard, "_Rules"], "Kind | None"]
_ORDER: tuple[_Rule, ...] = (
    _noise,
    _unclear,
    _unfinished,
    _grave,
    _side_talk,
    _hold,
    _farewell,
    _reaction,
    _angry,
    _polite_only,
    _correction,
    _trouble,
    _reply,
    _wish,
    _answer,
    _bad_news,
    _fragment,
)


def _asks(turn: _Turn, rules: _Rules) -> bool:
    asked = turn.begins(rules.asking) or turn.says(rules.asking_anywhere) or turn.says(rules.asks_indirectly)
    return asked or "?" in turn.marked


def _without(words: str, *formulas: Pattern[str]) -> list[str]:
    for formula in formulas:
        words = formula.sub(" ", words)
    return words.split()


# --- Languages -------------------------------------------------------------------------------------------------------

_NEVER = re.compile(r"(?!)")


def _alternatives(text: str) -> str:
    """``text`` as one group. A line break is as good as a ``|``, except within brackets; no bracket captures."""
    alternatives: list[str] = []
    depth = 0
    for line in filter(None, map(str.strip, text.splitlines())):
        if depth:
            alternatives[-1] += line
        else:
            alternatives.append(line)
        depth += line.count("(") - line.count(")")
    return "(?:" + re.sub(r"\((?!\?)", "(?:", "|".join(alternatives)) + ")"


def _any(words: str) -> Pattern[str]:
    """A pattern of whole words."""
    return re.compile(rf"(?<![\w']){_alternatives(words)}(?!\w|'t)")


def _start(words: str, lead: str) -> Pattern[str]:
    """The same behind a few ``lead`` words. Not behind any number: that could take exponential time."""
    return re.compile(rf"(?:{_alternatives(lead)} ){{0,6}}{_any(words).pattern}")


def _made_of(words: str) -> Pattern[str]:
    """Texts of nothing else. Matched against short texts only: it could take exponential time."""
    return re.compile(rf"(?:{_alternatives(words)} ?)+")


def _around(core: str, others: str) -> Pattern[str]:
    """Texts of ``core`` and ``others``, with one of ``core`` at least. For short texts only, too."""
    core, others = _alternatives(core), _alternatives(others)
    return re.compile(rf"(?:{others} )*{core}(?: (?:{core}|{others}))*")


@dataclass(frozen=True)
class _Rules:
    """A language. Patterns are searched in the words without punctuation, unless the name says where."""

    fillers: frozenset[str]
    noise: Pattern[str]  # one word
    # Silence
    cut_off: Pattern[str]
    may_end_with: Pattern[str]  # unfinished too, unless one of the next has moved to the front: "what is it about"
    strands: Pattern[str]
    hold: Pattern[str]  # beginning
    hold_at_end: Pattern[str]
    hush: Pattern[str]  # whole
    fetches: Pattern[str]  # beginning
    busy: Pattern[str]  # what follows "wait" when it is only a reason to wait
    farewell: Pattern[str]
    farewell_at_end: Pattern[str]
    closing: Pattern[str]
    # Short reactions
    agrees: Pattern[str]  # whole
    refuses: Pattern[str]  # whole
    accepts: Pattern[str]  # whole
    reacts: Pattern[str]  # whole
    agrees_first: Pattern[str]
    refuses_first: Pattern[str]
    denies: Pattern[str]  # beginning
    thanks: Pattern[str]
    polite: Pattern[str]
    greeting: Pattern[str]
    greets_only: Pattern[str]
    introduces: Pattern[str]
    # What it is about
    emergency: Pattern[str]
    grief: Pattern[str]
    anger: Pattern[str]
    trouble: Pattern[str]
    good_news: Pattern[str]
    harmless: Pattern[str]
    corrects: Pattern[str]
    concludes: Pattern[str]  # beginning
    asks_on: Pattern[str]  # beginning
    states: Pattern[str]  # beginning
    spells: Pattern[str]  # corrects too, unless the agent asked
    # Form
    openers: frozenset[str]  # words that sentences begin with, and no names
    asking: Pattern[str]  # beginning of a sentence
    asking_anywhere: Pattern[str]
    asks_indirectly: Pattern[str]
    requesting: Pattern[str]  # beginning of a sentence
    requesting_anywhere: Pattern[str]
    about_instructions: Pattern[str]  # an attempt to make the agent drop or tell them
    # The agent's words
    agent_asks: Pattern[str]
    agent_asks_openly: Pattern[str]
    agent_offers_help: Pattern[str]
    agent_answers_phone: Pattern[str]
    agent_asks_trouble: Pattern[str]
    agent_confirms: Pattern[str]
    agent_anything_else: Pattern[str]
    agent_wellbeing: Pattern[str]
    bad: Pattern[str] = _NEVER  # words that make an account bad news
    good: Pattern[str] = _NEVER  # words that an account of trouble lacks
    of_a_thing: Pattern[str] = _NEVER  # beginning of an account of something that is no person
    own: Pattern[str] = _NEVER  # first person
    but: Pattern[str] = _NEVER
    finite: Pattern[str] = _NEVER  # a word that hardly any sentence lacks
    garbled: Pattern[str] = _NEVER
    side_talk: Pattern[str] = _NEVER
    side_talk_if_asked: Pattern[str] = _NEVER
    vocative: Pattern[str] = _NEVER
    hails: Pattern[str] = _NEVER  # beginning, with the name as a group
    to_others: Pattern[str] = _NEVER  # beginning of a sentence
    fillers_at_end: frozenset[str] = frozenset()  # those that a finished sentence may end with
    respelled: dict[str, str] = field(default_factory=dict)


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


def _pairs(text: str) -> dict[str, str]:
    """``dont: don't, im: i'm`` as a dictionary."""
    parts = (part.split(":") for part in text.split(","))
    return {word.strip(): instead.strip() for word, instead in parts}


_EN_WHO = (
    r"(?:i|you|he|she|it|we|they|there|this|that|these|those|my|your|our|his|her|their|any\w*|some\w*|the|an?|all)"
)
_EN_KIN = (
    r"(?:mother|mom|mum|mummy|mommy|father|dad|daddy|parents?|son|daughter|child|kids?|children|baby|twins?|husband|wife|"
    r"partner|boyfriend|girlfriend|fiancee?|brother|sister|grand\w+|granny|nana|uncle|aunt|auntie|cousin|nephew|niece|"
    r"friend|best friend|neighbou?r|colleague|coworker|boss|dog|cat|puppy|kitten|pet|horse|rabbit|hamster|bird)"
)
_EN_LEAD = r"""
    ok|okay|so|well|and|but|also|yeah|yes|yep|no|nope|right|alright|all right|oh|ah|now|then|just|please|sorry
    excuse me|hey|hi|hello|hi there|hello there|good (morning|afternoon|evening)|thanks|thank you|thanks a lot
    thank you (so|very) much|great|cool|perfect|good|fine|sure|actually|basically|listen|look|i mean|you know|like
    because|one more thing|one (more|last|other) question|another (thing|question)|real quick|quick question|quickly
    by the way|wait|wait a (minute|second|moment)|hang on|hold on|anyway|maybe|first|kindly|got it|i see|the thing is
    i was gonna ask|let me ask you|tell me|still|even|or|really|honestly|um|guess what|could you please|go ahead and
"""
_EN_SICKNESS = (
    r"(?:cancer|leuk\w+|lymphoma|tumou?rs?|dementia|alzheimer'?s?|parkinson'?s?|diabetes|als|hiv|aids|ms|"
    r"(?:a |another )?(?:stroke|heart attack|seizure|aneurysm|miscarriage|stillbirth|breakdown|relapse|concussion))"
)
_EN_SOON = r"(?: (?:a|one|just a|just one))?(?: (?:sec|secs|second|seconds|moment|minute|min|minutes|bit|tick))?"


@cache
def _english() -> _Rules:
    return _Rules(
        fillers=_set("um uh uhm umm uhh er erm err ehm eh hmm hm mm mmm ah"),
        fillers_at_end=_set("eh hm hmm ah mm mmm"),
        respelled=_pairs(
            "dont:don't, cant:can't, wont:won't, doesnt:doesn't, didnt:didn't, isnt:isn't, wasnt:wasn't, "
            "arent:aren't, werent:weren't, couldnt:couldn't, wouldnt:wouldn't, shouldnt:shouldn't, havent:haven't, "
            "hasnt:hasn't, hadnt:hadn't, cannot:can't, im:i'm, ive:i've, youre:you're, youve:you've, "
            "theyre:they're, theyve:they've, thats:that's, whats:what's, wheres:where's, hows:how's, whos:who's, "
            "theres:there's, heres:here's, id:i'd, wanna:want to, gonna:going to, gotta:got to, lemme:let me, "
            "gimme:give me, kinda:kind of, cuz:because, cos:because, u:you, ya:you, ok:okay, k:okay, alot:a lot, "
            "aint:ain't, yall:you all, uhhuh:mhm, mmhm:mhm"
        ),
        noise=_any(r"""
            a*(ha|he|hi|ho){2,}h?|ha+h?|lol
            (?!mrs|pm|tv|dvd|bmw|gps|usb|ssn|nyc|bbq|html|sms|hrs|phd|nhs|kfc|vpn|lbs)[bcdfghjklmnpqrstvwxz]{3,}|mm|hm
            sh|pf|ts|a+h+|o+h+|u+h+|e+h+|oo+f|u+gh+|e+w+|a+choo+|ah?choo|choo|um+|mhm|la|boo+|ow+|ou?ch|brr+|grr+|shh+
            phew|whew|hm+
        """),
        cut_off=_any(r"""
            (if|when|because|whether|unless|while|where) (you|it)$|^(well |so |but )*you see$
            if .* (will|would|can|could|do|does|is|are|should) (it|i|we|you|they|he|she)$
            (maybe|probably|perhaps|around|it's|happened|is|like) (on|in|at|around)$|(?<!an )a$
            (it's|that's|i|he's|she's|is|was|we|they) just$
            (say|thing|problem|issue|question|point|reason|idea)( here)? (is|was) that$|to (say|ask|mention) that$
            (an|the|and|but|because|if|my|your|our|their|whether|although|unless|until|every|than|which|whose)$
            (?<!me )(?<!it )(?<!so )(?<!either )or$|and (then|so|i|we|he|she|they|it|the|also)$
            (was|were|is|be|he's|she's|i'm|they're) like$
            (it's|i'm|he's|we're|they're|you're|i've|we've|i'd|i'll|we'll|there's|let's|what's|where's|how's)$
            (i|we|you|he|she|they)( \w+){0,2} (want|wanted|need|needed|like|love|going|trying|calling|have|try) to$
            i was (going|trying|wondering|thinking|hoping|calling|about to|just)$
            ^(\w+ ){0,2}(?<!how )(?<!who )(?<!where )(?<!what )(?<!so )(can|could|would|will|do|did|are|is) (you|
                we)( please| just| tell me| give me| have)?$
            ((?<!do )(?<!am )(?<!can )(?<!did )(?<!should )(?<!could )(?<!have )(?<!will )(?<!would )(?<!was )
                (?<!than )(?<!you and )(?<!may )(?<!must )(?<!or )(?<!say ))i$
            ^(\w+ ){0,2}i (just |really )?(want|need|wanted|would like|would)$|^(\w+ ){0,2}i'd like$
            ^(\w+ ){0,3}(what|how) about$
            (number|name|address|code|date|email|problem|thing|question|issue|id|pin|reason|point|idea) (is|
                was)( that)?$
            ^(so|well|and|but|because|basically|i mean|you know|like)( (so|well|and|but|basically|i mean|you know|
                like))*$
            (i mean|such as|for example|for instance|as well as|due to|instead of|because of|in order to)$
            (very|quite|rather|more|most|some|any|each|another|whatever|someone who|somebody who|something like)$
            ((?<!i think )(?<!think )(?<!hope )(?<!guess )(?<!say )(?<!said )(?<!told me )(?<!afraid )(?<!or )
                (?<!more ))so$
            (the|my|your|a|our|this|that) (first|second|third|other|last|next|new|old|big|same|whole)$
            (that|because|if|when|and|but|then|so|since|while|basically|like) (we|he|she|they|it's|i'm)$
        """),
        may_end_with=_any(r"""
            (to|for|with|at|from|of|into|about|between|without|during|against|under|behind|near|like|by|than|as|
                since)$
            (and|but|because|so|then|that|well|if|when|yeah|^) ?(i|you|we|they|he|she|it|there|who|which|the \w+|
                my \w+) (is|are|was|were|am|has|had|can|could|will|would|should)$
            (the|my|our|your) \w+( \w+)? (is|are|was|were)$
            (wants?|needs?|tell|told|says?|said|asked|called|sent|bought|gets?|puts?|makes?|takes?|gives?|gave) (me|
                us|you)? ?that$
            (i|we) (just|also|already|really|usually|always|actually|basically)$
        """),
        strands=_any(r"""
            what|who|whom|where|which|whose|how|why|that|the (one|thing|person|place|same)
            (some|any|no|every) ?(body|one|thing|where)
        """),
        hold=_start(
            rf"""
                wait{_EN_SOON}|(hold|hang) (on|up|it){_EN_SOON}|(just )?(one|a|1) (sec|second|moment|minute|min|tick)
                (just )?(give|gimme) me{_EN_SOON}
                (can|could|would|will) you (please |just )?(wait|hold|hang)( on)?{_EN_SOON}|bear with me{_EN_SOON}
                hold that thought|be right back|i'll be (right )?back{_EN_SOON}|back in a (sec|second|minute|moment)
                i need (a|one|just a) (sec|second|moment|minute)|not (right )?now
            """,
            lead=r"""
                ok|okay|oh|no|please|sorry|yeah|yes|so|well|just|sure|uh|alright|hey|excuse me
            """,
        ),
        hold_at_end=_any(r"""
            (?<!at )(?<!for )(?<!in )(?<!of )((just |only )?(one|a|1) (sec|second|moment|minute|min)|hold on|hang on|
                bear with me)( please)?$
        """),
        hush=_around(
            r"""
                stop( (it|that|there|right there|talking|speaking|reading|now|rambling|please))?
                (be |keep )?(quiet|silent)|shut (up|it)|shush|sh+|hush|not now|zip it|enough|that('s| is) enough
                let me (talk|speak|finish)( please)?|don't (talk|speak|say anything)|no more
                i('m| am) not (done|finished)( yet)?|i wasn't (done|finished)|be still|you're interrupting( me)?|pause
            """,
            r"""
                okay|oh|no|please|sorry|yeah|hey|just|right|alright|now|wait|so|thanks|thank you
                for (a|one|just a) (sec|second|minute|moment)|for now|already|i get it|got it|one moment|would you
                can you|could you|will you
            """,
        ),
        fetches=_start(
            r"""
                let me (?!speak|talk|have|know|order|try|book|hear|do|be|rephrase|tell|ask you|explain|pay|guess|
                    start|say)\w+
                i('m| am) (just |still )*(looking for|getting|grabbing|finding|checking|searching|writing)
                i('ll| will|'ll have to| have to| need to)( just| quickly)? (look|check|get|grab|find|fetch|search|go)
            """,
            lead=r"okay|oh|no|please|sorry|yeah|yes|so|well|just|sure|alright|hey",
        ),
        busy=_any(r"""
            while|until|till|for|please|there|i('m| am) (just |still |not )?(\w+ing|done|driving|at)
            i (need|have|want|got|gotta)( to)? (get|grab|find|look|check|see|think|write|fetch|ask|pull|open|read|put|
                take|turn|switch|move|a pen|my|some|answer|sign)
            i('ve| have)? got to|i'll|let me|lemme
            (there's )?(some(one|body)('s| is)?|the (door|doorbell|phone|baby|kids?|dog|kettle|oven)|my (other |phone|
                dog|kid|baby|son|daughter|wife|husband|boss|screen|hands|signal))
            getting|looking|finding|grabbing|checking|almost|nearly
            it('s| is) (still |just |somewhere )?(\w+ing|in|on|at|under|behind|over|around|here)
            to (think|find|look|check|get)|the \w+('s| is) \w+ing|my \w+( \w+)?('s| is| are| just)
        """),
        farewell=_any(r"""
            (good ?)?bye+( ?bye+)?( now| for now)?|buh bye|ciao|cheerio|ta ta|farewell|so long
            (i'll )?(see|talk to|speak to|catch|call) (you|ya)( all)?( again)? (later|soon|tomorrow|around|then|
                next \w+|on \w+day|again|tonight|in a bit)
            see (you|ya)$|talk (later|soon)|speak soon|until (next time|tomorrow|then)
            (you )?(have|enjoy) (a|the rest of your|your) (very )?(good|great|nice|lovely|wonderful|day|evening|
                weekend|rest)( (day|one|evening|night|weekend|afternoon|time|of your day))?
            (i('ve| have|'d)? )?(got to|gotta|have to|need to|should|must|better|had better) (go|run|leave|hang up|
                let you go)( now)?$
            i'll (let you go|leave you to it|hang up)( now| then)?|take care( of yourself)?|good ?night|night night
            nighty night
        """),
        farewell_at_end=_any(r"""
            (?<!say )(?<!goodbye )(?<!called )(\b(good ?)?bye+( ?bye+)?( now| for now)?|(see|talk to|
                speak to) you (later|soon|tomorrow|then)|take care|have a (good|nice|great|lovely) \w+)$
        """),
        closing=_any(r"""
            that('s| is|'ll be| will be|'d be|'s about)? (all|everything|it)( i (need|needed|wanted|have))?( for (now|
                today))?
            (i'm|i am|we're) (all )?(set|good|done|fine)( here| now| for (now|today))?
            nothing (else|more)( for (now|today))?|we're done here
        """),
        agrees=_made_of(r"""
            yes|yeah|yea|yep|yup|ya|aye|sure|okay|alright|all right|right|fine|correct|exactly|absolutely|definitely
            totally|certainly|of course|indeed|true|mhm|uh|huh|uhhuh|mm|oh|got it|gotcha|i see|i know|understood
            copy that|roger|makes sense|that makes sense|sounds (good|great|fine|right|perfect)
            that sounds (good|great|fine)
            (that's|it's|that is|it is) (right|correct|true|fine|okay|good|great|perfect|it|the one|me|cool)
            that works( for me)?|works for me|that'll do|will do|fair enough|good|great|perfect|cool|nice|excellent
            awesome|lovely|wonderful|brilliant|you bet|no problem|no worries|go ahead|go on|carry on|i understand
            i get it|it is|i do|i am|i did|i have|i will|we do|we are|we did|very (good|well|nice)|well|then|now|so|ah
            and|that|genau|si|sí|oui|ja|claro|d'accord|haan|achha|theek hai|sim|vale|da|hai|too|just|please do
            i hear you|i guess|i think so|i guess so|i suppose( so)?|i believe so|probably|maybe|perhaps|sort of
            kind of|whatever
        """),
        refuses=_made_of(r"""
            no|nope|nah|naw|never|not (really|at all|yet|quite|sure|today|exactly|necessarily|that i know of)|no way
            none|neither|neither one|i don't( think so)?|i'm not sure|not as far as i know|i don't know|no idea
            i (don't|can't|do not) (remember|recall|have (one|it|any|that))|i forgot
            not that i (can see|know( of)?|remember|recall)|absolutely not|definitely not|certainly not|of course not
            i didn't|i haven't|i'm not|it isn't|it's not|it doesn't|it didn't|uh uh|well|oh|actually|sorry|so|hmm
            dunno|i dunno|nothing|nobody|i wouldn't say so
        """),
        accepts=_any(r"""
            ((yes|yeah|yep|sure|okay|oh|no|nope) )*please( do)?|((yes|yeah|no|nope|nah|not today) )+(thanks|thank you)
            (yes|yeah|sure|oh yes) (why not|i would|that would be (great|nice|good|lovely)|i'd (like|love) that|
                let's do that)( please| thanks| thank you)?
            no( that's)? (okay|fine|alright|all right|i'm (good|fine|okay))( thanks| thank you)?
        """),
        reacts=_made_of(r"""
            oh|wow|whoa|really|interesting|how interesting
            that's (interesting|amazing|crazy|wild|nice|funny|good to know|cool|great|a lot|neat|impressive|
                fascinating|incredible|wonderful|lovely|new to me|good)
            good to know|amazing|crazy|fascinating|incredible|no way|huh|my god|oh my god|my goodness|goodness|gosh
            i didn't know that|never knew that|who knew|you don't say|is that so|no kidding|neat|funny|okay|yeah|right
            mhm|i see|ah|great|nice|cool|wild|impressive|what a story|very interesting|so interesting
            that's so (cool|interesting|funny)
        """),
        agrees_first=_any(r"""
            yes|yeah|yep|yup|sure|okay|right|correct|exactly|absolutely|definitely|of course|mhm|true
        """),
        refuses_first=_any(r"no|nope|nah|not really|not yet|not quite|never|neither|not"),
        denies=_start(
            r"no|nope|nah|not quite|not exactly|actually|hang on|hold on|wait",
            lead=r"oh|well|sorry|uh|ok|okay|but",
        ),
        thanks=_any(r"""
            (oh |many |okay )?(thanks|thank you|thankyou|thx|cheers|ta|much obliged|gracias|merci|danke)( (a lot|
                a million|a bunch|so much|very much|again|a ton|anyway|mate|love|dear|man|buddy))*
            (i )?(really )?appreciate (it|that|your|the|you)( help| time| patience)?
            (you've|you have) been (so |very |really |a |of )*(helpful|kind|patient|wonderful|great|help|
                lovely)( help)?
            (that's|that is|you're|this is|it's|that was|you are)( so| very| really| such)* (kind( of you)?|helpful|
                sweet( of you)?|a (big|huge|great) help|a (life ?saver|star|legend|gem|angel))
            you('re| are) (the best|amazing|awesome|great|so good|too kind)|you saved (me|my \w+)|grateful
            i owe you one
        """),
        polite=_any(r"""
            okay|oh|so|well|yes|yeah|yep|no|nope|right|alright|all right|great|perfect|good|cool|fine|sure|nice|lovely
            awesome|brilliant|wonderful|excellent|super|really|very|much|just|please|then|now|again|again soon|today
            you too|and|for|your|the|all|help|time|patience|everything|it|that|this|my|i|me|you|mate|sir|ma'am|madam
            miss|dear|love|there|guys|everyone|helping|with|got it|understood|i see|that's|it's|works|will do
            i'll do that|i'll try that|i'll wait|amazing|bye|too|got|as well|sorry|actually|a lot|so much
        """),
        greeting=_start(
            r"""
                (hi|hiya|hey|hello|hullo|howdy|yo|greetings|good (morning|afternoon|evening|day)|morning|evening|
                    g'day|namaste|hola|bonjour|hallo|salut|ola|olá)( (there|again|everyone|you|all|guys|sir|madam|
                    ma'am))*
            """,
            lead=r"oh|ah|yes|yeah|well|um|okay",
        ),
        greets_only=_any(r"""
            (is )?any(body|one) (there|home)|are you (there|still there)|you there
            (can|do|does) (you|any(body|one)|some(body|one)) hear me( now| okay)?
            how are you( doing)?( today| tonight| this \w+)?|how's it going|how do you do|how have you been|what's up
            and (you|yourself)$|how about (you|yourself)$|it's (me( again| here)?|\w+ (here|again|speaking))|me again
            (this is|my name is|my name's) \w+( \w+)?( here| speaking| calling)?$|\w+ (here|speaking)$
            (nice|good|great|lovely|pleased) to (meet|hear|talk to|speak to|see) you( too| again)?
            long time no (see|talk)|testing|test
        """),
        introduces=_any(r"""
            ^(\w+ ){1,3}(it's|i'm|this is|my name is|my name's) (?!calling|looking|trying|having|not|a|the|about|so|
                an|for|interested|wondering)\w+( \w+)?$
        """),
        emergency=_any(rf"""
            (not|isn't|stopped|can't|cannot|barely|trouble|hard to|difficulty|struggling to|couldn't|hardly) breath(e|
                ing)
            chest (pains?|hurts?|is tight|feels tight|pressure)
            (pain|pressure|tightness) in (my|his|her|the) (chest|left arm)|bleeding|blood everywhere|unconscious
            unresponsive|passed out|fainted|collapsed|(having|had) a seizure
            (drank|ate|drunk|eaten) (\w+ )?(bleach|poison|detergent|cleaner|antifreeze|batteries|pills|mushrooms|
                berries)
            choking|drowning|drowned|poisoned|swallowed|overdos\w+|too many (\w+ )?(pills|tablets|painkillers)
            turning (blue|purple|grey|gray)|can't feel (my|his|her)|slurr\w+|allergic reaction|anaphyla\w+
            (won't|not|can't|doesn't) wake up
            (there's|there is|is|are|caught|on|started|set|big|a) (a )?(fire)(?! (station|exit|alarm|place|wall|stick|
                sale|drill|works|tv|extinguisher|door|department|insurance|escape))
            (house|kitchen|car|building|flat|apartment|oven|stove|garage|roof|room|engine|bed) (is |was |
                's )?(on fire|burning)
            smell(s|ing)?( of| like)? (gas|smoke|burning)|gas leak|smoke (is )?(coming|everywhere|in the|from)
            full of smoke|carbon monoxide
            (someone|somebody|some guy|a man|he|they)('s| is| are| was|'re)? (trying to (get|break) in|
                break(ing)? in(to)?|in my (house|home|flat|room|garden|yard)|following me|at my window|attacking|(has|
                have|got|with|holding|had|carrying) (got )?a (gun|knife|weapon)|a (gun|knife) (outside|to my|at)|
                threaten\w+)
            broke(n)? in(to)?|break[- ]?in|intruder|burglar|at gunpoint
            (hit|run over|knocked down) by a (car|bus|truck|train|bike)
            (got|was|been|were|just) (run over|knocked down|hit by)
            (call|need|send|get)( me| us)? (an ambulance|the police|the fire (brigade|department)|a doctor now)
            this is an emergency|it's an emergency
            ({_EN_KIN}|he|she|i|abuel\w+)('s| has| just| have)*( just)? (fell|fallen|slipped)(?! (asleep|in love|
                behind|for|apart|out with))
            (kill|killed|killing|hurt|hurting|harm|harming|cut|cutting) (myself|himself|herself|themselves)
            (want|wanted|going|better|ready|wish) (to|i could|i was|i were) (die|dead|be dead|end it( all)?|disappear)
            (don't|do not|can't|no longer|no reason to)( \w+)? (live|be alive|exist|
                go on)( anymore| any longer| like this)?
            don't want to be (here|alive|around)( anymore)?|suicid\w+|end (my|his|her) (own )?life
            (hits|hit|beats|beat|beating|hitting|abus\w+|hurts|raped|assaulted|threatening|stalking) (me|my {_EN_KIN}|
                us)
            (labou?r|contractions|waters? broke|water's broken)( has)? (started|every|are)
            (electrocuted|stabbed|shot|mugged|kidnapped|carjacked|scalded|carried off)
        """),
        grief=_any(rf"""
            died|dying|dead|death|passed (away|on)|passing away|deceased|funeral|buried|cremat\w+|miscarr\w+|stillb\w+
            widow\w*|griev\w+|grief|mourning|bereave\w+|orphan\w*|(the|a) late (husband|wife|father|mother)
            gone forever
            lost (my|our|his|her|the|their) (\w+ ){{0,2}}({_EN_KIN}|job|home|house|business|savings|leg|arm|sight|
                hearing|everything)
            lost (him|her|them|everything|everyone)|terminal(ly)?( ill)?|hospice|in a coma|life support|intensive care
            in (the )?icu|biops\w+|(a|another|the) lump|without (him|her)(?! (help|permission|knowing|approval))
            chemo\w*|palliative|malignant|inoperable|metasta\w+|not much time left|weeks to live|months to live
            (has|have|had|having|'s got|'ve got|got|with|of|from|suffer\w*|fighting|survived?|beat|it's|it is|is|
                was) (\w+ ){{0,2}}{_EN_SICKNESS}
            {_EN_SICKNESS} (is|has|came|spread|diagnosis|back)|diagnos\w+( me| him| her)?
            (it's|it has|it is|it) (back|spread|everywhere|in both|in (my|his|her) (\w+ )?(lungs?|liver|brain|bones?|
                lymph)|grown)(?! (on|online|up|to|in stock))
            got dumped
            (left|dumped|leaving|cheated on|cheating on|abandoned|betrayed|ghosted) (me|us)(?! (a|an|the|my|
                with a (quote|message|note)))
            broke up|break ?up|broken up|split up|divorc\w+|separated|cheated|heartbroken|heartbreak
            called off (the|our) (wedding|engagement)|(laid|lay|let) off|got fired|been fired|was fired
            fired (me|him|her)|sacked|made redundant|redundancy|unemployed|jobless|lost my job|let me go|let go from
            evict\w+|homeless|bankrupt\w*|foreclos\w+|repossess\w+
            (burn(ed|t) (down|to the ground)|flooded|destroyed|totaled|totalled|wrecked)|everything('s| is) gone
            lost everything
            (robbed|burgled|burglarized|mugged|assaulted|attacked|raped|abused|molested|bullied|bullying)|stolen
            stole my|scammed|defrauded|conned|identity theft
            (put|putting) ((my|our|the|his|her) )?(\w+ )?({_EN_KIN}|him|her) (down|to sleep)(?! (for|on|at|as))
            had to put \w+ (down|to sleep)|put to sleep|fell through|fall(en|ing|s)? through|fallen apart|fell apart
            falling apart
            (didn't|don't|not going to|won't|couldn't) (make it|pull through|survive)(?! (to|on|for|at|by|in|today|
                tomorrow|tonight|this))
            (been |got |was |were )?(rejected|turned down)|(failed|flunked|bombed) (my|the|his|her|another|again)
            didn't (get|pass) (the|my|in)
            (car |bad |bike |motorbike |an? |serious )(accident|crash)(?! (course|insurance|cover|claim|form|test))
            crashed (my|the|our) (car|bike|van)|(he|she|they|we) crashed
            (in|to|at) (the )?(hospital|er|emergency room) (with|since|after|again|for)|rushed to|hospitali[sz]ed
            (is|are|he's|she's|'s) in (the )?hospital|lonely|(so|all|completely|really) alone|depress\w+|hopeless
            worthless|miserable|devastated|heartbroken|broken hearted|desperate|overwhelmed|burn(ed|t) out|suicidal
            (can't|cannot) (take|do|stand|bear|cope|go on|handle)( (it|this|
                with this))?( anymore| any more| any longer)
            (can't|cannot) (go on|cope)|(can't|cannot|couldn't) stop crying
            don't know (what|how) (to|i'm going to) (go on|cope|do anymore|live without)
            (i|i'm|he|she|we|been|started|just|keeps?)( \w+)? (crying|cried|sobbing|in tears)
            (crying|cried|tears) (every|all|myself|at night|since)
            (i'm|i am|feel|feeling|i feel|am)( (so|really|very|just|a bit|pretty|kind of|super|quite|too|absolutely|
                still))* (sad|scared|afraid of|frightened|terrified|worried|anxious|upset|ashamed|guilty|nervous|down|
                low|lost|stressed|panicking|numb|empty|hurt|useless|awful|terrible|horrible|unwell|like a failure|
                like giving up)
            panic(king)? attacks?|scared to (death|sleep|go)|worried sick
            (miss|missing) (him|her|them|my (late )?{_EN_KIN})(?! (a |the )?(call|bus|train))
            (my|our|his|her|the) ({_EN_KIN}|house|flat|car|wallet|bike|phone|bag|passport)('s| is| has| was|
                've| got| just| been)* (gone|missing|stolen|robbed|ill|very sick|dying)
            nobody (cares|loves|likes|wants|believes)|no one (cares|loves|likes|believes)|hate(s)? (myself|my life)
            (couldn't|can't) (be saved|save|bring (him|her|them) back)|(months?|weeks?|days?) (left|to live)
            ran away(?! with)|(husband|wife|partner|boyfriend|girlfriend|he|she) (moved|walked) out
            (shutting|closing|closed|shut) (down )?(our|my)|run away from home
            (don't|can't) see (the|a|any) (point|way out|future)
            (no|what's the|what is the) point (anymore|in (living|anything|going on))|flunk\w*
            in (jail|prison|custody)|(lie|lying|lay) awake|cr(y|ied|ying) (myself|all|every)
            nothing (more |else )?(they|we|the (doctors?|vet)|anyone) can do|how much longer i can
            ({_EN_KIN}|he|she|they) passed(?! (the|a|my|her|his|their|all|with|every|through|by|it|me|us|out))
            worst (day|week|year|month|time|news)|(bad|terrible|awful|sad|devastating|horrible|tough) news
            rough (day|week|year|time|patch|night)
            (hard|tough|bad|terrible|awful|horrible) (time|day|week|year|month|few (days|weeks|months))
            denied (my|our|me|his|her)
            (application|claim|visa|loan|appeal|request|mortgage)( was| got| has been| is)* (denied|rejected|refused|
                declined|turned down)
            (took|stole|stolen|emptied|drained|cleaned out) (all )?(my|our|everything)( \w+)? ?(money|savings|account|
                wallet|salary|pension|everything)?
            fell for (a|the|this) (\w+ )?(scam|con|trick|fraud)
        """),
        anger=_any(r"""
            ridiculous|unacceptable|outrag\w+|disgrac\w+|disgust\w+|pathetic|worthless|incompeten\w+|appalling
            shambles|shameful|shocking|insult(ing|ed)?|absurd|infuriat\w+|insane|nonsense|ruin(ed|ing|s)
            your (fault|mistake|incompetence)|because of you(r mistake)?|thanks to you|any idea how long i
            not like i have (a |any)|all the time in the world
            (your|a|the|to a) (supervisor|manager|superior|boss)(?! (is|was|yelled|at))
            how (is|was) (it|that|this) (even )?possible that
            how (can|could) you (\w+ )?(lose|forget|charge|do this|not|cancel|send|let|mess)
            (i'm|i am|we're) not (paying|going to pay|accepting|having)|double billed|billed twice|(bull)?shit\w*
            crap\w*|garbage|damn\w*|goddamn|hell of a (mess|time)|(what|who|why|where|how) the (hell|heck|fuck)
            go to hell|f+u+c+k\w*|fricking|freaking|frigging|piss\w*|bloody|arse\w*|ass|asshole\w*|bastards?|bitch\w*
            screw (you|this|that)|suck(s|ed)|sick (and tired )?of|fed up|had (it|enough)|(enough is )?enough of
            furious|livid|angry|pissed|mad (at|about)|raging|losing (my )?(patience|it|my mind)|at my wits' end
            driving me (crazy|mad|insane|nuts)|fuming
            (i |really |just |absolutely )hate (this|your|you|it|that|calling|dealing|talking)
            (this|that|it|you|company|service|place)('s| is| are|'re)( a| some kind of a?| one)?( \w+)? joke
            what a joke|kidding me|are you (serious|deaf|stupid|dumb|kidding|joking|even listening|insane)
            you (must|have to|got to|'ve got to) be (joking|kidding)|is this a joke|rip(ped|ping)?[- ]?off
            scam(s|mers?)?|crooks?|thieves|robbery|daylight robbery|cheat(s|ers|ing customers)|lawyers?
            (i'll|i'm going to|going to|will) (sue|report you|take (you|this) to)|sue you|legal action
            consumer (protection|rights)|ombudsman|bad review|(my|our) money back
            (file|make|lodge|have|want) (a |an )?(formal |official )?complaint|complain(ing|ed)?|i demand|how dare you
            shame on you|how many (more )?times
            (third|fourth|fifth|sixth|seventh|tenth|hundredth|umpteenth|millionth|\d+(rd|th)) (\w+ )?time(?! (zone|
                slot))
            (twice|three times|four times|five times|six times|ten times|\w+ times) (now|already|this (week|month|
                year))
            (over and over|again and again|time and (time )?again)
            (nobody|no one|noone|not one person|none of you|not a single person)( \w+){0,4}? (pick|answer|call|help|
                know|tell|told|bother|listen|respond|repl|show|came|come|care|turn|do|does|did|fix|explain|get|seem|
                want)\w*
            how (hard|difficult) (can|is|could) it|you call (this|that|yourself)|^seriously( again| now| another)?$
            (a|the) (hundred|million|thousand|dozen) times|\w+ different (people|agents|departments|persons)
            (i've|i have|had to|having to) (already )?(explain\w*|repeat\w*|call\w*|told|said|ask\w*) (this|that|it|
                you|myself|back)( \w+)? ?(to|again|several|many|\w+ times|all|over|before)
            (still |been |i've been |was |kept |keep |have been )(waiting|on hold|put on hold|transferred|
                passed around|calling|chasing|trying to (reach|get through|call))( (on hold|here|for|since|all|you|
                now|around|three|two|an|from|half|over|forever|already|\w+ (hours?|minutes|weeks|days|months|times)))+
            still (haven't|hasn't|no (reply|answer|refund|response|one|sign|word|delivery)|nothing|not (fixed|working|
                here|done|sorted|resolved|received))
            you (promised|people|guys (always|never|keep)|always|never|keep|lied|said (you|it|they|he|she|someone|
                somebody) (would|will|'d))
            charged (me |us )?(twice|again|double|three times|for something|for nothing)|over ?charg\w+
            double charg\w+|keep(s)? charging|charging me
            stop (calling|texting|bothering|harassing|spamming|lying)( to)?( me| us)?
            (?<!please )stop (emailing|sending|charging) (me|us)|leave me alone|idiots?|idiotic|stupid\w*|morons?|dumb
            liars?|lied|lying to me|waste of (my )?(time|money)|wast(ed|ing) my (time|day|money)|rude|hung up on me
            useless|thanks for nothing
            (oh|well|yeah) (that's |how )?(just |so )?(great|wonderful|fantastic|brilliant|lovely|perfect|marvelous|
                super|nice|terrific|fabulous|amazing) (just|another|now|so now|yet|more|the|my|our|it's|it|they|you|
                again|i)(?! (thanks|can|could|will|love))
            (great|wonderful|fantastic|brilliant|lovely|perfect|marvelous|super|nice|terrific|fabulous|
                amazing) (just (great|wonderful|fantastic|brilliant|lovely|perfect|marvelous|super|nice|terrific|
                fabulous|amazing)|another|yet another|now (the|my|our|it))
            (nice|good|kind|sweet) of you to (finally|eventually|pick|show|answer|call|remember|join)
            just (great|what i needed|wonderful|brilliant|perfect|fantastic|my luck|lovely)|exactly what i needed
            how (convenient|nice for you|wonderful for you|helpful of you)
            (great|nice|wonderful|brilliant|amazing|fantastic|excellent|top) (job|service|work|
                customer service)( (losing|ruining|breaking|messing|forgetting|guys|people|everyone|as always|really|
                you people|as usual))
            yeah right|big surprise|what a surprise|surprise surprise|slow clap|real helpful|thanks a lot for
            (terrible|awful|horrible|worst|lousy|dreadful|abysmal|poor|shoddy) (\w+ )?(service|company|experience|
                support|airline|hotel|product|app|customer|bank|joke|treatment)
            the worst|never (again|using you|buying|ordering|coming|flying)|(i'm|i am) (never|done with)(?= )
            cancel everything|let me (speak|talk) to (your|a|the) (manager|supervisor|boss)
            not (good enough|acceptable|okay with this)|(don't|do not) (you )?(care|tell me to calm|patronize)
            who do you think|what('s| is) wrong with you
            (i )?(already|just) (told|gave|said|explained)( (you|this|that|it|to))+|i've told you|can you even
            do you even|what kind of (company|service|place|business)
        """),
        trouble=_any(r"""
            (i|we) (don't|haven't|didn't) (\w+ )?(feel|receive\w*|got|get (my|any|the|a|it|paid)|sleep|see (my|the|
                any)|understand why)
            (does|is|are|was|has|did|will|wo|ca|would|could|had)n'?t (\w+ ){0,3}?(work\w*|start\w*|turn|open|load|
                connect\w*|charg\w*|print\w*|respond\w*|sync\w*|arriv\w*|come|came|show\w*|receiv\w*|deliver\w*|get|
                log|sign|access|find|pay|afford|sleep|remember|reach|use|hear|walk|move|eat|pass|go (on|through)|
                let me|recogni[sz]e|accept\w*|read|play|updat\w*|boot\w*|heat\w*|cool\w*|drain\w*|flush\w*|ring\w*|
                shown|figure|stop|close|lock|unlock|send|fit|match|make sense|been (paid|delivered|fixed|refunded)|
                enough)
            (not|never|stopped|quit|no longer|isn't|barely|hardly) (\w+ )?(working|work|arrived|came|come|received|
                delivered|got|showed|shown|starting|turning|charging|connecting|loading|responding|printing|heating|
                paid|feeling (well|good))
            keeps? (on )?(\w+ing|getting|me)|(won't|doesn't|didn't) (work|start|open|come|go)|out of order
            on the fritz|acting up|playing up|malfunction\w*|brok(e|en)( down)?|crack(ed|s)?|leak(s|ing|ed|y)?
            smash\w+|shatter\w+|damag\w+|defective|faulty|froze(n)?|freez(es|ing)|crash(es|ed|ing)|stuck|jammed
            blocked|clogged|flood(ed|ing)|burst|ruined|scratched|torn|ripped|bent|spoiled|expired|mou?ld(y)?|rotten
            stain(ed|s)|dripping|beeping|buzzing|flickering|overheat\w*|dead|missing
            (i|we)( have|'ve)?( just| also)? lost|lost (my|our)|(is|are|got|was|been|it's|gets?) lost|misplaced
            disappeared|vanished|gone missing|left (my|it|our) (\w+ )?(on|in|at) (the|a|your)|wrong|mistake
            mix(ed)? ?up|incorrect|late|delayed|delay|cancell?ed (my|our|on)
            (flight|train|appointment|order|booking|class|show|bus)( was| got| is| has been|'s been|'s)* cancell?ed
            overbooked|postponed|stranded
            no (hot water|power|internet|heating|heat|signal|electricity|sound|connection|wifi|wi fi|water|dial tone|
                picture|light|service|response|reservation|record|trace|idea what to)
            without (power|internet|water|heating|electricity|heat|hot water)
            (don't|doesn't|didn't|can't|couldn't|won't|not) (have|find|see|honou?r|accept) (\w+ )?(reservation|
                booking|record|appointment|order|name|account|payment|card)
            (power|internet|wifi|system|site|website|app|server|line|
                network)('s| is| are| has| went| was| goes| keeps)*( been)? (down|out|off|slow|cut|dropping|offline|
                terrible|not)
            power (cut|outage)|outage|errors?|problems?|trouble|issues?|bugs?|glitch\w*|complication\w*
            difficult(y|ies)|struggl\w+|locked out|shut out
            can't (log|get|find|open|see|hear|use|sleep|access|pay|afford|walk|move|eat|remember|reach|do|keep|make)
            unable to|couldn't (log|get|find|open|pay)|having (a hard|a bad|trouble)|hard time
            forgot(ten)? (my|the|our)|declined|bounced|over(drawn|draft|due)|in debt|debts?|penalty|fine(d)? (for|me)
            hacked|virus|phish\w*|fraud\w*|suspicious|charged|unauthori[sz]ed
            (bill|rent|price|invoice)('s| is| has| was)* (gone up|too high|doubled|wrong|higher|tripled|insane)|hurts?
            hurting|pains?|painful|ach(e|es|ing)|(head|back|stomach|tooth|ear)aches?|sore|fever\w*|rash|sick|ill
            vomit\w*|thr(ew|owing|own) up|nause\w+|dizz\w+|infect\w+|swollen|swelling|injur\w+|sprain\w*|itch\w*
            cough(ing)?|diarrh\w+|migraine\w*|flu|covid|bruis\w+|numb|burn(ed|t) (my|his|her|the)|bitten|stung
            insomnia|blood
            feel(s|ing)? (\w+ )?(sick|bad|awful|terrible|unwell|dizzy|weak|faint|worse|tired|off|weird|funny|strange)
            felt (sick|bad|awful|terrible)|worse|not (so |doing |feeling )?(well|great|good|so good)|exhausted
            stressed|worried|nervous|upset|afraid|scared|confused|something('s| is)? (wrong|off|weird|strange)
            what's wrong|(rats?|mice|mouse|cockroach\w*|bed ?bugs|ants|wasps|termites)( in| are| under)
            smells? (bad|weird|funny|awful|terrible|strange|like)|stinks?|stench|went (off|out|wrong|missing|dead)
            (i )?dropped (it|my|the|him|her)|spilled|spilt|tripped|ran out|run out|fell (off|out|down|in|into|from|on)
            out of stock|sold me|disappoint\w+|unhappy|dissatisf\w+|not happy|annoy\w+|frustrat\w+|unfair\w*|noisy
            too loud|dirty|filthy|cold food|rude|neglect\w+|mess(ed)?( up)?|screwed|terrible|awful|horrible|nightmare
            disaster|says? (it's |it is |it was |it )?(delivered|shipped|paid|closed|invalid|failed|denied|error)
            but (there's nothing|nothing|it never|it still|it's not|it isn't|i never|i didn't|i still|they never|
                they didn't)
            return(ed)? to sender|(instead of|supposed to) (be|get|have|arrive|come)?|and (still )?nothing$
            twist(ed)? my|sour|shuts? (itself )?(off|down)|turns itself (off|on)|locked (my|the|myself|in|inside)
            in circles|overflow\w*|by (accident|mistake)|accidentally|dies (after|in|within|every)
            died (after|in the middle)
            there('s| is| are| was| were) (\w+ ){1,3}(in|on) (it|my (food|soup|salad|bed|room|kitchen|drink|burger|
                pizza|meal))
            (too|so|super|really|extremely) (hot|cold|slow|loud|noisy|late|tight|small|big|heavy|expensive|dark)
            won't stop \w+ing
            (i|we)( have|'ve)? already (paid|sent|cancelled|canceled|returned|told|called|asked|tried|explained)|fake
            counterfeit|(i|we) missed (my|our|the)|nothing (works|helps|is working|happens|worked)
            (yell|shout|scream|swear|laugh|snap)(ed|s|ing) at (me|us|my)|kick(ed|ing|s)? (\w+ )?out
            (water|smoke|sewage|steam|oil)('s| is| was)? (coming|pouring|leaking|dripping|running|spraying|
                gushing) \w+
            how much longer
            (says?|said|told|promised|paid|ordered|booked|supposed) .*but .*(not|\w+n't|never|nothing|no)
            (threw|thrown|throws) (\w+ ){1,3}(over|away|out|at|into|on)|slammed|kicked out|towed|clamped|impounded
            detained|arrested|deported|denied|refused|ignored|hung up|let (me|us) down
        """),
        good_news=_any(rf"""
            (i|we|she|he|they|{_EN_KIN})( (just|finally|actually|really))* (got (the|a|my|in|into|accepted|engaged|
                married|promoted|hired)(?! (fever|virus|flu|rash|cold|cough|ticket|bill|letter|error|problem|call|
                call saying|wrong|broken|damaged|diagnosis|results?|cancer))|passed (my|the|her|his|our|their|all)|
                won|made it|graduated|proposed|found (a|my|the) (job|flat|house|place))
            (got|getting|be|been|was) (engaged|married|promoted|accepted|hired)
            (having|expecting|had) (a|our|another|twins) (baby|first|second|child|boy|girl|little)|said yes
            pregnant with|is pregnant|i'm pregnant|we're pregnant|first (steps|word|tooth|house|goal)|cancer[- ]free
            all clear|in remission|remission|(came back|were|was|is|are) (all )?(clear|clean|negative|benign)
            (beat|beating|survived|free of|over) (the |her |his |my )?{_EN_SICKNESS}|benign|no (sign|trace) of
            recover(ed|ing) (well|fully|nicely)|fully recovered
            (good|great|wonderful|amazing|fantastic|happy|exciting|best) news
            (so|really|very|super|over the moon|incredibly|absolutely)( \w+)? (happy|excited|thrilled|proud|glad|
                relieved|delighted|grateful)
            (i'm|we're|am|are) (happy|excited|thrilled|proud|glad|relieved|delighted|over the moon)
            (best|happiest) (day|week|birthday|holiday)
            (works|working|runs|running|fixed|sorted)( \w+)? (perfectly|great|fine|like a charm|again|now|beautifully|
                wonderfully|well)
            (doesn't|don't) hurt (anymore|any more|at all)
            (feel(s|ing)?|doing|getting|sleeping|much|lot)( (so much|much|a lot|way|far|even|already))? better
            pain free|turned out (great|fine|well|perfect\w*|beautiful\w*|lovely)
            (crying|cried|tears) (of|with|from|for) (joy|happiness|laughing|laughter)|happy tears|literally crying
            can't (wait|believe (my luck|how lucky|it i|we won|i won))|dream come true|couldn't be happier|celebrating
            (got|getting) a raise|won the lottery
        """),
        harmless=_any(r"""
            dying to (know|see|try|hear|meet|go|tell|get|read)|to die for
            dying (of|for) (laughter|laughing|a coffee|a drink|curiosity)
            kill(ed|ing|s)? (it|time|two birds|some time|an hour)|killer \w+|(die|died|dead) laughing|laughed to death
            die hard|bored to death|scared to death of
            dead (tired|serious|sure|easy|simple|on|right|set|end|sea|line|center|ahead|good|cheap)|drop[- ]dead
            over my dead body|deadlines?|walking dead|dead poets|day of the dead|grateful dead|red dead \w+
            lost (count|track|weight|interest|in translation|and found|(\w+ ){0,3}(kilos?|kgs?|pounds?|lbs?|stones?|
                inches|weight)|the (game|match|bet)|property|city|world)
            get lost in|lost in (a|the|thought)
            (that's|that is|it's|was|were|looks?|so|pretty|is) (sick(?! (of|and|to|with|from))|insane|killer|wicked|
                crazy good|insanely good)( (beat|song|move|bike|car|view|shoes|dude|bro|man))?
            sick (beat|beats|song|bike|car|move|leave|pay|days?|note|tricks?)
            (terribly|awfully|insanely|crazy|stupidly|ridiculously|damn|bloody|freaking|fucking|shockingly|
                horribly) (good|nice|kind|sorry|delicious|great|cheap|happy|well|close|grateful|proud|beautiful|cute|
                easy|much|useful|helpful|brilliant)
            (wasn't|isn't|not|weren't|aren't|no longer|neither) (really |actually |even |too |that )?(broken|lost|
                late|sick|ill|hurt|injured|worried|upset|angry|mad|scared|wrong|damaged|sad|afraid|stuck|missing|
                delayed|cold|expensive|nervous|confused)( at all| anymore)?
            not (too |so |that |half )?bad
            no (problems?|worries|trouble|issues?|pain|complaints|damage|harm|rush|hard feelings)|don't worry
            without (any |a )?(problems?|issues?|trouble|pain)|never (had )?(a |any )?(problems?|trouble|issues?)
            too much trouble|(sorry|hate) to (bother|trouble) you|trouble you|worth the trouble|if it's no(t)? trouble
            not a problem|(doesn't|don't|didn't|no longer|never|stopped) hurt(ing|s)?
            it (wouldn't|won't|doesn't|can't) hurt to|pain au|painkillers?|pain relief|fell (asleep|in love)
            fall(ing)? (asleep|in love)|love at first|break(ing)? (a leg|the ice|even|fast|dance|bad|time|room)
            broke the (record|ice|news)|breakfast|lunch break|on fire (tonight|today|lately|right now|these days)
            (you're|he's|she's|team|band|they're|i'm) on fire
            fire (hd|tv|stick|station|exit|drill|alarm (battery|batteries)|wood|place|works|fighters?|escape|
                insurance)
            ring of fire|catching fire|fired up|camp ?fire|fireplace|fire me (off|an?|over)
            (nearly|almost|practically) (gave me|had) a heart attack|heart attack burger
            (a|my) stroke of (luck|genius)|break my heart( but| ha)|crash course
            crash (at|on) (my|your|his|her|the|a) (place|couch|sofa|friend's)|bomb(s)?|blow(s|n)? my mind|mind blowing
            blew my mind|shoot me (an|a) (email|text|message)|shot of (espresso|vodka|whiskey|tequila)|hot shot
            photo ?shoot|murder mystery|true crime|death (valley|star|metal|note|on the nile)
            (funeral|cemetery|grave) (home number|march|song)|horror (movie|film|story)
            (movie|film|book|song|show|series|game|novel|podcast|documentary|play|poem) (about|called|named|with|
                where|of) .*
            (history|capital|definition|meaning|symptoms|causes|number) of (the )?\w+
            (sick|tired|exhausted) of waiting for (christmas|summer|the weekend)
            (late|early) (check ?in|check ?out|night|checkout|fee|lunch|dinner|afternoon|morning|evening|summer|bird|
                shift|autumn|show|train|flight)
            too late|late at night|later|(how|is it|am i) (too )?late|of late|(bit|little) late
            what's wrong with (that|a|having)|nothing wrong|not wrong|don't get me wrong|correct me if i'm wrong
            wrong number|can't go wrong|hard time choosing|spoilt for choice|long lost|lost cause|killing me softly
            miss you|blood (type|test|tests|pressure|group|sugar|orange|donation|thinners?|work)
            (flu|covid|rabies) (shot|shots|jab|vaccine|vaccination|test)
            cold (brew|water|drink|coffee|beer|milk|weather|outside)|sore loser|painting|issue (number|of)
            freezing (point|cold|outside)|leak test|stuck on (what|which|a (crossword|puzzle|level))|wrong way round
            (can't|couldn't) (wait|believe|help but|complain|thank you enough|get enough|stop (laughing|smiling|
                eating|thinking))
            can't make it|sad (song|movie|film|music|playlist|story|ending)s?|break ?up (song|playlist|movie)s?
            divorce (rate|rates|law|papers? in)|mad (max|men|hatter)|angry birds|hell'?s kitchen
            stranded (deep|on an island)|titanic|virus scan(ner)?|anti ?virus|fraud department|stain remover|rat race
            mouse (pad|mat|button)|ants on a log
        """),
        corrects=_any(r"""
            (that|this|it|those)('s| is| was|'re| are)?( just| really| actually)? (not|isn't|wasn't|ain't|
                aren't) (\w+ ){0,2}?(right|correct|true|accurate|it|mine|me|(what|who|where|when|how) (i|
                we) (\w+ )?(said|meant|asked|ordered|wanted|want|mean|need|needed|told|was asking)|the (one|right|
                address|name|date|number|point|question|problem|city|place|card|account|order|time|day|thing)|
                my (name|address|number|order|account|email|question|date|question))
            (that|this|it|you)('s| is|'re| are|'ve got (it|that|the \w+))? (the )?(wrong|incorrect|mistaken|mixed up|
                confus\w+|backwards)
            (no |nope |not |sorry |but )?i (said|meant|asked for|asked about|was asking|was talking about|
                was referring|told you|didn't (say|mean|ask|want|order)|never said|wanted to say)(?! (thank|thanks|
                it as a compliment|no harm))
            ^(no|sorry|oh|well|wait)( \w+)? i mean|i (wasn't|was not|am not|'m not) (asking|talking|referring)
            i'm not (asking|talking)|^(it's|it is|i'm|that's|he's|she's|the|my) .*actually$
            you('ve| have|'re| are| must have| may have| might have)? (got|misheard|misunderst\w+|mistaken|mixed|
                confus\w+|mispronounc\w+|misspell\w*|spelled|spelt|pronounced|heard)( \w+){0,3} ?(wrong|me|it|that|up|
                name|incorrectly)?(?<!got)(?<!heard)
            (it's|it is|its|i'm|he's|she's|that's|was|is|the|for|at|on|in|with|to|\w+ing|make it|make that|
                than) (\w+ ){1,5}?not (the |in |on |at |for |from |a |an |my |of |with |to )?\w+( \w+){0,3}$
            ^(no |oh |sorry |well |and |but |wait |hang on )*not (the |a |an |in |on |at |for |from |
                with )?\w+( \w+)? (but|it's|it is|i said|the|in|on|at|i|with|\w+$)
            (my|the|his|her) (first |last |sur)?(name|surname|address|email|
                street)('s| is)( actually| spelled| spelt)? .*(without|not|with an?|instead|double)
            ^(no |oh |sorry |well |wait |hang on |but )*actually (it's|it is|i'm|i am|my|the|that|that's|he's|she's|
                we're|they|we|it was|i was|i|it)
            make (that|it) (\w+ ?){1,5}( instead)?$|(should|supposed to) (be|have been|say|read) (?!able)\w+
            scratch that|let me correct|correction|instead of (what|the)|rather than what
            you (just |only |already )?(said|told me|mentioned)
            ^(?!i |we |you |it |that |this |there |he |she |they |maybe |probably |certainly |of course |why |is |do |
                can |well i |but i |and i |or |if |not |just |so i )(no |sorry |
                it's )?(the )?\w+( \w+){0,2} not (the |a |an )?\w+( \w+){0,2}$
            the other (one|card|address|number|account|way|date|store|branch|side|person)|there's no such
            i think you (mean|meant|got|have|mixed|misunderst\w+)|other way (a)?round
            (though|but) (there's|it's|it is|there are) only|(that's|it's) not (how|why|when|where)|no it's|no that's
            no it isn't|no it wasn't|that can't be right|that doesn't sound right|are you sure about that
        """),
        concludes=_any(r"""
            (and |oh |okay |wait )*so (i|you|it|that|there|we|they|he|she|no|if|the)('\w+)?
        """),
        asks_on=_any(r"""
            (but |and |okay |even |also |only |including )*(for|on|in|at|with|to|from|until|by|even|including|or|than|
                per|about|after|before|during)
            no \w+$|\w+( \w+)? or \w+
        """),
        states=_any(r"""
            (no |oh |sorry |actually )*(it's|it is|he's|she's|that's|that was|that is|i'm|we're|they're|he is|she is)
        """),
        spells=_any(r"""
            (without|with) an? \w( at the end| at the front| not (an? )?\w| instead| in the middle)?$
            with an? (\w |\w+ )?(not|instead of)|(it's|it is|that's)? ?spel(led|t) (with|like|differently|\w)
        """),
        openers=_set(
            _EN_LEAD.replace("|", " ")
            + " how what thank not most my nah correct exactly yesterday today tomorrow tonight monday tuesday "
            "wednesday thursday friday saturday sunday january february march april may june july august "
            "september october november december unfortunately seriously obviously apparently absolutely "
            "definitely finally however later meanwhile probably regarding technically usually yup"
        ),
        asking=_start(
            r"""
                (what|where|when|why|who|whom|whose|which|how)('s|'re|'d|'ll|'ve)(?! (been|gone) (happening )?is)
                (what|which|whose) (?!a |an |i |we |you |he |she |they |is important|matters|happened (was|is)|was |
                    means |my |the )\w+
                what (is|are|was|were|do|does|did|can|could|should|would|will|has|have|time|about|if|happens|happened|
                    kind|else|then|the)\b(?! i (need|want|mean))(?<!what the)(?<!what was)
                what was (?!really |so |great |nice |strange |interesting)\w+
                (where|when|why|who|whom|how) (is|are|am|was|were|do|does|did|can|could|should|would|will|has|have|
                    had|to|not|come|exactly|else|much|many|long|far|old|often|big|tall|fast|soon|late|early|deep|hot|
                    cold|high|heavy|expensive|likely|safe|good|about|bad|easy|hard|might|in the world|on earth|well|
                    quickly|dangerous|close|won|wrote|invented|made|discovered|built|plays|played|sings|sang|painted|
                    runs|owns|said|directed|founded|killed|lives|lived|gets|pays|decides|else's|\w+ed|\w+s)
                (what|who|where|when|why|how|which|huh|pardon|sorry|come again|say what|which one|how so|how come|
                    since when|what for|like what|such as)$
                (is|are|was|were|does|did|can|could|will|would|should|isn't|aren't|wasn't|weren't|doesn't|didn't|
                    can't|couldn't|won't|wouldn't|shouldn't|haven't|hasn't|ain't) (?!be |wait|do$|not |believe |stop |
                    fine|okay|great|good |stand|help but|find |get |log |sleep|hear you|even |really |remember |seem |
                    work|make it|use |see |breathe|tell|say |nice|afford|pay |thank|complain|recommend|start|turn|let|
                    open|load|come |connect)\w+
                do (?!the |some |me |my )(\w+ )?\w+s \w+
                (do|don't|have|has|had|hasn't|having|am|may|might|shall) (i|you|he|she|it|we|they|there|any\w*|all|
                    these|those|your|my|the)(?! (dishes|laundry|math|best))
                any (chance|idea|news|update|updates|word|discounts?|tips|suggestions|recommendations|questions|
                    vegetarian|\w+ (left|available))
                (or|and) (what|how|where|when|why|who|is|are|do|does|can|could|will|would)('s)? \w+
                so (i|it|it's|that|that's|you|there's|we|they|the|this)('ll|'d|'m|'re)? (can|could|would|don't|
                    doesn't|won't|will|just|only|have to|need to|should|means?|is|isn't|still|also|must|included|free|
                    safe|okay|\w+ (just|is|can|will|don't|doesn't))(?! \w+ to (say|tell))
                everything okay|you (guys )?(open|deliver|take|accept|sell|have|offer|got|sure|ready) .*
            """,
            lead=_EN_LEAD,
        ),
        asking_anywhere=_any(r"""
            ((?<!know )(?<!knows )(?<!finds )(?<!shows )(?<!tells )(?<!out )(?<!that's )(?<!understand )
                (?<!remember )(?<!about )(?<!is )(?<!was )(?<!see )(?<!tell you )(?<!forgot )(?<!no matter )(?<!me )
                (?<!sure )(?<!of )(?<!or ))(what|where|when|why|how|who|which)('s|
                (?: (is|are|do|does|did|can|could|should|would|am|exactly|come|much|many|long|about(?! to)|time|kind of|
                one)))(?! (you think|i think it|right|going on))
            \w+ (is|was) (that|this|it|there) (even|okay|legal|normal|
                possible|allowed|included|still|correct|safe|bad|true|any|worth|a (problem|thing|good)|right|
                something)
            (?<!what )(?<!where )(?<!how )(?<!if )(?<!neither )(?<!so )(do|did|can|could|should|would|am|will|have|
                must|may) (i|we) (?!not )\w+
            (?<!so )(?<!what )(?<!neither )(do|did|are|have) you (have|know|think|take|offer|sell|open|still|also|
                accept|deliver|do|need|got|guys|even|sure|ever|recommend|support|ship|charge|mean|want)
            (isn't|aren't|don't|didn't|doesn't|won't|wasn't|hasn't|haven't|can't|shouldn't) (it|you|they|he|she|we|i|
                there)$
            (do|are|will|can|would|could|did|have) you$|is there (any\w*|some\w*|a) \w+|is there anything
            is that (right|correct|okay|it|all|true|so)$|or (not|what|something else)$
            (right|correct|yeah|okay) or (wrong|not)$|what (should|do|can|am) (i|we)( supposed)?( to)?
            (now|so|and|but|then) (is|are|was|do|does|did|can|will|has|have) (my|the|your|our|this|that|it|i|you|we|
                they|there) \w+
        """),
        asks_indirectly=_any(r"""
            (i was|i'm|i am|we were|we're|was|am|just|been)( just| kind of| also)? (wondering|curious)
            i wonder(ed)?(?! (if|whether) (you|someone|we) (could|can|would))
            (do|would|might|did) you (guys )?(happen to |even |maybe )?know(?! (that|what i mean))
            (you know|any idea|any clue|no idea|not sure|no clue) (if|whether|what|how|why|where|when|who|which)
            (can|could|would|will|might) (you|someone|anyone) (please |maybe |just |also |quickly |possibly )*(tell|
                explain|let|clarify|describe|give)( (me|us|to me|to us))?( know)? (what|where|when|why|who|how|which|
                if|whether|about|more|the difference|the (price|time|address|hours|status|cost|reason|name|number|
                date)|an? (idea|estimate|overview)|some (info\w*|details)|info\w*|details|is|are|a bit (more|about))
            (i'd|i would|we'd) (really )?(love|like|want|be (interested|curious))( to)? (know|hear|find out|ask|learn|
                understand|see (if|whether|what|how))(?! (for|you to) )
            i('m| am|'d)? (just |also |really )?(want|wanted|need|needed|trying|calling|phoning|ringing|like|
                hoping)( to)? (know|ask|find out|figure out|understand|check (if|whether|on|what|when|how)|see (if|
                whether|what|how|when)|inquire|enquire|confirm (if|whether|that|what))(?! (about|
                for) \w+ing)(?! you to| him to| for (a|an|my|the))
            (tell|explain|show|teach|remind|give)( to)? (me|us) (again )?(what|where|when|why|who|how|which|if|
                whether|about the (price|difference))
            i (don't|do not|didn't) (really |quite |actually |even )?(know|understand|get|remember|see|
                think i know) (if|whether|what|how|why|where|when|who|which)
            (asked|asks|asking|ask) (me |us |you )?(if|whether|what|how|why|where|when|who|which)
            tell me (what|where|when|why|how|who|if|whether)
            (i|we)?('ve| have| got|'ve got| had)? (a|one|another|two|some|few|couple) (of )?(quick |small |short |
                more |general |other |last )*questions?( (about|regarding|on|for))?
            (quick |my |the )question('s| is| was| would be)? |question (about|regarding|on)
            (i'm|i am|not|isn't|we're) (not )?(really |quite |totally |so |entirely )?(sure|clear|certain|
                confused)( about| on)? (if|whether|what|how|why|where|when|who|which)
            (always|ever) wanted to know|wants? to know (if|whether|what|how|why|where|when|who|which)
            wonders? (if|whether|what|how|why|where|when)
            help me (understand|figure out) (what|why|how|if|whether|where|when)
            what('s| is) the (deal|story|difference|status)|is there any way (to know|to find out)
            i (heard|read|saw)( \w+){0,4} (is|was) (that|it) true|depends? on what
        """),
        requesting=_start(
            r"""
                (can|could|would|will|won't) (you|u|someone|somebody|anyone|we|y'all|you all|you guys)(?! (rather|eat|
                    drink|freeze|wash|swim|fly|survive|die|grow|reuse|smell|still|actually|really|say|think|prefer|
                    consider|believe|imagine|hear me|know|recommend (this|it)$|take a look at that))
                (would|do) you mind|would it be (possible|okay|too much)|is it (possible|okay) (to|if i|for)
                is there (any|a) (way|chance) (you|to|i|we|that)|any chance (you|i|of|we)
                (can|could|may|might) (i|we) (please |just |maybe |also |quickly )*(have|get|speak|talk|book|order|
                    change|cancel|make|schedule|reserve|see|return|add|start|open|leave|borrow|request|reschedule|
                    move|switch|update|buy|pick|set|put|arrange|sign|register|upgrade|extend|ask you to|hear|rent|
                    hire|join|transfer|send you)
                i('d| would) rather (?!not)\w+|name (a|some|me|the|all|one|two|three|four|five|ten)(?= )
                (i'd|i would|we'd|we would|i)( really| also| just)? (like|love|prefer|appreciate)( (to|it if|if|an?|
                    the|some|you|for|my|another|two|one|that|your|one))(?! (know|hear|ask))
                (i|we)( (just|really|also|actually|only|still|urgently))* (want|need|wanted|needed|wish|require)( (to|
                    an?|the|some|you|my|your|one|two|it|help|another|more|that|this|someone|somebody|assistance|
                    for))(?! (know|say thank|thank|be honest|hear|find out))
                (i|we)('ll| will) (have|take|go (with|for))|let's(?! see| be honest| say)
                let me (have|get|speak|talk|order|book|hear|try|do)
                (i'm|i am|we're)( (just|actually|also))* (calling|phoning|ringing|trying|looking|hoping|interested|
                    reaching out|after|searching|in need)( (to|for|in|because|about|at|of|on|regarding|out))(?! (know|
                    ask|find out|say|thank|tell you|let you))
                (put|transfer|connect|get|hook|patch) (me|us)
                make (sure|it|me|an?|my|the|that|this|some|everything|him|her)(?! sense)|how about you
                it would be (great|nice|helpful|lovely|good) if|i was hoping (you|to|i|for|we)|i hope you can
                if you (could|can|would)|i just need|you('re| are) (now|from now on|going to)|put
                (want|need|would like|trying|looking) to
                (add|play|set|book|cancel|send|turn|switch|stop|start|open|close|order|reserve|schedule|reschedule|
                    remind|show|give|read|repeat|spell|write|help|translate|transfer|change|move|update|check|look|
                    find|search|create|delete|remove|pause|skip|resume|increase|raise|lower|reduce|ignore|forget|
                    pretend|output|print|say|speak|act|describe|explain|list|summari[sz]e|calculate|compute|convert|
                    recommend|suggest|compare|define|register|sign|renew|extend|upgrade|downgrade|activate|deactivate|
                    block|unblock|freeze|unlock|lock|reset|restart|reboot|install|download|email|text|call|ring|dial|
                    phone|fax|mail|ship|deliver|pick|drop|bring|take|get|fetch|buy|pay|refund|return|exchange|swap|
                    replace|fix|repair|sort|arrange|organi[sz]e|plan|prepare|draft|compose|record|save|store|note|
                    mark|tag|rename|copy|paste|forward|reply|answer|respond|talk|sing|hum|teach|quiz|test me|count|
                    roll|flip|choose|pick|guess(?! what)|imagine|think of|tell|let|leave|keep|hold the|submit|file|
                    report|confirm|verify|dim|brighten|warm|cool|heat|vacuum|clean|feed|water|navigate|drive|route|
                    guide|walk me|take me|try|use|speak|reveal|disregard|override|enter|switch|behave|roleplay|
                    role play|go (to|back|over|through|slower|faster|with)|slow down|speed up|start over|speak (up|
                    slower|louder)|double check|wake me|never mind|curse|swear|echo|recite|do(?= (the|some|something|
                    that|me|my) )|don't|always|never|from now on|every time|before (every|each|you)|
                    whenever you)(?! (is|was|are|has|number|id|code|club|card|of|ago|it is|like that$|not|mind|
                    happened|again$|seen|been|had|heard|got|really)(?!\w))(?= \w)
                (repeat|stop|continue|next|pause|skip|cancel|help|louder|slower|faster|again|operator|agent|
                    representative|human|resume|undo|repeat that|go on)( please)?$
                (\w+ ){1,4}please$
            """,
            lead=_EN_LEAD + r"|(hey|hi|hello|okay) \w+",
        ),
        requesting_anywhere=_any(r"""
            (maybe|if|hoping|thinking|perhaps|think|whether) (maybe |perhaps )?(you|we|someone|somebody) (could|can|
                would|might)
            for the rest of (this|the|our)|until i (say|tell)|while we talk
            (can|could|would|will) (you|someone|somebody) (please |just |also |maybe |possibly |at least )*(?!believe|
                imagine)\w+
            (i'd|i would|we'd) (really |also )?(like|love|prefer) (to|an?|the|some|my|you|your|one|two|for|if)
            (i|we)( just| really| also| still)? (want|need|wanted|needed)( you)? (to|an?|the|some|my|your|it|help|
                another|that|this|someone|one|two)(?! (know|be honest|thank|say thank))
            (i'm|we're) (calling|looking|trying|hoping|interested) (to|for|about|in|because)(?! (say|thank|tell|let))
            please|may i (speak|talk|have)|ask (about|for) \w+|ignore (everything|all|your|the|previous)
            (would|might|will) be (better|easier|nicer)|you (only|must|have to|will|should) (answer|say|reply|respond)
            how about (we|you|you just|\w+ing)
        """),
        about_instructions=_any(r"""
            your (\w+ )?(instructions?|prompt|guidelines|programming|rules|restrictions|training)
            (system|hidden|initial|secret) (prompt|message|instructions?)|developer mode
            (previous|prior|above|earlier) (instructions?|rules|prompts?)|jailbreak\w*
            (no|without) (restrictions|filters?|rules)|(ignore|forget|disregard) (everything|all|what)
        """),
        agent_asks=_any(r"""
            (please |just |can you |could you |would you )?(tell|give|read|spell|say|confirm|enter|repeat|share|
                provide|state|show|describe|choose|pick|select|type|walk) (me|us|out|it|the|your|that|to me|a|an|one|
                again|which|whether|if|what|either|yes)
            let me know|i('ll| will| just|'d)?( just| also| only)? need (your|the|a|an|you to|to know|to confirm|some)
            go ahead|(may|can|could) i (have|get|ask|take|please have)|what (is|was|'s) your|your (\w+ ){0,2}please
            is that (right|correct|okay)|i'm listening|all ears|which (one|of)
            (do|would|did|are|have|is|was|will|can|could|shall|should) (you|i|we|that|it|this|there|your|the) \w+
        """),
        agent_asks_openly=_any(r"""
            what happened
            what's (going on|new|up|changed|on your mind|been (going|happening|on)|it about|wrong|the (matter|problem|
                issue|story|plan|situation))
            what (is|was) (going on|it about|the (problem|issue|matter)|wrong)|what seems|what have you been
            what did (he|she|they|the|your|you) .*|what brings|what('s| was| is| are| were) .* like
            any (plans|news|thoughts|updates)
            what (are|were|did|have|do|would) (you|they|we) (\w+ )?(working|doing|do|done|up to|planning|make|think|
                see|talk|learn|say)(?! you)(.*)
            what (makes|made|do you think|are your thoughts|else happened)|what's (your|the) idea
            how (was|were|is|are|did|have|has|do|'s|does) (you|your|the|it|that|things|everything|life|he|she|they|
                work|school)(?! (spell|spelled|pronounce|like to pay|want|many|old|prefer))(.*)
            how'?s .*
            tell me (?!your (name|number|address|email|date|zip|post|order|account|booking|member|phone))(.*)
            walk me through|take me through|pitch|describe|talk to me|share|go on|why .*|(i'm|we're) listening
            i'm all ears|and then|what then|what's the (latest|story)|catch me up|fill me in
        """),
        agent_offers_help=_any(r"""
            (how|what)( else)? (can|may|could|should|shall) (i|we) (help|assist|do|be of|get)(.*)
            (can|may|could) i help you|what('s| is) (it|your call) about|what are you calling about
            what would you like (to do|help)|need help with|where (should|shall|do) we (start|begin)|what can i do
            reason for your call|your call about
        """),
        agent_answers_phone=_any(r"""
            hello|hi|good (morning|afternoon|evening)|welcome to|thank(s| you) for calling|speaking|you've reached
            this is \w+ from
        """),
        agent_asks_trouble=_any(r"""
            what('s| is| seems to be| exactly is)? (the |your )?(wrong|problem|issue|matter|trouble|symptoms?|
                complaint)
            going wrong|what's the damage|where does it hurt|nurse line|emergency|what went wrong|sorry to hear
            what's happening with|nine one one|911
        """),
        agent_confirms=_any(r"""
            (right|correct|yes|is that (right|correct|it)|did i get that|have i got)$
            ^(so |and |okay |alright |ah |oh |then )*you('re|'ve)? (mean|meant|said|want|wanted|are|were|live|did|
                need|have|booked|would)( .*)?
            did you (say|mean)|so (that's|you|it's|your|the)|that's .*|is (it|this|that|your (\w+ )*(still|\d)) .*
            (was|is) (that|it|your name|the name|your address)
        """),
        agent_anything_else=_any(r"""
            (any|some)thing (else|more)|what else|else (can|may|could) i|more (questions|i can)
            was that (all|everything)|is that (all|everything)|(all|everything) (for today|today)|other questions
            help you with today
        """),
        agent_wellbeing=_any(r"""
            how (are|have) you( .*)?|how('s| is) (it going|your (day|evening|morning)|everything)( .*)?
        """),
        but=_any(r"but|though|however|still|except|only that"),
        bad=_any(r"""
            abandon\w*|abus\w+|accus\w+|afraid|agony|alarm(ed|ing)|alone|aggressive|anger|annoying|arguments?
            argu(ed|ing)|arrest\w*|asham\w+|assault\w*|attack\w*|banned|battle|beaten|begg(ed|ing)|betray\w*
            blam(ed|ing)|bleed\w*|blew up|blind|bored|bother(s|ed|ing)|bruise\w*|bull(y|ied|ies)|burd\w+
            burn(t|ed|s|ing)|cheat\w*|chok\w+|clos(e|ed|ing) (down|it down|our|my)
            had to (close|sell|give|shut|quit|drop|let|say goodbye|evacuate|sleep|walk|leave|cancel|throw)|cold water
            collaps\w*|complain\w*|condemn\w*|confus(ed|ing)|conflict|contaminat\w+|corrupt\w*|cries|cry(ing)?|cried
            cruel\w*|crush(ed|ing)|damag\w+|danger\w*|deaf|debt\w*|decay\w*|defeat\w*|delay\w*|demand\w*|deni(ed|es)
            deny|destroy\w*|devastat\w+|difficult\w*|disabled|disast\w+|disappoint\w*|disappear\w*|discriminat\w+
            disease|disgust\w*|dismiss(ed|al)|disput\w+|distress\w*|disturb\w*|dizzy|doubt\w*|dread\w*|drown\w*|drunk
            dump(ed|s)|embarrass\w+|emergency|enem(y|ies)|evict\w*|exhaust\w+|expell\w+|explod\w+|explosion
            fail(ed|s|ing|ure)?|faint\w*|fatal|fear\w*|fell|fight(ing|s)?|fought|fired|flat tire|flat tyre|flood\w*
            forc(ed|ing) (me|us|to)|forgot|forgotten|fraud\w*|fright\w+|frozen|frustrat\w+|furious|gone|grim|grief
            guilt\w*|half (empty|broken|missing|of it)|harass\w*|harm\w*|hate[sd]?|haunt\w*|hijack\w*|horr\w+
            humiliat\w+|hungry|hurt\w*|ignor(ed|ing|es)|ill|illness|infect\w+|injur\w+|insult\w*|interrupt\w*|invaded
            isolated|jail\w*|jealous|joke's on|kidnap\w*|kill(ed|s|ing)|lack(s|ing|ed)?|late|laugh(ed|ing) at|lawsuit
            leak\w*|let (me|us) down|liar|lied|lies|limp\w*|lonely|los(e|es|ing|er)|loss(es)?|lost|lousy|mad
            mean to me|mess(ed|y)?|miser\w+|misled|miss(ed|ing)|mistake\w*|mistreat\w*|mold\w*|mug(ged|ging)|nasty
            neglect\w*|nervous
            never (came|comes|called|calls|arrived|got|works|worked|shows|showed|answers?|replied|again)|nightmare\w*
            no (longer|money|one|way out|hope|luck|time left|answer|reply|help)
            nobody (came|wants?|cares?|listens?|believes?|helped|likes?)|badly|awake
            not (fair|safe|well|good|right|happy|enough|there|here yet)|offen(ded|sive|ded)|outage|owe[sd]? (me|us)
            overdue|pain\w*|panick?\w*|paralys\w+|paralyz\w+|penalt(y|ies)|pest\w*|plague\w*|poison\w*|poor\w*
            punish\w*|quit on|racis\w+|rage|raid\w*|refus(ed|es|ing|al)|regret\w*|reject\w*|resign(ed)?|revenge
            rob(bed|bery|bing)|rotten|rude\w*|ruin\w*|sad\w*|scam\w*|scar(ed|y|ing)|scold\w*|scream\w*|screw\w*
            seizure\w*|severe\w*|shak(ing|en)|shock\w*|shout\w*|shut down|sick\w*|slap\w*|slow(er)?|smash\w*|smell\w*
            snapped|sob\w+|split|spoil\w*|stab\w*|stalk\w*|starv\w*|steal\w*|stol(e|en)
            stop(ped)? (working|talking to|answering|responding|paying|eating|breathing|charging|moving)|strand\w*
            stress\w*|strike|struggl\w+|stuck|suffer\w*|sued|suspend\w*|swear\w*|swollen|tear(s|ing)|terribl\w+
            terrif\w+|terror\w*|theft|thief|thieves|threat\w*|tir(ed|ing) of|tortur\w+|toxic|tragic|tragedy|trap(ped)?
            trauma\w*|trembl\w+|trouble\w*|ugly|unable|unbearable|unfair\w*|unfortunate\w*|unhappy|unsafe|unwell
            upset\w*|urgent\w*|useless|victim\w*|violen\w+|vomit\w*|war|warn(ed|ing)|wast(e|ed|ing)|weak\w*|wept
            weep\w*|worr(y|ied|ies|ying)|wors(e|t|ened|ening)|wound\w*|wreck\w*|wrong\w*|yell\w*
        """),
        good=_any(r"""
            good|great|fine|well|wonderful|fantastic|excellent|happy|lov\w+|beautiful\w*|amazing\w*|perfect\w*|nice\w*
            better|best|works?|won|success\w*|finally|lovely|early|easy|easily|fun|enjoy\w*|thank\w*|arrived|fixed
            favou?rite|interesting|delicious|brilliant\w*|pretty|helpful|sorted|impressed|proud|glad|clear|awesome
            cute|improv\w+|recover\w+
        """),
        of_a_thing=_any(rf"""
            ((ok|okay|so|well|hi|hello|hey|yes|yeah|good (morning|afternoon|evening)) )*(the|my|our|your|this|
                these) (?!(\w+ )?{_EN_KIN}(?!\w))(?!name|number|address|email|order number|birthday|idea|plan|
                question|dream|appointment is|flight is|favou?rite)\w+('s)? \w+
        """),
        own=_any(r"(i|my|me|we|our|us|mine|i'm|i've|i'd|i'll|we're|we've|myself)('\w+)?"),
        finite=_any(r"""
            (i|you|he|she|we|they|it|there|that|this)('\w+)?|is|are|was|were|am|has|have|had|do|does|did|can|could
            will|would|should|may|must|\w+n't|went|came|got|said|made|took|needs?|wants?|\w{3,}ed|goes|comes|gets|says
            works|\w+'s
        """),
        garbled=_any(r"""
            (the|an?) (for|of|with|at|from|into|and|or|but|the|an?) \w+
            (of|for|with|from|at|into) (of|for|with|at|is|are|was|and)(?= )|(only|just) on the for
            (my|your) (the|a|is|of|my|your)(?= )
        """),
        side_talk=_any(r"""
            (i'm|i am|mommy's|mummy's|daddy's|mom's|mum's|dad's|momma's|(he|she)'s|grandma's|we're) (still |
                just )?on (the|a|my|another) (phone|call|line)(?! (with you|for|since))
            (it|he|she|they|the (lady|man|guy|robot|bot|machine|computer|thing|assistant|person))('s| is| are|
                're| was) (just |now )?(asking|wanting)( (me|us))? (for|if|what|about|which|whether|how|when|where)
            (it|she|he|they) wants? (to know )?(our|your|the|my) (\w+ )?(number|zip|postcode|address|name|code|email|
                date)
            bad (dog|cat|boy|girl|kitty)|good (boy|girl|dog|kitty)
            (dinner|supper|lunch|breakfast|food)('s| is) (ready|on the table)|brush your teeth|wash your hands
            (finish|eat) your (\w+ )?(dinner|homework|food|vegetables|lunch|breakfast|cereal)|do your homework
            go to (bed|your room)|put your (shoes|coat|jacket|toys|pajamas|pyjamas|plate|socks)
            get (off|down from|out of) the (couch|sofa|table|bed|chair|counter|stairs|kitchen|bin)
            get in the (car|bath)
            stop (hitting|fighting|barking|screaming|jumping|running|teasing|pulling|pushing|biting|yelling|shouting|
                chasing|poking|licking|scratching)
            (leave|be nice to|play with|share with|say sorry to|give (it|that) (back )?to) your (brother|sister|dad|
                mom|mum|cousin|friend)
            ask your (dad|father|mom|mum|mother|brother|sister)
            go (and )?(play|watch|ask|tell|find) (with|outside|upstairs|inside|tv|your|daddy|mommy|dad|mom|mum|
                in your)
            (shh+|sh|hush|quiet) (\w+ )*(phone|call|sleeping|baby)|(mommy|daddy|mummy) (is|will|needs|said|can't|be)
            keep the change|(no|one|two|three) sugars?|with milk and|put (it|that|them) (just |right |over )?there
            just (leave|put) (it|that|them) (on|by|over|there|in|at|down)
            i'll have (a|the) (latte|coffee|cappuccino|flat white|tea|americano) (to go|please)
            (i'll|i will) be (right )?(down|up|out|home|with you guys)( in| soon|$)
            (i'm )?coming (mom|mum|dad|honey|dear|in a)
            ^(\w+ )?come (here|down|inside|back here|over here)( (boy|girl|now|please|right now|this minute))?$
            sit( down)?( boy| girl)$|drop it( boy| girl)
            turn (that|the (tv|telly|music|radio|volume)) down( (i|will|would|can|please i|guys|you)\b.*)
            (no |sorry |oh )*not you|i wasn't talking to you|i'm (just )?talking to (my|the) \w+
            ^(hey |no |okay )*(get (down|off)|come here|sit down|stop (it|that)|quit it|cut it out|knock it off|
                settle down|behave)(?= |$)
            ^(hey |no |oh |okay )*(sweetie|sweetheart|honey|hon|darling|babe|mommy|daddy|mummy|kiddo) (?!is|was|and|
                who|garlic|mustard)\w+
            ^no (?!i |it |we |they |he |she |that |this |but |because |sorry |not |thanks |actually |please |
                just )\w+ (you can't|don't|stop|put|leave|get|come|give)(?= )
            no \w+ (no|down|off|sit|stay|drop)( \w+)?$|who('s| is) (that )?at the door
            (can|could|will|would) you (get|answer) the door
            did you (feed|walk|let out|lock|pick up|call|take out|turn off|see where) (the|your|my|mom|dad|i)
            don't (touch|eat|put|hit|pull|climb|lick|throw) (that|it|the|your|him|her|this)
            (watch|mind) (out|your (head|step|fingers))|hand me (the|that|my)|pass me (the|that|my)
            where did (you|i|we) put (the|my|that)|have you seen my|what's our
        """),
        side_talk_if_asked=_any(r"""
            (close|shut|open|lock) the (door|window|gate|fridge)
            (what's|what is|what was|do you (know|remember)|where's|where is|where are|where do we (keep|have)|
                what are) (our|the (card|paper|letter|folder|bill)|my (glasses|wallet|purse|bag|phone|keys|card)|
                that (paper|letter|card))
            turn (it|that|the \w+) (down|off)|give (it|that|me that) (back|here|to me)|(be|play) (nice|quiet)
            (it|she|he|they) (wants? to know|needs? (the|our|my|your))|go away|leave (it|that|him|her) alone
            put (that|it) (down|back|away)|stop (it|that) (you|now|right|both|kids|guys|boys|girls)
        """),
        vocative=_any(r"""
            ^((hey|no|oh|okay|yes|yeah|shh|sh|hush|what|sorry|not now|one sec|in a minute|wait) )*(babe|baby|honey|
                hon|sweetie|sweetheart|darling|mom|mommy|mum|mummy|dad|daddy|grandma|grandpa|nana|kids|guys|boys|
                girls|kiddo|buddy|dear|love|son|everybody|driver|waiter|you two)(?! (is|was|has|had|said|says|died|
                and|who|passed|called|wants|likes|shower|food|clothes)\b)(?= )
            ((?<!my )(?<!your )(?<!our )(?<!the )(?<!his )(?<!her )(?<!a )(?<!for )(?<!is )(?<!with )(?<!and )
                (?<!to )(?<!two )(?<!of ))(babe|
                baby|honey|hon|sweetie|sweetheart|darling|mom|mommy|mum|mummy|dad|daddy|grandma|kids|guys|boys|girls|
                kiddo|buddy|dear|driver|waiter|you two)$
            ^(?!please|just|then|and|so|okay|now|well|can|could|would|will|you|i|we|they|to|let|don't|never|always|
                first|also|maybe|yes|no|hey|oh|go|come|it|he|she|not|but|or|if|when|why|what|how|i'll|i'd|i'm|help|
                got|get|thanks)[a-z]+ (get (off|down|out|away|over here|your)|come (here|down|back|inside|on)|sit|
                leave (it|him|her|that|your)|put (that|it|your)|give (it|that) back|go (to|play|outside|away)|
                be (quiet|careful|nice)|quit|drop it|stop (it|that|\w+ing))
        """),
        hails=_any(r"""
            hey (?P<hailed>\w+) \w+
            (?!what|where|when|how|why|who|which|if|i|you|we|they)(?P<named>\w+) (did|do|can|could|have|are|will|
                would) (you|we) \w+
        """),
        to_others=_start(
            r"""
                (no )?(get|stop|come|sit|leave|put|give|go|don't|be|quit|drop|close|shut|open|turn|bring|pass|hand|
                    look|watch|wait|eat|hold|take|let|move|wash|tell|help|ask|do|keep|throw|grab|find|pick|listen|
                    call|say|make|try|hurry|hang|clean|check|stay|see|play|feed|turn)
                (can|could|will|would|did|do|have|are|were|is|should) (you|i|we|he|she|dinner|the|that|it)
                (what|where|when|why|who|which|how)('s)? \w+|it's|i'm|i'll|i'm|not now|in a|yes|yeah|two|one|no|just
                the|we're|\w+ (on|off|up|down)
                (hey )?\w+ (can|could|will|would|did|do|have|are|is|what|where|when|why|who|which|how)
                \w+ (get|come|sit|leave|put|give|go|be|quit|drop|stop|don't)
            """,
            lead=r"""
                hey|no|oh|okay|ok|yes|yeah|shh|please|just|and|now|then|babe|baby|honey|hon|sweetie|sweetheart|darling
                mom|mommy|mum|mummy|dad|daddy|grandma|grandpa|nana|kids|guys|boys|girls|kiddo|buddy|dear|love|son
                driver|what|sorry|thanks
            """,
        ),
    )


@cache
def _spanish() -> _Rules:
    return _Rules(
        fillers=_set("eh em mm mmm hm hmm ah uh"),
        fillers_at_end=_set("eh hm ah"),
        noise=_any(r"""
            (ja|je|ha)+j?|[bcdfghjklmnpqrstvwxz]{3,}|hm|mm|a+chis|a+chú|u+f+|puf+|a+y+|bah|u+y+
        """),
        cut_off=_any(r"""
            (?<!¿)(el|la|los|las|un|una|unos|unas|y|o|pero|porque|que|de|del|al|con|para|por|en|mi|mis|tu|su|sus|sin|
                como|muy|aunque|cuando|donde|entonces|o sea|es que|es|está|son|quería|querría|quisiera|tengo que|
                pues)$(?<!^es)(?<!^que)
            (preguntar|saber|sé|ver|decirme) si$
            (número|nombre|dirección|código|correo|problema|cosa) (es|era)( que)?$
        """),
        may_end_with=_any(r"""
            (a|hasta|desde|sobre|me|te|se|le|lo|quiero|necesito|puedo|puede|voy a)$
        """),
        strands=_any(r"qué|quién|cuál|dónde|cómo|cuándo|cuánto|lo que"),
        hold=_start(
            r"""
                (espera|espere|espérate|espérese|esperá|aguarda|aguarde|aguante|un (momento|momentito|momentico|
                    segundo|segundito|segundín|minuto|minutito)|dame un \w+|deme un \w+|déme un \w+|no cuelgue|
                    no cuelgues|ahora vuelvo|ya vuelvo|enseguida vuelvo)( un (momento|momentito|segundo|segundito|
                    poco|poquito|minuto|rato))?
                (déjame|déjeme|deja|deje que) (que )?(busc\w+|coj\w+|mir\w+|pens\w+|apunt\w+|ver|sac\w+|coge\w+|
                    agarr\w+|tom\w+)
                voy a (por|buscar|coger|ver|mirar)
            """,
            lead=r"""
                ay|oye|oiga|perdón|perdona|perdone|no|sí|vale|bueno|pues|por favor|ok|okay|a ver|ya
            """,
        ),
        hold_at_end=_any(r"""
            (un (momento|momentito|segundo|segundito)|espera|espere)( por favor)?$
        """),
        hush=_around(
            r"""
                para( ya)?|pare|páralo|basta|ya basta|ya está bien|cállate|cállese|calla|calle|silencio|chist?|shh
                dej[ae] de hablar|no hables?|(es )?suficiente|déjame (hablar|terminar)|déjeme (hablar|terminar)
                no he terminado
            """,
            r"""
                ya|vale|no|por favor|ok|un momento|oye|oiga|bueno|sí|gracias|ahora|espera|espere
            """,
        ),
        fetches=_start(
            r"""
                (déjame|déjeme|deja|deje que)( que)? (busc\w+|coj\w+|mir\w+|pens\w+|apunt\w+|ver|sac\w+|cog\w+|
                    agarr\w+|tom\w+)
                voy a (por|buscar|coger|ver|mirar)|(lo|la) (estoy buscando|busco)|tengo que (buscar\w*|mirar\w*)
            """,
            lead=r"sí|vale|bueno|pues|a ver|ay|ok",
        ),
        busy=_any(r"""
            que .*|por favor|estoy .*|voy .*|ahora .*|mientras .*|tengo que .*|déjame .*|es que .*|ya .*|me .*|lo .*
            la .*|se .*|llaman .*|están .*|alguien .*|y (te|le) .*|mi .*
        """),
        farewell=_any(r"""
            adiós|adios|hasta (luego|pronto|mañana|ahora|otra|la vista|el \w+|la próxima)|chao|chau|nos vemos|cuídese
            cuídate|(que )?(tenga|tengas|pase|pases) (un |una )?(buen|buena|bonito|lindo|feliz) \w+
            buen (día|fin de semana)$|un saludo|saludos|feliz (día|tarde|noche)|hablamos (luego|mañana|pronto)
        """),
        farewell_at_end=_any(r"(adiós|adios|hasta (luego|pronto|mañana|otra)|chao|chau|nos vemos)$"),
        closing=_any(r"""
            (eso|esto) (es|sería|era) todo|nada más|ya está|con eso (es suficiente|basta|me vale)
            no (necesito )?nada más|pues nada
        """),
        agrees=_made_of(r"""
            sí|si|claro|vale|ok|okay|bueno|bien|muy bien|ya|ajá|aja|ah|oh|ya veo|entiendo|entendido|comprendo
            de acuerdo|perfecto|exacto|exactamente|eso es|eso|así es|correcto|efectivamente|por supuesto|desde luego
            genial|estupendo|cierto|es verdad|verdad|claro que sí|está bien|me parece bien|sale|dale|órale|listo|mm
            sí señor|sí señora|pues|pues sí|y|anda|mira|qué bien|hecho|tal cual|cómo no|ándale|venga|ya ya|supongo
            creo que sí|lo es|lo sé
        """),
        refuses=_made_of(r"""
            no|nada|nunca|tampoco|ninguno|ninguna|qué va|para nada|todavía no|aún no|no creo|no lo sé|no sé|ni idea
            en absoluto|pues|creo que no|bueno|señor|señora
        """),
        accepts=_any(r"(sí|si|vale|bueno|claro|no)? ?por favor|no gracias|sí gracias"),
        reacts=_made_of(r"""
            ah|oh|vaya|anda|qué interesante|interesante|qué curioso|no me digas|ostras|guau|caramba|ala|hala|mira tú
            qué cosas|increíble|en serio|de verdad|no sabía|no lo sabía|ya|sí|vale|qué bueno|qué bien
        """),
        agrees_first=_any(r"sí|si|claro|vale|exacto|correcto|por supuesto|eso es|así es|bueno"),
        refuses_first=_any(r"no|todavía no|aún no|qué va|tampoco|nunca"),
        denies=_start(
            r"no|en realidad|espera|espere|qué va",
            lead=r"pues|bueno|perdón|perdone|perdona|ay|eh|uy|oiga|oye",
        ),
        thanks=_any(r"""
            (muchas|muchísimas|mil)? ?gracias( (por (todo|su|tu|la|el|ayudarme)( \w+)?|de nuevo|otra vez))?
            (muy|qué) (amable|agradecid[oa])|se (lo|le) agradezco( mucho)?|te lo agradezco( mucho)?
            me (ha|has) (ayudado|servido)( mucho| muchísimo)?|ha sido (muy |de gran |de mucha )\w+
        """),
        polite=_any(r"""
            vale|ok|okay|bueno|pues|nada|venga|perfecto|bien|muy|muy bien|genial|sí|no|claro|ah|oh|entendido
            de acuerdo|entonces|ya|igualmente|a usted|a ti|señor|señora|señorita|y|eso|era|es|todo|por|por todo|mucho
            estupendo|buenos|buenas|luego|lo|me|su|tu|ayuda|con|qué tal|cómo está|cómo estás|cómo va|soy yo|otra vez
            usted|tú|hay alguien|alguien|ahí|me oye|me oyes|está|estás
        """),
        greeting=_start(
            r"""
                hola|holi|buenas( (tardes|noches))?|muy buenas|buenos días|buen día|qué tal|aló|diga|dígame|saludos
            """,
            lead=r"sí|ah|oh|hola|muy",
        ),
        greets_only=_any(r"""
            (hola )?(hay alguien|me oyes?|me escuchas?|está ahí)|cómo (está|estás|le va|te va)|qué tal( está| estás)?
            encantad[oa]|mucho gusto|(soy|me llamo|le habla|habla|mi nombre es) \w+( \w+)?
        """),
        introduces=_any(r"^(\w+ ){1,3}(soy|me llamo|habla) \w+( \w+)?$"),
        emergency=_any(r"""
            no (respira|puedo respirar|puede respirar|reacciona|se despierta|despierta|se puede levantar|se mueve|
                responde)
            me ahogo|se ahoga|se está ahogando|(duele|dolor|presión|opresión)( \w+){0,2} (pecho|corazón)|sangr\w+
            inconsciente|desmay\w+|infarto|ictus|convuls\w+|atragant\w+|envenen\w+|intoxic\w+|incendi\w+
            hay (fuego|humo|un incendio)|en llamas|(huele|olor) a (gas|humo|quemado)|ambulancia|emergencia|policía ya
            han entrado|están entrando|intenta(n)? entrar|ladr(ón|ones)
            me (persiguen|sigue|están siguiendo|amenaz\w+|pega|golpe\w+|atac\w+)|(se|me) (ha caído|cayó|caí|he caído)
            matarme|suicid\w+|quitarme la vida|(no quiero|no puedo) (vivir|seguir)|quiero morir\w*|atropell\w+
            accidente
        """),
        grief=_any(r"""
            (murió|muerto|muerta|murieron|muriendo|muere|falleci\w+|fallec\w+|entierro|funeral|velorio|luto|difunt\w+|
                viud[oa]|aborto|cáncer|tumor|quimio\w*|diagnostic\w+|terminal|leucemia|demencia|alzheimer)
            (perdí|perdimos|perdió|he perdido|hemos perdido|ha perdido) (a |al |el |la |mi |todo|nuestr\w+|su )\w*
            me (dejó|ha dejado|abandonó|engañó|echaron|despidieron|han despedido|han echado|robaron|han robado|
                estafaron|han estafado|timaron|denegaron|rechazaron|han denegado)
            (nos|le) (robaron|han robado|despidieron|han despedido|estafaron|echaron|desahuci\w+)|divorci\w+
            separ(é|ado|ada|amos)|desahuci\w+|(se )?(quemó|ha quemado|inundó|ha inundado)|estafa|timo|robo|depri\w+
            tan sol[oa]|muy (triste|mal|sol[oa])
            (estoy|me siento) (fatal|mal|triste|hundid[oa]|desesperad[oa]|destrozad[oa]|agobiad[oa]|asustad[oa]|
                preocupad[oa]|sol[oa])
            no puedo más|llor(o|ar|ando|é)|tengo (mucho )?miedo|suspend(í|ido)|ingresad[oa]|hospitaliz\w+
            en el hospital|echo de menos|malas noticias|mala noticia
        """),
        anger=_any(r"""
            vergüenza|vergonzoso|inaceptable|increíble que|indign\w+|ridícul\w+|absurdo|asco|mierda|joder|coño|puta
            cojones|carajo|pinche|maldit\w+|hart[oa]s?|estoy hasta|hasta las narices|el colmo|tomadura de pelo
            (me|nos) (toma|toman|están tomando) el pelo|se (burlan|ríen)|est[aá]is de broma|es (una )?broma|inútil\w*
            incompetente\w*|estúpid\w+|idiota\w*|mentiros\w+|ladron\w*|estafador\w*|denunci\w+|abogad[oa]|reclamación
            queja|hoja de reclamaciones
            (llevo|llevamos) (una|un|dos|tres|cuatro|más|toda|todo|\w+) (\w+ )?(semanas?|días?|horas?|meses|mes|
                minutos|año|años|rato|mañana|tarde) (esperando|sin|llamando|intentando)
            (tercera|cuarta|quinta|enésima) vez|otra vez (lo mismo|igual)
            nadie (me )?(contesta|responde|ayuda|coge|atiende|sabe|hace)
            (me|nos) (han cobrado|cobraron|cobran|cobrasteis|seguís cobrando|siguen cobrando)( \w+)? ?(dos veces|
                de más|doble|otra vez|mal)?
            devuélvanme|devolvedme|mi dinero|pésim\w+|fatal servicio|servicio (fatal|horrible|pésimo)
            qué falta de respeto|no es normal|enfadad[oa]|furios[oa]|cabread[oa]|enojad[oa]
        """),
        trouble=_any(r"""
            no (\w+ )?(funciona\w*|va|anda|enciende|arranca|carga|llega\w*|ha llegado|sirve|abre|conecta|puedo|puede|
                deja|sale|aparece|responde|hay (luz|agua|internet|señal|calefacción)|me llega\w*|me ha llegado|
                me funciona|recibí|he recibido|encuentro|consigo|me deja|se enciende|se oye)
            sin (luz|agua|internet|calefacción|señal|cobertura|servicio)|rot[oa]s?|roto|romp\w+|averi\w+|estrope\w+
            fuga|gotea|atasc\w+|bloque\w+|perd(í|ido|ida)|extravi\w+|olvid(é|ado)|error\w*|problemas?|falla\w*|fallo
            avería|retras\w+|cancelaron|cancelado mi|equivoc\w+|mal (estado|cobro)|duele\w*|dolor|fiebre|vómit\w+
            vomit\w+|mare\w+|enferm[oa]|herid[oa]|alergia|erupción|dañad[oa]|defectuos[oa]|queja|caíd[oa]
            se (cayó|ha caído|apaga|cuelga|corta|rompió|ha roto|estropeó)|tarde|deuda|multa|hacke\w+|fraude|cobro
            golpe|pinchaz\w+|robad[oa]|ruido|sucio|frío
        """),
        good_news=_any(r"""
            me han dado (la|el|una|un) (beca|trabajo|puesto|alta|plaza|premio)
            (he|hemos|ha) (aprobado|ganado|conseguido|sacado)|aprobé|gané|conseguí
            me (caso|casé|ascendieron|han ascendido|aceptaron|han aceptado|contrataron|han contratado)|nos casamos
            embarazada|vamos a (tener|ser)|ha nacido|nació|buenas noticias
            (qué|muy|tan) (contento|contenta|feliz|ilusionad[oa])|estoy (contento|contenta|feliz)|ya funciona
            curad[oa]|mucho mejor
        """),
        harmless=_any(r"""
            no (hay|es|tengo) (ningún )?problema|sin problemas?|no importa|muerto de (risa|hambre|sueño|ganas)
            muriendo de ganas|me muero (de ganas|por|de risa|de hambre)
            (buenas tardes|más tarde|por la tarde|de la tarde|esta tarde|tarde o temprano|la tarde|hoy tarde)
            si no es (mucha )?molestia|perder peso|he perdido (\w+ )?(kilos|peso)
        """),
        corrects=_any(r"""
            no (era|es|fue|está|son|soy|se llama|me llamo|dije|he dicho|quería|pedí|quise|me refería|eso|ese|
                esa)( \w+){1,6} (sino|es|era)
            sino|(yo )?(dije|he dicho|decía|quería decir|me refería|quise decir|me refiero)
            eso no (es|era)( lo que| correcto| cierto| así)?|(está|es) (mal|incorrecto|equivocado)
            se (equivoca|ha equivocado|confunde)|te (equivocas|has equivocado|confundes)
            no es (así|correcto|cierto|verdad)|en realidad (es|era|soy|me|el|la)|mejor dicho
            ^no (no )?(es|era|el|la|en|para|con|a|mi|soy|me)(?= )
            (el|la|los|las|es|en|a|para) \w+( \w+)? no (el|la|los|las|en|a|para|de)?( ?\w+){1,2}$
        """),
        concludes=_any(r"(entonces|o sea que|así que)"),
        asks_on=_any(r"(y )?(para|en|con|de|a|hasta|desde|por)"),
        states=_any(r"(no )?(es|son|era|soy|está)"),
        spells=_any(r"(con|sin) (be|uve|hache|ese|zeta|ge|jota|\w)$"),
        openers=_set(
            "claro exacto correcto mañana hoy ayer lunes martes miércoles jueves viernes sábado domingo "
            "desgraciadamente nada a ah buenas bueno buenos disculpa disculpe días entonces es espera espere favor "
            "gracias hola mira mire no oiga ok oye perdona perdone perdón pero por pregunta pues que señor señorita "
            "sí tardes una vale ver y"
        ),
        asking=_start(
            r"""
                (qué|quién|quiénes|cuál|cuáles|cuándo|dónde|adónde|cómo|cuánto|cuánta|cuántos|cuántas|por qué|
                    para qué|a qué|de qué|en qué|con qué|desde cuándo|hasta cuándo|hasta qué|a cuánto|que (hora|día|
                    precio|tengo|tal|es|hay)|cuanto (cuesta|vale|es|tarda|dura)|cuando (abre|abren|cierra|cierran|
                    llega|sale|es)|donde (está|puedo|queda|es)|como (puedo|se|hago|va|llego|es))(?! (pena|lástima|
                    horror|asco|vergüenza|bien|bueno|rico|bonito))
                (es|está|están|son|hay|tiene|tienen|tienes|tenéis|puedo|podemos|se puede|se pueden|debo|hace falta|
                    sabe|sabes|saben|abren|cierran|hacen|aceptan|venden|queda|quedan|ha llegado|han llegado|sale|
                    llega|va|viene|cuesta|incluye|será|sería|existe|necesito|tengo que|ha|eres|estás|vale la pena|
                    funciona)( \w+)+
            """,
            lead=r"""
                y|pero|bueno|pues|oye|oiga|perdón|perdone|perdona|disculpe|disculpa|hola|buenas|buenas tardes
                buenos días|sí|no|vale|ok|entonces|a ver|una pregunta|gracias|ah|es que|por favor|mire|mira|espera
                espere|señorita|señor
            """,
        ),
        asking_anywhere=_any(r"""
            (qué|cuál|cuándo|dónde|cuánto|cuánta|cuántos|cuántas|por qué) (?!pena|lástima|horror|tal$|bien|bueno)\w+
        """),
        asks_indirectly=_any(r"""
            me (preguntaba|gustaría saber|puede(s|n)? decir|podría(s)? decir|interesa saber)
            quería (saber|preguntar|consultar)|quisiera (saber|preguntar|consultar)|quiero (saber|preguntar)
            (puede|podría|puedes|podrías) (decirme|explicarme|indicarme|informarme)
            (dígame|dime|explíqueme|explícame) (qué|cómo|cuándo|dónde|cuánto|si|por qué|a qué)
            (sabe|sabes|sabrías|sabría) (si|qué|cuándo|cómo|dónde|cuánto|a qué)|no sé (si|qué|cuándo|dónde|cuánto)
            (tengo|una) (una )?(pregunta|duda|consulta)|se puede saber
        """),
        requesting=_start(
            r"""
                (puede|puedes|podría|podrías|podéis|pueden|podrían|me puede|me puedes|me podría|me podrías|
                    le importaría|te importaría|sería tan amable|sería posible|es posible|me (da|das|pone|pones|pasa|
                    pasas|trae|hace|dice|ayuda|ayudas|manda|envía|cambia|apunta|reserva))( \w+)+
                (quiero|quería|quisiera|querría|necesito|necesitaba|deseo|me gustaría|busco|estoy buscando|
                    llamo (para|por|porque)|llamaba (para|por|porque)|vengo a|hay que|vamos a)( \w+)+
                (pon|ponga|ponme|póngame|apaga|apague|enciende|encienda|llama|llame|reserva|reserve|resérvame|cancela|
                    cancele|cambia|cambie|manda|mande|envía|envíe|envíeme|envíame|repite|repita|repítame|di|diga|dime|
                    dígame|dame|deme|déme|busca|busque|abre|abra|cierra|cierre|sube|suba|baja|baje|añade|añada|apunta|
                    apunte|recuérdame|recuérdeme|ayúdame|ayúdeme|pásame|páseme|comunícame|comuníqueme|cuéntame|
                    cuénteme|explica|explique|explícame|explíqueme|tráeme|haz|haga|hazme|hágame|ignora|ignore|olvida|
                    olvide|escribe|escriba|lee|lea|muestra|muéstrame|confirma|confirme|habla|hable|traduce|traduzca|
                    responde|responda|contesta|toca|reproduce|compra|pide|programa|agenda|anota|anote|quita|quite|
                    borra|borre|calcula|recomiéndame|recomiéndeme|compruebe|comprueba|revise|revisa|mira|mire)( \w+)+
                (\w+ ){1,6}por favor$
            """,
            lead=r"""
                y|pero|bueno|pues|oye|oiga|perdón|perdone|perdona|disculpe|disculpa|hola|buenas|buenas tardes
                buenos días|sí|vale|ok|entonces|a ver|gracias|ah|es que|por favor|mire|mira|ahora|también|señorita
                señor|no
            """,
        ),
        requesting_anywhere=_any(r"""
            (puede|puedes|podría|podrías) \w+(r|rme|rnos|rlo|rla)|por favor
            (quiero|quería|quisiera|necesito|me gustaría) \w+
        """),
        about_instructions=_any(r"""
            (tus|sus|las) instrucciones|(ignora|olvida|ignore|olvide) (todo|todas|lo)|prompt
            te (dijeron|ordenaron|mandaron)
        """),
        agent_asks=_any(r"""
            (dígame|dime|indíqueme|indique|lea|léame|deme|dé|repita|repítame|confirme|confírmeme|deletree|cuénteme|
                cuéntame|necesito (su|el|la)|elija|facilíteme|díctemelo|dicte)
            por favor su
        """),
        agent_asks_openly=_any(r"""
            (cuénteme|cuéntame|qué (ha pasado|pasó|pasa|tal|ocurre|ocurrió|sucede|le ocurre|le pasa|te pasa|
                hay de nuevo|novedades)|cómo (le|te|ha|fue|está|estás|va|van|estuvo)|hábleme|háblame|describa|
                explíqueme)(.*)
        """),
        agent_offers_help=_any(r"""
            (en qué|cómo) (le|te|les|os)? ?(puedo|podemos) (ayudar\w*|servir\w*)|puedo ayudar\w*
            qué (desea|necesita|quería|se le ofrece)|dígame$|diga$
        """),
        agent_answers_phone=_any(r"""
            buenos días|buenas (tardes|noches)|hola|bienvenid[oa]|le atiende|le habla|dígame
        """),
        agent_asks_trouble=_any(r"""
            qué (problema|síntomas)|cuál es (el|su) (problema|avería)|qué le (pasa|duele|ocurre)|emergencias
        """),
        agent_confirms=_any(r"""
            (verdad|correcto|no|cierto|es así)$|(entonces|quiere decir|se refiere|ha dicho|dijo|es usted)( .*)?
        """),
        agent_anything_else=_any(r"(algo|alguna cosa) más|en algo más|otra cosa"),
        agent_wellbeing=_any(r"(cómo está|cómo estás|qué tal)( .*)?"),
        but=_any(r"pero|aunque|todavía|aún|sigue"),
        own=_any(r"""
            yo|mi|mis|me|nos|nuestr\w+|\w+(é|í|amos|emos|imos)|tengo|estoy|soy|he|hemos|mío|mía
        """),
        finite=_any(r"""
            es|son|está|están|hay|tengo|tiene|he|ha|soy|era|fue|quiero|no|se|me|\w+(amos|emos|imos|aba|ía|ó|é)
        """),
        garbled=_any(r"(el|la|un|una) (de|en|con|y|el|la|para|por)(?= )"),
        side_talk=_any(r"""
            (estoy|mamá está|papá está|está) (hablando )?(al|por|con el|en el) teléfono
            (me|nos) (está |están )?(pide|piden|pidiendo|pregunta|preguntan|preguntando) (el|la|por|si|que)|a cenar
            la (cena|comida) está|(ve|id|vete) a (jugar|tu cuarto|dormir)
            deja (a|en paz a|eso|de (pegar|gritar|llorar|saltar|correr|molestar))
            no (toques|grites|corras|pegues|saltes)|baja de ahí|ven aquí|ven acá|siéntate|estate quiet[oa]
            quita de ahí|perro malo|pregúntale a (tu|papá|mamá)
        """),
        side_talk_if_asked=_any(r"""
            (dónde (está|están|he puesto|pusiste|has puesto)|cuál es nuestr[oa]|baja (la|el) (tele|música|volumen|
                radio|tele)|cierra la \w+|apaga (el|la) (fuego|horno|tele|cocina|radio)|te acuerdas)( .*)?
        """),
        vocative=_any(r"""
            (cariño|mamá|papá|hijo|hija|niños|niñas|chicos|mi amor|amor|cielo|abuela|nene|nena|tesoro|
                corazón)(?! (está|murió|ha|tiene|se|y|falleció))
            (?<!mi )(?<!tu )(?<!su )(cariño|mamá|papá|hijo|hija|niños|mi amor|amor)$
        """),
        to_others=_start(
            r"""
                (baja|ven|deja|dame|pon|ponte|apaga|cierra|abre|trae|tráeme|mira|siéntate|sal|vete|ve|para|coge|toma|
                    come|calla|espera|no|puedes|dónde|qué|cuál|has|sabes|quita|sube|estate|haz|quieres|ya voy|
                    ahora voy|un momento|luego)( \w+)*
            """,
            lead=r"""
                oye|no|sí|cariño|mamá|papá|hijo|hija|niños|amor|mi amor|cielo|eh|ay|y|por favor|\w+
            """,
        ),
    )


@cache
def _german() -> _Rules:
    return _Rules(
        fillers=_set("äh ähm öh hm hmm mm ehm ah uh öhm"),
        fillers_at_end=_set("hm ah mm"),
        noise=_any(r"""
            (ha|he|hi|ho)+h?|[bcdfghjklmnpqrstvwxz]{3,}|hm|mm|h?a+tschi+|tschi+|puh+|uff+|a+u+a*|boah
        """),
        cut_off=_any(r"""
            (und|oder|aber|weil|dass|ob|wenn|denn|sondern|damit|obwohl|mein|meine|meinen|meinem|meiner|unser|unsere|
                ihr|ihre|ihren|dein|deine|einen|einem|einer|eines|eine|zum|zur|im|am|beim|vom|ins|ans|für|ohne|gegen|
                sehr|dem|des|also|nämlich|beziehungsweise|sowie|und dann|und so|weil ich)$(?<!^also)
            (für|mit|in|auf|an|ist|von|bei|und|oder|nach|zu|über|um|hat|habe|war) (der|die|das|den|ein|so)$
            (nummer|name|adresse|problem|sache|frage|code) (ist|war|lautet)( dass)?$
        """),
        may_end_with=_any(r"""
            (ich (wollte|möchte|würde|hätte|bin|habe|hab|war|muss|will|kann|wollte eigentlich)|von|bei|über|wegen|in|
                mit dem|es ist|das ist|wir haben|wir sind)$
        """),
        strands=_any(r"was|wer|wen|wem|wo|wie|welche\w*|wann|wovon|wohin"),
        hold=_start(
            r"""
                (moment|momentchen|(einen|nen|ein|kleinen|einen kleinen|einen kurzen) (moment|augenblick)|(eine|
                    ne) (sekunde|minute)|augenblick|sekunde|warte|warten sie|wart|warte mal|moment mal|
                    bleiben sie (kurz )?dran|kurz warten|bin gleich (wieder da|zurück|soweit)|ich (hol|hole|such|
                    suche|schau|schaue|guck|gucke|muss)( (nur|mal|eben|kurz|gerade|schnell|noch))+|geben sie mir|
                    gib mir)( (mal|bitte|kurz|noch|eben|einen|eine|moment|sekunde|minute|augenblick|kleinen|ganz))*
            """,
            lead=r"""
                oh|ja|nein|äh|halt|stopp|bitte|entschuldigung|sorry|okay|ok|ach|einen|hm|so
            """,
        ),
        hold_at_end=_any(r"""
            (einen moment|moment|augenblick|eine sekunde|warten sie|warte)( bitte| mal)?$
        """),
        hush=_around(
            r"""
                ruhe|(sei|seien sie)? ?(bitte |mal )?(still|ruhig)|halt|stopp?|halt den mund|klappe|pss?t
                schluss( damit)?|genug|(das |es )?reicht|hör(en sie)? auf( zu reden)?|aufhören|nicht reden
                ich bin noch nicht fertig|(lassen sie|lass) mich ausreden
            """,
            r"""
                ja|nein|okay|bitte|jetzt|mal|kurz|moment|warte|warten sie|danke|schon|einen moment|einmal|so
            """,
        ),
        fetches=_start(
            r"""
                ich (hol|hole|such|suche|schau|schaue|guck|gucke|muss)( (nur|mal|eben|kurz|gerade|schnell|noch|das|
                    die|den|es))+
                da muss ich|lassen sie mich (kurz |mal |eben )*(schauen|suchen|nachsehen|überlegen|holen)
            """,
            lead=r"ja|okay|moment|also|ach",
        ),
        busy=_any(r"""
            ich .*|bitte|da .*|es klingelt.*|mein\w* .*|der .*|die .*|bin .*|muss .*|hol .*|kurz.*|gleich.*|noch .*
            lassen sie .*
        """),
        farewell=_any(r"""
            tschüss|tschüs|tschau|ciao|auf wieder ?(hören|sehen)|wiederhören|wiederschauen
            bis (bald|dann|morgen|später|zum nächsten mal|nächste woche|gleich)
            (einen )?schönen (tag|abend|nachmittag|feierabend)( noch)?|(ein )?schönes wochenende|gute nacht
            machen sie's gut|mach's gut|ade|servus$|schönen gruß
        """),
        farewell_at_end=_any(r"""
            (tschüss|tschüs|ciao|tschau|wieder ?(hören|sehen)|bis (bald|dann|morgen|später))$
        """),
        closing=_any(r"""
            das (war|wär|wäre|ist)('s| es| auch schon)( alles)?|das (war|wäre|ist) (auch )?(schon )?alles|sonst nichts
            nichts (mehr|weiter)|das war's|ich brauche (sonst )?nichts
        """),
        agrees=_made_of(r"""
            ja|jo|jep|jawohl|okay|ok|gut|sehr gut|alles klar|klar|genau|richtig|stimmt|das stimmt|in ordnung|verstehe
            ich verstehe|verstanden|aha|ah|ach so|achso|ach|oh|mhm|hm|natürlich|sicher|super|prima|toll|perfekt|passt
            das passt|einverstanden|gerne|gern|so|na|ja ja|ja genau|korrekt|auf jeden fall|definitiv|absolut|logisch
            doch|eben|schon klar|wunderbar|schön|alles gut|geht klar|und|dann|ja gut|na gut|na klar|eigentlich schon
            glaub schon|ich glaube schon|machen wir
        """),
        refuses=_made_of(r"""
            nein|nee|ne|nö|nicht wirklich|eher nicht|noch nicht|gar nicht|keine ahnung|weiß nicht|weiß ich nicht
            ich weiß nicht|ich glaube nicht|auf keinen fall|niemals|leider nicht|leider|eigentlich nicht|keins|keine
            nichts|oh|ach
        """),
        accepts=_any(r"""
            (ja|nein|gerne|okay|gern|sehr)? ?(bitte|bitte gerne)|nein danke|ja danke|ja gerne|ja gern|sehr gerne
        """),
        reacts=_made_of(r"""
            ach|oh|aha|echt|wirklich|interessant|sehr interessant|spannend|krass|wow|wahnsinn|ach was|na sowas
            nicht schlecht|ach echt|das wusste ich nicht|wusste ich nicht|cool|schön|ja|okay|hm|ah|tatsächlich
        """),
        agrees_first=_any(r"ja|genau|richtig|klar|stimmt|okay|jawohl|doch|natürlich"),
        refuses_first=_any(r"nein|nee|nö|ne|noch nicht|nicht|leider"),
        denies=_start(
            r"nein|nee|nö|ne|eigentlich|moment|halt|stopp|doch",
            lead=r"äh|oh|ach|also|sorry|entschuldigung|aber",
        ),
        thanks=_any(r"""
            (vielen|besten|herzlichen|lieben|tausend|schönen)? ?dank(e)?( (schön|sehr|ihnen|dir|vielmals|
                für \w+( \w+)?))*
            (sehr|wirklich|total) (nett|hilfreich|freundlich|lieb)( von ihnen| von dir)?
            (sie haben|du hast) mir (sehr |wirklich )?geholfen|das hat (mir )?(sehr |wirklich )?geholfen
        """),
        polite=_any(r"""
            alles klar|ja|nein|okay|ok|gut|super|prima|toll|na|dann|oh|ach|und|auch|ihnen|dir|gleichfalls|ebenfalls
            ebenso|sehr|wirklich|das|war|ist|so|mir|alles|schön|schönen|noch|tag|abend|klasse|perfekt|verstanden|also
            frau|herr|ich bin's|bins|wieder|geht|es|wie geht es ihnen|wie geht's|hören sie mich|ist da jemand|jemand
            da|zusammen|wunderbar
        """),
        greeting=_start(
            r"""
                hallo|hallöchen|hi|hey|guten (tag|morgen|abend)|grüß gott|grüezi|moin( moin)?|servus|tag|grüß dich
                morgen
            """,
            lead=r"ja|ah|oh|ach|schönen",
        ),
        greets_only=_any(r"""
            (hallo )?(ist da (jemand|wer)|hören sie mich|jemand da|sind sie (noch )?da)
            wie geht('s| es ihnen| es dir)?|(hier (ist|spricht)|mein name ist|ich bin|ich heiße) \w+( \w+)?|freut mich
            ich bin's( wieder| nochmal)?
        """),
        introduces=_any(r"^(\w+ ){1,3}(hier (ist|spricht)|mein name ist|ich heiße) (\w+ )?\w+$"),
        emergency=_any(r"""
            (atmet|reagiert|bewegt sich) (\w+ )?nicht|keine luft
            (kann|kriegt?|bekommt?) (\w+ )?(nicht|kaum|schlecht|keine) (mehr )?(atmen|luft)|(brust|herz)schmerzen
            schmerzen (in der|auf der) brust
            (blutet|bluten|bewusstlos|ohnmächtig|umgekippt|zusammengebrochen|herzinfarkt|schlaganfall|krampfanfall|
                verschluckt|erstickt|vergiftet|vergiftung)
            brennt|es brennt|feuer (in|im|ausgebrochen)|brand|rauch
            (riecht|stinkt|gasgeruch|geruch)( \w+){0,4} (nach )?(gas|rauch|verbrannt)|gasgeruch|krankenwagen|notarzt
            notfall|polizei rufen|einbrecher|eingebrochen|einbruch|bricht (\w+ )?ein
            (verfolgt|bedroht|schlägt|angegriffen|überfallen)|gestürzt|hingefallen
            (die treppe|vom) \w* ?(runter)?gefallen|umbringen|suizid|selbstmord
            (nicht mehr|nicht weiter) (leben|da sein)|will (ich )?(nicht mehr|sterben)|unfall|fruchtblase|wehen
        """),
        grief=_any(r"""
            gestorben|verstorben|tot|stirbt|sterben|tod|beerdigung|begräbnis|trauer\w*|verwitwet|witwe\w?|fehlgeburt
            totgeburt|krebs|tumor|chemo\w*|leukämie|demenz|diagnos\w+
            (hat|haben|bin|wurde|mir) (\w+ ){0,3}(verlassen|gekündigt|entlassen|betrogen|bestohlen|ausgeraubt|beklaut|
                abgelehnt|reingelegt|gefeuert|rausgeworfen)
            gekündigt (worden|bekommen)
            (job|arbeit|stelle|wohnung|haus|baby|kind|mann|frau|mutter|vater|oma|opa) verloren|verloren (haben|habe)
            scheidung|getrennt|trennung|geklaut|gestohlen|abgebrannt|überschwemmt|eingeschläfert|einschläfern
            obdachlos|pleite|insolven\w+|depress\w+|einsam|verzweifelt|traurig|am ende|keine kraft|kann nicht mehr
            weine|geweint|(große |solche |so )?angst|panik|durchgefallen|im krankenhaus|ins krankenhaus
            schlechte nachricht\w*|fehlt mir so|vermisse (ihn|sie|meine|meinen)|betrug|betrüger\w*|operiert
        """),
        anger=_any(r"""
            unverschämt\w*|frechheit|unmöglich|unfassbar|inakzeptabel|lächerlich|skandal|schande|scheiß\w*|scheiss\w*
            verdammt\w*|verflucht\w*|mist\w*|kacke|arsch\w*|zum kotzen|schnauze voll|nase voll|(mir )?reicht's
            es reicht (mir|jetzt)|habe? (es|das) satt|sauer|wütend|stinksauer|verarschen|verarscht|veräppeln
            ernst gemeint|ist das ihr ernst|soll das ein witz|witz sein|idiot\w*|blöd\w*|dumm\w*|unfähig\w*|lügner
            gelogen|abzock\w*|anwalt|anzeige|beschwer\w+|geld zurück|verklag\w*
            (dritte|vierte|fünfte|zehnte|x-te|hundertste)(n|s)? ?mal|(zum|schon) (\w+ten|\w+) mal(?! (danke|vielen))
            (drei|vier|fünf|zehn|x) ?mal (angerufen|geschrieben|gesagt)
            niemand (geht|meldet|hilft|antwortet|ruft|kümmert)|keiner (geht|meldet|hilft|antwortet|ruft|kümmert|ran)
            seit (\w+ )?(stunden|wochen|tagen|monaten|minuten|einer stunde|einer woche)( \w+){0,4} (warte|gewartet|
                warten|keine?n?|nicht|kein|ohne|in der (warteschleife|leitung))
            warte (ich )?(jetzt )?(schon |nun )?seit|warteschleife|immer noch (nicht|kein\w*)|doppelt abgebucht
            zu viel (abgebucht|berechnet)|na toll|na super|na großartig|ganz toll|super gemacht|schlechte\w* service
            schlechter witz|nie wieder
        """),
        trouble=_any(r"""
            (funktioniert|geht|läuft|startet|lädt|öffnet|kommt|klappt|druckt|heizt|reagiert|verbindet|angekommen|
                gekommen|da|erhalten|bekommen) (\w+ ){0,3}(nicht|nie)
            (nicht|nie|noch nicht|immer noch nicht) (\w+ )?(angekommen|gekommen|da|geliefert|funktioniert|an|auf|rein|
                los|mehr|bekommen|erhalten|einloggen|anmelden)
            kaputt|defekt|gebrochen|zerbrochen|gerissen|undicht|leck\w*|tropft|verstopft|blockiert|gesperrt
            ausgesperrt|hängt|abgestürzt|stürzt ab|eingefroren|ausgefallen|fällt (\w+ )?aus|störung|fehler\w*
            problem\w*|schwierigkeit\w*
            kein(en?)? (strom|warmes|wasser|internet|netz|empfang|heizung|signal|bild|ton|licht|antwort|
                rechnung bekommen)
            verloren|vergessen|verpasst|verspätet|verspätung|gestrichen|storniert worden|falsch\w*|beschädigt
            mangel\w*|schimmel|wasserschaden|schaden|schmerz\w*|weh|tut weh|fieber|übel|erbrochen|erbricht|krank
            verletzt|schwindlig|ausschlag|entzünd\w*|mahnung|schulden|abgelehnt|leider|lärm|laut|kalt|stinkt|gehackt
            abgebucht|komisch\w* geräusch|probleme
        """),
        good_news=_any(r"""
            (habe?|haben|hat|bin|sind|wurde) (\w+ ){0,4}(bestanden|gewonnen|geschafft|befördert|bekommen den|
                geheiratet|verlobt|angenommen worden)
            schwanger|(kriegen|bekommen|erwarten) (ein|unser) (baby|kind|zweites)|(ist|wurde) (\w+ )?geboren
            gute nachricht\w*|(so|sehr|richtig|total) (glücklich|froh|stolz|gefreut)|freue mich
            (läuft|funktioniert|geht|klappt) (\w+ )?(wieder|gut|super|prima|einwandfrei|bestens)|viel besser
            wieder gesund|zusage
        """),
        harmless=_any(r"""
            kein problem|keine probleme|ohne probleme|(todmüde|totgelacht|totlachen|todsicher)|nicht schlecht
            tut nicht weh|macht nichts|(falls|wenn) es (ihnen )?keine umstände macht
            (\w+ )?kilo(s)? (abgenommen|verloren)|nicht so schlimm|leider gut|hammer
            laut (vertrag|rechnung|website|ihrer|ihnen|der|dem|plan)|kalt(es|e)? (wasser|getränk\w*|platte|bier)
        """),
        corrects=_any(r"""
            (nein|nee|nö|ne) (\w+ ){0,6}nicht
            (das|es|der|die|ich) (\w+ ){1,6}(und )?nicht (der|die|das|den|dem|am|im|in|vom|um|für|mit|auf|nach|aus|
                zum|zur)?( ?\w+){1,2}$
            sondern|ich (habe|hab|hatte) (\w+ ){0,3}(gesagt|gemeint|bestellt|gebeten)|ich meinte \w+
            (ich )?(meinte|meine) (nicht|den|die|das|eigentlich)
            das (stimmt|ist|war) (so )?(nicht (richtig|ganz|das|der|die|korrekt|was)|nicht|falsch)
            stimmt (so |aber )?nicht|falsch verstanden|verstanden sie mich falsch|missverst\w+
            (sie|du) (haben|hast) (mich |da |das )+(falsch|verwechselt|missverstanden)|verwechsel\w+
            eigentlich (ist|war|heiße|geht|meinte)|mit (\w+ )?(statt|anstatt|nicht mit)
            ^(nein|nee|ne|nö) (nein )?(das|der|die|es|ich|am|im|für|mein\w*|mit|um|in|nach)
        """),
        concludes=_any(r"(also|dann|das heißt)"),
        asks_on=_any(r"(und )?(für|auf|in|mit|von|zu|bis|ab|auch)"),
        states=_any(r"(nein )?(das ist|es ist|er ist|sie ist|ich bin|das war)"),
        spells=_any(r"(mit|ohne) (\w|doppel \w|th|ck|ph|ie)( am ende)?$"),
        openers=_set(
            "nee nö doch stimmt leider richtig gestern heute morgen montag dienstag mittwoch donnerstag freitag "
            "samstag sonntag klar natürlich halt stopp aha aber ach alles also dank danke dann eine entschuldigung "
            "frage genau gut guten hab hallo hi ich ja klar kurze mal moment morgen ne nein nur oh ok okay sag "
            "sagen sie so sorry tag und verstehe vielen äh"
        ),
        asking=_start(
            r"""
                (was|wer|wen|wem|wo|woher|wohin|wann|warum|wieso|weshalb|wozu|wie|welche|welcher|welches|welchen|
                    welchem|wieviel|wie viel|wie lange|womit|wofür|worüber|seit wann|ab wann|bis wann|um wieviel|
                    um wie viel|an wen|bei wem|mit wem|in welche[rsnm]?|auf welche[rsnm]?|für wen|von wo|
                    zu welche[rsnm]?|ab welche[rsnm]?)(?! (für ein (glück|schöner|tag)|ich (brauche|will|möchte)|
                    gesagt))
                (ist|sind|war|waren|hat|haben|habt|hast|kann|können|könnte|könnten|kannst|darf|dürfen|muss|müssen|
                    soll|sollen|sollte|sollten|gibt|gibt's|geht|geht's|wird|werden|wäre|würde|fährt|kommt|kostet|
                    braucht|brauche|bin|bekomme|kriege|nehmen|liefern|akzeptieren|verkaufen|bieten|machen|öffnen|
                    schließen|wissen|weißt|lohnt|stimmt|funktioniert|gilt|läuft|reicht|steht|liegt) (es|das|die|der|
                    den|ich|man|sie|du|wir|er|ihr|ihre?|mein\w*|da|hier|noch|heute|morgen|eine?|auch|denn|schon|sich|
                    dort|jemand|etwas|kinder|hunde|\w+)
            """,
            lead=r"""
                und|aber|also|ja|nein|okay|ok|gut|hallo|guten tag|guten morgen|entschuldigung|sorry|ach|oh|danke
                vielen dank|eine frage|ne frage|sagen sie mal|sagen sie|sag mal|moment|äh|so|genau|kurze frage
                ich hab ne frage|nur|alles klar|verstehe|dann|hi
            """,
        ),
        asking_anywhere=_any(r"""
            (?<!weiß nicht )(und |aber |\w+ )(wann|warum|wieso|wo|wie viel|wieviel|wie lange|
                welche[rsnm]?) (\w+ )*(ist|sind|kann|muss|soll|geht|kostet|gibt|hat|haben|man|ich|sie)
            was (mach|mache|soll|muss|kann) ich
        """),
        asks_indirectly=_any(r"""
            (ich )?(wollte|würde|möchte|hätte)( \w+){0,3} (fragen|wissen|frage)|(ich )?frage mich
            (können|könnten|kannst|könntest) (sie|du) (mir |uns |bitte |vielleicht |mal )*(sagen|erklären|verraten|
                beschreiben)( .*)?
            (wissen sie|weißt du|wissen sie zufällig) (ob|wann|wo|wie|was|wer|warum|welche\w*)
            (sagen sie mir|erklären sie mir|sag mir) (\w+ )?(wie|was|wann|wo|ob|warum)
            (ich )?(weiß|wüsste|wüßte) (nicht|gerne|gern)( \w+)? (ob|wann|wo|wie|was|wer|warum|welche\w*)
            (hab|habe|hätte) (da |mal |noch |nur )*(eine|ne|zwei|ein paar) (kurze )?fragen?
            mich (würde )?interessier\w*
        """),
        requesting=_start(
            r"""
                (können|könnten|könnte|kannst|könntest|würden|würdest|dürfte|darf|kann) (sie|du|ich|man|wir)( \w+)+
                (ich|wir) (möchte|möchten|will|wollen|wollte|wollten|würde|würden|hätte|hätten|brauche|brauchen|
                    bräuchte|suche|suchen|rufe an|rufe|benötige|nehme|wünsche|muss)( \w+)+
                (bitte|mach|mache|machen sie|schalte?|schalten sie|stell|stelle|stellen sie|spiel|spiele|spielen sie|
                    sag|sage|sagen sie|gib|geben sie|schick|schicke|schicken sie|buche?|buchen sie|reservier\w*|
                    stornier\w*|änder\w*|ruf|rufen sie|verbinde\w*|erinner\w*|wiederhol\w*|erzähl\w*|lies|lesen sie|
                    schreib\w*|such\w*|zeig\w*|hilf|helfen sie|nenn\w*|erklär\w*|übersetz\w*|bestell\w*|kündig\w*|
                    trag\w*|tragen sie|notier\w*|lösch\w*|sende\w*|prüf\w*|schau\w*|ignorier\w*|vergiss|vergessen sie|
                    antworte\w*|leg\w*|füg\w*|dreh\w*|öffne\w*|schließ\w*|start\w*|stopp\w*|empfiehl|empfehlen sie|
                    berechne\w*|nimm|nehmen sie|bring\w*|hol|holen sie|lass|lassen sie|setz\w*|verschieb\w*|
                    streich\w*|aktivier\w*|sperr\w*|entsperr\w*|verrat\w*|sprich|sprechen sie|tu|tun sie|verlänger\w*|
                    einmal|zweimal)( \w+)+
                (\w+ ){1,6}bitte$
            """,
            lead=r"""
                und|aber|also|ja|okay|ok|gut|hallo|guten tag|guten morgen|entschuldigung|sorry|ach|oh|danke
                vielen dank|bitte|dann|jetzt|hi|hey|ab sofort|so|äh|nein|alles klar
            """,
        ),
        requesting_anywhere=_any(r"""
            (können|könnten|kannst|könntest|würden) (sie|du) \w+|bitte
            (ich|wir) (möchte|möchten|würde gern\w*|hätte gern\w*|brauche|bräuchte|will)(?= )|(möchte|würde) ich
        """),
        about_instructions=_any(r"""
            (deine|ihre|alle|diese|vorherigen) (\w+ )?(anweisungen|regeln|vorgaben)
            (ignorier|vergiss)\w* (alles|alle|sie)|prompt|systemprompt
        """),
        agent_asks=_any(r"""
            (nennen|sagen|geben|lesen|buchstabieren|bestätigen|wiederholen|beschreiben|erzählen) sie( .*)?
            (erzähl|sag|nenn)\w* mir|ich (brauche|benötige) (noch )?(ihre?n?|die|den|das)|ihre? \w+ bitte
        """),
        agent_asks_openly=_any(r"""
            (was (ist|war) (passiert|los|geschehen)|was gibt's neues|was haben sie|wie (war|geht|läuft|lief|weit|
                ist es|kam|sieht)|erzählen sie|erzähl mal|beschreiben sie|warum|weshalb)(.*)
        """),
        agent_offers_help=_any(r"""
            (wie|was|womit) (kann|können|darf|dürfen) (ich|wir) (ihnen |dir |für sie |heute )*(helfen|tun|behilflich|
                weiterhelfen)
            worum geht('s| es)|was kann ich|kann ich (ihnen )?helfen|was möchten sie|was haben sie auf dem herzen
        """),
        agent_answers_phone=_any(r"guten (tag|morgen|abend)|hallo|willkommen|mein name ist|am apparat"),
        agent_asks_trouble=_any(r"""
            was (fehlt|ist das problem|ist kaputt|funktioniert)|wo (tut|drückt)|welche (beschwerden|symptome)|notruf
            was ist denn los|welches problem
        """),
        agent_confirms=_any(r"""
            (richtig|korrekt|stimmt das|oder|ja|nicht wahr|ist das richtig)$
            (sie meinen|meinen sie|also|sie möchten|sie heißen|sie sind|haben sie gesagt)( .*)?
        """),
        agent_anything_else=_any(r"""
            (sonst|noch) (noch )?(etwas|was|irgendetwas)|noch weitere fragen|noch fragen
        """),
        agent_wellbeing=_any(r"wie geht('s| es)( .*)?"),
        but=_any(r"aber|trotzdem|immer noch|noch immer"),
        own=_any(r"ich|mein\w*|mir|mich|wir|uns|unser\w*"),
        finite=_any(r"""
            ist|sind|war|hat|habe|hab|haben|wird|kann|muss|soll|will|möchte|ich|er|sie|es|wir|man|\w{3,}t
        """),
        garbled=_any(r"""
            (der|die|das|ein|eine) (und|für|von|mit|auf|in|zum|der|die) (und|für|von|mit|auf|in|zum|der|die)
        """),
        side_talk=_any(r"""
            (ich bin|bin|mama ist|papa ist|mama|papa) (gerade |grad |noch |mal )*(am telefon|telefoniert|
                am telefonieren)
            ich telefoniere
            (die|der|es|sie|er) (will|wollen|fragt|fragen|möchte) (\w+ )?(nach|unsere?n?|wissen|die|den)
            (essen|abendessen) ist fertig|geh (spielen|in dein zimmer|ins bett|raus|zu papa|zu mama)
            hör auf (zu )?(schreien|bellen|hauen|weinen|damit)
            lass (deine|deinen|das|den|die) (bruder|schwester|hund|katze|sein|liegen|in ruhe)|runter (vom|von) \w+
            aus jetzt|sitz|platz|böser hund|braver hund|frag (mama|papa|deine\w*)|komm (her|sofort|mal her|runter)
            nicht anfassen|fass das nicht an
        """),
        side_talk_if_asked=_any(r"""
            (machst|kannst|hast|weißt|gibst|bringst|holst) du( .*)?
            wie (ist|war|lautet) (nochmal |noch mal )?unsere?( .*)?
            wo (ist|sind|liegt|hab|habe) (ich |denn |nochmal )*(der|die|das|meine?|unsere?|mein)( .*)?
            mach (mal )?(die|den|das) (tür|fenster|fernseher|radio|musik|herd)( .*)?
        """),
        vocative=_any(r"""
            (schatz|schatzi|liebling|mama|papa|mutti|vati|kinder|mausi|süße|süßer|oma|opa|jungs|mädels)(?! (ist|hat|
                war|und|liegt|wird|starb))
            (?<!meine )(?<!mein )(?<!der )(?<!die )(?<!das )(schatz|liebling|mama|papa|kinder)$
        """),
        to_others=_start(
            r"""
                (machst|kannst|hast|mach|komm|geh|hör|lass|gib|hol|bring|warte|sei|nimm|leg|stell|schließ|nicht|wo|
                    was|wie|wer|weißt|willst|bist|könntest|ich bin|ich komme|gleich|pass auf|runter|zieh|räum|iss|
                    frag|sag|guck|schau|setz)( .*)?
            """,
            lead=r"""
                schatz|schatzi|liebling|mama|papa|kinder|oma|opa|hey|nein|ja|psst|ach|oh|und|bitte|süße|\w+
            """,
        ),
    )


@cache
def _french() -> _Rules:
    return _Rules(
        fillers=_set("euh heu hum hm hmm mm ah um uh ben bah hein"),
        fillers_at_end=_set("hein hm ah"),
        noise=_any(r"""
            (ha|hé|hi|ah)+h?|[bcdfghjklmnpqrstvwxz]{3,}|hm|mm|a+tchoum|o+uf+|pf+|a+ïe+|bof|oups
        """),
        cut_off=_any(r"""
            (le|la|les|un|une|des|du|de|et|ou|mais|car|parce que|que|mon|ma|mes|ton|ta|votre|vos|notre|nos|leur|au|
                aux|pour|avec|dans|sur|sans|chez|vers|à|donc|très|si|quand|comme|dont|c'est|j'ai|je suis|il y a|
                je voudrais|je voulais|j'aimerais|enfin|puis|et puis|du coup|alors)$(?<!^alors)(?<!^si)(?<!^enfin)
            (numéro|nom|adresse|code|problème|chose|mail) (est|c'est|était)( que)?$
        """),
        may_end_with=_any(r"""
            (en|est|sont|était|je|tu|il|elle|on|nous|vous|qui|par|me|te|se|je peux|je veux|il faut|où)$
        """),
        strands=_any(r"qui|quoi|où|quel\w*|comment|combien|quand|que|qu'\w+"),
        hold=_start(
            r"""
                (attendez|attends|patientez|une (seconde|minute|petite seconde|petite minute)|un (instant|moment|
                    petit instant|petit moment)|deux (secondes|minutes)|ne quittez pas|ne raccrochez pas|je reviens|
                    laissez-moi|laissez moi|laisse-moi|donnez-moi|donnez moi|je (cherche|prends|regarde|vérifie|
                    vais chercher|note))( (un|une|deux|s'il vous plaît|instant|moment|seconde|secondes|minute|peu|
                    juste|petit|petite|voir|le temps))*
            """,
            lead=r"""
                oh|oui|non|pardon|excusez-moi|euh|ok|bon|ah|juste|s'il vous plaît|mais|alors
            """,
        ),
        hold_at_end=_any(r"""
            (un instant|un moment|une (seconde|minute)|attendez|attends)( s'il vous plaît)?$
        """),
        hush=_around(
            r"""
                stop|arrêtez?( de parler)?|taisez[- ]vous|tais[- ]toi|chut|silence|(ça )?suffit|assez
                laissez[- ]moi (parler|finir|terminer)|(je n'|j')ai pas (fini|terminé)|moins fort
            """,
            r"""
                oui|non|ok|bon|s'il vous plaît|s'il te plaît|maintenant|un instant|un moment|là|mais|c'est bon
                attendez|merci
            """,
        ),
        fetches=_start(
            r"""
                je (cherche|prends|regarde|vérifie|vais (chercher|voir|regarder|prendre))
                laissez-moi (chercher|regarder|voir|réfléchir|prendre)|il faut que je (cherche|regarde|retrouve)
            """,
            lead=r"oui|ok|bon|alors|attendez|d'accord",
        ),
        busy=_any(r"""
            je .*|j'ai .*|s'il vous plaît|on .*|il y a .*|que je .*|mon .*|ma .*|le temps .*|quelqu'un .*|ça .*
            c'est .*|moi .*|le .*|la .*|les .*
        """),
        farewell=_any(r"""
            au revoir
            à (bientôt|demain|plus|plus tard|tout à l'heure|la prochaine|lundi|mardi|mercredi|jeudi|vendredi)|salut$
            adieu|bonne (journée|soirée|nuit|fin de journée|continuation|après-midi)|bon (week-end|après-midi)|ciao
            bye
        """),
        farewell_at_end=_any(r"""
            (au revoir|à (bientôt|demain|plus)|bonne (journée|soirée|nuit)|ciao|bye)$
        """),
        closing=_any(r"""
            (ce sera|ça sera|c'est|c'était|ça ira) (tout|bon|comme ça)|rien d'autre|plus rien
            je n'ai (plus|pas) besoin
        """),
        agrees=_made_of(r"""
            oui|ouais|ok|okay|d'accord|daccord|bien|très bien|bon|ah|oh|ah bon|ah oui|ah d'accord|entendu|compris
            je comprends|je vois|exact|exactement|tout à fait|c'est ça|c'est exact|voilà|parfait|super|génial|bien sûr
            absolument|évidemment|certainement|effectivement|en effet|mhm|mm|ça marche|ça me va|c'est bon|pas de souci
            pas de problème|volontiers|si|vas-y|allez-y|juste|c'est noté|noté|hum|mouais|et|alors|donc|sûr|je crois
            je pense|oui oui|bien entendu|ça va|c'est vrai|vrai|c'est correct
        """),
        refuses=_made_of(r"""
            non|nan|pas vraiment|pas encore|pas du tout|jamais|rien|aucun|aucune|je ne crois pas|je crois pas
            je ne pense pas|je ne sais pas|je sais pas|aucune idée|pas tellement|surtout pas|moi non plus|oh|bah
        """),
        accepts=_any(r"""
            (oui|non|ok|volontiers)? ?(s'il vous plaît|s'il te plaît|svp)|non merci|oui merci|oui volontiers
            avec plaisir|oui avec plaisir
        """),
        reacts=_made_of(r"""
            ah|oh|ah bon|vraiment|intéressant|très intéressant|c'est intéressant|dis donc|dites donc|tiens|tiens donc
            waouh|ouah|incroyable|je ne savais pas|c'est fou|oui|d'accord|ça alors|sans blague
        """),
        agrees_first=_any(r"""
            oui|ouais|d'accord|exactement|tout à fait|c'est ça|bien sûr|si|voilà|effectivement
        """),
        refuses_first=_any(r"non|pas encore|pas vraiment|pas du tout|jamais|nan"),
        denies=_start(
            r"non|nan|en fait|attendez|pas du tout|mais non|si si",
            lead=r"euh|ah|oh|pardon|mais|excusez-moi",
        ),
        thanks=_any(r"""
            (un grand |grand |mille |mais )?merci( (beaucoup|bien|infiniment|encore|à vous|mille fois|d'avance|
                pour (tout|votre|ton|l'info|ça|la|le|les)( \w+)?))*
            (c'est|vous êtes) (très |vraiment |trop |bien )*(gentil|gentille|aimable|sympa)( de votre part)?
            vous m'avez (bien |beaucoup )?(aidée?|sauvée?)
        """),
        polite=_any(r"""
            oui|non|ok|okay|d'accord|bon|bien|très|très bien|parfait|super|génial|alors|ah|oh|et|voilà|c'est|tout|noté
            monsieur|madame|mademoiselle|à vous|vous aussi|également|pareillement|de même|pour|votre|aide|c'est bon
            entendu|compris|beaucoup|encore|c'est moi|moi|il y a quelqu'un|quelqu'un|vous m'entendez
            comment allez-vous|allez|vous|ça va|comment|à tous|donc|eh|va
        """),
        greeting=_start(
            r"bonjour|bonsoir|salut|allô|allo|coucou|hello|rebonjour|re bonjour",
            lead=r"oui|ah|oh|euh|eh|allô|allo",
        ),
        greets_only=_any(r"""
            il y a quelqu'un|y a quelqu'un|(vous m'|tu m')entend\w+|vous êtes là
            comment (allez[- ]vous|ça va|vas[- ]tu|va)|ça va|c'est (moi|encore moi)
            (ici|je m'appelle|c'est (monsieur|madame|mademoiselle)) \w+( à l'appareil)?$|enchantée?
        """),
        introduces=_any(r"^(\w+ ){1,3}(je m'appelle|je suis (madame|monsieur)) \w+( \w+)?$"),
        emergency=_any(r"""
            (ne )?respire (plus|pas|mal)|(n'arrive|arrive|peut|peux) (plus |pas )*(à )?respirer
            mal (à|dans) la poitrine|douleurs? (à|dans) la poitrine|saigne\w*|inconsciente?|évanoui\w*|malaise
            s'est effondré\w*|crise cardiaque|infarctus|avc|convuls\w+|s'étouffe|étouff\w+|empoisonn\w+|avalé|incendie
            (il y a|y a) le feu|le feu (à|dans|chez)|en feu|brûle|fumée
            (odeur|sent|sens) (\w+ )?(le |de |du )?(gaz|brûlé|fumée)|ambulance|urgence|samu|pompiers|cambriol\w+
            (entre|entrer|rentrer) (dans|par|chez)( \w+)* (maison|fenêtre|porte|moi)
            (me suit|me menace|me frappe|me bat|agress\w+)|est tombée?|tombée? (dans|par|de)|(me|se) (tuer|suicider)
            suicid\w+|en finir|(plus envie|envie) de (vivre|mourir)|mourir|accident|réveille (pas|plus)
            (réagit|bouge) (pas|plus)|perd (ses|les) eaux
        """),
        grief=_any(r"""
            morte?s?|décéd\w+|décès|est partie? (hier|ce|cette|la)|disparu\w*|enterrement|obsèques|funérailles|deuil
            veuve?|veuf|fausse couche|cancer|tumeur|chimio\w*|diagnosti\w+|leucémie|démence|alzheimer|phase terminale
            (m'a|nous a|l'a) (quittée?|larguée?|trompée?|volée?|virée?|licenciée?|abandonnée?|plaquée?)|licencié\w*
            viré\w*|chômage|divorc\w+|sépar(é|ée|és|ation)|rupture|expuls\w+|à la rue|faillite|brûlé\w*|inond\w+
            volé\w*|cambriolé\w*|agressé\w*|arnaqu\w+|escroqu\w+|refus(é|ée|és)
            perdu (mon|ma|mes|notre|nos|son|sa|un|le|la|tout)|raté|échoué|recalée?|déprim\w+
            seule? (au monde|tout le temps)|si seule?|trop seule?|triste|désespér\w+|effondr\w+|angoiss\w+
            (très |si |trop |tellement )?peur|inquiète?|pleur\w+|n'en peux plus|à bout
            perdue?(?! (\w+ )?(kilos|poids))|hospitalis\w+|à l'hôpital|aux urgences|mauvaise nouvelle|me manque
            piqu(er|é|ée) (mon|notre|le) (chien|chat)|euthanasi\w+
        """),
        anger=_any(r"""
            honte|honteux|inadmissible|inacceptable|scandal\w+|ridicule|n'importe quoi|merde|putain|bordel|chier
            connard\w*|con(ne)?s?|marre|ras le bol|ras-le-bol|en ai assez|j'en ai assez
            vous (vous )?(moquez|foutez|fichez)|se (moque|fout|fiche) de (moi|nous)|moquez de|foutage|c'est une blague
            une plaisanterie|vous plaisantez|vous rigolez|incompétent\w*|nuls?|nulle|idiot\w*|stupide\w*|menteur\w*
            voleurs?|arnaqueurs?|avocat|plainte|réclamation|porter plainte
            (ça fait|depuis|voilà) (\w+ ){1,4}(semaines?|jours?|heures?|mois|minutes|ans) que (j'attends|je|on|vous|
                nous)
            j'attends (depuis|toujours|encore)|(troisième|quatrième|cinquième|dixième|énième) fois
            (trois|quatre|cinq|dix|vingt) fois (que|déjà)|personne (ne )?(répond|décroche|rappelle|m'aide|sait|me)
            toujours (pas|rien)|remboursez|mon argent|prélevée? (deux|trois)
            (débit\w+|factur\w+|prélev\w+) (deux|trois|en double)|furieu\w+|énerv\w+|en colère|bravo(?! merci)
            c'est du vol|insupportable|catastrophe|catastrophique|lamentable|jamais vu ça
        """),
        trouble=_any(r"""
            (ne )?(marche|fonctionne|démarre|s'allume|répond|charge|s'ouvre|chauffe|arrive|arrivé|reçu|passe|coule|
                connecte|part|s'affiche|imprime|trouve|peux|peut|arrive à|retrouve) (plus|pas|toujours pas|rien|
                jamais|mal)
            (pas|jamais|rien|toujours pas) (\w+ )?(reçu|arrivée?|livrée?|marché|fonctionné)|en panne|panne|cassée?s?
            casse|fissur\w+|fuite|fuit|bouch\w+|bloqu\w+|coinc\w+|gel(é|ée)|plant(e|é)|tomb(e|é|ée) en panne|erreur\w*
            problèmes?|souci|bug\w*|plus (de|d') ?(courant|eau|internet|électricité|chauffage|réseau|wifi)|plus d'\w+
            pas de (courant|réseau|wifi|chauffage|connexion|réponse|nouvelles)
            sans (eau|électricité|internet|chauffage)|perdu|égar\w+|oubli\w+|retard|annulé\w*|mauvaise?|trompée?s?
            abîm\w+|défectueu\w+|endommag\w+|mal (à|au|aux|de|partout)|douleur\w*|fièvre|vomi\w*|malade|blessée?
            vertige\w*|nausée\w*|allergie|boutons|dette\w*|découvert|amende|pirat\w+|fraude|débit\w+ (par|deux)|bruit
            sale|froid|moisi\w*|impossible|coupure|coupée?
        """),
        good_news=_any(r"""
            (j'ai|on a|il a|elle a|nous avons) (\w+ )?(réussi|gagné|obtenu|décroché|eu (mon|le|la|son) (bac|permis|
                poste|diplôme|boulot|job))
            (suis|est|été) (prise?|admise?|promue?|acceptée?|embauchée?|reçue?|enceinte)
            (va|vais|allons) (avoir|être) (un bébé|papa|maman|parents)|attend(s|ons)? un (bébé|enfant)|on se marie
            je me marie|fiancée?s?|est née?|bonne nouvelle
            (si|tellement|trop|très) (content|contente|heureux|heureuse|fier|fière)
            ça (marche|fonctionne) (enfin|maintenant|bien|parfaitement)|guérie?|va mieux|beaucoup mieux
        """),
        harmless=_any(r"""
            (pas|aucun|sans) (de )?(problèmes?|souci|soucis)|(morte?s? de (rire|faim|fatigue|soif))
            (perdu|perdre) (\w+ )?(kilos|poids|du poids)|pas mal|j'ai hâte|fait plus mal|si ça ne vous dérange pas
            con carne|eau (froide|chaude)|froide? (eau|boisson)|à tort|nul besoin|mort subite|pas grave|bon débarras
        """),
        corrects=_any(r"""
            (non|nan|mais) (\w+ ){0,4}pas|pas (\w+ ){1,3}(j'ai dit|mais|c'est)|(j'ai|j'avais) (dit|demandé|commandé)
            je (voulais|veux) (dire|parler)|je parl(e|ais) de
            ce n'est pas (ça|ce que|le|la|mon|ma|correct|exact|vrai|juste|celui|celle|bon)
            c'est pas (ça|ce que|le|la|mon|ma|bon|vrai|juste)|c'est (faux|inexact|incorrect)
            vous (vous )?(trompez|êtes trompée?|avez mal|confondez)|mal (compris|entendu|noté)
            en fait (c'est|je|il|elle|non|mon|ma|le|la|on)
            pas (le|la|les|à|de|du|en|un|une|chez|pour|au)? ?\w+( \w+)?$|plutôt (le|la|à|en|pour)
            ^non (non )?(c'est|c'était|le|la|à|pour|je|mon|ma|en|pas|plutôt)
        """),
        concludes=_any(r"(donc|alors|du coup)"),
        asks_on=_any(r"(et )?(pour|en|avec|de|à|jusqu'à|depuis|même)"),
        states=_any(r"(non )?(c'est|c'était|il est|elle est|je suis)"),
        spells=_any(r"(avec|sans) (un |une |deux )?\w( à la fin)?$"),
        openers=_set(
            "exactement voilà hier demain aujourd'hui lundi mardi mercredi jeudi vendredi samedi dimanche "
            "malheureusement effectivement ah allô alors attendez attends bien bon bonjour bonsoir coup d'accord "
            "dites dites-moi donc du et euh excusez-moi mais merci non ok oui pardon plaît puis question s'il sinon "
            "super très une vous"
        ),
        asking=_start(
            r"""
                (est-ce que?|est-ce qu'\w+|est ce que?|qu'est-ce|qu'est ce|qui est-ce|quel(le)?s?|quand|où|comment|
                    pourquoi|combien|qui|à qui|à quelle?|à quoi|de quoi|d'où|avec qui|jusqu'à (quand|quelle)|
                    depuis (quand|combien)|c'est (quoi|quand|où|combien|à quelle|possible)|de quel(le)?s?|
                    dans quel(le)?|pour quelle?|sur quelle?|que (faire|dois|veut|signifie|se passe|faut|puis|pensez|
                    devient)|qu')(?! (dommage|horreur|honte|malheur|chance))
                (avez|pouvez|pourriez|êtes|faites|savez|acceptez|livrez|vendez|prenez|est|sont|a|ai|puis|dois|peut|
                    faut|ont|fait|sera|était|peux|as|es)[- ]?t?[- ](vous|il|elle|on|je|tu|ce|ils|elles|y)
                (vous|tu) (avez|faites|êtes|livrez|prenez|acceptez|vendez|ouvrez|fermez|proposez|savez|as|es)( .*)?
                (on peut|je peux|je dois)( .*)?
            """,
            lead=r"""
                et|mais|alors|donc|bonjour|bonsoir|oui|non|pardon|excusez-moi|d'accord|ok|merci|euh|ah|bon|dites
                dites-moi|une question|du coup|attendez|attends|s'il vous plaît|allô|sinon|et puis|très bien|super
            """,
        ),
        asking_anywhere=_any(r"""
            est-ce qu\w*|qu'est-ce qu\w*
            (?<!pas )(pourquoi|combien|comment|à quelle heure|où) (\w+ )*(est|sont|je|vous|on|il|ça|coûte|dois|faire|
                puis)
            c'est combien|c'est (quoi|quand|où)
        """),
        asks_indirectly=_any(r"""
            je (me )?(demandais|demande|voulais savoir|voudrais savoir|cherche à savoir|voulais demander|
                voulais vous demander)
            j'aimerais (savoir|bien savoir|comprendre|connaître)
            (pouvez|pourriez|peux|pourrais)[- ](vous|tu) (me |nous |m')?(dire|expliquer|indiquer|renseigner|préciser)
            vous (pouvez|pourriez) me (dire|expliquer|indiquer)|(savez|sauriez)[- ]vous
            vous savez (si|quand|où|comment|à quelle|combien|pourquoi)
            (dites|dis|expliquez)[- ]moi (si|quand|où|comment|combien|pourquoi|ce que|à quelle|quel\w*)
            je (ne )?sais pas (si|quand|où|comment|combien|à quelle|quel\w*)
            (j'ai|j'aurais|une) (une )?(petite )?question
        """),
        requesting=_start(
            r"""
                (pouvez|pourriez|peux|pourrais|voulez|voudriez|puis|pourrait|serait|auriez)[- ](vous|tu|je|on|il|
                    elle)( .*)?
                (vous (pouvez|pourriez)|tu (peux|pourrais)|est-ce que (vous (pouvez|pourriez)|je (peux|
                    pourrais) (avoir|parler|prendre|réserver|changer|annuler)|tu peux)|il (faudrait|me faudrait|
                    me faut)|ça vous (dérangerait|embêterait)|serait-il possible|c'est possible (de|d'))( .*)?
                (je (voudrais|veux|souhaite|souhaiterais|voulais|cherche|vous appelle|t'appelle|appelle|prendrai|
                    prends|viens)|j'(aimerais|ai besoin|appelle|aurais (besoin|voulu)|avais besoin)|on (voudrait|
                    aimerait)|nous (voudrions|aimerions|souhaitons))( .*)?
                (mets|mettez|allume|allumez|éteins|éteignez|appelle|appelez|envoie|envoyez|réserve|réservez|annule|
                    annulez|change|changez|répète|répétez|dis|dites|donne|donnez|lis|lisez|cherche|cherchez|ouvre|
                    ouvrez|ferme|fermez|ajoute|ajoutez|rappelle|rappelez|aide|aidez|passe|passez|transfère|transférez|
                    raconte|racontez|explique|expliquez|écris|écrivez|montre|montrez|joue|jouez|arrête|arrêtez|ignore|
                    ignorez|oublie|oubliez|réponds|répondez|traduis|traduisez|note|notez|supprime|supprimez|confirme|
                    confirmez|vérifie|vérifiez|modifie|modifiez|baisse|baissez|monte|montez|commande|commandez|fais|
                    faites|prends|prenez|recommande|recommandez|calcule|calculez|parle|parlez|résiliez|bloquez|
                    programmez|programme|épelez|épelle)([- ]\w+| \w+)+
                (\w[\w'-]* ){1,6}(s'il vous plaît|s'il te plaît|svp)$
            """,
            lead=r"""
                et|mais|alors|donc|bonjour|bonsoir|oui|non|pardon|excusez-moi|d'accord|ok|merci|euh|ah|bon
                s'il vous plaît|allô|maintenant|sinon|aussi|très bien|désormais
            """,
        ),
        requesting_anywhere=_any(r"""
            (pouvez|pourriez|peux)[- ](vous|tu) \w+|vous (pouvez|pourriez) \w+|s'il (vous|te) plaît
            je (voudrais|souhaite|veux)|j'(aimerais|ai besoin)|je vous appelle (pour|car|parce)
        """),
        about_instructions=_any(r"""
            (tes|vos|les) (instructions|consignes|règles)|(ignore|oublie|ignorez|oubliez) (tout|toutes)|prompt
        """),
        agent_asks=_any(r"""
            (donnez|dites|indiquez|épelez|lisez|confirmez|précisez|répétez|racontez|décrivez|expliquez)(-moi)?( .*)?
            (votre|vos) (\w+ ){0,4}s'il vous plaît|j'(ai|aurais) besoin (de votre|du|de la)
            il me faut(drait)? (votre|le|la)|je vous écoute
        """),
        agent_asks_openly=_any(r"""
            (que s'est-il passé|qu'est-ce qui (s'est passé|se passe|vous|ne va)|que se passe-t-il|racontez|
                comment (allez|ça|s'est|était|vous sentez|se passe|va)|quoi de neuf|décrivez|expliquez|parlez-moi|
                pourquoi)(.*)
        """),
        agent_offers_help=_any(r"""
            (comment|en quoi|que|qu'est-ce que) (puis-je|je peux|pouvons-nous|peut-on)( .*)?|puis-je vous aider
            je vous écoute|que (désirez|souhaitez)[- ]vous|c'est à quel sujet
        """),
        agent_answers_phone=_any(r"bonjour|bonsoir|bienvenue|à votre écoute|à l'appareil"),
        agent_asks_trouble=_any(r"""
            quel est (le|votre) problème|qu'est-ce qui ne (va|marche|fonctionne)|où avez-vous mal|quels symptômes
            urgences|quel est le souci
        """),
        agent_confirms=_any(r"""
            (c'est bien ça|c'est ça|c'est exact|n'est-ce pas|correct|c'est correct|d'accord)$
            (vous voulez dire|vous avez dit|donc|c'est bien|vous êtes bien|vous parlez de|vous souhaitez)( .*)?
        """),
        agent_anything_else=_any(r"""
            (autre chose|besoin d'autre|d'autres questions|ce sera tout|encore quelque chose)
        """),
        agent_wellbeing=_any(r"comment (allez[- ]vous|ça va|vas[- ]tu)( .*)?|vous allez bien"),
        but=_any(r"mais|toujours|encore"),
        own=_any(r"je|j'\w+|mon|ma|mes|me|m'\w+|nous|notre|nos|moi|on"),
        finite=_any(r"""
            est|sont|a|ont|ai|suis|c'est|j'ai|il|elle|je|on|nous|vous|ça|était|fait|va|peut|\w+(ait|ons|ez)
        """),
        garbled=_any(r"""
            (le|la|un|une|pour) (de|et|pour|le|la|sur|dans)(?= )(?! (la|les|le|l))
        """),
        side_talk=_any(r"""
            (je suis|maman est|papa est) (encore |déjà )?(au|en) (téléphone|ligne|communication)
            (il|elle|ils|on) (me |nous )?(demande|demandent|veut|veulent) (le|la|notre|si|mon|ton|savoir)|à table
            va (jouer|dans ta chambre|te coucher|demander|voir)
            arrête (de (crier|courir|sauter|taper|pleurer)|d'aboyer|ça)|laisse (ta|ton|le|la) (sœur|frère|chien|chat)
            descends (de là|du)|viens ici|viens là|assis|couché|touche pas|pas touche|vilain chien
            demande à (papa|maman|ton|ta)
        """),
        side_talk_if_asked=_any(r"""
            (où (est|sont|as-tu mis|t'as mis|j'ai mis)|c'est quoi (notre|déjà)|tu (peux|as|sais|te souviens|pourrais)|
                baisse (la|le) (télé|musique|son|radio)|ferme la \w+|éteins (la|le) (télé|four|gaz|radio))( .*)?
        """),
        vocative=_any(r"""
            (chéri|chérie|maman|papa|mon cœur|mon amour|les enfants|mon chéri|ma chérie|mamie|papi|loulou|
                les gars)(?! (est|a|était|et|va|dit|vient))
            (?<!ma )(?<!mon )(?<!ta )(chéri|chérie|maman|papa|les enfants|mon amour)$
        """),
        to_others=_start(
            r"""
                (arrête|viens|va|descends|laisse|donne|pose|ferme|ouvre|éteins|baisse|passe|attends|regarde|mange|
                    assieds|tais|touche|tu|où|c'est quoi|qu'est-ce|on|j'arrive|pas maintenant|non|peux|fais|range|
                    apporte|prends|sors|monte|mets|dis|as|est-ce)([- ].*)?
            """,
            lead=r"""
                chéri|chérie|maman|papa|mon cœur|mon amour|les enfants|hé|eh|non|oui|chut|et|oh|dis|\w+
            """,
        ),
    )


@cache
def _portuguese() -> _Rules:
    return _Rules(
        fillers=_set("hum hm hmm mm ah uh eh ahn hã hein né"),
        fillers_at_end=_set("né hein hm ah hã"),
        noise=_any(r"""
            (ha|hi|he|ra)+h?|k{2,}|(rs)+|[bcdfghjklmnpqrstvwxz]{3,}|hm|mm|a+tchim|u+fa*|a+i+|ufa
        """),
        cut_off=_any(r"""
            (o|a|os|as|uma|uns|umas|e|ou|mas|porque|que|de|do|da|dos|das|no|na|nos|nas|com|para|pra|por|pelo|pela|em|
                meu|minha|meus|minhas|seu|sua|sem|se|quando|como|muito|então|tipo|aí|é que|ao|num|numa|eu|eu queria|
                queria|eu quero|preciso|eu tenho|tenho que|ou seja|quer dizer|
                assim)$(
                    (?<!^então)(?<!^tipo)(?<!^como)(?<!^aí)(?<!^assim)(?<!por que)(?<!é assim)(?<!isso aí)
                    (?<!mesmo assim)(?<!está aí))
            (número|nome|endereço|código|email|e-mail|problema|coisa) (é|era)( que)?$
        """),
        may_end_with=_any(r"""
            (está|são|foi|me|te|lhe|ele|ela|a gente|nós|até|desde|sobre|vou|posso|pode|ter)$
        """),
        strands=_any(r"que|quem|onde|qual|como|quando|quanto"),
        hold=_start(
            r"""
                (espera|espere|espera aí|peraí|pera aí|pera|aguarda|aguarde|calma|calma aí|(só )?(um|uns) (momento|
                    momentinho|segundo|segundinho|minuto|minutinho|instante|pouquinho)|me dá um \w+|já volto|
                    não desliga|não desligue|deixa eu (pegar|ver|procurar|olhar|anotar|achar|buscar|pensar|abrir)|
                    vou (pegar|buscar|procurar|ver))( (um|uns|só|aí|pouco|pouquinho|momento|momentinho|minuto|
                    minutinho|segundo|segundinho|por favor|que))*
            """,
            lead=r"ah|oi|opa|não|sim|tá|desculpa|desculpe|ok|então|moça|moço|olha|ai",
        ),
        hold_at_end=_any(r"""
            (um (momento|momentinho|minutinho|segundo|instante)|peraí|espera aí)( por favor)?$
        """),
        hush=_around(
            r"""
                para|pare|parou|(já )?chega|basta|silêncio|(fica )?quiet[oa]|cal[ae] a boca|psiu|shh|par[ae] de falar
                deixa eu (falar|terminar)|não terminei|ainda não terminei
            """,
            r"""
                tá|não|sim|ok|por favor|agora|um momento|tá bom|já entendi|calma|moç[oa]|espera|aí|peraí|obrigad[oa]
            """,
        ),
        fetches=_start(
            r"""
                deixa eu (pegar|ver|procurar|olhar|anotar|achar|buscar|pensar|abrir)|vou (pegar|buscar|procurar|ver)
                tô (procurando|pegando|achando)|estou procurando|tenho que (procurar|pegar|ver)
            """,
            lead=r"sim|tá|ok|ah|então|claro",
        ),
        busy=_any(r"""
            que .*|eu .*|deixa .*|por favor|estou .*|tô .*|vou .*|tenho .*|tem .*|meu .*|minha .*|o .*|a .*|já .*
            tão .*|alguém .*|tá .*|pegar .*|enquanto .*
        """),
        farewell=_any(r"""
            tchau(zinho)?|até (logo|mais|breve|amanhã|a próxima|depois|segunda)|adeus|falou|fui
            (tenha|tenham) (um|uma) (bom|boa|ótimo|ótima|excelente) \w+
            (um )?bom (dia|fim de semana|final de semana)( pra você| para você)|abraço|beijos?
            boa noite (pra|para) você
        """),
        farewell_at_end=_any(r"(tchau(zinho)?|até (logo|mais|breve|amanhã)|adeus)$"),
        closing=_any(r"""
            (é|era|seria|foi) (só )?(isso|só)( mesmo| aí)?|só isso|mais nada|nada mais|por enquanto é (só|isso)
            não preciso de mais nada
        """),
        agrees=_made_of(r"""
            sim|tá|ta|tá bom|tá certo|tá bem|ok|okay|certo|beleza|blz|claro|isso|isso mesmo|isso aí|exato|exatamente
            correto|com certeza|entendi|entendo|ah|oh|aham|uhum|ahã|sei|legal|bom|bem|ótimo|perfeito|pode ser|pode
            positivo|verdade|é|é verdade|é isso|combinado|fechado|está bem|está certo|tudo bem|joia|jóia|show|aceito
            quero|tenho|sou|foi|e|então|já|lógico|por mim tudo bem|acho que sim|ótima|valeu então|bacana|de acordo
            fechou
        """),
        refuses=_made_of(r"""
            não|nada|nunca|ainda não|nenhum|nenhuma|não sei|sei lá|não sei não|não lembro|acho que não|de jeito nenhum
            também não|negativo|nem|moça|moço|senhor|senhora
        """),
        accepts=_any(r"""
            (sim|tá|pode|não|ok|quero|quero sim)? ?por favor|não obrigad[oa]|sim obrigad[oa]
        """),
        reacts=_made_of(r"""
            ah|oh|nossa|uau|caramba|puxa|interessante|que interessante|que legal|legal|sério|é mesmo|não sabia
            que coisa|olha só|poxa|tá|sim|ah é|que bom|jura|incrível|eita
        """),
        agrees_first=_any(r"sim|isso|claro|exato|certo|tá|ok|aham|uhum|pode"),
        refuses_first=_any(r"não|ainda não|nunca|nem"),
        denies=_start(
            r"não|na verdade|espera|peraí|pera",
            lead=r"ah|oi|desculpa|desculpe|é|mas|olha|opa|moça|moço",
        ),
        thanks=_any(r"""
            (muito |muitíssimo )?(obrigad[oa]|obrigadão|valeu|agradeço|brigad[oa]|grat[oa])( (mesmo|demais|viu|moça|
                moço|pela|pelo|por|tudo|ajuda|atenção|informação|paciência))*
            (você|a senhora|o senhor) (me )?(ajudou|salvou)( (muito|bastante|demais))?
            (muito|super) (gentil|atencios[oa]|prestativ[oa])|ajudou (muito|demais|bastante)
        """),
        polite=_any(r"""
            tá|tá bom|ok|certo|então|é|isso|só|tudo|bom|bem|beleza|ah|oh|sim|não|perfeito|ótimo|legal|show|entendi|viu
            moça|moço|senhor|senhora|pra você|pra você também|para você|também|igualmente|e|muito|mesmo|por|por tudo
            com você|tudo bem|como vai|como você está|sou eu|de novo|eu|tem alguém aí|alguém aí|tá me ouvindo|me ouve
            aí|você|era|o|a
        """),
        greeting=_start(
            r"oi+|olá|ola|alô|alo|bom dia|boa (tarde|noite)|e aí|opa|fala",
            lead=r"ah|sim|oi|olá|opa|alô",
        ),
        greets_only=_any(r"""
            (tem alguém|alguém) aí|(você )?(tá|está) me (ouvindo|escutando)
            (tudo|td) (bem|bom|certo|joia)( com você| contigo)?|como (vai|você está|está|cê tá)
            (aqui é|meu nome é|sou|eu sou|quem fala é) (o |a )?\w+( \w+)?$|prazer|sou eu de novo
        """),
        introduces=_any(r"^(\w+ ){1,3}(aqui é|meu nome é|sou) (o |a )?\w+( \w+)?$"),
        emergency=_any(r"""
            não (está |tá )?(respira\w*|consegue respirar|consigo respirar|reage|acorda|responde|se mexe)|falta de ar
            sem ar|(dor|dores|aperto|pontada) (no|forte no|muito forte no) peito
            peito (tá |está )?(doendo|dói|apertado)|sangr\w+|desmai\w+|inconsciente|infarto|infartando|avc|derrame
            convuls\w+|engasg\w+|envenen\w+|engoliu|incêndio|pegando fogo|pegou fogo|fogo (na|no|em)|fumaça
            cheiro de (gás|fumaça|queimado)|vazamento de gás|ambulância|samu|bombeiro\w*|emergência|chama a polícia
            (tentando|tentam|querem) (entrar|invadir|arrombar)|invad\w+|arromb\w+|assalt\w+|ladrão
            me (seguindo|ameaç\w+|bateu|batendo|agredi\w+)
            (caiu|caí) (da|do|na|no|e|de|feio)(?! (golpe|conta|sistema|ligação|na conta))|me matar|suicíd\w+
            tirar minha vida|(não quero|não aguento) (mais )?viver|quero morrer|acidente|atropel\w+|bolsa estourou
        """),
        grief=_any(r"""
            morreu|morreram|morto|morta|morte|morrendo|falec\w+|velório|enterro|luto|viúv[oa]|aborto
            perdi (o|a|meu|minha|meus|minhas|tudo|um|uma)|perdeu (o|a|meu|minha|tudo|seu|sua)|perdemos|câncer|tumor
            quimio\w*|diagnostic\w+|diagnóstico|leucemia|demência|alzheimer|terminal
            (me|nos) (deixou|largou|traiu|abandonou|demitiram|mandaram embora|roubaram|furtaram|enganaram|despejaram)
            fui (demitid[oa]|mandad[oa] embora|roubad[oa]|assaltad[oa]|enganad[oa]|reprovad[oa]|traíd[oa]|
                rejeitad[oa])
            demitid[oa]|desempregad[oa]|divórci\w*|divorci\w+|separ(ei|ou|amos|ação)|despej\w+|faliu|falência|queimou
            incendi\w+|alagou|inund\w+|enchente|levaram (tudo|todo|meu|minha|o|a)|golpe|fraude|furt\w+|roub\w+
            depress\w+|deprimid[oa]|sozinh[oa] (no|demais|e)|tão sozinh[oa]|(muito |tão |estou |tô )triste
            desesperad[oa]|arrasad[oa]|destruíd[oa]|não aguento mais|chor(ando|ei|ar|o)|(com |tenho |muito )medo
            angústia|ansios[oa] demais|internad[oa]|na uti|no hospital|notícia ruim|má notícia|péssima notícia
            saudade dele|saudade dela|sinto (muita )?(a )?falta|negaram|negad[oa]|recusad[oa]|reprov\w+|sacrific\w+
        """),
        anger=_any(r"""
            absurdo|vergonha|palhaçada|ridícul\w+|inaceitável|inadmissível|um lixo|lixo|merda|porra|caralho|droga
            inferno|puta|desgraç\w+|saco cheio|de saco|cansad[oa] (de|disso)|farto|farta|não aguento (vocês|isso)
            brincadeira (né|comigo|isso)|tá (de )?brinca\w+|tão de brincadeira|estão brincando|tirando (com|sarro)
            me fazendo de (palhaç\w+|bob[oa]|trouxa)|incompetent\w+|inúte\w*|idiota\w*|burr[oa]s?|mentiros\w+|mentira
            ladrões|procon|advogad[oa]|process(ar|o) vocês|reclama(ção|r)|reclame aqui
            (terceira|quarta|quinta|décima|milésima) vez|(três|quatro|cinco|dez|mil) vezes (que|já|e)
            já (liguei|falei|reclamei|pedi)
            (há|faz|tem|tô há|estou há) (\w+ ){1,4}(dias|semanas|horas|meses|minutos|mês|semana|
                hora)( que)? (esperando|sem|tentando|ligando|eu|que|tô|estou)
            ninguém (atende|resolve|responde|ajuda|me|faz|sabe|liga)|cobraram (duas|em dobro|de novo|errado|a mais)
            cobrança indevida|meu dinheiro|dinheiro de volta|devolve|furios[oa]|irritad[oa]|revoltad[oa]
            put[oa] da vida|péssimo|péssima|que (beleza|maravilha) (hein|né|de)|descaso|falta de respeito
            até agora nada|nunca (resolvem|chega)
        """),
        trouble=_any(r"""
            não (\w+ )?(funciona\w*|liga|abre|carrega|chegou|chega|pega|conecta|entra|consigo|consegue|
                está funcionando|tá funcionando|veio|recebi|responde|sai|imprime|vai|acho|encontro|deu certo|dá)
            sem (luz|água|internet|sinal|energia|sistema)|quebr\w+|estrag\w+|trincad[oa]|rach(ou|ado|ada)|vaza\w*
            entupi\w+|travad[oa]|travou|trava|bloque\w+|perd(i|ido|ida)|esqueci|erros?|errad[oa]|problemas?|defeito
            falha\w*|atras\w+|cancelad[oa]|cancelaram|cobrad[oa]|cobrança|doendo|dói|dor|febre|vômit\w+|vomit\w+
            enjo\w+|doente|machuc\w+|tont[oa]|alergia|dívida|multa|hacke\w+|clon\w+|barulho|sujo|caiu|parou|sumiu
            danificad[oa]|com defeito|fora do ar|ruim|pior|mal
        """),
        good_news=_any(r"""
            (passei|passou) (no|na|em|de)|ganhei|consegui (o|a|um|uma|emprego)
            fui (promovid[oa]|aprovad[oa]|contratad[oa]|aceit[oa])|aprovad[oa] n[oa]
            vou (casar|ser (pai|mãe|tia|tio|avó|avô))|grávida|nasceu|noiv[oa]|notícia boa|boa notícia|ótima notícia
            (tão|muito) (feliz|content[ea]|orgulhos[oa])|tô (feliz|muito feliz)|estou (feliz|muito feliz)
            (?<!não )(funcionou|voltou a funcionar|está funcionando|tá funcionando)|curad[oa]|muito melhor|de alta
        """),
        harmless=_any(r"""
            (sem|não tem|nenhum) problemas?|não faz mal|morrendo de (rir|fome|vontade|saudade|sono)
            morta de (fome|cansaço)|morto de (fome|cansaço)|perdi (\w+ )?(quilos|peso|kilos)|nada mal|menos mal
            sem querer incomodar|se não for (incômodo|incomodar)|droga(ria)|caiu (bem|como)|dá pra|dor de cotovelo
        """),
        corrects=_any(r"""
            não (moça |moço |senhora |senhor |não )*(é|era|foi|no|na|o|a|eu|meu|minha|em|para|pra)(?= )
            (é|era|foi|no|na|o|a|para|pra|em) (\w+ ){1,5}(e )?não (é |era |o |a |no |na |em |para |pra |
                de )?\w+( \w+)?$
            (eu )?(disse|falei|quis dizer|pedi|queria dizer|tava falando|estava falando|me referia|tô falando)
            isso não (é|foi|está|tá)( o que)?|(está|tá|é) (errado|incorreto)|não foi (isso|o que)
            você (se enganou|entendeu (errado|mal)|errou|confundiu)|entendeu errado|na verdade(?= )
            (e )?sim (o|a|no|na|em)(?= )
        """),
        concludes=_any(r"(então|quer dizer que|ou seja)"),
        asks_on=_any(r"(e )?(para|pra|em|com|de|até|desde|por|no|na)"),
        states=_any(r"(não )?(é|era|são|sou|está)"),
        spells=_any(r"(com|sem) (um |dois )?\w( no final)?$"),
        openers=_set(
            "claro isso exato amanhã hoje ontem segunda terça quarta quinta sexta sábado domingo infelizmente nossa "
            "ah alô aí beleza boa bom certo desculpa desculpe dia diz dúvida e entendi então escuta espera fala "
            "favor legal mas me moça moço noite não obrigad[oa] oi ok olha olá peraí pergunta por que sim só tarde "
            "tá uma é"
        ),
        asking=_start(
            r"""
                (o que|que (horas?|dia|tipo|número|é|hora)|quem|qual|quais|quando|onde|aonde|de onde|para onde|
                    pra onde|como|quanto|quanta|quantos|quantas|por que|porque que|por quê|a que horas|até que|
                    até quando|desde quando|de quem|com quem|em que|(de|em|para|pra|com|a) qua(l|is)|cadê|
                    será que)(?! (pena|triste|eu (disse|falei|te)))
                (tem|têm|vocês|você|posso|podemos|pode|dá|é|está|tá|são|foi|vai|já|precisa|preciso|existe|ainda|
                    aceita|aceitam|fazem|entregam|abre|abrem|fecha|fecham|fica|funciona|vale|consigo|devo|custa|
                    chegou|sobrou|sabe|tinha) (pra|para|como|que|entregam|aceitam|tem|têm|fazem|um|uma|o|a|os|as|
                    algum|alguma|mais|de|no|na|em|ainda|possível|verdade|seguro|normal|grátis|eu|lá|aí|aberto|aberta|
                    desconto|entrega|levar|pagar|usar|ir|fazer|tomar|entrar|parcelar|caro|perto|longe|chegou|abriu|
                    saiu|\w+r)
            """,
            lead=r"""
                e|mas|então|oi|olá|bom dia|boa tarde|boa noite|alô|sim|não|desculpa|desculpe|tá|ok|certo|ah|moça|moço
                por favor|uma pergunta|uma dúvida|olha|me diz|me fala|espera|peraí|obrigad[oa]|aí|é que|escuta|só
                legal|beleza|entendi
            """,
        ),
        asking_anywhere=_any(r"""
            (o que (eu )?(faço|devo|posso|preciso|aconteceu|é|acontece)|será que|quanto (custa|é|fica|tempo|sai)|
                qual (é|o|a|seria)|quando (é|abre|chega|vai|sai|começa)|onde (fica|é|está|eu|posso)|como (que |
                é que )?(faço|eu faço|faz|funciona|posso)|por que(?= ))
        """),
        asks_indirectly=_any(r"""
            (eu )?(queria|gostaria de|quero|preciso) (saber|perguntar|entender|tirar uma dúvida)
            (pode|poderia|podia|consegue) me (dizer|falar|explicar|informar|confirmar)
            (você|vocês|a senhora|o senhor)? ?(sabe|sabem|saberia) (se|quando|onde|como|qual|quanto|me dizer|o que|
                que horas|por que)
            me (diz|diga|fala|fale|explica|explique) (se|quando|onde|como|qual|quanto|o que|por que|uma coisa)
            não sei (se|quando|onde|como|qual|quanto|o que)|(tenho|uma|tinha) (uma )?(dúvida|pergunta|perguntinha)
            (estava|tava|fiquei) (me )?perguntando|gostaria de (saber|entender)
        """),
        requesting=_start(
            r"""
                (você |vocês |a senhora |o senhor |cê )?(pode|poderia|podia|podem|consegue|conseguiria|tem como|
                    teria como|dá pra (você|me)|dava pra|se importa|se importaria)( \w+)+
                (eu )?(quero|queria|gostaria|preciso|precisava|necessito|desejo|procuro|estou (procurando|ligando|
                    querendo|precisando)|tô (procurando|ligando|querendo|precisando)|liguei (pra|para|porque)|vim|
                    vou querer|me vê|me dá)( \w+)+
                (coloca|coloque|põe|ponha|toca|toque|liga|ligue|desliga|desligue|apaga|acende|manda|mande|envia|envie|
                    reserva|reserve|cancela|cancele|muda|mude|troca|troque|repete|repita|fala|fale|diz|diga|me diz|
                    me diga|me fala|me fale|me passa|me passe|me conta|me conte|me ajuda|me ajude|me manda|me mande|
                    me lembra|me lembre|me liga|me transfere|me transfira|abre|abra|fecha|feche|aumenta|aumente|
                    abaixa|abaixe|diminui|adiciona|adicione|anota|anote|procura|procure|busca|busque|marca|marque|
                    remarca|remarque|agenda|agende|explica|explique|conta|conte|lê|leia|escreve|escreva|traduz|
                    traduza|responde|responda|ignora|ignore|esquece|esqueça|finge|finja|faz|faça|compra|compre|pede|
                    peça|transfere|transfira|passa|passe|confirma|confirme|verifica|verifique|mostra|mostre|recomenda|
                    recomende|calcula|calcule|para de|a partir de agora|vê|veja|checa|olha se)( \w+)+
                (\w+ ){1,6}por favor$
            """,
            lead=r"""
                e|mas|então|oi|olá|bom dia|boa tarde|boa noite|alô|sim|não|desculpa|desculpe|tá|ok|certo|ah|moça|moço
                por favor|olha|aí|é que|agora|também|só|legal|beleza|entendi|obrigad[oa]
            """,
        ),
        requesting_anywhere=_any(r"""
            (pode|poderia|podia|consegue) (me )?\w+r|por favor|(eu )?(quero|queria|gostaria de|preciso) \w+|tem como
        """),
        about_instructions=_any(r"""
            (suas|tuas|as) (instruções|regras)|(ignora|ignore|esquece|esqueça) (tudo|todas|o que)|prompt
            (mandaram|disseram) (você|pra você)
        """),
        agent_asks=_any(r"""
            (me )?(informe|diga|fale|passe|confirme|soletre|leia|repita|conte|descreva|digite|me diz|me fala|me passa|
                me conta)( .*)?
            preciso d[oa] seu|(seu|sua) (\w+ ){0,3}por favor|pode falar
        """),
        agent_asks_openly=_any(r"""
            (o que (aconteceu|houve|foi|está acontecendo|se passa|te traz)|como (foi|está|vai|vão|você|tem|anda)|
                me conta|me conte|conte|quais as novidades|novidades|descreva|fale sobre|por que)(.*)
        """),
        agent_offers_help=_any(r"""
            (como|em que|no que) (eu )?(posso|podemos) (te |lhe |o |a )?(ajudar|ajudá\w*|auxiliar)( .*)?
            posso (te )?ajudar|o que (deseja|precisa|você precisa|você deseja)|em que posso
        """),
        agent_answers_phone=_any(r"bom dia|boa (tarde|noite)|olá|bem-vind[oa]|quem fala"),
        agent_asks_trouble=_any(r"""
            qual (é |seria )?o (problema|defeito)|o que (está sentindo|você sente|houve com)|quais (os )?sintomas
            onde dói|emergência
        """),
        agent_confirms=_any(r"""
            (certo|correto|não é|né|é isso|confere|isso mesmo|tá certo)$
            (então|você quer dizer|quis dizer|você disse|você é|seria)( .*)?
        """),
        agent_anything_else=_any(r"""
            (algo|alguma coisa|mais alguma coisa|algo mais|mais algo|em algo mais|outra coisa)( .*)?
        """),
        agent_wellbeing=_any(r"(como (vai|você está|está|tem passado)|tudo bem)( .*)?"),
        but=_any(r"mas|ainda|só que"),
        own=_any(r"""
            eu|meu|minha|meus|minhas|me|nós|nosso|nossa|a gente|mim|\w+ei|\w+amos|tô|estou|tenho|sou|fui|preciso
        """),
        finite=_any(r"""
            é|são|está|tá|tem|foi|era|eu|ele|ela|tenho|estou|vai|não|quero|\w+(ou|ei|amos|ava|ia)
        """),
        garbled=_any(r"(o|a|um|uma) (de|em|com|para|pra|e) (de|em|com|o|para|pra|e)(?= )"),
        side_talk=_any(r"""
            (estou|tô|mamãe tá|mamãe está|papai tá|papai está) (no|falando no|ao) (telefone|celular)
            (ela|ele|eles|a moça|o moço) (está |tá )?(pedindo|perguntando|quer|querendo) (o|a|saber|se)
            desce (daí|do|da)|sai (daí|de cima|do|da)|vai (brincar|dormir|tomar banho|pro (seu )?quarto|lá com)
            para de (bater|gritar|chorar|pular|correr|latir|mexer)|deixa (seu|sua|o|a) (irmão|irmã|cachorro|gato)
            vem (cá|aqui|jantar|comer|almoçar)|senta( aí)?$|não mexe|larga isso|cachorro feio
            pergunta (pro|pra) (seu|sua|papai|mamãe)|(o|a) (jantar|almoço|comida) (tá|está) (pronto|pronta|na mesa)
        """),
        side_talk_if_asked=_any(r"""
            (cadê|onde (está|tá|você (colocou|pôs|guardou))|qual (é )?(o|a) (nosso|nossa)|você (lembra|sabe) (o|a|
                qual)|abaixa (a|o) (tv|televisão|som|música|rádio)|fecha a \w+|apaga (o|a) (fogo|fogão|luz)|pega (o|
                a) \w+ (pra|aí))( .*)?
        """),
        vocative=_any(r"""
            (amor|mãe|mamãe|pai|papai|filho|filha|meninos|crianças|querid[oa]|bem|benzinho|vó|vô|meu amor|meu bem|
                gente)(?! (está|tá|morreu|tem|faleceu|foi|e|não|disse|se))(?= )
            (?<!meu )(?<!minha )(?<!seu )(?<!sua )(amor|mãe|mamãe|pai|papai|filho|filha|crianças|meu bem)$
        """),
        to_others=_start(
            r"""
                (desce|vem|para|sai|deixa|dá|me dá|põe|coloca|fecha|abre|apaga|desliga|traz|pega|senta|olha|vai|come|
                    cala|espera|não|cadê|onde|qual|você|tá|já vou|agora não|larga|cuidado|tira|sobe|fica|faz|que|
                    abaixa|lembra)( .*)?
            """,
            lead=r"""
                amor|mãe|pai|filho|filha|crianças|meninos|ei|ô|não|sim|psiu|e|ai|oh|olha|meu amor|meu bem|\w+
            """,
        ),
    )


# Made when they are needed: a language takes a tenth of a second.
_RULES: dict[str, Callable[[], _Rules]] = {
    "en": _english,
    "es": _spanish,
    "de": _german,
    "fr": _french,
    "pt": _portuguese,
}
