"""The turns of a call as text: a table, and the waterfall of each turn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

#: Columns of the waterfall's bars.
_BAR_COLUMNS = 48
#: How much of a speech is always shown; longer speech is cut at the end, as on the page (``web/src/waterfall.ts``).
_SHOWN_SPEECH_S = 0.6
_SPEECH = ("Pre-response", "Answer")
_HEADER = "turn  time          first sound    answer  end of turn  pre-response"


@dataclass(frozen=True)
class Bar:
    """A stage of a turn, in seconds after the caller's last voice."""

    stage: str
    start: float
    end: float


def report(call_id: str, turns: Sequence[Mapping[str, Any]]) -> str:
    """Return the turns of a call as text.

    Args:
        call_id: Id of the call.
        turns: Turn records as they are in the log, in order.
    """
    return "\n".join(_printable(line) for line in _lines(call_id, turns))


def bars(record: Mapping[str, Any]) -> list[Bar]:
    """Return the stages of a turn, the same as on the page."""
    found = record.get("instants")
    at: Mapping[str, Any] = found if isinstance(found, Mapping) else {}
    heard_phrase = record.get("preresponse_source") == "phrase"
    interruption = at.get("interruption")
    stages = [
        ("STT", at.get("last_voice"), at.get("stt_final")),
        ("End of turn", _first(at.get("stt_final"), at.get("last_voice")), at.get("end_of_turn")),
        # With a phrase, the fast model may have been asked, but its reply was not used.
        ("Fast model", None if heard_phrase else at.get("fast_request"), at.get("fast_first_token")),
        ("TTS, pre-response", _first(at.get("fast_first_token"), at.get("fast_request")), at.get("fast_first_audio")),
        ("Main model", at.get("main_request"), at.get("main_first_token")),
        ("TTS, answer", at.get("main_first_token"), at.get("main_first_audio")),
        ("Pre-response", at.get("preresponse_start"), _first(at.get("preresponse_end"), interruption)),
        ("Answer", at.get("answer_start"), _first(at.get("answer_end"), interruption)),
    ]
    return [
        Bar(stage, start, end)
        for stage, start, end in stages
        if isinstance(start, (int, float)) and isinstance(end, (int, float)) and end >= start
    ]


def _lines(call_id: str, turns: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    times = [str(turn["time"]) for turn in turns if turn.get("time")]
    when = f", {times[0]} to {times[-1]}" if times else ""
    yield f"call {call_id}: {len(turns)} turn{'s' if len(turns) != 1 else ''}{when}"
    worker = None
    for turn in turns:
        if (now := _worker(turn)) != worker:
            worker = now
            yield f"\n{now}\n{_HEADER}"
        yield _row(turn)
        yield from _words(turn)
        yield from _waterfall(bars(turn))
    yield from _usage(turns)


def _worker(turn: Mapping[str, Any]) -> str:
    call = turn.get("call") if isinstance(turn.get("call"), Mapping) else {}
    assert isinstance(call, Mapping)
    trace = f", trace {call['trace_id']}" if call.get("trace_id") else ""
    known = [f"{name} {call.get(name) or '?'}" for name in ("room", "worker", "version")]
    return ", ".join(known) + trace


def _row(turn: Mapping[str, Any]) -> str:
    clock = str(turn.get("time") or "-").partition("T")[2].removesuffix("Z") or "-"
    figures = (turn.get("response_gap"), turn.get("answer_gap"), turn.get("end_of_turn_delay"))
    first, answer, end = (f"{seconds:.2f} s" if isinstance(seconds, (int, float)) else "-" for seconds in figures)
    notes = ", ".join(filter(None, [str(turn.get("preresponse_outcome") or "-"), _note(turn)]))
    return f"{turn.get('turn', '?'):>4}  {clock:<12}  {first:>11}  {answer:>8}  {end:>11}  {notes}"


def _note(turn: Mapping[str, Any]) -> str:
    instants = turn.get("instants")
    at: Mapping[str, Any] = instants if isinstance(instants, Mapping) else {}
    if at.get("end_of_turn") is None and at.get("main_request") is None:
        return "the agent speaks first"
    if turn.get("interrupted"):
        return "INTERRUPTED" if at.get("answer_start") is not None else "the caller went on before the answer"
    return "" if at.get("answer_start") is not None else "NO ANSWER"


def _words(turn: Mapping[str, Any]) -> Iterator[str]:
    """Yield what was said, which the log has with ``TURN_LOG=full`` only."""
    reply = " ".join(str(turn[name]) for name in ("preresponse", "answer") if turn.get(name))
    for speaker, words in (("caller", turn.get("caller")), ("agent", reply)):
        if words:
            yield f"      {speaker}: {words}"


def _waterfall(stages: Sequence[Bar]) -> Iterator[str]:
    if not stages:
        return
    start = min(0.0, *(bar.start for bar in stages))
    shown = [min(bar.end, bar.start + _SHOWN_SPEECH_S) if bar.stage in _SPEECH else bar.end for bar in stages]
    end = max(start + 0.1, 0.0, *shown)
    for bar in stages:
        first, last = (round(_BAR_COLUMNS * (min(at, end) - start) / (end - start)) for at in (bar.start, bar.end))
        drawn = f"{' ' * first}{'█' * max(last - first, 1)}{'…' if bar.end > end else ''}"
        yield f"      {bar.stage:<17} {bar.start:>6.2f} to {bar.end:>6.2f} s  {drawn}".rstrip()


def _usage(turns: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the usage of the call: each record has that of its agent's call so far."""
    usage = turns[-1].get("usage")
    if isinstance(usage, Mapping):
        yield (
            f"\nin all: {usage.get('prompt_tokens')} prompt tokens, {usage.get('completion_tokens')} completion "
            f"tokens, {usage.get('stt_seconds')} s to the STT, {usage.get('tts_characters')} characters to the TTS, "
            f"{usage.get('cost_usd')} USD"
        )


def _first(*candidates: Any) -> Any:
    return next((value for value in candidates if value is not None), None)


def _printable(line: str) -> str:
    """Return a line without characters that a terminal would obey: a log may hold anything."""
    return "".join(char if char.isprintable() or char == "\n" else "�" for char in line)
