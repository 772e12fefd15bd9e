"""Where and with what was it measured?"""

from __future__ import annotations

import os
import platform
import shlex
import subprocess
import sys
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Any

from testbed.processes import ServiceError
from testbed.services import ROOT, find_binary

_PACKAGES = ("livekit-agents", "livekit", "livekit-local-inference")


def describe(arguments: list[str], pipecat_python: str) -> dict[str, Any]:
    return {
        "command": shlex.join(["python", "-m", "benchmarks.latency", *_without_paths(arguments)]),
        "machine": computer(),
        "commit": _output("git", "-C", str(ROOT), "describe", "--always", "--dirty"),
        "versions": {
            "Python": platform.python_version(),
            "livekit-server": _livekit_server(),
            **{name: metadata.version(name) for name in _PACKAGES},
            "pipecat-ai": _output(
                pipecat_python, "-c", "import importlib.metadata as m; print(m.version('pipecat-ai'))"
            ),
        },
    }


def here_and_now() -> dict[str, str]:
    """For a report: what ran it, and when."""
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("livekit-agents", "livekit"))
    return {
        "machine": computer(),
        "versions": f"Python {platform.python_version()}, {versions}",
        "began": datetime.now(timezone.utc).strftime("%Y-%m-%d"),
    }


def _without_paths(arguments: list[str]) -> list[str]:
    """Where things lie on this machine is nobody's business, and nobody else's command."""
    options = ("--pipecat-python", "--out")
    return [
        argument
        for before, argument in zip(["", *arguments], arguments, strict=False)
        if argument not in options
        and before not in options
        and not argument.startswith(tuple(f"{o}=" for o in options))
    ]


def _livekit_server() -> str:
    try:
        return _output(find_binary("livekit-server"), "--version").rpartition(" ")[2]
    except ServiceError:
        return "not found"


def computer() -> str:
    """Its cores and its system, as reports name them."""
    return f"{os.cpu_count()} cores, {_cpu()}, {platform.system()}"


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:  # not Linux
        return platform.processor() or platform.machine()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


def _output(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or f"none ({Path(command[0]).name}, {sys.platform})"
