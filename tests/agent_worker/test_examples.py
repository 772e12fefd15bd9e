from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from agent_worker.preresponse.phrases import PhraseBook
from agent_worker.preresponse.strategies import PhraseStrategy
from agent_worker.testing import ScriptedLLM, conversation
from agent_worker.text.move import Move
from tests.agent_worker.test_preresponse import agent_with

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
PHRASE = "Let me think."


@pytest.mark.parametrize("script", sorted(path.name for path in EXAMPLES.glob("*.py")))
def test_example_starts(script: str, tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, str(EXAMPLES / script), "--help"],
        env={**os.environ, "PYTHONPATH": str(EXAMPLES.parent)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr


def example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def said_before_the_answer(*callers_words: str) -> list[str | None]:
    """Return the pre-response of my_strategy.py in each turn."""
    mine = example("my_strategy")
    phrases = PhraseBook("en", {move: [PHRASE] for move in Move})
    strategy = mine.SubjectStrategy(mine.SUBJECTS, PhraseStrategy(phrases))
    agent = agent_with(strategy, phrases=phrases, quick_answer=0.0)  # the model of the test is quick
    async with conversation(agent, llm=ScriptedLLM("It is.")) as call:
        return [(await call.say(words)).preresponse for words in callers_words]


async def test_example_strategy_names_the_subject_of_a_question() -> None:
    assert await said_before_the_answer("How much is a ticket?") == ["Tickets, let me see."]


async def test_example_strategy_falls_back_to_phrases() -> None:
    assert await said_before_the_answer("When do you open?") == [PHRASE]


async def test_example_strategy_does_not_repeat_itself() -> None:
    asked = ("How much is a ticket?", "And what does a ticket for children cost?")
    # The next answer of a quick model is expected too soon for a look-up phrase.
    assert await said_before_the_answer(*asked) == ["Tickets, let me see.", None]


async def test_example_strategy_does_not_name_a_subject_in_a_complaint() -> None:
    assert await said_before_the_answer("I lost my ticket and I am really upset.") == [PHRASE]
