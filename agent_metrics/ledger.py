"""What did the processes leave that are dead?

One SQLite file. A process is folded by one transaction that adds its values and writes down its id; its files go
only after that, and the id after them. So a crash at any point leaves either files whose id is not written down, which
count, or files whose id is, which do not.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent_metrics.files import Reading, parse_key
from agent_metrics.totals import Amount, Totals, condensed, lasting

_VERSION = 1
_SCHEMA = f"""
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS series (
    kind TEXT, key TEXT, numbers TEXT NOT NULL, timestamp REAL, PRIMARY KEY (kind, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS folded (id TEXT PRIMARY KEY, folder TEXT NOT NULL, flawed TEXT NOT NULL) WITHOUT ROWID;
PRAGMA user_version = {_VERSION};
COMMIT;
"""
_UPSERT = """
INSERT INTO series VALUES (?, ?, ?, ?)
ON CONFLICT (kind, key) DO UPDATE SET numbers = excluded.numbers, timestamp = excluded.timestamp
"""


class BadLedgerError(Exception):
    """The file is there and is not a ledger that this version can read."""


@dataclass(frozen=True)
class Folding:
    """A dead process on its way into the ledger, or there already with its files still to be removed.

    Attributes:
        folder: Where its files are, from the root.
        flawed: Names of the files that could be read in part only.
        readings: What its files say.
    """

    id: str
    folder: str
    flawed: Sequence[str] = ()
    readings: Sequence[Reading] = ()


class Ledger:
    """The ledger in memory, and its file. For one thread.

    Attributes:
        totals: What the processes that have been folded left.
        folded: Of those, the ones whose files may still be there, by id.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self.totals = Totals()
        self.folded: dict[str, Folding] = {}
        self.is_loaded = False
        self._clock = clock
        self._connection: sqlite3.Connection | None = None
        self._version = 0

    def open(self) -> None:
        """Open it for writing, make it if there is none, and load it.

        Raises:
            sqlite3.Error | OSError: If that cannot be done now.
            BadLedgerError: If it never can.
        """
        if self._connection is not None:
            with self._closed_on_error():
                self._refuse_if_changed(self._connection)
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._connect("rwc") as connection:
            connection.executescript(_SCHEMA)
            self._version = _version(connection)
            self._load(connection)
        self._connection = connection

    def load_read_only(self) -> None:
        """Load it where it cannot be written.

        Raises:
            sqlite3.Error | OSError: If it cannot be read either.
        """
        if not self.path.exists():
            self.is_loaded = True
            return
        with self._connect("ro") as connection:
            self._load(connection)
        connection.close()

    @contextlib.contextmanager
    def _connect(self, mode: str) -> Iterator[sqlite3.Connection]:
        """A connection that is closed if what is done with it fails."""
        uri = f"{self.path.absolute().as_uri()}?mode={mode}"
        # One thread uses it at a time. Who looks at it with another program and locks it must not hold up a scrape.
        connection = sqlite3.connect(uri, timeout=0, uri=True, isolation_level=None, check_same_thread=False)
        try:
            if connection.execute("PRAGMA user_version").fetchone()[0] > _VERSION:
                raise BadLedgerError(f"{self.path} was written by a newer agent-metrics")
            # A commit is on the disk before the files go that it was made from.
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA journal_mode = TRUNCATE")
            yield connection
        except BaseException as error:
            connection.close()
            if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
                raise BadLedgerError(f"{self.path} is not a ledger, or a damaged one ({error})") from error
            raise

    def _load(self, connection: sqlite3.Connection) -> None:
        if connection.execute("PRAGMA user_version").fetchone() == (0,):  # made on a full disk, without its tables
            self.is_loaded = True
            return
        totals = Totals()
        for kind, key, numbers, timestamp in connection.execute("SELECT * FROM series"):
            if (parsed := parse_key(kind, key)) is not None and not parsed.names_a_place:
                totals.amounts.setdefault(kind, {})[key] = _amount(kind, numbers, timestamp)
        folded = {
            id: Folding(id, folder, flawed.split("\n") if flawed else ())
            for id, folder, flawed in connection.execute("SELECT * FROM folded")
        }
        self.totals, self.folded, self.is_loaded = totals, folded, True

    def fold(self, processes: Sequence[Folding], gone: Iterable[str]) -> None:
        """Add what dead processes left, and forget folded ones whose files are gone.

        Raises:
            sqlite3.Error | OSError: If it cannot be written. Nothing has been added then.
        """
        self.open()
        assert self._connection is not None
        changed = self._with(processes)
        with self._closed_on_error():
            self._write(self._connection, changed, processes, list(gone))
        for kind, amounts in changed.amounts.items():
            self.totals.amounts.setdefault(kind, {}).update(amounts)
        for process in processes:
            self.folded[process.id] = Folding(process.id, process.folder, process.flawed)
        for id in gone:
            self.folded.pop(id, None)

    @contextlib.contextmanager
    def _closed_on_error(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self.close()  # what the file says counts, and is read when it is opened again
            raise

    def _refuse_if_changed(self, connection: sqlite3.Connection) -> None:
        """Totals are written as they are in memory: never over what somebody else has written."""
        if _version(connection) != self._version:
            raise sqlite3.OperationalError(
                "it was changed by another program and is read again: does a second agent-metrics serve this folder?"
            )

    def _with(self, processes: Sequence[Folding]) -> Totals:
        """The series that these processes change, with their values after that."""
        now = self._clock()
        changed = Totals()
        for process in processes:
            for reading in process.readings:
                changed.add(reading.kind, reading.pid, lasting(reading.kind, reading.entries), now)
        before = Totals()
        for kind, amounts in changed.amounts.items():
            ours = self.totals.amounts.get(kind, {})
            before.amounts[kind] = {key: ours[key] for key in amounts if key in ours}
        before.cap_timestamps(now)
        before.update(changed)
        for amounts in before.amounts.values():
            for key, amount in amounts.items():
                amounts[key] = condensed(amount) if isinstance(amount, list) else amount
        return before

    def _write(
        self, connection: sqlite3.Connection, changed: Totals, processes: Sequence[Folding], gone: Sequence[str]
    ) -> None:
        rows = (
            (kind, key, *_columns(kind, amount))
            for kind, amounts in changed.amounts.items()
            for key, amount in amounts.items()
        )
        connection.execute("BEGIN IMMEDIATE")
        self._refuse_if_changed(connection)
        connection.executemany(_UPSERT, rows)
        connection.executemany(
            "INSERT INTO folded VALUES (?, ?, ?)",
            [(process.id, process.folder, "\n".join(process.flawed)) for process in processes],
        )
        connection.executemany("DELETE FROM folded WHERE id = ?", [(id,) for id in gone])
        connection.execute("COMMIT")

    def size(self) -> int:
        try:
            return self.path.stat().st_size
        except OSError:
            return 0

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _version(connection: sqlite3.Connection) -> int:
    """Another number when another connection has written to the file."""
    version: int = connection.execute("PRAGMA data_version").fetchone()[0]
    return version


def _columns(kind: str, amount: Amount) -> tuple[str, float | None]:
    if kind == "gauge_mostrecent":
        return repr(amount[1]), amount[0]
    return " ".join(map(repr, amount)) if isinstance(amount, list) else repr(amount), None


def _amount(kind: str, numbers: str, timestamp: float | None) -> Amount:
    values = [float(number) for number in numbers.split()]
    if kind == "gauge_mostrecent":
        return timestamp or 0.0, values[0]
    return values[0] if kind in ("gauge_min", "gauge_max") else values
