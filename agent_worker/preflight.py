"""Asks each provider, before the worker registers, whether it would serve us."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import aiohttp

from agent_worker.log import logger
from agent_worker.settings import BadSettingsError

_TIMEOUT = aiohttp.ClientTimeout(total=5)


@dataclass(frozen=True)
class Provider:
    """A provider and a cheap request that tells whether it accepts our key and has our models.

    Attributes:
        name: What people call it.
        url: Answers a GET with 401 or 403 to a wrong key and, if ``models`` are given, with an OpenAI-style
            list of models.
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


def check_providers(providers: Sequence[Provider]) -> None:
    """Ask all providers at once.

    A provider that cannot be reached is a warning: it may still be starting, and every call tries again.

    Raises:
        BadSettingsError: With every refused key and unknown model.
    """
    problems = asyncio.run(_check_all(providers))
    if problems:
        raise BadSettingsError(problems)


async def _check_all(providers: Sequence[Provider]) -> list[str]:
    async with aiohttp.ClientSession(timeout=_TIMEOUT, trust_env=True) as http:
        results = await asyncio.gather(*(_check(http, provider) for provider in providers))
    return [problem for problems in results for problem in problems]


async def _check(http: aiohttp.ClientSession, provider: Provider) -> list[str]:
    try:
        async with http.get(provider.url, headers={"Authorization": provider.authorization}) as response:
            if response.status in (401, 403):
                return [f"{provider.key_setting}: {provider.name} at {provider.url} refuses this key"]
            if not provider.models or response.status != 200:
                return []
            known = {str(model["id"]) for model in (await response.json(content_type=None))["data"]}
    except (aiohttp.ClientError, asyncio.TimeoutError) as error:
        reason = str(error) or "no answer in 5 s"
        logger.warning(
            "%s does not answer yet: %s. %s. Calls will try again.",
            provider.name,
            reason,
            provider.how_to_start,
        )
        return []
    except (KeyError, TypeError, ValueError):
        logger.warning("%s at %s sent no list of models; going on", provider.name, provider.url)
        return []
    return [
        f"{setting}: {provider.name} at {provider.url} has no model '{model}': "
        f"{provider.how_to_get_model.format(model=model)}"
        for setting, model in provider.models
        if model not in known
    ]
