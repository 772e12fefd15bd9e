"""May this sentence of a fast model be spoken before the answer is known? If not: why?

The rules would rather refuse a good sentence than let a bad one through: a refused one is replaced by a phrase.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import Enum
from re import Pattern

from agent_worker.utterance import Kind


class Reason(str, Enum):
    """Why a sentence must not be spoken. A closed set: it labels metrics."""

    EMPTY = "empty"
    TOO_LONG = "too_long"
    CHARACTERS = "characters"  #: markup, symbols, another script
    LANGUAGE = "language"  #: in another language
    NUMBER = "number"
    QUESTION = "question"
    PROMISE = "promise"
    LEAK = "leak"  #: speaks of its instructions or of itself
    ANSWER = "answer"  #: claims something, or answers
    TONE = "tone"  #: cheer, false comfort or an apology in the wrong place
    REPEATS_CALLER = "repeats_caller"
    REPEATED = "repeated"  #: was said a moment ago

    __str__ = str.__str__


MAX_WORDS = 12


def problem_with(
    text: str, *, said: str, language: str, recent: Sequence[str], kind: Kind | None = None
) -> Reason | None:
    """Why ``text`` must not be spoken as a pre-response, or ``None`` when it can be.

    Args:
        text: The sentence.
        said: What the caller said; their topics may be mentioned.
        language: The language of the call. Without rules for it only what holds for every language is checked.
        recent: The pre-responses spoken lately.
        kind: What the caller's utterance is, if known: it decides whether an apology or cheer has its place.
    """
    return next(_problems(text, said, _rules_for(language), recent, kind), None)


def _problems(text: str, said: str, rules: _Rules, recent: Sequence[str], kind: Kind | None) -> Iterator[Reason]:
    sentence, said = _Sentence.of(text), said[:_JUDGED]
    if not any(letter.isalpha() for letter in text):
        yield Reason.EMPTY
    if len(sentence.words) > MAX_WORDS or len(text) > _JUDGED:
        yield Reason.TOO_LONG
    if _unspeakable(text, rules):
        yield Reason.CHARACTERS
    if any(letter.isdigit() for letter in text) or sentence.has(rules.number):
        yield Reason.NUMBER
    if "?" in text or "¿" in text or sentence.has(rules.question):
        yield Reason.QUESTION
    if sentence.has(rules.leak):
        yield Reason.LEAK
    if _is_foreign(sentence, rules):
        yield Reason.LANGUAGE
    if sentence.has(rules.promise):
        yield Reason.PROMISE
    if _tone_is_wrong(sentence, kind, rules):
        yield Reason.TONE
    if _obeys(sentence, said, rules) or _echoes(sentence, said, rules):
        yield Reason.REPEATS_CALLER
    if _answers(sentence, said, kind, rules):
        yield Reason.ANSWER
    if any(_alike(sentence.plain, _Sentence.of(other).plain) for other in recent):
        yield Reason.REPEATED


_JUDGED = 500  # characters: of the caller's words, the first


def shows_sympathy(text: str, language: str) -> bool:
    """Whether a sentence says sorry for the caller, as trouble and grief ask for."""
    return _Sentence.of(text).has(_rules_for(language).sympathy)


def _rules_for(language: str) -> _Rules:
    return _RULES.get(language.replace("_", "-").split("-")[0].lower(), _ANY_LANGUAGE)


# --- The checks ------------------------------------------------------------------------------------------------------

_APOSTROPHES = str.maketrans("’‘`´", "''''")
_WORD = re.compile(r"\w+(?:'\w+)*")
_MARKUP = re.compile(r"[*_#<>{}\[\]|`~\\^=+@&/$€£¥%§°]|https?:|www\.")
_MARKS = frozenset(" .,;:!?¿¡'\"…-–—‑«»“”„‚()\u00a0\u202f\u2026")


@dataclass(frozen=True)
class _Sentence:
    plain: str  # lower case, straight apostrophes, one space apart, with commas and full stops
    words: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> _Sentence:
        plain = " ".join(unicodedata.normalize("NFC", text).translate(_APOSTROPHES).lower().split()).strip("\"'“”„« »")
        return cls(plain, tuple(_WORD.findall(plain)))

    def has(self, pattern: Pattern[str]) -> bool:
        return pattern.search(self.plain) is not None


def _unspeakable(text: str, rules: _Rules) -> bool:
    if _MARKUP.search(text.translate(_APOSTROPHES)):
        return True
    spoken = (character for character in unicodedata.normalize("NFC", text.translate(_APOSTROPHES)))
    return any(
        not (character.isdigit() or _is_letter(character, rules)) for character in spoken if character not in _MARKS
    )


def _is_letter(character: str, rules: _Rules) -> bool:
    if unicodedata.category(character)[0] == "M":
        return not rules.latin  # after NFC a Latin letter has no mark of its own left
    return character.isalpha() and (not rules.latin or unicodedata.name(character, "").startswith("LATIN"))


def _is_foreign(sentence: _Sentence, rules: _Rules) -> bool:
    if not rules.common:
        return False
    own = sum(word in rules.common for word in sentence.words)
    others = (other for other in _RULES.values() if other is not rules)
    foreign = max(sum(word in other.common for word in sentence.words) for other in others)
    return foreign >= 2 and foreign > own


def _tone_is_wrong(sentence: _Sentence, kind: Kind | None, rules: _Rules) -> bool:
    if sentence.has(rules.false_comfort) or sentence.has(rules.farewell):
        return True
    if kind is Kind.PROBLEM:
        return sentence.has(rules.cheer) or (rules.sympathy is not _NEVER and not sentence.has(rules.sympathy))
    if kind is None:
        return sentence.has(rules.cheer) and sentence.has(rules.sympathy)
    if kind not in (Kind.THANKS, Kind.GREETING) and sentence.has(rules.cheer):
        return True
    return kind not in _APOLOGY_MAY_FIT and sentence.has(rules.sympathy)


_APOLOGY_MAY_FIT = (Kind.PROBLEM, Kind.UNCLEAR, Kind.CORRECTION)


def _answers(sentence: _Sentence, said: str, kind: Kind | None, rules: _Rules) -> bool:
    if kind is Kind.THANKS and rules.welcome.fullmatch(sentence.plain.strip(" .,!")):
        return False
    if sentence.has(rules.answer):
        return True
    if not rules.acknowledges.search(sentence.plain) and rules.acknowledges is not _NEVER:
        return True  # a name or a fact alone: "Ouagadougou."
    return len(_unheard(sentence, said, rules)) > rules.may_add


def _unheard(sentence: _Sentence, said: str, rules: _Rules) -> list[str]:
    """The words with a content of their own, that the caller did not bring up: a name, a price, a fact."""
    if not rules.common:
        return []
    stems = {word[:_STEM] for word in _Sentence.of(said).words}
    plain = rules.acknowledges.sub(" ", sentence.plain)
    return [
        word
        for word in _WORD.findall(plain)
        if len(word) >= _STEM and word not in rules.common and word not in rules.harmless and word[:_STEM] not in stems
    ]


_STEM = 4  # letters: "open" and "opening", "book" and "booking"


def _obeys(sentence: _Sentence, said: str, rules: _Rules) -> bool:
    """Whether it says what the caller told it to say."""
    if not (told := rules.told_to_say.search(" ".join(_Sentence.of(said).words))):
        return False
    wanted = {word for word in told[1].split() if len(word) > 2 and word not in rules.common}
    return bool(wanted & set(sentence.words))


def _echoes(sentence: _Sentence, said: str, rules: _Rules) -> bool:
    """Whether it mainly gives the caller's words back. Mentioning their topic is fine."""
    theirs = _Sentence.of(said).words
    if not theirs or not sentence.words:
        return False
    run = SequenceMatcher(None, sentence.words, theirs, autojunk=False).find_longest_match()
    if run.size < 3:
        return False
    rest = " ".join(sentence.words[: run.a] + sentence.words[run.a + run.size :])
    return run.size / len(sentence.words) > _MAX_ECHO or not (rest and rules.acknowledges.search(rest))


_MAX_ECHO = 0.67  # of the words


def _alike(one: str, other: str) -> bool:
    return one.strip(" .,!") == other.strip(" .,!") or SequenceMatcher(None, one, other).ratio() > _ALIKE


_ALIKE = 0.9


# --- Languages -------------------------------------------------------------------------------------------------------

_NEVER = re.compile(r"(?!)")


def _any(lines: str) -> Pattern[str]:
    """A pattern of whole words: one alternative a line."""
    alternatives = "|".join(filter(None, (line.strip() for line in lines.splitlines())))
    return re.compile(rf"(?<![\w'])(?:{alternatives})(?!\w)")


@dataclass(frozen=True)
class _Rules:
    """A language. Patterns are searched in the sentence in lower case."""

    latin: bool = False
    common: frozenset[str] = frozenset()  # words without a content of their own
    harmless: frozenset[str] = frozenset()  # words that say little even if the caller did not bring them up
    may_add: int = 0  # further words
    number: Pattern[str] = _NEVER
    question: Pattern[str] = _NEVER
    promise: Pattern[str] = _NEVER
    answer: Pattern[str] = _NEVER
    leak: Pattern[str] = _NEVER
    cheer: Pattern[str] = _NEVER
    sympathy: Pattern[str] = _NEVER
    false_comfort: Pattern[str] = _NEVER
    farewell: Pattern[str] = _NEVER
    acknowledges: Pattern[str] = _NEVER  # a sentence has to hold one of these
    welcome: Pattern[str] = _NEVER  # whole sentences that fit a thanks though they would answer anything else
    told_to_say: Pattern[str] = _NEVER  # in the caller's words; the first group is what to say


_ANY_LANGUAGE = _Rules()


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_LEAK_EN = r"""
    system (?:prompt|message|instructions?)|(?:my|your|the|these|those) (?:instructions?|rules|guidelines|prompt|programming|guardrails)|prompt
    (?:i was|i've been|i am|i'm) (?:told|instructed|programmed|asked to|not allowed|trained|designed|supposed)
    you are an? |you are the first|first voice|as an? (?:ai|assistant|language model|bot|machine)|language model|(?:i'm|i am) (?:just |only |really )?an? (?:\w+ )?(?:ai|bot|robot|assistant|human|person|language model|virtual|machine|computer)
    (?:a|my|the) colleague|real answer|short sentence|pre-?response|acknowledg\w+|the caller|eight words|developer mode|jailbreak\w*|openai|llama|chatgpt
    (?:assistant|user|caller|system|agent|answer|response|reply) ?:|end of call
"""
_ENGLISH = _Rules(
    latin=True,
    common=_set(
        "a an the i you he she it we they me him her us them my your his its our their this that these those who whom "
        "which what where when why how if whether and or but so as of at by for from in into on onto to with about over "
        "up down out off again here there then than too very just only also even still now not no is are was were be "
        "been being am do does did done have has had can could will would should may might must let let's i'm i've "
        "you're that's it's what's please all any some each every both few more most much many own same such one "
        "before after during while because through between under above until"
    ),
    harmless=_set(
        "think thinking look looking check checking find finding take taking give giving moment second minute quick "
        "quickly briefly carefully right okay well good question request details detail information info options option "
        "matter topic issue concern situation message order account booking answer best way ways possible available sure "
        "hear hearing heard understand understanding understood know knowing tell telling told thanks thank "
        "appreciate sorry hello welcome bear hold wait into consider considering work works working something things "
        "thing going through really truly sounds sound must feel feels feeling important choice choices idea ideas"
    ),
    may_add=1,
    number=_any(r"""
        (?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|million|billion|dozen)s?(?! (?:seconds?|secs?|moments?|minutes?|ticks?)(?!\w))
        zero|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|half past|noon|midnight|percent|dollars?|euros?|cents|pounds sterling|o'clock
    """),
    question=re.compile(
        r"(?:^|[.!,;] )(?:(?:what|who|where|when|why|which|whose)(?! a | an )\b|how(?! (?:awful|sad|terrible|hard|difficult|frustrating|annoying|nice|lovely|exciting|wonderful|kind))\b"
        r"|(?:is|are|was|were|do|does|did|can|could|would|will|should|shall|may|might|have|has|am|isn't|aren't|don't|"
        r"didn't|can't|couldn't|wouldn't|won't) (?:i|you|he|she|it|we|they|there|this|that|the|your|my|our|any\w*|some\w*)\b)"
        r"|\b(?:isn't it|don't you|tell me more|let me know|please (?:tell|give|provide|share|say|hold the))\W*$"
        r"|\b(?:tell me (?:more|about|what|your|how|why|where)|could you|can you|would you|please (?:tell|give|provide|share|confirm|describe))\b"
    ),
    promise=_any(r"""
        (?:i|we|you|they|he|she|it|someone|somebody|that|this|there)(?:'ll| will| shall)|(?:i|we|you|they|it)(?:'m| am|'re| are|'s| is)? (?:gonna|going to)
        i(?:'m| am) (?:(?!looking|thinking|listening|checking|so\b|very|really|truly|deeply|sorry|here|glad|all ears|with you|hearing|sad|terribly|afraid|just (?:looking|checking|thinking))\w+)(?:ing)(?:\b)
        let (?:me|us)(?: just| quickly| please| first)? (?!think|see|look|check|have a (?:look|think)|take a (?:look|moment|second)|find|pull|consider|understand|listen|hear|ponder|figure|reflect|go over|go through|work (?:that|this|it) out|gather|get (?:that|this|back|my thoughts|to)|give (?:that|this|it)|look|make sure i|wrap|know)\w+
        let's (?!see|think|look|find out|have a look|take a look|check|figure|consider|explore)\w+
        (?:i'd|i would|we'd|we would) (?:be )?(?:happy|glad|love|like|pleased|delighted)(?: to)?|(?:happy|glad|pleased|delighted) to (?:help|assist|do|check|look|tell|explain|answer)|(?:i|we) can (?!see|hear|imagine|tell|understand|only imagine)\w+|can help|here to help|help you|assist you|get (?:that|this|it) (?:done|sorted|fixed|booked|for you)|on it|consider it done|will do|right away|straight away|immediately|no problem at all
        promis\w+|guarantee\w*|refund\w*|reimburs\w*|compensat\w*|discount\w*|free of charge|for free|money back|credit(?:ed)? your
        (?:transferring|connecting|booking|cancell?ing|sending|calling|refunding|ordering|scheduling|adding|playing|turning|opening|setting|changing|updating|fixing|ordering|processing|starting|stopping|reserving|writing|putting)
    """),
    answer=re.compile(
        r"(?:^|[.!,;] )(?:yes|yeah|yep|yup|no(?! (?:wonder))|nope|sure|certainly|definitely|absolutely|of course|exactly|correct|indeed|true|agreed|right you are|you bet|no problem|no worries|not at all|actually|unfortunately|fortunately|luckily|basically|usually|typically|generally)(?!\w)(?<!oh no)(?<!oh, no)"
        r"|(?<![\w'])(?:(?:that|it|this|there|he|she|here|\w+ing)(?:'s|(?: is| was| has| does| means| costs| takes| opens| closes| can| works| should| would| could| might| may))(?! (?:a (?:good|great|fair|tough|hard|interesting|difficult|lot)|an (?:interesting|important|excellent)|so? ?(?:hard|sad|awful|terrible|tough|frustrating|difficult|upsetting|understandable|stressful|horrible|painful|scary|annoying|heartbreaking|good to hear|kind|sweet|very (?:hard|sad|kind|sweet|frustrating|upsetting))|really (?:hard|sad|tough|awful|frustrating|difficult|upsetting)|wonderful|great|lovely|amazing|exciting|fantastic|interesting|nice|understood|noted|clear|what|why|how|where|when)\b)"
        r"|they(?:'re| are| have| do| can| open| close| cost)|you(?:'re| are| can| should| must| need| have to| ought| may|'ve| have| could| might| do| did| don't)(?! (?:\w+ )?(?:welcome|going through|dealing with|feeling|upset|frustrated|worried|right to|hurting|having|facing|experiencing))"
        r"|we(?:'re| are|'ve| have| do| don't| offer| can| cannot| can't| open| close| accept| deliver| could| should| would| need)(?! (?:very |so |really |truly )?sorry)"
        r"|(?:the|your|our|my) (?:\w+ ){1,3}(?:is|are|was|were|has|have|costs?|takes?|opens?|closes?|means|will|can)(?! (?:important|appreciated|noted|understood|what))(?!\w)(?<!about the)"
        r"|because|the (?:answer|price|reason)|everything(?:'s| is)|i (?:am|do|did|have|don't|can't|cannot|know (?!how|what|that must|this)|believe|recommend|suggest|love|prefer|like|agree|approve)(?! (?:so |very |really |truly |deeply |terribly )*(?:sorry|listening|here|with you|looking|checking|thinking|hear|afraid))"
        r"|(?:it|that|this|all|everything|now)(?:'s| is|'re| are)?(?: been| now)? ?(?:all )?(?:done|booked|cancell?ed|confirmed|fixed|sent|approved|changed|sorted)|^\W*(?:done|booked|confirmed|cancell?ed|approved|fixed))(?!\w)"
        r"|(?<!\w)(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday|january|february|april|june|july|august|september|october|november|december|tomorrow|yesterday|tonight)(?= (?:is|at|works|it)|\W*$)"
    ),
    leak=_any(_LEAK_EN),
    cheer=_any(r"""
        great|wonderful|perfect|awesome|fantastic|excellent|lovely|nice|cool|fun|funny|interesting|exciting|excited|amazing|brilliant|delight\w*|happy|glad|pleased|thrilled|congrat\w*|love|no problem|no worries|my pleasure|pleasure|good (?:question|news|one|to hear|choice|idea|for you)|yay|hooray|woo\w*|haha\w*|hehe\w*|lol|enjoy|super|welcome|cheers|sweet|beautiful
    """),
    sympathy=_any(r"""
        sorry|apolog\w+|(?:that|this|it) (?:sounds|must be|must have been|must feel|is|has to be)(?: \w+){0,2} (?:hard|awful|terrible|tough|difficult|frustrating|upsetting|painful|stressful|scary|sad|horrible|heartbreaking|annoying|worrying|rough)|that's (?:so |really |very |just )?(?:hard|awful|terrible|tough|difficult|frustrating|upsetting|painful|stressful|scary|sad|horrible|heartbreaking|annoying|worrying|rough)|how (?:awful|sad|terrible|hard|difficult|frustrating|annoying|upsetting)|condolences|sympath\w+|oh no|oh dear|my heart goes out|what a (?:shame|nightmare|pity|mess|terrible|difficult|loss)|sad to hear|for your loss|understand (?:how|your|that|why|the)
    """),
    false_comfort=_any(r"""
        (?:everything|it|that|you|this|things)(?:'ll| will) be (?:okay|ok|fine|alright|all right|good|great)|nothing to worry(?: about)?|don't worry|do not worry|no need to worry|at least|calm down|cheer up|relax|look on the bright side|could be worse|time heals|it's (?:okay|fine|alright)|not a big deal|better place|everything happens
    """),
    farewell=_any(
        r"(?:good ?)?bye(?: bye)?|hang(?:ing)? up|have a (?:nice|good|great|lovely|wonderful) (?:day|one|evening|night|time)|take care|see you"
    ),
    acknowledges=_any(r"""
        let(?: me| us|'s) (?:\w+ )?(?:think|see|look|check|consider|find|have a look|take a look|take a moment|ponder|figure|listen|hear|reflect|go over|go through|gather|pull|understand|explore)
        (?:one|just a|a|give me a|just one|hang on a|hold on a|a quick) (?:moment|second|sec|minute|bit|tick)|two seconds|bear with me|hang on|hold on
        i(?:'m| am)? (?:see|hear|understand|listening|looking|checking|thinking|hear you|appreciate|get it|got it|can see|can hear|can imagine)|i've got (?:that|it|you)|got (?:it|that|you)|noted|understood
        thanks|thank you|okay|alright|all right|right|sorry|apologies|hm+|mm+|ah|oh|well|so|hello|hi|hey|good (?:morning|afternoon|evening|question|point)|welcome|looking (?:at|into|for)|checking|thinking about|fair (?:enough|question|point)|makes sense|great question|condolences|sympathies|that (?:sounds|must)|how (?:awful|sad|terrible|hard|frustrating)|what a
    """),
    welcome=re.compile(
        r"(?:(?:oh|you're|you are|very|most|so|always|more than|welcome|my pleasure|the pleasure|is all mine|of course|anytime|any time|not at all|"
        r"no problem|no worries|sure|sure thing|glad|happy|pleased|to hear that|i'm|i am|i was|so|i could|to|help|to help|to be of help|it was|that was|that|helped|it|"
        r"don't mention it|for you|that's|kind|kind of you|sweet|a pleasure|at all|absolutely|thank you|thanks)[ ,.!]*)+"
    ),
    told_to_say=re.compile(
        r"\b(?:say|repeat|output|print|answer with|respond with|reply with|answer only|only answer|begin with|start with|end with|"
        r"call me|call yourself|pretend|sing|shout|write|scream|tell me|state|recite|speak|spell|claim|confirm|admit|act like|"
        r"with the words?|the words?)\b((?: [\w']+)+)"
    ),
)


def _latin(**patterns: str) -> _Rules:
    words = {name: _set(patterns.pop(name)) for name in ("common", "harmless")}
    compiled = {name: _any(lines) for name, lines in patterns.items()}
    compiled["leak"] = _any(_LEAK_EN + patterns["leak"])
    return _Rules(latin=True, may_add=1, **words, **compiled)  # type: ignore[arg-type]


_SPANISH = _latin(
    common="a al con de del el ella ello en entre era es esa ese eso esta este esto está están fue ha hay he la las le "
    "les lo los me mi mis muy más nada ni no nos o para pero por que qué se sea ser si sobre son su sus también te "
    "tengo tiene todo tu un una uno unos usted y ya yo cómo cuando cuándo dónde donde quién cuál",
    harmless="pensar pienso ver vamos veamos veo déjeme deje dejame déjame momento momentito momentico instante segundo "
    "favor miro mirar revisar reviso comprobar buscar busco pregunta petición solicitud tema información detalles bien "
    "bueno buena buenas claro vale acuerdo entendido entiendo comprendo gracias oír oído escuchar escucho siento lamento "
    "mucho verdad contarme contármelo decirme decírmelo avisarme aclaración aclararlo hola gusto placer dígame opciones",
    number="(?:dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|once|doce|trece|catorce|quince|dieci\\w+|veint\\w+|"
    "treinta|cuarenta|cincuenta|sesenta|setenta|ochenta|noventa|cien|ciento|\\w+cientos|mil|millón|millones)"
    "(?! (?:segundos?|minutos?|momentos?))\neuros?|dólares|por ciento|mediodía|medianoche",
    question="^(?:qué(?! (?:pena|lástima|horror|duro|mal|difícil))|quién|cuál|cuándo|dónde|cómo|cuánto(?! lo (?:siento|lamento))|cuántos|por qué|"
    "puede|podría|quiere|tiene|desea)(?: .*)?\n(?:puede|podría) (?:decirme|darme|repetir)",
    promise="prometo|garantiz\\w+|aseguro|(?:le|te|lo|la|se lo) (?:enviaré|haré|ayudaré|diré|reservaré|devolv\\w+|envío|"
    "reservo|cancelo|paso|reembols\\w+)\n\\w{3,}(?:aré|eré|iré|aremos|eremos|iremos)\nvoy a (?!ver|pensar|mirar|revisar|"
    "comprobar|buscar|echar)\\w+|vamos a (?!ver|pensar|mirar|revisar|comprobar)\\w+|reembols\\w+|gratis|descuento|"
    "con gusto (?:le|te) \\w+|ahora mismo|en seguida|enseguida|puedo (?:ayudar|hacer|reservar|cancelar)\\w*",
    answer="^(?:sí|no|claro(?: que (?:sí|no))?|por supuesto|desde luego|exacto|correcto|efectivamente|naturalmente)(?: .*)?"
    "\n(?:^|eso |esto |ella |él |ya )(?:es|está|cuesta|abre|cierra|puede|tiene)(?! (?:duro|terrible|difícil|triste|"
    "bien|una pena|horrible|frustrante|muy))\ntenemos|hay|podemos|puede[sn]?|debe(?:ría)?[sn]?|porque|la respuesta|"
    "(?:el|la|su) \\w+ (?:es|está|cuesta|abre|cierra|tiene)\n^(?:hecho|listo|confirmado|reservado|cancelado)",
    leak="instrucciones|como (?:una )?(?:ia|inteligencia artificial|asistente)|soy (?:una? )?(?:ia|asistente|robot|bot|"
    "persona|humano)|modelo de lenguaje",
    cheer="genial|perfecto|perfecta|estupendo|excelente|maravilloso|maravillosa|fantástico|fantástica|encantad[oa]|"
    "me alegr\\w+|qué (?:bien|bueno|alegría)|enhorabuena|felici\\w+|buena pregunta|interesante|bienvenid[oa]|gusto",
    sympathy="siento|lamento|lamentable|perdón|perdone|disculp\\w+|qué (?:pena|lástima|horror|duro|mal|difícil)|"
    "mis condolencias|(?:debe|tiene que) (?:ser|haber sido) (?:muy )?(?:duro|difícil|frustrante)",
    false_comfort="todo (?:irá|va a ir|estará|saldrá) bien|no (?:se|te) preocupe?s?|tranquil[oa]|cálm\\w+|al menos|"
    "por lo menos|no pasa nada|no es nada",
    farewell="adiós|hasta (?:luego|pronto|mañana)|chao|que tenga (?:un )?buen \\w+",
    acknowledges="déjeme|deje|déjame|deja|a ver|veamos|vamos a ver|(?:un|deme un|dame un) (?:momento|momentito|instante|"
    "segundo)|entiendo|entendido|comprendo|ya veo|veo|vale|de acuerdo|bien|bueno|gracias|siento|lamento|perdón|disculp\\w+|"
    "hola|buenas|buenos días|m+|ah|oh|hm+|estoy (?:pensando|mirando|viendo|revisando)|voy a (?:ver|pensar|mirar)|qué pena|"
    "permítame|pienso|miro",
    welcome="(?:de nada|con (?:mucho )?gusto|faltaría más|no hay de qué|(?:es |ha sido )?un placer|a usted|a ti|gracias a (?:usted|ti))",
    told_to_say="(?:di|diga|dime|repite|repita|responde|contesta|escribe|lee)(?: (?:solo|sólo|la palabra|con))*((?: \\w+)+)",
)

_GERMAN = _latin(
    common="aber als am an auch auf aus bei bin bis da das dass dem den der des die dies diese dieser du ein eine einem "
    "einen einer er es für hat hatte ich ihm ihn ihnen ihr ihre ihrem ihren im in ist ja kann mal man mein meine mich mir "
    "mit nach noch nur ob oder sein sich sie sind so über um und uns von vor war was wenn wer wie wir wird wo zu zum zur "
    "doch denn schon etwas hier dann",
    harmless="überlegen überlege überlegung nachdenken denke denken nachsehen nachschauen schauen schaue schau sehe sehen "
    "lassen lass moment augenblick sekunde kurz kurzen kleinen bitte danke dank vielen gerne verstehe verstanden klar alles "
    "okay ordnung leid sehr wirklich hören gehört höre frage anfrage anliegen thema informationen hinweis erzählen gesagt "
    "hallo guten willkommen schön prüfen prüfe suchen suche nachfragen bescheid möglichkeiten",
    number="(?:zwei|zwo|drei|vier|fünf|sechs|sieben|acht|neun|zehn|elf|zwölf|(?:drei|vier|fünf|sech|sieb|acht|neun)zehn|"
    "\\w*(?:zwanzig|dreißig|dreissig|vierzig|fünfzig|sechzig|siebzig|achtzig|neunzig)|\\w*hundert|\\w*tausend|million\\w*)"
    "(?! (?:sekunden?|minuten?|momente?))\neuro|prozent|uhr|mittags|mitternacht",
    question="^(?:was(?! für ein)|wer|wo|wann|warum|wieso|weshalb|welche[rsnm]?|wie(?! (?:schade|traurig|ärgerlich|schlimm))|"
    "können|könnten|möchten|haben|sind|soll|darf|kann) (?:.*)\n(?:können|könnten) sie mir",
    promise="verspreche|versprochen|garantier\\w+|erstatt\\w+|rückerstatt\\w+|kostenlos|rabatt|(?:ich|wir|es|sie) "
    "(?:werden?|wird)|werde|werden|wird|ich (?:helfe|buche|storniere|schicke|sende|bestelle|verbinde|ändere|reserviere|kümmere|"
    "mache|erledige|lösche|spiele|stelle)|(?:gerne|gern) (?:helfe|mache|buche)\\w*|sofort|umgehend|wird gemacht|kann ich",
    answer="^(?:ja|nein|natürlich|selbstverständlich|klar|sicher|genau|richtig|stimmt|doch|auf jeden fall|leider)(?: .*)?\n"
    "(?:das|es|er|dies|hier) (?:ist|sind|kostet|geht|dauert|öffnet|hat|kann|war|bedeutet)(?! (?:ja )?(?:\\w+ )?(?:schlimm|traurig|"
    "ärgerlich|schade|schwer|hart|furchtbar|verständlich|eine gute frage|wirklich|sehr))\nwir (?:haben|sind|können|bieten|"
    "öffnen|schließen)|sie (?:können|müssen|sollten|sollen|dürfen|haben|sind)|es gibt|weil|die antwort|kostet|kosten|"
    "(?:der|die|das|ihr|ihre|mein) \\w+ (?:ist|sind|kostet|hat|öffnet|schließt|liegt)\n^(?:erledigt|gebucht|storniert|bestätigt)",
    leak="anweisung\\w*|als (?:ki|künstliche intelligenz|sprachmodell|assistent(?:in)?)|ich bin (?:nur )?(?:eine? )?(?:ki|bot|"
    "assistent(?:in)?|mensch|maschine|sprachmodell)|sprachmodell",
    cheer="super|toll|prima|perfekt|wunderbar|großartig|ausgezeichnet|klasse|freut? mich|freue mich|fantastisch|herrlich|"
    "glückwunsch|gratul\\w+|gute (?:frage|wahl|idee)|interessant|spannend|schön|kein problem|gern geschehen|sehr gerne|willkommen",
    sympathy="leid|entschuldig\\w*|bedau\\w+|beileid|schade|verzeih\\w+|mitgefühl|(?:wie|sehr|wirklich|ja|ist|so) (?:schlimm|traurig|"
    "ärgerlich|schwer|furchtbar|schrecklich)|oh nein",
    false_comfort="alles (?:wird|ist) (?:wieder )?gut|keine sorge|machen sie sich keine|beruhigen sie|wenigstens|immerhin|"
    "halb so schlimm|nicht so schlimm|wird schon",
    farewell="tschüss|tschüs|auf wieder(?:hören|sehen)|schönen (?:tag|abend)|bis (?:bald|dann|morgen)",
    acknowledges="lassen sie (?:mich|uns)|lass mich|mal (?:überlegen|sehen|schauen|gucken)|(?:einen|ein|kleinen|kurzen)? ?"
    "(?:kleinen |kurzen )?(?:moment|augenblick|sekunde)|ich (?:überlege|schaue?|sehe|prüfe|denke|verstehe|höre|suche)|verstehe|"
    "verstanden|alles klar|okay|gut|in ordnung|aha|ah|ach(?: so)?|oh|hm+|danke|vielen dank|hallo|guten (?:tag|morgen|abend)|leid|"
    "entschuldig\\w*|bedauere|bitte",
    welcome="(?:aber |sehr |immer )?(?:gerne?(?: geschehen)?|gern)|keine ursache|bitte(?: sehr| schön)?|nichts zu danken|"
    "kein problem|freut mich|das freut mich",
    told_to_say="(?:sag|sage|sagen sie|wiederhole|wiederholen sie|antworte|antworten sie|schreib|lies)(?: (?:nur|mir|das wort|mit))*"
    "((?: \\w+)+)",
)

_FRENCH = _latin(
    common="a à ai au aux avec c'est ce cela ces cette ça d'un d'une dans de des du elle en est et eu il ils j'ai je "
    "l'on la le les leur lui ma mais me mes moi mon ne nos notre nous on ou où par pas pour qu'il que quel quelle qui s'il "
    "sa se ses si son sont sur ta te tes tu un une vos votre vous y été être ont très plus",
    harmless="voyons voir vois réfléchir réfléchis laissez-moi laissez laisse instant petit moment seconde regarder regarde "
    "vérifier vérifie chercher cherche merci désolée désolé navrée navré comprends compris entendu entends entendre accord "
    "bien noté question demande sujet détails informations précision signaler dire bonjour bienvenue excusez vraiment "
    "sincèrement apprendre l'apprendre plaisir prie options plaît alors penser pense",
    number="(?:deux|trois|quatre|cinq|six|sept|huit|neuf|dix|onze|douze|treize|quatorze|quinze|seize|vingt\\w*|trente|"
    "quarante|cinquante|soixante|cents?|mille|million\\w*)(?! (?:secondes?|minutes?|instants?))\neuros?|pour cent|heures?|"
    "midi|minuit",
    question="^(?:qu'est-ce|est-ce|qui|que(?! de)|quoi|quand|où|comment|pourquoi|combien|quel(?:le)?s?(?! (?:dommage|tristesse|"
    "horreur|malheur))|pouvez|pourriez|voulez|avez)(?:[ -].*)?\n(?:pouvez|pourriez)-vous|dites-moi",
    promise="promets|garantis|garanti\\w*|rembours\\w+|gratuit\\w*|réduction|je vais (?!voir|regarder|réfléchir|vérifier|"
    "chercher)\\w+|(?:je|nous|on|il|elle|vous) (?:vous |te |le |la |l'|m'en )?\\w{2,}(?:erai|irai|rai|erons|rons|era)(?!\\w)|tout de suite|"
    "immédiatement|je m'en (?:occupe|charge)|je peux (?:vous )?(?:aider|faire)\\w*|(?:heureux|heureuse|ravie?) de (?:vous )?aider",
    answer="^(?:oui|non|bien sûr|absolument|tout à fait|exactement|certainement|évidemment|effectivement|malheureusement)(?: .*)?\n"
    "(?:c'est|(?:ça|cela|il|elle) (?:est|coûte|ouvre|ferme|prend|a|peut))(?! (?:noté|dur|"
    "terrible|difficile|triste|affreux|entendu|une bonne|vraiment|très|bien noté))\n(?:nous|on) (?:avons|a|est|sommes|pouvons|"
    "peut|ouvrons|fermons)|vous (?:pouvez|devez|devriez|avez|êtes)|il y a|parce que?|la réponse|(?:le|la|votre) \\w+ "
    "(?:est|coûte|ouvre|ferme|a)\n^(?:c'est fait|confirmé|annulé|réservé)",
    leak="instructions|consignes|en tant qu'(?:ia|assistante?|intelligence)|je suis (?:une? )?(?:ia|assistante?|robot|bot|"
    "humaine?|personne)|modèle de langage",
    cheer="super|génial|parfait|formidable|excellent|ravie?|bravo|félicitations?|bonne (?:question|nouvelle|idée)|"
    "pas de (?:souci|problème)|magnifique|merveilleux|heureux|heureuse|intéressant|bienvenue|chouette|avec plaisir",
    sympathy="désolée?s?|navrée?s?|regrette|pardon|excus\\w+|condoléances|quel (?:dommage|malheur)|quelle (?:tristesse|horreur)|"
    "(?:c'est|doit être)(?: \\w+)? (?:dur|terrible|difficile|triste|affreux|frustrant)|oh non",
    false_comfort="tout (?:ira|va aller|se passera) bien|ne vous inquiétez pas|calmez-vous|au moins|rassurez-vous|pas grave|"
    "ce n'est rien",
    farewell="au revoir|à (?:bientôt|demain)|bonne (?:journée|soirée|nuit)|adieu",
    acknowledges="voyons|laissez-moi|laisse-moi|(?:un|une) (?:petit |petite )?(?:instant|moment|seconde)|je (?:vois|comprends|"
    "réfléchis|regarde|vérifie|cherche|suis|vous écoute|note)|compris|entendu|d'accord|bien|très bien|c'est noté|noté|merci|"
    "désolée?|navrée?|excusez|pardon|bonjour|bonsoir|allô|hum|hm+|ah|oh|alors|euh|attendez|plaît",
    welcome="(?:mais )?je vous en prie|avec (?:grand )?plaisir|de rien|il n'y a pas de quoi|pas de quoi|tout le plaisir est pour moi|"
    "merci à vous",
    told_to_say="(?:dis|dites|répète|répétez|réponds|répondez|écris|écrivez|lis)(?:-moi| moi| seulement| juste| le mot| par)*"
    "((?: [\\w']+)+)",
)

_PORTUGUESE = _latin(
    common="a ao as com como da das de dele do dos e ela ele em entre era essa esse está estão eu foi há isso isto já lhe "
    "mais mas me meu minha muito na nada nas nem no nos não o os ou para pela pelo por pra que quem se sem ser seu sua são só "
    "também te tem tinha um uma vai você vocês é à onde quando qual",
    harmless="deixa deixe pensar penso ver vejo vamos momento momentinho instante segundo favor olhar verificar verifico "
    "checar procurar buscar entendi entendo compreendo entendido certo bem está tudo anotado obrigada obrigado agradeço "
    "valeu sinto lamento mesmo ouvir saber pergunta pedido assunto informação informações detalhes aviso avisar contar "
    "dizer esclarecer desculpe olá prazer pode falar espera opções puxa",
    number="(?:dois|duas|três|quatro|cinco|seis|sete|oito|nove|dez|onze|doze|treze|quatorze|catorze|quinze|dezesseis|dezessete|"
    "dezoito|dezenove|vinte|trinta|quarenta|cinquenta|sessenta|setenta|oitenta|noventa|cem|cento|\\w+centos|mil|milhão|milhões)"
    "(?! (?:segundos?|segundinhos?|minutos?|minutinhos?))\nreais|euros?|por cento|meio-dia|meia-noite",
    question="^(?:o que|que (?:horas|dia|tipo)|quem|qual|quais|quando|onde|como|quanto|quantos|por que|pode|poderia|você|quer|tem)"
    "(?! (?:pena|triste|falar))(?: .*)?\n(?:pode|poderia) me",
    promise="prometo|garanto|garantid\\w+|reembols\\w+|grátis|de graça|desconto|vou (?!ver|pensar|olhar|verificar|checar|procurar|"
    "dar uma olhada)\\w+|vamos (?!ver|pensar|lá)\\w+|\\w{3,}(?:arei|erei|irei|aremos)|posso (?:ajudar|fazer|te|lhe)|agora mesmo|"
    "imediatamente|já já|é pra já",
    answer="^(?:sim|não|claro(?: que (?:sim|não))?|com certeza|lógico|exato|correto|isso mesmo|certamente|infelizmente)(?: .*)?\n"
    "(?:isso|ele|ela|aqui|^) ?(?:é|está|custa|abre|fecha|pode|tem|leva)(?! (?:bem|muito|difícil|triste|terrível|horrível|duro|"
    "complicado|frustrante|falar))\n(?:nós|a gente) \\w+|temos|podemos|você (?:pode|deve|deveria|precisa|tem)|porque|a resposta|"
    "(?:o|a|seu|sua) \\w+ (?:é|está|custa|abre|fecha|tem)\n^(?:feito|pronto|confirmado|cancelado|reservado)",
    leak="instruções|como (?:uma )?(?:ia|inteligência artificial|assistente)|sou (?:uma? )?(?:ia|assistente|robô|bot|humano|pessoa)|"
    "modelo de linguagem",
    cheer="ótim[oa]|maravilh\\w+|perfeito|perfeita|excelente|legal|que bom|parabéns|com prazer|boa (?:pergunta|ideia)|fico feliz|"
    "feliz|show|bacana|fantástico|interessante|sem problemas?|prazer|bem-vind[oa]",
    sympathy="sinto|lament\\w+|desculp\\w+|perdão|que (?:pena|triste|chato|horror|difícil)|pêsames|condolências|(?:deve ser|isso é) "
    "(?:muito )?(?:difícil|triste|frustrante|duro)|puxa",
    false_comfort="(?:tudo )?vai (?:ficar|dar) (?:tudo )?(?:bem|certo)|não se preocupe|calma|acalme\\w*|pelo menos|fique tranquil\\w+|"
    "não é nada",
    farewell="tchau|até (?:logo|mais|amanhã)|adeus|tenha (?:um|uma) b\\w+ \\w+",
    acknowledges="deixa eu|deixe-me|deixe eu|me deixa|vamos ver|(?:só )?(?:um|uns) (?:momento|momentinho|instante|segundo|minutinho)|"
    "entendi|entendo|entendido|compreendo|certo|tudo bem|está bem|tá bem|ok|anotado|obrigad[oa]|agradeço|valeu|sinto|lamento|"
    "desculpe|perdão|olá|oi|alô|bom dia|boa (?:tarde|noite)|h+um+|hm+|ah|oh|puxa|estou (?:pensando|vendo|verificando)|vou (?:ver|"
    "pensar|olhar|verificar)|vejo|aguarde|pois",
    welcome="(?:imagina,? )?(?:de nada|por nada|disponha|imagina)|(?:foi )?um prazer|eu que agradeço|às ordens|não há de quê|sem problemas?",
    told_to_say="(?:diga|diz|fala|fale|repete|repita|responde|responda|escreve|lê|leia)(?: (?:só|apenas|a palavra|com))*((?: \\w+)+)",
)

_RULES: dict[str, _Rules] = {
    "en": _ENGLISH,
    "es": _SPANISH,
    "de": _GERMAN,
    "fr": _FRENCH,
    "pt": _PORTUGUESE,
}
