from __future__ import annotations

import json
import ssl
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import ClientSession, ClientSSLError, web
from aiohttp.test_utils import TestServer

from benchmarks.reliability.calls import Call, HeardTurn, heard_turn
from benchmarks.reliability.cases import all_cases
from benchmarks.reliability.checks import Evidence, Expectation, check, warnings_in
from benchmarks.reliability.report import BEGIN, END, read, write
from benchmarks.reliability.tls import EXPIRED, NO_TLS, VALID, tls_front
from caller import Segment, Turn

ANSWERED = HeardTurn(("phrase", "answer"), 0.5, 0.5)
APOLOGISED = HeardTurn(("phrase", "apology"), 0.5, 3.0)
WARNING = json.dumps({"level": "WARNING", "message": "the voice failed\nTraceback …"})
FAILING = Expectation(failing=(1,), errors=("tts",))


def evidence(
    *turns: HeardTurn, log: str = WARNING, counted: Mapping[str, float] | None = None, understood: int = 0
) -> Evidence:
    counts = {"livekit_errors_total[tts][timeout]": 1.0} if counted is None else counted
    seen = {part: Counter[str]() for part in ("stt", "fast_llm", "main_llm", "tts")}
    return Evidence(Call(list(turns), understood, understood, None), log, counts, seen)


def turn(said_until: float = 1.0) -> Turn:
    return Turn(said="?", first_sent=0.0, last_sent=said_until)


def test_silence_is_measured_before_and_between_what_is_heard() -> None:
    heard = heard_turn(turn(), 12.0, {"phrase": [Segment(1.5, 2.5)], "answer": [Segment(5.5, 8.0)], "apology": []})
    assert heard == HeardTurn(("phrase", "answer"), 0.5, 3.0)


def test_silence_after_a_phrase_without_answer_lasts_to_the_end_of_the_turn() -> None:
    heard = heard_turn(turn(), 12.0, {"phrase": [Segment(1.5, 2.5)]})
    assert (heard.longest_silence, heard.replied) == (9.5, False)


def test_apology_is_enough_in_a_failing_turn() -> None:
    result = check(evidence(ANSWERED, APOLOGISED, ANSWERED), FAILING)
    assert result.problems == []
    assert (result.heard, result.silence) == ("phrase, apology after 0.5 s", 3.0)
    assert (result.logged, result.metric) == ("the voice failed", "tts 1")


@pytest.mark.parametrize(
    ("what", "problem"),
    [
        (evidence(ANSWERED, HeardTurn(("phrase",), 0.5, 9.0), ANSWERED), "turn 2: no reply"),
        (evidence(ANSWERED, HeardTurn(("answer",), 7.0, 7.0), ANSWERED), "turn 2: 7.0 s of silence"),
        (evidence(ANSWERED, APOLOGISED, APOLOGISED), "turn 3: nothing fails in it, and no answer"),
        (evidence(ANSWERED, APOLOGISED, ANSWERED, log=""), "nothing in the log"),
        (evidence(ANSWERED, APOLOGISED, ANSWERED, log=WARNING + "\nsk-faults-51"), "in the log: 'sk-faults-51'"),
        (evidence(ANSWERED, APOLOGISED, ANSWERED, counted={}), "no error of tts is counted"),
        (evidence(ANSWERED, APOLOGISED, understood=2), "turns: counted 0, the provider saw 2"),
    ],
)
def test_each_violation_is_reported(what: Evidence, problem: str) -> None:
    assert problem in check(what, FAILING).problems


def test_words_that_come_after_the_caller_has_left_may_be_counted_as_a_turn() -> None:
    late = evidence(
        ANSWERED,
        APOLOGISED,
        ANSWERED,
        counted={"livekit_errors_total[tts][timeout]": 1.0, "livekit_conversation_turns_total": 2.0},
    )
    problem = "turns: counted 2, the provider saw 0"
    assert problem in check(late, FAILING).problems
    assert problem not in check(late, replace(FAILING, late_words=True)).problems


def test_case_names_are_unique() -> None:
    names = [case.name for case in all_cases()]
    assert len(names) == len(set(names))


def test_table_replaces_the_marked_part_of_the_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# Before\n{BEGIN}\nold\n{END}\nafter\n")
    name = "tts: 500, once"
    write({name: check(evidence(ANSWERED, APOLOGISED, ANSWERED), FAILING)}, [name, "stt: 500, once"], page)
    text = page.read_text()
    assert text.startswith("# Before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    assert read(page)["tts: 500, once"].silence == 3.0
    assert "| tts: 500, once | phrase, apology after 0.5 s | 3.0 s |" in text


def test_output_of_a_process_without_worker_counts_as_log_line() -> None:
    died = "agent-worker: the worker has died: another agent is asked for"
    assert warnings_in(f"{died}\nTraceback …\n{WARNING}") == ["the voice failed", died]


async def test_client_accepts_only_the_valid_certificate(tmp_path: Path) -> None:
    async def hello(_: web.Request) -> web.Response:
        return web.Response(text="hello")

    app = web.Application()
    app.router.add_get("/", hello)
    async with TestServer(app) as server, tls_front(server.port or 0, tmp_path) as front, ClientSession() as http:
        trusted = ssl.create_default_context(cafile=str(front.authority))
        async with http.get(f"https://localhost:{front.ports[VALID]}", ssl=trusted) as response:
            assert await response.text() == "hello"
        for kind in (EXPIRED, NO_TLS):
            with pytest.raises(ClientSSLError):
                await http.get(f"https://localhost:{front.ports[kind]}", ssl=trusted)
