"""Assumptions about the pinned livekit-agents. A failure says what to check before the pin is raised."""

from __future__ import annotations

import importlib.util
import inspect
from importlib import metadata

from livekit.agents import AgentServer, Plugin
from livekit.agents.voice import room_io

from agent_worker.core.compat import livekit


def test_version_is_the_one_that_the_code_was_written_for() -> None:
    assert metadata.version("livekit-agents") == livekit.VERSION, (
        "livekit-agents has another version: go through agent_worker/core/compat/livekit.py, run the tests of "
        "log lines, end of turn and playout, and then change VERSION there"
    )


def test_plugins_are_preloaded_in_the_order_of_their_registration() -> None:
    assert "[p.package for p in Plugin.registered_plugins] + self._preload_modules" in inspect.getsource(AgentServer), (
        "AgentServer preloads modules in another way: check that agent_worker.app.preload is still imported before "
        "the plugins in the process from which calls are forked, else livekit's metrics are lost"
    )


def test_preloaded_module_comes_before_every_plugin() -> None:
    registered = Plugin.registered_plugins
    try:
        livekit.preload_first("some.module")
        assert Plugin.registered_plugins[0].package == "some.module"
    finally:
        del registered[0]


def test_text_input_has_a_default_callback_that_interrupts_and_replies() -> None:
    assert "await sess.interrupt()\n        sess.generate_reply" in inspect.getsource(
        livekit.default_text_input_callback()  # type: ignore[arg-type]
    ), "livekit-agents handles text input in another way: check BoundedTextInput, which calls it"
    assert list(inspect.signature(room_io.TextInputEvent).parameters) == ["text", "info", "participant"], (
        "TextInputEvent has other fields: check BoundedTextInput, which makes one"
    )


def test_lazily_imported_client_modules_exist() -> None:
    missing = [name for name in livekit.LAZY_CLIENT_MODULES if importlib.util.find_spec(name) is None]
    assert not missing, "the clients have other modules: remove these from LAZY_CLIENT_MODULES"
