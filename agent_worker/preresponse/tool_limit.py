"""Give up a tool that takes too long, so that the caller does not wait for it for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from livekit.agents import ToolError, utils

from agent_worker.core.log import logger
from agent_worker.preresponse.decision import first_done

#: How long a tool may take.
DEFAULT_TOOL_TIMEOUT_S = 30.0


class ToolLimit:
    """Runs the tools of one call, each for a limited time.

    Args:
        timeout_s: How long a tool may take, seconds.
        sleep: Waits for some seconds.
        is_conversing: Whether a tool is having a conversation with the caller, whose length is not limited.
        on_timeout: Is called when a tool is given up, and returns what the caller is told.

    Attributes:
        unlimited: Names of tools that limit themselves.
    """

    def __init__(
        self,
        timeout_s: float,
        sleep: Callable[[float], Awaitable[None]],
        is_conversing: Callable[[], bool],
        on_timeout: Callable[[], str | None],
    ) -> None:
        self._timeout_s = timeout_s
        self._sleep = sleep
        self._is_conversing = is_conversing
        self._on_timeout = on_timeout
        self.unlimited: set[str] = set()

    async def run(self, name: str, execution: Awaitable[Any], cancel: Callable[[], None]) -> Any:
        """Return the tool's result.

        Args:
            name: The tool's name.
            execution: The tool at work.
            cancel: Cancels it.

        Raises:
            ToolError: If it is given up; the main model reads the text.
        """
        if name in self.unlimited:
            return await execution
        running = asyncio.ensure_future(execution)
        try:
            while not running.done():
                timer = asyncio.ensure_future(self._sleep(self._timeout_s))
                try:
                    await first_done(running, timer)
                finally:
                    await utils.aio.cancel_and_wait(timer)
                if not running.done() and not self._is_conversing():
                    raise self._give_up(name, cancel)
            return running.result()
        finally:
            running.cancel()

    def _give_up(self, name: str, cancel: Callable[[], None]) -> ToolError:
        logger.warning("tool %s is given up after %g s", name, self._timeout_s)
        cancel()
        told = self._on_timeout()
        heard = f' The caller was told: "{told}"' if told else ""
        return ToolError(
            f"No result: {name} took longer than {self._timeout_s:g} seconds and was stopped. It may or may not have "
            f"taken effect.{heard}"
        )
