"""Copies of the ledger: made while a service writes it, and put in its place while none does.

A copy is one SQLite file. Both directions write a file beside the target, flush it to the disk, and rename it: a crash
at any point leaves the target as it was, or complete.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path
from typing import BinaryIO

from agent_metrics.storage.folder import LEDGER_NAME, SERVICE_FOLDER, acquire_service_lock, scan
from agent_metrics.storage.ledger import BadLedgerError, Ledger
from agent_metrics.storage.trusted import check_path, make_folder, open_file

#: How long a copy waits for a commit of the service. The service does not wait for a copy: it commits a little later.
_BUSY_TIMEOUT_S = 30.0
_SQLITE_HEADER = b"SQLite format 3\0"
_RESTORING_SUFFIX = ".restoring"
#: The ledger that a restored copy took the place of. One that was replaced before is overwritten.
REPLACED_SUFFIX = ".replaced"


class BackupError(Exception):
    """A copy cannot be made or restored; the message says what to do."""


def back_up(root: Path, target: Path) -> None:
    """Copy the ledger of a metrics folder, as of its last commit, to a new file that only this user may read.

    Raises:
        BackupError: If there is no ledger, or the file exists.
        BadLedgerError: If the ledger is damaged, or of a newer version.
        OSError | sqlite3.Error: If it cannot be read, or the file cannot be written.
    """
    check_path(root)
    ledger = Ledger(root / SERVICE_FOLDER / LEDGER_NAME)
    if not ledger.path.exists():
        raise BackupError(f"there is no ledger in {root}: no agent-metrics has run there. Check --dir")
    if os.path.lexists(target):
        raise BackupError(f"{target} exists: choose another name")
    part = target.with_name(f"{target.name}.part")
    part.unlink(missing_ok=True)  # of a copy that was killed
    os.close(open_file(part, os.O_RDWR | os.O_CREAT | os.O_EXCL))
    try:
        ledger.copy_to(part, _BUSY_TIMEOUT_S)
        _flush(part)
        part.rename(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    _flush(target.parent)


def restore(root: Path, copy: BinaryIO, *, replace: bool) -> None:
    """Make a copy the ledger of a metrics folder. The ledger that was there is kept, with the suffix ``.replaced``.

    Args:
        root: The metrics folder; it is made if it is missing.
        copy: What :func:`back_up` has written.
        replace: Whether the folder may hold metrics.

    Raises:
        BackupError: If the folder holds metrics and ``replace`` is false, or the copy is incomplete or no copy.
        BadLedgerError: If the copy is damaged, or of a newer version.
        ServiceLockError: If an agent-metrics serves the folder.
        OSError: If something cannot be written.
    """
    make_folder(root)
    lock = acquire_service_lock(root)
    try:
        if not replace and _holds_metrics(root):
            raise BackupError(
                f"{root} holds metrics: choose an empty --dir, or --replace its ledger. Processes "
                "whose files are there and that the copy does not have count beside it"
            )
        _put_in_place(root / SERVICE_FOLDER / LEDGER_NAME, copy)
    finally:
        if lock is not None:
            os.close(lock)


def _holds_metrics(root: Path) -> bool:
    listing = scan(root)
    return bool((root / SERVICE_FOLDER / LEDGER_NAME).exists() or listing.processes or listing.unmanaged_files)


def _put_in_place(path: Path, copy: BinaryIO) -> None:
    new = path.with_name(path.name + _RESTORING_SUFFIX)
    new.unlink(missing_ok=True)  # of a restore that was killed
    try:
        with os.fdopen(open_file(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb") as file:
            shutil.copyfileobj(copy, file)
        _check(new)
        _flush(new)
        if os.path.lexists(path):
            _end_transaction(path)
            shutil.copyfile(path, path.with_name(path.name + REPLACED_SUFFIX), follow_symlinks=False)
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
    _flush(path.parent)


def _check(new: Path) -> None:
    """Check that a file is a complete ledger that this version can read."""
    with new.open("rb") as file:
        if file.read(len(_SQLITE_HEADER)) != _SQLITE_HEADER:
            raise BackupError("this is no copy of a ledger: it is empty, or another file")
    try:
        Ledger(new).verify()
    except BadLedgerError as error:
        raise type(error)(str(error).replace(str(new), "the copy")) from error


def _end_transaction(path: Path) -> None:
    """Leave no journal of the old ledger behind, which SQLite would apply to the new one."""
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None)
        try:
            connection.execute("SELECT name FROM sqlite_master").fetchall()  # rolls back what a crash has left
        finally:
            connection.close()
    except sqlite3.Error:  # a damaged one, which is why a copy is restored
        pass
    for suffix in ("-journal", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _flush(path: Path) -> None:
    """Have the content of a file, or the names in a folder, reach the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
