"""What lies in a metrics folder, which of its processes live, and what do their files say?

    <root>/agent-metrics/                      the service's own: ledger, lock, files set aside
    <root>/[<folder>/]p-<id>/lock              locked for as long as the process lives
    <root>/[<folder>/]p-<id>/counter_p-<id>.db
    <root>/[<folder>/]counter_1234.db          of a process that knows nothing of us: unmanaged

A process has a folder of its own because livekit's ``AgentServer`` deletes every file in its metrics folder when it
starts, and leaves folders alone.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import json
import os
import struct
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

from prometheus_client import Metric
from prometheus_client.mmap_dict import MmapedDict

OWN_FOLDER = "agent-metrics"
PROCESS_PREFIX = "p-"
UNBORN_PREFIX = ".p-"
SWEPT_PREFIX = ".swept-"
WORKER_PREFIX = "worker-"
LOCK_NAME = "lock"
SERVICE_LOCK_NAME = "service.lock"

#: What outlives a process. The rest, ``gauge_all`` and ``gauge_live*``, ends with it.
KEPT_KINDS = frozenset(
    ("counter", "histogram", "summary", "gauge_sum", "gauge_min", "gauge_max", "gauge_mostrecent"),
)
LIVE_KINDS = frozenset(
    ("gauge_all", "gauge_liveall", "gauge_livesum", "gauge_livemin", "gauge_livemax", "gauge_livemostrecent"),
)

#: Labels that name a machine or a process. Such a series ends with its process, whatever its kind: the host name of
#: each container is a new one. No label is here that anybody could mean something else by.
_LABELS_OF_PLACES = frozenset(("nodename",))

#: A file says in four bytes how long it is. One that claims more than this is not read into memory.
_MAX_FILE_BYTES = 64 * 2**20

Flaw = Literal["truncated", "corrupt", "foreign", "unreadable"]
FLAWS: tuple[Flaw, ...] = ("truncated", "corrupt", "foreign", "unreadable")


class Key(NamedTuple):
    """A series as prometheus_client writes it, taken apart."""

    raw: str
    metric: str
    sample: str
    labels: tuple[tuple[str, str], ...]
    help: str

    @property
    def names_a_place(self) -> bool:
        return any(name in _LABELS_OF_PLACES for name, _ in self.labels)


#: Key, value, timestamp. A plain tuple: there are hundreds of thousands, and of no other does the garbage collector
#: see that it need not look at it again.
Entry: TypeAlias = tuple[str, float, float]


@dataclass(frozen=True)
class Reading:
    """What a file says, up to its first flaw."""

    path: Path
    kind: str
    pid: str
    entries: list[Entry]
    flaw: Flaw | None = None


@dataclass
class Listing:
    """What lies in a metrics folder."""

    processes: dict[str, Path] = field(default_factory=dict)
    unmanaged: list[Path] = field(default_factory=list)
    unborn: list[Path] = field(default_factory=list)
    workers: list[Path] = field(default_factory=list)
    unreadable: list[Path] = field(default_factory=list)


def scan(root: Path) -> Listing:
    """List the root and the folders below it.

    Raises:
        OSError: If the root cannot be listed: that nobody is there would be a wrong answer.
    """
    listing = Listing()
    for entry in os.scandir(root):
        path = Path(entry.path)
        if _sort(entry, path, listing) or entry.name == OWN_FOLDER or not entry.is_dir():
            continue
        if entry.name.startswith(WORKER_PREFIX):
            listing.workers.append(path)
        try:
            for below in os.scandir(path):
                _sort(below, Path(below.path), listing)
        except FileNotFoundError:
            pass  # gone in the meantime
        except OSError:
            listing.unreadable.append(path)
    return listing


def _sort(entry: os.DirEntry[str], path: Path, listing: Listing) -> bool:
    if entry.name.endswith(".db"):
        listing.unmanaged.append(path)
    elif entry.name.startswith(PROCESS_PREFIX) and entry.is_dir():
        listing.processes[entry.name] = path
    elif entry.name.startswith((UNBORN_PREFIX, SWEPT_PREFIX)):
        listing.unborn.append(path)
    else:
        return False
    return True


def is_alive(process: Path) -> bool:
    """Whether the process holds its lock. Pids do not come into it: containers share them, and they are used again."""
    try:
        lock = os.open(process / LOCK_NAME, os.O_RDONLY)
    except FileNotFoundError:
        return False  # the removal of this folder had begun; or see has_lost_lock
    except OSError:
        return True  # who cannot be asked is not declared dead
    try:
        # Shared, so that two who ask at once do not take each other for the process.
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:  # it is locked; or nothing can be, there
        return True
    finally:
        os.close(lock)
    return False


def has_lost_lock(process: Path) -> bool:
    """Whether somebody removed the lock and left files, as cleaners of /tmp do. We remove it last."""
    if os.path.lexists(process / LOCK_NAME):
        return False
    with contextlib.suppress(OSError):
        return bool(os.listdir(process))
    return False


def read_process(folder: Path) -> list[Reading]:
    """All that a process has written.

    Raises:
        OSError: If its folder cannot be listed.
    """
    with os.scandir(folder) as found:
        names = sorted(entry.name for entry in found if entry.name != LOCK_NAME)
    return [read(folder / name) for name in names]


def read(path: Path) -> Reading:
    """Read a file up to its first flaw. An empty one, of a process that is just making it, has none."""
    kind, pid = _kind_and_pid(path.name)
    reading = Reading(path, kind, pid, [])
    if kind not in KEPT_KINDS | LIVE_KINDS:
        return _flawed(reading, "foreign")
    try:
        size = path.stat().st_size
        if size == 0:
            return reading
        if size > _MAX_FILE_BYTES:
            return _flawed(reading, "corrupt")
        return _read_entries(reading, size)
    except FileNotFoundError:
        return reading
    except OSError:
        return _flawed(reading, "unreadable")


def _read_entries(reading: Reading, size: int) -> Reading:
    last = 0
    try:
        values = MmapedDict.read_all_values_from_file(str(reading.path))  # type: ignore[no-untyped-call]
        for raw, value, timestamp, position in values:
            key = parse_key(reading.kind, raw)
            # A negative length leads backwards, and round in circles.
            if key is None or position <= last:
                return _flawed(reading, "corrupt")
            last = position
            reading.entries.append((key.raw, value, timestamp))
    except struct.error:
        return _flawed(reading, "truncated")
    except (RuntimeError, ValueError):  # a length beyond the end; no UTF-8
        return _flawed(reading, "truncated" if _claims(reading.path) > size else "corrupt")
    return reading


def _flawed(reading: Reading, flaw: Flaw) -> Reading:
    return Reading(reading.path, reading.kind, reading.pid, reading.entries, flaw)


def _claims(path: Path) -> int:
    with path.open("rb") as file:
        return int.from_bytes(file.read(4), sys.byteorder, signed=True)


def _kind_and_pid(name: str) -> tuple[str, str]:
    """``gauge_livesum_1234.db`` is of kind ``gauge_livesum`` and pid ``1234``."""
    if not name.endswith(".db"):
        return "", ""
    parts = name[:-3].split("_")
    words = 2 if parts[0] == "gauge" else 1
    return "_".join(parts[:words]), "_".join(parts[words:])


def type_of(kind: str) -> str:
    return kind.partition("_")[0]


@functools.lru_cache(maxsize=2**17)
def parse_key(kind: str, raw: str) -> Key | None:
    """Take a key apart, or None if nothing that prometheus_client could serve comes out."""
    try:
        metric, sample, labels, documentation = json.loads(raw)
        Metric(metric, documentation, type_of(kind))
        if kind == "histogram" and "le" in labels:
            float(labels["le"])
        texts = [metric, sample, documentation, *labels.keys(), *labels.values()]
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None
    if not all(isinstance(text, str) for text in texts):
        return None
    return Key(raw, metric, sample, tuple(sorted(labels.items())), documentation)
