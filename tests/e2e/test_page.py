"""The page in a real Chromium, with a real LiveKit server and worker; models are real where transcripts are checked."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest
import pytest_asyncio
from playwright.async_api import expect

from benchmarks.page_gap.recording import channels
from caller.audio import Pcm, audible_part, read_wav
from page_server.settings import is_built
from testbed.browser import TIMEOUT_MS, NoBrowserError, Tab, browsing, chromium
from testbed.conversation import MAX_WORD_ERROR_RATE, word_error_rate
from testbed.processes import Child, free_port
from testbed.services import (
    LONG_TIMEOUTS,
    Ports,
    Service,
    livekit_server,
    page_server,
    running,
    simulated_models,
    worker,
    worker_env,
)
from testbed.speech import Speaker
from tests.tools import require_binary

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

QUESTION = "What is the best way to learn how to cook?"
ANOTHER = "How can I sleep better at night?"
GREETING = "Hello! How can I help you?"
SIMULATION = {
    "llm": {"*": {"replies": ["This is sentence one of a long answer. This is the second and last one."]}},
    "stt": {"*": {"transcripts": [QUESTION]}},
}
#: An answer of minutes: whenever the caller interrupts it, on a machine however slow, it is being spoken.
LONG_ANSWER = {
    **SIMULATION,
    "llm": {"*": {"replies": [f"This is sentence one. {'Afterwards everything continues unhurriedly. ' * 9}"]}},
    "tts": {"*": {"chars_per_second": 2.5}},
}
FREE = {
    "llm": {"*": {"prompt": 0, "completion": 0}},
    "stt": {"*": {"per_minute": 0}},
    "tts": {"*": {"per_million_characters": 0}},
}
"""Prices of models that run on one's own hardware."""


@dataclass
class Site:
    """The page with all the services behind it."""

    ports: Ports
    folder: Path
    children: dict[str, Child]
    speaker: Speaker

    @property
    def microphone(self) -> Path:
        return self.folder / "microphone.wav"

    def records(self, tab: Tab) -> list[dict[str, Any]]:
        """Return the turn records of a tab's room from the worker's log, as its caller receives them."""
        log = (self.folder / "worker.log").read_text()
        lines = [json.loads(line) for line in log.splitlines() if '"turn_record"' in line]
        records = [line["turn_record"] for line in lines if line["room"] == tab.room]
        assert all(record["call"]["id"] == tab.room for record in records)
        return [record | {"call": record["call"] | {"worker": None, "version": None}} for record in records]

    async def simulate(self, config: dict[str, Any]) -> None:
        """Give the simulated models another configuration, for all requests from now on."""
        url = f"http://127.0.0.1:{self.ports.models}/simulated/config"
        async with aiohttp.ClientSession(raise_for_status=True) as http, http.put(url, json=config):
            pass

    async def speech(self, sentence: str) -> Pcm:
        return await asyncio.to_thread(read_wav, await self.speaker.wav(sentence))


@contextlib.asynccontextmanager
async def running_site(folder: Path, speaker: Speaker, ports: Ports, *more: Service) -> AsyncIterator[Site]:
    try:
        chromium()
    except NoBrowserError as error:
        pytest.skip(str(error))
    if not is_built():
        pytest.skip("the page is not built: `make page`")
    prices = folder / "prices.json"
    prices.write_text(json.dumps(FREE))
    env = {
        **worker_env(ports, folder),
        "PRICES": str(prices),
        **LONG_TIMEOUTS,
        "TURN_LOG": "full",
        "ANSWER_MAX_TOKENS": "40",
        "WORKER_MAX_CALLS": "20",
    }
    services = [
        *more,
        worker("fast-preresponse-ollama.py", env),
        page_server(ports, {"PAGE_CALLS_PER_MINUTE": "1000", "PAGE_OPEN_CALLS": "1000"}),
    ]
    async with running(services, folder) as children:
        yield Site(ports, folder, children, speaker)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def real_site(
    real_models: Ports, speaker: Speaker, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Site]:
    """With real models."""
    ports = replace(real_models, page=free_port())
    async with running_site(tmp_path_factory.mktemp("real-page"), speaker, ports) as site:
        yield site


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site(speaker: Speaker, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """With simulated models, and with its own LiveKit server, which one test kills.

    Without Redis the new one has forgotten the rooms: the call goes on only if it creates them for whoever joins.
    """
    require_binary("livekit-server")
    folder, ports = tmp_path_factory.mktemp("page"), Ports.free()
    services = (livekit_server(ports.livekit, auto_create=True), simulated_models(ports.models, SIMULATION, folder))
    async with running_site(folder, speaker, ports, *services) as site:
        yield site


@contextlib.asynccontextmanager
async def open_tab(site: Site) -> AsyncIterator[Tab]:
    async with browsing(site.microphone) as browser:
        tab = await Tab.open(await browser.new_context(), site.ports.page_url, site.microphone)
        yield tab
        assert tab.errors == []


@pytest_asyncio.fixture(loop_scope="session")
async def tab(site: Site) -> AsyncIterator[Tab]:
    async with open_tab(site) as tab:
        yield tab


@pytest.mark.real_models
async def test_caller_talks_and_hears_and_sees_what_the_turn_record_says(real_site: Site) -> None:
    site = real_site
    async with open_tab(site) as tab:
        await tab.start_call()
        assert await tab.lines("agent") == [GREETING]
        await tab.start_meter()
        before = await tab.meter()
        await tab.say(await site.speech(QUESTION))
        await tab.wait_for_answer(0)
        after = await tab.meter()
        assert after["loud"] - before["loud"] > 10  # 0.4 s of sound at least
        assert word_error_rate(QUESTION, " ".join(await tab.lines("caller"))) < MAX_WORD_ERROR_RATE

        records = site.records(tab)
        record = records[-1]
        turn = tab.page.locator(f"[data-testid=turn][data-turns~='{record['turn']}']")
        assert await turn.get_by_test_id("response-gap").inner_text() == _shown(record["response_gap"])
        assert await turn.get_by_test_id("answer-gap").inner_text() == _shown(record["answer_gap"])
        answer = tab.part("line").last.get_by_test_id("answer")
        assert (await answer.inner_text()).split() == record["answer"].split()
        if record["preresponse"]:
            preresponse = tab.part("line").last.get_by_test_id("preresponse")
            assert await preresponse.inner_text() == record["preresponse"]
        _assert_bars_show(record, await tab.bars(record["turn"]))
        assert _shown(record["response_gap"]) in await tab.part("percentiles").inner_text()
        if usage := record.get("usage"):
            assert f"{usage['completion_tokens']:,}" in await tab.part("usage").inner_text()
        assert await tab.part("cost").count() == 0

        exported = json.loads(await tab.download("export-json"))
        assert exported["room"] == tab.room
        assert [{name: turn[name] for name in records[0]} for turn in exported["turns"]] == records
        for side in channels(await tab.download("export-wav")):
            sound = audible_part(side)
            assert sound is not None
            assert sound.end - sound.start > 0.5
        assert await tab.accessibility_problems() == []


def _shown(seconds: float) -> str:
    """Return a duration as the page shows it."""
    milliseconds = math.floor(seconds * 1000 + 0.5)
    return f"{milliseconds} ms" if milliseconds < 1000 else f"{seconds:.1f} s"


def _assert_bars_show(record: dict[str, Any], bars: list[dict[str, Any]]) -> None:
    """Each bar reaches from one instant of the record to another, and is drawn to scale."""
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
async def test_second_utterance_stops_the_reply(site: Site, tab: Tab) -> None:
    await site.simulate(LONG_ANSWER)
    await tab.start_call()
    await tab.say(await site.speech(QUESTION))
    await tab.wait_for_sound("caller")
    # Not in the first moment of the answer, which the page shows as a caller who continues.
    await expect(tab.part("line").last.get_by_test_id("answer")).to_contain_text("sentence one", timeout=TIMEOUT_MS)
    await tab.wait_for_state("speaking")
    await tab.wait_for_sound("agent")
    await site.simulate(SIMULATION)  # the next answer is short
    await tab.say(await site.speech("Please stop now."))  # without a pause, which could end the turn
    await tab.wait_for_answer(1)
    interrupted = next(record for record in site.records(tab) if record["interrupted"])
    assert interrupted["caller"] == QUESTION
    shown = tab.page.locator(f"[data-testid=turn][data-turns~='{interrupted['turn']}']")
    await expect(shown).to_contain_text("interrupted", timeout=TIMEOUT_MS)


@pytest.mark.slow
async def test_muted_caller_is_not_heard(site: Site, tab: Tab) -> None:
    await tab.start_call()
    await tab.part("mute").click()
    await expect(tab.part("mute")).to_have_attribute("aria-pressed", "true", timeout=TIMEOUT_MS)
    await asyncio.sleep(await tab.say(await site.speech(ANOTHER)) + 1)  # the browser does not tell when it was played
    await tab.part("mute").click()
    await tab.say(await site.speech(QUESTION))
    await tab.wait_for_answer(0)
    assert await tab.lines("caller") == [QUESTION]


@pytest.mark.slow
async def test_strategy_that_the_caller_chooses_is_used_from_the_next_turn_on(site: Site, tab: Tab) -> None:
    question = await site.speech(QUESTION)
    await tab.start_call()
    for strategy in ("off", "phrase"):
        await tab.part("strategy").locator(f"input[value={strategy}]").check(force=True)
        before = await tab.caller_turns()
        await tab.say(question)
        await tab.wait_for_answer(before)
        record = site.records(tab)[-1]
        assert record["strategy"] == strategy
        assert strategy == "phrase" or record["preresponse"] is None
        await expect(tab.part("turn").first).to_contain_text(strategy, timeout=TIMEOUT_MS)


@pytest.mark.slow
@pytest.mark.real_models
async def test_two_tabs_are_two_callers_at_once(real_site: Site) -> None:
    sentences = (QUESTION, ANOTHER)
    async with browsing(real_site.microphone) as browser:
        context = await browser.new_context()
        tabs = [await Tab.open(context, real_site.ports.page_url, real_site.microphone) for _ in sentences]
        await asyncio.gather(*(tab.start_call() for tab in tabs))
        for tab, sentence in zip(tabs, sentences, strict=True):
            await tab.start_meter()
            await tab.say(await real_site.speech(sentence))
        await asyncio.gather(*(tab.wait_for_answer(0) for tab in tabs))
        assert tabs[0].room != tabs[1].room
        for tab, sentence in zip(tabs, sentences, strict=True):
            assert word_error_rate(sentence, " ".join(await tab.lines("caller"))) < MAX_WORD_ERROR_RATE
            assert (await tab.meter())["loud"] > 10
            numbers = [record["turn"] for record in real_site.records(tab)]
            assert sorted(await tab.turns()) == numbers == list(range(1, len(numbers) + 1))
            assert tab.errors == []


@pytest.mark.slow
@pytest.mark.parametrize("code", ["microphone-denied", "no-microphone"])
async def test_caller_without_a_microphone_gets_an_alert_and_can_type(code: str, site: Site) -> None:
    microphone = site.microphone if code == "microphone-denied" else None
    async with browsing(microphone, allowed=code != "microphone-denied") as browser:
        tab = await Tab.open(await browser.new_context(), site.ports.page_url, site.folder / "unused.wav")
        await tab.part("talk").click()
        await tab.wait_for_alert(code)
        assert await tab.accessibility_problems() == []
        await tab.start_call_by_typing(QUESTION)
        await tab.wait_for_answer(0)
        assert await tab.lines("caller") == [QUESTION]
        assert (await tab.lines("agent"))[-1]


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1600])
async def test_axe_finds_nothing_serious_and_nothing_is_cut_off(width: int, scheme: Any, tab: Tab) -> None:
    await tab.page.emulate_media(color_scheme=scheme)
    await tab.page.set_viewport_size({"width": width, "height": 900})
    assert await tab.accessibility_problems() == []
    await tab.start_call_by_typing("Thank you.")
    await tab.wait_for_answer(0)
    assert await tab.accessibility_problems() == []
    assert await tab.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await tab.part("hang-up").click()
    assert await tab.accessibility_problems() == []


@pytest.mark.slow
async def test_call_continues_after_the_livekit_server_was_killed_and_restarted(site: Site, tab: Tab) -> None:
    await tab.start_call()
    site.children["LiveKit server"].kill()
    await tab.wait_for_alert("reconnecting")
    async with running([livekit_server(site.ports.livekit, auto_create=True)], site.folder):
        await expect(tab.part("alert")).to_have_count(0, timeout=TIMEOUT_MS)
        await tab.wait_for_state("listening")
        before = await tab.caller_turns()
        await tab.say(await site.speech(QUESTION))
        await tab.wait_for_answer(before)
        # The simulated recogniser hears it once for each stretch of sound, and a new connection may begin with a gap.
        assert QUESTION in (await tab.lines("caller"))[-1]
