"""Attacks of a visitor of the page, of another site in a visitor's browser, and of a host that only connects."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from aiohttp import encode_basic_auth

from testbed.processes import poll, responds
from tests.attack.registry import BreachError, Target, attack

_TIMEOUT_S = 30.0
_WRONG_PASSWORDS = 30
_IDLE_CONNECTIONS = 600
_RECOVERY_S = 60.0
_FOREIGN = "https://attacker.example"


@contextlib.asynccontextmanager
async def request(
    target: Target, method: str, path: str, *, password: str | None = None, **options: Any
) -> AsyncIterator[aiohttp.ClientResponse]:
    """Request a path of the page with its password, or with another one."""
    headers = dict(options.pop("headers", {}))
    if password := target.page_password if password is None else password:
        headers.setdefault("Authorization", encode_basic_auth("attacker", password))
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
    async with (
        aiohttp.ClientSession(timeout=timeout) as http,
        http.request(method, target.page.rstrip("/") + path, headers=headers, **options) as response,
    ):
        yield response


async def session_status(target: Target, **headers: str) -> int:
    """Return the status of a request for a call."""
    async with session_request(target, **headers) as response:
        return response.status


def session_request(target: Target, **headers: str) -> contextlib.AbstractAsyncContextManager[aiohttp.ClientResponse]:
    """Request a call as the page does, with other headers in place of its own."""
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(target.page))
    return request(target, "POST", "/api/session", json={}, headers={"Origin": origin, **headers})


@attack("have a visitor's browser call from another site", "page")
async def foreign_site(target: Target) -> None:
    """Ask for a call with another site's origin, and with none."""
    for headers in ({"Origin": _FOREIGN}, {"Origin": "null"}, {"Origin": _FOREIGN, "Sec-Fetch-Site": "cross-site"}):
        if (status := await session_status(target, **headers)) == 200:
            raise BreachError(f"a call was granted to {headers}: {status}")


@attack("have another site's name resolve to the page (DNS rebinding)", "page")
async def dns_rebinding(target: Target) -> None:
    """Ask for a call under a name that is not the page's."""
    port = urlsplit(target.page).port
    name = f"attacker.example:{port}" if port else "attacker.example"
    scheme = urlsplit(target.page).scheme
    if await session_status(target, Host=name, Origin=f"{scheme}://{name}") == 200:
        raise BreachError(f"a call was granted under the name {name}: set PAGE_ORIGIN")


@attack("use the page without its password", "page", "page_password")
async def no_password(target: Target) -> None:
    """Ask for the page and for a call with no password and with a wrong one."""
    for password in ("", "wrong"):
        for method, path in (("GET", "/"), ("POST", "/api/session")):
            async with request(target, method, path, password=password) as response:
                if response.status not in (401, 429):
                    raise BreachError(f"{method} {path} with the password {password!r}: {response.status}")


@attack("lock out who knows the password", "page", "page_password")
async def wrong_passwords(target: Target) -> None:
    """Send wrong passwords, then the right one from the same address."""
    for _ in range(_WRONG_PASSWORDS):
        async with request(target, "GET", "/api/config", password="wrong"):
            pass
    async with request(target, "GET", "/api/config") as response:
        if response.status != 200:
            raise BreachError(f"after {_WRONG_PASSWORDS} wrong passwords the right one gets {response.status}")


@attack("make the page answer nobody by connections that say nothing", "page")
async def idle_connections(target: Target) -> None:
    """Open many connections, send nothing, and keep them; ask for the health check, and for the page.

    The page may refuse more connections of the attacker's address: it has to answer it again once it has closed the
    silent ones.
    """
    url = urlsplit(target.page)
    port = url.port or (443 if url.scheme == "https" else 80)
    opened: list[asyncio.StreamWriter] = []
    try:
        for _ in range(_IDLE_CONNECTIONS):
            with contextlib.suppress(OSError, asyncio.TimeoutError):
                _, writer = await asyncio.wait_for(asyncio.open_connection(url.hostname, port), _TIMEOUT_S)
                opened.append(writer)
        if target.page_health and not await responds(target.page_health):
            raise BreachError(f"with {len(opened)} idle connections the health check does not answer")
        await _answers_again(target, len(opened))
    finally:
        for writer in opened:
            writer.close()


async def _answers_again(target: Target, connections: int) -> None:
    async def answers() -> bool:
        with contextlib.suppress(aiohttp.ClientError, asyncio.TimeoutError):
            async with request(target, "GET", "/api/config") as response:
                return response.status == 200
        return False

    try:
        await asyncio.wait_for(poll(answers), _RECOVERY_S)
    except asyncio.TimeoutError:
        text = f"with {connections} idle connections of one address the page does not answer for {_RECOVERY_S:.0f} s"
        raise BreachError(text) from None


@attack("put a script or a frame of another site into the page", "page")
async def script_injection(target: Target) -> None:
    """Look for the headers that forbid it."""
    async with request(target, "GET", "/") as response:
        policy = response.headers.get("Content-Security-Policy", "")
        if "script-src" not in policy and "default-src" not in policy:
            raise BreachError("no Content-Security-Policy")
        if "unsafe-inline" in policy.partition("style-src")[0] or "frame-ancestors 'none'" not in policy:
            raise BreachError(f"Content-Security-Policy: {policy}")
        if urlsplit(target.page).scheme == "https" and "Strict-Transport-Security" not in response.headers:
            raise BreachError("no Strict-Transport-Security with TLS")
