"""The LiveKit server: is it there, does it take our credentials, and can audio get to it?"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator

import aiohttp
from livekit import api, rtc

from agent_worker.app.checkup.findings import Finding, failed, ok, skipped
from agent_worker.core.settings import Settings
from agent_worker.providers.preflight import livekit_trouble, reason

_SERVER, _ROOM, _MEDIA = "LiveKit server", "LiveKit room", "LiveKit media"
_NOBODY = "agent-worker-check"  # an agent's name: without one, the server would send a worker into the room
_JOIN_SECONDS = 20.0
_BLOCKED = (
    "the server answers but audio cannot reach it: open its media ports (7881/tcp, and 7882/udp or 50000-60000/udp), "
    "and have it tell an address that this machine can reach (--node-ip, or rtc.use_external_ip)"
)


async def examine_livekit(http: aiohttp.ClientSession, settings: Settings) -> AsyncIterator[Finding]:
    url, secret = str(settings.livekit_url), settings.livekit_api_secret.get_secret_value()
    reached = await _reach(http, url)
    yield reached
    if reached.seconds is None:
        yield skipped(_ROOM, "the server does not answer")
        yield skipped(_MEDIA, "the server does not answer")
        return
    livekit = api.LiveKitAPI(url, settings.livekit_api_key, secret, session=http)
    room = f"agent-worker-check-{secrets.token_hex(4)}"
    made = await _make_room(livekit, room, url)
    yield made
    if made.seconds is None:
        yield skipped(_MEDIA, "there is no room to join")
        return
    try:
        yield await _join(settings, url, room)
    finally:
        with contextlib.suppress(api.TwirpError, aiohttp.ClientError, asyncio.TimeoutError):
            await livekit.room.delete_room(api.DeleteRoomRequest(room=room))


async def _reach(http: aiohttp.ClientSession, url: str) -> Finding:
    started = time.perf_counter()
    try:
        async with http.get(url.replace("ws", "http", 1) if url.startswith("ws") else url):
            return ok(_SERVER, f"{url} answers", time.perf_counter() - started)
    except (aiohttp.ClientError, asyncio.TimeoutError) as error:
        to_do = "start it (`livekit-server --dev`) or set LIVEKIT_URL"
        return failed(_SERVER, f"{url} does not answer ({reason(error)})", to_do)


async def _make_room(livekit: api.LiveKitAPI, room: str, url: str) -> Finding:
    started = time.perf_counter()
    wanted = api.CreateRoomRequest(name=room, empty_timeout=30, agents=[api.RoomAgentDispatch(agent_name=_NOBODY)])
    try:
        await livekit.room.create_room(wanted)
        listed = await livekit.room.list_rooms(api.ListRoomsRequest(names=[room]))
    except api.TwirpError as error:
        trouble = livekit_trouble(url, error)
        return failed(_ROOM, trouble.problem, trouble.to_do)
    except (aiohttp.ClientError, asyncio.TimeoutError) as error:
        return failed(_ROOM, f"no answer ({reason(error)})", "see the server's log")
    if not listed.rooms:
        return failed(_ROOM, "a room was made and is not listed", "see the server's log, and its Redis if it has one")
    return ok(_ROOM, "made one and found it: the key and its secret are good", time.perf_counter() - started)


async def _join(settings: Settings, url: str, name: str) -> Finding:
    token = api.AccessToken(settings.livekit_api_key, settings.livekit_api_secret.get_secret_value())
    grants = api.VideoGrants(room_join=True, room=name, hidden=True)
    room = rtc.Room()
    started = time.perf_counter()
    try:
        jwt = token.with_identity("agent-worker-check").with_grants(grants).to_jwt()
        await asyncio.wait_for(room.connect(url, jwt), _JOIN_SECONDS)
        return ok(_MEDIA, "joined the room", time.perf_counter() - started)
    except (rtc.ConnectError, asyncio.TimeoutError):
        return failed(_MEDIA, f"could not join the room within {_JOIN_SECONDS:.0f} s", _BLOCKED)
    finally:
        with contextlib.suppress(Exception):
            await asyncio.wait_for(room.disconnect(), 5)
