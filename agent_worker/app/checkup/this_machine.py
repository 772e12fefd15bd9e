"""What the worker needs of the machine that it runs on: ports, and a folder for its metrics."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import aiohttp

from agent_metrics import writer
from agent_metrics.files import OWN_FOLDER, SERVICE_LOCK_NAME
from agent_worker.app.checkup.findings import Finding, failed, note, ok
from agent_worker.core.settings import Settings
from agent_worker.providers.preflight import port_problem

_MB = 1e6
_LEAST, _PLENTY = 16 * _MB, 512 * _MB  # free; a process writes 0.25 MB


async def examine_worker_port(http: aiohttp.ClientSession, port: int) -> Finding:
    problem = port_problem(port)
    if problem is None:
        return ok("worker port", f"{port} is free" if port else "any free one")
    with contextlib.suppress(aiohttp.ClientError, asyncio.TimeoutError, ValueError):
        async with http.get(f"http://127.0.0.1:{port}/worker") as response:
            if "agent_name" in await response.json(content_type=None):
                return note("worker port", f"a worker runs on {port} already", "set WORKER_PORT for a second one")
    what, _, to_do = problem.partition(": ")[2].partition(": ")
    return failed("worker port", f"WORKER_PORT: {what}", to_do)


def examine_metrics_folder() -> Finding:
    """The folder that :func:`agent_worker.app.bootstrap.prepare` has made, or could not make."""
    own = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    advice = "choose a folder that can be written to with PROMETHEUS_MULTIPROC_DIR; calls work without it"
    if (problem := writer.problem()) or not own:
        return failed("metrics folder", problem or "there is none", advice)
    root = Path(own).parent
    free = shutil.disk_usage(root).free
    detail = f"{root}, {free / 1e9:.1f} GB free"
    if free < _LEAST:
        return failed("metrics folder", detail, "make room: nothing more can be counted soon")
    if free < _PLENTY:
        return note("metrics folder", detail, "make room, or choose another with PROMETHEUS_MULTIPROC_DIR")
    return ok("metrics folder", detail)


def examine_metrics_service(settings: Settings) -> Iterator[Finding]:
    """Whether anybody serves the metrics, or will."""
    name, port = "agent-metrics", settings.metrics_port
    own = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if own and _is_served(Path(own).parent):
        yield ok(name, "a running agent-metrics serves this folder")
    elif port is None:
        advice = "run `python -m agent_metrics`, or set METRICS_PORT=9100 to have it beside the worker"
        yield note(name, "nobody serves this folder's metrics", advice)
    elif port_problem(port):
        advice = "set METRICS_PORT to a free one, or stop what listens there"
        yield failed(name, f"METRICS_PORT: port {port} is taken, and not by an agent-metrics of this folder", advice)
    else:
        yield ok(name, f"port {port} is free: the worker will serve its metrics there")


def _is_served(root: Path) -> bool:
    try:
        lock = os.open(root / OWN_FOLDER / SERVICE_LOCK_NAME, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(lock)
    return False
