"""Folders with a past: how many processes have written there, and how many live?"""

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


def talk(seed: int) -> None:
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
    """Folders of processes that have really lived, and died, to be copied."""

    ours: list[Path] = field(default_factory=list)
    theirs: list[Path] = field(default_factory=list)


def make_templates(folder: Path, seed: int) -> Templates:
    templates = Templates()
    for number in range(TEMPLATES):
        ours, theirs = folder / f"ours-{number}", folder / f"theirs-{number}"
        theirs.mkdir(parents=True)
        _wait(_forked(lambda ours=ours, number=number: _write_as_ours(ours, seed + number)))  # type: ignore[misc]
        _wait(_forked(lambda theirs=theirs, number=number: _write_as_theirs(theirs, seed + number)))  # type: ignore[misc]
        templates.ours += list(ours.iterdir())
        templates.theirs.append(theirs)
    return templates


def _write_as_ours(root: Path, seed: int) -> None:
    writer.install(root)
    talk(seed)


def _write_as_theirs(root: Path, seed: int) -> None:
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(root)
    values.ValueClass = MultiProcessValue()  # type: ignore[no-untyped-call]
    talk(seed)


def add_past(root: Path, templates: Templates, count: int) -> None:
    """Have so many processes die, in batches, and fold each batch as the service does; in memory, if there is room."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as path:
        past, batches = Path(path) / "past", [range(count)[first : first + _BATCH] for first in range(0, count, _BATCH)]
        past.mkdir()
        collector = FolderCollector(past)
        copying = _copied(templates, past, batches[0]) if batches else 0
        for index in range(len(batches)):
            _wait(copying)
            past.with_name("next").rename(past / f"batch-{index}")
            if index + 1 < len(batches):
                copying = _copied(templates, past, batches[index + 1])  # while this one is folded
            while collector.fold(0.5):
                pass
            (past / f"batch-{index}").rmdir()
        collector.close()
        shutil.copytree(past, root)


def _copied(templates: Templates, past: Path, numbers: range) -> int:
    """A child that puts a batch of dead processes where the service does not look yet."""

    def copy() -> None:
        for number in numbers:
            copy_process(templates.ours[number % TEMPLATES], past.with_name("next"), f"past{number}")

    return _forked(copy)


def copy_process(template: Path, parent: Path, name: str) -> Path:
    """A dead process: the files of one that has lived, under another id."""
    folder = parent / f"{PROCESS_PREFIX}{name}"
    folder.mkdir(parents=True)
    for path in template.iterdir():
        shutil.copyfile(path, folder / path.name.replace(template.name, folder.name))
    return folder


def add_their_processes(root: Path, templates: Templates, count: int) -> None:
    """Processes of prometheus_client's own; alive or not, their files stay."""
    root.mkdir(exist_ok=True)
    for number in range(count):
        for path in templates.theirs[number % TEMPLATES].iterdir():
            kind = path.name.rpartition("_")[0]
            with path.open("rb") as source, (root / f"{kind}_{number + 1}.db").open("wb") as target:
                target.write(source.read().rstrip(b"\0"))
                target.truncate(path.stat().st_size)  # the rest stays a hole, as it is when they write it


@contextmanager
def living(root: Path, count: int, seed: int) -> Iterator[None]:
    """So many processes that write and then wait for the end."""
    children = [_forked(lambda number=number: _live(root, seed + number)) for number in range(count)]  # type: ignore[misc]
    try:
        wait_for(lambda: _ready(root) >= count)
        yield
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)
            _wait(child)


def _live(root: Path, seed: int) -> None:
    writer.install(root / f"worker-{seed % 7}")
    talk(seed)
    _mark_ready(root)
    signal.pause()


@contextmanager
def holding(root: Path, templates: Templates, count: int, holders: int = 20) -> Iterator[Callable[[], None]]:
    """So many processes, going by their locks, which a few hold. Yields what kills all of these at once."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, count)), hard))
    share = count // holders
    before = _ready(root)
    children = [_forked(lambda: _hold(root, templates, share)) for _ in range(holders)]
    wait_for(lambda: _ready(root) >= before + holders)

    def kill() -> None:
        for child in children:
            os.kill(child, signal.SIGKILL)
        for child in children:
            _wait(child)
        children.clear()

    try:
        yield kill
    finally:
        kill()


def _hold(root: Path, templates: Templates, count: int) -> None:
    folders = []
    for number in range(count):
        folder = writer.ProcessFolder(root / f"worker-{number % 7}")
        template = templates.ours[number % TEMPLATES]
        for path in template.iterdir():
            if path.name != LOCK_NAME:
                shutil.copyfile(path, folder.path / path.name.replace(template.name, folder.id))
        folders.append(folder)
    _mark_ready(root)
    signal.pause()


def disk_bytes(root: Path) -> int:
    """What the files and folders occupy."""
    return sum(path.lstat().st_blocks * 512 for path in (root, *root.rglob("*")))


def _mark_ready(root: Path) -> None:
    ready = root.with_name(f"{root.name}.ready")
    ready.mkdir(exist_ok=True)
    (ready / str(os.getpid())).touch()


def _ready(root: Path) -> int:
    ready = root.with_name(f"{root.name}.ready")
    return len(list(ready.iterdir())) if ready.exists() else 0


def wait_for(condition: Callable[[], bool]) -> None:
    while not condition():
        time.sleep(0.05)


def _forked(action: Callable[[], None]) -> int:
    child = os.fork()
    if child:
        return child
    try:
        action()
    finally:
        os._exit(0)


def _wait(child: int) -> None:
    os.waitpid(child, 0)
