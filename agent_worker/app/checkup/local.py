"""Checks of what is on this machine: settings, the user's files, ports, and the folder for metrics."""

from __future__ import annotations

import asyncio
import contextlib
import difflib
import os
import shutil
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from pathlib import Path

import aiohttp
from dotenv import dotenv_values

from agent_metrics import writer
from agent_metrics.storage.folder import is_served
from agent_worker.core.check_result import CheckResult, Status, failed, invalid_setting, note, ok
from agent_worker.core.language_tag import MULTI
from agent_worker.core.settings import BadSettingsError, Settings, SettingsT, load
from agent_worker.core.user_file import BadFileError
from agent_worker.lifecycle.warm_up import fixed_texts
from agent_worker.preresponse.factory import build_agent
from agent_worker.preresponse.phrases import PhraseBook, built_in_languages
from agent_worker.providers.preflight import bind_error
from agent_worker.providers.stack import StackDefinition, VoiceStack
from agent_worker.telemetry.list_prices import add_list_prices
from agent_worker.telemetry.metrics_service import web_config_problems
from agent_worker.telemetry.pricing import Prices
from agent_worker.turn_taking import smart_turn
from agent_worker.turn_taking.endpointing import check_turn_detector

#: Free bytes below which the metrics folder fails, and below which it is noted. A process writes 0.25 MB.
_MIN_FREE_BYTES = 16_000_000
_LOW_FREE_BYTES = 512_000_000


def read_settings(stack: StackDefinition[SettingsT]) -> tuple[SettingsT | None, list[CheckResult]]:
    """Return the settings, or ``None`` if they cannot be used, and the results of reading them."""
    try:
        settings = load(stack.settings_type)
    except BadSettingsError as error:
        return None, [invalid_setting("settings", problem) for problem in error.problems]
    source = ".env and the environment" if Path(".env").is_file() else "the environment; there is no .env here"
    detail = f"{len(settings.model_fields_set)} set in {source}"
    return settings, [ok("settings", detail), *_misspelt_settings(type(settings).model_fields)]


def _misspelt_settings(fields: Iterable[str]) -> Iterator[CheckResult]:
    """Note each name in ``.env`` that is no setting and resembles one."""
    known = {name.upper() for name in fields}
    for name in dotenv_values(".env"):
        if name not in known and (similar := difflib.get_close_matches(name, known, 1, cutoff=0.85)):
            detail = f".env sets {name}, which is no setting of this stack"
            yield note("settings", detail, f"did you mean {similar[0]}?")


def check_files(stack: StackDefinition[SettingsT], settings: SettingsT) -> Iterator[CheckResult]:
    """Check the files of prices and phrases, the models' list prices, and the phrases' audio."""
    prices = list(check_prices(settings.prices))
    yield from prices
    if all(result.status is Status.OK for result in prices):
        yield from _check_list_prices(stack.build(settings), settings)
    phrases = list(check_phrases(settings.preresponse_phrases, settings.language))
    yield from phrases
    if all(result.status is Status.OK for result in phrases):
        yield _check_phrase_audio(stack.build(settings), settings)


def check_files_without_settings(environment: Mapping[str, str]) -> Iterator[CheckResult]:
    """Check what can be checked of the user's files when the settings cannot be used."""
    if path := environment.get("PRICES"):
        yield from check_prices(Path(path))
    if path := environment.get("PRERESPONSE_PHRASES"):
        yield from check_phrases(Path(path), "en")


def check_prices(overrides: Path | None) -> Iterator[CheckResult]:
    """Check the user's file of prices, if there is one."""
    try:
        Prices.load(overrides)
    except BadFileError as error:
        yield from (invalid_setting("prices", f"PRICES: {problem}") for problem in error.problems)
        return
    yield ok("prices", f"from {overrides}" if overrides else "the list prices; PRICES names a file with your own")


def _check_list_prices(stack: VoiceStack, settings: Settings) -> Iterator[CheckResult]:
    """Note the models whose price is unknown."""
    _, unknown = add_list_prices(Prices.load(settings.prices), stack, settings.language)
    for model in unknown:
        remedy = "set its price in PRICES, or take its cost for a guess"
        yield note("prices", f"{model} has no list price: it is counted at the default price", remedy)


def check_phrases(overrides: Path | None, language: str) -> Iterator[CheckResult]:
    """Check the user's file of phrases, if there is one, and whether there are phrases in the language."""
    if language == MULTI:
        yield ok("phrases", f"those of the caller's language: {', '.join(built_in_languages())}")
        return
    try:
        book = PhraseBook.load(language, overrides)
    except BadFileError as error:
        yield from (invalid_setting("phrases", f"PRERESPONSE_PHRASES: {problem}") for problem in error.problems)
        return
    if not book.has_phrases:
        remedy = "write a file of your own and name it in PRERESPONSE_PHRASES"
        yield note("phrases", f"there are none in the language {language!r}, so none will be spoken", remedy)
        return
    yield ok("phrases", f"{len(book.all())} in {language}" + (f", with those of {overrides}" if overrides else ""))


def _check_phrase_audio(stack: VoiceStack, settings: Settings) -> CheckResult:
    """Count the fixed texts whose audio is in the cache. The file of phrases has to be valid."""
    agent = build_agent(stack, settings)
    audio = agent.phrase_audio
    texts = fixed_texts(agent, settings)
    missing = len(audio.load(texts)) if audio else len(texts)
    detail = f"of {len(texts) - missing} of {len(texts)} texts; the others are synthesised when the worker starts"
    return ok("phrases' audio", detail if missing else f"of all {len(texts)} texts")


async def check_machine(http: aiohttp.ClientSession, settings: Settings) -> AsyncIterator[CheckResult]:
    """Check the weights of the turn detector, the folder for metrics and the ports."""
    yield check_deciders(settings)
    yield check_metrics_folder()
    yield check_metrics_service(settings.metrics_port)
    for problem in web_config_problems(settings):
        yield invalid_setting("agent-metrics", problem)
    yield await check_worker_port(http, settings.worker_port)


def check_deciders(settings: Settings) -> CheckResult:
    """Check what decides the end of the caller's turn."""
    try:
        deciders = check_turn_detector(settings)
    except BadSettingsError as error:
        return invalid_setting("end of turn", error.problems[0])
    detail = f"TURN_DETECTOR={settings.turn_detector}: {deciders}"
    return note("end of turn", detail, smart_turn.REMEDY) if deciders.missing else ok("end of turn", detail)


def check_metrics_folder() -> CheckResult:
    """Check the folder that :func:`agent_worker.app.bootstrap.prepare` creates."""
    own = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if (problem := writer.problem()) or not own:
        remedy = "choose a folder that can be written to with PROMETHEUS_MULTIPROC_DIR; calls work without it"
        return failed("metrics folder", problem or "there is none", remedy)
    root = Path(own).parent
    return check_free_space(root, shutil.disk_usage(root).free)


def check_free_space(root: Path, free_bytes: float) -> CheckResult:
    """Check whether the disk of the folder for metrics has enough space."""
    detail = f"{root}, {free_bytes / 1e9:.1f} GB free"
    if free_bytes < _MIN_FREE_BYTES:
        return failed("metrics folder", detail, "free some space: soon no metrics can be written")
    if free_bytes < _LOW_FREE_BYTES:
        return note("metrics folder", detail, "free some space, or choose another with PROMETHEUS_MULTIPROC_DIR")
    return ok("metrics folder", detail)


def check_metrics_service(port: int | None) -> CheckResult:
    """Check whether an agent-metrics serves the folder, or the worker could serve it on ``port``."""
    own = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if own and is_served(Path(own).parent):
        return ok("agent-metrics", "a running agent-metrics serves this folder")
    if port is None:
        remedy = "run `python -m agent_metrics`, or set METRICS_PORT=9100 to have it beside the worker"
        return note("agent-metrics", "this folder's metrics are not served", remedy)
    if bind_error(port):
        detail = f"METRICS_PORT: port {port} is in use, and not by an agent-metrics of this folder"
        return failed("agent-metrics", detail, "set METRICS_PORT to a free one, or stop what listens there")
    return ok("agent-metrics", f"port {port} is free: the worker will serve its metrics there")


async def check_worker_port(http: aiohttp.ClientSession, port: int) -> CheckResult:
    """Check whether the worker can listen on its port, or a worker does so already."""
    error = bind_error(port)
    if error is None:
        return ok("worker port", f"{port} is free" if port else "any free one")
    with contextlib.suppress(aiohttp.ClientError, asyncio.TimeoutError, ValueError):
        async with http.get(f"http://127.0.0.1:{port}/worker") as response:
            if "agent_name" in await response.json(content_type=None):
                return note("worker port", f"a worker runs on {port} already", "set WORKER_PORT for a second one")
    return failed("worker port", f"WORKER_PORT: {error}", "choose another; 0 picks a free one")
