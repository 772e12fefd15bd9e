"""How does a process write metrics that outlive it? With one line before its first metric is made: ``install()``.

It takes the place of ``prometheus_client``'s own multiprocess values: the same files, but in a folder of the process's
own, under an id that nobody else ever has, and with a lock that tells for as long as the process lives that it does.
``agent-metrics`` folds the files of a process without a lock into its ledger, once.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import mmap
import os
import secrets
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from prometheus_client import values
from prometheus_client.mmap_dict import MmapedDict, mmap_key

from agent_metrics.files import LOCK_NAME, PROCESS_PREFIX, UNBORN_PREFIX

DEFAULT_ROOT = "/tmp/prometheus_multiproc"

_logger = logging.getLogger(__name__)


def install(parent: Path | None = None) -> None:
    """Have all metrics that are made from now on written to a folder of this process's own, below ``parent``.

    Never fails: a process that cannot write its metrics says so once in the log (and in :func:`problem`) and keeps them
    to itself. A second call in the same process does nothing. After ``os.fork()`` the child has a folder and a lock of
    its own, and begins at zero.

    Args:
        parent: ``PROMETHEUS_MULTIPROC_DIR`` if not given.
    """
    global _writer, _handles_forks
    if values.ValueClass is ProcessValue:
        return
    _writer = _Writer(parent or Path(os.environ.get("PROMETHEUS_MULTIPROC_DIR") or DEFAULT_ROOT))
    _writer.settle()
    values.ValueClass = ProcessValue
    if not _handles_forks:
        os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_begin_as_child)
        _handles_forks = True


def problem() -> str | None:
    """Why metrics of this process are not written or may not count, if it is so."""
    return _writer.problem if _writer else None


class ProcessFolder:
    """A folder for the files of one process, locked until :meth:`release` or the end of the process.

    Raises:
        OSError: If it cannot be made.
    """

    def __init__(self, parent: Path) -> None:
        self.id = PROCESS_PREFIX + secrets.token_hex(8)
        self.path = parent / self.id
        self._lock = self._make(parent)

    def _make(self, parent: Path) -> int:
        for _ in range(1000):
            with contextlib.suppress(FileNotFoundError):  # agent-metrics has just tidied up: again
                return self._try_to_make(parent)
        raise FileNotFoundError(f"{parent} does not last")

    def _try_to_make(self, parent: Path) -> int:
        # Locked before it gets its name: a process's folder is never seen without the lock of a living process.
        unborn = parent / f"{UNBORN_PREFIX}{secrets.token_hex(8)}"
        unborn.mkdir(parents=True)
        lock = os.open(unborn / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o664)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            unborn.rename(self.path)
        except OSError:
            os.close(lock)
            raise
        return lock

    def is_locked(self) -> bool:
        """Whether others can see the lock: somebody may have removed it."""
        return os.fstat(self._lock).st_nlink > 0

    def release(self) -> None:
        os.close(self._lock)


class _File:
    """A file of values with all its bytes on the disk before they are used.

    Where a mapped file has a hole and the disk is full, writing to it is a SIGBUS: the end of the process, in the
    middle of a call.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._keys: set[str] = set()
        self._used = 8
        self._capacity = 0
        self._grow_to(mmap.PAGESIZE)
        self.values = MmapedDict(str(path))  # type: ignore[no-untyped-call]

    def add(self, key: str) -> None:
        """Make room for a key. The file doubles when MmapedDict's idea of it does.

        Raises:
            OSError: If there is none.
        """
        if key in self._keys:
            return
        length = len(key.encode())
        size = 4 + length + (8 - (length + 4) % 8) + 16
        capacity = self._capacity
        while self._used + size > capacity:
            capacity *= 2
        self._grow_to(capacity)
        self.values.read_value(key)  # type: ignore[no-untyped-call]
        self._used += size
        self._keys.add(key)

    def _grow_to(self, capacity: int) -> None:
        try:
            with self._path.open("ab") as file:
                file.write(bytes(capacity - self._capacity))
        except OSError:
            with contextlib.suppress(OSError):  # not a part of it: MmapedDict would double a size that is not ours
                os.truncate(self._path, self._capacity)
            raise
        self._capacity = capacity


class _Writer:
    """The files of this process. One after a fork is another."""

    def __init__(self, parent: Path) -> None:
        self.problem: str | None = None
        self._parent = parent
        self._folder: ProcessFolder | None = None
        self._files: dict[str, _File] = {}

    def settle(self) -> None:
        """Make the folder now, and not with the first value."""
        self._try(self._settled)

    def values_for(self, kind: str, key: str) -> Any | None:
        """The file where a value has its place, or None if it has to do without."""
        return self._try(lambda: self._place(kind, key))

    def _try(self, action: Any) -> Any | None:
        try:
            return action()
        except OSError as error:
            self._say(f"metrics of this process are not written: {error}")
            return None

    def _say(self, problem: str) -> None:
        if self.problem is None:
            self.problem = problem
            _logger.warning("%s. It goes on without.", problem)

    def _settled(self) -> ProcessFolder:
        if self._folder is None:
            self._folder = ProcessFolder(self._parent)
        return self._folder

    def _place(self, kind: str, key: str) -> Any:
        folder = self._settled()
        if not folder.is_locked():
            self._say(f"metrics of this process may not count: the lock in {folder.path} was removed")
        file = self._files.get(kind)
        if file is None:
            file = self._files[kind] = _File(folder.path / f"{kind}_{folder.id}.db")
        file.add(key)
        return file.values

    def disown(self) -> _Writer:
        """In a forked child: let go of the parent's lock, which would live on with the child, and of its files."""
        if self._folder is not None:
            self._folder.release()
        for file in self._files.values():
            file.values.close()  # type: ignore[no-untyped-call]
        return _Writer(self._parent)


_lock = threading.Lock()
_writer: _Writer | None = None
_handles_forks = False


def _begin_as_child() -> None:
    global _writer
    try:
        if _writer is not None:
            _writer = _writer.disown()
    finally:
        _lock.release()


class ProcessValue:
    """A float in a file of this process: what prometheus_client's metrics are made of once ``install()`` was called."""

    _multiprocess = True  # prometheus_client's metrics ask their value class

    def __init__(
        self,
        typ: str,
        metric_name: str,
        name: str,
        labelnames: Sequence[str],
        labelvalues: Sequence[str],
        help_text: str,
        multiprocess_mode: str = "",
        **_: Any,
    ) -> None:
        self._kind = f"{typ}_{multiprocess_mode}" if typ == "gauge" else typ
        self._key = mmap_key(metric_name, name, list(labelnames), list(labelvalues), help_text)
        self._value = 0.0
        self._owner: _Writer | None = None
        with _lock:
            self._settle()

    def _settle(self) -> None:
        if self._owner is _writer:
            return
        assert _writer is not None
        self._owner = _writer
        self._file = _writer.values_for(self._kind, self._key)
        # Another value of the same name may have been here before; after a fork, nobody was.
        self._value = self._file.read_value(self._key)[0] if self._file else 0.0

    def _write(self, timestamp: float) -> None:
        if self._file is not None:
            self._file.write_value(self._key, self._value, timestamp)

    def inc(self, amount: float) -> None:
        with _lock:
            self._settle()
            self._value += amount
            self._write(0.0)

    def set(self, value: float, timestamp: float | None = None) -> None:
        with _lock:
            self._settle()
            self._value = value
            self._write(timestamp or 0.0)

    def get(self) -> float:
        with _lock:
            self._settle()
            return self._value

    def set_exemplar(self, exemplar: Any) -> None:
        """Files have no place for exemplars."""

    def get_exemplar(self) -> None:
        return None
