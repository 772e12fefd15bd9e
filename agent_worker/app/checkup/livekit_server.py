"""Checks of the LiveKit server: it answers, accepts our credentials, makes no rooms for strangers, and gets audio."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import secrets
import time
from collections.abc import AsyncIterator
from http import HTTPStatus

import aiohttp
from livekit import api, rtc

from agent_worker.core.check_result import CheckResult, Status, failed, note, ok, skipped
from agent_worker.core.settings import Settings
from agent_worker.providers.preflight import describe_error, livekit_error

_SERVER, _ROOM, _NEW_ROOMS, _MEDIA = "LiveKit server", "LiveKit room", "LiveKit new rooms", "LiveKit media"
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
        for name in (_ROOM, _NEW_ROOMS, _MEDIA):
            yield skipped(name, "the server does not answer")
        return
    livekit = api.LiveKitAPI(url, settings.livekit_api_key, secret, session=http)
    room_name = f"agent-worker-check-{secrets.token_hex(4)}"
    room = await _check_room(livekit, room_name, url)
    yield room
    if room.status is not Status.OK:
        for name in (_NEW_ROOMS, _MEDIA):
            yield skipped(name, "there is no room to join")
        return
    try:
        yield await check_new_rooms(http, settings)
        yield await _check_media(settings, url, room_name)
    finally:
        with contextlib.suppress(api.TwirpError, aiohttp.ClientError, asyncio.TimeoutError):
            await livekit.room.delete_room(api.DeleteRoomRequest(room=room_name))


async def _check_server(http: aiohttp.ClientSession, url: str) -> CheckResult:
    started = time.perf_counter()
    try:
        async with http.get(_http_url(url)):
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


async def check_new_rooms(http: aiohttp.ClientSession, settings: Settings) -> CheckResult:
    """Ask whether the server would make a room for whoever joins. It makes none: the request only validates a token."""
    url = f"{_http_url(str(settings.livekit_url))}/rtc/validate"
    headers = {"Authorization": f"Bearer {_token(settings, f'agent-worker-check-{secrets.token_hex(4)}')}"}
    try:
        async with http.get(url, headers=headers) as response:
            status = response.status
    except (aiohttp.ClientError, asyncio.TimeoutError) as error:
        return failed(_NEW_ROOMS, f"no answer ({describe_error(error)})", "see the server's log")
    if status == HTTPStatus.NOT_FOUND:
        return ok(_NEW_ROOMS, "the server makes rooms for no one who joins (room.auto_create: false)")
    if status != HTTPStatus.OK:
        return note(_NEW_ROOMS, f"cannot tell whether it makes rooms (HTTP {status})", "see the server's log")
    if settings.worker_page_rooms_only:
        return ok(_NEW_ROOMS, "the server makes rooms for whoever joins; this worker serves those of the page only")
    return note(
        _NEW_ROOMS,
        "the server makes a room for whoever joins: with a token of an ended call one can call again, past all limits",
        "set room.auto_create: false in the server's configuration and create rooms through its API, as the page "
        "server does; or, where callers come from the page only (LiveKit Cloud), WORKER_PAGE_ROOMS_ONLY=1",
    )


async def _check_media(settings: Settings, url: str, room_name: str) -> CheckResult:
    room = rtc.Room()
    started = time.perf_counter()
    try:
        await asyncio.wait_for(room.connect(url, _token(settings, room_name)), _JOIN_TIMEOUT_S)
        return ok(_MEDIA, "joined the room", time.perf_counter() - started)
    except (rtc.ConnectError, asyncio.TimeoutError):
        return failed(_MEDIA, f"could not join the room within {_JOIN_TIMEOUT_S:.0f} s", _BLOCKED_REMEDY)
    finally:
        with contextlib.suppress(Exception):
            await asyncio.wait_for(room.disconnect(), _LEAVE_TIMEOUT_S)


def _http_url(url: str) -> str:
    return url.replace("ws", "http", 1) if url.startswith("ws") else url


def _token(settings: Settings, room_name: str) -> str:
    token = api.AccessToken(settings.livekit_api_key, settings.livekit_api_secret.get_secret_value())
    grants = api.VideoGrants(room_join=True, room=room_name, hidden=True)
    return token.with_identity("agent-worker-check").with_grants(grants).to_jwt()
