"""Ask the workers how many more calls they take: ``/slots`` of each worker's port."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import aiohttp

_PATH = "/slots"
_TIMEOUT = aiohttp.ClientTimeout(total=1.0)
#: How long an answer is used.
_MAX_AGE_S = 0.5
#: How long a call that was let in may not show in the workers' answers.
_GRANT_S = 3.0

_logger = logging.getLogger(__name__)

#: Returns the JSON objects of all workers that answered.
AskWorkers = Callable[[], Awaitable[Sequence[Any]]]


class WorkerSlots:
    """The free slots of all workers together.

    Args:
        ask: Asks the workers: :class:`WorkerAddresses`.
        agent_name: Only workers of this name count.
        clock: Seconds, monotonic.
    """

    def __init__(self, ask: AskWorkers, agent_name: str = "", clock: Callable[[], float] = time.monotonic) -> None:
        self._ask = ask
        self._agent_name = agent_name
        self._clock = clock
        self._lock = asyncio.Lock()
        self._free: int | None = None
        self._asked_at: float | None = None
        self._grants: list[float] = []

    async def free(self) -> int | None:
        """Return how many more calls the workers take; ``None`` if it is not known.

        It is not known if no worker answers, or if one has no fixed number and takes calls.
        """
        async with self._lock:  # those who come meanwhile use the same answer
            if self._asked_at is None or self._clock() - self._asked_at >= _MAX_AGE_S:
                before, self._free = self._free, self._sum(await self._ask())
                self._asked_at = self._clock()
                if before is not None and self._free is not None:
                    del self._grants[: max(before - self._free, 0)]  # the workers know these calls by now
            self._grants = [at for at in self._grants if self._clock() - at < _GRANT_S]
            return None if self._free is None else max(self._free - len(self._grants), 0)

    async def take(self, reserve: int) -> bool:
        """Let one call in, unless no more than ``reserve`` slots are free; if it is not known, let it in."""
        free = await self.free()
        if free is not None and free <= reserve:
            return False
        self._grants.append(self._clock())
        return True

    def _sum(self, answers: Sequence[Any]) -> int | None:
        own = [one for one in answers if isinstance(one, dict) and one.get("agent_name") == self._agent_name]
        free = [one.get("free") for one in own]
        if not free or None in free:
            return None
        return sum(one for one in free if isinstance(one, int))


class WorkerAddresses:
    """Asks all workers behind some addresses. A name may stand for several: each of its addresses is asked.

    Args:
        urls: Such as ``http://worker:8081``.
    """

    def __init__(self, urls: Sequence[str]) -> None:
        self._urls = urls

    async def __call__(self) -> list[Any]:
        """Return the answers of those that answered in time."""
        addresses = {address for found in await asyncio.gather(*map(_resolve, self._urls)) for address in found}
        async with aiohttp.ClientSession(timeout=_TIMEOUT) as http:
            answers = await asyncio.gather(*(_get(http, address) for address in sorted(addresses)))
        return [answer for answer in answers if answer is not None]


async def _resolve(url: str) -> list[str]:
    """Return the URL of each address that the host of ``url`` has now; none if it is unknown."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    if parts.scheme == "https":  # the certificate is for the name
        return [f"{url}{_PATH}"]
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except OSError:
        _logger.warning("WORKER_URLS: %s is no known name", parts.hostname)
        return []
    names = (str(address[0]) for *_, address in found)
    hosts = (f"[{name}]" if ":" in name else name for name in names)
    return [urlunsplit((parts.scheme, f"{host}:{port}", f"{parts.path}{_PATH}", "", "")) for host in hosts]


async def _get(http: aiohttp.ClientSession, url: str) -> Any:
    with contextlib.suppress(aiohttp.ClientError, asyncio.TimeoutError, ValueError, OSError):
        async with http.get(url) as response:
            if response.status == 200:
                return await response.json()
    return None
