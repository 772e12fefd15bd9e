"""Asks LiveKit and each provider, before the worker registers, whether they would serve us."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Literal
from urllib.parse import quote

import aiohttp
from livekit import api

from agent_worker.core.log import logger
from agent_worker.core.settings import BadSettingsError, Settings

Component = Literal["stt", "llm", "tts"]

_TIMEOUT = aiohttp.ClientTimeout(total=5)


@dataclass(frozen=True)
class ProviderProbe:
    """A provider and a cheap request that tells whether it accepts our key and has our models.

    Attributes:
        name: What people call it.
        component: Which component of the stack it serves.
        url: Answers a GET with 401 to a wrong key. With ``models`` it is the OpenAI-style list of models,
            below which each model has a page of its own.
        authorization: Value of the ``Authorization`` header.
        key_setting: The setting that holds the key.
        models: Setting name and model for each model that has to be there.
        unreachable_remedy: What to do when nothing answers.
        missing_model_remedy: What to do when a model is missing; ``{model}`` is filled in.
    """

    name: str
    component: Component
    url: str
    authorization: str
    key_setting: str
    unreachable_remedy: str
    models: tuple[tuple[str, str], ...] = ()
    missing_model_remedy: str = "see the provider's list of models"


class Cause(Enum):
    """Why somebody would not serve us."""

    REFUSED = "a wrong setting: it will not go away by itself"
    NO_ANSWER = "it may still be starting"
    UNCLEAR = "an answer that tells neither: a real request has to show"


@dataclass(frozen=True)
class Trouble:
    """What somebody who was asked has against us.

    Attributes:
        problem: Who and what, beginning with the setting if one is at fault.
        to_do: What to do, as a phrase that a sentence can begin with.
    """

    cause: Cause
    problem: str
    to_do: str


async def check(settings: Settings, providers: Sequence[ProviderProbe], *, with_livekit: bool) -> None:
    """Ask everybody at once.

    One that cannot be reached is a warning: it may still be starting, and the worker tries again.

    Raises:
        BadSettingsError: With every refused key and unknown model.
    """
    problems = [problem for problem in (port_problem(settings.worker_port),) if problem]
    async with session() as http:
        asking = [ask_provider(http, provider) for provider in providers]
        if with_livekit:
            asking.append(ask_livekit(http, settings))
        for trouble in [trouble for troubles in await asyncio.gather(*asking) for trouble in troubles]:
            if trouble.cause is Cause.REFUSED:
                problems.append(f"{trouble.problem}: {trouble.to_do}")
            else:
                logger.warning("%s. %s. The worker goes on.", trouble.problem, trouble.to_do)
    if problems:
        raise BadSettingsError(problems)


def session() -> aiohttp.ClientSession:
    """For the requests of this module. Close it after use."""
    return aiohttp.ClientSession(timeout=_TIMEOUT, trust_env=True)


def port_problem(port: int) -> str | None:
    """Why the worker cannot have its port, if it is so."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("", port))
        except OSError as error:
            return f"WORKER_PORT: cannot listen on port {port} ({error.strerror}): choose another; 0 picks a free one"
    return None


async def ask_livekit(http: aiohttp.ClientSession, settings: Settings) -> list[Trouble]:
    """Whether the LiveKit server accepts our credentials."""
    url, secret = str(settings.livekit_url), settings.livekit_api_secret.get_secret_value()
    try:
        livekit = api.LiveKitAPI(url, settings.livekit_api_key, secret, session=http)
        await livekit.room.list_rooms(api.ListRoomsRequest())
    except api.TwirpError as error:
        return [livekit_trouble(url, error)]
    except (aiohttp.ClientError, asyncio.TimeoutError) as error:
        return [_no_answer(f"the LiveKit server at {url}", error, "Start it or set LIVEKIT_URL")]
    return []


def livekit_trouble(url: str, error: api.TwirpError) -> Trouble:
    """What an error of LiveKit's server means."""
    if error.status in (401, 403):
        return Trouble(
            Cause.REFUSED,
            f"LIVEKIT_API_KEY, LIVEKIT_API_SECRET: the LiveKit server at {url} refuses them",
            "take a pair that the server was started with, and see that this machine's clock is right",
        )
    problem = f"the LiveKit server at {url} answers with an error: {error.code}"
    return Trouble(Cause.UNCLEAR, problem, "Check LIVEKIT_URL, and the server's log")


async def ask_provider(http: aiohttp.ClientSession, provider: ProviderProbe) -> list[Trouble]:
    """Whether a provider accepts our key and has our models."""
    found = []
    wanted = [(setting, model, f"{provider.url}/{quote(model)}") for setting, model in provider.models]
    who = f"{provider.name} at {provider.url}"
    for setting, model, url in wanted or [("", "", provider.url)]:
        try:
            async with http.get(url, headers={"Authorization": provider.authorization}) as response:
                status = response.status
        except (aiohttp.ClientError, asyncio.TimeoutError) as error:
            return [_no_answer(who, error, provider.unreachable_remedy)]
        if status == 401:
            return [invalid_key(provider)]
        if status == 404 and model and await _lists_models(http, provider):
            problem = f"{setting}: {who} has no model '{model}'"
            found.append(Trouble(Cause.REFUSED, problem, provider.missing_model_remedy.format(model=model)))
        elif status >= 400 and model:
            problem = f"cannot ask {who} for model '{model}': HTTP {status}"
            found.append(Trouble(Cause.UNCLEAR, problem, "Check its base URL"))
    return found


def invalid_key(provider: ProviderProbe) -> Trouble:
    problem = f"{provider.key_setting}: {provider.name} at {provider.url} refuses this key"
    return Trouble(Cause.REFUSED, problem, "put the right one into .env or the environment")


async def _lists_models(http: aiohttp.ClientSession, provider: ProviderProbe) -> bool:
    """Whether the list of models is there. If not, it is the address that is wrong and not the model."""
    try:
        async with http.get(provider.url, headers={"Authorization": provider.authorization}) as response:
            return response.status == 200
    except (aiohttp.ClientError, asyncio.TimeoutError):
        return False


def _no_answer(who: str, error: Exception, to_do: str) -> Trouble:
    return Trouble(Cause.NO_ANSWER, f"{who} does not answer ({reason(error)})", to_do)


def reason(error: Exception) -> str:
    """Why there was no answer, in the system's words."""
    if isinstance(error, asyncio.TimeoutError):
        return f"nothing within {_TIMEOUT.total:.0f} s"
    if isinstance(error, aiohttp.ClientConnectorError) and (number := error.os_error.errno or 0) > 0:
        return os.strerror(number)
    return str(error) or type(error).__name__
