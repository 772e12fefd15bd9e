"""Choose the models and threads that fit the machine, by what was measured on it."""

from __future__ import annotations

from dataclasses import dataclass

from model_server.measure import MachineFigures

MAX_ANSWER_S = 5.0
"""An answer that begins later is no conversation."""

_ENDPOINTING_S = 0.6  # from the last sound of the caller to the end of the turn
_CALLER_SPEECH_S = 2.5  # how long a caller speaks
_NEW_PROMPT_TOKENS = 40  # what the model has not read in the turn before
_FIRST_SENTENCE_TOKENS = 20
_SHARED_CPU_FACTOR = 1.15  # of the model's time in a call, where voice and recognition run beside it, to that alone
_FIRST_SENTENCE_S = 2.5  # how long it takes to speak
_MAX_LLM_THREADS = 4  # more do not make models of this size faster
_MEMORY_FACTOR = 1.4  # of a model, to the size of its file
_OTHER_MEMORY_MB = 1500.0  # speech models, worker, two processes of calls


@dataclass(frozen=True)
class Fit:
    """What the demo runs.

    Attributes:
        small: Whether the fast model answers too.
        answer_s: After how many seconds an answer is expected to begin.
        reason: One sentence with the figures.
        too_slow: Whether even this begins to answer later than :data:`MAX_ANSWER_S`.
    """

    small: bool
    answer_s: float
    reason: str
    too_slow: bool


def llm_threads(cores: int) -> int:
    """Return the CPU threads of a language model: one core is left to voice and recognition."""
    return min(max(cores - 1, 1), _MAX_LLM_THREADS)


def choose(figures: MachineFigures, main_bytes: int, small: bool | None = None) -> Fit:
    """Choose whether the larger model answers.

    Args:
        figures: Measured with the fast model.
        main_bytes: Size of the larger model's file; it is slower in the same proportion.
        small: The user's wish; ``None``: what fits.
    """
    ratio = max(main_bytes / figures.llm_bytes, 1.0)
    with_main, with_fast = expected_answer_s(figures, ratio), expected_answer_s(figures, 1.0)
    fits_memory = figures.free_memory_mb >= (main_bytes + figures.llm_bytes) * _MEMORY_FACTOR / 1e6 + _OTHER_MEMORY_MB
    if small is None:
        small = with_main > MAX_ANSWER_S or not fits_memory
    answer_s = with_fast if small else with_main
    return Fit(small, answer_s, _reason(figures, small, answer_s), answer_s > MAX_ANSWER_S)


def expected_answer_s(figures: MachineFigures, ratio: float) -> float:
    """Return the seconds from the caller's last sound to the first of the answer, with a model ``ratio`` as slow."""
    model_s = _NEW_PROMPT_TOKENS / figures.prompt_tokens_per_s + _FIRST_SENTENCE_TOKENS / figures.tokens_per_s
    return (
        _ENDPOINTING_S
        + _CALLER_SPEECH_S * figures.stt_realtime_factor
        + ratio * model_s * _SHARED_CPU_FACTOR
        + _FIRST_SENTENCE_S * figures.tts_realtime_factor
    )


def _reason(figures: MachineFigures, small: bool, answer_s: float) -> str:
    model = "the small model" if small else "the larger model"
    measured = (
        f"{figures.cores} cores, {figures.tokens_per_s:.0f} tokens/s with the small model, voice at "
        f"{figures.tts_realtime_factor:.2f} and recognition at {figures.stt_realtime_factor:.2f} of real time"
    )
    if answer_s > MAX_ANSWER_S:
        return (
            f"this machine is too slow for a conversation ({measured}): with {model}, answers begin after about "
            f"{answer_s:.0f} s"
        )
    return f"{model} answers, after about {answer_s:.1f} s on this machine ({measured})"
