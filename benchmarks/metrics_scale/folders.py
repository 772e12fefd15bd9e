"""Metrics folders with many processes: past ones, living ones, and ones that are killed at once."""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from prometheus_client import Counter, Gauge, Histogram, values
from prometheus_client.values import MultiProcessValue

from agent_metrics import writer
from agent_metrics.collector import FolderCollector
from agent_metrics.files import LOCK_NAME, PROCESS_PREFIX

LIVING = 50
TEMPLATES = 20
EVENTS = 10
_BATCH = 1000
_LOCK_HOLDERS = 20
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


@dataclass
class Templates:
    """Folders of real processes that have ended, to be copied: agent_metrics' and prometheus_client's."""

    ours: list[Path] = field(default_factory=list)
    theirs: list[Path] = field(default_factory=list)


def make_templates(folder: Path, seed: int) -> Templates:
    """Run processes that write metrics and end."""
    templates = Templates()
    for number in range(TEMPLATES):
        ours, theirs = folder / f"ours-{number}", folder / f"theirs-{number}"
        theirs.mkdir(parents=True)
        _wait(_forked(partial(_write_as_ours, ours, seed + number)))
        _wait(_forked(partial(_write_as_theirs, theirs, seed + number)))
        templates.ours += list(ours.iterdir())
        templates.theirs.append(theirs)
    return templates


def _write_as_ours(root: Path, seed: int) -> None:
    writer.install(root)
    _write_metrics(seed)


def _write_as_theirs(root: Path, seed: int) -> None:
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(root)
    values.ValueClass = MultiProcessValue()  # type: ignore[no-untyped-call]
    _write_metrics(seed)


def add_past_processes(root: Path, templates: Templates, count: int) -> None:
    """Copy dead processes in batches and compact each batch as agent-metrics does, in memory if possible."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as path:
        past = Path(path) / "past"
        past.mkdir()
        collector = FolderCollector(past)
        for first in range(0, count, _BATCH):
            batch = past.with_name("next")
            for number in range(first, min(first + _BATCH, count)):
                _copy_process(templates.ours[number % TEMPLATES], batch, f"past{number}")
            batch = batch.rename(past / "batch")  # only now agent-metrics looks there
            while collector.fold(0.5):
                pass
            batch.rmdir()
        collector.close()
        shutil.copytree(past, root)


def _copy_process(template: Path, parent: Path, name: str) -> None:
    """Copy the files of a process under another id."""
    folder = parent / f"{PROCESS_PREFIX}{name}"
    folder.mkdir(parents=True)
    _copy_files(template, folder, folder.name)


def _copy_files(template: Path, folder: Path, name: str, *omitted: str) -> None:
    for path in template.iterdir():
        if path.name not in omitted:
            shutil.copyfile(path, folder / path.name.replace(template.name, name))


def add_prometheus_client_processes(root: Path, templates: Templates, count: int) -> None:
    """Copy processes of prometheus_client, whose files stay whether they live or not."""
    root.mkdir(exist_ok=True)
    for number in range(count):
        for path in templates.theirs[number % TEMPLATES].iterdir():
            kind = path.name.rpartition("_")[0]
            with path.open("rb") as source, (root / f"{kind}_{number + 1}.db").open("wb") as target:
                target.write(source.read().rstrip(b"\0"))
                target.truncate(path.stat().st_size)  # the rest is a hole, as prometheus_client leaves it


@contextmanager
def living_processes(root: Path, seed: int) -> Iterator[None]:
    """Run ``LIVING`` processes that have written metrics."""
    with _children(root, [partial(_write_and_wait, root, seed + number) for number in range(LIVING)]):
        yield


def _write_and_wait(root: Path, seed: int) -> None:
    writer.install(root / f"worker-{seed % _WORKERS}")
    _write_metrics(seed)


@contextmanager
def locked_processes(root: Path, templates: Templates, count: int) -> Iterator[Callable[[], None]]:
    """Hold the locks of many copied processes in a few real ones; yield what kills these at once."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, count)), hard))
    with _children(root, [partial(_lock, root, templates, count // _LOCK_HOLDERS)] * _LOCK_HOLDERS) as kill_all:
        yield kill_all


def _lock(root: Path, templates: Templates, count: int) -> list[writer.ProcessFolder]:
    folders = []
    for number in range(count):
        folder = writer.ProcessFolder(root / f"worker-{number % _WORKERS}")
        _copy_files(templates.ours[number % TEMPLATES], folder.path, folder.id, LOCK_NAME)
        folders.append(folder)
    return folders


@contextmanager
def _children(root: Path, actions: list[Callable[[], object]]) -> Iterator[Callable[[], None]]:
    """Run actions in child processes that then wait; yield what kills all of them."""
    ready = root.with_name(f"{root.name}.ready")
    ready.mkdir(exist_ok=True)
    before = len(list(ready.iterdir()))

    def act_and_wait(action: Callable[[], object]) -> None:
        kept = action()  # with its locks
        (ready / str(os.getpid())).touch()
        signal.pause()
        del kept

    children = [_forked(partial(act_and_wait, action)) for action in actions]

    def kill_all() -> None:
        for child in children:
            os.kill(child, signal.SIGKILL)
        for child in children:
            _wait(child)
        children.clear()

    try:
        while len(list(ready.iterdir())) < before + len(actions):
            time.sleep(0.05)
        yield kill_all
    finally:
        kill_all()


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
