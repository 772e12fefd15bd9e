"""Somebody at the page in a real Chromium, whose microphone plays a WAV file."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import Any

import numpy as np
from livekit import rtc
from playwright.async_api import Browser, BrowserContext, Locator, Page, async_playwright, expect

from agent_worker.audio.sound_edges import RECEIVED_SPEECH
from caller.audio import SAMPLE_RATE, Pcm
from testbed.services import ROOT

PATIENCE = 180_000  # milliseconds; how long anything may take on a busy machine before it is taken for lost
AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"

_LEAD_IN = 0.5
_TAIL = 60.0  # silence; then the file's content would begin again, though it is told not to
_ALLOWED = "--use-fake-ui-for-media-stream"

# Measures the level of the agent's track as it is received; `threshold` is the amplitude at which sound starts.
_METER = """async (threshold) => {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 2048;
  context.createMediaStreamSource(document.querySelector('[data-testid=agent-audio]').srcObject).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  window.heard = { windows: 0, loud: 0, now: 0 };
  setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    window.heard.now = Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
    window.heard.windows += 1;
    if (window.heard.now > threshold) window.heard.loud += 1;
  }, 40);
}"""

_SOUND_AMPLITUDE = 10 ** ((RECEIVED_SPEECH.end_dbfs + RECEIVED_SPEECH.start_above_db) / 20)


class NoBrowserError(Exception):
    """There is no Chromium on this machine."""


def chromium() -> str:
    """Path of a Chromium.

    Raises:
        NoBrowserError: If there is none.
    """
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    raise NoBrowserError("no Chromium on PATH: run `make chromium`")


@contextlib.asynccontextmanager
async def browsing(microphone: Path | None, *, allowed: bool = True) -> AsyncIterator[Browser]:
    """A Chromium whose microphone plays this file, from its beginning each time that it is opened."""
    flags = ["--autoplay-policy=no-user-gesture-required"]
    if microphone:
        flags += ["--use-fake-device-for-media-stream", f"--use-file-for-fake-audio-capture={microphone}%noloop"]
    if allowed:
        flags.append(_ALLOWED)
    if os.geteuid() == 0:
        flags.append("--no-sandbox")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=flags)
        try:
            yield browser
        finally:
            await browser.close()


def write_microphone(path: Path, pcm: Pcm) -> float:
    """What a microphone that is opened from now on plays. Returns how long that takes, without the silence after it."""
    parts = (np.zeros(round(_LEAD_IN * SAMPLE_RATE), np.int16), pcm, np.zeros(round(_TAIL * SAMPLE_RATE), np.int16))
    beside = path.with_suffix(".part")
    samples = np.concatenate(parts)
    beside.write_bytes(rtc.AudioFrame(samples.tobytes(), SAMPLE_RATE, 1, len(samples)).to_wav_bytes())
    beside.replace(path)
    return _LEAD_IN + len(pcm) / SAMPLE_RATE


class Visitor:
    """One tab with the page."""

    def __init__(self, page: Page, microphone: Path) -> None:
        self.page = page
        self.room = ""
        self.errors: list[str] = []
        """What the browser complained of: errors of scripts, and what the page's policy forbids."""
        self._microphone = microphone
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda message: self._note(message.text))

    def _note(self, text: str) -> None:
        if "Content Security Policy" in text or "Content-Security-Policy" in text:
            self.errors.append(text)

    @classmethod
    async def opens(cls, context: BrowserContext, url: str, microphone: Path) -> Visitor:
        visitor = cls(await context.new_page(), microphone)
        visitor.page.set_default_timeout(PATIENCE)
        await visitor.page.goto(url)
        return visitor

    def part(self, test_id: str) -> Locator:
        return self.page.get_by_test_id(test_id)

    async def talks(self, *, greeting: bool = True) -> None:
        """Press the button, and wait until the agent listens; with a greeting, after it."""
        write_microphone(self._microphone, np.zeros(0, np.int16))
        await self._begins(self.part("talk").click())
        await self._is_listened_to("turn", 1 if greeting else 0)

    async def begins_by_typing(self, text: str) -> None:
        await self._begins(self.types(text))

    async def _begins(self, how: Coroutine[Any, Any, None]) -> None:
        async with self.page.expect_response("**/api/session") as session:
            await how
        self.room = (await (await session.value).json())["room"]

    async def says(self, pcm: Pcm) -> float:
        """Open another microphone, which says it. Returns how long that takes, seconds."""
        duration = write_microphone(self._microphone, pcm)
        select = self.part("microphone")
        names = await select.evaluate("select => [...select.options].map(option => option.value)")
        other = [name for name in names[1:] if name != await select.input_value()]
        await select.select_option(other[-1])
        return duration

    async def types(self, text: str) -> None:
        await self.part("text-input").fill(text)
        await self.part("send").click()

    async def turns(self) -> int:
        """How many there have been in which the caller said something."""
        return await self.part("turn-caller").count()

    async def is_answered(self, before: int) -> None:
        """Wait for the reply to what has been said after so many turns."""
        await self._is_listened_to("turn-caller", before + 1)

    async def _is_listened_to(self, part: str, count: int) -> None:
        """Wait until there are so many parts of a kind, and the agent listens."""
        await self.page.wait_for_function(
            """([part, count]) => document.querySelectorAll(`[data-testid=${part}]`).length >= count
              && document.querySelector('[data-testid=agent-state]').dataset.state === 'listening'""",
            arg=[part, count],
        )

    async def lines(self, who: str) -> list[str]:
        """What the transcript has of one side, without its name."""
        return await self.page.locator(f"[data-testid=line][data-who={who}] p").all_inner_texts()

    async def reaches(self, state: str) -> None:
        await expect(self.part("agent-state")).to_have_attribute("data-state", state, timeout=PATIENCE)

    async def is_told(self, code: str) -> None:
        await expect(self.part("alert")).to_have_attribute("data-code", code, timeout=PATIENCE)

    async def listens(self) -> None:
        """From now on note how loud the agent is."""
        await self.part("agent-audio").wait_for(state="attached")
        await self.page.evaluate(_METER, _SOUND_AMPLITUDE)

    async def heard(self) -> dict[str, float]:
        return dict(await self.page.evaluate("window.heard"))

    async def bars(self, turn: int) -> list[dict[str, Any]]:
        """The waterfall's bars: their stage, the seconds that they stand for, and where they are drawn, in pixels."""
        turn_part = self.page.locator(f"[data-testid=turn][data-turn='{turn}']")
        bars: list[dict[str, Any]] = await turn_part.get_by_test_id("bar").evaluate_all(
            """bars => bars.map(bar => {
              const box = bar.getBoundingClientRect();
              const { stage, from, to, cut } = bar.dataset;
              const seconds = { from: Number(from), to: Number(to) };
              return { stage, ...seconds, cut: cut === 'true', left: box.left, right: box.right };
            })"""
        )
        return bars

    async def saves(self, button: str) -> bytes:
        async with self.page.expect_download() as download:
            await self.part(button).click()
        saved = await (await download.value).path()
        return await asyncio.to_thread(saved.read_bytes)

    async def accessibility_problems(self) -> list[str]:
        """What axe finds serious or critical, a line each."""
        if not await self.page.evaluate("'axe' in window"):
            await self.page.evaluate(AXE.read_text())
        found = await self.page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
        return [
            f"{violation['id']} ({violation['impact']}): {violation['help']}: {node['html'][:200]}"
            for violation in found["violations"]
            if violation["impact"] in ("serious", "critical")
            for node in violation["nodes"]
        ]
