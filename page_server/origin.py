"""Which hosts and origins are this page's own: against other sites in a visitor's browser, and DNS rebinding.

With DNS rebinding a site lets its own name resolve to this server's address. The browser then takes this server for
that site, and sends its name as host and origin. So a name is accepted only if it is known to be this server's; an
address always is the one that the browser connected to.
"""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from page_server.settings import PageSettings, is_loopback


class OwnAddress:
    """Tells whether a request names this page's own host and origin.

    Args:
        settings: ``PAGE_ORIGIN``, and where the server listens.
        machine_name: The name of this machine.
    """

    def __init__(self, settings: PageSettings, machine_name: str = "") -> None:
        self._origin = settings.page_origin and str(settings.page_origin)
        self._names = {"localhost"}
        if self._origin:
            self._names.add(_hostname(self._origin))
        elif not is_loopback(settings.page_host):
            name = (machine_name or socket.gethostname()).lower()
            self._names |= {settings.page_host.lower(), name, f"{name}.local"}
        self._only_loopback = self._origin is None and is_loopback(settings.page_host)

    def is_own_host(self, connection: HTTPConnection) -> bool:
        """Whether the ``Host`` header names this server."""
        host = _hostname(f"//{connection.headers.get('host', '')}")
        if self._only_loopback:
            return is_loopback(host)
        return host in self._names or _is_ip_address(host)

    def is_own_origin(self, connection: HTTPConnection) -> bool:
        """Whether the request comes from this page: with ``PAGE_ORIGIN`` from there only, otherwise from its own host.

        ``Sec-Fetch-Site``, which newer browsers send, must not contradict.
        """
        if connection.headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return False
        origin = connection.headers.get("origin", "")
        if self._origin:
            return origin == self._origin
        host = connection.headers.get("host", "")
        return origin == f"{connection.url.scheme}://{host}" and self.is_own_host(connection)


def _hostname(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _is_ip_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
