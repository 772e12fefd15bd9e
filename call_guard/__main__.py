"""``python -m call_guard``: give an agent to every caller who has none."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import sys
import warnings
from collections.abc import AsyncIterator

import aiohttp
from dotenv import load_dotenv
from livekit import api

from agent_worker.core.settings import BadSettingsError, load
from call_guard.announcer import Announcers
from call_guard.app import create_app
from call_guard.guard import Guard
from call_guard.heartbeat import Heartbeat
from call_guard.line import Dialer
from call_guard.metrics import GuardMetrics
from call_guard.rooms import LiveKitRooms
from call_guard.settings import GuardSettings
from http_service.connections import limited_config
from http_service.server import Server, block_stop_signals, exit_with_problems, listen_or_exit
from http_service.worker_slots import WorkerAddresses, WorkerSlots

_PROGRAM = "call_guard"
#: LiveKit sends its webhooks from few addresses, each over several connections.
_CONNECTIONS_PER_CLIENT = 100


def main() -> None:
    """Run the guard until SIGINT or SIGTERM. Exit with code 2 if it cannot start."""
    block_stop_signals()
    argparse.ArgumentParser(
        prog="python -m call_guard",
        description="Give an agent to every caller who has none. Settings come from the environment and .env; "
        ".env.example explains each.",
    ).parse_args()
    load_dotenv(".env")
    try:
        settings = load(GuardSettings)
    except BadSettingsError as error:
        exit_with_problems(_PROGRAM, error.problems)
    listener = listen_or_exit(_PROGRAM, settings.guard_host, settings.guard_port, "GUARD_HOST and GUARD_PORT")
    logging.basicConfig(format=f"{_PROGRAM}: %(message)s", level=logging.INFO, stream=sys.stderr)
    warnings.filterwarnings("ignore", module="jwt")  # of short secrets, as development servers have
    host, port = listener.getsockname()[:2]
    print(f"{_PROGRAM}: guarding the calls on {settings.livekit_url}, serving {host}:{port}", flush=True)
    service = GuardService(settings)
    config = limited_config(service.app, _CONNECTIONS_PER_CLIENT, server_header=False)
    Server(config).run(sockets=[listener])
    sys.exit(0)


class GuardService:
    """The guard with its client of LiveKit's API, and its web application.

    Attributes:
        app: The web application; the guard runs as long as it does.
    """

    def __init__(self, settings: GuardSettings) -> None:
        self._settings = settings
        self._secret = settings.livekit_api_secret.get_secret_value()
        self._metrics = GuardMetrics()
        self._guard: Guard | None = None
        receiver = api.WebhookReceiver(api.TokenVerifier(settings.livekit_api_key, self._secret))
        self.app = create_app(receiver, self._on_change, self._metrics, self._running)

    def _on_change(self, room: str) -> None:
        if self._guard:
            self._guard.check_soon(room)

    @contextlib.asynccontextmanager
    async def _running(self) -> AsyncIterator[None]:
        settings = self._settings
        url, key = str(settings.livekit_url), settings.livekit_api_key
        async with aiohttp.ClientSession() as http, api.LiveKitAPI(url, key, self._secret) as livekit:
            rooms = LiveKitRooms(livekit, self._secret)
            heartbeat = self._heartbeat(http) if settings.guard_agent_timeout else None
            urls = settings.worker_urls
            slots = WorkerSlots(WorkerAddresses(urls), settings.agent_name) if urls else None
            announcers = self._announcers(rooms) if settings.guard_announcer else None
            self._guard = Guard(rooms, settings.policy, self._metrics, announcers, slots, heartbeat)
            sweeps = asyncio.create_task(self._guard.run(settings.guard_sweep_interval), name="sweeps")
            try:
                yield
            finally:
                sweeps.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await sweeps
                await self._guard.idle()
                if announcers:
                    await announcers.aclose()

    def _heartbeat(self, http: aiohttp.ClientSession) -> Heartbeat:
        settings = self._settings
        url, key = str(settings.livekit_url), settings.livekit_api_key
        return Heartbeat(http, url, key, self._secret, settings.guard_agent_timeout)

    def _announcers(self, rooms: LiveKitRooms) -> Announcers:
        settings = self._settings
        return Announcers(Dialer(settings), rooms, settings.sentences, self._metrics, settings.guard_wait_limit)


if __name__ == "__main__":
    main()
