"""Starts `python -m agent_metrics` as a process."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from testbed.processes import announced_server


@dataclass(frozen=True)
class RunningService:
    url: str
    process: subprocess.Popen[str]


def command(root: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "agent_metrics", "--dir", str(root), "--host", "127.0.0.1", "--port", "0", *arguments]


def stderr_of_refusal(root: Path, *arguments: str) -> str:
    """Start a service that cannot start. Returns its stderr."""
    result = subprocess.run(command(root, *arguments), capture_output=True, text=True, check=False)
    assert result.returncode == 2, result
    assert "Traceback" not in result.stderr
    return result.stderr


@contextmanager
def running(root: Path, *arguments: str) -> Iterator[RunningService]:
    with announced_server(command(root, *arguments), " on ") as (url, process):
        yield RunningService(url.removesuffix("/metrics"), process)


async def wait_until_ready(service: RunningService, http: aiohttp.ClientSession) -> None:
    while True:
        async with http.get(f"{service.url}/healthz") as response:
            if response.status == 200:
                return
        await asyncio.sleep(0.05)
