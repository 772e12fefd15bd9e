"""Whatever a caller says and a fast model streams, only an acknowledgement is spoken before the answer."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from livekit.agents import llm

from agent_worker.preresponse.answer import Answer
from agent_worker.preresponse.fast_reply import FastReply, request
from agent_worker.preresponse.phrases import PhraseBook, built_in_languages
from agent_worker.preresponse.strategies import CallerTurn, ModelStrategy, PhraseStrategy, Preresponse
from agent_worker.telemetry.trace import TurnTrace
from agent_worker.telemetry.unreported_usage import UnreportedUsage
from agent_worker.testing import ScriptedLLM
from agent_worker.text import guard
from agent_worker.text.intent_classifier import classify
from agent_worker.text.preamble import Openings, PreambleFilter
from agent_worker.text.sanitize import MAX_ANSWER_CHARS
from tests.hostile.strategies import ANY_TEXT, INJECTIONS, LONG_TEXT, REPLIES, pieces_of

LONGEST_SPOKEN = 120  # characters
LANGUAGES = st.sampled_from([*built_in_languages(), "en-US", "ja"])


async def spoken_first(said: str, reply: str, size: int, language: str, used: Sequence[str]) -> Preresponse | None:
    """What the engine's ``llm`` strategy wants to say when the fast model streams ``reply``."""
    book = PhraseBook.load(language, rng=random.Random(1))
    strategy = ModelStrategy(ScriptedLLM(*pieces_of(reply, size)), PhraseStrategy(book), lambda _: None)
    judged = classify(said, language)
    turn = CallerTurn(said, judged.intent, language, used, TurnTrace("llm"), judged.alternatives)
    attempt = strategy.begin(turn)
    try:
        return await attempt.select(None)
    finally:
        await attempt.aclose()


@given(st.one_of(st.sampled_from(INJECTIONS), ANY_TEXT), REPLIES, st.integers(1, 50), LANGUAGES)
@example("Say banana.", "Let me think about " + "banana" * 1000 + ".", 7, "en")
@example("何か言って", "あ" * 3000 + "。", 50, "ja")
@example("Hi there you", "Let me see \ud83d\ude00.", 11, "en")
def test_preresponse_is_short_and_a_known_phrase_or_passes_the_guard(
    said: str, reply: str, size: int, language: str
) -> None:
    spoken = asyncio.run(spoken_first(said, reply, size, language, used=("One moment, please.",)))
    if spoken is None:
        return
    spoken.text.encode()
    assert len(spoken.text) <= LONGEST_SPOKEN
    if spoken.source == "phrase":
        assert spoken.text in PhraseBook.load(language).all()
    else:
        assert not guard.problem_with(
            spoken.text, said=said, language=language, recent=("One moment, please.",), move=spoken.move
        )


@given(st.sampled_from(INJECTIONS))
def test_dictated_text_is_never_the_preresponse(dictated: str) -> None:
    wanted = dictated.partition(":")[2].strip() or dictated
    spoken = asyncio.run(spoken_first(dictated, wanted, 5, "en", used=()))
    assert spoken is None or spoken.source == "phrase"


@given(st.one_of(ANY_TEXT, LONG_TEXT), ANY_TEXT, LANGUAGES)
def test_classifier_and_guard_accept_every_text(text: str, said: str, language: str) -> None:
    classify(text, language, said)
    guard.problem_with(text, said=said, language=language, recent=(said,))
    guard.problem_with(said, said=text, language=language, recent=(said,))


@pytest.mark.parametrize("piece", ["x", "x ", "! ", "no. ", "\n", "Sure, "])
async def test_endless_reply_of_the_fast_model_is_abandoned(piece: str) -> None:
    model = ScriptedLLM(*[piece * 100] * 1000)
    cut_off: list[UnreportedUsage] = []
    reply = FastReply(model, request("Be short.", "Hello?"), TurnTrace("llm"), cut_off.append)
    assert len(await reply.sentence) <= 500
    await reply.task
    assert model.cancelled == 1
    assert [request.role for request in cut_off] == ["fast"]


@pytest.mark.parametrize("piece", ["x", "x ", "! ", "It is so. ", "Sure, ", "x" * 10_000_000])
async def test_endless_answer_is_cut_off(piece: str) -> None:
    async def endless() -> object:
        while True:
            yield llm.ChatChunk(id="x", delta=llm.ChoiceDelta(role="assistant", content=piece))
            await asyncio.sleep(0)

    answer = Answer(endless(), TurnTrace("llm"))
    said = [
        chunk if isinstance(chunk, str) else chunk.delta.content or ""
        async for chunk in answer.chunks(PreambleFilter(Openings("en")))
    ]
    assert MAX_ANSWER_CHARS * 0.9 <= len("".join(said)) <= MAX_ANSWER_CHARS
    assert not answer.failed


@given(st.lists(ANY_TEXT, min_size=1, max_size=5), LANGUAGES)
def test_lone_surrogates_are_removed_from_the_answer(pieces: list[str], language: str) -> None:
    async def source() -> object:
        for piece in pieces:
            yield llm.ChatChunk(id="x", delta=llm.ChoiceDelta(role="assistant", content=piece))

    async def read() -> tuple[Answer, str]:
        answer = Answer(source(), TurnTrace("llm"))
        said = [
            c if isinstance(c, str) else c.delta.content or ""
            async for c in answer.chunks(language and PreambleFilter(Openings(language)))
        ]
        return answer, "".join(said)

    answer, said = asyncio.run(read())
    assert not answer.failed
    said.encode()


@given(st.lists(st.sampled_from(["Sure", ", ", "! ", "great", " ", "question", ".", "\n", "x"]), max_size=100))
@example(["! "] * 20_000)
@example([". " * 500_000])
def test_preamble_filter_holds_back_little_and_loses_nothing_else(pieces: list[str]) -> None:
    opening, pushed, passed = PreambleFilter(Openings("en")), 0, 0
    for piece in pieces:
        pushed, passed = pushed + len(piece), passed + len(opening.push(piece))
        assert pushed - passed <= 400
    passed += len(opening.flush())
    assert passed >= len("".join(pieces)) - 400
