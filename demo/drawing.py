"""An animated SVG of exchanges with and without a pre-response, one above the other, on one time axis in real time.

It needs no script: CSS animates it, unless the reader's system asks for reduced motion. Without animation it shows the
end of the first exchange.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

WIDTH = 480
_MARGIN = 18
_INNER = WIDTH - 2 * _MARGIN
_FONT = 16
_LINE = 21
_LABEL_FONT = 13
_PAD = 12
_GAP = 10
_HEAD = 26  # title and counter of a lane
_TRACK = 14
_MAX_TICKS = 10
#: Of the size of the font. System fonts differ, and this is that of a wide one.
_CHAR_WIDTH = 0.57
_MAX_LINES = 4

_SECONDS_PER_WORD = 0.33  # how long the caller speaks: the report does not say
_MIN_SPEECH_S = 1.2
_FADE_S = 0.2
_READING_S = 5.0  # from the last sound that is shown to the next exchange

_COLOURS = {  # of the page (web/src/style.css): light, dark
    "ground": ("#ffffff", "#161a22"),
    "line": ("#dfe3ec", "#2a3140"),
    "text": ("#161a24", "#eceff6"),
    "quiet": ("#5a6376", "#a2acbf"),
    "caller": ("#e8eefe", "#1b2744"),
    "pre": ("#fff1dc", "#3a2a12"),
    "pre-text": ("#8a4b00", "#ffc26b"),
    "pre-bar": ("#e08a1e", "#f0a83f"),
    "answer": ("#f0f2f7", "#1f2530"),
    "answer-bar": ("#2f5bd7", "#6c94ff"),
    "silence": ("#9aa6bd", "#5d6a82"),
}
_STYLE = f"""
text{{font:{_FONT}px system-ui,-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;fill:var(--text)}}
.small{{font-size:{_LABEL_FONT}px;fill:var(--quiet)}}
.title{{font-weight:600}}
.count{{font-size:20px;font-weight:600;font-variant-numeric:tabular-nums}}
.end{{text-anchor:end}}
.mid{{text-anchor:middle}}
.pre text{{fill:var(--pre-text)}}
.bar{{transform-box:fill-box;transform-origin:0 50%}}
"""


@dataclass(frozen=True)
class Exchange:
    """One turn of the caller and the replies to it; the gaps are seconds after the caller's last sound.

    Attributes:
        said: What the caller said, in both conversations.
        preresponse: What was spoken first, in the conversation with pre-responses.
        answer: The answer in that conversation.
        plain_answer: The answer in the conversation without.
        response_gap: When the pre-response was heard.
        answer_gap: When the answer was heard after it.
        plain_gap: When the answer was heard in the conversation without.
    """

    said: str
    preresponse: str
    answer: str
    plain_answer: str
    response_gap: float
    answer_gap: float
    plain_gap: float

    @property
    def speech_s(self) -> float:
        """How long the picture shows the caller speaking."""
        return max(_MIN_SPEECH_S, len(self.said.split()) * _SECONDS_PER_WORD)

    @property
    def last_gap(self) -> float:
        """When the last answer begins."""
        return max(self.answer_gap, self.plain_gap)

    @property
    def duration_s(self) -> float:
        """How long the picture shows it."""
        return self.speech_s + self.last_gap + _READING_S


def draw(exchanges: Sequence[Exchange], source: str) -> str:
    """Return the SVG.

    Args:
        exchanges: Shown one after the other, again and again.
        source: Where they come from: the line at the bottom.
    """
    return _Picture(exchanges, source).text()


def seconds(gap: float) -> str:
    """Return seconds as the counter shows them at its end."""
    return f"{_tenths(gap) / 10:.1f} s"


def wrap(text: str, max_chars: int, max_lines: int = _MAX_LINES) -> list[str]:
    """Return the lines of a text, without characters that XML does not allow. One that is too long ends with '…'."""
    return textwrap.wrap(_printable(text), max_chars, max_lines=max_lines, placeholder=" …")


def _printable(text: str) -> str:
    return "".join(char for char in " ".join(text.split()) if char.isprintable())


def _tenths(gap: float) -> int:
    return round(gap * 10)


class _Loop:
    """CSS animations that repeat together. Each method returns the class of the element that it animates."""

    def __init__(self, duration_s: float) -> None:
        self._duration_s = duration_s
        self._rules: list[str] = []

    def show(self, at: float, until: float) -> str:
        """Fade in, and out again."""
        frames = (at, "opacity:0"), (at + _FADE_S, "opacity:1"), (until - _FADE_S, "opacity:1"), (until, "opacity:0")
        return self._add("opacity:0", *frames)

    def appear(self, at: float) -> str:
        """Fade in, and stay."""
        return self._add("opacity:0", (at, "opacity:0"), (at + _FADE_S, "opacity:1"))

    def grow(self, at: float, to: float) -> str:
        """Grow from nothing to the full width."""
        return self._add("transform:scaleX(0)", (at, "transform:scaleX(0)"), (to, "transform:scaleX(1)"))

    def count(self, at: float, to: float, steps: int) -> str:
        """Move a column of numbers up, a line with each step."""
        first, last = "transform:translateY(0)", f"transform:translateY({-steps * _LINE}px)"
        return self._add(first, (at, f"{first};animation-timing-function:steps({max(steps, 1)})"), (to, last))

    def css(self) -> str:
        """Return the rules, for readers whose system does not ask for reduced motion."""
        return "\n".join(["@media (prefers-reduced-motion:no-preference){", *self._rules, "}", ""])

    def _add(self, before: str, *frames: tuple[float, str]) -> str:
        name = f"k{len(self._rules)}"
        timed = [(0.0, before), *frames, (self._duration_s, frames[-1][1])]
        body = "".join(f"{100 * at / self._duration_s:.7g}%{{{style}}}" for at, style in timed)
        self._rules.append(
            f"@keyframes {name}{{{body}}}.{name}{{animation:{name} {self._duration_s:.7g}s linear infinite}}"
        )
        return name


@dataclass(frozen=True)
class _Scene:
    """An exchange in the picture: when it is shown, and the group of its elements."""

    exchange: Exchange
    start_s: float
    group: ElementTree.Element

    @property
    def last_sound_s(self) -> float:
        """When the caller's last sound ends."""
        return self.start_s + self.exchange.speech_s


class _Picture:
    def __init__(self, exchanges: Sequence[Exchange], source: str) -> None:
        self._exchanges = exchanges
        self._source = source
        self._axis_s = math.ceil(max(each.last_gap for each in exchanges) + 0.3)
        self._loop = _Loop(sum(each.duration_s for each in exchanges))
        self._root = ElementTree.Element("svg", xmlns="http://www.w3.org/2000/svg", role="img")
        self._still = ElementTree.Element("g")

    def text(self) -> str:
        self._root.set("aria-labelledby", "title desc")
        _add(self._root, "title", "What a caller hears, with a pre-response and without", id="title")
        _add(self._root, "desc", " ".join(_description(each) for each in self._exchanges), id="desc")
        style = _add(self._root, "style")
        self._define_numbers()
        card = _add(self._root, "rect", x=0.5, y=0.5, width=WIDTH - 1, rx=14, fill="var(--ground)")
        card.set("stroke", "var(--line)")
        height = self._draw_content()
        card.set("height", _number(height - 1))
        self._root.set("viewBox", f"0 0 {WIDTH} {_number(height)}")
        self._root.set("width", str(WIDTH))
        self._root.set("height", _number(height))
        style.text = f"{_colours()}{_STYLE}{self._loop.css()}"
        return ElementTree.tostring(self._root, encoding="unicode") + "\n"

    def _define_numbers(self) -> None:
        """Define the column of numbers that every counter shows a line of."""
        last = max(max(each.response_gap, each.plain_gap) for each in self._exchanges)
        column = _add(_add(self._root, "defs"), "text", id="n", class_="count end")
        for tenths in range(_tenths(last) + 1):
            _add(column, "tspan", f"{tenths / 10:.1f} s", x=0, dy=_LINE if tenths else 0)

    def _draw_content(self) -> float:
        """Draw everything inside the card, from top to bottom, and return the height of the picture."""
        self._root.append(self._still)  # before the scenes, which lie over it
        scenes = self._scenes()
        y = self._row(_MARGIN, scenes, self._draw_caller)
        y = self._draw_lane("With a pre-response", y + 2 * _GAP)
        y = self._row(y, scenes, self._draw_with)
        y = self._draw_lane("Without", y + 2 * _GAP)
        y = self._row(y, scenes, self._draw_without)
        y += _GAP
        for line in wrap(self._source, int(_INNER / (_LABEL_FONT * _CHAR_WIDTH))):
            y += 2 * _GAP
            _add(self._still, "text", line, x=_MARGIN, y=y, class_="small")
        return y + _MARGIN

    def _scenes(self) -> list[_Scene]:
        scenes: list[_Scene] = []
        start = 0.0
        for exchange in self._exchanges:
            end = start + exchange.duration_s
            group = _add(self._root, "g", class_=self._loop.show(start, end), opacity=0 if scenes else 1)
            scenes.append(_Scene(exchange, start, group))
            start = end
        return scenes

    def _row(self, y: float, scenes: Sequence[_Scene], draw_part: Callable[[_Scene, float], float]) -> float:
        """Draw a part of every scene at the same place; return where the largest ends."""
        return max(draw_part(scene, y) for scene in scenes)

    def _draw_lane(self, title: str, y: float) -> float:
        """Draw the parts of a lane that do not move: title, track, and the seconds below it."""
        _add(self._still, "text", title, x=_MARGIN, y=y + 16, class_="title")
        _add(self._still, "text", "silence", x=WIDTH - _MARGIN - 62, y=y + 16, class_="small end")
        y += _HEAD
        _add(self._still, "rect", x=_MARGIN, y=y, width=_INNER, height=_TRACK, rx=3, fill="var(--answer)")
        step = max(1, math.ceil(self._axis_s / _MAX_TICKS))
        for tick in range(0, self._axis_s + 1, step):
            anchor = "" if tick == 0 else " end" if tick == self._axis_s else " mid"
            label = f"{tick} s" if tick == 0 else str(tick)
            _add(self._still, "text", label, x=self._x(tick), y=y + _TRACK + 15, class_=f"small{anchor}")
        return y + _TRACK + 15 + _GAP

    def _draw_caller(self, scene: _Scene, y: float) -> float:
        group = _add(scene.group, "g", class_=self._loop.appear(scene.start_s))
        bottom, width = _bubble(group, y, "caller", "caller", scene.exchange.said, right=True)
        speaking = self._loop.grow(scene.start_s + _FADE_S, scene.last_sound_s)
        bar = _add(group, "rect", x=WIDTH - _MARGIN - width + _PAD, y=bottom - 6, width=width - 2 * _PAD, height=2)
        bar.set("fill", "var(--answer-bar)")
        bar.set("class", f"bar {speaking}")
        return bottom

    def _draw_with(self, scene: _Scene, y: float) -> float:
        exchange = scene.exchange
        self._draw_silence(scene, y, exchange.response_gap, "pre-bar")
        self._draw_wait(scene, y)
        y = self._draw_reply(scene, y, "pre", "pre-response", exchange.preresponse, exchange.response_gap)
        return self._draw_reply(scene, y + _GAP / 2, "answer", "answer", exchange.answer, exchange.answer_gap)

    def _draw_without(self, scene: _Scene, y: float) -> float:
        exchange = scene.exchange
        self._draw_silence(scene, y, exchange.plain_gap, "answer-bar")
        return self._draw_reply(scene, y, "answer", "answer", exchange.plain_answer, exchange.plain_gap)

    def _draw_silence(self, scene: _Scene, lane_end: float, gap: float, colour: str) -> None:
        """Draw the bar and the counter that grow until the first sound, and the mark of this sound."""
        start, end = scene.last_sound_s, scene.last_sound_s + gap
        top = _track_top(lane_end)
        bar = _add(scene.group, "rect", x=_MARGIN, y=top, width=self._x(gap) - _MARGIN, height=_TRACK, rx=3)
        bar.set("fill", "var(--silence)")
        bar.set("class", f"bar {self._loop.grow(start, end)}")
        self._draw_mark(scene, lane_end, gap, colour)
        steps = _tenths(gap)
        window = _add(scene.group, "svg", x=WIDTH - _MARGIN - 60, y=top - _HEAD, width=60, height=_LINE - 3)
        column = _add(
            window, "g", class_=self._loop.count(start, end, steps), transform=f"translate(0 {-steps * _LINE})"
        )
        _add(column, "use", href="#n", x=60, y=16)

    def _draw_wait(self, scene: _Scene, lane_end: float) -> None:
        """Draw the thin line from the pre-response to the answer."""
        exchange = scene.exchange
        start, end = self._x(exchange.response_gap), self._x(exchange.answer_gap)
        line = _add(scene.group, "rect", x=start, y=_track_top(lane_end) + _TRACK / 2 - 2, width=end - start, height=4)
        line.set("fill", "var(--pre-bar)")
        grow = self._loop.grow(scene.last_sound_s + exchange.response_gap, scene.last_sound_s + exchange.answer_gap)
        line.set("class", f"bar {grow}")
        self._draw_mark(scene, lane_end, exchange.answer_gap, "answer-bar")

    def _draw_mark(self, scene: _Scene, lane_end: float, gap: float, colour: str) -> None:
        appear = self._loop.appear(scene.last_sound_s + gap)
        y = _track_top(lane_end) + _TRACK / 2
        _add(scene.group, "circle", cx=self._x(gap), cy=y, r=_TRACK / 2 + 1, fill=f"var(--{colour})", class_=appear)

    def _draw_reply(self, scene: _Scene, y: float, kind: str, who: str, text: str, gap: float) -> float:
        """Draw a bubble of the agent, which appears when it was heard."""
        group = _add(scene.group, "g", class_=f"{kind} {self._loop.appear(scene.last_sound_s + gap)}")
        bottom, _ = _bubble(group, y, kind, f"{who}, after {seconds(gap)}", text)
        return bottom

    def _x(self, gap: float) -> float:
        """Return where a time is on the axis."""
        return _MARGIN + _INNER * gap / self._axis_s


def _track_top(lane_end: float) -> float:
    """Return the top of the track of the lane whose replies begin at ``lane_end``."""
    return lane_end - _GAP - 15 - _TRACK


def _bubble(
    parent: ElementTree.Element, y: float, kind: str, label: str, text: str, *, right: bool = False
) -> tuple[float, float]:
    """Draw a speech bubble; return where it ends, and its width."""
    lines = wrap(text, int((_INNER - 2 * _PAD) / (_FONT * _CHAR_WIDTH)))
    widths = [*(len(line) * _FONT for line in lines), len(label) * _LABEL_FONT]
    width = min(_INNER, max(widths) * _CHAR_WIDTH + 2 * _PAD)
    height = _PAD + _LABEL_FONT + len(lines) * _LINE + _PAD - 4
    x = WIDTH - _MARGIN - width if right else _MARGIN
    _add(parent, "rect", x=x, y=y, width=width, height=height, rx=12, fill=f"var(--{kind})")
    _add(parent, "text", label, x=x + _PAD, y=y + _PAD + 8, class_="small")
    block = _add(parent, "text", y=y + _PAD + _LABEL_FONT + 14)
    for index, line in enumerate(lines):
        _add(block, "tspan", line, x=x + _PAD, dy=_LINE if index else 0)
    return y + height, width


def _description(exchange: Exchange) -> str:
    return (
        f"The caller says: {_quote(exchange.said)} With a pre-response: {_quote(exchange.preresponse)} is heard "
        f"{seconds(exchange.response_gap)} after the caller's last sound, the answer {_quote(exchange.answer)} after "
        f"{seconds(exchange.answer_gap)}. Without: silence for {seconds(exchange.plain_gap)}, then the answer "
        f"{_quote(exchange.plain_answer)}"
    )


def _quote(text: str) -> str:
    return f"“{_printable(text)}”"


def _colours() -> str:
    light = "".join(f"--{name}:{colours[0]};" for name, colours in _COLOURS.items())
    dark = "".join(f"--{name}:{colours[1]};" for name, colours in _COLOURS.items())
    return f"\n:root{{{light}}}\n@media (prefers-color-scheme:dark){{:root{{{dark}}}}}"


def _add(
    parent: ElementTree.Element, tag: str, text: str | None = None, class_: str | None = None, **attributes: str | float
) -> ElementTree.Element:
    element = ElementTree.SubElement(parent, tag)
    for name, value in attributes.items():
        element.set(name, value if isinstance(value, str) else _number(value))
    if class_:
        element.set("class", class_)
    element.text = text
    if tag != "tspan":  # a line break between two of them would be a space in the picture
        element.tail = "\n"
    return element


def _number(value: float) -> str:
    return f"{round(value, 2):g}"
