"""The agent of a museum's telephone, as the tests of whole turns call it."""

from __future__ import annotations

from typing import Any

from agent_worker.preresponse.agent import PreResponseAgent
from agent_worker.preresponse.phrases import PhraseBook
from agent_worker.text.move import Move

PHRASE = "Let me think."


def museum_agent(**options: Any) -> PreResponseAgent:
    """One that has a single phrase, for a look-up, and says it however quick the answer may be."""
    standard = {
        "instructions": "You help.",
        "strategy": "phrase",
        "phrases": PhraseBook("en", {Move.LOOK_UP: [PHRASE]}),
        "quick_answer": 0.0,
        "filler_delay": None,
    }
    return PreResponseAgent(**{**standard, **options})
