"""The command line of the model server."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from model_server.weights import SMOLLM
from tests.model_server.servers import command, server_process

SMALL = ("--main-model", SMOLLM, "--fast-model", SMOLLM)


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments), env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )


def test_every_problem_of_a_config_is_listed_and_the_exit_code_is_2(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text('{"seed": "x", "llm": {"*": {"ttft_ms": -1, "replys": []}}}')
    result = run("--simulated", str(config))
    assert result.returncode == 2
    assert all(problem in result.stderr for problem in ("seed", "llm.*.ttft_ms", "llm.*.replys"))
    assert "Traceback" not in result.stderr


def test_port_taken_is_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = run("--simulated", "default", "--port", str(taken.getsockname()[1]))
    assert (result.returncode, len(result.stderr.splitlines())) == (2, 1)
    assert "cannot listen on" in result.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_it_with_exit_code_0(number: signal.Signals) -> None:
    with server_process("--simulated", "default") as address:
        assert address.process is not None
        address.process.send_signal(number)
        assert address.process.wait() == 0


@pytest.mark.slow
def test_wrong_weights_are_reported_in_one_line(tmp_path: Path) -> None:
    wrong = tmp_path / "models" / "kokoro-82m.onnx"
    wrong.parent.mkdir()
    wrong.write_bytes(b"not a model")
    result = run(*SMALL, "--voice", "kokoro", AGENT_WORKER_CACHE=str(tmp_path))
    assert (result.returncode, len(result.stderr.splitlines())) == (2, 1)
    assert str(wrong) in result.stderr
    assert "make install" in result.stderr


@pytest.mark.slow
def test_missing_file_of_an_override_is_named() -> None:
    result = run(*SMALL, SMOLLM_PATH="/nowhere/model.gguf")
    assert (result.returncode, len(result.stderr.splitlines())) == (2, 1)
    assert "SMOLLM_PATH" in result.stderr
