"""The service behind the HTTP application: one worker thread for scrapes and, between them, slices of compaction."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import logging
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from prometheus_client import Metric
from prometheus_client.registry import Collector

from agent_metrics.collector import FolderCollector
from agent_metrics.compat.prometheus import choose_page_encoder
from agent_metrics.storage.ledger import BadLedgerError
from agent_metrics.storage.trusted import UntrustedError

#: How long a slice of compaction reads or removes files. Together with its commit it stays under 50 ms.
_SLICE_S = 0.015
_IDLE_INTERVAL_S = 1.0
_PAUSED_INTERVAL_S = 5.0
_GZIP_LEVEL = 1

_logger = logging.getLogger(__name__)
T = TypeVar("T")


class _Page(Collector):
    """What ``/metrics`` serves: the folder, and the service's metrics about itself."""

    def __init__(self, folder: FolderCollector) -> None:
        self._folder = folder

    def collect(self) -> Iterable[Metric]:
        yield from self._folder.collect()
        yield from self._folder.status.registry.collect()


class Service:
    """Scrapes a folder, and compacts its dead processes for as long as its ``async with`` block lasts.

    Scrapes of the same format that arrive before one of them begins to read the folder share its page; one that arrives
    later has the next page. So a page holds everything that was counted before its scrape arrived, and any number
    of clients costs at most one page in work and one waiting, for each format.

    Args:
        collector: Collects the folder.
    """

    def __init__(self, collector: FolderCollector) -> None:
        self._collector = collector
        self._page = _Page(self._collector)
        self._thread = ThreadPoolExecutor(1, "metrics")
        self._compaction: asyncio.Task[None] | None = None
        self._waiting: dict[tuple[str, bool], asyncio.Future[bytes]] = {}
        self._waiting_lock = threading.Lock()

    async def __aenter__(self) -> Service:
        """Start compaction."""
        self._compaction = asyncio.create_task(self._compact_forever())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop compaction, wait for the worker thread, and close the ledger."""
        assert self._compaction is not None
        self._compaction.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._compaction
        await self._in_thread(self._collector.close)
        self._thread.shutdown()

    @property
    def is_ready(self) -> bool:
        """Whether everything counts that processes left which were dead when the service started."""
        return self._collector.is_ready

    @property
    def pause_reason(self) -> str | None:
        """Why dead processes are not compacted now, or None."""
        return self._collector.status.pause_reason

    @property
    def refusal(self) -> str | None:
        """Why nothing of the folder is served now, or None: another user made it, or may write to it."""
        return self._collector.status.refusal

    def open(self) -> None:
        """Load the ledger.

        Raises:
            UntrustedError: If another user made the folder, or may write to it.
            BadLedgerError: If its file is not a ledger.
        """
        self._collector.compact(0)

    async def scrape(self, accept: str, *, compress: bool) -> tuple[bytes, str]:
        """Return the page and its content type, in the format that the ``Accept`` header asks for.

        Raises:
            UntrustedError: If another user made the folder, or may write to it.
        """
        encode, content_type = choose_page_encoder(accept)
        key = content_type, compress
        with self._waiting_lock:
            page = self._waiting.get(key)
            if page is None:
                loop = asyncio.get_running_loop()
                page = loop.run_in_executor(self._thread, lambda: self._scrape(key, encode))
                self._waiting[key] = page
        return await asyncio.shield(page), content_type  # a client that goes away leaves the page to the others

    def _scrape(self, key: tuple[str, bool], encode: Callable[[Collector], bytes]) -> bytes:
        with self._waiting_lock:
            del self._waiting[key]
        _, compress = key
        started = time.perf_counter()
        page = encode(self._page)
        if compress:
            page = gzip.compress(page, compresslevel=_GZIP_LEVEL)
        self._collector.status.scrape_seconds.observe(time.perf_counter() - started)
        return page

    async def _compact_forever(self) -> None:
        while True:
            try:
                is_more = await self._in_thread(lambda: self._collector.compact(_SLICE_S))
            except UntrustedError as error:
                self._collector.status.refuse(str(error))
                is_more = False
            except BadLedgerError as error:  # of a ledger that could not be read at the start
                self._collector.status.pause(str(error))
                is_more = False
            except Exception:
                _logger.exception("compaction failed; scrapes go on")
                is_more = False
            if not is_more:
                await asyncio.sleep(_PAUSED_INTERVAL_S if self.pause_reason else _IDLE_INTERVAL_S)

    async def _in_thread(self, action: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, action)
