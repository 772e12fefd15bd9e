"""The demo's own steps, without servers and models."""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import demo.__main__ as demo_command
from caller import Text
from demo.script import SCRIPT
from demo.terminal import Terminal
from model_server.checksum import WeightsError
from model_server.measure import MachineFigures
from model_server.real import ModelChoice
from testbed.conversation import TurnResult
from testbed.processes import ServiceError
from testbed.services import Ports
from tests.demo.test_script import GOOD
from tests.demo.test_sizing import HOPELESS, LAPTOP, SLOW

ANSWERS = (
    "It connects your devices to the internet.",
    "Please restart the router.",
    "Check the cable of the modem.",
    "Call your internet provider.",
    "You are welcome.",
)
PHRASES = ("Let me see.", "I'm so sorry about that.", "Let me see.", "One moment.", "You're welcome.")


def good_turns() -> list[TurnResult]:
    return [
        replace(GOOD, said=turn.said, heard=turn.said, answer=answer, preresponse=phrase)
        for turn, answer, phrase in zip(SCRIPT, ANSWERS, PHRASES, strict=True)
    ]


@pytest.fixture
def printed() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def terminal(printed: io.StringIO) -> Terminal:
    return Terminal(Console(file=printed, highlight=False, soft_wrap=True), clock=lambda: 0.0)


def converse_with(monkeypatch: pytest.MonkeyPatch, with_it: list[TurnResult], without: list[TurnResult]) -> None:
    async def converse(
        ports: Ports, room: str, sentences: list[Text], on_turn: Callable[[TurnResult], None], strategy: str | None
    ) -> None:
        for result in without if strategy == "off" else with_it:
            on_turn(result)

    monkeypatch.setattr(demo_command, "converse", converse)


async def compare(terminal: Terminal) -> tuple[bool, dict[str, Any]]:
    return await demo_command._compare(Ports(), ModelChoice(), terminal)


async def test_five_good_turns_of_each_kind_are_good(
    monkeypatch: pytest.MonkeyPatch, terminal: Terminal, printed: io.StringIO
) -> None:
    plain = [replace(turn, preresponse=None, outcome="off") for turn in good_turns()]
    converse_with(monkeypatch, good_turns(), plain)
    good, report = await compare(terminal)
    assert good, report["problems"]
    assert "5 of 5 turns were good" in printed.getvalue()


async def test_turn_that_is_not_good_is_named_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, terminal: Terminal, printed: io.StringIO
) -> None:
    turns = good_turns()
    turns[1] = replace(turns[1], answer="Please enjoy my favourite drink!")
    converse_with(monkeypatch, turns, [replace(turn, preresponse=None) for turn in good_turns()])
    good, report = await compare(terminal)
    assert not good
    (problem,) = report["problems"]
    assert problem.startswith("turn 2 (problem): the answer is beside the point")
    assert "4 of 5 turns were good" in printed.getvalue()
    assert problem in printed.getvalue()


async def test_turns_that_did_not_happen_are_named(monkeypatch: pytest.MonkeyPatch, terminal: Terminal) -> None:
    plain = [replace(turn, preresponse=None) for turn in good_turns()]
    converse_with(monkeypatch, good_turns(), plain[:4])
    good, report = await compare(terminal)
    assert not good
    assert report["problems"] == ["turn 5 (thanks), without pre-responses: it did not happen"]


def arguments(**options: object) -> argparse.Namespace:
    defaults = {"size": "auto", "voice": "hibari", "main_model": "qwen-1.5b", "fast_model": "qwen-0.5b"}
    return argparse.Namespace(**{**defaults, "llm_threads": None, **options})


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The models that were requested; nothing is downloaded."""
    requested: list[str] = []

    async def fetch(choices: list[str], console: Console) -> None:
        requested.extend(choices)

    monkeypatch.setattr(demo_command, "fetch_models", fetch)
    return requested


def machine(monkeypatch: pytest.MonkeyPatch, figures: MachineFigures) -> None:
    async def measure(model: str, voice: str, threads: int) -> MachineFigures:
        return figures

    monkeypatch.setattr(demo_command, "_measure", measure)


async def test_larger_model_is_not_downloaded_for_a_slow_machine(
    monkeypatch: pytest.MonkeyPatch, terminal: Terminal, fetched: list[str]
) -> None:
    machine(monkeypatch, SLOW)
    models = await demo_command._models(arguments(), terminal)
    assert (models.main_model, models.fast_model) == ("qwen-0.5b", "qwen-0.5b")
    assert set(fetched) == {"qwen-0.5b"}


async def test_fast_machine_gets_both_models(
    monkeypatch: pytest.MonkeyPatch, terminal: Terminal, printed: io.StringIO, fetched: list[str]
) -> None:
    machine(monkeypatch, LAPTOP)
    models = await demo_command._models(arguments(voice="kokoro", llm_threads=3), terminal)
    assert models == ModelChoice("qwen-1.5b", "qwen-0.5b", "kokoro", 3)
    assert fetched == ["qwen-0.5b", "qwen-1.5b"]
    assert "Qwen2.5-Coder-1.5B-Instruct answers" in printed.getvalue()


async def test_machine_that_is_too_slow_is_told_before_the_conversation(
    monkeypatch: pytest.MonkeyPatch, terminal: Terminal, printed: io.StringIO, fetched: list[str]
) -> None:
    machine(monkeypatch, HOPELESS)
    await demo_command._models(arguments(), terminal)
    assert "this machine is too slow for a conversation (2 cores" in printed.getvalue()


async def test_wrong_path_of_a_model_is_reported_before_anything_is_downloaded(
    terminal: Terminal, fetched: list[str], tmp_path: Path
) -> None:
    with pytest.raises(WeightsError, match="no language model"):
        await demo_command._models(arguments(main_model=str(tmp_path / "none.gguf")), terminal)
    assert fetched == []


@pytest.fixture
def own_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A model of the user, by a path that is relative to the working folder."""
    (tmp_path / "own.gguf").write_bytes(b"GGUF and more")
    monkeypatch.chdir(tmp_path)
    return "own.gguf"


@pytest.mark.parametrize(("size", "answers"), [("auto", "own.gguf"), ("full", "own.gguf"), ("small", "qwen-0.5b")])
async def test_own_model_answers_unless_the_small_one_is_asked_for(
    size: str, answers: str, own_model: str, monkeypatch: pytest.MonkeyPatch, terminal: Terminal, fetched: list[str]
) -> None:
    machine(monkeypatch, SLOW)
    models = await demo_command._models(arguments(main_model=own_model, size=size), terminal)
    assert Path(models.main_model).name == answers


async def test_relative_path_of_a_model_holds_in_every_working_folder(
    own_model: str, monkeypatch: pytest.MonkeyPatch, terminal: Terminal, fetched: list[str], tmp_path: Path
) -> None:
    machine(monkeypatch, LAPTOP)
    models = await demo_command._models(arguments(main_model=own_model, fast_model=own_model), terminal)
    assert models.main_model == models.fast_model == str(tmp_path / "own.gguf")


@pytest.mark.parametrize(("code", "reason"), [(-4, "AVX2"), (-9, "memory"), (-6, "GGML_ASSERT failed")])
def test_measurement_that_a_signal_ended_says_why(code: int, reason: str) -> None:
    line = demo_command._measurement_failure(code, "loading\nGGML_ASSERT failed\n")
    assert reason in line
    assert "\n" not in line


@pytest.mark.parametrize("port", ["abc", "-1", "0", "99999", "8080.5", "²"])
def test_port_that_is_none_is_refused(port: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEMO_PAGE_PORT", port)
    with pytest.raises(ServiceError, match=f"DEMO_PAGE_PORT={port} is no port"):
        demo_command._ports()


def test_report_that_cannot_be_written_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_command, "REPORT", tmp_path / "none" / "report.json")
    assert "cannot be written (No such file or directory)" in demo_command._write_report({})


def test_failed_measurement_is_its_last_line() -> None:
    assert demo_command._measurement_failure(2, "Traceback\nmeasure: a weight is missing\n") == (
        "measure: a weight is missing"
    )
