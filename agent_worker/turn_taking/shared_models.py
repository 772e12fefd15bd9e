"""The models of the end of the turn in one process of the worker, for all its calls.

In each call's process smart-turn's library, weights and working memory would take 70 MB, v1-mini's working memory
20 MB.
"""

from __future__ import annotations

import asyncio
import math
import os
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from livekit.local_inference import EOT

from agent_worker.core.compat.livekit import InferenceExecutor, InferenceRunner, job_inference, register_inference
from agent_worker.core.log import logger
from agent_worker.turn_taking import smart_turn

Samples = npt.NDArray[np.int16]
#: Returns the probability of the end; blocks.
AudioModel = Callable[[Samples], float]

#: Processes of the worker inherit it: where the weights of smart-turn are.
_PATH = "AGENT_WORKER_SHARED_SMART_TURN"
#: A tenth is usual. livekit-agents never answers a request that its process did not survive, and later ones with None.
_ANSWER_TIMEOUT_S = 1.0
#: So many timeouts in a row are no crowd: the process is lost.
_MAX_TIMEOUTS = 3
#: The process answers some 15 questions a second, whatever the machine has; a call asks one in three seconds or so.
_MAX_CALLS = 16
_CALLS_PER_CORE = 8
_ANSWER = struct.Struct("<d")


class _Runner(InferenceRunner):
    """Answers in livekit-agents' inference process, one question after the other."""

    def run(self, data: bytes) -> bytes:
        """Return the probability of the end, after these samples."""
        return _ANSWER.pack(self.model()(np.frombuffer(data, np.int16)))

    def initialize(self) -> None:
        """Load the model."""
        self.model()

    def model(self) -> AudioModel:
        """Return the model, loaded once."""
        raise NotImplementedError


class MiniRunner(_Runner):
    """v1-mini."""

    INFERENCE_METHOD = "agent_worker_v1_mini"

    def model(self) -> AudioModel:
        """See :class:`_Runner`."""
        return EOT().predict


class SmartTurnRunner(_Runner):
    """smart-turn."""

    INFERENCE_METHOD = "agent_worker_smart_turn"

    def model(self) -> AudioModel:
        """See :class:`_Runner`."""
        return smart_turn.load(Path(os.environ[_PATH])).probability


class SharedModel:
    """A model for one call: in the worker's process for it, and in the call's own if that one is lost.

    Args:
        executor: Asks the process.
        runner: The model there.
        load: Returns the model in this process; blocks.
    """

    def __init__(self, executor: InferenceExecutor, runner: type[_Runner], load: Callable[[], AudioModel]) -> None:
        self._executor = executor
        self._method = runner.INFERENCE_METHOD
        self._load = load
        self._is_lost = False
        self._timeouts = 0

    async def ask(self, samples: Samples) -> float:
        """Return the probability that the turn has ended, after these samples (mono, 16 kHz).

        Raises:
            asyncio.TimeoutError: If the process has much to do.
        """
        answer = None if self._is_lost else await self._ask_process(samples)
        if answer:
            probability: float = _ANSWER.unpack(answer)[0]
            return probability
        if not self._is_lost:
            logger.error("%s has no answer from its process: this call runs the model itself", self._method)
            self._is_lost = True
        return await asyncio.to_thread(lambda: self._load()(samples))

    async def _ask_process(self, samples: Samples) -> bytes | None:
        """Return the answer; nothing if the process is lost."""
        request = self._executor.do_inference(self._method, samples.tobytes())
        try:
            answer = await asyncio.wait_for(request, _ANSWER_TIMEOUT_S)
        except RuntimeError:
            return None
        except asyncio.TimeoutError:
            self._timeouts += 1
            if self._timeouts < _MAX_TIMEOUTS:
                raise
            return None
        self._timeouts = 0
        return answer


def share_nothing() -> None:
    """Forget what a worker that started this one shares."""
    os.environ.pop(_PATH, None)


def share(path: Path, max_calls: int | None, cores: float) -> None:
    """Let the worker that starts after this run both models in a process of their own, if it has few calls.

    Args:
        path: The weights of smart-turn, checked.
        max_calls: How many calls the worker takes at most; None if its CPU decides.
        cores: How many it may use.
    """
    if min(max_calls or math.inf, _CALLS_PER_CORE * cores) > _MAX_CALLS:
        return
    os.environ[_PATH] = str(path)
    register_inference(MiniRunner)
    register_inference(SmartTurnRunner)


def is_shared() -> bool:
    """Whether the worker of this process runs the models for all calls."""
    return _PATH in os.environ


def of_this_call(runner: type[_Runner], load: Callable[[], AudioModel]) -> SharedModel | None:
    """Return a shared model for the call of this process; None outside a call, or if it is not shared."""
    executor = job_inference()
    return SharedModel(executor, runner, load) if executor and is_shared() else None
