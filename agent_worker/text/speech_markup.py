"""Turn a short stretch of text with marks into words: Markdown, stage directions, links, formulas, symbols."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

import yaml  # type: ignore[import-untyped]

from agent_worker.text.language import base_language
from agent_worker.text.word_classes import word_classes

#: How far a construct may reach. Beyond it, its opening mark is taken for text.
_MAX_FORMULA_CHARS = 400
_MAX_CODE_CHARS = 300
_MAX_EMPHASIS_CHARS = 160
_MAX_BRACKET_CHARS = 200
_MAX_ASIDE_CHARS = 80
_MAX_TARGET_CHARS = 500
_MAX_DIRECTION_WORDS = 8
_MAX_NOTE_WORDS = 4
#: Arguments of a formula may nest; deeper ones are read without structure.
_MAX_FORMULA_DEPTH = 5

_TLD = "com|org|net|edu|gov|info|biz|io|ai|co|app|dev|shop|museum|tv|eu|uk|de|fr|es|pt|br|mx|ar|ch|nl|ca|au|ie|jp|cn"
_URL = re.compile(r"(?:https?://|www\.)[^\s<>\"“”«»]+", re.IGNORECASE)
_EMAIL = re.compile(r"[A-Za-z0-9][\w.+-]*@[\w-]+(?:\.[\w-]+)+")
_DOMAIN = re.compile(rf"(?:[a-z0-9-]+\.)+(?:{_TLD})(?![\w-])(?!\.\w)(?:/[^\s<>\"]*)?")
_MARK_BEHIND_ADDRESS = ".,;:!?)]}>'\"*_`~|…"
_SPOKEN_PATH = re.compile(r"(?:/[A-Za-z]{2,20}){1,2}/?")
#: "(pauses for 2 seconds)", "[silence 1.5s]"
_DURATION = re.compile(
    r"\b\d{1,3}(?:[.,]\d+)? ?(?:ms|s|sec|secs|seconds?|sekunden?|secondes?|segundos?)\b", re.IGNORECASE
)
_EMOTICON = re.compile(r"(?:[:;]['’]?-?[)(DPpOo/|\\*]+|=-?[)D(]|<3+|\^_*\^|[xX]D|¯\\_\(ツ\)_/¯)(?=\s|$|[.,!?])")
_EMOTICON_STARTS = frozenset(":;=xX<^¯")
_WORD = re.compile(r"\w+(?:['’-]\w+)*")
_SENTENCE_ENDS = ".!?…\n"
_SYMBOLS = {
    "±": "plus_minus",
    "≤": "at_most",
    "≥": "at_least",
    "≠": "not_equal",
    "≈": "about",
    "×": "times",
    "·": "times",
    "∙": "times",
    "÷": "over",
    "∞": "infinity",
    "π": "pi",
    "√": "root",
}
_COMMANDS = {
    **dict.fromkeys(("times", "cdot", "ast"), "times"),
    **dict.fromkeys(("div", "over"), "over"),
    **dict.fromkeys(("pm", "mp"), "plus_minus"),
    **dict.fromkeys(("le", "leq"), "at_most"),
    **dict.fromkeys(("ge", "geq"), "at_least"),
    **dict.fromkeys(("ne", "neq"), "not_equal"),
    **dict.fromkeys(("approx", "sim", "simeq"), "about"),
    **dict.fromkeys(("to", "rightarrow"), "to"),
    "lt": "less",
    "gt": "greater",
    "infty": "infinity",
    "pi": "pi",
    "circ": "degrees",
}
#: The two characters of a newline, and no command of LaTeX.
_WRITTEN_NEWLINE = re.compile(r"\\n(?!(?:abla|e|eg|eq|ewline|exists|i|mid|oindent|onumber|ot|otin|u)(?![a-z]))")
_COMMAND = re.compile(r"\\([A-Za-z]+)\*?")
_GREEK = re.compile(
    r"(?:alpha|beta|gamma|delta|epsilon|zeta|eta|theta|iota|kappa|lambda|mu|nu|xi|rho|sigma|tau|upsilon|phi|chi|psi|"
    r"omega|sin|cos|tan|log|ln|exp|min|max)\Z",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Place:
    """Where a stretch of text stands.

    Attributes:
        before: The last character that was spoken, or a newline at the beginning of a line or of the text.
        following: The first character behind the stretch; ``None`` at the end of the text.
        is_last: Whether nothing more belongs to the stretch, so that what is open in it stays open.
    """

    before: str
    following: str | None
    is_last: bool


class StillOpenError(Exception):
    """A construct is open at the end of the stretch: more text decides what it is.

    Attributes:
        position: Where it begins.
    """

    def __init__(self, position: int) -> None:
        super().__init__(position)
        self.position = position


@cache
def symbol_words(language: str) -> Mapping[str, str]:
    """Return how symbols are read, by name: in ``language``; empty if nothing is known about it."""
    language = base_language(language)
    file = resources.files("agent_worker.text") / "data" / "symbols" / f"{language}.yaml"
    if not language.isalpha() or not file.is_file():
        return {}
    words: Mapping[str, str] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return words


class Markup:
    """Removes the marks of a language's texts.

    Args:
        language: Language tag.
    """

    def __init__(self, language: str) -> None:
        self._language = language
        self._words = symbol_words(language)

    @property
    def number(self) -> str:
        """The word "number"."""
        return self._word("number")

    def without_structure(self, text: str, place: Place) -> str:
        """Return the text without Markdown, code marks, stage directions, targets of links and formulas.

        Raises:
            StillOpenError: If it depends on the text behind this stretch, and more will come.
        """
        return _Reader(text, place, self._language, self._words).read()

    def symbols_as_words(self, text: str) -> str:
        """Return the text with words in place of the symbols that are left in it."""
        text = re.sub(r"(?<=[.!?…,;:])\s+-{2,3}\s", " ", text)
        text = re.sub(r"-{1,3}>|={1,3}>|<-{1,2}(?!\d)|\s-{2,3}\s", ", ", text)
        if self._words:
            text = self._named_symbols(text)
        text = re.sub(r"\s*\|+\s*|\s*•\s*", ", ", text)
        text = re.sub(r"(?<=\w)_+(?=\w)", " ", text)
        return re.sub(r"[*_~`^#<>{}\\|=†‡§¶•◦▪]+|\[|\]", " ", text)

    def _named_symbols(self, text: str) -> str:
        word = self._word
        text = re.sub(r"(?<=\d) ?\* ?(?=\d)", f" {word('times')} ", text)
        text = re.sub(r"#(?=\d)", f"{word('number')} ", text)
        text = re.sub(r"(?:(?<=\s)|^)&&?(?=\s|$)", word("and"), text)
        text = re.sub(r"(?<!\w)\+ ?(?=\d)|(?<=\w) \+ (?=\w)|(?<=\d)\+(?=\d)", f" {word('plus')} ", text)
        text = re.sub(r"(?<=[\w)%]) ?={1,3} ?(?=[\w(+-])", f" {word('equals')} ", text)
        text = re.sub(r"(?:(?<=\s)|^)<=? ?(?=\S)|(?<=\w)<(?=\d)", f" {word('less')} ", text)
        text = re.sub(r"(?:(?<=\s)|^)>=? ?(?=\S)|(?<=\w)>(?=\d)", f" {word('greater')} ", text)
        text = re.sub(r"\^ ?(-?\w+)", lambda m: " " + self._power(m[1]), text)
        text = re.sub(r"(?<=\d) ?°(?! ?[CFK]\b)", f" {word('degrees')}", text)
        text = re.sub("[±≤≥≠≈×·∙÷∞π√]", lambda m: f" {word(_SYMBOLS[m[0]])} ", text)
        return text.replace("@", " ")

    def _power(self, exponent: str) -> str:
        return _power(exponent, self._words)

    def _word(self, name: str) -> str:
        return self._words.get(name, "")


def spoken_address(address: str, language: str) -> str:
    """Return how a web or e-mail address is read: "info at louvre dot fr". Only short paths are read."""
    words = symbol_words(language)
    if not words:
        return address
    local, at, host = address.rpartition("@")
    host = re.sub(r"^(?:https?:/+)?(?:www\.)?", "", host, flags=re.IGNORECASE)
    host, slash, path = host.partition("/")
    host = re.sub(r"[?#:].*$", "", host)
    read = _with_marks(host, words, spell_end=True)
    if at:
        read = f"{_with_marks(local, words)} {words['at']} {read}"
    elif _SPOKEN_PATH.fullmatch(slash + path):
        read += "".join(f" {words['slash']} {part}" for part in path.strip("/").split("/"))
    return " ".join(read.split())


def _with_marks(name: str, words: Mapping[str, str], *, spell_end: bool = False) -> str:
    labels = name.split(".")
    if spell_end and len(labels) > 1 and len(labels[-1]) == 2 and labels[-1].lower() not in ("co", "es", "me"):
        labels[-1] = " ".join(labels[-1].upper())
    read = f" {words['dot']} ".join(labels)
    for mark, word in (("_", "underscore"), ("-", "dash"), ("+", "plus")):
        read = read.replace(mark, f" {words[word]} ")
    return read


def _power(exponent: str, words: Mapping[str, str]) -> str:
    if exponent in ("2", "3"):
        return words.get("squared" if exponent == "2" else "cubed", exponent)
    return f"{words.get('power', '')} {exponent}"


class _Reader:
    """Reads a stretch of text once, from left to right."""

    def __init__(self, text: str, place: Place, language: str, words: Mapping[str, str]) -> None:
        self._text = text
        self._place = place
        self._language = language
        self._words = words
        self._out: list[str] = []
        self._at = 0

    def read(self) -> str:
        while self._at < len(self._text):
            character = self._text[self._at]
            handler = _HANDLERS.get(character)
            if not (self._read_word_like() or (handler and handler(self))):
                self._out.append(character)
                self._at += 1
        return "".join(self._out)

    # --- helpers ---

    @property
    def _before(self) -> str:
        """The character before the current one: of the text, or spoken earlier."""
        return self._text[self._at - 1] if self._at else (self._place.before if self._place.before == "\n" else " ")

    @property
    def _is_at_sentence_start(self) -> bool:
        spoken = "".join(self._out).rstrip(" \"'“(")
        last = spoken[-1:] or self._place.before
        return not last or last in _SENTENCE_ENDS

    def _next_is_lower(self, end: int) -> bool:
        rest = self._text[end:].lstrip()
        following = rest[:1] or (self._place.following or "")
        return following.islower()

    def _find(self, closing: str, start: int, max_chars: int, *, in_line: bool = True) -> int | None:
        """Return where a construct ends, or ``None`` if it does not.

        Raises:
            StillOpenError: If it may end in text that has not arrived.
        """
        found = self._text.find(closing, start, start + max_chars)
        line_end = self._text.find("\n", start, start + max_chars) if in_line else -1
        if found >= 0 and (line_end < 0 or found < line_end):
            return found
        if line_end < 0 and len(self._text) - start < max_chars and not self._place.is_last:
            raise StillOpenError(self._at)
        return None

    def _say(self, text: str, end: int) -> bool:
        self._out.append(text)
        self._at = end
        return True

    def _inner(self, text: str) -> str:
        place = Place(" ", None, is_last=True)
        return _Reader(text, place, self._language, self._words).read()

    # --- constructs ---

    def _read_word_like(self) -> bool:
        if self._before.isalnum() or self._before in "@._/":
            return False
        text, at = self._text, self._at
        if text[at] in _EMOTICON_STARTS and (emoticon := _EMOTICON.match(text, at)):
            return self._say(" ", emoticon.end())
        if not text[at].isalnum():
            return False
        for pattern in (_EMAIL, _URL, _DOMAIN):
            if (found := pattern.match(text, at)) and (address := found[0].rstrip(_MARK_BEHIND_ADDRESS)):
                if (
                    "(" in address
                    and address.count("(") == address.count(")") + 1
                    and found[0].startswith(address + ")")
                ):
                    address += ")"
                return self._say(spoken_address(address, self._language), at + len(address))
        return False

    def _backslash(self) -> bool:
        text, at = self._text, self._at
        mark = text[at + 1 : at + 2]
        if mark in ("(", "["):
            closing = "\\)" if mark == "(" else "\\]"
            end = self._find(closing, at + 2, _MAX_FORMULA_CHARS, in_line=False)
            if end is not None or self._place.is_last:
                formula = text[at + 2 : end] if end is not None else text[at + 2 :]
                return self._say(self._formula(formula), len(text) if end is None else end + 2)
            return self._say("", at + 2)
        if _WRITTEN_NEWLINE.match(text, at):
            return self._say("\n", at + 2)
        if command := re.compile(r"\\[A-Za-z]+(?:\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}|\[[^\]]*\])*").match(text, at):
            return self._say(f" {self._formula(command[0])} ", command.end())
        return self._say(mark, at + 2) if mark and not mark.isspace() else self._say("", at + 1)

    def _dollar(self) -> bool:
        text, at = self._text, self._at
        if text.startswith("$$", at):
            end = self._find("$$", at + 2, _MAX_FORMULA_CHARS, in_line=False)
            return self._say(self._formula(text[at + 2 : end]), len(text) if end is None else end + 2)
        following = text[at + 1 : at + 2]
        if not (following.isalpha() or following in ("\\", "(", "{")) or self._before.isalnum():
            return False
        end = self._find("$", at + 1, _MAX_FORMULA_CHARS)
        if end is None or text[end - 1].isspace() or text[end + 1 : end + 2].isdigit():
            return False
        content = text[at + 1 : end]
        if len(content) > 1 and not re.search(r"[\\^_{}=+]", content):
            return False
        return self._say(self._formula(content), end + 1)

    def _backtick(self) -> bool:
        run = re.compile("`+").match(self._text, self._at)
        assert run is not None
        end = self._find(run[0], run.end(), _MAX_CODE_CHARS)
        if end is None:
            return self._say("", run.end())
        return self._say(spoken_code(self._text[run.end() : end]), end + len(run[0]))

    def _emphasis(self) -> bool:
        """Asterisks and underscores: emphasis, a stage direction, a product, or part of a name."""
        text = self._text
        run = re.compile(r"\*+|_+").match(text, self._at)
        assert run is not None
        following = text[run.end() : run.end() + 1]
        if self._before.isdigit() and run[0] == "*" and following.strip(" ").isdigit():
            return False
        if self._before.isalnum() or not following or following.isspace() or len(run[0]) > 3:
            is_name = run[0][0] == "_" and self._before.isalnum() and following.isalnum()
            is_product = (
                run[0] == "*"
                and self._before == " "
                and following == " "
                and self._text[: self._at].rstrip()[-1:].isdigit()
            )
            return not is_product and self._say(" " if is_name else "", run.end())
        end = self._find(run[0], run.end(), _MAX_EMPHASIS_CHARS)
        if end is None and self._is_cut_direction(run.end()):
            return self._say("", len(text))
        if end is None:
            return self._say("", run.end())
        content = text[run.end() : end]
        if self._is_direction(content, "emphasis" if len(run[0]) == 1 else "strong", end + len(run[0])):
            return self._say(" ", end + len(run[0]))
        return self._say(self._inner(content), end + len(run[0]))

    def _tilde(self) -> bool:
        if not self._text.startswith("~~", self._at):
            number = re.compile(r"~ ?(?=[\d$€£])").match(self._text, self._at)  # before the number becomes words
            if number is None or not self._words:
                return False
            return self._say(f"{self._words['about']} ", number.end())
        end = self._find("~~", self._at + 2, _MAX_EMPHASIS_CHARS)
        return self._say("", self._at + 2 if end is None else end + 2)  # text that is crossed out is not meant

    def _parenthesis(self) -> bool:
        aside = re.compile(
            rf"\(((?:[^()\d\n]|(?<=[^\d()]){_DURATION.pattern}){{0,{_MAX_ASIDE_CHARS}}})", re.IGNORECASE
        ).match(self._text, self._at)
        assert aside is not None
        if aside.end() == len(self._text):
            if self._place.following and re.match(r"[()\d]", self._place.following):
                return False
            if not self._place.is_last and len(aside[1]) < _MAX_ASIDE_CHARS:
                raise StillOpenError(self._at)
            if self._place.is_last:
                return self._say("", len(self._text) if self._is_cut_direction(self._at + 1) else self._at + 1)
            return False
        if self._text[aside.end()] == ")" and self._is_direction(aside[1], "aside", aside.end() + 1):
            return self._say(" ", aside.end() + 1)
        return False

    def _bracket(self) -> bool:
        text, at = self._text, self._at
        end = self._find("]", at + 1, _MAX_BRACKET_CHARS)
        if end is None:
            return self._say("", at + 1)
        content = text[at + 1 : end]
        if text.startswith("[", end + 1) and (second := self._find("]", end + 2, _MAX_BRACKET_CHARS)):
            return self._say(self._inner(content), second + 1)
        if text.startswith("(", end + 1):
            target = self._end_of_target(end + 2)
            return self._say(self._inner(content), target)
        if re.fullmatch(
            r"\W*|\s*[xX]\s*|/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_RESULTS)|\^?\d{1,3}(?:\s*[,–-]\s*\d{1,3})*|\^.*",
            content,
        ):
            return self._say("", end + 1)  # a check box, a source, a footnote
        if self._is_direction(content, "note", end + 1):
            return self._say(" ", end + 1)
        return self._say(self._inner(content), end + 1)

    def _end_of_target(self, start: int) -> int:
        depth, position = 1, start
        while depth:
            closing = self._find(")", position, _MAX_TARGET_CHARS)
            if closing is None:
                return len(self._text)
            depth += self._text.count("(", position, closing) - 1
            position = closing + 1
        return position

    def _image(self) -> bool:
        return self._text.startswith("![", self._at) and self._say("", self._at + 1)

    def _source(self) -> bool:
        end = self._find("】", self._at + 1, _MAX_BRACKET_CHARS)
        return self._say("", len(self._text) if end is None else end + 1)

    # --- stage directions ---

    def _is_cut_direction(self, start: int) -> bool:
        """Whether the text ends in the middle of a stage direction, as a model does at its limit of tokens."""
        content = self._text[start:]
        return self._place.is_last and "\n" not in content and self._is_direction(content, "strong", len(self._text))

    def _is_direction(self, content: str, kind: str, end: int) -> bool:
        content = _DURATION.sub(" ", content)
        words = _WORD.findall(content)
        text = " ".join(words).lower()
        if not words or len(words) > _MAX_DIRECTION_WORDS or re.search(r"\d", content):
            return False
        if (
            content.rstrip().endswith((".", "!", "?"))
            and kind != "note"
            and not self._is_direction(content.rstrip(" .!?"), "aside", end)
        ):
            return False
        classes = [
            found for name in {base_language(self._language), "en"} if (found := word_classes("directions", name))
        ]
        has_core = any(found["direction"].search(text) for found in classes)
        between_sentences = self._is_at_sentence_start and not self._next_is_lower(end)
        may_stand_here = kind == "note" or between_sentences or any(_acts(text, found) for found in classes)
        if has_core and may_stand_here and any(not _without(text, found) for found in classes):
            return True
        begins_lower = content.strip()[:1].islower()
        if kind == "note" and begins_lower and len(words) <= _MAX_NOTE_WORDS:
            return True
        if not between_sentences or kind == "strong":
            return False
        if kind == "emphasis" and begins_lower and self._is_action(words):
            return True
        begins_core = any(found["direction"].match(text) for found in classes)
        return len(words) > 1 and (begins_core or (has_core and begins_lower))

    @staticmethod
    def _is_action(words: list[str]) -> bool:
        """Whether a text in asterisks tells what somebody does: "*adjusts glasses*", in English, as in chats."""
        is_verb = re.fullmatch(r"[a-z]{2,}(?:s|ing)", words[0]) is not None
        return len(words) > 1 and is_verb and not word_classes("directions", "en")["no_action"].match(words[0])

    # --- formulas ---

    def _formula(self, formula: str, depth: int = 0) -> str:
        return formula_as_words(formula, self._words, depth)


def _acts(text: str, classes: Mapping[str, re.Pattern[str]]) -> bool:
    """Whether a stage direction says what somebody does: "*sighs*", not "*music*", which may be a stressed word."""
    return classes["direction"].search(classes["noun"].sub(" ", text)) is not None


def _without(text: str, classes: Mapping[str, re.Pattern[str]]) -> str:
    for name in ("direction", "manner"):
        text = classes[name].sub(" ", text)
    return " ".join(text.split())


def formula_as_words(formula: str, words: Mapping[str, str], depth: int = 0) -> str:
    """Return how a formula in LaTeX is read: "x squared", "a over b"."""
    group = r"\{((?:[^{}]|\{[^{}]*\})*)\}"

    def inner(text: str) -> str:
        return (
            formula_as_words(text, words, depth + 1) if depth < _MAX_FORMULA_DEPTH else re.sub(r"[\\{}^_]", " ", text)
        )

    def word(name: str) -> str:
        return words.get(name, "")

    text = re.sub(
        rf"\\[dt]?frac\s*{group}\s*{group}", lambda m: f" {inner(m[1])} {word('over')} {inner(m[2])} ", formula
    )
    text = re.sub(rf"\\sqrt(?:\[[^\]]*\])?\s*{group}", lambda m: f" {word('root')} {inner(m[1])} ", text)
    text = re.sub(r"\^\s*(?:\\circ|\{\s*\\circ\s*\})", f" {word('degrees')} ", text)
    text = re.sub(
        rf"\^\s*(?:{group}|(\w))",
        lambda m: f" {_power(inner(m[1]).strip() if m[1] is not None else m[2], words)} ",
        text,
    )
    text = re.sub(rf"_\s*(?:{group}|(\w))", lambda m: f" {inner(m[1]) if m[1] is not None else m[2]} ", text)
    text = re.sub(rf"\\(?:begin|end|label|tag|color|hspace|vspace)\s*{group}", " ", text)
    text = _COMMAND.sub(lambda m: _command_as_words(m[1], words), text)
    text = re.sub(r"\\[,;:!> ]|\\\\|[{}$&~\\]", " ", text)
    for mark, name in (("+", "plus"), ("=", "equals"), ("<", "less"), (">", "greater"), ("*", "times"), ("/", "over")):
        text = text.replace(mark, f" {word(name)} ")
    text = re.sub(r"(?<![A-Za-z])-(?=\s|\w)", f" {word('minus')} ", text)
    return " ".join(text.split())


def _command_as_words(name: str, words: Mapping[str, str]) -> str:
    if name in _COMMANDS:
        return f" {words.get(_COMMANDS[name], '')} "
    return f" {name} " if _GREEK.match(name) else " "


def spoken_code(code: str) -> str:
    """Return how a name or a short command in code is read: without the marks, "snake_case" as two words."""
    text = re.sub(r"[{}()\[\]<>;|$#^~\\`\"*]+", " ", code)
    text = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])|_+|(?<=\w)[:=]+(?=\w)", " ", text)
    return " ".join(text.split())


_HANDLERS: dict[str, Callable[[_Reader], bool]] = {
    "\\": _Reader._backslash,
    "$": _Reader._dollar,
    "`": _Reader._backtick,
    "*": _Reader._emphasis,
    "_": _Reader._emphasis,
    "~": _Reader._tilde,
    "(": _Reader._parenthesis,
    "[": _Reader._bracket,
    "!": _Reader._image,
    "【": _Reader._source,
}
