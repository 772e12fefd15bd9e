"""TLS servers before a provider: with a valid certificate, with an expired one, and without TLS."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

import trustme

VALID, EXPIRED, NO_TLS = "TLS", "expired certificate", "no TLS"
_BROKEN_HANDSHAKE = b"\x16\x03\x03\x00\x40" + b"\xff" * 64
_BUFFER_BYTES = 65_536


@dataclass(frozen=True)
class TlsFront:
    """The running servers.

    Attributes:
        ports: On loopback, by the kind of server.
        authority: PEM file of the certificate that has signed theirs.
    """

    ports: Mapping[str, int]
    authority: Path


@contextlib.asynccontextmanager
async def tls_front(upstream: int, folder: Path) -> AsyncIterator[TlsFront]:
    """Run the servers, which pass decrypted data on to a port on loopback."""
    authority = trustme.CA()
    path = folder / "authority.pem"
    authority.cert_pem.write_to_path(path)
    yesterday = datetime.now(timezone.utc) - timedelta(days=1)
    contexts = {
        VALID: _context(authority.issue_cert("localhost")),
        EXPIRED: _context(authority.issue_cert("localhost", not_after=yesterday)),
        NO_TLS: None,
    }

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        provider_reader, provider_writer = await asyncio.open_connection("127.0.0.1", upstream)
        await asyncio.gather(_copy(reader, provider_writer), _copy(provider_reader, writer))

    async def break_handshake(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(_BUFFER_BYTES)  # unread data would reset the connection
        writer.write(_BROKEN_HANDSHAKE)
        await _close(writer)

    async with contextlib.AsyncExitStack() as stack:
        ports = {}
        for kind, context in contexts.items():
            handler = forward if context else break_handshake
            server = await asyncio.start_server(handler, "127.0.0.1", 0, ssl=context)
            stack.callback(server.close)
            ports[kind] = server.sockets[0].getsockname()[1]
        yield TlsFront(ports, path)


def _context(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(context)
    return context


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(_BUFFER_BYTES):
            writer.write(data)
            await writer.drain()
    await _close(writer)


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
