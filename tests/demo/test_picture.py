"""The animated picture of the demo's two conversations: from reports that the test makes up."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from demo import picture
from demo.drawing import Exchange, draw, seconds, wrap
from demo.picture import ReportError, exchanges, read_report
from testbed.conversation import TurnResult
from tests.demo.test_script import GOOD

SVG = "{http://www.w3.org/2000/svg}"
EXCHANGE = Exchange(
    said="What does an internet router do?",
    preresponse="Let me see.",
    answer="It connects your devices.",
    plain_answer="It sends data.",
    response_gap=1.1234,
    answer_gap=3.1,
    plain_gap=3.4567,
)
SECOND = replace(EXCHANGE, said="My internet is down.", response_gap=0.8, answer_gap=2.25, plain_gap=6.5)
PLAIN = replace(GOOD, preresponse=None, outcome=None, answer="It sends data.", response_gap=3.4, answer_gap=3.4)


def report(turns: list[TurnResult], without: list[TurnResult], **more: Any) -> dict[str, Any]:
    texts = {
        "turns": [asdict(turn) for turn in turns],
        "turns_without_preresponses": [asdict(turn) for turn in without],
    }
    return {"ok": True, "problems": [], "models": {"main_model": "qwen-1.5b"}, **texts, **more}


def drawn(*shown: Exchange, source: str = "a run") -> ElementTree.Element:
    return ElementTree.fromstring(draw(shown, source))


def texts(svg: ElementTree.Element) -> str:
    return " ".join(" ".join(text.itertext()) for text in svg.iter(f"{SVG}text"))


def animation(svg: ElementTree.Element, name: str) -> list[tuple[float, str]]:
    """Return the instants of an animation in seconds, and the declarations there."""
    style = svg.findtext(f"{SVG}style") or ""
    (body,) = re.findall(rf"@keyframes {name}\{{((?:[^{{}}]*\{{[^}}]*\}})*)\}}", style)
    (duration,) = re.findall(rf"\.{name}\{{animation:{name} ([\d.]+)s", style)
    frames = re.findall(r"([\d.e-]+)%\{([^}]*)\}", body)
    return [(float(percent) / 100 * float(duration), declarations) for percent, declarations in frames]


def bubble(svg: ElementTree.Element, label: str) -> list[tuple[float, str]]:
    """Return the animation of the bubble whose label begins so: the last one, if there are several."""
    found = [group for group in svg.iter(f"{SVG}g") if (group.findtext(f"{SVG}text") or "").startswith(label)]
    return animation(svg, found[-1].get("class", "").split()[-1])


def begins(frames: list[tuple[float, str]]) -> float:
    """Return the instant at which something begins to appear or to move: the last frame before the first change."""
    first = frames[0][1]
    return max(at for at, declarations in frames if declarations.startswith(first))


@pytest.mark.parametrize("exchange", [EXCHANGE, SECOND])
def test_bubbles_appear_after_the_gaps_of_the_report(exchange: Exchange) -> None:
    svg = drawn(exchange)
    assert begins(bubble(svg, "pre-response")) - exchange.speech_s == pytest.approx(exchange.response_gap, abs=1e-3)
    assert begins(bubble(svg, f"answer, after {seconds(exchange.answer_gap)}")) - exchange.speech_s == pytest.approx(
        exchange.answer_gap, abs=1e-3
    )
    assert begins(bubble(svg, f"answer, after {seconds(exchange.plain_gap)}")) - exchange.speech_s == pytest.approx(
        exchange.plain_gap, abs=1e-3
    )


def test_second_exchange_is_animated_after_the_first_with_its_own_gaps() -> None:
    svg = drawn(EXCHANGE, SECOND)
    last_sound = EXCHANGE.duration_s + SECOND.speech_s
    assert begins(bubble(svg, "pre-response")) - last_sound == pytest.approx(SECOND.response_gap, abs=1e-3)
    assert begins(bubble(svg, "answer, after 6.5 s")) - last_sound == pytest.approx(SECOND.plain_gap, abs=1e-3)


def test_counters_run_from_the_last_sound_to_the_first_of_the_agent_in_tenths_of_a_second() -> None:
    svg = drawn(EXCHANGE)
    windows = list(svg.iter(f"{SVG}svg"))[1:]  # the first is the picture
    counters = [animation(svg, group.get("class", "")) for window in windows for group in window]
    assert len(counters) == 2
    for frames, gap, tenths in zip(counters, (EXCHANGE.response_gap, EXCHANGE.plain_gap), (11, 35), strict=True):
        start, end = frames[1:3]
        assert f"steps({tenths})" in start[1]
        assert start[0] == pytest.approx(EXCHANGE.speech_s, abs=1e-3)
        assert end[0] - start[0] == pytest.approx(gap, abs=1e-3)


def test_silence_grows_for_as_long_as_it_lasts() -> None:
    svg = drawn(EXCHANGE)
    bars = [rect for rect in svg.iter(f"{SVG}rect") if rect.get("fill") == "var(--silence)"]
    grown = [animation(svg, bar.get("class", "").split()[-1]) for bar in bars]
    assert [end[0] - start[0] for _, start, end, _ in grown] == pytest.approx([1.1234, 3.4567], abs=1e-3)


def test_every_animation_loops_with_the_same_duration() -> None:
    style = drawn(EXCHANGE, SECOND).findtext(f"{SVG}style") or ""
    durations = set(re.findall(r"\{animation:\w+ ([\d.]+)s linear infinite\}", style))
    assert [float(each) for each in durations] == [pytest.approx(EXCHANGE.duration_s + SECOND.duration_s, abs=1e-3)]


def test_nothing_is_animated_for_readers_who_ask_for_reduced_motion() -> None:
    style = drawn(EXCHANGE).findtext(f"{SVG}style") or ""
    before, _, after = style.partition("@media (prefers-reduced-motion:no-preference){")
    assert "animation" not in before
    assert "animation" in after


def test_without_animation_the_first_exchange_is_shown_and_the_second_hidden() -> None:
    svg = drawn(EXCHANGE, SECOND)
    hidden = [group for group in svg.iter(f"{SVG}g") if group.get("opacity") == "0"]
    assert [SECOND.said in texts(group) for group in hidden] == [True]
    assert EXCHANGE.said not in texts(hidden[0])


def test_dark_mode_has_every_colour_of_the_light_one() -> None:
    style = drawn(EXCHANGE).findtext(f"{SVG}style") or ""
    light, dark = re.findall(r":root\{([^}]*)\}", style)
    assert re.findall(r"--[\w-]+", light) == re.findall(r"--[\w-]+", dark)
    assert set(re.findall(r"var\((--[\w-]+)\)", draw([EXCHANGE], "a run"))) <= set(re.findall(r"--[\w-]+", light))


@pytest.mark.parametrize("text", ["1 < 2 & 3 > 2", 'say "so"', "</text><script>alert(1)</script>", "a\x00b\x1b\ud800c"])
def test_text_is_escaped(text: str) -> None:
    svg = drawn(replace(EXCHANGE, said=text, preresponse=text, answer=text, plain_answer=text), source=text)
    clean = re.sub("[\x00\x1b\ud800]", "", text)
    assert texts(svg).count(clean) == 5
    assert clean in (svg.findtext(f"{SVG}desc") or "")
    assert not list(svg.iter(f"{SVG}script"))


def test_long_text_is_wrapped_and_ends_with_an_ellipsis() -> None:
    lines = wrap("word " * 200, 40)
    assert len(lines) == 4
    assert all(len(line) <= 40 for line in lines)
    assert lines[-1].endswith("…")
    assert all(len(line) <= 40 for line in wrap("x" * 100, 40))


def test_picture_grows_with_wrapped_text() -> None:
    short, long = drawn(EXCHANGE), drawn(replace(EXCHANGE, answer="words that go on " * 9))
    assert float(long.get("height", "")) > float(short.get("height", ""))
    width = float(long.get("width", ""))
    rects = list(long.iter(f"{SVG}rect"))
    assert all(float(rect.get("x", "")) + float(rect.get("width", "")) <= width for rect in rects)


def test_picture_describes_itself_to_screen_readers() -> None:
    svg = drawn(EXCHANGE)
    ids = {element.get("id"): "".join(element.itertext()) for element in svg if element.get("id")}
    assert svg.get("role") == "img"
    assert all(ids[name] for name in svg.get("aria-labelledby", "").split())
    assert all(part in ids["desc"] for part in (EXCHANGE.said, EXCHANGE.answer, "1.1 s", "3.1 s", "3.5 s"))


def test_picture_is_small_and_refers_to_nothing_outside() -> None:
    slow = replace(
        EXCHANGE, answer="words that go on " * 20, plain_answer="and on " * 60, answer_gap=14.4, plain_gap=14.4
    )
    svg = draw([slow, slow], "a run")
    assert len(svg.encode()) < 20_000
    assert not re.search(r"url\(|@import|@font-face|(?<!xmlns=\")https?://", svg)


def test_report_gives_the_first_two_turns_that_both_conversations_answered() -> None:
    silent, unanswered = replace(GOOD, preresponse=None), replace(GOOD, answer_gap=None)
    turns = [silent, unanswered, *(replace(GOOD, said=said) for said in "abc")]
    without = [PLAIN, PLAIN, *(replace(PLAIN, said=said) for said in "abc")]
    found = exchanges(report(turns, without))
    assert [exchange.said for exchange in found] == ["a", "b"]
    assert found[0] == Exchange("a", "Let me see.", GOOD.answer, "It sends data.", 0.8, 2.5, 3.4)


def test_one_turn_can_be_chosen() -> None:
    turns, without = ([replace(each, said=said) for said in "abc"] for each in (GOOD, PLAIN))
    assert [exchange.said for exchange in exchanges(report(turns, without), turn=2)] == ["b"]


def test_turn_that_interrupts_or_is_interrupted_is_not_shown() -> None:
    turns, without = ([replace(each, said=said) for said in "abc"] for each in (GOOD, PLAIN))
    turns[1] = replace(turns[1], barge_in=True)
    assert [exchange.said for exchange in exchanges(report(turns, without))] == ["c"]


@pytest.mark.parametrize(
    ("turns", "without"),
    [
        ([], []),
        ([GOOD], []),
        ([replace(GOOD, preresponse=None)], [PLAIN]),
        ([GOOD], [replace(PLAIN, said="Something else.")]),
        ([GOOD], [replace(PLAIN, answer="", response_gap=None)]),
    ],
)
def test_report_without_such_a_turn_is_refused(turns: list[TurnResult], without: list[TurnResult]) -> None:
    with pytest.raises(ReportError, match="no turn with a pre-response and an answer"):
        exchanges(report(turns, without))


def test_report_of_before_the_comparison_is_refused() -> None:
    old = report([GOOD], [])
    del old["turns_without_preresponses"]
    with pytest.raises(ReportError, match="without a pre-response"):
        exchanges(old)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is not JSON"),
        ("[]", "is not a report"),
        ('{"ok": true}', "is not a report"),
        ('{"ok": false, "turns": [], "problems": ["turn 2 (problem): not understood at all"]}', "turn 2 .problem."),
    ],
)
def test_file_that_is_no_good_report_is_refused(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "report.json"
    file.write_text(content)
    with pytest.raises(ReportError, match=message):
        read_report(file)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["picture", *map(str, arguments)])
    return picture._main()


def test_command_writes_the_picture_with_the_model_that_ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "report.json").write_text(json.dumps(report([GOOD], [PLAIN])))
    assert run(monkeypatch, tmp_path / "report.json", tmp_path / "picture.svg") == 0
    svg = ElementTree.fromstring((tmp_path / "picture.svg").read_text(encoding="utf-8"))
    assert GOOD.said in texts(svg)
    assert "Qwen2.5-Coder-1.5B" in texts(svg)


def test_command_fails_with_one_line_and_leaves_the_picture_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "picture.svg").write_text("before")
    assert run(monkeypatch, tmp_path / "missing.json", tmp_path / "picture.svg") == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert (tmp_path / "picture.svg").read_text() == "before"


def test_command_says_that_the_picture_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "report.json").write_text(json.dumps(report([GOOD], [PLAIN])))
    assert run(monkeypatch, tmp_path / "report.json", tmp_path / "missing" / "picture.svg") == 1
    assert "cannot be written" in capsys.readouterr().err
