"""``python -m benchmarks.soak``: 45 minutes of back-to-back calls; writes docs/benchmarks/soak.md."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.latency.machine import here_and_now
from benchmarks.reliability.world import new_world
from benchmarks.soak.report import write
from benchmarks.soak.run import soak
from testbed.processes import ServiceError
from testbed.services import ROOT


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=45.0, help="default: %(default)s")
    parser.add_argument("--lines", type=int, default=2, help="calls at once (default: %(default)s)")
    parser.add_argument("--note", default="", help="a sentence about the run, for the report")
    parser.add_argument("--seed", type=int, default=11, help="default: %(default)s")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "benchmarks")
    options = parser.parse_args()
    logging.getLogger("livekit").setLevel(logging.CRITICAL)  # its messages hold the caller's token
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # to stop the servers too
    try:
        problems = asyncio.run(_run(options))
    except ServiceError as error:
        sys.exit(str(error))
    sys.exit("\n".join(problems) or None)


async def _run(options: argparse.Namespace) -> list[str]:
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    print(f"logs: {folder}", flush=True)
    (folder / "tmp").mkdir()
    about = _about(options)
    async with new_world(folder, {"TMPDIR": "{folder}/tmp"}) as world:
        result = await soak(world, options.minutes, options.lines, options.seed, lambda line: print(line, flush=True))
    write(result, about, options.out)
    return result.problems


def _about(options: argparse.Namespace) -> dict[str, Any]:
    return {
        "command": f"python -m benchmarks.soak --minutes {options.minutes:g} --lines {options.lines}",
        "minutes": options.minutes,
        "lines": options.lines,
        "seed": options.seed,
        "note": options.note,
        **here_and_now(),
    }


if __name__ == "__main__":
    main()
