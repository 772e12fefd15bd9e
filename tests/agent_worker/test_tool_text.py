from __future__ import annotations

import json

import pytest

from agent_worker.text.tool_text import ToolText, WrittenCall

CALL = WrittenCall("opening_time", {"day": "monday"})
JSON_CALL = '{"name": "opening_time", "arguments": {"day": "monday"}}'
BAR = "\uff5c"


def read(text: str, size: int | None = None) -> tuple[str, list[WrittenCall], bool]:
    """Return what is left of a text, the calls in it, and whether one was unusable."""
    tool_text = ToolText({"opening_time", "book"})
    size = size or len(text) or 1
    pieces = [tool_text.push(text[start : start + size]) for start in range(0, len(text), size)]
    return "".join(pieces) + tool_text.flush(), tool_text.calls, tool_text.has_unusable


@pytest.mark.parametrize(
    "written",
    [
        '<function=opening_time>{"day": "monday"}</function>',
        '<function name="opening_time">{"day": "monday"}</function>',
        '<|python_tag|>{"name": "opening_time", "parameters": {"day": "monday"}}',
        '<|python_tag|>opening_time.call(day="monday")<|eom_id|>',
        f"<tool_call>\n{JSON_CALL}\n</tool_call>",
        f"<tool_call>{JSON_CALL}",
        "<tool_call>\n<function=opening_time>\n<parameter=day>\nmonday\n</parameter>\n</function>\n</tool_call>",
        "<tool_call>opening_time\n<arg_key>day</arg_key>\n<arg_value>monday</arg_value>\n</tool_call>",
        f"<function_call>{JSON_CALL}</function_call>",
        '<function_calls><invoke name="opening_time"><parameter name="day">monday</parameter></invoke>'
        "</function_calls>",
        '<invoke name="opening_time">\n<parameter name="day">monday</parameter>\n</invoke>',
        f"[TOOL_CALLS][{JSON_CALL}]",
        '[TOOL_CALLS]opening_time[ARGS]{"day": "monday"}',
        f"<{BAR}tool▁calls▁begin{BAR}><{BAR}tool▁call▁begin{BAR}>function<{BAR}tool▁sep{BAR}>opening_time\n```json\n"
        f'{{"day": "monday"}}\n```<{BAR}tool▁call▁end{BAR}><{BAR}tool▁calls▁end{BAR}>',
        '<|channel|>commentary to=functions.opening_time <|constrain|>json<|message|>{"day": "monday"}<|call|>',
        '```tool_code\nprint(opening_time(day="monday"))\n```',
        f"```json\n{JSON_CALL}\n```",
        JSON_CALL,
        f"[{JSON_CALL}]",
        '{"tool": "opening_time", "tool_input": {"day": "monday"}}',
        json.dumps({"type": "function", "function": {"name": "opening_time", "arguments": '{"day": "monday"}'}}),
        'opening_time(day="monday")',
        '[opening_time(day="monday")]',
        '`opening_time(day="monday")`.',
        'print(default_api.opening_time(day="monday"))',
        JSON_CALL.replace('"', "'"),
        f"<TOOLCALL>[{JSON_CALL}]</TOOLCALL>",
        f"[TOOL_REQUEST]{JSON_CALL}[END_TOOL_REQUEST]",
        '<tool_call name="opening_time">{"day": "monday"}</tool_call>',
        '<tool_call>opening_time\n{"day": "monday"}\n</tool_call>',
        '<function=opening_time{"day": "monday"}</function>',
        '<function(opening_time)>{"day": "monday"}</function>',
        '<opening_time>{"day": "monday"}</opening_time>',
        "<opening_time>\n<day>monday</day>\n</opening_time>",
        '[TOOL_CALLS]opening_time[CALL_ID]abc123[ARGS]{"day": "monday"}',
        '<|tool_calls_section_begin|><|tool_call_begin|>functions.opening_time:0<|tool_call_argument_begin|>{"day": '
        '"monday"}<|tool_call_end|><|tool_calls_section_end|>',
        f"<{BAR}tool▁calls▁begin{BAR}><{BAR}tool▁call▁begin{BAR}>opening_time<{BAR}tool▁sep{BAR}>"
        f'{{"day": "monday"}}<{BAR}tool▁call▁end{BAR}><{BAR}tool▁calls▁end{BAR}>',
        f'<{BAR}DSML{BAR}function_calls><{BAR}DSML{BAR}invoke name="opening_time"><{BAR}DSML{BAR}parameter name="day" '
        f'string="true">monday</{BAR}DSML{BAR}parameter></{BAR}DSML{BAR}invoke></{BAR}DSML{BAR}function_calls>',
        '<|channel|>assistant to=functions.opening_time commentary<|message|>{"day": "monday"}<|call|>',
        # gpt-oss behind a server that drops the special tokens
        'commentary to=functions.opening_time json{"day": "monday"}',
        'commentary to=functions.opening_time {"day": "monday"}',
        'commentary to=opening_time code{"day": "monday"}',
        'assistantcommentary to=functions.opening_timejson{"day": "monday"}',
        'assistant to=functions.opening_time commentary json{"day": "monday"}',
        'analysis to=functions.opening_time\n{"day": "monday"}',
        'to=functions.opening_time {"day": "monday"}',
    ],
)
def test_call_written_as_text_is_found_and_nothing_of_it_is_left(written: str) -> None:
    assert read(written) == ("", [CALL], False)
    assert all(read(written, size) == ("", [CALL], False) for size in (1, 2, 5))


def test_text_around_a_call_stays() -> None:
    text, calls, _ = read(f"Let me check.\n<tool_call>{JSON_CALL}</tool_call> One moment.")
    assert text.split() == ["Let", "me", "check.", "One", "moment."]
    assert calls == [CALL]


@pytest.mark.parametrize(
    ("before", "written"),
    [
        ("Let me check. ", JSON_CALL),
        ("I will look: ", f"[{JSON_CALL}]"),
        ("Sure! ", f"```json\n{JSON_CALL}\n```"),
    ],
)
def test_call_in_json_may_follow_a_sentence(before: str, written: str) -> None:
    for size in (None, 1, 5):
        text, calls, has_unusable = read(before + written, size)
        assert (text.strip(), calls, has_unusable) == (before.strip(), [CALL], False)


@pytest.mark.parametrize("before", ["Let me check.", "Sure! ", "One moment.\n", "I look it up:assistant"])
def test_header_of_a_call_without_its_special_tokens_may_follow_words(before: str) -> None:
    second = 'commentary to=functions.book json{"seats": 2}'
    for size in (None, 1, 3):
        found = read(f'{before}commentary to=functions.opening_time json{{"day": "monday"}}{second}', size)
        assert found == (before.removesuffix("assistant"), [CALL, WrittenCall("book", {"seats": 2})], False)


def test_header_of_a_call_that_cannot_run_is_unusable() -> None:
    for written in (
        'commentary to=functions.nope json{"day": 1}',
        "commentary to=functions.book",
        "to=functions.book {",
    ):
        assert read(written) == ("", [], True)
        assert read(written, 1) == ("", [], True)


@pytest.mark.parametrize(
    "text",
    [
        "The commentary to the film, an analysis to go, and an assistant to help.",
        "I can act to= it. commentary",
        "It is set to=5, the assistant to come.",
        "Go to the analysis",
    ],
)
def test_words_of_such_a_header_stay_in_a_text(text: str) -> None:
    assert read(text) == read(text, 1) == (text, [], False)


@pytest.mark.parametrize("between", ["\n", ", ", "; "])
def test_calls_in_json_may_follow_each_other(between: str) -> None:
    second = '{"name": "book", "arguments": {"seats": 2}}'
    for size in (None, 1):
        assert read(JSON_CALL + between + second, size)[1] == [CALL, WrittenCall("book", {"seats": 2})]


def test_arguments_may_be_null() -> None:
    assert read('{"name": "opening_time", "arguments": null}') == ("", [WrittenCall("opening_time", {})], False)


def test_several_calls_are_found() -> None:
    second = '<tool_call>{"name": "book", "arguments": {"seats": 2}}</tool_call>'
    assert read(f"<tool_call>{JSON_CALL}</tool_call>\n{second}")[1] == [CALL, WrittenCall("book", {"seats": 2})]


@pytest.mark.parametrize(
    "written",
    [
        '<function=delete_everything>{"day": "monday"}</function>',
        '<function=opening_time>{"day": </function>',
        '<function=opening_time>{"day": "mon',
        '<tool_call>{"name": "opening_time"',
        '{"name": "delete_everything", "arguments": {}}',
        '{"name": "opening_time", "arguments": {"day": "mon',
        "<|python_tag|>import os; os.remove('x')",
        "<tool_call>opening_time(__import__('os').getcwd())</tool_call>",
        'opening_time("monday")',
        "opening_time(day=monday)",
        "[opening_time(day=today())]",
        "{'name': 'opening_time', 'arguments': {'day': 'mon",
        '{"name": "opening_time", "argu',
        '[{"name": "ope',
        "<start_function_call>call:opening_time{day:<escape>monday<escape>}<end_function_call>",
    ],
)
def test_call_that_does_not_parse_or_is_not_allowed_is_unusable(written: str) -> None:
    assert read(written) == ("", [], True)
    assert read(written, 1) == ("", [], True)


@pytest.mark.parametrize(
    "text",
    [
        "It opens at nine, x < 3, [laughs] and `code`.",
        "opening_time is what you need. Book a table",
        'opening_time(day="monday") is what you write.',
        "book(s) are available (yes)",
        'I would call opening_time(day="monday").',
        '{"answer": "It opens at nine."}',
        '{"name": "Louvre", "city": "Paris"}',
        "```python\nopening = 9\n```",
        "<b>bold</b> <break/> (pauses)",
        "[1] Louvre {x} <",
    ],
)
def test_other_text_passes(text: str) -> None:
    assert read(text) == (text, [], False)
    assert read(text, 1) == (text, [], False)
