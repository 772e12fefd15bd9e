"""``python -m benchmarks.reliability``: every case, several calls at a time; writes docs/reliability.md's table."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import re
import signal
import tempfile
import time
from pathlib import Path

from benchmarks.reliability.cases import Case, provider_cases, run_case
from benchmarks.reliability.judge import Verdict
from benchmarks.reliability.mishaps import mishap_cases
from benchmarks.reliability.report import write
from benchmarks.reliability.world import new_world
from demo.services import ROOT


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reliability", description=__doc__)
    parser.add_argument("--only", default="", metavar="REGEX", help="cases whose name matches")
    parser.add_argument("--parallel", type=int, default=2, help="calls at a time (default: 2)")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "reliability.md", help="the table goes in here")
    args = parser.parse_args()
    logging.getLogger("livekit").setLevel(logging.CRITICAL)  # its messages hold the caller's token
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # to stop the servers too
    every: list[Case] = [*provider_cases(), *mishap_cases()]
    cases = [case for case in every if re.search(args.only, case.name)]
    results = asyncio.run(_run(cases, args.parallel))
    write({case.name: results[case.name] for case in cases if case.name in results}, args.out)


async def _run(cases: list[Case], parallel: int) -> dict[str, Verdict]:
    folder = Path(tempfile.mkdtemp(prefix="reliability-"))
    print(f"{len(cases)} cases (logs: {folder})", flush=True)
    results: dict[str, Verdict] = {}
    waiting = sorted(cases, key=lambda case: (case.alone, sorted(case.env.items())))

    async def lane(number: int) -> None:
        while waiting:
            first = waiting[0]
            # A worker serves all cases that want its settings.
            home = folder / f"{number}-{len(waiting)}"
            home.mkdir()
            async with new_world(home, first.env, first.mount) as world:
                while waiting and (waiting[0] is first or (waiting[0].env == first.env and not waiting[0].alone)):
                    case = waiting.pop(0)
                    started = time.monotonic()
                    results[case.name] = verdict = await run_case(case, world)
                    _say(case, verdict, time.monotonic() - started)

    await asyncio.gather(*(lane(number) for number in range(min(parallel, len(cases)))))
    (folder / "results.json").write_text(json.dumps({name: vars(v) for name, v in results.items()}, indent=2))
    return results


def _say(case: Case, verdict: Verdict, seconds: float) -> None:
    mark = "FAILED" if verdict.problems else "ok"
    print(f"{mark:6} {case.name} ({seconds:.0f} s): {verdict.heard}; silence {verdict.silence:.1f} s", flush=True)
    for problem in verdict.problems:
        print(f"         {problem}", flush=True)
    if verdict.logged:
        print(f"         log: {verdict.logged[:150]}; errors: {verdict.metric}", flush=True)


if __name__ == "__main__":
    main()
