"""Description of a run: command, machine, commit, versions, date."""

from __future__ import annotations

import os
import platform
import shlex
import subprocess
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path

from testbed.processes import ServiceError
from testbed.services import ROOT, find_binary

_PACKAGES = ("livekit-agents", "livekit")
_OMITTED_OPTIONS = ("--out", "--pipecat-python", "--note")
"""Paths of this machine are no part of the command; the note has a place of its own in each report."""


def describe(name: str, arguments: Sequence[str], packages: Iterable[str] = _PACKAGES) -> dict[str, str]:
    """Return what a report says about its run.

    Args:
        name: The benchmark, as in ``python -m benchmarks.NAME``.
        arguments: The command line's.
        packages: Python packages whose versions matter.
    """
    versions = [f"{package} {metadata.version(package)}" for package in packages]
    return {
        "command": shlex.join(["python", "-m", f"benchmarks.{name}", *_public(arguments)]),
        "machine": f"{os.cpu_count()} cores, {_cpu()}, {platform.system()}",
        "commit": _commit(),
        "versions": ", ".join([f"Python {platform.python_version()}", *versions]),
        "began": datetime.now(timezone.utc).strftime("%Y-%m-%d"),
    }


def _commit() -> str:
    """Return the commit; ``-dirty`` if the tree differs from it elsewhere than in the results of benchmarks."""
    git = ("git", "-C", str(ROOT))
    changes = output(*git, "status", "--porcelain", "--untracked-files=no", "--", ".", ":(exclude)docs/benchmarks")
    return output(*git, "describe", "--always") + ("" if changes == "none" else "-dirty")


def _public(arguments: Sequence[str]) -> list[str]:
    return [
        argument
        for before, argument in zip(["", *arguments], arguments, strict=False)
        if before not in _OMITTED_OPTIONS and argument.partition("=")[0] not in _OMITTED_OPTIONS
    ]


def livekit_server_version() -> str:
    """Return the version of the LiveKit server that the benchmarks start."""
    try:
        return output(find_binary("livekit-server"), "--version").rpartition(" ")[2]
    except ServiceError:
        return "not found"


def output(*command: str) -> str:
    """Return what a program prints, or ``none`` if it prints nothing."""
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() or "none"


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:  # not Linux
        return platform.processor() or platform.machine()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())
