"""Tools act only once the end of the caller's turn is firm."""

from __future__ import annotations

import asyncio

from agent_worker.turn_taking.firm_end import FirmEnd
from tests.agent_worker.floor_calls import FakeTime
from tests.waiting import settle


async def test_end_is_firm_after_the_delay_and_a_word_begins_it_anew() -> None:
    time = FakeTime()
    end = FirmEnd(0.8, time.clock().now, time.clock().sleep)
    end.on_voice_start()
    end.on_voice_end(time.now)
    waiting = asyncio.create_task(end.wait())
    await settle()
    time.pass_(0.7)
    end.on_words()
    time.pass_(0.7)
    await settle()
    assert not waiting.done()
    time.pass_(0.2)
    await waiting


async def test_end_is_firm_at_once_without_a_voice_as_after_typed_text() -> None:
    await FirmEnd(0.8, lambda: 0.0).wait()
