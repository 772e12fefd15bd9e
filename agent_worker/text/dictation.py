"""Tell how far a dictated number, name, e-mail address or address has come."""

from __future__ import annotations

import re
from enum import Enum
from re import Pattern

from text_to_num import alpha2digit  # type: ignore[import-untyped]

from agent_worker.text.agent_question import question
from agent_worker.text.language import base_language
from agent_worker.text.word_classes import word_classes

FOLDER = "pauses"
#: Only the end of a long turn is dictated.
_MAX_CHARS = 300
_NUMBER_LANGUAGES = frozenset({"en", "de", "fr", "es", "pt"})
#: What is said behind the digits of a number that goes on: "and then", "uh".
_MAX_WORDS_BEHIND = 2
#: How far behind the name of a value it may be: "my phone number is four one five five five five".
_MAX_WORDS_AFTER_NAME = 18
_MIN_SPELLED = 3
#: "Hotel" and "golf" are words, unless so many of the spelling alphabet follow each other, or nothing else is said.
_MIN_CODE_WORDS = 3
#: Digits dictated one by one without anybody having asked for a number.
_MIN_SINGLE_DIGITS = 3
_MIN_ADDRESS_WORDS = 4
_MIN_BIRTH_GROUPS = 3
_POSTCODE_DIGITS = 5
_DEFAULT = "default"
#: Kinds of values with letters among the digits.
_MIXED_KINDS = frozenset({"number", "code"})
#: Number of digits from which a value may be complete, and from which it is.
_LENGTHS: dict[str, dict[str, tuple[int, int | None]]] = {
    "phone": {_DEFAULT: (7, 10), "de": (6, 11), "fr": (10, 10), "es": (9, 9), "pt": (9, 11)},
    "postcode": {_DEFAULT: (5, 5), "pt": (7, 8)},
    "card": {_DEFAULT: (15, 16)},
    "code": {_DEFAULT: (3, 6)},
    "number": {_DEFAULT: (4, None)},
}
#: In the order in which they are looked for: an e-mail address is also an address, a phone number also a number.
_KINDS = ("email", "birth", "spelling", "postcode", "card", "phone", "code", "number", "address")
#: "Oh" for zero and "meia" for six, beside another digit: what is written in its place, the word, the other digits.
_NAMED_DIGITS = {
    "en": ("zero", "oh?", "zero|one|two|three|four|five|six|seven|eight|nine"),
    "pt": ("seis", "meia", "zero|um|dois|três|quatro|cinco|seis|sete|oito|nove"),
}
_EMAIL = re.compile(r"[\w+-]+(\.[\w+-]+)*@[\w-]+(\.[\w-]+)*\.[a-z]{2,}$")
_WORD = re.compile(r"[\w'+]+")
_TIME_OF_DAY = re.compile(r"\d+ [ap] m$")
_NO_LETTER = frozenset({"a", "i", "y", "o", "e", "à", "é", "ó"})


class Dictation(Enum):
    """How far a dictated value has come."""

    NONE = "none"  #: nothing is being dictated, or the value is complete
    OPEN = "open"  #: it may be complete, or go on: its length is not known
    INCOMPLETE = "incomplete"  #: more must come


def dictation(text: str, agent_text: str | None, language: str) -> Dictation:
    """Return how far the value has come that the caller dictates. Never raises, whatever the text.

    Args:
        text: What the caller has said in this turn.
        agent_text: What the agent said last; it tells what is dictated.
        language: Language tag. In a language without word classes nothing is recognised.
    """
    classes = word_classes(FOLDER, language)
    if not classes:
        return Dictation.NONE
    words = _Words(text, classes, base_language(language))
    asked = question(agent_text, language)
    kind = _kind_in(asked, classes)
    announced = kind or words.forget_before_name()
    if words.raw.endswith("?") or not words.tokens:
        return Dictation.NONE
    if kind and words.only_opens:
        return Dictation.OPEN
    if announced == "email" or words.has_mail_marks:
        return _email(words, is_asked=kind == "email")
    if announced == "birth":
        return _birth(words) if kind else Dictation.NONE
    if announced in _LENGTHS:
        return _number(words, announced)
    if announced == "spelling" or words.letters:
        return _spelling(words, asked, is_asked=kind == "spelling")
    if kind == "address":
        return _address(words)
    return Dictation.OPEN if words.dictates_single_digits else Dictation.NONE


def asked_value(agent_text: str | None, language: str) -> str | None:
    """Return the kind of value that the agent's last words ask for, such as ``card``; None if they ask for none."""
    return _kind_in(question(agent_text, language), word_classes(FOLDER, language))


def _kind_in(text: str, classes: dict[str, Pattern[str]]) -> str | None:
    return next((kind for kind in _KINDS if text and classes and classes[kind].search(text)), None)


class _Words:
    """A text prepared for look-ups.

    Attributes:
        raw: The end of the text as it was transcribed.
        text: Its words in lower case, numbers as digits, without fillers at the end.
        tokens: The words of `text`.
        groups: The groups of digits.
        letters: The letters that are spelled at the end, joined.
    """

    def __init__(self, text: str, classes: dict[str, Pattern[str]], language: str) -> None:
        self.classes = classes
        self.language = language
        self.raw = text[-_MAX_CHARS:].strip()
        marked = re.sub("[’‘`´]", "'", self.raw.lower())
        self.mail = marked
        plain = " ".join(_WORD.findall(re.sub(r"[@]", " ", marked)))
        self.text = self._without_fillers(_digits(plain, classes, language))
        self.tokens = self.text.split()
        self.groups = [token for token in self.tokens if token.strip("+").isdigit()]
        self.letters = self._letters()

    @property
    def digits(self) -> str:
        return "".join(group.strip("+") for group in self.groups)

    @property
    def words_behind_digits(self) -> int:
        """Number of words behind the last group of digits, without those that join groups."""
        behind: list[str] = []
        for token in reversed(self.tokens):
            if token.strip("+").isdigit():
                break
            behind.append(token)
        return len(self.classes["joiner"].sub(" ", " ".join(reversed(behind))).split())

    @property
    def only_opens(self) -> bool:
        """Whether the text only announces a value: "sure, it's"."""
        return not self.classes["opener"].sub(" ", self.text).split()

    @property
    def has_mail_marks(self) -> bool:
        """Whether a part of an e-mail address is at the end, though nobody asked for one: "john dot smith"."""
        if re.search(r"@[\w.-]*$", self.mail):
            return True
        dot, at = self.classes["dot"].pattern, self.classes["at"].pattern
        if re.search(rf"\S+ {dot} \S+ {at}(?: \S+)?$", self.text):
            return True
        found = re.search(rf"\S+ {dot}(?: (\S+))?$", self.text)
        is_host = bool(found and found[found.lastindex or 0] and self.classes["top_level"].fullmatch(self.tokens[-1]))
        return found is not None and not is_host and not self.tokens[-1].isdigit()

    @property
    def dictates_single_digits(self) -> bool:
        last = self.tokens[-_MIN_SINGLE_DIGITS:]
        return len(last) == _MIN_SINGLE_DIGITS and all(len(token) == 1 and token.isdigit() for token in last)

    def forget_before_name(self) -> str | None:
        """Return the kind of value that the caller named last, shortly before the end: "my order number is".

        Digits before its name are not its digits.
        """
        text = " ".join(self.tokens[-_MAX_WORDS_AFTER_NAME:])
        ends = {kind: max((found.end() for found in self.classes[kind].finditer(text)), default=0) for kind in _KINDS}
        kind = max(ends, key=ends.__getitem__)
        if not ends[kind]:
            return None
        self.groups = [token for token in text[ends[kind] :].split() if token.strip("+").isdigit()] or self.groups
        return kind

    def _without_fillers(self, text: str) -> str:
        while found := re.search(rf"(?:^|\s+){self.classes['filler'].pattern}$", text):
            if found.start() == 0:
                break
            text = text[: found.start()]
        return text

    def _letters(self) -> str:
        """Return the letters at the end, with "as in …" behind any of them; an acronym counts as letters."""
        text = without_code_words(self.text, self.classes)
        text = re.sub(rf"\b([^\W\d_]) {self.classes['as_in'].pattern} \w+", r"\1", text)
        text = re.sub(rf"{self.classes['twice'].pattern} ([^\W\d_])\b", r"\1 \1", _TIME_OF_DAY.sub("", text))
        text = re.sub(rf"(?<=\b[^\W\d_]) {self.classes['joiner'].pattern}(?= [^\W\d_]\b|$)", "", text)
        letters: list[str] = []
        for token in reversed(text.split()):
            if len(token) != 1 or not token.isalpha():
                break
            letters.append(token)
        spelled = "".join(reversed(letters))
        return spelled if len(spelled) > 1 or spelled not in _NO_LETTER else ""


def without_code_words(text: str, classes: dict[str, Pattern[str]]) -> str:
    """Return a text with letters in place of the spelling alphabet: "it's s m i" for "it's sierra mike india"."""
    if (code_word := classes.get("code_word")) is None:
        return text
    run = re.compile(rf"{code_word.pattern}(?: {code_word.pattern})*")

    def read(words: re.Match[str]) -> str:
        letters = [word[0][0] for word in code_word.finditer(words[0])]
        is_alone = len(letters) > 1 and not classes["opener"].sub(" ", run.sub(" ", text)).split()
        return " ".join(letters) if is_alone or len(letters) >= _MIN_CODE_WORDS else words[0]

    return run.sub(read, text)


def _digits(text: str, classes: dict[str, Pattern[str]], language: str) -> str:
    """Write numbers as digits: "double five oh one" is "5 5 0 1"."""
    if named := _NAMED_DIGITS.get(language):
        written, word, others = named
        text = re.sub(rf"\b{word}(?=(?: {word})* (?:{others}|\d))", written, text)
        text = re.sub(rf"\b({others}|\d+) {word}\b", rf"\1 {written}", text)
    if language in _NUMBER_LANGUAGES:
        text = alpha2digit(text, language)
    for times, name in ((2, "twice"), (3, "thrice")):
        digits = " ".join([r"\g<digit>"] * times)
        text = re.sub(rf"{classes[name].pattern} (?P<digit>\d)\b", digits, text)
    return text


def _number(words: _Words, kind: str) -> Dictation:
    count = len(words.digits)
    if count and kind in _MIXED_KINDS:
        count += sum(len(token) == 1 and token.isalpha() and token not in _NO_LETTER for token in words.tokens)
    if count == 0 or words.words_behind_digits - len(words.letters) > _MAX_WORDS_BEHIND:
        return Dictation.NONE
    least, full = _LENGTHS[kind].get(words.language, _LENGTHS[kind][_DEFAULT])
    if kind == "phone":
        least, full = least + _prefix(words), (full or 0) + _prefix(words)
    if kind == "card" and words.digits.startswith("3"):
        full = least
    if count < least:
        return Dictation.INCOMPLETE
    return Dictation.NONE if full is not None and count >= full else Dictation.OPEN


def _prefix(words: _Words) -> int:
    """Return how many digits the code of the country adds."""
    if words.tokens and re.search(r"\+|\bplus\b|\bmás\b|\bmais\b", words.text):
        return 2
    return 1 if words.language == "en" and words.digits.startswith("1") else 0


def _spelling(words: _Words, asked: str, *, is_asked: bool) -> Dictation:
    letters = words.letters
    if not letters:
        return Dictation.NONE
    said = set(_WORD.findall(f"{asked} {words.text}"))
    if len(letters) > 1 and letters in said:
        return Dictation.NONE
    if is_asked:
        return Dictation.INCOMPLETE if len(letters) < _MIN_SPELLED else Dictation.OPEN
    return Dictation.OPEN if len(letters) > 1 else Dictation.NONE


def _email(words: _Words, *, is_asked: bool) -> Dictation:
    at, dot, joiner = (words.classes[name] for name in ("at", "dot", "joiner"))
    written = re.sub(rf"\s*{dot.pattern}\s*", ".", words.mail.rstrip(" .,!-"))
    written = re.sub(rf"\s+{at.pattern}\s+|\s*@\s*", "@", written)
    if "@" in written and (is_asked or words.has_mail_marks or "@" in words.mail):
        host = written.rpartition("@")[2]
        return Dictation.NONE if _EMAIL.search("x@" + host.replace(" ", "")) else Dictation.INCOMPLETE
    if re.search(rf"(?:{dot.pattern}|{at.pattern}|{joiner.pattern}|@)$", words.mail.rstrip(" .,")):
        return Dictation.INCOMPLETE
    marks = (
        words.has_mail_marks
        or joiner.search(words.text)
        or words.letters
        or words.classes["free_mail"].search(words.text)
    )
    is_short = len(words.tokens) <= _MIN_ADDRESS_WORDS
    return Dictation.INCOMPLETE if words.has_mail_marks or (is_asked and (marks or is_short)) else Dictation.NONE


def _birth(words: _Words) -> Dictation:
    groups = re.findall(r"\d+", words.text)
    month = words.classes["month"].search(words.text)
    if not groups and not month:
        return Dictation.NONE
    parts = len(groups) + bool(month) + sum(len(group) > 4 for group in groups) * 2
    return Dictation.NONE if parts >= _MIN_BIRTH_GROUPS else Dictation.INCOMPLETE


def _address(words: _Words) -> Dictation:
    names = [token for token in words.tokens if not token.isdigit()]
    if not words.groups:
        has_street = words.classes["street"].search(words.text)
        return Dictation.INCOMPLETE if has_street and len(names) <= _MIN_ADDRESS_WORDS else Dictation.NONE
    if len(names) < 2:
        return Dictation.INCOMPLETE
    if words.words_behind_digits == 0 and len(words.digits) >= _POSTCODE_DIGITS:
        return Dictation.NONE
    return Dictation.OPEN if len(names) < _MIN_ADDRESS_WORDS else Dictation.NONE
