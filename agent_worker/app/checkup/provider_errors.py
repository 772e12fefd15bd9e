"""Explain an exception of a provider's plugin to the user, without any secret."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from livekit.agents import APIConnectionError, APIError, APIStatusError, APITimeoutError
from pydantic import SecretStr

from agent_worker.core.check_result import CheckResult, failed
from agent_worker.core.settings import Settings
from agent_worker.providers.preflight import ProviderProbe, invalid_key

_MAX_MESSAGE_CHARS = 200
_LIMIT_REMEDY = "wait, or check your account's limits and credit"
_REMEDIES = {
    400: "check that model, voice and LANGUAGE go together",
    402: _LIMIT_REMEDY,
    403: "check its address, and that your key may use this model",
    404: "check its address and the names of the models",
    422: "check that model, voice and LANGUAGE go together",
    429: _LIMIT_REMEDY,
}


def explain(name: str, error: BaseException, probe: ProviderProbe, settings: Settings) -> CheckResult:
    """Return what went wrong, and what to do.

    Args:
        name: What was checked.
        error: What the plugin raised.
        probe: The provider that was asked.
        settings: Their secrets are removed from the provider's message.
    """
    status = error.status_code if isinstance(error, APIStatusError) else None
    if status == 401:
        refused = invalid_key(probe)  # without the provider's message, which quotes a part of the key
        return failed(name, refused.detail, refused.remedy)
    if status is not None and status > 0:
        message = _provider_message(error, settings)
        remedy = _REMEDIES.get(status, "see its log" if status >= 500 else "see its documentation")
        return failed(name, f"answers with HTTP {status}" + (f": {message}" if message else ""), remedy)
    if isinstance(error, (APITimeoutError, asyncio.TimeoutError)):
        remedy = f"{probe.unreachable_remedy}; a model may take long to load"
        return failed(name, "no answer in time", remedy, transient=True)
    if isinstance(error, APIConnectionError):
        return failed(name, f"no answer ({_root_cause(error)})", probe.unreachable_remedy, transient=True)
    return failed(name, f"failed ({type(error).__name__})", "see its log")


def _provider_message(error: BaseException, settings: Settings) -> str:
    """Return the message in an OpenAI-style error body on one line; empty if the body is anything else."""
    body = error.body if isinstance(error, APIError) else None
    message = body.get("message") if isinstance(body, dict) else None
    if not isinstance(message, str):
        return ""
    for secret in _secrets(settings):
        message = message.replace(secret, "…")
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in message).split())
    return line if len(line) <= _MAX_MESSAGE_CHARS else f"{line[:_MAX_MESSAGE_CHARS]}…"


def _secrets(settings: Settings) -> Iterable[str]:
    """Return the secrets among the settings, the longest first: one may contain another."""
    values = (getattr(settings, name) for name in type(settings).model_fields)
    return sorted((value.get_secret_value() for value in values if isinstance(value, SecretStr)), key=len, reverse=True)


def _root_cause(error: BaseException) -> str:
    """Return the type of the first exception in the chain. Its text may quote a request with its headers."""
    while error.__cause__ is not None:
        error = error.__cause__
    return type(error).__name__
