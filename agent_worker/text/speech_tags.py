"""Remove tags from a streamed text: HTML, SSML, and the marks of models around tools and reasoning.

Also data: of an answer in JSON its obvious text is read out, or the values that words announce ("Your booking:").
"""

from __future__ import annotations

import ast
import json
import re
from decimal import Decimal
from enum import Enum
from typing import Any

#: In front of each line that was written as JSON. No model's: ``speech_characters`` removes private characters.
DATA_MARK = "\ue000"
_MAX_TAG_CHARS = 400
_MAX_CHANNEL_CHARS = 80
#: Their content is not for the ear.
_SILENT = re.compile(
    r"(?:script|style|svg|math|audio|think(?:ing)?|thought|reasoning|analysis|scratchpad|"
    r"function(?:_calls?|_results?)?|tools?|tool_(?:calls?|code|use|response|result|outputs?)|invoke|parameter|"
    r"antml:\w+|function_calls)\Z",
    re.IGNORECASE,
)
#: They change only how the text looks: "<b>bold</b>er" is one word.
_INLINE = re.compile(
    r"(?:a|abbr|b|big|bd[io]|cite|code|de[fl]|dfn|em|emphasis|font|i|ins|kbd|mark|prosody|q|s|say-as|small|span|speak|"
    r"strong|su[bp]|tt|u|var|voice|w)\Z"
)
_BLOCK = re.compile(
    r"(?:article|blockquote|br|d[dlt]|div|footer|h[1-6r]|header|li|main|[ou]l|p|paragraph|pre|section|table|tbody|td|"
    r"th|thead|tr)\Z"
)
_NAME = r"[A-Za-z][\w:.-]*"
_ATTRIBUTE = r"""(?:[\w:@.-]+(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'<>]+))?)"""
_TAG = re.compile(rf"<(?P<close>/?)(?P<name>{_NAME})(?:=[^<>]*|(?:\s+{_ATTRIBUTE})*)\s*(?P<empty>/?)>")
_DECLARATION = re.compile(r"<[!?][^<>]*>")
_COMMENT = "<!--"
_COMMENT_END = "-->"
_AUTOLINK = re.compile(r"<(?:mailto:)?((?:https?://|www\.)[^\s<>]+|[^\s<>]+@[^\s<>]+)>")
#: "<|python_tag|>", "<|im_end|>", "<|channel|>"; with "▁" in a name of DeepSeek, which is a space by now.
_SPECIAL = re.compile(r"<\|([^|<>\n]{0,60})\|>")
_SPECIAL_TOOL = re.compile(r"python_tag|tool|action|plugin", re.IGNORECASE)
_SPECIAL_ROLE = re.compile(r"start|start_header_id|im_start|role", re.IGNORECASE)
#: Behind it a model goes on with another text, often a conversation that it makes up.
_SPECIAL_LAST = re.compile(r"end[\s_]?of[\s_]?(?:text|sentence)", re.IGNORECASE)
_OTHER_ROLE = re.compile(r"\s*(?:user|human|system|developer|tool|ipython|environment|observation)\b", re.IGNORECASE)
_TURN_TAG = "start_of_turn"
_SPECIAL_END = re.compile(r"end|eom|eot|call\Z|return|start", re.IGNORECASE)
_MAY_BECOME_TAG = re.compile(r"<(?:[/!?]|/?[A-Za-z][^<>]*|[!?][^<>]*|\|[^|<>\n]*\|?)?\Z")
_FIRST_KEY = re.compile(r"\{\s*(?:\"[^\"\n]{1,60}\"|'[^'\n]{1,60}')\s*:")
_PARTIAL_FIRST_KEY = re.compile(r"\{\s{0,9}(?:(?:\"[^\"\n]{0,60}|'[^'\n]{0,60})(?:[\"']\s{0,9})?)?\Z")
#: Words in front of data that is meant to be told.
_ANNOUNCES = re.compile(r":[*_]*\s*(?:(?:```|~~~)\s*\w*\s*)?\Z")
_ANNOUNCEMENT_CHARS = 40
_MAX_VALUES = 8
_MAX_VALUE_CHARS = 200
_WORD_BREAK = re.compile(r"[_\W]+|(?<=[a-zß-ÿ])(?=[A-Z])")
_CALL_KEYS = frozenset({"function", "tool", "arguments", "parameters"})
_TEXT_KEYS = ("answer", "response", "reply", "speech", "say", "message", "text", "content", "output")


class _Silence(Enum):
    """What is left out until its end."""

    COMMENT = "comment"
    TOOL = "tool"  #: behind a special token
    ROLE = "role"  #: "assistant", behind "<|im_start|>"
    OTHER_ROLE = "other role"  #: what a model makes the caller say
    LAST = "last"  #: the rest
    CHANNEL = "channel"  #: "analysis", behind "<|channel|>"


class SpeechTags:
    """The stream without tags. Any cut of the text into pieces gives the same result."""

    def __init__(self) -> None:
        self._held = ""
        self._data: _Data | None = None
        self._silent_until: str | _Silence | None = None
        self._silent_text = ""
        self._at_line_start = True
        self._passed_end = ""

    def push(self, piece: str) -> str:
        """Add the next piece and return what is certain by now."""
        if self._is_plain(piece):
            self._at_line_start = False
            self._passed_end = (self._passed_end + piece)[-_ANNOUNCEMENT_CHARS:]
            return piece
        return "".join(map(self._push_character, piece))

    def _is_plain(self, piece: str) -> bool:
        is_idle = not self._held and self._data is None and self._silent_until is None
        return is_idle and not self._at_line_start and bool(piece) and not any(mark in piece for mark in "<{\n")

    def flush(self) -> str:
        """Return the rest at the end of the text. A tag that was cut off is left out."""
        if self._data is not None:
            data, self._data = self._data, None
            return data.rest()
        held, self._held = self._held, ""
        return held if held == "<" and self._silent_until is None else ""

    def _push_character(self, character: str) -> str:
        if self._data is not None:
            return self._push_data(character)
        if not self._held:
            if character == "<" and self._silent_until is not _Silence.COMMENT:
                self._held = character
                return ""
            if self._silent_until is None and (character == "{" or (self._at_line_start and character == "[")):
                self._data = _Data(character, in_line=not self._at_line_start)
                return ""
            return self._pass(character)
        self._held += character
        if self._held == _COMMENT:
            self._held, self._silent_until, self._silent_text = "", _Silence.COMMENT, ""
        elif character == ">" or len(self._held) > _MAX_TAG_CHARS or not _MAY_BECOME_TAG.match(self._held):
            return self._pass_held()
        return ""

    def _pass_held(self) -> str:
        held, self._held = self._held, ""
        if link := _AUTOLINK.fullmatch(held):
            return self._pass_all(link[1])
        if special := _SPECIAL.fullmatch(held):
            return self._pass_special(special[1])
        if _DECLARATION.fullmatch(held):
            return ""
        if tag := _TAG.fullmatch(held):
            return self._pass_tag(tag)
        # No tag: the first character is text, and the rest may hold another one.
        return self._pass(held[0]) + self.push(held[1:])

    def _pass_tag(self, tag: re.Match[str]) -> str:
        name = tag["name"].lower()
        if name == _TURN_TAG and self._silent_until is not _Silence.LAST:
            return self._begin_role()
        if self._silent_until is not None:
            if tag["close"] and name == self._silent_until:
                self._silent_until = None
                return self._pass(" ")
            return ""
        if _BLOCK.match(name):
            return self._pass("\n")
        if _SILENT.match(name) and not tag["close"] and not tag["empty"]:
            self._silent_until = name
            return ""
        return "" if _INLINE.match(name) else self._pass(" ")

    def _pass_special(self, name: str) -> str:
        silence = self._silent_until
        if isinstance(silence, str) or silence is _Silence.LAST:
            return ""
        if _SPECIAL_LAST.search(name):
            self._silent_until = _Silence.LAST
        elif _OTHER_ROLE.fullmatch(name) or (silence is _Silence.ROLE and _OTHER_ROLE.match(self._silent_text)):
            self._silent_until = _Silence.OTHER_ROLE
        elif silence is _Silence.CHANNEL:
            is_answer = self._silent_text.strip().startswith("final")
            self._silent_until = None if is_answer else _Silence.TOOL
        elif name == "channel":
            self._silent_until, self._silent_text = _Silence.CHANNEL, ""
        elif _SPECIAL_ROLE.fullmatch(name):
            return self._begin_role()
        elif silence is _Silence.ROLE or name == "assistant" or _SPECIAL_END.search(name):
            self._silent_until = None
        elif _SPECIAL_TOOL.search(name):
            self._silent_until = _Silence.TOOL
        return self._pass(" ")

    def _begin_role(self) -> str:
        self._silent_until, self._silent_text = _Silence.ROLE, ""
        return " "

    def _pass_all(self, text: str) -> str:
        return "".join(map(self._pass, text))

    def _pass(self, character: str) -> str:
        if self._silent_until is not None:
            return self._pass_silent(character)
        if character == "\n" or not character.isspace():
            self._at_line_start = character == "\n"
        self._passed_end = (self._passed_end + character)[-_ANNOUNCEMENT_CHARS:]
        return character

    def _pass_silent(self, character: str) -> str:
        self._silent_text = (self._silent_text + character)[-_MAX_CHANNEL_CHARS:]
        is_comment_over = self._silent_until is _Silence.COMMENT and self._silent_text.endswith(_COMMENT_END)
        if is_comment_over:
            self._silent_until = None
        elif self._silent_until is _Silence.ROLE and character == "\n":
            self._silent_until = _Silence.OTHER_ROLE if _OTHER_ROLE.match(self._silent_text) else None
        return ""

    def _push_data(self, character: str) -> str:
        assert self._data is not None
        self._data.push(character)
        if self._data.is_data is None or (self._data.is_data and not self._data.is_complete):
            return ""
        data, self._data = self._data, None
        if data.is_data:
            text = spoken_value(data.text, tells_values=_ANNOUNCES.search(self._passed_end) is not None)
            return self._pass_all("".join(f"{DATA_MARK}{line}\n" for line in text.splitlines()) or " ")
        return self._pass(data.text[0]) + self.push(data.text[1:])


class _Data:
    """A text that begins like JSON.

    Args:
        opening: Its first character.
        in_line: Whether words stand in front of it: then it is JSON only from its first key on.

    Attributes:
        text: The text so far.
        is_data: Whether it is JSON; ``None`` if that is not certain yet.
        is_complete: Whether the outermost bracket is closed.
    """

    def __init__(self, opening: str, *, in_line: bool) -> None:
        self.text = opening
        self._in_line = in_line
        self.is_data: bool | None = None
        self.is_complete = False
        self._depth = 1
        self._in_string = self._is_escaped = False

    def push(self, character: str) -> None:
        self.text += character
        if self._in_line:
            self.is_data = self.is_data or _may_be_object(self.text)
        elif self.is_data is None and not character.isspace():
            self.is_data = character in ('"', "'", "{", "}") if self.text[0] == "{" else character == "{"
            if self.text.startswith("{") and character == "{":
                self.is_data = False  # a template: "{{name}}"
        self._track(character)

    def rest(self) -> str:
        """Return the text if it ends here."""
        return "" if self.is_data else self.text

    def _track(self, character: str) -> None:
        if self._in_string:
            if self._is_escaped or character == "\\":
                self._is_escaped = not self._is_escaped
            elif character == '"':
                self._in_string = False
        elif character == '"':
            self._in_string = True
        elif character in "{[":
            self._depth += 1
        elif character in "}]":
            self._depth -= 1
            self.is_complete = self._depth == 0


def _may_be_object(text: str) -> bool | None:
    """Whether a text begins an object with its first key; ``None`` if that is not certain yet."""
    if _FIRST_KEY.match(text):
        return True
    return None if _PARTIAL_FIRST_KEY.match(text) else False


def spoken_value(text: str, *, tells_values: bool = False) -> str:
    """Return what is spoken of an answer that was written as JSON; empty if nothing is.

    Args:
        text: The JSON, or the same in Python's notation.
        tells_values: Whether the values of a flat object are told, each with its name.
    """
    try:
        is_python = re.match(r"[\[\s]*{\s*'", text) is not None
        value: Any = ast.literal_eval(text) if is_python else json.loads(text, parse_float=Decimal)
    except (ArithmeticError, ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return ""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, dict) or _CALL_KEYS & value.keys():
        return ""
    found = next((value[key] for key in _TEXT_KEYS if isinstance(value.get(key), str)), "")
    if found:
        return "" if "name" in value else found
    return _told(value) if tells_values else ""


def _told(value: dict[Any, Any]) -> str:
    """Return the values of a flat object with their names, as a sentence; empty if one of them is no words."""
    pairs = []
    for key, each in value.items():
        items = each if isinstance(each, list) else [each]
        if not all(isinstance(item, (str, int, float, Decimal)) and not isinstance(item, bool) for item in items):
            return ""
        said = ", ".join(str(item).strip() for item in items)
        if not said or len(said) > _MAX_VALUE_CHARS:
            return ""
        pairs.append(f"{_WORD_BREAK.sub(' ', str(key)).strip().lower()} {said}")
    return f"{', '.join(pairs)}." if 0 < len(pairs) <= _MAX_VALUES else ""
