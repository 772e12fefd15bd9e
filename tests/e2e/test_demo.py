"""`make demo` as a user runs it, without the installation."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import psutil
import pytest

from testbed.processes import free_port
from testbed.services import ROOT
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.real_models]


async def start_demo(folder: Path, *arguments: str, **env: str) -> asyncio.subprocess.Process:
    ports = {f"DEMO_{name}_PORT": str(free_port()) for name in ("LIVEKIT", "MODELS", "METRICS", "PAGE")}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "demo", *arguments),
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **ports, **env},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def test_demo_once_runs_a_conversation_and_writes_a_report(tmp_path: Path) -> None:
    process = await start_demo(tmp_path, "--once", "--size", "small")
    stdout, _ = await process.communicate()
    output = stdout.decode()
    assert (tmp_path / "demo-report.json").exists(), output
    report = json.loads((tmp_path / "demo-report.json").read_text())
    # What so small a model says is not the same each time, and a machine that is too slow for a conversation drops
    # audio: then turns are not good, and have to be named.
    assert process.returncode == (0 if report["ok"] else 1), output
    assert report["ok"] == (not report["problems"])
    assert all(problem in output for problem in report["problems"])
    both = report["turns"], report["turns_without_preresponses"]
    assert [len(turns) for turns in both] == [5, 5]
    assert all(any(turn["word_error_rate"] < 0.2 and turn["answer"] for turn in turns) for turns in both), report
    assert any(turn["preresponse"] for turn in report["turns"])
    assert not any(turn["preresponse"] for turn in report["turns_without_preresponses"])
    assert report["models"]["main_model"] == "qwen-0.5b"
    assert all(turn["said"] in output for turn in report["turns"])


@pytest.mark.parametrize(
    ("number", "last_step"),
    [
        (signal.SIGTERM, "measuring this machine ("),
        (signal.SIGINT, "starting LiveKit server ("),
        (signal.SIGINT, "a caller has a conversation"),
    ],
)
async def test_demo_stops_all_its_children_on_a_signal(number: signal.Signals, last_step: str, tmp_path: Path) -> None:
    process = await start_demo(tmp_path, "--size", "small")
    assert process.stdout is not None
    while last_step not in (line := (await process.stdout.readline()).decode()):
        assert line, "the demo ended early"
    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(number)
    rest, _ = await process.communicate()
    assert process.returncode == 0
    assert "Traceback" not in rest.decode()
    assert not [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]


async def test_demo_that_is_interrupted_while_it_measures_leaves_nothing_behind(tmp_path: Path) -> None:
    process = await start_demo(tmp_path, "--size", "small")
    demo = psutil.Process(process.pid)
    await until(lambda: bool(demo.children()))  # the measurement is a process of its own
    children = demo.children(recursive=True)
    process.send_signal(signal.SIGINT)
    output, _ = await process.communicate()
    assert process.returncode == 0
    assert output.decode().splitlines()[-1] == "==> stopping"
    assert not [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]


async def test_taken_port_is_reported_in_one_line(tmp_path: Path) -> None:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    process = await start_demo(tmp_path, DEMO_METRICS_PORT=str(port))
    output, _ = await process.communicate()
    server.close()
    assert process.returncode == 1
    (line,) = output.decode().splitlines()
    assert f"port {port} for agent-metrics is taken" in line
    assert "DEMO_METRICS_PORT" in line
