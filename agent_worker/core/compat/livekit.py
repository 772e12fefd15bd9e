"""What we assume about the internals of livekit-agents and of its plugins' clients.

Written for livekit-agents :data:`VERSION`. ``tests/agent_worker/test_livekit_compat.py`` and
``tests/agent_worker/test_livekit_log.py`` check each assumption; read both before you raise the pin.
"""

from __future__ import annotations

import importlib
import logging
import re
from collections.abc import Callable, Coroutine
from typing import Any

from livekit.agents import Plugin
from livekit.agents.voice import SpeechHandle, agent_activity, room_io

#: The version of livekit-agents that this module was written for.
VERSION = "1.8.9"

# --- processes ---

#: Modules that the providers' clients import with their first request only: about 0.5 s in the first turn.
LAZY_CLIENT_MODULES = (
    "anyio._backends._asyncio",
    "openai.lib.streaming.chat",
    "openai.resources.audio.speech",
    "openai.resources.audio.transcriptions",
    "openai.resources.chat.completions",
    "openai.resources.models",
)


def import_client_modules() -> None:
    """Import :data:`LAZY_CLIENT_MODULES` now, so that no caller waits for it."""
    for module in LAZY_CLIENT_MODULES:
        importlib.import_module(module)


def preload_first(module: str) -> None:
    """Import ``module`` before all plugins in the process from which call processes are forked.

    livekit-agents preloads the packages of its registered plugins in their order, and then ``preload_modules``. So
    a module that must precede the plugins must be the first plugin.
    """
    Plugin.registered_plugins.insert(0, Plugin("agent-worker-preload", VERSION, module))


# --- speech ---


def current_speech_handle() -> SpeechHandle | None:
    """Return the speech that the running node works for; ``None`` outside of a node.

    livekit-agents runs ``llm_node`` and each ``tts_node`` of a reply in tasks whose context holds its handle.
    """
    return agent_activity._SpeechHandleContextVar.get(None)


# --- text input ---

TextInputCallback = Callable[[Any, room_io.TextInputEvent], Coroutine[Any, Any, None] | None]


def default_text_input_callback() -> TextInputCallback:
    """Return what livekit-agents does with a chat message: interrupt the agent, then generate a reply."""
    return room_io.TextInputOptions().text_input_cb


# --- log lines ---

_PERSONAL_FIELD_PREFIX = "lk.pii"
#: Fields of log records that may quote the caller or the agent although livekit-agents does not mark them as personal.
_UNMARKED_PERSONAL_FIELDS = ("text_sent", "tool_calls_sent", "error")
#: Messages into which livekit-agents formats a provider's error, or what the agent was to say.
_MESSAGE_WITH_ERROR = re.compile(
    "(pushed for text: |failed to generate LLM completion: |failed to recognize speech: |unrecoverable error: )(.*)",
    re.DOTALL,
)
#: Parts of such an error that come from livekit-agents or the protocol, never from what was said.
_HARMLESS_PART = re.compile(r"status_code=\d+|caused by \w+|retrying in [\d.]+s$")


class PersonalDataFilter(logging.Filter):
    """Remove personal data from log records: marked fields, and the texts of errors.

    A provider's error may quote the request, and so the caller. The error's type and its traceback stay.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact the record in place. Every record passes."""
        if isinstance(record.args, tuple):
            record.args = tuple(type(arg).__name__ if isinstance(arg, Exception) else arg for arg in record.args)
        if isinstance(record.msg, str):
            record.msg = _MESSAGE_WITH_ERROR.sub(_redact_error, record.msg)
        if record.exc_info and record.exc_info[0]:
            error_type, _, traceback = record.exc_info
            record.exc_info = (Exception, Exception(error_type.__name__), traceback)
        for field in [name for name in vars(record) if _is_personal(name)]:
            delattr(record, field)
        return True


def redact_personal_data() -> None:
    """Add a :class:`PersonalDataFilter` to the loggers of livekit-agents and its plugins, once to each."""
    # A logger's filter does not see the records of the loggers below it.
    plugins = [name for name in logging.root.manager.loggerDict if name.startswith("livekit.plugins.")]
    for livekit in map(logging.getLogger, ["livekit.agents", *plugins]):
        if not any(isinstance(known, PersonalDataFilter) for known in livekit.filters):
            livekit.addFilter(PersonalDataFilter())


def _redact_error(match: re.Match[str]) -> str:
    return " ".join([f"{match[1]}…", *_HARMLESS_PART.findall(match[2])])


def _is_personal(field: str) -> bool:
    return field.startswith(_PERSONAL_FIELD_PREFIX) or field in _UNMARKED_PERSONAL_FIELDS
