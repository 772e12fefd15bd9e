"""smart-turn in one process of the worker, for all its calls.

Its library, weights and working memory take 70 MB in each process that loads them.
"""

from __future__ import annotations

import asyncio
import os
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np

from agent_worker.core.compat.livekit import InferenceExecutor, InferenceRunner, job_inference, register_inference
from agent_worker.core.log import logger
from agent_worker.turn_taking import smart_turn
from agent_worker.turn_taking.smart_turn import Samples

#: Processes of the worker inherit it: where the weights are.
_PATH = "AGENT_WORKER_SHARED_SMART_TURN"
#: By then the turn has ended. livekit-agents never answers a request that its process did not survive.
_ANSWER_TIMEOUT_S = 2.0
_ANSWER = struct.Struct("<d")


class SmartTurnRunner(InferenceRunner):
    """Answers in livekit-agents' inference process, one question after the other."""

    INFERENCE_METHOD = "agent_worker_smart_turn"

    def initialize(self) -> None:
        """Load the model."""
        smart_turn.load(Path(os.environ[_PATH]))

    def run(self, data: bytes) -> bytes:
        """Return the probability of the end, after these samples."""
        model = smart_turn.load(Path(os.environ[_PATH]))
        return _ANSWER.pack(model.probability(np.frombuffer(data, np.int16)))


class SharedSmartTurn:
    """smart-turn for one call: in the worker's process for it, and in the call's own if that one is lost.

    Args:
        executor: Asks the process.
        load: Returns the model, loaded in this process.
    """

    def __init__(self, executor: InferenceExecutor, load: Callable[[], smart_turn.SmartTurn]) -> None:
        self._executor = executor
        self._load = load
        self._is_lost = False

    async def ask(self, samples: Samples) -> float:
        """Return the probability that the turn has ended; see `SmartTurn.probability`.

        Raises:
            asyncio.TimeoutError: If there is no answer while it is of use.
        """
        if not self._is_lost:
            try:
                request = self._executor.do_inference(SmartTurnRunner.INFERENCE_METHOD, samples.tobytes())
                answer = await asyncio.wait_for(request, _ANSWER_TIMEOUT_S)
                assert answer is not None
                probability: float = _ANSWER.unpack(answer)[0]
            except RuntimeError as error:
                logger.error("the process of smart-turn fails (%s): this call loads the model itself", error)
                self._is_lost = True
            else:
                return probability
        return await asyncio.to_thread(lambda: self._load().probability(samples))


def share(path: Path) -> None:
    """Let the worker that starts after this run smart-turn in a process of its own.

    Args:
        path: The weights, checked.
    """
    os.environ[_PATH] = str(path)
    register_inference(SmartTurnRunner)


def of_this_call(load: Callable[[], smart_turn.SmartTurn]) -> SharedSmartTurn | None:
    """Return the shared model for the call of this process; None outside a call, or if it is not shared."""
    executor = job_inference()
    return SharedSmartTurn(executor, load) if executor and is_shared() else None


def is_shared() -> bool:
    """Whether the worker of this process runs the model for all calls."""
    return _PATH in os.environ
