"""``python -m benchmarks.reliability``: run the cases and update the table in docs/reliability.md."""

from __future__ import annotations

import argparse
import asyncio
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import aiohttp

from benchmarks.harness import cli
from benchmarks.harness.cli import progress
from benchmarks.reliability.cases import Case, all_cases, run_case
from benchmarks.reliability.checks import CaseResult
from benchmarks.reliability.report import read, write
from benchmarks.reliability.testbed import Testbed, run_testbed
from testbed.processes import ServiceError
from testbed.services import ROOT

_MAX_ATTEMPTS = 3


def main() -> None:
    """Run the cases that the command line selects."""
    options = _parse()
    every = [case.name for case in all_cases()]
    if options.report_only:
        write(read(options.out), every, options.out)
        return
    cases = [case for case in all_cases() if re.search(options.only, case.name)]
    progress(f"{len(cases)} cases")
    run = _Run(cases, every, options.out, cli.log_folder("reliability"))
    cli.run(run.run(min(options.parallel, len(cases))))


def _parse() -> argparse.Namespace:
    parser = cli.parser("reliability", __doc__)
    parser.add_argument("--only", default="", metavar="REGEX", help="cases whose name matches")
    parser.add_argument("--parallel", type=int, default=2, help="simultaneous calls (default: 2)")
    parser.set_defaults(out=ROOT / "docs" / "reliability.md")
    return parser.parse_args()


@dataclass
class _Run:
    """The cases in several lanes; a testbed serves consecutive cases that want the same settings of the worker."""

    cases: list[Case]
    every: list[str]
    out: Path
    folder: Path
    attempts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        # Short outages come last: they seldom fail where those without end do not.
        self.cases.sort(key=lambda case: ("20 s" in case.name, case.alone, sorted(case.env.items())))
        self.results = read(self.out)

    async def run(self, lanes: int) -> None:
        await asyncio.gather(*map(self._lane, range(lanes)))

    async def _lane(self, number: int) -> None:
        while self.cases:
            first = self.cases[0]
            folder = self.folder / f"{number}-{uuid4().hex[:4]}"
            folder.mkdir()
            try:
                async with run_testbed(folder, first.env, first.mount) as testbed:
                    await self._run_cases(first, testbed)
            except (aiohttp.ClientError, ServiceError) as error:  # of a server of the testbed
                progress(f"again with new servers: {type(error).__name__}: {error}")

    async def _run_cases(self, first: Case, testbed: Testbed) -> None:
        while self.cases and (self.cases[0] is first or (self.cases[0].env == first.env and not self.cases[0].alone)):
            case = self.cases.pop(0)
            self._add(case, await run_case(case, testbed))
            if case.alone:
                return

    def _add(self, case: Case, result: CaseResult) -> None:
        self.attempts[case.name] += 1
        if not result.meaningful and self.attempts[case.name] < _MAX_ATTEMPTS:
            progress(f"again  {case.name}: the machine was too busy for the first turn")
            self.cases.append(case)
            return
        self.results[case.name] = result
        progress(
            f"{'FAILED' if result.problems else 'ok':6} {case.name}: {result.heard}; silence {result.silence:.1f} s"
        )
        for problem in result.problems:
            progress(f"         {problem}")
        if result.logged:
            progress(f"         log: {result.logged[:150]}; errors: {result.metric}")
        write(self.results, self.every, self.out)


if __name__ == "__main__":
    main()
