"""The page in a real Chromium whose microphone plays a WAV file."""

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

TIMEOUT_MS = 600_000
"""A guard against hangs, for every wait in the browser."""
AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"

_LEAD_IN_S = 0.5
_TAIL_S = 60.0
"""Silence at the end, because Chromium repeats the file in spite of ``%noloop``."""
_ALLOW_MICROPHONE = "--use-fake-ui-for-media-stream"

# Measures the level of the agent's track as it is received; `threshold` is the amplitude at which sound starts.
_METER = """async (threshold) => {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 2048;
  context.createMediaStreamSource(document.querySelector('[data-testid=agent-audio]').srcObject).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  window.meter = { windows: 0, loud: 0, now: 0 };
  setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    window.meter.now = Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
    window.meter.windows += 1;
    if (window.meter.now > threshold) window.meter.loud += 1;
  }, 40);
}"""

_SOUND_AMPLITUDE = 10 ** ((RECEIVED_SPEECH.end_dbfs + RECEIVED_SPEECH.start_above_db) / 20)


class NoBrowserError(Exception):
    """There is no Chromium on this machine."""


def chromium() -> str:
    """Return the path of a Chromium.

    Raises:
        NoBrowserError: If there is none.
    """
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    raise NoBrowserError("no Chromium on PATH: run `make chromium`")


@contextlib.asynccontextmanager
async def browsing(microphone: Path | None, *, allowed: bool = True) -> AsyncIterator[Browser]:
    """Run a Chromium.

    Args:
        microphone: The WAV file that its microphone plays, from the beginning each time that it is opened; None for a
            machine without a microphone.
        allowed: Whether pages may use the microphone.

    Yields:
        The browser.
    """
    flags = ["--autoplay-policy=no-user-gesture-required"]
    if microphone:
        flags += ["--use-fake-device-for-media-stream", f"--use-file-for-fake-audio-capture={microphone}%noloop"]
    if allowed:
        flags.append(_ALLOW_MICROPHONE)
    if os.geteuid() == 0:
        flags.append("--no-sandbox")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=flags)
        try:
            yield browser
        finally:
            await browser.close()


def write_microphone(path: Path, pcm: Pcm) -> float:
    """Write what a microphone plays that is opened from now on. Returns its seconds, without the silence at the end."""
    parts = (np.zeros(round(_LEAD_IN_S * SAMPLE_RATE), np.int16), pcm, np.zeros(round(_TAIL_S * SAMPLE_RATE), np.int16))
    beside = path.with_suffix(".part")
    samples = np.concatenate(parts)
    beside.write_bytes(rtc.AudioFrame(samples.tobytes(), SAMPLE_RATE, 1, len(samples)).to_wav_bytes())
    beside.replace(path)
    return _LEAD_IN_S + len(pcm) / SAMPLE_RATE


class Tab:
    """A browser tab with the page.

    Attributes:
        page: The tab, to playwright.
        room: The room of its call.
        errors: Errors of scripts, and violations of the page's content security policy.
    """

    def __init__(self, page: Page, microphone: Path) -> None:
        self.page = page
        self.room = ""
        self.errors: list[str] = []
        self._microphone = microphone
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda message: self._on_console(message.text))

    def _on_console(self, text: str) -> None:
        if "Content Security Policy" in text or "Content-Security-Policy" in text:
            self.errors.append(text)

    @classmethod
    async def open(cls, context: BrowserContext, url: str, microphone: Path) -> Tab:
        """Open the page in a new tab; ``microphone`` is the file that the browser's microphone plays."""
        tab = cls(await context.new_page(), microphone)
        tab.page.set_default_timeout(TIMEOUT_MS)
        await tab.page.goto(url)
        return tab

    def part(self, test_id: str) -> Locator:
        """Return the elements with this ``data-testid``."""
        return self.page.get_by_test_id(test_id)

    async def start_call(self, *, greeting: bool = True) -> None:
        """Press the button and wait until the agent listens, after its greeting if it has one."""
        write_microphone(self._microphone, np.zeros(0, np.int16))
        await self._start(self.part("talk").click())
        await self._wait_until_listening("turn", 1 if greeting else 0)

    async def start_call_by_typing(self, text: str) -> None:
        """Type a text before there is a call."""
        await self._start(self.type_text(text))

    async def _start(self, action: Coroutine[Any, Any, None]) -> None:
        async with self.page.expect_response("**/api/session") as session:
            await action
        self.room = (await (await session.value).json())["room"]

    async def say(self, pcm: Pcm) -> float:
        """Switch to another microphone, which plays ``pcm``. Returns its seconds."""
        duration = write_microphone(self._microphone, pcm)
        select = self.part("microphone")
        names = await select.evaluate("select => [...select.options].map(option => option.value)")
        other = [name for name in names[1:] if name != await select.input_value()]
        await select.select_option(other[-1])
        return duration

    async def type_text(self, text: str) -> None:
        """Send a text."""
        await self.part("text-input").fill(text)
        await self.part("send").click()

    async def turns(self) -> list[int]:
        """Return the numbers of the turn records that the page shows."""
        shown = await self.part("turn").evaluate_all("turns => turns.map(turn => turn.dataset.turns).join(' ')")
        return [int(number) for number in shown.split()]

    async def caller_turns(self) -> int:
        """Return how many turns the caller has had."""
        return await self.part("turn-caller").count()

    async def wait_for_answer(self, before: int) -> None:
        """Wait until the turn after ``before`` turns of the caller has been answered."""
        await self._wait_until_listening("turn-caller", before + 1)

    async def _wait_until_listening(self, part: str, count: int) -> None:
        """Wait until there are ``count`` parts of a kind and the agent listens."""
        await self.page.wait_for_function(
            """([part, count]) => document.querySelectorAll(`[data-testid=${part}]`).length >= count
              && document.querySelector('[data-testid=agent-state]').dataset.state === 'listening'""",
            arg=[part, count],
        )

    async def lines(self, who: str) -> list[str]:
        """Return the lines of one side in the transcript, without its name."""
        return await self.page.locator(f"[data-testid=line][data-who={who}] p").all_inner_texts()

    async def wait_for_state(self, state: str) -> None:
        """Wait until the agent is in a state, such as ``speaking``."""
        await expect(self.part("agent-state")).to_have_attribute("data-state", state, timeout=TIMEOUT_MS)

    async def wait_for_sound(self, who: str) -> None:
        """Wait until the picture of the sound shows the voice of ``caller`` or ``agent``."""
        await self.page.wait_for_function(
            """who => {
              const canvas = document.querySelector('[data-testid=sound]');
              const row = Math.round(canvas.height * (who === 'caller' ? 0.3 : 0.7));
              const { data } = canvas.getContext('2d').getImageData(0, row, canvas.width, 1);
              return data.some((value, index) => index % 4 === 3 && value > 0);
            }""",
            arg=who,
        )

    async def wait_for_alert(self, code: str) -> None:
        """Wait until the page shows an alert."""
        await expect(self.part("alert")).to_have_attribute("data-code", code, timeout=TIMEOUT_MS)

    async def start_meter(self) -> None:
        """Start to measure how loud the agent is."""
        await self.part("agent-audio").wait_for(state="attached")
        await self.page.evaluate(_METER, _SOUND_AMPLITUDE)

    async def meter(self) -> dict[str, float]:
        """Return the number of ``windows`` measured and of those with sound (``loud``), and the level ``now``."""
        return dict(await self.page.evaluate("window.meter"))

    async def bars(self, turn: int) -> list[dict[str, Any]]:
        """Return the bars of a turn: their stage, their range in seconds, and their edges in pixels."""
        turn_part = self.page.locator(f"[data-testid=turn][data-turns~='{turn}']")
        bars: list[dict[str, Any]] = await turn_part.get_by_test_id("bar").evaluate_all(
            """bars => bars.map(bar => {
              const box = bar.getBoundingClientRect();
              const { stage, from, to, cut } = bar.dataset;
              const seconds = { from: Number(from), to: Number(to) };
              return { stage, ...seconds, cut: cut === 'true', left: box.left, right: box.right };
            })"""
        )
        return bars

    async def download(self, button: str) -> bytes:
        """Press a button and return the file that it saves."""
        async with self.page.expect_download() as download:
            await self.part(button).click()
        saved = await (await download.value).path()
        return await asyncio.to_thread(saved.read_bytes)

    async def accessibility_problems(self) -> list[str]:
        """Return what axe finds serious or critical, a line each."""
        if not await self.page.evaluate("'axe' in window"):
            await self.page.evaluate(AXE.read_text())
        found = await self.page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
        return [
            f"{violation['id']} ({violation['impact']}): {violation['help']}: {node['html'][:200]}"
            for violation in found["violations"]
            if violation["impact"] in ("serious", "critical")
            for node in violation["nodes"]
        ]
