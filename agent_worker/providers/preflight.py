"""Ask LiveKit and each provider, before the worker registers, whether they would serve it."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

import aiohttp
from livekit import api

from agent_worker.core.check_result import CheckResult, Status, failed, note
from agent_worker.core.log import logger
from agent_worker.core.settings import BadSettingsError, Settings

Component = Literal["stt", "llm", "tts"]

LIVEKIT_CHECK_NAME = "LiveKit room"
_COMPONENT_LABELS: dict[Component, str] = {"llm": "LLM", "tts": "TTS", "stt": "STT"}
_TIMEOUT = aiohttp.ClientTimeout(total=5)


@dataclass(frozen=True)
class ProviderProbe:
    """A cheap request that tells whether a provider accepts our key and has our models.

    Attributes:
        name: The provider's name, for people.
        component: The component of the stack that it serves.
        url: Answers a GET with 401 to a wrong key. With ``models`` it is the OpenAI-style list of models,
            below which each model has a page of its own.
        authorization: Value of the ``Authorization`` header.
        key_setting: The setting that holds the key.
        unreachable_remedy: What to do when nothing answers.
        models: Setting name and model for each required model.
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

    @property
    def check_name(self) -> str:
        """What a check of this provider is called."""
        return f"{self.name}, {_COMPONENT_LABELS[self.component]}"


async def check(settings: Settings, probes: Sequence[ProviderProbe], *, with_livekit: bool) -> None:
    """Ask all services at once.

    A service that does not answer is a warning only: it may still be starting, and the worker tries again.

    Args:
        settings: The LiveKit server and the worker's port.
        probes: The providers to ask.
        with_livekit: Whether to ask the LiveKit server as well.

    Raises:
        BadSettingsError: With every refused key, every unknown model and a port that is in use.
    """
    problems = []
    if error := bind_error(settings.worker_port):
        problems.append(f"WORKER_PORT: {error}: choose another; 0 picks a free one")
    async with http_session() as http:
        requests = [probe_provider(http, probe) for probe in probes]
        if with_livekit:
            requests.append(probe_livekit(http, settings))
        for result in [result for results in await asyncio.gather(*requests) for result in results]:
            if result.status is Status.FAILED and not result.transient:
                problems.append(f"{result.detail}: {result.remedy}")
            else:
                logger.warning("%s: %s. The worker starts all the same.", result.detail, result.remedy)
    if problems:
        raise BadSettingsError(problems)


def http_session() -> aiohttp.ClientSession:
    """Return a client for the requests of this module, with a timeout of 5 s. Close it after use."""
    return aiohttp.ClientSession(timeout=_TIMEOUT, trust_env=True)


def bind_error(port: int) -> str | None:
    """Return why a TCP port cannot be listened on, or ``None`` if it can."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("", port))
        except OSError as error:
            return f"cannot listen on port {port} ({error.strerror})"
    return None


async def probe_livekit(http: aiohttp.ClientSession, settings: Settings) -> list[CheckResult]:
    """Ask the LiveKit server whether it accepts our credentials.

    Returns:
        What is wrong; empty if nothing is.
    """
    url, secret = str(settings.livekit_url), settings.livekit_api_secret.get_secret_value()
    try:
        livekit = api.LiveKitAPI(url, settings.livekit_api_key, secret, session=http)
        await livekit.room.list_rooms(api.ListRoomsRequest())
    except api.TwirpError as error:
        return [livekit_error(url, error)]
    except (aiohttp.ClientError, asyncio.TimeoutError) as error:
        detail = f"the LiveKit server at {url} does not answer ({describe_error(error)})"
        return [failed(LIVEKIT_CHECK_NAME, detail, "start it or set LIVEKIT_URL", transient=True)]
    return []


def livekit_error(url: str, error: api.TwirpError) -> CheckResult:
    """Return what an error of the LiveKit server's API means."""
    if error.status in (401, 403):
        return failed(
            LIVEKIT_CHECK_NAME,
            f"LIVEKIT_API_KEY, LIVEKIT_API_SECRET: the LiveKit server at {url} refuses them",
            "take a pair that the server was started with, and check this machine's clock",
        )
    return failed(
        LIVEKIT_CHECK_NAME,
        f"the LiveKit server at {url} answers with an error: {error.code}",
        "check LIVEKIT_URL, and the server's log",
        transient=True,
    )


async def probe_provider(http: aiohttp.ClientSession, probe: ProviderProbe) -> list[CheckResult]:
    """Ask a provider whether it accepts our key and has our models.

    Returns:
        What is wrong; empty if nothing is. A note stands for an unclear answer, after which only a real
        request shows whether the provider works.
    """
    results = []
    provider = f"{probe.name} at {probe.url}"
    requests = [(setting, model, f"{probe.url}/{quote(model)}") for setting, model in probe.models]
    for setting, model, url in requests or [("", "", probe.url)]:
        try:
            status = await _status_of(http, probe, url)
        except (aiohttp.ClientError, asyncio.TimeoutError) as error:
            detail = f"{provider} does not answer ({describe_error(error)})"
            return [failed(probe.check_name, detail, probe.unreachable_remedy, transient=True)]
        if status == 401:
            return [invalid_key(probe)]
        if status == 404 and model and await _has_model_list(http, probe):
            detail = f"{setting}: {provider} has no model '{model}'"
            results.append(failed(probe.check_name, detail, probe.missing_model_remedy.format(model=model)))
        elif status >= 400 and model:
            detail = f"cannot ask {provider} for model '{model}': HTTP {status}"
            results.append(note(probe.check_name, detail, "check its base URL"))
    return results


def invalid_key(probe: ProviderProbe) -> CheckResult:
    """Return the failure of a provider that refuses our key."""
    detail = f"{probe.key_setting}: {probe.name} at {probe.url} refuses this key"
    return failed(probe.check_name, detail, "put the right one into .env or the environment")


async def _has_model_list(http: aiohttp.ClientSession, probe: ProviderProbe) -> bool:
    """Whether the list of models is there. If not, the base URL is wrong and not the model."""
    try:
        return await _status_of(http, probe, probe.url) == 200
    except (aiohttp.ClientError, asyncio.TimeoutError):
        return False


async def _status_of(http: aiohttp.ClientSession, probe: ProviderProbe, url: str) -> int:
    async with http.get(url, headers={"Authorization": probe.authorization}) as response:
        return response.status


def describe_error(error: Exception) -> str:
    """Return why an HTTP request got no answer, in the operating system's words if there are any."""
    if isinstance(error, asyncio.TimeoutError):
        return f"nothing within {_TIMEOUT.total:.0f} s"
    if isinstance(error, aiohttp.ClientConnectorError) and (number := error.os_error.errno or 0) > 0:
        return os.strerror(number)
    return str(error) or type(error).__name__
