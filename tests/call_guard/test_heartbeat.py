"""What LiveKit's answers to a call of a participant's method mean."""

from __future__ import annotations

import aiohttp
import jwt
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from call_guard.heartbeat import Heartbeat

SECRET = "a secret of at least thirty-two bytes"


async def ask(status: int, text: str) -> tuple[bool | None, list[tuple[str, dict[str, object]]]]:
    """Return what an answer of LiveKit means, and the requests: token and body."""
    requests: list[tuple[str, dict[str, object]]] = []

    async def perform_rpc(request: web.Request) -> web.Response:
        requests.append((request.headers["authorization"].removeprefix("Bearer "), await request.json()))
        return web.Response(status=status, text=text)

    app = web.Application()
    app.router.add_post("/twirp/livekit.RoomService/PerformRpc", perform_rpc)
    async with TestServer(app) as server, aiohttp.ClientSession() as http:
        url = str(server.make_url("/")).replace("http", "ws", 1)
        return await Heartbeat(http, url, "key", SECRET, 1.5).answers("room", "agent"), requests


@pytest.mark.parametrize(
    ("status", "text", "meaning"),
    [
        (200, '{"payload": ""}', True),
        (400, '{"code": "invalid_argument", "msg": "twirp error unknown: RpcError 1400: Method not supported"}', True),
        (408, '{"code": "canceled", "msg": "twirp error unknown: RpcError 1501: Connection timeout"}', False),
        (408, '{"code": "canceled", "msg": "twirp error unknown: RpcError 1502: Response timeout"}', False),
        (500, '{"code": "internal", "msg": "twirp error unknown: transport failure"}', None),
        (404, '{"code": "not_found", "msg": "requested room does not exist"}', None),
        (404, '{"code": "bad_route", "msg": "no handler for path"}', None),
        (502, "<html>bad gateway</html>", None),
        (200, "[]", None),
    ],
)
async def test_only_a_timeout_of_the_participant_means_that_it_is_dead(
    status: int, text: str, meaning: bool | None
) -> None:
    assert (await ask(status, text))[0] is meaning


async def test_only_the_room_is_opened_and_the_limit_is_told() -> None:
    _, [(token, body)] = await ask(200, '{"payload": ""}')
    claims = jwt.decode(token, SECRET, ["HS256"])
    assert claims["video"]["roomAdmin"] is True
    assert claims["video"]["room"] == "room"
    assert "roomList" not in claims["video"]
    assert (body["room"], body["destination_identity"], body["response_timeout_ms"]) == ("room", "agent", 1500)
