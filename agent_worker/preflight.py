"""Asks LiveKit and each provider, before the worker registers, whether they would serve us."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

import aiohttp
from livekit import api

from agent_worker.log import logger
from agent_worker.settings import BadSettingsError, Settings

_TIMEOUT = aiohttp.ClientTimeout(total=5)


@dataclass(frozen=True)
class Provider:
    """A provider and a cheap request that tells whether it accepts our key and has our models.

    Attributes:
        name: What people call it.
        url: Answers a GET with 401 or 403 to a wrong key. With ``models`` it is the OpenAI-style list of models,
            below which each model has a page of its own.
        authorization: Value of the ``Authorization`` header.
        key_setting: The setting that holds the key.
        models: Setting name and model for each model that has to be there.
        how_to_start: What to do when nothing answers.
        how_to_get_model: What to do when a model is missing; ``{model}`` is filled in.
    """

    name: str
    url: str
    authorization: str
    key_setting: str
    how_to_start: str
    models: tuple[tuple[str, str], ...] = ()
    how_to_get_model: str = "see the provider's list of models"


async def check(settings: Settings, providers: Sequence[Provider], *, with_livekit: bool) -> None:
    """Ask everybody at once.

    One that cannot be reached is a warning: it may still be starting, and the worker tries again.

    Raises:
        BadSettingsError: With every refused key and unknown model.
    """
    problems = _check_port(settings.worker_port)
    async with aiohttp.ClientSession(timeout=_TIMEOUT, trust_env=True) as http:
        checks = [_check_provider(http, provider) for provider in providers]
        if with_livekit:
            checks.append(_check_livekit(http, settings))
        for found in await asyncio.gather(*checks):
            problems += found
    if problems:
        raise BadSettingsError(problems)


def _check_port(port: int) -> list[str]:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("", port))
        except OSError as error:
            return [f"WORKER_PORT: cannot listen on port {port} ({error.strerror}): choose another; 0 picks a free one"]
    return []


async def _check_livekit(http: aiohttp.ClientSession, settings: Settings) -> list[str]:
    url, secret = str(settings.livekit_url), settings.livekit_api_secret.get_secret_value()
    try:
        livekit = api.LiveKitAPI(url, settings.livekit_api_key, secret, session=http)
        await livekit.room.list_rooms(api.ListRoomsRequest())
    except api.TwirpError as error:
        if error.status in (401, 403):
            return [f"LIVEKIT_API_KEY, LIVEKIT_API_SECRET: the LiveKit server at {url} refuses them"]
        logger.warning("the LiveKit server at %s answers with an error: %s; going on", url, error.code)
    except (aiohttp.ClientError, asyncio.TimeoutError) as error:
        _warn_no_answer(f"the LiveKit server at {url}", error, "Start it or set LIVEKIT_URL")
    return []


async def _check_provider(http: aiohttp.ClientSession, provider: Provider) -> list[str]:
    problems = []
    wanted = [(setting, model, f"{provider.url}/{quote(model)}") for setting, model in provider.models]
    for setting, model, url in wanted or [("", "", provider.url)]:
        try:
            async with http.get(url, headers={"Authorization": provider.authorization}) as response:
                status = response.status
        except (aiohttp.ClientError, asyncio.TimeoutError) as error:
            _warn_no_answer(f"{provider.name} at {provider.url}", error, provider.how_to_start)
            return []
        who = f"{provider.name} at {provider.url}"
        if status == 401:
            return [f"{provider.key_setting}: {who} refuses this key"]
        if status == 404 and model and await _lists_models(http, provider):
            problems.append(f"{setting}: {who} has no model '{model}': {provider.how_to_get_model.format(model=model)}")
        elif status >= 400 and model:
            logger.warning("cannot ask %s for model '%s': HTTP %d. Check its base URL; going on", who, model, status)
    return problems


async def _lists_models(http: aiohttp.ClientSession, provider: Provider) -> bool:
    """Whether the list of models is there. If not, it is the address that is wrong and not the model."""
    try:
        async with http.get(provider.url, headers={"Authorization": provider.authorization}) as response:
            return response.status == 200
    except (aiohttp.ClientError, asyncio.TimeoutError):
        return False


def _warn_no_answer(who: str, error: Exception, what_to_do: str) -> None:
    reason = str(error) or f"nothing within {_TIMEOUT.total:.0f} s"
    logger.warning("%s does not answer yet (%s). %s. The worker will try again.", who, reason, what_to_do)
