"""``python -m benchmarks.word_errors``: how well callers are understood, through the whole loop.

Twenty sentences, spoken by Kokoro into a LiveKit room, heard by the worker's voice activity detector and by
Whisper, and sent back to the caller as transcripts. The replies are kept short, for they do not matter here.
Prints each sentence with errors and the word error rate over all, and writes ``word-errors.json``.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import logging
import tempfile
from pathlib import Path

from testbed.conversation import TurnResult, converse, word_error_rate
from testbed.processes import free_port
from testbed.services import Ports, running, whole_system

SENTENCES = (
    "Good morning, I would like to book a table for tonight.",
    "Could you tell me what time the shop closes?",
    "My order has not arrived and I am getting worried.",
    "I need to change my appointment to another day.",
    "What is the weather going to be like tomorrow?",
    "Please send the invoice to my new address.",
    "How long does the train to the city take?",
    "I forgot my password and cannot log in.",
    "Is there a pharmacy open near the station?",
    "The heating in my room does not work.",
    "Can I pay with my credit card?",
    "I would like to speak to a real person, please.",
    "My daughter is allergic to peanuts and milk.",
    "When will the doctor be back in the office?",
    "Thank you, that was very helpful.",
    "No, that is not what I meant.",
    "Please repeat the last part more slowly.",
    "I have been waiting on the line for a long time.",
    "What should I do if the light turns red?",
    "That is all for today, goodbye.",
)
_SHORT_REPLIES = {"PRERESPONSE_STRATEGY": "off", "ANSWER_MAX_TOKENS": "6"}


async def main() -> None:
    logging.getLogger("livekit").setLevel(logging.CRITICAL)
    ports = Ports(livekit=free_port(), models=free_port(), metrics=free_port())
    folder = Path(tempfile.mkdtemp(prefix="word-errors-"))
    services = whole_system("fast-preresponse-ollama.py", ports, folder / "metrics", _SHORT_REPLIES)
    async with running(services, folder, print):
        turns, _ = await converse(ports, "word-errors", SENTENCES, _show)
    total = word_error_rate([turn.said for turn in turns], [turn.heard for turn in turns])
    print(f"word error rate over {len(turns)} sentences: {total:.1%}")
    report = {"word_error_rate": total, "turns": [dataclasses.asdict(turn) for turn in turns]}
    await asyncio.to_thread(Path("word-errors.json").write_text, json.dumps(report, indent=2) + "\n")


def _show(turn: TurnResult) -> None:
    if turn.word_error_rate:
        print(f"  said  {turn.said}\n  heard {turn.heard}   [{turn.word_error_rate:.0%}]")


if __name__ == "__main__":
    asyncio.run(main())
