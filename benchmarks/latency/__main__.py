"""``python -m benchmarks.latency``: every system in every profile, then the report."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import sys
from pathlib import Path

from benchmarks.latency import results as raw
from benchmarks.latency.machine import describe
from benchmarks.latency.profiles import PROFILES
from benchmarks.latency.report import markdown
from benchmarks.latency.results import Results
from benchmarks.latency.run import RunOptions, run
from benchmarks.latency.systems import PIPECAT, SYSTEMS, has_pipecat
from testbed.processes import ServiceError, stop_on_signals
from testbed.services import ROOT

OUT = ROOT / "docs" / "benchmarks" / "latency.json"


def main() -> int:
    arguments = _parser().parse_args()
    if arguments.report_only:
        _report(raw.read(arguments.out), arguments.out)
        return 0
    systems = [SYSTEMS[name] for name in arguments.systems]
    if PIPECAT in systems and not has_pipecat(arguments.pipecat_python):
        _say(f"pipecat is left out: {arguments.pipecat_python} does not have it (--pipecat-python names one that has)")
        systems.remove(PIPECAT)
    options = RunOptions(
        profiles=[PROFILES[name] for name in arguments.profiles],
        systems=systems,
        turns=arguments.turns,
        parallel=arguments.parallel,
        seed=arguments.seed,
        out=arguments.out,
        pipecat_python=arguments.pipecat_python,
        about=describe(sys.argv[1:], arguments.pipecat_python),
    )
    results = raw.read(options.out) if options.out.exists() else Results()
    if not arguments.resume:
        results = results.without(arguments.profiles)
    try:
        finished = asyncio.run(_run(options, results))
    except ServiceError as error:
        print(f"latency: {error}", file=sys.stderr)
        return 1
    if not finished:
        _say(f"interrupted: --resume goes on with {options.out}")
        return 130
    raw.write(results, options.out)
    _report(results, options.out)
    return 0


async def _run(options: RunOptions, results: Results) -> bool:
    """Whether it was not interrupted. Everything that was started is stopped either way."""
    stop = asyncio.Event()
    stop_on_signals(stop)
    running = asyncio.create_task(run(options, results, _say))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait([running, stopping], return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if running.done():
        running.result()
        return True
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    return False


def _report(results: Results, out: Path) -> None:
    from benchmarks.latency.plot import draw  # matplotlib is only needed here, and slow to import

    plot = out.with_suffix(".svg")
    draw(results, plot)
    out.with_suffix(".md").write_text(markdown(results, plot), encoding="utf-8")
    _say(f"report: {out.with_suffix('.md')}")


def _say(line: str) -> None:
    print(line, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.latency", description=__doc__)
    parser.add_argument("--profiles", nargs="+", choices=PROFILES, default=list(PROFILES), metavar="NAME")
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=list(SYSTEMS), metavar="NAME")
    parser.add_argument("--turns", type=int, default=60, help="of each system in each profile (default: 60)")
    parser.add_argument("--parallel", type=int, default=3, help="calls at a time (default: 3)")
    parser.add_argument("--seed", type=int, default=1, help="of the order and the simulated latencies (default: 1)")
    parser.add_argument("--out", type=Path, default=OUT, help=f"raw results (default: {OUT.relative_to(ROOT)})")
    parser.add_argument(
        "--resume",
        action="store_true",
        help="make only the calls that the raw results do not have; otherwise those of the profiles are replaced",
    )
    parser.add_argument("--report-only", action="store_true", help="make no call, write the report anew")
    parser.add_argument(
        "--pipecat-python",
        default=os.environ.get("PIPECAT_PYTHON") or sys.executable,
        help="interpreter that has pipecat-ai (default: PIPECAT_PYTHON, or this one)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
