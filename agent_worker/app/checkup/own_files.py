"""What the user wrote: the settings, the file of prices, the file of phrases."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from dotenv import dotenv_values

from agent_worker.app.call import build_agent
from agent_worker.app.checkup.findings import Finding, bad_setting, note, ok
from agent_worker.core.settings import BadSettingsError, Settings, SettingsT, load
from agent_worker.core.user_file import BadFileError
from agent_worker.lifecycle.warm_up import fixed_texts
from agent_worker.preresponse.phrases import PhraseBook
from agent_worker.providers.stack import StackDefinition, VoiceStack
from agent_worker.telemetry.pricing import Prices


def read_settings(stack: StackDefinition[SettingsT]) -> tuple[SettingsT | None, list[Finding]]:
    """The settings, unless they are wrong; and what there is to say of them."""
    try:
        settings = load(stack.settings_type)
    except BadSettingsError as error:
        return None, [bad_setting("settings", problem) for problem in error.problems]
    source = ".env and the environment" if Path(".env").is_file() else "the environment; there is no .env here"
    detail = f"{len(settings.model_fields_set)} set in {source}"
    return settings, [ok("settings", detail), *_misspelt(type(settings).model_fields)]


def _misspelt(fields: Iterable[str]) -> Iterator[Finding]:
    """Names in ``.env`` that nobody reads and that look like one that somebody does."""
    known = {name.upper() for name in fields}
    for name in dotenv_values(".env"):
        if name not in known and (meant := difflib.get_close_matches(name, known, 1, cutoff=0.85)):
            yield note("settings", f".env sets {name}, which is no setting of this stack", f"did you mean {meant[0]}?")


def examine_prices(overrides: Path | None) -> Iterator[Finding]:
    try:
        Prices.load(overrides)
    except BadFileError as error:
        yield from (bad_setting("prices", f"PRICES: {problem}") for problem in error.problems)
        return
    yield ok("prices", f"from {overrides}" if overrides else "the default ones: PRICES names a file of your own")


def examine_phrases(overrides: Path | None, language: str) -> Iterator[Finding]:
    try:
        book = PhraseBook.load(language, overrides)
    except BadFileError as error:
        yield from (bad_setting("phrases", f"PRERESPONSE_PHRASES: {problem}") for problem in error.problems)
        return
    if not book.known:
        advice = "write a file of your own and name it in PRERESPONSE_PHRASES"
        yield note("phrases", f"there are none in the language {language!r}, so none will be spoken", advice)
        return
    yield ok("phrases", f"{len(book.all())} in {language}" + (f", with those of {overrides}" if overrides else ""))


def examine_phrase_audio(stack: VoiceStack, settings: Settings) -> Finding:
    """How much of the audio is there that is made once for each voice. The phrases have to be good."""
    agent = build_agent(stack, settings)
    audio = agent.phrase_audio
    texts = fixed_texts(agent, settings)
    missing = len(audio.load(texts)) if audio else len(texts)
    detail = f"of {len(texts) - missing} of {len(texts)} texts; the others are spoken once when the worker starts"
    return ok("phrases' audio", detail if missing else f"of all {len(texts)} texts")


def examine_files_despite_bad_settings() -> Iterator[Finding]:
    """As much of the files as can be told when the settings cannot be read."""
    for setting, examine in (("PRICES", examine_prices), ("PRERESPONSE_PHRASES", _phrases_in_english)):
        if path := os.environ.get(setting):
            yield from examine(Path(path))


def _phrases_in_english(overrides: Path) -> Iterator[Finding]:
    return examine_phrases(overrides, "en")
