"""``python -m benchmarks.metrics_scale``: what do the processes of the past cost a scrape?"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import platform
import random
import re
import tempfile
import time
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.latency.machine import computer
from benchmarks.metrics_scale import folders, servers
from benchmarks.metrics_scale.folders import LIVING, TEMPLATES, Templates
from benchmarks.metrics_scale.report import Burst, Case, Results, targets, write
from benchmarks.metrics_scale.servers import Server
from testbed.services import ROOT


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory() as path:
        folder = Path(path)
        templates = folders.make_templates(folder / "templates", options.seed)
        cases = measure(folder, templates, options)
        burst = measure_burst(folder / "burst", templates, options)
    results = Results(_about(options), cases, burst)
    write(results, options.out)
    for what, value, met in targets(results):
        print(f"{'met    ' if met else 'NOT met'}  {what}: {value}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.metrics_scale", description=__doc__)
    parser.add_argument("--past", type=int, nargs="+", default=[10, 1000, 100_000], help="default: %(default)s")
    parser.add_argument("--theirs", type=int, nargs="+", default=[10, 1000], help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=200, help="default: %(default)s")
    parser.add_argument("--burst", type=int, default=2000, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=7, help="default: %(default)s")
    parser.add_argument("--note", default="", help="a sentence about the run, for the report")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "benchmarks")
    return parser.parse_args()


def measure(folder: Path, templates: Templates, options: argparse.Namespace) -> list[Case]:
    """Every case in each round, so that what else the machine does falls on all of them."""
    chance = random.Random(options.seed)
    with contextlib.ExitStack() as stack:
        running: list[tuple[Case, Server, Path]] = []
        for past in (0, *options.past):
            root = folder / f"ours-{past}"
            folders.add_past(root, templates, past)
            stack.enter_context(folders.living(root, LIVING, options.seed))
            running.append((Case("agent-metrics", past), stack.enter_context(servers.ours(root)), root))
            print(f"{past:,} past processes are folded", flush=True)
        for past in options.theirs:
            root = folder / f"theirs-{past}"
            folders.add_their_processes(root, templates, past + LIVING)
            running.append((Case("prometheus_client", past), stack.enter_context(servers.theirs(root)), root))
        for case, server, _ in running:
            _check(case, server)
        for _ in range(options.rounds):
            for case, server, _ in chance.sample(running, len(running)):
                case.scrapes_ms.append(server.scrape()[0] * 1000)
        for case, server, root in running:
            case.memory_bytes = server.memory_bytes()
            case.folder_bytes = folders.disk_bytes(root)
            case.living_bytes = sum(folders.disk_bytes(path) for path in root.glob("worker-*"))
    return [case for case, _, _ in running]


def _check(case: Case, server: Server) -> None:
    """Fast and wrong would be no result."""
    found = re.search(r"^bench_events_0_total (\S+)$", _page(server.scrape()[2]), re.MULTILINE)
    assert found is not None
    assert float(found[1]) == (case.past + LIVING) * folders.EVENTS, case


def _page(body: bytes) -> str:
    return gzip.decompress(body).decode()


def _folded(page: str) -> float:
    found = re.search(r"^agent_metrics_processes_folded_total (\S+)$", page, re.MULTILINE)
    return float(found[1]) if found else 0.0


def measure_burst(root: Path, templates: Templates, options: argparse.Namespace) -> Burst:
    burst = Burst(options.burst)
    root.mkdir()
    with folders.living(root, LIVING, options.seed), servers.ours(root) as server:
        with folders.holding(root, templates, options.burst) as kill:
            burst.before_ms = [server.scrape()[0] * 1000 for _ in range(5)]
            kill()
        started = time.perf_counter()
        while True:
            seconds, _, body = server.scrape()
            burst.scrapes_ms.append(seconds * 1000)
            if _folded(_page(body)) >= options.burst:
                break
            time.sleep(0.02)
        burst.folded_after_ms = (time.perf_counter() - started) * 1000
        _check(Case("agent-metrics", options.burst), server)
    return burst


def _about(options: argparse.Namespace) -> dict[str, Any]:
    return {
        "command": "python -m benchmarks.metrics_scale",
        "seed": options.seed,
        "rounds": options.rounds,
        "living": LIVING,
        "templates": TEMPLATES,
        "machine": computer(),
        "versions": f"Python {platform.python_version()}, prometheus_client {metadata.version('prometheus-client')}",
        "note": f" {options.note}" if options.note else "",
    }


if __name__ == "__main__":
    main()
