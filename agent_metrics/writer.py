"""The writer: metrics of this process that outlive it. Call ``install()`` before the first metric is made.

It replaces prometheus_client's own multiprocess values: same file format, but in a folder for this process alone, with
an id that is never reused and a lock that is held as long as the process lives. The service ``agent-metrics`` moves the
files of a process without a lock into its ledger, once.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from prometheus_client.samples import Exemplar

from agent_metrics.compat.prometheus import (
    MultiprocessValue,
    PreallocatedFile,
    exemplar_key,
    install_value_class,
    installed_value_class,
)
from agent_metrics.series import EXEMPLAR_KIND
from agent_metrics.storage.folder import VALUE_FILE_SUFFIX, ProcessFolder
from agent_metrics.storage.trusted import UntrustedError

DEFAULT_ROOT = "/tmp/prometheus_multiproc"
#: Each bucket takes one of each trace. The process of a call has one trace; any other stops here, and its file too.
_MAX_EXEMPLARS = 1000

_logger = logging.getLogger(__name__)
T = TypeVar("T")


def install(parent: Path | None = None) -> None:
    """Have all metrics that are made from now on write to a folder for this process, below ``parent``.

    Never fails: a process that cannot write its metrics logs so once, reports it in :func:`problem`, and keeps them in
    memory. A second call in the same process does nothing. After ``os.fork()`` the child has a folder and a lock of its
    own, and its metrics begin at zero.

    Args:
        parent: Default: ``PROMETHEUS_MULTIPROC_DIR``, else ``DEFAULT_ROOT``.
    """
    global _process_files, _handles_forks
    if installed_value_class() is FileValue:
        return
    _process_files = _ProcessFiles(parent or Path(os.environ.get("PROMETHEUS_MULTIPROC_DIR") or DEFAULT_ROOT))
    _process_files.attach()
    install_value_class(FileValue)
    if not _handles_forks:
        os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_start_in_child)
        _handles_forks = True


def problem() -> str | None:
    """Return why metrics of this process are not written or may not count, or None."""
    return _process_files.problem if _process_files else None


def refusal() -> str | None:
    """Return why the folder is not used because of another user of the machine, or None."""
    return _process_files.refusal if _process_files else None


class _ProcessFiles:
    """The folder and the value files of this process. A forked child has others.

    Attributes:
        problem: The first problem with them, or None.
        refusal: Why the folder is not trusted, or None.
    """

    def __init__(self, parent: Path) -> None:
        self.problem: str | None = None
        self.refusal: str | None = None
        self._parent = parent
        self._folder: ProcessFolder | None = None
        self._files: dict[str, PreallocatedFile] = {}

    def attach(self) -> None:
        """Make the folder now, before the first value."""
        self._try(self._ensure_folder)

    def detach(self) -> _ProcessFiles:
        """In a forked child: release the lock, which the child would hold after its parent's death, and the files.

        Returns:
            Those of the child.
        """
        if self._folder is not None:
            self._folder.release()
        for file in self._files.values():
            file.close()
        return _ProcessFiles(self._parent)

    def file_for(self, kind: str, key: str) -> PreallocatedFile | None:
        """Return the file of a kind, with room for the key, or None if that cannot be made."""
        return self._try(lambda: self._ensure_entry(kind, key))

    def write_exemplar(self, key: str, value: float, timestamp: float) -> None:
        """Write an exemplar, if it replaces one or there is room for it."""
        known = self._files.get(EXEMPLAR_KIND)
        if known is not None and key not in known and len(known) >= _MAX_EXEMPLARS:
            return
        if file := self.file_for(EXEMPLAR_KIND, key):
            file.write(key, value, timestamp)

    def _try(self, action: Callable[[], T]) -> T | None:
        try:
            return action()
        except OSError as error:
            if isinstance(error, UntrustedError):
                self.refusal = str(error)
            self._report(f"metrics of this process are not written: {error}")
            return None

    def _report(self, problem: str) -> None:
        if self.problem is None:
            self.problem = problem
            _logger.warning("%s. The process continues without.", problem)

    def _ensure_folder(self) -> ProcessFolder:
        if self._folder is None:
            self._folder = ProcessFolder(self._parent)
        return self._folder

    def _ensure_entry(self, kind: str, key: str) -> PreallocatedFile:
        folder = self._ensure_folder()
        if not folder.is_locked():
            self._report(f"metrics of this process may not count: the lock in {folder.path} was removed")
        file = self._files.get(kind)
        if file is None:
            path = folder.path / f"{kind}_{folder.id}{VALUE_FILE_SUFFIX}"
            file = self._files[kind] = PreallocatedFile(path)
        file.add(key)
        return file


_lock = threading.Lock()
_process_files: _ProcessFiles | None = None
_handles_forks = False


def _start_in_child() -> None:
    global _process_files
    try:
        if _process_files is not None:
            _process_files = _process_files.detach()
    finally:
        _lock.release()


class FileValue(MultiprocessValue):
    """A float in a file of this process: the value class of prometheus_client's metrics after :func:`install`."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._value = 0.0
        self._owner: _ProcessFiles | None = None
        self._file: PreallocatedFile | None = None
        with _lock:
            self._attach()

    def _attach(self) -> None:
        """Attach to the files of this process, the first time and after a fork."""
        if self._owner is _process_files:
            return
        assert _process_files is not None
        self._owner = _process_files
        self._file = _process_files.file_for(self.kind, self.key)
        # Another value with this key may have been in use before; in a forked child none was.
        self._value = self._file.read(self.key) if self._file else 0.0

    def _write(self, timestamp: float) -> None:
        if self._file is not None:
            self._file.write(self.key, self._value, timestamp)

    def inc(self, amount: float) -> None:
        """Add ``amount``."""
        with _lock:
            self._attach()
            self._value += amount
            self._write(0.0)

    def set(self, value: float, timestamp: float | None = None) -> None:
        """Set the value; ``timestamp`` is in seconds since the epoch."""
        with _lock:
            self._attach()
            self._value = value
            self._write(timestamp or 0.0)

    def set_exemplar(self, exemplar: Exemplar) -> None:
        """Write the exemplar of a bucket of a histogram; ignore any other."""
        if self.kind != "histogram":
            return
        key = exemplar_key(self.key, exemplar.labels)
        with _lock:
            self._attach()
            assert self._owner is not None
            self._owner.write_exemplar(key, exemplar.value, float(exemplar.timestamp or 0.0))

    def get(self) -> float:
        """Return the value."""
        with _lock:
            self._attach()
            return self._value
