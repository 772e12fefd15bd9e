"""How fast are the providers?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from agent_worker.core.settings import CloudSettings
from benchmarks.latency.speech import UTTERANCES
from model_server.simulation import SimulationConfig

PRERESPONSE_HZ = 440.0
ANSWER_HZ = 880.0
ANSWER_MARK = "answer"
"""A word in every sentence of the main model, and in nothing else that is said: it is spoken at ANSWER_HZ."""

ANSWERS = [
    "The answer is at nine. That answer is certain.",
    "My answer is a yes. It is the best answer.",
    "Your answer is here. The answer is simple.",
]
"""Two sentences each, as short as livekit-agents would speak apart: about 3 s."""

ACKNOWLEDGEMENTS = [
    "Let me look into that for you.",
    "One moment, I will check that.",
    "I see, let me find that out.",
]

FAST_TOKENS_PER_SECOND = 500
MAIN_TOKENS_PER_SECOND = 150
TTS_REALTIME_FACTOR = 0.05


@dataclass(frozen=True)
class Latencies:
    """Medians in milliseconds.

    ``stt_final`` comes on top of the silence after which the simulated Deepgram ends an utterance: 200 ms, in frames of
    32 ms, which is 224 ms. So 0 is what brings the final transcript about 200 ms after the end of speech.
    """

    fast_ttft: float = 150
    main_ttft: float = 600
    stt_final: float = 0
    tts_first_byte: float = 300
    p95_over_median: float | None = None


@dataclass(frozen=True)
class Profile:
    name: str
    about: str
    latencies: Latencies | None
    """None: the real models."""
    max_parallel: int = 16

    @property
    def simulated(self) -> bool:
        return self.latencies is not None


PROFILES = {
    profile.name: profile
    for profile in (
        Profile("cloud", "providers as fast as cloud services are", Latencies()),
        Profile("slow-main", "as cloud, but the main model takes 2.5 s", Latencies(main_ttft=2500)),
        Profile("fast-main", "as cloud, but the main model is as fast as the small one", Latencies(main_ttft=150)),
        Profile(
            "jitter",
            "as cloud, every latency log-normal, p95 at 3 times the median",
            Latencies(p95_over_median=3, stt_final=50),
        ),
        Profile(
            "real",
            "small real models on this machine's CPU, which they share with everything else",
            None,
            max_parallel=1,
        ),
    )
}


def simulation(latencies: Latencies, seed: int) -> dict[str, Any]:
    """The model server's configuration, as it is written to its file."""
    jitter = {"p95_over_median": latencies.p95_over_median} if latencies.p95_over_median else {}
    defaults = CloudSettings.model_fields
    config = {
        "seed": seed,
        "llm": {
            defaults["groq_fast_model"].default: {
                "ttft_ms": latencies.fast_ttft,
                "tokens_per_second": FAST_TOKENS_PER_SECOND,
                "replies": ACKNOWLEDGEMENTS,
                **jitter,
            },
            defaults["groq_main_model"].default: {
                "ttft_ms": latencies.main_ttft,
                "tokens_per_second": MAIN_TOKENS_PER_SECOND,
                "replies": ANSWERS,
                **jitter,
            },
        },
        "stt": {"*": {"final_ms": latencies.stt_final, "transcripts": list(UTTERANCES), **jitter}},
        "tts": {
            "*": {
                "ttfb_ms": latencies.tts_first_byte,
                "realtime_factor": TTS_REALTIME_FACTOR,
                "tone_hz": PRERESPONSE_HZ,
                "tones": {ANSWER_MARK: ANSWER_HZ},
                **jitter,
            }
        },
    }
    SimulationConfig.model_validate(config)
    return config
