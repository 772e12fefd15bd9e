"""Configuration of the simulated providers: latencies, replies, and the tones that the voice speaks in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from agent_worker.core.settings import CloudSettings
from agent_worker.preresponse.phrases import PhraseBook
from agent_worker.text.messages import apology, backchannel, tool_timeout
from benchmarks.harness.clips import UTTERANCES

PRERESPONSE_HZ = 440.0
ANSWER_HZ = 880.0
BACKCHANNEL_HZ = 1320.0
"""Of a listener's sound, which leaves the floor with the caller."""

_SENTENCE_HZ = (370.0, 510.0)
"""Range around PRERESPONSE_HZ in which each fixed sentence has a tone of its own; it is still detected as that one."""

FRONTEND_MODEL, BACKEND_MODEL = "frontend", "backend"
"""The fast and the main model of Pipecat's `LLMWithBackend`, which have to say more than a reply: the frontend hands
each turn over by calling its tool, acknowledges it, and repeats what the backend says; and that marks what it says."""
_BACKEND_MARK = ">> "
_RELAYED = "Backend: "

FAST_MODEL: str = CloudSettings.model_fields["groq_fast_model"].default
MAIN_MODEL: str = CloudSettings.model_fields["groq_main_model"].default

_ANSWERS = [
    "The answer is at nine. That answer is certain.",
    "My answer is a yes. It is the best answer.",
    "Your answer is here. The answer is simple.",
]
"""Two sentences each, as short as livekit-agents would synthesize separately: about 3 s. ``answer`` is in each sentence
of the main model and in nothing else, so that the voice speaks it at ANSWER_HZ."""

_LONG_ANSWERS = [
    " ".join([f"Answer {name} is certain, and this answer {name} has several parts."] * 2)
    for name in ("alpha", "bravo", "delta", "gamma", "kappa")
]
"""Of about 9 s. Answers that follow each other have other words, and so other tones."""
LONG_ANSWER_HZ = {"alpha": 680.0, "bravo": 780.0, "delta": 880.0, "gamma": 980.0, "kappa": 1080.0}
"""Their tones, by a word of theirs."""

_ACKNOWLEDGEMENTS = [
    "Let me look into that for you.",
    "One moment, I will check that.",
    "I see, let me find that out.",
]
_TOOL_ACKNOWLEDGEMENT = "Let me check."
"""One of our worker's sentences, so that it has a tone of its own in the profiles with a tool."""


@dataclass(frozen=True)
class Latencies:
    """Medians of the providers' latencies, milliseconds.

    Attributes:
        fast_ttft: First token of the fast model.
        main_ttft: First token of the main model.
        stt_final: Delay of the final transcript, in addition to the 200 ms of silence after which the simulated
            Deepgram ends an utterance (224 ms, because it counts frames of 32 ms).
        tts_first_byte: First byte of audio.
        p95_over_median: If given, each latency is log-normal with this ratio; else it is constant.
        stt_p95_over_median: The same for ``stt_final``, if it differs.
    """

    fast_ttft: float = 150
    main_ttft: float = 600
    stt_final: float = 0
    tts_first_byte: float = 300
    p95_over_median: float | None = None
    stt_p95_over_median: float | None = None


@cache
def sentence_tones() -> Mapping[str, float]:
    """Return a tone for each sentence that our worker says word for word; the longest first.

    The first text that is found in a sentence decides its tone: one may be a part of another.
    """
    book = PhraseBook.load("en")
    sentences = sorted(
        {*book.all(), *book.fillers, apology("en"), tool_timeout("en")}, key=lambda text: (-len(text), text)
    )
    return dict(zip(sentences, map(float, np.linspace(*_SENTENCE_HZ, len(sentences))), strict=True))


def simulation(
    latencies: Latencies, seed: int, *, calls_tool: bool = False, long_answers: bool = False
) -> dict[str, Any]:
    """Return the model server's configuration for these latencies.

    The fast model makes 500 tokens a second, the main model 150; the voice makes a second of audio in 50 ms.

    Args:
        latencies: Of the providers.
        seed: Of their variation.
        calls_tool: Whether the main model calls the agent's tool before each answer. Then each fixed sentence has a
            tone of its own (``sentence_tones``), so that a listener can tell which one was said.
        long_answers: Whether answers take about 9 s, and each has another tone than the one before it.
    """
    jitter = _jitter(latencies.p95_over_median)
    stt_jitter = _jitter(latencies.stt_p95_over_median) or jitter
    answers = _LONG_ANSWERS if long_answers else _ANSWERS

    def model(ttft_ms: float, tokens_per_second: int, replies: list[str]) -> dict[str, Any]:
        return {"ttft_ms": ttft_ms, "tokens_per_second": tokens_per_second, "replies": replies, **jitter}

    acknowledgements = [_TOOL_ACKNOWLEDGEMENT] if calls_tool else _ACKNOWLEDGEMENTS
    marked = [_BACKEND_MARK + answer for answer in answers]
    of_sentences = sentence_tones() if calls_tool else {}
    of_answers = LONG_ANSWER_HZ if long_answers else {"answer": ANSWER_HZ}
    by_text = {**of_answers, backchannel("en"): BACKCHANNEL_HZ, **of_sentences}
    tones = {"tone_hz": PRERESPONSE_HZ, "tones": by_text}
    return {
        "seed": seed,
        "llm": {
            FAST_MODEL: model(latencies.fast_ttft, 500, _ACKNOWLEDGEMENTS),
            MAIN_MODEL: {**model(latencies.main_ttft, 150, answers), "calls_tool": calls_tool},
            FRONTEND_MODEL: {
                **model(latencies.fast_ttft, 500, acknowledgements),
                "calls_tool": True,
                "relays": _RELAYED,
            },
            BACKEND_MODEL: {**model(latencies.main_ttft, 150, marked), "calls_tool": calls_tool},
        },
        "stt": {"*": {"final_ms": latencies.stt_final, "transcripts": list(UTTERANCES), **stt_jitter}},
        "tts": {"*": {"ttfb_ms": latencies.tts_first_byte, "realtime_factor": 0.05, **tones, **jitter}},
    }


def _jitter(p95_over_median: float | None) -> dict[str, float]:
    return {"p95_over_median": p95_over_median} if p95_over_median else {}
