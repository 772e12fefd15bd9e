"""How does a provider's TLS break? Servers before it whose certificate is good, or expired, or that know no TLS."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

import trustme

SOUND, EXPIRED, NO_TLS = "TLS", "expired certificate", "no TLS"
#: What comes instead of a handshake.
_NONSENSE = b"\x16\x03\x03\x00\x40" + b"\xff" * 64
_BUFFER = 65_536


@dataclass(frozen=True)
class TlsFront:
    """
    Attributes:
        ports: Where each of the servers listens on loopback, by its kind.
        authority: The file of the certificate that has signed theirs, in PEM.
    """

    ports: Mapping[str, int]
    authority: Path


@contextlib.asynccontextmanager
async def tls_front(upstream: int, folder: Path) -> AsyncIterator[TlsFront]:
    """Servers that pass what they decrypt on to a port on loopback."""
    authority = trustme.CA()
    path = folder / "authority.pem"
    authority.cert_pem.write_to_path(path)
    yesterday = datetime.now(timezone.utc) - timedelta(days=1)
    contexts = {
        SOUND: _context(authority.issue_cert("localhost")),
        EXPIRED: _context(authority.issue_cert("localhost", not_after=yesterday)),
        NO_TLS: None,
    }

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection("127.0.0.1", upstream)
        await asyncio.gather(_pump(reader, there[1]), _pump(there[0], writer))

    async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(_BUFFER)  # else the connection would be reset, and not answered
        writer.write(_NONSENSE)
        await _close(writer)

    async with contextlib.AsyncExitStack() as stack:
        ports = {}
        for kind, context in contexts.items():
            server = await asyncio.start_server(pass_on if context else nonsense, "127.0.0.1", 0, ssl=context)
            stack.callback(server.close)
            ports[kind] = server.sockets[0].getsockname()[1]
        yield TlsFront(ports, path)


def _context(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(context)
    return context


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(_BUFFER):
            writer.write(data)
            await writer.drain()
    await _close(writer)


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
