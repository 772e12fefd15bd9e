"""Client of Toxiproxy, which makes connections fail at the socket (https://github.com/Shopify/toxiproxy#http-api)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aiohttp

from testbed.processes import free_port
from testbed.services import Service, find_binary

_MAX_ATTEMPTS = 4


def toxiproxy(port: int) -> Service:
    """Return the service with its API on a port of loopback.

    Raises:
        ServiceError: If there is no toxiproxy-server.
    """
    command = [find_binary("toxiproxy-server"), "-host", "127.0.0.1", "-port", str(port)]
    return Service("toxiproxy", command, 20, ready_url=f"http://127.0.0.1:{port}/version")


class Toxiproxy:
    """Proxies by their name."""

    def __init__(self, port: int) -> None:
        """Use the API on this port of loopback."""
        self._url = f"http://127.0.0.1:{port}"

    async def create(self, upstreams: Mapping[str, int]) -> dict[str, int]:
        """Create a proxy for each name, to a port of loopback, and return the ports that the proxies listen on."""
        listening = {name: free_port() for name in upstreams}
        for name, port in upstreams.items():
            proxy = {"name": name, "listen": f"127.0.0.1:{listening[name]}", "upstream": f"127.0.0.1:{port}"}
            await self._post("/proxies", proxy)
        return listening

    async def disable(self, name: str) -> None:
        """Close all connections and refuse new ones."""
        await self._post(f"/proxies/{name}", {"enabled": False})

    async def close_connections(self, name: str) -> None:
        """Close all connections; new ones are accepted."""
        await self.disable(name)
        await self._post(f"/proxies/{name}", {"enabled": True})

    async def set_upstream(self, name: str, port: int) -> None:
        """Close all connections and forward new ones to another port of loopback."""
        await self._post(f"/proxies/{name}", {"upstream": f"127.0.0.1:{port}"})

    async def add_toxic(self, name: str, toxic: str, **attributes: int) -> None:
        """Add a toxic to what comes from the provider."""
        await self._post(f"/proxies/{name}/toxics", {"type": toxic, "stream": "downstream", "attributes": attributes})

    async def reset(self) -> None:
        """Enable all proxies and remove all toxics."""
        for attempt in range(1, _MAX_ATTEMPTS + 1):
            try:
                return await self._post("/reset", {})
            except aiohttp.ClientError:  # it may have to wait for a connection, and gives up after 5 s
                if attempt == _MAX_ATTEMPTS:
                    raise

    async def _post(self, path: str, body: Mapping[str, Any]) -> None:
        async with aiohttp.ClientSession(raise_for_status=True) as http, http.post(self._url + path, json=body):
            pass
