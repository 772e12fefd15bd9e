"""The page in a real Chromium: a real LiveKit server, a real worker, real models, and a WAV file as the microphone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from benchmarks.page_gap.recording import channels
from caller import CallOptions, Text
from caller.audio import Pcm, audible_part
from caller.clips import load_clips
from page_server.settings import is_built
from testbed.browser import PATIENCE, NoBrowserError, Visitor, browsing, chromium
from testbed.conversation import MAX_WORD_ERROR_RATE, word_error_rate
from testbed.processes import Child, free_port
from testbed.services import Ports, livekit_server, page_server, running, worker, worker_env

pytestmark = [pytest.mark.e2e, pytest.mark.real_models, pytest.mark.asyncio(loop_scope="session")]

QUESTION = "What is the best way to learn how to cook?"
ANOTHER = "How can I sleep better at night?"


@dataclass
class Site:
    """The page with all that is behind it."""

    ports: Ports
    folder: Path
    children: dict[str, Child]

    def records(self, visitor: Visitor) -> list[dict[str, Any]]:
        """The turn records of a visitor's room, from the worker's log."""
        log = (self.folder / "worker.log").read_text()
        lines = [json.loads(line) for line in log.splitlines() if '"turn_record"' in line]
        return [line["turn_record"] for line in lines if line["room"] == visitor.room]

    async def speech(self, sentence: str) -> Pcm:
        """As Kokoro says it."""
        url = self.ports.models_url
        (pcm,) = await load_clips(CallOptions(url="ws://-", token="-", utterances=[Text(sentence)], speech_url=url))
        return pcm


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site(real_models: Ports, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """A LiveKit server of its own, which one test kills."""
    try:
        chromium()
    except NoBrowserError as error:
        pytest.skip(str(error))
    if not is_built():
        pytest.skip("the page is not built: `make page`")
    folder = tmp_path_factory.mktemp("page")
    ports = Ports(free_port(), real_models.models, free_port(), free_port())
    env = {**worker_env(ports, folder), "TURN_LOG": "full", "ANSWER_MAX_TOKENS": "40", "WORKER_MAX_CALLS": "20"}
    services = [
        livekit_server(ports.livekit),
        worker("fast-preresponse-ollama.py", env),
        page_server(ports, {"PAGE_CALLS_PER_MINUTE": "1000"}),
    ]
    async with running(services, folder) as children:
        yield Site(ports, folder, children)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def browser(site: Site) -> AsyncIterator[Browser]:
    async with browsing(site.folder / "microphone.wav") as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="session")
async def visitor(site: Site, browser: Browser) -> AsyncIterator[Visitor]:
    context = await browser.new_context()
    visitor = await Visitor.opens(context, site.ports.page_url, site.folder / "microphone.wav")
    yield visitor
    await context.close()
    assert visitor.errors == []


async def test_caller_talks_and_hears_and_sees_what_the_record_says(site: Site, visitor: Visitor) -> None:
    await visitor.talks()
    assert await visitor.lines("agent") == ["Hello! How can I help you?"]
    await visitor.listens()
    quiet = await visitor.heard()
    await visitor.says(await site.speech(QUESTION))
    await visitor.is_answered(0)
    heard = await visitor.heard()
    assert heard["loud"] - quiet["loud"] > 10  # 0.4 s of sound at least
    assert word_error_rate(QUESTION, " ".join(await visitor.lines("caller"))) < MAX_WORD_ERROR_RATE

    records = site.records(visitor)
    record = records[-1]
    turn = visitor.page.locator(f"[data-testid=turn][data-turn='{record['turn']}']")
    assert await turn.get_by_test_id("response-gap").inner_text() == f"{record['response_gap']:.2f}"
    assert await turn.get_by_test_id("answer-gap").inner_text() == f"{record['answer_gap']:.2f}"
    answer = visitor.part("line").last.get_by_test_id("answer")
    assert (await answer.inner_text()).split() == record["answer"].split()
    if record["preresponse"]:
        preresponse = visitor.part("line").last.get_by_test_id("preresponse")
        assert await preresponse.inner_text() == record["preresponse"]
    _agree(await visitor.bars(record["turn"]), record)
    assert f"{record['response_gap']:.2f}" in await visitor.part("percentiles").inner_text()
    assert f"{record['usage']['completion_tokens']:,}" in await visitor.part("usage").inner_text()

    exported = json.loads(await visitor.saves("export-json"))
    assert exported["room"] == visitor.room
    assert [{name: turn[name] for name in records[0]} for turn in exported["turns"]] == records
    for side in channels(await visitor.saves("export-wav")):
        sound = audible_part(side)
        assert sound is not None
        assert sound.end - sound.start > 0.5
    assert await visitor.accessibility_problems() == []


def _agree(bars: list[dict[str, Any]], record: dict[str, Any]) -> None:
    """Each bar stands for two instants of the record, and is drawn where they are."""
    instants = {name: at for name, at in record["instants"].items() if at is not None}
    stages = {bar["stage"]: bar for bar in bars}
    assert {"stt", "end_of_turn", "main_model", "answer_tts", "answer"} <= stages.keys()
    assert (stages["main_model"]["from"], stages["main_model"]["to"]) == (
        instants["main_request"],
        instants["main_first_token"],
    )
    assert stages["answer"]["from"] == instants["answer_start"]
    assert ("preresponse" in stages) == (record["preresponse"] is not None)
    for bar in bars:
        assert bar["from"] in instants.values(), bar
        assert bar["to"] in instants.values(), bar
    points = [(bar["from"], bar["left"]) for bar in bars]
    points += [(bar["to"], bar["right"]) for bar in bars if not bar["cut"] and bar["to"] - bar["from"] > 0.1]
    seconds, pixels = np.array(sorted(points)).T
    scale, start = np.polyfit(seconds, pixels, 1)
    assert scale > 0
    assert np.abs(start + scale * seconds - pixels).max() < 4


@pytest.mark.slow
async def test_second_utterance_stops_the_reply(site: Site, visitor: Visitor) -> None:
    question, stop = await site.speech(QUESTION), await site.speech("Please stop, that is enough now.")
    await visitor.talks()
    for _ in range(3):  # the model may have little to say
        before = await visitor.turns()
        await visitor.says(question)
        await visitor.part("line").last.get_by_test_id("answer").wait_for()
        await visitor.reaches("speaking")
        await visitor.says(stop)
        await visitor.is_answered(before)
        await expect(visitor.part("turn").first).not_to_contain_text("interrupted", timeout=PATIENCE)
        interrupted = [record for record in site.records(visitor) if record["interrupted"]]
        if interrupted:
            break
    assert interrupted
    shown = visitor.page.locator(f"[data-testid=turn][data-turn='{interrupted[0]['turn']}']")
    await expect(shown).to_contain_text("interrupted", timeout=PATIENCE)


@pytest.mark.slow
async def test_muted_caller_is_not_heard(site: Site, visitor: Visitor) -> None:
    await visitor.talks()
    await visitor.part("mute").click()
    await expect(visitor.part("mute")).to_have_attribute("aria-pressed", "true", timeout=PATIENCE)
    await asyncio.sleep(await visitor.says(await site.speech(ANOTHER)) + 1)
    await visitor.part("mute").click()
    before = await visitor.turns()
    await visitor.says(await site.speech(QUESTION))
    await visitor.is_answered(before)
    assert word_error_rate(QUESTION, " ".join(await visitor.lines("caller"))) < MAX_WORD_ERROR_RATE


@pytest.mark.slow
async def test_strategy_that_the_caller_chooses_holds_from_the_next_turn_on(site: Site, visitor: Visitor) -> None:
    question = await site.speech(QUESTION)
    await visitor.talks()
    for strategy in ("off", "phrase"):
        await visitor.part("strategy").locator(f"input[value={strategy}]").check(force=True)
        before = await visitor.turns()
        await visitor.says(question)
        await visitor.is_answered(before)
        record = site.records(visitor)[-1]
        assert record["strategy"] == strategy
        assert strategy == "phrase" or record["preresponse"] is None
        await expect(visitor.part("turn").first).to_contain_text(strategy, timeout=PATIENCE)


@pytest.mark.slow
async def test_two_tabs_are_two_callers_at_once(site: Site, browser: Browser) -> None:
    context = await browser.new_context()
    microphone = site.folder / "microphone.wav"
    tabs = [await Visitor.opens(context, site.ports.page_url, microphone) for _ in range(2)]
    await asyncio.gather(*(tab.talks() for tab in tabs))
    sentences = (QUESTION, ANOTHER)
    voices = [await site.speech(sentence) for sentence in sentences]
    for tab, voice in zip(tabs, voices, strict=True):
        await tab.listens()
        await tab.says(voice)
    await asyncio.gather(*(tab.is_answered(0) for tab in tabs))
    assert tabs[0].room != tabs[1].room
    for tab, sentence in zip(tabs, sentences, strict=True):
        assert word_error_rate(sentence, " ".join(await tab.lines("caller"))) < MAX_WORD_ERROR_RATE
        assert (await tab.heard())["loud"] > 10
        assert [record["turn"] for record in site.records(tab)] == list(range(1, await tab.part("turn").count() + 1))
        assert tab.errors == []
    await context.close()


@pytest.mark.slow
@pytest.mark.parametrize("code", ["microphone-denied", "no-microphone"])
async def test_without_a_microphone_the_caller_is_told_and_types(code: str, site: Site) -> None:
    has_one = site.folder / "microphone.wav" if code == "microphone-denied" else None
    async with browsing(has_one, allowed=code != "microphone-denied") as browser:
        visitor = await Visitor.opens(await browser.new_context(), site.ports.page_url, site.folder / "unused.wav")
        await visitor.part("talk").click()
        await visitor.is_told(code)
        assert await visitor.accessibility_problems() == []
        await visitor.begins_by_typing(QUESTION)
        await visitor.is_answered(0)
        assert await visitor.lines("caller") == [QUESTION]
        assert (await visitor.lines("agent"))[-1]


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1600])
async def test_axe_finds_nothing_serious(width: int, scheme: Any, visitor: Visitor) -> None:
    await visitor.page.emulate_media(color_scheme=scheme)
    await visitor.page.set_viewport_size({"width": width, "height": 900})
    assert await visitor.accessibility_problems() == []
    await visitor.begins_by_typing("Thank you.")
    await visitor.is_answered(0)
    assert await visitor.accessibility_problems() == []
    await visitor.part("hang-up").click()
    assert await visitor.accessibility_problems() == []


@pytest.mark.slow
async def test_call_goes_on_after_the_livekit_server_was_killed_and_started_again(site: Site, visitor: Visitor) -> None:
    await visitor.talks()
    site.children["LiveKit server"].kill()
    await visitor.is_told("reconnecting")
    async with running([livekit_server(site.ports.livekit)], site.folder):
        await expect(visitor.part("alert")).to_have_count(0, timeout=PATIENCE)
        await visitor.reaches("listening")
        before = await visitor.turns()
        await visitor.says(await site.speech(QUESTION))
        await visitor.is_answered(before)
        assert word_error_rate(QUESTION, (await visitor.lines("caller"))[-1]) < MAX_WORD_ERROR_RATE
