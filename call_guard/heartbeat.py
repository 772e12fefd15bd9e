"""Does the connection of an agent still answer? LiveKit keeps a dead agent in its room for some 20 s.

LiveKit's server can call a method of a participant (RPC). The agent has none of this name, and its SDK answers that, in
a thread of its own: so also an agent that has much to do answers within some 10 ms.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

import aiohttp
from livekit import api

#: A method that no participant has.
_METHOD: Final = "agent_worker.heartbeat"
_PATH: Final = "/twirp/livekit.RoomService/PerformRpc"
_TOKEN_LIFETIME: Final = timedelta(minutes=1)
_RPC_ERROR: Final = re.compile(r"RpcError (\d+)")
_NO_METHOD: Final = 1400
_TIMEOUTS: Final = {1501, 1502}  # nothing has confirmed the call, nothing has answered it


class Heartbeat:
    """Asks participants for a sign of life, by LiveKit's API.

    Args:
        http: A client without an address of its own.
        url: Of the LiveKit server.
        key: LiveKit's API key.
        secret: LiveKit's API secret.
        timeout_s: How long an answer may take.
    """

    def __init__(self, http: aiohttp.ClientSession, url: str, key: str, secret: str, timeout_s: float) -> None:
        self._http = http
        self._url = re.sub("^ws", "http", url).rstrip("/") + _PATH
        self._key = key
        self._secret = secret
        self._timeout_ms = round(timeout_s * 1000)

    async def answers(self, room: str, identity: str) -> bool | None:
        """Return whether a participant answers in time; ``None`` if LiveKit cannot tell, as of one that has left.

        Raises:
            aiohttp.ClientError: If LiveKit is not reached.
        """
        call = {
            "room": room,
            "destination_identity": identity,
            "method": _METHOD,
            "response_timeout_ms": self._timeout_ms,
        }
        headers = {"Authorization": f"Bearer {self._token(room)}"}
        # LiveKit itself may take a few seconds for a room that has just ended.
        timeout = aiohttp.ClientTimeout(total=self._timeout_ms / 1000 + 5)
        try:
            async with self._http.post(self._url, json=call, headers=headers, timeout=timeout) as response:
                answer = await response.json(content_type=None)
        except (asyncio.TimeoutError, ValueError):  # ValueError: no JSON, as from a proxy
            return None
        return _means_life(answer)

    def _token(self, room: str) -> str:
        token = api.AccessToken(self._key, self._secret).with_ttl(_TOKEN_LIFETIME)
        return token.with_grants(api.VideoGrants(room_admin=True, room=room)).to_jwt()


def _means_life(answer: object) -> bool | None:
    if not isinstance(answer, Mapping):
        return None
    if "payload" in answer:
        return True
    found = _RPC_ERROR.search(str(answer.get("msg", "")))
    code = int(found[1]) if found else None
    if code == _NO_METHOD:
        return True
    return False if code in _TIMEOUTS else None
