"""The profiles of the latency benchmark in which a tool works: what is measured, and what the report says."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.contenders import slow_tool
from benchmarks.harness.cli import ReportFiles
from benchmarks.harness.simulation import (
    ANSWER_HZ,
    MAIN_MODEL,
    PRERESPONSE_HZ,
    Latencies,
    sentence_tones,
    simulation,
)
from benchmarks.harness.systems import SYSTEMS, TOOL_DEFAULT_SYSTEM, environment
from benchmarks.harness.tones import pitch
from benchmarks.latency import __main__ as command
from benchmarks.latency.calls import TurnRow, rows_of, set_tool_turns
from benchmarks.latency.profiles import PROFILES
from benchmarks.latency.report import markdown
from benchmarks.latency.results import Results
from benchmarks.latency.run import RunOptions, waves_of
from benchmarks.latency.tools import Said, ToolRun, heard_before_answer, judge, runs_of
from benchmarks.latency.tools_summary import summarize_tools, tools_section
from caller import Recording, Segment
from model_server.simulation import SimulationConfig
from testbed.services import Ports
from tests.benchmarks.test_latency_calls import turn
from tests.benchmarks.test_latency_tones import Sound, frames, silence, tone

FIRST, SECOND = "Still working on it.", "This is taking a moment."
LAST_SENT = 11.0
RUN = ToolRun(called=12.0, returned=15.0)


def spoken(text: str) -> Sound:
    """Return a sentence as the simulated voice speaks it."""
    return tone(sentence_tones()[text], len(text) / 15)


def said(text: str, start: float) -> Said:
    return Said(text, Segment(start, start + len(text) / 15), len(text) / 15)


def test_each_sentence_has_a_tone_of_its_own_that_is_no_answers() -> None:
    config = simulation(Latencies(), seed=1, calls_tool=True)
    voice = SimulationConfig.model_validate(config).tts["*"]
    assert config["llm"][MAIN_MODEL]["calls_tool"]
    tones = [voice.tone(text) for text in sentence_tones()]
    assert len(set(tones)) == len(tones) > 50
    assert all(abs(hertz - PRERESPONSE_HZ) <= 70 for hertz in tones)
    assert voice.tone("The answer is at nine.") == ANSWER_HZ


def test_other_profiles_call_no_tool_and_have_two_tones() -> None:
    config = SimulationConfig.model_validate(simulation(Latencies(), seed=1))
    assert not config.llm[MAIN_MODEL].calls_tool
    assert {config.tts["*"].tone(text) for text in sentence_tones()} == {PRERESPONSE_HZ}


@pytest.mark.parametrize("hertz", [371.0, 440.0, 442.2, 509.0])
def test_pitch_of_a_short_tone_is_found_among_its_neighbours(hertz: float) -> None:
    found = pitch(frames(silence(0.2), tone(hertz, 0.3), silence(0.2)), Segment(10.2, 10.5), (350.0, 530.0))
    assert found == pytest.approx(hertz, abs=0.5)


def test_sentences_before_the_answer_are_recognised_by_their_tones() -> None:
    sound = frames(
        spoken("Let me see."), silence(2.0), spoken(FIRST), silence(0.4), tone(ANSWER_HZ, 0.8), spoken(SECOND)
    )
    before, answer_start = heard_before_answer(sound)
    assert [each.text for each in before] == ["Let me see.", FIRST]
    assert answer_start == pytest.approx(10.0 + 11 / 15 + 2.0 + 20 / 15 + 0.4, abs=0.01)


def test_sentence_with_breaks_in_its_audio_is_one() -> None:
    part = tone(sentence_tones()[FIRST], 0.07)
    sound = frames(silence(0.3), *[part, silence(0.15)] * 8, silence(1.0), tone(ANSWER_HZ, 0.8))
    (only,), _ = heard_before_answer(sound)
    assert only.text == FIRST
    assert only.seconds == pytest.approx(8 * 0.07, abs=0.05)


def test_silences_are_those_until_the_answer() -> None:
    judged = judge([said(FIRST, 12.5), said(SECOND, 15.0)], 18.0, LAST_SENT, [RUN])
    assert judged.longest_silence == pytest.approx(1.5)  # before the first sentence
    assert judge([said(FIRST, 12.5)], 18.0, LAST_SENT, [RUN]).longest_silence == pytest.approx(18.0 - 12.5 - 20 / 15)
    assert judge([], 18.0, LAST_SENT, [RUN]).longest_silence == pytest.approx(7.0)
    assert judged.result_to_answer == pytest.approx(3.0)
    assert (judged.sentences, judged.said_again, judged.runs) == (2, 0, 1)


def test_result_counts_from_the_last_run() -> None:
    judged = judge([], 20.0, LAST_SENT, [RUN, ToolRun(15.5, 18.5)])
    assert (judged.result_to_answer, judged.runs) == (pytest.approx(1.5), 2)


def test_sentence_that_is_said_again_is_counted() -> None:
    judged = judge([said(FIRST, 12.0), said(SECOND, 15.0), said(FIRST, 18.0)], 20.0, LAST_SENT, [RUN])
    assert (judged.sentences, judged.said_again) == (3, 1)


def test_sentence_in_two_parts_is_not_said_twice() -> None:
    parts = [Said(FIRST, Segment(12.0, 12.6), 0.6), Said(FIRST, Segment(12.9, 13.6), 0.7)]
    judged = judge(parts, 16.0, LAST_SENT, [RUN])
    assert (judged.sentences, judged.said_again) == (1, 0)


def heard_twice() -> tuple[Recording, list[Any]]:
    """Two turns from 10.0 and 20.0 on, each with a sentence and an answer."""
    recording = Recording()
    for begin in (11.5, 21.5):
        for at, pcm in frames(spoken(FIRST), silence(1.0), tone(ANSWER_HZ, 1.0), silence(0.2), begin=begin):
            recording.add(at, pcm)
    answers = [Segment(begin + 20 / 15 + 1.0, begin + 20 / 15 + 2.0) for begin in (11.5, 21.5)]
    turns = [
        turn(begin, [Segment(begin + 1.5, begin + 1.5 + 20 / 15), answer])
        for begin, answer in zip((10.0, 20.0), answers, strict=True)
    ]
    return recording, turns


def test_run_of_the_tool_belongs_to_the_turn_in_which_it_was_called() -> None:
    recording, turns = heard_twice()
    rows = rows_of(turns, recording)
    set_tool_turns(rows, turns, recording, [ToolRun(11.6, 13.0)])
    assert rows[0].tool is not None
    assert rows[0].tool["result_to_answer"] == pytest.approx(11.5 + 20 / 15 + 1.0 - 13.0, abs=0.01)
    assert (rows[0].failure, rows[1].failure) == (None, "the tool did not run")
    assert rows[1].tool is None


def test_turn_without_an_answer_is_a_failure_with_a_tool_too() -> None:
    recording = Recording()
    for at, pcm in frames(spoken(FIRST), silence(1.0), begin=11.5):
        recording.add(at, pcm)
    turns = [turn(10.0, [Segment(11.5, 11.5 + 20 / 15)])]
    rows = rows_of(turns, recording)
    set_tool_turns(rows, turns, recording, [ToolRun(11.6, 13.0)])
    assert (rows[0].failure, rows[0].tool) == ("no answer", None)


async def test_tool_notes_its_runs_for_each_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "tool.log"
    assert runs_of(log, "one", 0.0) == []
    monkeypatch.setenv("TOOL_SECONDS", "0")
    monkeypatch.setenv("TOOL_LOG", str(log))
    await asyncio.gather(slow_tool.take_time("one"), slow_tool.take_time("other"))
    (run,) = runs_of(log, "one", clock_start=0.0)
    noted = next(found for found in map(json.loads, log.read_text().splitlines()) if found["room"] == "one")
    assert (run.called, run.returned) == (noted["called"], noted["returned"])
    (later,) = runs_of(log, "one", clock_start=run.called)
    assert later.called == 0.0


def options(**more: Any) -> RunOptions:
    standard: dict[str, Any] = {
        "profiles": [PROFILES["tools"]],
        "systems": list(SYSTEMS.values()),
        "turns": 6,
        "parallel": 3,
        "seed": 1,
        "out": Path("out.json"),
        "pipecat_python": "python",
        "about": {},
    }
    return RunOptions(**{**standard, **more})


def test_systems_with_a_tool_are_measured_where_one_is_called_and_only_there() -> None:
    measured = {
        name: {cell.system for wave in waves_of(options(), PROFILES[name]) for cell in wave} for name in PROFILES
    }
    with_tool = {name for name, system in SYSTEMS.items() if system.has_tool}
    assert measured["tools"] == measured["tools-long"] == with_tool
    assert TOOL_DEFAULT_SYSTEM in with_tool
    assert measured["cloud"] == {name for name, system in SYSTEMS.items() if not system.flux} - with_tool


def test_real_models_are_not_asked_for_what_only_simulated_ones_do() -> None:
    measured = {cell.system for wave in waves_of(options(), PROFILES["real"]) for cell in wave}
    assert measured
    assert not any(SYSTEMS[name].scripted for name in measured)


def test_systems_with_flux_are_measured_in_its_profile_and_only_there() -> None:
    measured = {
        name: {cell.system for wave in waves_of(options(), PROFILES[name]) for cell in wave} for name in PROFILES
    }
    with_flux = {name for name, system in SYSTEMS.items() if system.flux}
    assert measured["flux"] == with_flux
    assert not any(with_flux & systems for name, systems in measured.items() if name != "flux")


def parsed(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Any:
    monkeypatch.setattr(sys, "argv", ["latency", *arguments])
    return command._parse()


def test_profiles_of_the_chosen_systems_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    without_tool = ["cloud", "slow-main", "fast-main", "jitter", "typical", "phone", "real"]
    assert parsed(monkeypatch, "--systems", "stock").profiles == without_tool
    recorded = parsed(monkeypatch, "--systems", "stock", "--recordings", "folder").profiles
    assert recorded == ["people", "interruptions"]
    assert parsed(monkeypatch, "--systems", "pipecat-speak").profiles == ["tools", "tools-long"]


def test_profile_without_a_system_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parsed(monkeypatch, "--systems", "stock", "--profiles", "tools")
    assert "none of the systems is measured in tools" in capsys.readouterr().err


def test_worker_with_a_tool_keeps_its_metrics_folder_and_has_the_defaults() -> None:
    ours = environment(SYSTEMS[TOOL_DEFAULT_SYSTEM], Ports(), Path("folder"))
    silent = environment(SYSTEMS["agent-worker/tool-no-filler"], Ports(), Path("folder"))
    assert ours["PROMETHEUS_MULTIPROC_DIR"] == str(Path("folder/metrics"))
    assert (ours["FILLER_DELAY"], silent["FILLER_DELAY"]) == ("", "0")
    assert {name for name in ours if ours[name] != silent[name]} == {"FILLER_DELAY", "AGENT_NAME"}
    assert "PROMETHEUS_MULTIPROC_DIR" not in environment(SYSTEMS["stock-filler"], Ports(), Path("folder"))


def row(system: str, profile: str = "tools", **tool: Any) -> dict[str, Any]:
    standard = {"longest_silence": 2.5, "result_to_answer": 1.0, "sentences": 2, "said_again": 0, "runs": 1}
    found: dict[str, Any] = {"profile": profile, "system": system, "round": 0, "response_gap": 0.5}
    return found | {"answer_gap": 5.0, "tool": {**standard, **tool}}


def test_failures_count_as_failures_only() -> None:
    failed = {**row("stock-filler"), "failure": "the tool did not run"}
    del failed["tool"]
    (summary,) = summarize_tools([row("stock-filler", said_again=2), row("stock-filler", longest_silence=6.0), failed])
    assert (summary.turns, summary.failures, summary.turns_with_repeat) == (3, 1, 1)
    assert (summary.max_silence, summary.sentences) == (6.0, 2.0)
    assert summary.first_sound is not None
    assert summary.first_sound.count == 2


def test_report_has_a_table_for_each_profile_and_says_how_each_system_is_configured() -> None:
    page = tools_section([row("pipecat-speak", "tools-long"), row(TOOL_DEFAULT_SYSTEM), row("stock-filler")])
    assert page.index("### tools: the tool takes 3 s") > page.index("### tools-long: the tool takes 9 s")
    cells = "1 | 500 [500, 500] | 500 | 2500 [2500, 2500] | 2500 | 1000 [1000, 1000] | 1000 | 2.0 | 0 | 0"
    assert f"| **{TOOL_DEFAULT_SYSTEM}** | {cells} |" in page
    assert "`with_filler(LINE, delay=5)`" in page
    assert "TTSSpeakFrame" in page
    assert "stock-filler-tuned" not in page


def test_turns_with_a_tool_are_in_no_other_table() -> None:
    about = {"machine": "m", "versions": "v", "command": "c", "commit": "0", "began": "today", "transport_delay": 0.1}
    page = markdown(Results({"tools": about}, turns=[row("stock-filler")]), ReportFiles(Path("latency.json")))
    assert page.count("| stock-filler |") == 2  # and in the first table
    assert "\n## tools\n" not in page
    assert "- tools: `c`" in page


def test_row_with_a_tool_is_saved() -> None:
    assert TurnRow(1, "x", tool={"runs": 1}).as_result()["tool"] == {"runs": 1}
