"""The networks that a client address belongs to, and how much more than one client each may do.

Whoever has one address often has its neighbours too: all of an IPv6 /64, often a /56 or /48, sometimes an IPv4 /24. A
limit for each address alone would allow such a client as much as it has addresses.
"""

from __future__ import annotations

import ipaddress

from starlette.requests import HTTPConnection

#: By length of the prefix, from the narrowest: how many times the limit of a single client all of it may use.
_IPV4_FACTORS = {32: 1, 24: 8, 16: 64}
_IPV6_FACTORS = {64: 1, 56: 4, 48: 16, 32: 64}


def client_address(connection: HTTPConnection) -> str:
    """Return the client's address as the server knows it; empty for a client without one, such as a Unix socket."""
    return connection.client.host if connection.client else ""


def networks(address: str) -> list[tuple[str, int]]:
    """Return the networks of an address, from the narrowest, each with its multiple of a single client's limit.

    An IPv4 address that is mapped to IPv6 counts as IPv4. What is no IP address counts as itself.
    """
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return [(address, 1)]
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    if isinstance(ip, ipaddress.IPv4Address):
        return [(str(ipaddress.IPv4Network((int(ip), bits), strict=False)), n) for bits, n in _IPV4_FACTORS.items()]
    return [(str(ipaddress.IPv6Network((int(ip), bits), strict=False)), n) for bits, n in _IPV6_FACTORS.items()]
