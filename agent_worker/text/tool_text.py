"""Find the tool calls that a model wrote as text, such as ``<function=opening_time>{"day": "monday"}</function>``.

Small models, and servers without a parser for their model, put the call into the answer instead of its own field. The
forms are those of Llama, Qwen, Hermes, Mistral, DeepSeek, GLM, gpt-oss and Claude, and plain JSON.
"""

from __future__ import annotations

import ast
import contextlib
import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

#: A longer one is none, and the text is dropped.
_MAX_CALL_CHARS = 10_000
_MAX_MARK_CHARS = 150
_MAX_PYTHON_CHARS = 2_000
_NAME_KEYS = ("name", "function", "tool", "tool_name", "function_name", "action", "recipient_name")
_ARGUMENT_KEYS = ("arguments", "parameters", "args", "input", "kwargs", "params", "action_input", "tool_input")
_BAR = "[|\uff5c]"
#: A namespace in front of a tag: "antml:invoke", or the mark of DeepSeek 3.2.
_SPACE = rf"(?:antml:|{_BAR}DSML{_BAR})?"
#: What opens a call, and what closes it; without a closing mark it goes on to the end of the answer.
_MARKS: tuple[tuple[str, str | None], ...] = (
    (r"<tool_?calls?(?:\s[^<>]*)?>", r"</tool_?calls?>"),
    (rf"<{_SPACE}function_calls?>", rf"</{_SPACE}function_calls?>"),
    (rf"<{_SPACE}invoke\s[^<>]*>", rf"</{_SPACE}invoke>"),
    (r"<function[=\s(][^<>{]*[>{]", r"</function>"),
    (r"<start_function_call>", r"<end_function_call>"),
    (r"<(?:tool_code|tool_use|tool)>", r"</(?:tool_code|tool_use|tool)>"),
    (r"```(?:tool_code|tool_call|tool)\s", r"```"),
    (rf"<{_BAR}tool[_\u2581]calls?[_\u2581](?:section[_\u2581])?begin{_BAR}>", None),
    (r"<\|python_tag\|>", r"<\|(?:eom_id|eot_id)\|>"),
    (r"<\|(?:tool_call|action_start|plugin)\|>", r"<\|(?:/tool_call|action_end|tool_call_end|eot_id)\|>"),
    (r"<\|channel\|>[^<]*?to=", r"<\|(?:call|end)\|>"),
    (r"\[TOOL_CALLS?\]|\[TOOL_REQUEST\]", None),
)
_OPENING = re.compile(
    "|".join(f"(?P<m{number}>{opening})" for number, (opening, _) in enumerate(_MARKS)), re.IGNORECASE
)
_CLOSING = [re.compile(closing, re.IGNORECASE) if closing else None for _, closing in _MARKS]
#: A tag with the name of a tool: "<opening_time><day>monday</day></opening_time>".
_NAMED_TAG = re.compile(r"<([A-Za-z_][\w.-]*)>\Z")
#: The end of a text that may become an opening mark.
_PARTIAL = re.compile(
    r"<(?:[|\uff5c][\w\u2581 =.]{0,40}(?:[|\uff5c](?:>?[\w\s.=]{0,60})?)?|/?[\w.:-]{0,40}(?:[=\s(][^<>\n]{0,80})?)?\Z"
    r"|`{1,3}[a-z_]{0,9}\Z|\[[A-Z_]{0,13}\Z"
)
_FENCE = re.compile(r"```(?:json)?\s*")
_JSON_START = re.compile(
    r"(?:```(?:json)?\s*(?=[{\[]|\Z))?(?:(?:\[\s*)?\{\s*(?:[\"']|\Z)|\[\s*\Z|(?<=`)\Z|(?<=json)\Z|(?<=\s)\Z)"
)
_OBJECT = re.compile(r"\{\s*[\"']")
_LINE_START = re.compile(r"(?:\A|\n)[ \t]*\Z")
#: Where a call in JSON may begin: also behind a sentence, and behind another call.
_JSON_PLACE = re.compile(r"(?:\A|[\n.!?…:;,])[ \t]*\Z")
#: What is left of gpt-oss' header where a server drops the special tokens: "commentary to=functions.book json{…}".
_RECIPIENTS = ("assistantcommentary to=", "assistantanalysis to=", "commentary to=", "analysis to=")
_MAX_RECIPIENT_CHARS = 100
#: Glued to the name in such a header.
_CONTENT_TYPES = ("json", "code")
#: What models write in front of a call in Python, and behind it.
_PYTHON_PREFIXES = ("", "[", "`", "print(", "default_api.", "functions.", "print(default_api.")
_PYTHON_END = " \t\n`;."
_PROSE = re.compile(r"\) [^\W\d]")


@dataclass(frozen=True)
class WrittenCall:
    """A tool call that was written as text.

    Attributes:
        name: Name of the tool.
        arguments: Its arguments.
    """

    name: str
    arguments: dict[str, Any]


@dataclass
class ToolText:
    """Takes written tool calls out of a streamed text.

    Args:
        tools: Names of the tools that may be called.

    Attributes:
        calls: The calls that were found and may run, for the caller of ``push`` and ``flush`` to take.
        has_unusable: Whether there was a call that does not parse, or of a tool that does not exist.
    """

    tools: Collection[str]
    calls: list[WrittenCall] = field(default_factory=list)
    has_unusable: bool = False
    _held: str = ""
    _closing: re.Pattern[str] | None = None
    _mark_chars: int = 0
    _passed_end: str = "\n"
    _drops_fence: bool = False

    @property
    def is_inside(self) -> bool:
        """Whether the text so far ends in the middle of a call."""
        return self._mark_chars > 0

    def push(self, piece: str) -> str:
        """Add the next piece of the answer and return what of it is no tool call."""
        return "".join(map(self._push_character, piece))

    def flush(self) -> str:
        """Return the rest at the end of the answer. A call that was cut off is unusable."""
        held, self._held = self._held, ""
        if self.is_inside:
            self._mark_chars = 0
            self._take(held, is_cut=self._closing is not None)
            return ""
        if self._is_json(held):
            if not _OBJECT.search(held):
                return held
            self._take(held, is_cut=True)  # a call or not: of an object that was cut off, nothing can be said
            return ""
        return self._without_python(held)

    def take_calls(self) -> list[WrittenCall]:
        """Return the calls since the last time."""
        calls, self.calls = self.calls, []
        return calls

    def _push_character(self, character: str) -> str:
        if self._drops_fence and (character.isspace() or character == "`"):
            return ""
        self._drops_fence = False
        if not self._held and character not in "<`[{" and not self._may_begin_call(character):
            return self._pass(character)
        self._held += character
        if self.is_inside:
            self._end_call()
            return ""
        if opening := self._opening():
            before, self._held = self._held[: opening.start()], self._held[opening.start() :]
            self._mark_chars = len(self._held)
            return self._pass(before)
        if self._is_json(self._held):
            return self._push_json()
        if self._is_python(self._held):
            return self._push_python()
        if _PARTIAL.search(self._held, max(0, len(self._held) - _MAX_MARK_CHARS)):
            return ""
        start = self._recipient_start()
        held, self._held = self._held[:start], self._held[start:]
        return self._pass(held)

    def _opening(self) -> re.Match[str] | None:
        """Return the mark at the end of the held text that opens a call, and note what closes it."""
        if opening := _OPENING.search(self._held, max(0, len(self._held) - _MAX_MARK_CHARS)):
            self._closing = _CLOSING[int(str(opening.lastgroup)[1:])]
            return opening
        if recipient := self._recipient():
            self._closing = None
            return recipient
        tag = _NAMED_TAG.search(self._held, max(0, len(self._held) - _MAX_MARK_CHARS))
        if tag is None or tag[1] not in self.tools:
            return None
        self._closing = re.compile(f"</{re.escape(tag[1])}>")
        return tag

    def _pass(self, text: str) -> str:
        self._passed_end = (self._passed_end + text)[-20:]
        return text

    def _end_call(self) -> None:
        if self._held[-1] not in ">`" and len(self._held) <= _MAX_CALL_CHARS:
            return
        if self._closing and (end := self._closing.search(self._held, self._mark_chars)):
            held, self._held, self._mark_chars = self._held[: end.start()], self._held[end.end() :], 0
            self._take(held, is_cut=False)
        elif len(self._held) > _MAX_CALL_CHARS:
            self.has_unusable, self._held = True, self._held[: self._mark_chars]

    # --- plain JSON, and a call in Python, at the beginning of a line ---

    def _is_json(self, held: str) -> bool:
        return _JSON_START.match(held) is not None and _JSON_PLACE.search(self._passed_end) is not None

    def _push_json(self) -> str:
        if self._held[-1] not in "}]":
            return ""
        fence = _FENCE.match(self._held)
        try:
            value = _parse(self._held[fence.end() :] if fence else self._held)
        except ValueError:
            if len(self._held) <= _MAX_CALL_CHARS:
                return ""
            value = None
        held, self._held = self._held, ""
        calls = list(_calls_in(value))
        if not calls or not _looks_like_call(held):
            return self._pass(held)
        self._take_all(calls)
        self._drops_fence = fence is not None
        return ""

    def _may_begin_call(self, character: str) -> bool:
        return self._is_python(character) or (
            character in "act" and not self._passed_end[-1:].isalnum() and self._is_partial_recipient(character)
        )

    # --- the header of a call without its special tokens ---

    def _recipients(self) -> Iterator[str]:
        yield from _RECIPIENTS
        for name in ("functions.", *self.tools):
            yield from (f"to={name}", f"assistant to={name}")

    def _recipient(self) -> re.Match[str] | None:
        """Return the header at the end of the held text."""
        if "to=" not in self._held[-_MAX_RECIPIENT_CHARS:]:
            return None
        heads = "|".join(re.escape(head).replace(r"\ ", r"\s+") for head in self._recipients())
        found = re.search(rf"(?<![^\W_])(?:{heads})\Z", self._held[-_MAX_RECIPIENT_CHARS:])
        if found is None or (found.end() == len(found[0]) and self._passed_end[-1:].isalnum()):
            return None
        return re.compile(rf"{re.escape(found[0])}\Z").search(self._held)

    def _recipient_start(self) -> int:
        """Return where in the held text a header may begin; its length if nowhere."""
        begins = re.finditer(r"(?<![^\W_])[act]", self._held)
        starts = (begin.start() for begin in begins if self._is_partial_recipient(self._held[begin.start() :]))
        return next((start for start in starts if start or not self._passed_end[-1:].isalnum()), len(self._held))

    def _is_partial_recipient(self, text: str) -> bool:
        words = re.sub(r"\s+", " ", text)
        return len(text) <= _MAX_RECIPIENT_CHARS and any(head.startswith(words) for head in self._recipients())

    def _is_python(self, held: str) -> bool:
        """Whether a line begins, or may begin, with the call of a tool."""
        return _LINE_START.search(self._passed_end) is not None and any(
            start.startswith(held) or held.startswith(start)
            for prefix in _PYTHON_PREFIXES
            for start in (f"{prefix}{name}(" for name in self.tools)
        )

    def _push_python(self) -> str:
        if self._held[-1] != "\n" and len(self._held) <= _MAX_CALL_CHARS:
            return ""
        held, self._held = self._held, ""
        return self._pass(self._without_python(held))

    def _without_python(self, line: str) -> str:
        """Return the line; nothing if it is a call in Python, and nothing but that."""
        text = line.strip(_PYTHON_END)
        if not text.endswith((")", "]")) or not self._is_python(line.lstrip()):
            return line
        calls = _written_in_python(text)
        if not calls and _PROSE.search(text):
            return line
        self._take_all(calls)
        return ""

    # --- what the call says ---

    def _take(self, text: str, *, is_cut: bool) -> None:
        calls = [self._with_known_name(call) for call in _parsed(text, self.tools)]
        if is_cut and not _is_whole(text):
            calls = []
        self._take_all(calls)

    def _with_known_name(self, call: WrittenCall) -> WrittenCall:
        """Return the call of "bookjson" as one of "book"."""
        names = (call.name.removesuffix(kind) for kind in _CONTENT_TYPES)
        known = next((name for name in names if call.name not in self.tools and name in self.tools), call.name)
        return WrittenCall(known, call.arguments)

    def _take_all(self, calls: list[WrittenCall]) -> None:
        usable = [call for call in calls if call.name in self.tools]
        self.has_unusable = self.has_unusable or len(usable) < max(1, len(calls))
        self.calls += usable


def _looks_like_call(text: str) -> bool:
    names, arguments = "|".join(_NAME_KEYS), "|".join(_ARGUMENT_KEYS)
    return all(re.search(rf"[\"'](?:{keys})[\"']\s*:", text) for keys in (names, arguments))


def _is_whole(text: str) -> bool:
    """Whether a call without its closing mark was written to its end."""
    return text.rstrip().endswith(("}", "]", ")", "</parameter>", "</arg_value>", "</invoke>", "</function>"))


def _parsed(text: str, tools: Collection[str]) -> Iterator[WrittenCall]:
    """Yield the calls in a text between marks."""
    xml = list(_written_in_xml(text))
    if xml:
        yield from xml
        return
    if (tag := _NAMED_TAG_AT_START.match(text)) and tag[1] in tools:
        yield from _written_in_named_tag(tag[1], tag[2].strip())
        return
    found = False
    for name, value in _json_values(text):
        if name is not None and isinstance(value, dict) and not _looks_like_call(json.dumps(value)):
            found = True
            yield WrittenCall(name, value)
        else:
            for call in _calls_in(value):
                found = True
                yield call
    if not found:
        body = re.sub(r"^(?:<[^<>]*>|```\w*|\[TOOL_CALLS?\])\s*", "", text).strip()
        with contextlib.suppress(ValueError):
            calls = list(_calls_in(_parse(body)))
            found = bool(calls)
            yield from calls
        if not found:
            yield from _written_in_python(body)


_NAMED_TAG_AT_START = re.compile(r"<([A-Za-z_][\w.-]*)>(.*)", re.DOTALL)
_CHILD = re.compile(r"<(?P<key>[\w.-]+)>(?P<value>.*?)</(?P=key)>", re.DOTALL)


def _written_in_named_tag(name: str, body: str) -> Iterator[WrittenCall]:
    arguments = {each["key"]: _value(each["value"].strip()) for each in _CHILD.finditer(body)}
    value = arguments or _value(body or "{}")
    if isinstance(value, dict):
        yield WrittenCall(name, value)


def _parse(text: str) -> Any:
    """Return a value in JSON, or in Python's notation if it has quotation marks of that kind.

    Raises:
        ValueError: If it is not complete, or neither.
    """
    if not re.match(r"[\[\s]*\{\s*'", text):
        return json.loads(text)
    if len(text) > _MAX_PYTHON_CHARS or text.count("{") != text.count("}"):
        raise ValueError("not complete")
    try:
        value = ast.literal_eval(text.strip())
        json.dumps(value)
    except (SyntaxError, TypeError, RecursionError, MemoryError) as error:
        raise ValueError("no value") from error
    return value


def _calls_in(value: Any) -> Iterator[WrittenCall]:
    if isinstance(value, list):
        for each in value:
            yield from _calls_in(each)
        return
    if not isinstance(value, dict):
        return
    for key in ("tool_calls", "calls", "tool_uses"):
        if isinstance(value.get(key), list):
            yield from _calls_in(value[key])
            return
    if isinstance(value.get("function"), dict):  # as in OpenAI's own field
        value = value["function"]
    name = next((value[key] for key in _NAME_KEYS if isinstance(value.get(key), str)), None)
    arguments: Any = next((value[key] for key in _ARGUMENT_KEYS if key in value), None)
    if arguments is None and any(key in value for key in _ARGUMENT_KEYS):
        arguments = {}  # "null"
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments)
        except ValueError:
            return
    if name is not None and isinstance(arguments, dict):
        yield WrittenCall(name.removeprefix("functions."), arguments)


#: Marks between which the name of a tool stands in front of its arguments.
_NAME_BEFORE = re.compile(
    r"<function=\s*\"?(?P<a>[\w.-]+)\"?\s*>|<function\s+name=\"(?P<b>[\w.-]+)\"\s*>|to=(?:functions\.)?(?P<c>[\w.-]+)"
    r"|\[TOOL_CALLS?\]\s*(?P<d>[\w.-]+)\s*(?:\[CALL_ID\]\s*\w+\s*)?(?:\[ARGS\])?(?=\{)"
    r"|(?:sep[|\uff5c]>|\n|<tool_call>)\s*(?P<e>[\w.-]+)\s*(?:```json)?\s*(?=\{)"
    r"|begin[|\uff5c]>\s*(?:functions\.)?(?P<f>[\w.-]+?)(?::\d+)?\s*<[|\uff5c]tool[\w\u2581]*[|\uff5c]>\s*(?=\{)"
    r"|<function[=(]\s*\"?(?P<g>[\w.-]+)\"?\)?\s*>?\s*(?=\{)|<(?:tool|function)_?calls?\s+name=\"(?P<h>[\w.-]+)\"[^<>]*>\s*(?=\{)",
    re.IGNORECASE,
)


def _json_values(text: str) -> Iterator[tuple[str | None, Any]]:
    """Yield each JSON value in a text, with the name of the tool in front of it, if there is one."""
    decoder, position = json.JSONDecoder(), 0
    while (
        start := min((at for at in (text.find("{", position), text.find("[{", position)) if at >= 0), default=-1)
    ) >= 0:
        try:
            value, end = decoder.raw_decode(text, start)
        except ValueError:
            position = start + 1
            continue
        names = list(_NAME_BEFORE.finditer(text, position, start + 1))
        yield (next(filter(None, names[-1].groups())) if names else None), value
        position = end


_XML_CALL = re.compile(
    rf"<{_SPACE}(?:invoke|function)(?:=|\s+name=)\"?(?P<name>[\w.-]+)\"?\s*>(?P<body>.*?)"
    rf"(?=<{_SPACE}(?:invoke|function)[=\s]|\Z)",
    re.DOTALL,
)
_XML_ARGUMENT = re.compile(
    rf"<{_SPACE}parameter(?:=|\s+name=)\"?(?P<key>[\w.-]+)\"?[^<>]*>(?P<value>.*?)"
    rf"(?=</{_SPACE}parameter>|<{_SPACE}parameter|\Z)",
    re.DOTALL,
)
_GLM_CALL = re.compile(r"<tool_call>\s*(?P<name>[\w.-]+)\s*(?P<body><arg_key>.*)", re.DOTALL)
_GLM_ARGUMENT = re.compile(r"<arg_key>(?P<key>.*?)</arg_key>\s*<arg_value>(?P<value>.*?)</arg_value>", re.DOTALL)


def _written_in_xml(text: str) -> Iterator[WrittenCall]:
    for call, argument in ((_XML_CALL, _XML_ARGUMENT), (_GLM_CALL, _GLM_ARGUMENT)):
        for found in call.finditer(text):
            body = found["body"]
            arguments = {each["key"].strip(): _value(each["value"].strip()) for each in argument.finditer(body)}
            if arguments or not re.search(r"[^\s<>/]", re.sub(r"</?[^<>]*>", "", body)):
                yield WrittenCall(found["name"], arguments)


def _value(text: str) -> Any:
    """Return an argument that has no type: JSON if it is, else the text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _written_in_python(text: str) -> list[WrittenCall]:
    """Return the calls that a text is: ``opening_time(day="monday")``, or a list of such. Nothing of it is run."""
    if len(text) > _MAX_CALL_CHARS:
        return []
    try:
        expression = ast.parse(text.strip(), mode="eval").body
        items = expression.elts if isinstance(expression, (ast.List, ast.Tuple)) else [expression]
        return [_python_call(item) for item in items]
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return []


def _python_call(expression: ast.expr) -> WrittenCall:
    while isinstance(expression, ast.Call) and ast.unparse(expression.func) == "print" and expression.args:
        expression = expression.args[0]
    if not isinstance(expression, ast.Call) or expression.args:
        raise ValueError("no call with named arguments")
    name = ast.unparse(expression.func).removesuffix(".call").rpartition(".")[2]
    arguments = {each.arg: ast.literal_eval(each.value) for each in expression.keywords if each.arg}
    json.dumps(arguments)
    return WrittenCall(name, arguments)
