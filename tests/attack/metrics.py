"""Attacks on the metrics: read them from another machine, stop them, or take over their folder."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import socket
import stat
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp

from tests.attack.registry import BreachError, Target, attack

_SCRAPES = 50


async def _scrape(http: aiohttp.ClientSession, url: str) -> int:
    async with http.get(url) as response:
        await response.read()
        return response.status


@attack("read the metrics from another machine", "metrics")
async def read_metrics(target: Target) -> None:
    """Ask for the metrics without a password, at an address that other machines reach."""
    host = urlsplit(target.metrics).hostname or ""
    resolved = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    if all(ipaddress.ip_address(address[4][0]).is_loopback for address in resolved):
        return
    async with aiohttp.ClientSession() as http:
        if await _scrape(http, target.metrics) == 200:
            raise BreachError(
                f"{host} serves them without a password: bind loopback, or set a password (--web.config.file)"
            )


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
    """Look whether other users of this machine may write anything in it."""
    assert target.metrics_folder is not None
    problems = await asyncio.to_thread(_writable_by_others, target.metrics_folder)
    if problems:
        raise BreachError("; ".join(problems))


def _writable_by_others(folder: Path) -> list[str]:
    """Return what is wrong in the folder and each folder in it."""
    problems = []
    for path in [folder, *(entry for entry in folder.rglob("*") if entry.is_dir() and not entry.is_symlink())]:
        status = os.lstat(path)
        if not stat.S_ISDIR(status.st_mode):
            problems.append(f"{path} is no folder")
        elif status.st_uid not in (os.getuid(), 0) and os.getuid() != 0:
            problems.append(f"{path} belongs to another user ({status.st_uid})")
        elif status.st_mode & stat.S_IWOTH and not status.st_mode & stat.S_ISVTX:
            problems.append(f"{path} is writable by everyone")
    return problems
