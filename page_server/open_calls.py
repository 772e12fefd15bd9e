"""Limit of the calls that are open at the same time from one client, and from its networks."""

from __future__ import annotations

from collections import OrderedDict

from http_service.networks import networks
from page_server.rooms import Rooms

_MAX_NETWORKS = 10_000


class OpenCalls:
    """Remembers which rooms were made for which network. A room that LiveKit no longer has is no open call.

    LiveKit is asked only when a network is at its limit. Its own replica's rooms are all that a page server knows.

    Args:
        rooms: Tells which rooms still exist.
        max_per_client: Open calls of an IPv4 address or IPv6 /64; for larger networks see
            :mod:`http_service.networks`.
    """

    def __init__(self, rooms: Rooms, max_per_client: int) -> None:
        self._rooms = rooms
        self._max_per_client = max_per_client
        self._by_network: OrderedDict[str, set[str]] = OrderedDict()
        self._being_created: set[str] = set()

    async def reserve(self, address: str, room: str) -> bool:
        """Count a room that is about to be created; return False if the client has too many open calls.

        Call :meth:`created` or :meth:`forget` afterwards.

        Raises:
            RoomsUnavailableError: If LiveKit has to be asked, and does not answer.
        """
        for network, _ in self._full_networks(address):
            await self._forget_ended(network)
        if self._full_networks(address):
            return False
        self._being_created.add(room)
        for network, _ in networks(address):
            self._by_network.setdefault(network, set()).add(room)
            self._by_network.move_to_end(network)
            if len(self._by_network) > _MAX_NETWORKS:
                self._by_network.popitem(last=False)
        return True

    def created(self, room: str) -> None:
        """Note that a reserved room exists now."""
        self._being_created.discard(room)

    def forget(self, address: str, room: str) -> None:
        """Take back the reservation of a room that could not be created."""
        self._being_created.discard(room)
        for network, _ in networks(address):
            self._by_network.get(network, set()).discard(room)

    def _full_networks(self, address: str) -> list[tuple[str, int]]:
        return [
            (network, factor)
            for network, factor in networks(address)
            if len(self._by_network.get(network, ())) >= self._max_per_client * factor
        ]

    async def _forget_ended(self, network: str) -> None:
        known = frozenset(self._by_network.get(network, ()))
        ended = known - await self._rooms.existing(known) - self._being_created
        self._by_network.get(network, set()).difference_update(ended)
