"""``python -m benchmarks.reliability``: every case, several calls at a time; writes docs/reliability.md's table."""

from __future__ import annotations

import argparse
import asyncio
import logging
import re
import signal
import tempfile
from collections import Counter
from pathlib import Path
from uuid import uuid4

import aiohttp

from benchmarks.reliability.cases import Case, provider_cases, run_case
from benchmarks.reliability.judge import Verdict
from benchmarks.reliability.mishaps import mishap_cases
from benchmarks.reliability.report import read, write
from benchmarks.reliability.world import new_world
from testbed.processes import ServiceError
from testbed.services import ROOT

_ATTEMPTS = 3


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
    asyncio.run(_run(cases, args.parallel, [case.name for case in every], args.out))


async def _run(cases: list[Case], parallel: int, every: list[str], out: Path) -> None:
    folder = Path(tempfile.mkdtemp(prefix="reliability-"))
    print(f"{len(cases)} cases (logs: {folder})", flush=True)
    results = read(out)
    attempts: Counter[str] = Counter()
    # A worker serves all cases that want its settings. Short outages come last: what is true of long ones is of them.
    waiting = sorted(cases, key=lambda case: ("20 s" in case.name, case.alone, sorted(case.env.items())))

    def judged(case: Case, verdict: Verdict) -> None:
        attempts[case.name] += 1
        if not verdict.meaningful and attempts[case.name] < _ATTEMPTS:
            print(f"again  {case.name}: the machine was too busy for the first turn", flush=True)
            waiting.append(case)
            return
        results[case.name] = verdict
        _say(case, verdict)
        write({name: results[name] for name in every if name in results}, len(every), out)

    async def lane(number: int) -> None:
        while waiting:
            first = waiting[0]
            home = folder / f"{number}-{uuid4().hex[:4]}"
            home.mkdir()
            try:
                await _hold(first, home)
            except (aiohttp.ClientError, ServiceError) as error:  # of a server of ours: begin anew with others
                print(f"again: {type(error).__name__}: {error}", flush=True)

    async def _hold(first: Case, home: Path) -> None:
        async with new_world(home, first.env, first.mount) as world:
            while waiting and (waiting[0] is first or (waiting[0].env == first.env and not waiting[0].alone)):
                case = waiting.pop(0)
                judged(case, await run_case(case, world))
                if case.alone:
                    break

    await asyncio.gather(*(lane(number) for number in range(min(parallel, len(cases)))))


def _say(case: Case, verdict: Verdict) -> None:
    mark = "FAILED" if verdict.problems else "ok"
    print(f"{mark:6} {case.name}: {verdict.heard}; silence {verdict.silence:.1f} s", flush=True)
    for problem in verdict.problems:
        print(f"         {problem}", flush=True)
    if verdict.logged:
        print(f"         log: {verdict.logged[:150]}; errors: {verdict.metric}", flush=True)


if __name__ == "__main__":
    main()
