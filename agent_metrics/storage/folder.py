"""Layout and locks of a metrics folder.

    <root>/agent-metrics/                      the service's own: ledger, lock, quarantine
    <root>/[<worker>/]p-<id>/lock              locked for as long as the process lives
    <root>/[<worker>/]p-<id>/counter_p-<id>.db
    <root>/[<worker>/].p-<id>/                 pending: a process is about to start; or was killed while it did
    <root>/[<worker>/].swept-<id>/             removing: a pending folder that is being removed
    <root>/[<worker>/]counter_1234.db          unmanaged: of a process without ``agent_metrics.writer``

Each process has a folder because livekit's ``AgentServer`` deletes every file in its metrics folder when it starts, but
no folder. Only folders of this user or root that nobody else may write to are used: see :mod:`.trusted`.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tenacity import retry, retry_if_exception_type, stop_after_attempt

from agent_metrics.storage.trusted import (
    UntrustedError,
    check_path,
    folder_problem,
    is_plain_name,
    make_folder,
    open_file,
)

SERVICE_FOLDER = "agent-metrics"
LEDGER_NAME = "ledger.sqlite"
QUARANTINE_FOLDER = "set-aside"
SERVICE_LOCK_NAME = "service.lock"
WORKER_PREFIX = "worker-"
PROCESS_PREFIX = "p-"
PENDING_PREFIX = ".p-"
REMOVING_PREFIX = ".swept-"
LOCK_NAME = "lock"
VALUE_FILE_SUFFIX = ".db"

_MAX_CREATE_ATTEMPTS = 1000

#: ``fcntl.flock``, or a substitute for file systems where it fails.
Flock = Callable[[int, int], None]

_logger = logging.getLogger(__name__)


# --- listing ---


@dataclass
class Listing:
    """What lies in a metrics folder.

    Attributes:
        processes: Folders of processes by id.
        unmanaged_files: Value files outside of such folders.
        pending: Folders of processes that are starting, or were killed while they were.
        removing: Pending folders whose removal has begun.
        worker_folders: Folders of workers.
        unreadable: Folders that cannot be listed.
        refused: Why folders are not used: they are links, or other users made them or may write to them.
    """

    processes: dict[str, Path] = field(default_factory=dict)
    unmanaged_files: list[Path] = field(default_factory=list)
    pending: list[Path] = field(default_factory=list)
    removing: list[Path] = field(default_factory=list)
    worker_folders: list[Path] = field(default_factory=list)
    unreadable: list[Path] = field(default_factory=list)
    refused: dict[Path, str] = field(default_factory=dict)


def scan(root: Path) -> Listing:
    """List the root and the folders below it.

    Raises:
        UntrustedError: If another user made the root, or may write to it.
        OSError: If the root cannot be listed. An empty listing would say that no process lives.
    """
    check_path(root)
    listing = Listing()
    for entry in os.scandir(root):
        path = Path(entry.path)
        if _sort_into(listing, entry, path) or entry.name == SERVICE_FOLDER or not _is_trusted(listing, entry, path):
            continue
        if entry.name.startswith(WORKER_PREFIX):
            listing.worker_folders.append(path)
        try:
            for nested in os.scandir(path):
                _sort_into(listing, nested, Path(nested.path))
        except FileNotFoundError:
            pass  # removed in the meantime
        except OSError:
            listing.unreadable.append(path)
    return listing


def _sort_into(listing: Listing, entry: os.DirEntry[str], path: Path) -> bool:
    """Add a known entry to the listing. Returns whether it is known."""
    if entry.name.endswith(VALUE_FILE_SUFFIX):
        listing.unmanaged_files.append(path)
    elif entry.name.startswith(PROCESS_PREFIX) and is_plain_name(entry.name):
        if _is_trusted(listing, entry, path):
            listing.processes[entry.name] = path
    elif entry.name.startswith(PENDING_PREFIX):
        listing.pending.append(path)
    elif entry.name.startswith(REMOVING_PREFIX):
        listing.removing.append(path)
    else:
        return False
    return True


def _is_trusted(listing: Listing, entry: os.DirEntry[str], path: Path) -> bool:
    """Return whether the entry is a folder to be used. One that is a folder, or a link to one, and is not, is noted."""
    try:
        if not entry.is_dir():
            return False
        problem = folder_problem(entry.stat(follow_symlinks=False))
    except OSError:  # removed in the meantime
        return False
    if problem:
        listing.refused[path] = problem
    return not problem


def relative_path(root: Path, process_folder: Path) -> str:
    """Return the path of a process's folder as the ledger holds it."""
    return str(process_folder.relative_to(root))


def split_relative_path(id: str, path: str) -> tuple[str | None, str] | None:
    """Return the names of the worker's folder, if there is one, and of the process's.

    Returns:
        None if ``path`` is not one that :func:`relative_path` can have returned for the process ``id``.
    """
    worker, slash, name = path.rpartition("/")
    is_known = id == name and is_plain_name(name) and name.startswith(PROCESS_PREFIX)
    if not is_known or (slash and (not is_plain_name(worker) or worker == SERVICE_FOLDER)):
        return None
    return worker or None, name


# --- processes ---


class ProcessFolder:
    """A new folder for the files of one process, locked until :meth:`release` or the end of the process.

    Args:
        parent: Where the folder is made, together with missing parents: the metrics folder, or a worker's in it.

    Attributes:
        id: The name of the folder, unique for ever.
        path: The folder.

    Raises:
        UntrustedError: If another user made a folder where it is made, or may write to it.
        OSError: If it cannot be made.
    """

    def __init__(self, parent: Path) -> None:
        self.id = PROCESS_PREFIX + secrets.token_hex(8)
        self.path = parent / self.id
        self._lock = _create_locked(self.path)

    def is_locked(self) -> bool:
        """Return whether others can see the lock: a cleaner of /tmp may have removed its file."""
        return os.fstat(self._lock).st_nlink > 0

    def release(self) -> None:
        """Unlock the folder: the process counts as dead from then on."""
        os.close(self._lock)


# The service may remove the pending folder, or the empty folder of the worker, at any moment.
@retry(retry=retry_if_exception_type(FileNotFoundError), stop=stop_after_attempt(_MAX_CREATE_ATTEMPTS), reraise=True)
def _create_locked(path: Path) -> int:
    """Create a folder that is never visible under its name without a lock. Returns the lock's descriptor."""
    _make_parent(path.parent)
    pending = path.with_name(f"{PENDING_PREFIX}{secrets.token_hex(8)}")
    pending.mkdir(0o700)
    lock = open_file(pending / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_EXCL)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        pending.rename(path)
    except OSError:
        os.close(lock)
        raise
    return lock


def _make_parent(parent: Path) -> None:
    root = parent.parent if parent.name.startswith(WORKER_PREFIX) else parent
    make_folder(root)
    check_path(root)
    make_folder(parent)


def is_alive(process_folder: Path, flock: Flock = fcntl.flock) -> bool:
    """Return whether the process holds its lock.

    Its pid does not matter: containers share pids, and pids are reused. A process whose lock cannot be checked counts
    as alive.
    """
    try:
        lock = open_file(process_folder / LOCK_NAME)
    except FileNotFoundError:
        return False  # the removal of this folder has begun; or see has_lost_lock
    except OSError:
        return True
    try:
        return _is_locked(lock, flock)
    finally:
        os.close(lock)


def _is_locked(lock: int, flock: Flock = fcntl.flock) -> bool:
    try:
        flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: two checks at once do not see each other
    except OSError:  # it is locked, or this file system has no locks
        return True
    return False


def has_lost_lock(process_folder: Path) -> bool:
    """Return whether the lock was removed and other files were left, as cleaners of /tmp do.

    The service removes the lock last.
    """
    if os.path.lexists(process_folder / LOCK_NAME):
        return False
    with contextlib.suppress(OSError):
        return bool(os.listdir(process_folder))
    return False


# --- the service ---


class ServiceLockError(Exception):
    """This process cannot serve the folder."""


def acquire_service_lock(root: Path, flock: Flock = fcntl.flock) -> int | None:
    """Lock the folder for this service.

    Returns:
        The descriptor, to be kept open; None where the lock file cannot be made.

    Raises:
        UntrustedError: If another user made the folder or the service's, or may write to it; or the lock is no file.
        ServiceLockError: If another service holds the lock, or locks do not work there.
    """
    check_path(root)
    path = root / SERVICE_FOLDER / SERVICE_LOCK_NAME
    try:
        make_folder(path.parent)
        lock = open_file(path, os.O_RDONLY | os.O_CREAT)
    except UntrustedError:
        raise
    except OSError as error:
        _logger.warning("the folder cannot be locked against a second service: %s", error)
        return None
    try:
        flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise ServiceLockError(f"another agent-metrics serves {root}: stop it, or choose another --dir") from None
    except OSError as error:
        os.close(lock)
        raise ServiceLockError(
            f"cannot lock {path} ({error.strerror}): without flock, living processes cannot be told from dead ones. "
            "Choose a --dir on another file system."
        ) from error
    return lock


def is_served(root: Path) -> bool:
    """Return whether an agent-metrics serves the folder now."""
    try:
        lock = open_file(root / SERVICE_FOLDER / SERVICE_LOCK_NAME)
    except OSError:
        return False
    try:
        return _is_locked(lock)
    finally:
        os.close(lock)
