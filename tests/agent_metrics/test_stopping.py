"""`python -m agent_metrics` ends when it is told to, whenever that is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.agent_metrics.services import command

#: Runs the service, and sends it the signal once the folder is open, in code that lets no exception pass. Imports have
#: such code too.
_TOLD_EARLY = """
import os, sys, weakref
from agent_metrics import __main__ as service

number = int(sys.argv.pop())

class Thing: pass

def open_and_be_told(root, opened=service._open):
    found, thing = opened(root), Thing()
    _ = weakref.ref(thing, lambda _: os.kill(os.getpid(), number))
    del thing
    return found

service._open = open_and_be_told
service.main()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_that_comes_before_the_server_listens_is_not_lost(tmp_path: Path, number: signal.Signals) -> None:
    arguments = command(tmp_path)[3:]
    result = subprocess.run(
        [sys.executable, "-c", _TOLD_EARLY, *arguments, str(int(number))], capture_output=True, text=True, check=False
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
