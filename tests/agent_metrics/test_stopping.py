"""agent-metrics, and the page that shares its server, end when they are told to, whenever that is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.agent_metrics.services import command

#: Runs a service, and sends it the signal once it has called a function, in code that lets no exception pass. Imports
#: have such code too.
_TOLD_EARLY = """
import importlib, os, sys, weakref

module, function, number = (sys.argv.pop() for _ in range(3))
service = importlib.import_module(module)
called = getattr(service, function)

class Thing: pass

def call_and_be_told(*arguments):
    found, thing = called(*arguments), Thing()
    _ = weakref.ref(thing, lambda _: os.kill(os.getpid(), int(number)))
    del thing
    return found

setattr(service, function, call_and_be_told)
service.main()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("service", ["agent_metrics", "page_server"])
def test_signal_that_comes_before_the_server_listens_is_not_lost(
    tmp_path: Path, service: str, number: signal.Signals
) -> None:
    (tmp_path / "index.html").touch()
    settings = {"LIVEKIT_URL": "ws://localhost", "LIVEKIT_API_KEY": "key", "LIVEKIT_API_SECRET": "secret"}
    settings |= {"PAGE_DIR": str(tmp_path), "PAGE_PORT": "0"}
    arguments = command(tmp_path)[3:] if service == "agent_metrics" else []
    function = "_open" if service == "agent_metrics" else "listen"
    result = subprocess.run(
        [sys.executable, "-c", _TOLD_EARLY, *arguments, str(int(number)), function, f"{service}.__main__"],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize("by", ["signal", "end of input"])
def test_service_that_watches_its_input_ends_without_a_word(tmp_path: Path, by: str) -> None:
    process = subprocess.Popen(
        command(tmp_path, "--until-stdin-ends"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert "serving" in process.stdout.readline()
    if by == "signal":
        os.kill(process.pid, signal.SIGTERM)  # its input stays open
        assert process.wait() == 0
    _, stderr = process.communicate()
    assert (process.returncode, stderr) == (0, "")
