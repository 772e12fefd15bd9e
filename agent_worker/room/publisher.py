"""Send turn records and pre-responses to the room, and turn records to the log."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Literal

from livekit import rtc

from agent_worker.core.log import logger
from agent_worker.room.topics import PRERESPONSE_TOPIC, TURN_TOPIC
from agent_worker.telemetry.record import TurnRecord


class RoomPublisher:
    """Publish the events of a call as text streams on the topics of ``room.topics``.

    Args:
        room: The room of the call.
        turn_log: What a turn's line in the log holds: nothing is written, only times, or also what was said.
    """

    def __init__(self, room: rtc.Room, turn_log: Literal["off", "timing", "full"] = "off") -> None:
        self._room = room
        self._turn_log = turn_log
        self._pending: set[asyncio.Task[None]] = set()

    def publish_turn(self, record: TurnRecord) -> None:
        """Publish and log the record of a turn."""
        if self._turn_log != "off":
            logger.info("turn", extra={"turn_record": record.as_dict(words=self._turn_log == "full")})
        self._publish(TURN_TOPIC, record.as_dict())

    def publish_preresponse(self, text: str, source: str) -> None:
        """Publish a pre-response that is about to be heard."""
        self._publish(PRERESPONSE_TOPIC, {"text": text, "source": source})

    async def flush(self) -> None:
        """Wait until everything published so far has been sent, or has failed."""
        await asyncio.gather(*self._pending)

    def _publish(self, topic: str, content: dict[str, Any]) -> None:
        task = asyncio.create_task(self._send(topic, json.dumps(content)), name=f"publish {topic}")
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)

    async def _send(self, topic: str, text: str) -> None:
        try:
            await self._room.local_participant.send_text(text, topic=topic)
        except Exception as error:  # the room may be closing: a page's display must never cost a call
            logger.debug("%s could not be sent: %s", topic, type(error).__name__)
