"""``agent-worker call`` finds the turns of one call in a log."""

from __future__ import annotations

import dataclasses
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from livekit.agents import ChatMessage

from agent_worker.app.call_log import main
from agent_worker.app.call_report import bars, report
from agent_worker.telemetry.record import CallIdentity, Playout, SpeechTimestamps, TurnRecord, turn_record
from agent_worker.telemetry.trace import TurnTrace

CALL = CallIdentity("call-12ab", "call-12ab", "pod-1", "0.1.0")
OTHER = CallIdentity("RM_other", "support", "pod-2", "0.1.0")
SPEECH = SpeechTimestamps(last_voice=100.0, stt_final=100.2, end_of_turn=100.45)
PHRASE = TurnTrace(
    "phrase", outcome="spoken", source="phrase", main_request=100.2, main_first_token=100.8, main_first_audio=101.1
)


def a_turn(number: int = 2, call: CallIdentity = CALL, at: float = 1_790_000_000.0, **changes: Any) -> TurnRecord:
    caller = ChatMessage(role="user", content=["When do you open?"])
    playouts = [Playout(100.53, 101.88), Playout(101.9, 104.0)]
    reply = ChatMessage(role="assistant", content=["Let me see. At nine."], extra={"preresponse": "Let me see."})
    record = turn_record(number, caller, [reply], playouts, PHRASE, SPEECH, wall_clock_offset_s=at - 100.0)
    return dataclasses.replace(record, call=call, **changes)


def log_line(record: TurnRecord, *, words: bool = False, prefix: str = "") -> str:
    fields = {"level": "INFO", "message": "turn", "turn_record": record.as_dict(words=words)}
    return f"{prefix}{json.dumps(fields)}\n"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    file = tmp_path / "worker.log"
    file.write_text(
        "end of turn, TURN_DETECTOR=fused: {x}\n"
        + log_line(a_turn(3, at=1_790_000_020.0, response_gap=None), prefix="worker-1  | ")
        + log_line(a_turn(2, OTHER))
        + log_line(a_turn(2), prefix="[pod/agent-worker-1/worker] {odd} ")
        + json.dumps({"log": log_line(a_turn(4, at=1_790_000_040.0)), "stream": "stdout"})
        + '\n{"message": "turn_record", "turn_record": 1}\n{"turn_record": \n'
    )
    return file


def shown(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


def test_id_of_the_page_leads_to_the_turns_of_its_call_in_order(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([CALL.id, str(log), "--json"], "agent-worker call") == 0
    turns = json.loads(shown(capsys))
    assert [turn["turn"] for turn in turns] == [2, 3, 4]
    assert all(turn["call"]["room"] == "call-12ab" for turn in turns)


@pytest.mark.parametrize("name", ["RM_other", "support"])
def test_id_and_name_of_a_room_lead_to_its_turns(name: str, log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, str(log), "--json"], "agent-worker call") == 0
    assert [turn["call"]["id"] for turn in json.loads(shown(capsys))] == ["RM_other"]


def test_table_has_worker_version_times_and_a_bar_for_each_stage(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([CALL.id, str(log)], "agent-worker call") == 0
    text = shown(capsys)
    assert text.startswith("call call-12ab: 3 turns, 2026-09-21T14:13:20.000Z to 2026-09-21T14:14:00.000Z\n")
    assert "room call-12ab, worker pod-1, version 0.1.0" in text
    (row,) = (line for line in text.splitlines() if line.startswith("   2  14:13:20.000"))
    assert row.split()[2:] == ["0.53", "s", "1.90", "s", "0.45", "s", "spoken"]
    stages = [line[6:23].strip() for line in text.splitlines() if "█" in line]
    assert stages[:6] == ["STT", "End of turn", "Main model", "TTS, answer", "Pre-response", "Answer"]
    assert "open" not in text  # TURN_LOG=timing has no words


def test_bars_are_those_of_the_page() -> None:
    """The figures of web/tests/waterfall.test.ts."""
    assert [(bar.stage, bar.start, bar.end) for bar in bars(a_turn().as_dict())] == [
        ("STT", 0, 0.2),
        ("End of turn", 0.2, 0.45),
        ("Main model", 0.2, 0.8),
        ("TTS, answer", 0.8, 1.1),
        ("Pre-response", 0.53, 1.88),
        ("Answer", 1.9, 4),
    ]


def test_turn_without_an_answer_and_interrupted_ones_stand_out() -> None:
    unanswered = turn_record(
        2, ChatMessage(role="user", content=["Hello?"]), [], [], TurnTrace(main_request=100.3), SPEECH
    ).as_dict()
    assert "NO ANSWER" in report("x", [unanswered])
    assert "went on before the answer" in report("x", [{**unanswered, "interrupted": True}])
    assert "INTERRUPTED" in report("x", [a_turn(interrupted=True).as_dict()])
    assert "NO ANSWER" not in report("x", [a_turn().as_dict()])


def test_words_are_shown_if_the_log_has_them_and_cannot_control_the_terminal() -> None:
    text = report("x", [a_turn(caller="When \x1b[2J\u202edo you open?").as_dict()])
    assert "caller: When �[2J�do you open?" in text
    assert "agent: Let me see. " in text


def test_record_of_an_older_worker_is_found_by_the_room_of_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    old = {name: value for name, value in a_turn().as_dict(words=False).items() if name not in ("call", "time")}
    log = io.StringIO(json.dumps({"turn_record": old, "room": "call-34cd", "room_id": "RM_1"}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", log)
        assert main(["call-34cd"], "agent-worker call") == 0
    assert "1 turn\n" in shown(capsys)


def test_missing_call_is_explained(log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = tmp_path / "empty.log"
    empty.write_text("nothing\n")
    assert main(["call-x", str(empty)], "call") == 1
    assert "TURN_LOG=timing" in capsys.readouterr().err
    assert main(["call-x", str(log)], "call") == 1
    assert "among the 4 turns of the log, from 2026-09-21T14:13:20.000Z" in capsys.readouterr().err
    assert main(["call-x", str(tmp_path / "none.log")], "call") == 2
    assert "none.log" in capsys.readouterr().err


def test_command_needs_no_settings(log: Path, tmp_path: Path) -> None:
    metrics = tmp_path / "metrics"
    run = subprocess.run(
        [sys.executable, "-m", "agent_worker.app.cli", "call", "call-12ab"],
        env={"PROMETHEUS_MULTIPROC_DIR": str(metrics)},
        stdin=log.open(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert "call call-12ab: 3 turns" in run.stdout
    assert not metrics.exists()
