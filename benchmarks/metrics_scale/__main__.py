"""``python -m benchmarks.metrics_scale``: scrape agent-metrics, and prometheus_client itself, after many processes."""

from __future__ import annotations

import argparse
import contextlib
import gzip
import random
import re
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.harness import cli, machine, results
from benchmarks.harness.cli import ReportFiles, progress
from benchmarks.harness.markdown import verdict
from benchmarks.metrics_scale import folders
from benchmarks.metrics_scale.folders import LIVING, TEMPLATES, Templates
from benchmarks.metrics_scale.report import OURS, Burst, Case, Results, markdown, targets
from benchmarks.metrics_scale.servers import Server, agent_metrics, prometheus_client

_BURST_POLL_S = 0.02


def main() -> None:
    """Measure as the command line asks."""
    options = _parse()
    files = ReportFiles.at(options.out, "metrics-scale")
    if not options.report_only:
        with tempfile.TemporaryDirectory() as path:
            folder = Path(path)
            templates = folders.make_templates(folder / "templates", options.seed)
            cases = measure(folder, templates, options)
            burst = measure_burst(folder / "burst", templates, options)
        results.save(files.json, Results(_about(options), cases, burst), depth=3, digits=3)
    measured = results.load(files.json, Results)
    files.write_page(markdown(measured))
    for what, value, met in targets(measured):
        progress(f"{verdict(met)}: {what}: {value}")


def _parse() -> argparse.Namespace:
    parser = cli.parser("metrics_scale", __doc__, seed=7)
    for option, default, about in (
        ("--past", [10, 1000, 100_000], "processes that have ended, for agent-metrics"),
        ("--theirs", [10, 1000], "the same for prometheus_client"),
    ):
        parser.add_argument(option, type=int, nargs="+", default=default, help=f"{about} (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=200, help="scrapes of each (default: %(default)s)")
    parser.add_argument("--burst", type=int, default=2000, help="processes that end at once (default: %(default)s)")
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


def measure(folder: Path, templates: Templates, options: argparse.Namespace) -> list[Case]:
    """Scrape every case in each round, so that other load on the machine affects all of them."""
    chance = random.Random(options.seed)
    with contextlib.ExitStack() as stack:
        running: list[tuple[Case, Server, Path]] = []
        for past in (0, *options.past):
            root = folder / f"ours-{past}"
            folders.add_past_processes(root, templates, past)
            stack.enter_context(folders.living_processes(root, options.seed))
            running.append((Case(OURS, past), stack.enter_context(agent_metrics(root)), root))
            progress(f"{past:,} past processes are compacted")
        for past in options.theirs:
            root = folder / f"theirs-{past}"
            folders.add_prometheus_client_processes(root, templates, past + LIVING)
            running.append((Case("prometheus_client", past), stack.enter_context(prometheus_client(root)), root))
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
    counted = _value(server.scrape()[2], "bench_events_0_total")
    assert counted == (past + LIVING) * folders.EVENTS, (past, counted)


def _value(body: bytes, name: str) -> float:
    found = re.search(rf"^{name} (\S+)$", gzip.decompress(body).decode(), re.MULTILINE)
    return float(found[1]) if found else 0.0


def measure_burst(root: Path, templates: Templates, options: argparse.Namespace) -> Burst:
    """Scrape again and again from the death of many processes until all of them are compacted."""
    burst = Burst(options.burst)
    root.mkdir()
    with folders.living_processes(root, options.seed), agent_metrics(root) as server:
        with folders.locked_processes(root, templates, options.burst) as kill_all:
            burst.before_ms = [server.scrape()[0] * 1000 for _ in range(5)]
            kill_all()
        started = time.perf_counter()
        compacted = 0.0
        while compacted < options.burst:
            seconds, _, body = server.scrape()
            burst.scrapes_ms.append(seconds * 1000)
            compacted = _value(body, "agent_metrics_processes_folded_total")
            time.sleep(_BURST_POLL_S)
        burst.folded_after_ms = (time.perf_counter() - started - _BURST_POLL_S) * 1000
        _check_count(options.burst, server)
    return burst


if __name__ == "__main__":
    main()
