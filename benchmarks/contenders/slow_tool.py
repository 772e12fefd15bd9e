"""The tool that the main model calls in some profiles: it takes TOOL_SECONDS, and notes each run in TOOL_LOG.

It is the same for all systems. It imports the standard library only, because Pipecat has an environment of its own.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from pathlib import Path

_RESULT = "found"


async def take_time(room: str) -> str:
    """Return the tool's result after TOOL_SECONDS; a run that is cancelled is not noted.

    Args:
        room: The call's room.
    """
    called = time.time()
    await asyncio.sleep(float(os.environ["TOOL_SECONDS"]))
    await asyncio.to_thread(_note, {"room": room, "called": called, "returned": time.time()})
    return _RESULT


def _note(run: dict[str, str | float]) -> None:
    with Path(os.environ["TOOL_LOG"]).open("a", encoding="utf-8") as log:
        log.write(json.dumps(run) + "\n")
