"""Run a module in a process of its own, with a plan on its standard input and its result on its standard output."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from typing import Any

from testbed.services import ROOT


class PlanError(Exception):
    """The process ended without a result; the message says how."""


async def in_process(module: str, plan: Mapping[str, Any], *, is_quiet: bool = False) -> dict[str, Any]:
    """Run ``python -m module`` and return what it prints; both are JSON. Cancelling stops the process.

    Args:
        module: Its name.
        plan: What it reads.
        is_quiet: Whether its messages are dropped.

    Raises:
        PlanError: If it ends with another code than 0.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL if is_quiet else None,
        start_new_session=True,  # Ctrl-C reaches this process, which stops the other
    )
    try:
        output, _ = await process.communicate(json.dumps(plan).encode())
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise PlanError(f"{module} ended with code {process.returncode}")
    result: dict[str, Any] = json.loads(output)
    return result
