"""Checks of the LiveKit server: it answers, accepts our credentials, and audio can reach it."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import secrets
import time
from collections.abc import AsyncIterator

import aiohttp
from livekit import api, rtc

from agent_worker.core.check_result import CheckResult, Status, failed, ok, skipped
from agent_worker.core.settings import Settings
from agent_worker.providers.preflight import describe_error, livekit_error

_SERVER, _ROOM, _MEDIA = "LiveKit server", "LiveKit room", "LiveKit media"
#: An agent name that no worker has. Without a dispatch, the server would send any worker into the room.
_NO_AGENT = "agent-worker-check"
_JOIN_TIMEOUT_S = 20.0
_LEAVE_TIMEOUT_S = 5.0
_EMPTY_ROOM_TIMEOUT_S = 30
_BLOCKED_REMEDY = (
    "open the server's media ports (7881/tcp, and 7882/udp or 50000-60000/udp): it answers, but audio cannot reach it; "
    "and let it announce an address that this machine can reach (--node-ip, or rtc.use_external_ip)"
)


async def check_livekit(http: aiohttp.ClientSession, settings: Settings) -> AsyncIterator[CheckResult]:
    """Reach the server, create a room, and join it. The room is deleted at the end."""
    url, secret = str(settings.livekit_url), settings.livekit_api_secret.get_secret_value()
    server = await _check_server(http, url)
    yield server
    if server.status is not Status.OK:
        yield skipped(_ROOM, "the server does not answer")
        yield skipped(_MEDIA, "the server does not answer")
        return
    livekit = api.LiveKitAPI(url, settings.livekit_api_key, secret, session=http)
    room_name = f"agent-worker-check-{secrets.token_hex(4)}"
    room = await _check_room(livekit, room_name, url)
    yield room
    if room.status is not Status.OK:
        yield skipped(_MEDIA, "there is no room to join")
        return
    try:
        yield await _check_media(settings, url, room_name)
    finally:
        with contextlib.suppress(api.TwirpError, aiohttp.ClientError, asyncio.TimeoutError):
            await livekit.room.delete_room(api.DeleteRoomRequest(room=room_name))


async def _check_server(http: aiohttp.ClientSession, url: str) -> CheckResult:
    started = time.perf_counter()
    try:
        async with http.get(url.replace("ws", "http", 1) if url.startswith("ws") else url):
            return ok(_SERVER, f"{url} answers", time.perf_counter() - started)
    except (aiohttp.ClientError, asyncio.TimeoutError) as error:
        remedy = "start it (`livekit-server --dev`) or set LIVEKIT_URL"
        return failed(_SERVER, f"{url} does not answer ({describe_error(error)})", remedy)


async def _check_room(livekit: api.LiveKitAPI, room_name: str, url: str) -> CheckResult:
    started = time.perf_counter()
    dispatch = api.RoomAgentDispatch(agent_name=_NO_AGENT)
    request = api.CreateRoomRequest(name=room_name, empty_timeout=_EMPTY_ROOM_TIMEOUT_S, agents=[dispatch])
    try:
        await livekit.room.create_room(request)
        listed = await livekit.room.list_rooms(api.ListRoomsRequest(names=[room_name]))
    except api.TwirpError as error:
        return dataclasses.replace(livekit_error(url, error), name=_ROOM)
    except (aiohttp.ClientError, asyncio.TimeoutError) as error:
        return failed(_ROOM, f"no answer ({describe_error(error)})", "see the server's log")
    if not listed.rooms:
        remedy = "see the server's log, and its Redis if it has one"
        return failed(_ROOM, "a room was created and is not listed", remedy)
    return ok(_ROOM, "created one and found it: the key and its secret are good", time.perf_counter() - started)


async def _check_media(settings: Settings, url: str, room_name: str) -> CheckResult:
    token = api.AccessToken(settings.livekit_api_key, settings.livekit_api_secret.get_secret_value())
    grants = api.VideoGrants(room_join=True, room=room_name, hidden=True)
    room = rtc.Room()
    started = time.perf_counter()
    try:
        jwt = token.with_identity("agent-worker-check").with_grants(grants).to_jwt()
        await asyncio.wait_for(room.connect(url, jwt), _JOIN_TIMEOUT_S)
        return ok(_MEDIA, "joined the room", time.perf_counter() - started)
    except (rtc.ConnectError, asyncio.TimeoutError):
        return failed(_MEDIA, f"could not join the room within {_JOIN_TIMEOUT_S:.0f} s", _BLOCKED_REMEDY)
    finally:
        with contextlib.suppress(Exception):
            await asyncio.wait_for(room.disconnect(), _LEAVE_TIMEOUT_S)
