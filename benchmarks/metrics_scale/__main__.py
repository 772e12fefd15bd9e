"""``python -m benchmarks.metrics_scale``: scrape agent-metrics after more and more processes have ended."""

from __future__ import annotations

import argparse
import contextlib
import gzip
import random
import re
import sys
import tempfile
from pathlib import Path

from benchmarks.harness import cli, machine, results
from benchmarks.harness.cli import ReportFiles, progress
from benchmarks.harness.markdown import verdict
from benchmarks.metrics_scale import folders
from benchmarks.metrics_scale.folders import LIVING, TEMPLATES
from benchmarks.metrics_scale.report import Case, Results, markdown, targets
from benchmarks.metrics_scale.server import Server, agent_metrics


def main() -> None:
    """Measure as the command line asks."""
    options = _parse()
    files = ReportFiles.at(options.out, "metrics-scale")
    if not options.report_only:
        with tempfile.TemporaryDirectory() as folder:
            cases = measure(Path(folder), options)
        results.save(files.json, Results(_about(options), cases), depth=3, digits=3)
    measured = results.load(files.json, Results)
    files.write_page(markdown(measured))
    for what, value, met in targets(measured):
        progress(f"{verdict(met)}: {what}: {value}")


def _parse() -> argparse.Namespace:
    parser = cli.parser("metrics_scale", __doc__, seed=7)
    default = [10, 1000, 100_000]
    parser.add_argument("--past", type=int, nargs="+", default=default, help="ended processes (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=200, help="scrapes of each (default: %(default)s)")
    return parser.parse_args()


def _about(options: argparse.Namespace) -> dict[str, object]:
    return {
        **machine.describe("metrics_scale", sys.argv[1:], ["prometheus-client"]),
        "seed": options.seed,
        "rounds": options.rounds,
        "living": LIVING,
        "templates": TEMPLATES,
        "note": f" {options.note}" if options.note else "",
    }


def measure(folder: Path, options: argparse.Namespace) -> list[Case]:
    """Scrape every case in each round, so that other load on the machine affects all of them."""
    templates = folders.make_templates(folder / "templates", options.seed)
    chance = random.Random(options.seed)
    with contextlib.ExitStack() as stack:
        running: list[tuple[Case, Server, Path]] = []
        for past in (0, *options.past):
            root = folder / f"past-{past}"
            folders.add_past_processes(root, templates, past)
            stack.enter_context(folders.living_processes(root, options.seed))
            running.append((Case("agent-metrics", past), stack.enter_context(agent_metrics(root)), root))
            progress(f"{past:,} past processes are compacted")
        for case, server, _ in running:
            _check_count(case.past, server)
        for _ in range(options.rounds):
            for case, server, _ in chance.sample(running, len(running)):
                case.scrapes_ms.append(server.scrape()[0] * 1000)
        for case, server, root in running:
            case.memory_bytes = server.memory_bytes()
            case.folder_bytes = folders.disk_bytes(root)
            case.living_bytes = sum(folders.disk_bytes(path) for path in root.glob("worker-*"))
    return [case for case, _, _ in running]


def _check_count(past: int, server: Server) -> None:
    page = gzip.decompress(server.scrape()[2]).decode()
    found = re.search(r"^bench_events_0_total (\S+)$", page, re.MULTILINE)
    assert found is not None
    assert float(found[1]) == (past + LIVING) * folders.EVENTS, (past, found[1])


if __name__ == "__main__":
    main()
