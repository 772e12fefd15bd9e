"""Who does the work, and when? One thread: scrapes, and between them slices of folding of a few milliseconds each."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import gzip
import logging
import os
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from prometheus_client import Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from agent_metrics.collector import FolderCollector
from agent_metrics.files import OWN_FOLDER, SERVICE_LOCK_NAME
from agent_metrics.ledger import BadLedgerError

#: How long a slice of folding reads or removes files. With its commit it stays under 50 ms.
_SLICE_SECONDS = 0.015
_IDLE_SECONDS = 1.0
_PAUSED_SECONDS = 5.0

_logger = logging.getLogger(__name__)
T = TypeVar("T")


class ClaimError(Exception):
    """This folder cannot be this service's."""


def claim(root: Path) -> int | None:
    """Lock the folder for this process. Returns the descriptor to keep open, None where no lock can be made.

    Raises:
        ClaimError: If another service has it, or locks do not work there.
    """
    own = root / OWN_FOLDER
    try:
        own.mkdir(exist_ok=True)
        lock = os.open(own / SERVICE_LOCK_NAME, os.O_RDONLY | os.O_CREAT, 0o644)
    except OSError as error:
        _logger.warning("the folder cannot be locked against a second service: %s", error)
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise ClaimError(f"another agent-metrics serves {root}: stop it, or choose another --dir") from None
    except OSError as error:
        os.close(lock)
        raise ClaimError(
            f"cannot lock {own / SERVICE_LOCK_NAME} ({error.strerror}): without flock nobody can tell which processes "
            "live. Choose a --dir on another file system."
        ) from error
    return lock


class _Page(Collector):
    """What ``/metrics`` shows: the folder, and the service itself."""

    def __init__(self, folder: FolderCollector) -> None:
        self._folder = folder

    def collect(self) -> Iterable[Metric]:
        yield from self._folder.collect()
        yield from self._folder.status.registry.collect()


class Service:
    """Scrapes a folder and folds its dead processes. ``async with`` it: it folds until the block ends."""

    def __init__(self, root: Path) -> None:
        self._collector = FolderCollector(root)
        self._page = _Page(self._collector)
        self._thread = ThreadPoolExecutor(1, "metrics")
        self._folding: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Service:
        self._folding = asyncio.create_task(self._fold_forever())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._folding is not None
        self._folding.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._folding
        await self._in_thread(self._collector.close)
        self._thread.shutdown()

    @property
    def is_ready(self) -> bool:
        return self._collector.is_ready

    @property
    def paused_because(self) -> str | None:
        """Why nothing is folded, if it is so."""
        return self._collector.status.paused_because

    def open(self) -> None:
        """Read the ledger.

        Raises:
            BadLedgerError: If its file is none.
        """
        self._collector.fold(0)

    async def scrape(self, accept: str, *, compress: bool) -> tuple[bytes, str]:
        """The page and its content type, in the format that ``accept`` asks for."""
        encode, content_type = choose_encoder(accept)
        return await self._in_thread(lambda: self._scrape(encode, compress)), content_type

    def _scrape(self, encode: Callable[[Collector], bytes], compress: bool) -> bytes:
        started = time.perf_counter()
        page = encode(self._page)
        if compress:
            page = gzip.compress(page, compresslevel=1)
        self._collector.status.scrape_seconds.observe(time.perf_counter() - started)
        return page

    async def _fold_forever(self) -> None:
        while True:
            try:
                is_more = await self._in_thread(lambda: self._collector.fold(_SLICE_SECONDS))
            except BadLedgerError as error:  # that could not be read at the start
                self._collector.status.pause(str(error))
                is_more = False
            except Exception:
                _logger.exception("folding failed; scrapes go on")
                is_more = False
            if not is_more:
                await asyncio.sleep(_PAUSED_SECONDS if self.paused_because else _IDLE_SECONDS)

    async def _in_thread(self, action: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, action)
