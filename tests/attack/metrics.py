"""Attacks on the metrics: read them from another machine, stop them, or take over their folder."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import psutil

from agent_metrics.storage.trusted import UntrustedError, check_path, folder_problem
from tests.attack.registry import BreachError, Target, attack

_SCRAPES = 50
_TIMEOUT_S = 10.0


async def _scrape(http: aiohttp.ClientSession, url: str) -> int:
    async with http.get(url) as response:
        await response.read()
        return response.status


@attack("read the metrics from another machine", "metrics")
async def read_metrics(target: Target) -> None:
    """Ask for the metrics without a password, at every address that other machines reach.

    If the given address is on loopback, this machine's other addresses are asked.
    """
    url = urlsplit(target.metrics)
    resolved = await asyncio.get_running_loop().getaddrinfo(url.hostname, None, type=socket.SOCK_STREAM)
    hosts = {str(address[4][0]) for address in resolved}
    if all(ipaddress.ip_address(host).is_loopback for host in hosts):
        hosts = set(_own_addresses())
    for host in hosts:
        if await _is_open(url._replace(netloc=f"{host}:{url.port or 80}").geturl()):
            raise BreachError(f"{host} serves them without a password: set METRICS_HOST=127.0.0.1, or a password")


def _own_addresses() -> Iterator[str]:
    """Yield the IPv4 addresses of this machine that others may reach."""
    for addresses in psutil.net_if_addrs().values():
        for address in addresses:
            if address.family == socket.AF_INET and not ipaddress.ip_address(address.address).is_loopback:
                yield address.address


async def _is_open(url: str) -> bool:
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_TIMEOUT_S)) as http:
            return await _scrape(http, url) == 200
    except (aiohttp.ClientError, asyncio.TimeoutError):
        return False


@attack("stop the metrics by many scrapes at once", "metrics")
async def many_scrapes(target: Target) -> None:
    """Scrape many times at once."""
    async with aiohttp.ClientSession() as http:
        results = await asyncio.gather(
            *(_scrape(http, target.metrics) for _ in range(_SCRAPES)), return_exceptions=True
        )
        if (status := await _scrape(http, target.metrics)) not in (200, 401):
            raise BreachError(f"after {_SCRAPES} scrapes at once: {status}")
        if lost := [result for result in results if isinstance(result, BaseException)]:
            raise BreachError(f"{len(lost)} of {_SCRAPES} scrapes at once failed: {type(lost[0]).__name__}")


@attack("put files of one's own into the metrics folder", "metrics_folder")
async def metrics_folder(target: Target) -> None:
    """Look whether other users made any folder in it, may write to one, or have put a link there."""
    assert target.metrics_folder is not None
    if problems := await asyncio.to_thread(lambda: [*_untrusted(target.metrics_folder or Path())]):
        raise BreachError("; ".join(problems))


def _untrusted(folder: Path) -> Iterator[str]:
    """Yield what is wrong with the folder and everything in it."""
    try:
        check_path(folder)
    except UntrustedError as error:
        yield str(error)
        return
    for path in folder.rglob("*"):
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode) and (problem := folder_problem(status)):
            yield f"{path} {problem}"
