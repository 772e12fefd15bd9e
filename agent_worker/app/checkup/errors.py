"""What a plugin's exception means, and what to do about it. No secret gets out of here."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from livekit.agents import APIConnectionError, APIError, APIStatusError, APITimeoutError
from pydantic import SecretStr

from agent_worker.core.settings import Settings
from agent_worker.providers.preflight import ProviderProbe, invalid_key

_LONGEST = 200
_LIMIT = "wait, or see your account's limits and credit"
_TO_DO = {
    400: "see that model, voice and LANGUAGE go together",
    402: _LIMIT,
    403: "see that its address is right and that your key may use this model",
    404: "see that its address and the models' names are right",
    422: "see that model, voice and LANGUAGE go together",
    429: _LIMIT,
}


def explain(error: BaseException, provider: ProviderProbe, settings: Settings) -> tuple[str, str]:
    """What is wrong, and what to do.

    Args:
        error: What a plugin raised.
        provider: Who was asked.
        settings: Their secrets are kept out.
    """
    status = error.status_code if isinstance(error, APIStatusError) else None
    if status == 401:
        trouble = invalid_key(provider)  # not what it says: providers quote a part of the key
        return trouble.problem, trouble.to_do
    if status is not None and status > 0:
        said = _said(error, settings)
        to_do = _TO_DO.get(status, "see its log" if status >= 500 else "see its documentation")
        return f"answers with HTTP {status}" + (f": {said}" if said else ""), to_do
    if isinstance(error, (APITimeoutError, asyncio.TimeoutError)):
        return "no answer in time", f"{provider.unreachable_remedy}; a model that is being loaded can take long"
    if isinstance(error, APIConnectionError):
        return f"no answer ({_root(error)})", provider.unreachable_remedy
    return f"failed ({type(error).__name__})", "see its log"


def _said(error: BaseException, settings: Settings) -> str:
    """What the provider says, on one line, if it says anything but a page of HTML."""
    body = error.body if isinstance(error, APIError) else None
    message = body.get("message") if isinstance(body, dict) else None
    if not isinstance(message, str):
        return ""
    for secret in _secrets(settings):
        message = message.replace(secret, "…")
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in message).split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"


def _secrets(settings: Settings) -> Iterable[str]:
    values = (getattr(settings, name) for name in type(settings).model_fields)
    return sorted((value.get_secret_value() for value in values if isinstance(value, SecretStr)), key=len, reverse=True)


def _root(error: BaseException) -> str:
    """The type of what caused it all: its text may quote a request with its headers."""
    while error.__cause__ is not None:
        error = error.__cause__
    return type(error).__name__
