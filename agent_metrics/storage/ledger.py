"""The ledger: the totals of dead processes, in one SQLite file.

A process is compacted by one transaction that adds its values and writes its id. Only then are its files removed, and
only then its id. A crash at any point leaves either files whose id is not in the ledger, which count, or files whose id
is, which do not.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent_metrics.series import KEPT_KINDS, parse_key
from agent_metrics.storage.folder import split_relative_path
from agent_metrics.storage.trusted import UntrustedError, check_file, check_folder, is_plain_name, make_folder
from agent_metrics.storage.value_files import FileContents
from agent_metrics.totals import Amount, Totals, exact_partials, kept_entries

#: A version that only adds tables, or columns with defaults, keeps this number: older ones then read and write its
#: ledger, because they name the columns that they use.
_SCHEMA_VERSION = 1
# The table `folded` holds compacted processes whose files may still be there, `flawed` the names of their defective
# files, one a line.
_SCHEMA = f"""
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS series (
    kind TEXT, key TEXT, numbers TEXT NOT NULL, timestamp REAL, PRIMARY KEY (kind, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS folded (id TEXT PRIMARY KEY, folder TEXT NOT NULL, flawed TEXT NOT NULL) WITHOUT ROWID;
PRAGMA user_version = {_SCHEMA_VERSION};
COMMIT;
"""
_UPSERT = """
INSERT INTO series (kind, key, numbers, timestamp) VALUES (?, ?, ?, ?)
ON CONFLICT (kind, key) DO UPDATE SET numbers = excluded.numbers, timestamp = excluded.timestamp
"""

#: What SQLite may open beside the ledger. A journal can name files that SQLite then deletes.
_FILE_SUFFIXES = ("", "-journal", "-wal", "-shm")
_QUARANTINE_SUFFIX = ".set-aside"

#: ``sqlite3.connect``, or a substitute for it.
Connect = Callable[..., sqlite3.Connection]


class BadLedgerError(Exception):
    """The ledger file exists and this version cannot read it."""


class NewerLedgerError(BadLedgerError):
    """The ledger was written by a newer version, in a format that this one does not read."""


class ForgedLedgerError(BadLedgerError):
    """The ledger names files that no service can have written into it, for example outside of the folder."""


@dataclass(frozen=True)
class DeadProcess:
    """A dead process that is about to be compacted, or was compacted and may still have files.

    Attributes:
        id: Name of its folder.
        folder: Path of its folder, relative to the root.
        defective_names: Names of its files that could be read only in part.
        files: What its files say. Empty once it is compacted.
    """

    id: str
    folder: str
    defective_names: Sequence[str] = ()
    files: Sequence[FileContents] = ()


class Ledger:
    """The ledger in memory, and its file. Not thread-safe.

    Args:
        path: The file.
        clock: Returns the time in seconds since the epoch.
        connect: Opens the database.

    Attributes:
        totals: Totals of all processes that were compacted.
        compacted: Compacted processes whose files may still exist, by id.
        is_loaded: Whether ``totals`` and ``compacted`` were read from the file.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time, connect: Connect = sqlite3.connect) -> None:
        self.path = path
        self.totals = Totals()
        self.compacted: dict[str, DeadProcess] = {}
        self.is_loaded = False
        self._clock = clock
        self._open_database = connect
        self._connection: sqlite3.Connection | None = None
        self._data_version = 0

    def open(self) -> None:
        """Open the file for writing, creating it if necessary, and load it.

        Raises:
            sqlite3.Error | OSError: If that is not possible now.
            ForgedLedgerError: If :meth:`quarantine` has to be called first.
            BadLedgerError: If it never will be.
        """
        if self._connection is not None:
            with self._closed_on_error():
                self._refuse_if_changed(self._connection)
            return
        make_folder(self.path.parent)
        with self._connect("rwc") as connection:
            connection.executescript(_SCHEMA)
            self._data_version = _data_version(connection)
            self._load(connection)
        self._connection = connection

    def load_read_only(self) -> None:
        """Load the file without write access.

        Raises:
            sqlite3.Error | OSError: If it cannot be read either.
        """
        if not self.path.exists():
            self.is_loaded = True
            return
        check_folder(self.path.parent)
        with self._connect("ro") as connection:
            self._load(connection)
        connection.close()

    def copy_to(self, target: Path, timeout_s: float) -> None:
        """Copy the file as of its last commit. A service may be writing to it.

        Args:
            target: An empty file.
            timeout_s: How long to wait for a commit.

        Raises:
            BadLedgerError: If the file is not a ledger of this version, or an older one.
            sqlite3.Error | OSError: If it cannot be read, or the target cannot be written.
        """
        with self._connect("rw", timeout_s) as connection, contextlib.closing(sqlite3.connect(target)) as copy:
            copy.execute("PRAGMA journal_mode = OFF")  # a copy that is broken off is thrown away
            connection.backup(copy)
        connection.close()

    def verify(self) -> None:
        """Read the whole file without write access.

        Raises:
            BadLedgerError: If it is damaged, not a ledger, or a newer one.
            sqlite3.Error | OSError: If it cannot be read.
        """
        with self._connect("ro") as connection:
            if not _is_complete(connection, self.size_bytes()):
                raise BadLedgerError(f"{self.path} is damaged or incomplete")
            self._load(connection)
        connection.close()

    @contextlib.contextmanager
    def _connect(self, mode: str, timeout_s: float = 0) -> Iterator[sqlite3.Connection]:
        """Yield a connection that stays open, unless the block fails.

        Args:
            mode: SQLite's: ``ro``, ``rw``, or ``rwc`` to create the file.
            timeout_s: How long to wait for other programs. A service does not: they must not delay a scrape.
        """
        self._check_files()
        uri = f"{self.path.absolute().as_uri()}?mode={mode}"
        # One thread at a time uses the connection.
        connection = self._open_database(
            uri, timeout=timeout_s, uri=True, isolation_level=None, check_same_thread=False
        )
        try:
            if (version := _schema_version(connection)) > _SCHEMA_VERSION:
                raise NewerLedgerError(
                    f"{self.path} was written by a newer agent-metrics, in format {version}; this one reads "
                    f"{_SCHEMA_VERSION}"
                )
            connection.execute("PRAGMA trusted_schema = OFF")
            # A commit reaches the disk before the files that it was made from are removed.
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA journal_mode = TRUNCATE")
            yield connection
        except BaseException as error:
            connection.close()
            if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
                raise BadLedgerError(f"{self.path} is not a ledger, or a damaged one ({error})") from error
            raise

    def _check_files(self) -> None:
        """Check that SQLite will open regular files of this user: it follows links, and waits for pipes."""
        if self.path.is_dir() and not self.path.is_symlink():  # SQLite says that it cannot open it
            return
        try:
            for suffix in _FILE_SUFFIXES:
                check_file(self.path.with_name(self.path.name + suffix))
        except UntrustedError as error:
            raise BadLedgerError(str(error)) from error

    def quarantine(self) -> Path:
        """Move a ledger that cannot be used out of the way. One that was moved before is overwritten.

        Raises:
            OSError: If it cannot be moved.
        """
        self.close()
        target = self.path.with_name(self.path.name + _QUARANTINE_SUFFIX)
        for suffix in _FILE_SUFFIXES[1:]:
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
        self.path.replace(target)
        return target

    def _load(self, connection: sqlite3.Connection) -> None:
        if _schema_version(connection) == 0:  # created on a full disk, without tables
            self.is_loaded = True
            return
        try:
            totals = _read_totals(connection)
        except (ValueError, TypeError, IndexError, AttributeError) as error:
            raise BadLedgerError(f"{self.path} holds series that no service can have written ({error})") from error
        rows = connection.execute("SELECT id, folder, flawed FROM folded").fetchall()
        if not all(isinstance(value, str) for row in rows for value in row):
            raise ForgedLedgerError(f"{self.path} names files by what is no text")
        compacted = {
            id: DeadProcess(id, folder, defective.split("\n") if defective else ()) for id, folder, defective in rows
        }
        for process in compacted.values():
            self._check_names(process)
        self.totals, self.compacted, self.is_loaded = totals, compacted, True

    def _check_names(self, process: DeadProcess) -> None:
        """Check that nothing outside of the process's folder is removed or moved.

        Raises:
            ForgedLedgerError: If something could be.
        """
        names = [process.folder, *process.defective_names]
        if split_relative_path(process.id, process.folder) and all(map(is_plain_name, process.defective_names)):
            return
        raise ForgedLedgerError(f"{self.path} names files that no service can have written into it: {names[:3]!r}")

    def compact(self, processes: Sequence[DeadProcess], removed_ids: Iterable[str]) -> None:
        """Add the values of dead processes, and forget compacted ones whose files are removed.

        Raises:
            sqlite3.Error | OSError: If the file cannot be written. Nothing was added then, or the file has all of it;
                it is loaded again when it is opened next.
        """
        self.open()
        assert self._connection is not None
        changed = self._merge(processes)
        with self._closed_on_error():
            self._write(self._connection, changed, processes, list(removed_ids))
        for kind, amounts in changed.amounts.items():
            self.totals.amounts.setdefault(kind, {}).update(amounts)
        for process in processes:
            self.compacted[process.id] = DeadProcess(process.id, process.folder, process.defective_names)
        for id in removed_ids:
            self.compacted.pop(id, None)

    @contextlib.contextmanager
    def _closed_on_error(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self.close()  # what the file says counts, and is loaded when it is opened again
            raise

    def _refuse_if_changed(self, connection: sqlite3.Connection) -> None:
        """Refuse to write over what another program has written: totals are written as they are in memory."""
        if _data_version(connection) != self._data_version:
            raise sqlite3.OperationalError(
                "it was changed by another program and is read again: does a second agent-metrics serve this folder?"
            )

    def _merge(self, processes: Sequence[DeadProcess]) -> Totals:
        """Return the series that these processes change, with their new totals."""
        now = self._clock()
        changes = Totals()
        for process in processes:
            for file in process.files:
                changes.add(file.kind, file.pid, kept_entries(file.kind, file.entries), now)
        merged = Totals()
        for kind, amounts in changes.amounts.items():
            known = self.totals.amounts.get(kind, {})
            merged.amounts[kind] = {key: known[key] for key in amounts if key in known}
        merged.cap_timestamps(now)
        merged.update(changes)
        for amounts in merged.amounts.values():
            for key, amount in amounts.items():
                amounts[key] = exact_partials(amount) if isinstance(amount, list) else amount
        return merged

    def _write(
        self,
        connection: sqlite3.Connection,
        changed: Totals,
        processes: Sequence[DeadProcess],
        removed_ids: Sequence[str],
    ) -> None:
        rows = (
            (kind, key, *_to_columns(kind, amount))
            for kind, amounts in changed.amounts.items()
            for key, amount in amounts.items()
        )
        connection.execute("BEGIN IMMEDIATE")
        self._refuse_if_changed(connection)
        connection.executemany(_UPSERT, rows)
        connection.executemany(
            "INSERT INTO folded (id, folder, flawed) VALUES (?, ?, ?)",
            [(process.id, process.folder, "\n".join(process.defective_names)) for process in processes],
        )
        connection.executemany("DELETE FROM folded WHERE id = ?", [(id,) for id in removed_ids])
        connection.execute("COMMIT")

    def size_bytes(self) -> int:
        """Return the size of the file, 0 if there is none."""
        try:
            return self.path.stat().st_size
        except OSError:
            return 0

    def close(self) -> None:
        """Close the file. What was loaded stays."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _schema_version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def _is_complete(connection: sqlite3.Connection, size_bytes: int) -> bool:
    """Return whether nothing is missing. SQLite's own check takes the rest of a page that was cut off for empty."""
    pages, page_bytes = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
    return bool(pages * page_bytes == size_bytes and connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok")


def _data_version(connection: sqlite3.Connection) -> int:
    """Return a number that changes when another connection writes to the file."""
    version: int = connection.execute("PRAGMA data_version").fetchone()[0]
    return version


def _read_totals(connection: sqlite3.Connection) -> Totals:
    totals = Totals()
    for kind, key, numbers, timestamp in connection.execute("SELECT kind, key, numbers, timestamp FROM series"):
        if kind not in KEPT_KINDS:
            raise ValueError(f"the kind {kind!r} does not outlive a process")
        if (parsed := parse_key(kind, key)) is not None and not parsed.has_host_label:
            totals.amounts.setdefault(kind, {})[key] = _from_columns(kind, numbers, timestamp)
    return totals


def _to_columns(kind: str, amount: Amount) -> tuple[str, float | None]:
    if kind == "gauge_mostrecent":
        return repr(amount[1]), amount[0]
    return " ".join(map(repr, amount)) if isinstance(amount, list) else repr(amount), None


def _from_columns(kind: str, numbers: str, timestamp: float | None) -> Amount:
    values = [float(number) for number in numbers.split()]
    if kind == "gauge_mostrecent":
        return float(timestamp or 0.0), values[0]
    return values[0] if kind in ("gauge_min", "gauge_max") else values
