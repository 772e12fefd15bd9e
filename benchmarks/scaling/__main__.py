"""``python -m benchmarks.scaling``: how many calls does one core carry?"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.latency.machine import here_and_now
from benchmarks.latency.systems import SYSTEMS
from benchmarks.scaling.report import write
from benchmarks.scaling.results import BARE, OURS, Results
from benchmarks.scaling.run import RunOptions, run
from testbed.processes import ServiceError
from testbed.services import ROOT


def main() -> None:
    options = _options()
    about = _about(options)
    folder = Path(tempfile.mkdtemp(prefix="scaling-"))
    print(f"logs: {folder}", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is stopped, as after Ctrl-C
    try:
        systems = [SYSTEMS[name] for name in (OURS, BARE)]
        asyncio.run(_run(RunOptions(systems, options.calls, options.turns, options.seed, folder), about, options.out))
    except ServiceError as error:
        sys.exit(str(error))


async def _run(options: RunOptions, about: dict[str, Any], out: Path) -> None:
    """What there is already is written after each level: a long run may be ended early."""
    async for workers, series in run(options, lambda line: print(line, file=sys.stderr, flush=True)):
        if all(len(worker.levels) > 1 for worker in workers.values()):  # the least that lines go through
            write(Results(about, workers, series), out)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling", description=__doc__)
    levels = [1, 2, 3, 4, 6, 8, 10, 12, 16, 20]
    parser.add_argument("--calls", type=int, nargs="+", default=levels, help="at once (default: %(default)s)")
    parser.add_argument(
        "--turns", type=int, default=48, help="at least, of each worker for each (default: %(default)s)"
    )
    parser.add_argument("--note", default="", help="a sentence about the run, for the report")
    parser.add_argument("--seed", type=int, default=7, help="default: %(default)s")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "benchmarks")
    return parser.parse_args()


def _about(options: argparse.Namespace) -> dict[str, Any]:
    return {
        "command": f"python -m benchmarks.scaling --calls {' '.join(map(str, options.calls))} --turns {options.turns}",
        "seed": options.seed,
        "note": options.note,
        **here_and_now(),
    }


if __name__ == "__main__":
    main()
