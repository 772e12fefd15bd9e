"""The events of the pre-response engine and of the usage, and what telemetry needs of an agent."""

from __future__ import annotations

from typing import Literal, Protocol, runtime_checkable

from livekit import rtc

from agent_worker.telemetry.trace import TurnTrace

EventName = Literal[
    "preresponse_decided",
    "preresponse_started",
    "filler_started",
    "language_changed",
    "answer_started",
    "answer_replaced",
    "turn_reopened",
    "turns_held",
    "turns_released",
    "usage_unreported",
    "wordless_transcript",
    "caller_text",
    "backchannel_started",
    "dtmf_received",
]


class EngineEvents(rtc.EventEmitter[EventName]):
    """Events of an agent, subscribed to by ``events.on(name, handler)``.

    ``preresponse_decided``: whether there is a pre-response has been decided in a turn. Argument: the ``TurnTrace``.

    ``preresponse_started``: a pre-response is about to be heard. Arguments: its text and its source.

    ``filler_started``: a filler is about to be heard in a long silence. Argument: its text.

    ``language_changed``: the caller speaks another language than before (``LANGUAGE=multi``). Argument: its tag.

    ``answer_started``: the main model has sent the first text or tool call of an answer. Argument: the ``TurnTrace``.

    ``answer_replaced``: the main model gave no answer, and another is asked. Argument: why, one of
    ``telemetry.metrics.REPLACED_REASONS``.

    ``turn_reopened``: the caller goes on after the end of a turn was assumed. Argument: the id of the caller's chat
    message, which is taken out of the conversation; a longer one follows.

    ``turns_held``: it is not known yet whether a person has answered the agent's call. What is said is no turn until
    then.

    ``turns_released``: the call goes on as with a person, and what was said meanwhile is one turn. After an answering
    machine that event does not come.

    ``usage_unreported``: an LLM request ended before the provider reported its token usage. Argument: an
    ``UnreportedUsage``.

    ``wordless_transcript``: a final transcript held no words and is not a turn. Argument: why, a
    ``turn_taking.wordless.Wordless``.

    ``caller_text``: what the caller has said in this turn has changed, before livekit-agents knows. Argument: the text,
    empty when the turn has ended.

    ``backchannel_started``: a listener's sound is about to be heard. Arguments: its text and how many seconds it lasts.

    ``dtmf_received``: the caller has pressed a key on the telephone. Argument: the key, one of ``0123456789*#ABCD``.
    """


class UsageEvents(rtc.EventEmitter[Literal["usage_changed"]]):
    """Events of a call's usage, subscribed to by ``events.on(name, handler)``.

    ``usage_changed``: a provider reported usage, or it was estimated. Argument: the ``telemetry.record.Usage`` so far.
    """


@runtime_checkable
class TracedAgent(Protocol):
    """An agent whose turns can be traced, such as ``PreResponseAgent``."""

    @property
    def events(self) -> EngineEvents:
        """The engine's events."""

    @property
    def strategy_name(self) -> str:
        """Name of the pre-response strategy in force, or ``off``."""

    def trace(self, message_id: str) -> TurnTrace | None:
        """Return the trace of a recent turn by the id of the caller's chat message."""
