"""The replies of a call: what ``llm_node`` and ``tts_node`` share about one speech."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from livekit.agents import llm
from livekit.agents.voice import SpeechHandle

from agent_worker.core.compat.livekit import current_speech_handle
from agent_worker.preresponse.strategies import Preresponse
from agent_worker.telemetry.trace import TurnTrace

_REMEMBERED_TRACES = 16


@dataclass
class Reply:
    """One reply of the agent to the caller.

    Attributes:
        trace: The trace of the caller's turn.
        message_id: Id of the caller's message; ``None`` for the reply after a tool call.
        unspoken: The pre-response that ``llm_node`` has yielded and whose segment has not reached ``tts_node``.
    """

    trace: TurnTrace
    message_id: str | None
    unspoken: Preresponse | None = None

    def take_preresponse(self) -> Preresponse | None:
        """Return the pre-response if the segment that begins now is the pre-response's. The first segment is."""
        preresponse, self.unspoken = self.unspoken, None
        return preresponse


class Replies:
    """Find the reply of the running node, and the trace of a recent turn.

    Replies are kept by livekit's speech handle: the nodes of a discarded preemptive reply and of its successor may run
    at the same time.
    """

    def __init__(self) -> None:
        self._by_speech: WeakKeyDictionary[SpeechHandle, Reply] = WeakKeyDictionary()
        self._latest: Reply | None = None
        self._traces: OrderedDict[str, TurnTrace] = OrderedDict()

    @property
    def latest(self) -> Reply | None:
        """The reply that began last."""
        return self._latest

    def begin(self, trace: TurnTrace, message: llm.ChatMessage | None) -> Reply:
        """Register the reply that the running ``llm_node`` gives."""
        reply = Reply(trace, message.id if message else None)
        self._latest = reply
        if (speech := current_speech_handle()) is not None:
            self._by_speech[speech] = reply
        if message:
            self._traces[message.id] = trace
            while len(self._traces) > _REMEMBERED_TRACES:
                self._traces.popitem(last=False)
        return reply

    def adopt(self, speech: SpeechHandle, reply: Reply) -> None:
        """Register a reply that another speech gives, such as a filler."""
        self._by_speech[speech] = reply

    def current(self) -> Reply | None:
        """Return the reply that the running ``tts_node`` speaks; ``None`` for other speech, such as a greeting."""
        speech = current_speech_handle()
        return self._latest if speech is None else self._by_speech.get(speech)

    def trace(self, message_id: str) -> TurnTrace | None:
        """Return the trace of a recent turn by the id of the caller's message."""
        return self._traces.get(message_id)
