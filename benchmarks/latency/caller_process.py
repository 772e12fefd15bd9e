"""How does each call get a process of its own? What one caller does must not make another hear late."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from dataclasses import asdict

from benchmarks.latency.calls import CallPlan, CallResult, TurnRow, hold_call
from testbed.services import ROOT


async def call_apart(plan: CallPlan) -> CallResult:
    """As :func:`hold_call`, in a new process, which is stopped if this is cancelled."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        __name__,
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,  # Ctrl-C reaches us, and we stop it
    )
    try:
        output, _ = await process.communicate(json.dumps(asdict(plan)).encode())
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        return CallResult.of([], f"the caller ended with code {process.returncode}")
    answer = json.loads(output)
    return CallResult([TurnRow(**row) for row in answer["rows"]], answer["error"])


def main() -> None:
    logging.getLogger("livekit").setLevel(logging.CRITICAL)  # its messages hold the caller's token
    plan = CallPlan(**json.load(sys.stdin))
    print(json.dumps(asdict(asyncio.run(hold_call(plan)))))


if __name__ == "__main__":
    main()
