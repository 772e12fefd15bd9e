"""Metrics folders with many past processes and some living ones."""

from __future__ import annotations

import os
import random
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from prometheus_client import Counter, Gauge, Histogram

from agent_metrics import writer
from agent_metrics.collector import FolderCollector
from agent_metrics.storage.folder import PROCESS_PREFIX

LIVING = 50
TEMPLATES = 20
EVENTS = 10
_BATCH = 1000
_WORKERS = 7


def _write_metrics(seed: int) -> None:
    """Write what the process of a call writes: 172 series of the kinds that a worker has."""
    chance = random.Random(seed)
    for number in range(10):
        Counter(f"bench_events_{number}", "A counter", registry=None).inc(EVENTS)
    for number in range(6):
        Gauge(f"bench_last_{number}", "A gauge", registry=None, multiprocess_mode="mostrecent").set(chance.random())
    for number in range(3):
        Gauge(f"bench_cost_{number}", "A cost", registry=None, multiprocess_mode="sum").inc(chance.random())
    for number in range(3):
        Gauge(f"bench_active_{number}", "A gauge", registry=None, multiprocess_mode="livesum").inc()
    for number in range(5):
        histogram = Histogram(
            f"bench_seconds_{number}", "A histogram", ["role"], registry=None, buckets=[0.1 * n for n in range(1, 14)]
        )
        for role in ("fast", "main"):
            for _ in range(EVENTS):
                histogram.labels(role).observe(chance.random())


def make_templates(folder: Path, seed: int) -> list[Path]:
    """Run processes that write metrics and end; return their folders, to be copied."""
    templates: list[Path] = []
    for number in range(TEMPLATES):
        root = folder / str(number)
        _wait(_forked(partial(_write, root, seed + number)))
        templates += root.iterdir()
    return templates


def _write(root: Path, seed: int) -> None:
    writer.install(root)
    _write_metrics(seed)


def add_past_processes(root: Path, templates: list[Path], count: int) -> None:
    """Copy dead processes in batches and compact each batch as agent-metrics does, in memory if possible."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as path:
        past = Path(path) / "past"
        past.mkdir()
        collector = FolderCollector(past)
        for first in range(0, count, _BATCH):
            batch = past.with_name("next")
            for number in range(first, min(first + _BATCH, count)):
                _copy_process(templates[number % TEMPLATES], batch, f"past{number}")
            batch = batch.rename(past / "batch")  # only now agent-metrics looks there
            while collector.compact(0.5):
                pass
            batch.rmdir()
        collector.close()
        shutil.copytree(past, root)


def _copy_process(template: Path, parent: Path, name: str) -> None:
    """Copy the files of a process under another id."""
    folder = parent / f"{PROCESS_PREFIX}{name}"
    folder.mkdir(parents=True)
    for path in template.iterdir():
        shutil.copyfile(path, folder / path.name.replace(template.name, folder.name))


@contextmanager
def living_processes(root: Path, seed: int) -> Iterator[None]:
    """Run ``LIVING`` processes that have written metrics."""
    ready = root.with_name(f"{root.name}.ready")
    ready.mkdir()

    def live(number: int) -> None:
        _write(root / f"worker-{number % _WORKERS}", seed + number)
        (ready / str(number)).touch()
        signal.pause()

    children = [_forked(partial(live, number)) for number in range(LIVING)]
    try:
        while len(list(ready.iterdir())) < LIVING:
            time.sleep(0.05)
        yield
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)
            _wait(child)


def disk_bytes(root: Path) -> int:
    """Return what the files and folders occupy on disk."""
    return sum(path.lstat().st_blocks * 512 for path in (root, *root.rglob("*")))


def _forked(action: Callable[[], object]) -> int:
    child = os.fork()
    if child:
        return child
    try:
        action()
    finally:
        os._exit(0)


def _wait(child: int) -> None:
    os.waitpid(child, 0)
