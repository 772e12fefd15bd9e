"""How is a connection made to fail at the socket? Toxiproxy stands between the worker and each provider."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aiohttp

from testbed.processes import free_port
from testbed.services import Service, find_binary

_ATTEMPTS = 4


def toxiproxy(port: int) -> Service:
    command = [find_binary("toxiproxy-server"), "-host", "127.0.0.1", "-port", str(port)]
    return Service("toxiproxy", command, 20, ready_url=f"http://127.0.0.1:{port}/version")


class Toxiproxy:
    """Its HTTP interface (https://github.com/Shopify/toxiproxy#http-api)."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}"

    async def create(self, names: Mapping[str, int]) -> dict[str, int]:
        """A proxy for each name, to the port on loopback that is given; returns the ports that they listen on."""
        listening = {name: free_port() for name in names}
        for name, port in names.items():
            proxy = {"name": name, "listen": f"127.0.0.1:{listening[name]}", "upstream": f"127.0.0.1:{port}"}
            await self._post("/proxies", proxy)
        return listening

    async def refuse(self, name: str) -> None:
        """Close all its connections and take no new one."""
        await self._post(f"/proxies/{name}", {"enabled": False})

    async def accept(self, name: str) -> None:
        await self._post(f"/proxies/{name}", {"enabled": True})

    async def send_to(self, name: str, port: int) -> None:
        """Close its connections and take new ones, to another port on loopback."""
        await self._post(f"/proxies/{name}", {"upstream": f"127.0.0.1:{port}"})

    async def hang_up(self, name: str) -> None:
        """Close its connections; new ones are taken."""
        await self.refuse(name)
        await self.accept(name)

    async def add(self, name: str, toxic: str, **attributes: int) -> None:
        """One of Toxiproxy's toxics, on what comes from the provider."""
        await self._post(f"/proxies/{name}/toxics", {"type": toxic, "stream": "downstream", "attributes": attributes})

    async def heal(self) -> None:
        """All proxies take connections, and none has a toxic."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return await self._post("/reset", {})
            except aiohttp.ClientError:  # it gives itself 5 s for it, and may have to wait for a connection
                if attempt == _ATTEMPTS:
                    raise

    async def _post(self, path: str, body: Mapping[str, Any]) -> None:
        async with aiohttp.ClientSession(raise_for_status=True) as http, http.post(self._url + path, json=body):
            pass
