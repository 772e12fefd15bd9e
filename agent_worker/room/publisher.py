"""Send turn records, pre-responses and listener's sounds to the caller, and turn records to the log."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import Callable
from typing import Any, Literal

from livekit import rtc
from livekit.agents import AgentSession

from agent_worker.core.log import logger
from agent_worker.room.topics import BACKCHANNEL_TOPIC, PRERESPONSE_TOPIC, TURN_TOPIC
from agent_worker.telemetry.record import TurnRecord


def linked_identity(session: AgentSession[Any]) -> str | None:
    """Return the identity of the participant that the session listens to; ``None`` if it has none."""
    try:
        caller = session.room_io.linked_participant
    except RuntimeError:  # a session without a room, as on the console, or one that is closed
        return None
    return caller.identity if caller else None


class RoomPublisher:
    """Publish the events of a call as text streams on the topics of ``room.topics``.

    Only the caller receives them: other participants of the room get neither words nor cost.

    Args:
        room: The room of the call.
        caller: Returns the identity of the caller. While there is none, nothing is sent.
        turn_log: What a turn's line in the log holds: nothing is written, only times, or also what was said.
        with_usage: Whether the caller receives usage and cost.
    """

    def __init__(
        self,
        room: rtc.Room,
        caller: Callable[[], str | None],
        turn_log: Literal["off", "timing", "full"] = "off",
        *,
        with_usage: bool = False,
    ) -> None:
        self._room = room
        self._caller = caller
        self._turn_log = turn_log
        self._with_usage = with_usage
        self._pending: set[asyncio.Task[None]] = set()

    def publish_turn(self, record: TurnRecord) -> None:
        """Publish and log the record of a turn."""
        if self._turn_log != "off":
            logger.info("turn", extra={"turn_record": record.as_dict(words=self._turn_log == "full")})
        shown = dataclasses.replace(
            record,
            usage=record.usage if self._with_usage else None,
            call=record.call.for_caller() if record.call else None,
        )
        self._publish(TURN_TOPIC, shown.as_dict())

    def publish_preresponse(self, text: str, source: str) -> None:
        """Publish a pre-response that is about to be heard."""
        self._publish(PRERESPONSE_TOPIC, {"text": text, "source": source})

    def publish_backchannel(self, text: str, seconds: float) -> None:
        """Publish a listener's sound that begins, and how long it lasts."""
        self._publish(BACKCHANNEL_TOPIC, {"text": text, "seconds": round(seconds, 3)})

    async def flush(self) -> None:
        """Wait until everything published so far has been sent, or has failed."""
        await asyncio.gather(*self._pending)

    def _publish(self, topic: str, content: dict[str, Any]) -> None:
        if (caller := self._caller()) is None:
            return
        task = asyncio.create_task(self._send(topic, json.dumps(content), caller), name=f"publish {topic}")
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)

    async def _send(self, topic: str, text: str, caller: str) -> None:
        try:
            await self._room.local_participant.send_text(text, topic=topic, destination_identities=[caller])
        except Exception as error:  # the room may be closing: a page's display must never cost a call
            logger.debug("%s could not be sent: %s", topic, type(error).__name__)
