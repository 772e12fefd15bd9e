"""Decide whether a transcript is only what a recogniser made of a sound without words."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from statistics import median
from typing import Any

from livekit.agents import stt

from agent_worker.text.agent_question import asks
from agent_worker.text.spoken_words import Invention, has_words, invention, without_annotations
from agent_worker.turn_taking.loudness import Sound, last_sound

#: Whisper's own rule for silence, its ``no_speech_threshold`` and ``logprob_threshold``: both must hold.
_NO_SPEECH = 0.6
_LOG_PROBABILITY = -1.0
#: With a sound that is quiet too, words of any kind are taken for an invention.
_SURELY_NO_SPEECH = 0.8
_DOUBTFUL_NO_SPEECH = 0.5
_DOUBTFUL_CONFIDENCE = 0.4
#: Letters for each second of sound: fluent speech has 10 to 20. "Thank you for watching" is not said in a cough of
#: 0.3 s, and five seconds of music are not "you".
_MAX_LETTERS_PER_S = 40.0
_MIN_LETTERS_PER_S = 2.0
#: Turns from which the caller's usual level is known.
_MIN_TURNS_FOR_VOICE = 2
_REMEMBERED_TURNS = 7


class Wordless(str, Enum):
    """Why a transcript is none of words."""

    NO_WORDS = "no_words"  #: hesitation, breath, or a description of a sound
    NO_SPEECH = "no_speech"  #: the recogniser itself doubts that anybody spoke
    INVENTED = "invented"  #: what recognisers are known to invent, and nothing shows that it was said

    __str__ = str.__str__


@dataclass(frozen=True)
class Evidence:
    """What is known of a transcript beside its text; ``None`` where nothing is.

    Attributes:
        sound: The sound that was transcribed.
        voice_dbfs: The caller's usual level.
        no_speech: The recogniser's probability that nobody spoke.
        log_probability: Its mean log probability of the words.
        confidence: Its confidence in the words, 0 to 1.
    """

    sound: Sound | None = None
    voice_dbfs: float | None = None
    no_speech: float | None = None
    log_probability: float | None = None
    confidence: float | None = None

    @property
    def denies_speech(self) -> bool:
        """Whether the recogniser takes the audio for silence, or almost does and the sound is quiet."""
        if self.no_speech is None:
            return False
        unlikely = self.log_probability is not None and self.log_probability < _LOG_PROBABILITY
        return (self.no_speech > _NO_SPEECH and unlikely) or (self.no_speech > _SURELY_NO_SPEECH and self.is_quiet)

    @property
    def is_quiet(self) -> bool:
        """Whether the sound was too quiet to be the caller's voice."""
        return self.sound is not None and self.sound.is_quiet(self.voice_dbfs)

    def is_doubtful(self, text: str) -> bool:
        """Whether anything speaks against these words having been said."""
        return self.is_quiet or self._recogniser_doubts or (self.sound is not None and not _fits(text, self.sound))

    def is_clear(self, text: str) -> bool:
        """Whether everything that is known, and something is, speaks for these words having been said."""
        if self.is_doubtful(text):
            return False
        if self.sound is None:
            return self.no_speech is not None
        return self.sound.is_loud(self.voice_dbfs)

    @property
    def _recogniser_doubts(self) -> bool:
        is_silent = self.no_speech is not None and self.no_speech > _DOUBTFUL_NO_SPEECH
        return is_silent or (self.confidence is not None and self.confidence < _DOUBTFUL_CONFIDENCE)


def why_wordless(text: str, evidence: Evidence, language: str, agent_text: str | None) -> Wordless | None:
    """Return why a transcript is none of words; ``None`` if it is.

    Loudness and the recogniser's probabilities decide. That a text is known as an invention only decides whose burden
    the proof is: a known one has to be loud and clear, and to follow a question of the agent.

    Args:
        text: The transcript, without annotations.
        evidence: What else is known.
        language: Language tag of the call.
        agent_text: What the agent said last.
    """
    if not has_words(text, language):
        return Wordless.NO_WORDS
    if evidence.denies_speech:
        return Wordless.NO_SPEECH
    known = invention(text, language)
    if known is Invention.KNOWN and not (evidence.is_clear(text) and asks(agent_text, language)):
        return Wordless.INVENTED
    if known is Invention.POSSIBLE and evidence.is_doubtful(text):
        return Wordless.INVENTED
    return None


class WordlessFilter:
    """Judge the transcripts of one call.

    Args:
        language: Language tag of the call.
        agent_text: Returns what the agent said last.
        levels: Returns the levels of the caller's audio, as ``SpeechEndTracker.levels``; nothing while there is none.

    Attributes:
        language: Language tag of the call.
    """

    def __init__(
        self,
        language: str,
        agent_text: Callable[[], str | None] = lambda: None,
        levels: Callable[[], Sequence[float]] = lambda: (),
    ) -> None:
        self.language = language
        self._agent_text = agent_text
        self._levels = levels
        self._voice: deque[float] = deque(maxlen=_REMEMBERED_TURNS)

    def judge(self, data: stt.SpeechData) -> tuple[str, Wordless | None]:
        """Return the words of a final transcript, and why there are none if so."""
        text = without_annotations(data.text)
        levels = self._levels()
        evidence = self._evidence(data, last_sound(levels) if levels else None)
        reason = why_wordless(text, evidence, self.language, self._agent_text())
        if reason is None and evidence.sound is not None:
            self._voice.append(evidence.sound.level_dbfs)
        return text, reason

    @property
    def voice_dbfs(self) -> float | None:
        """The caller's usual level; ``None`` while there were too few turns."""
        return median(self._voice) if len(self._voice) >= _MIN_TURNS_FOR_VOICE else None

    def _evidence(self, data: stt.SpeechData, sound: Sound | None) -> Evidence:
        metadata = data.metadata or {}
        return Evidence(
            sound=sound,
            voice_dbfs=self.voice_dbfs,
            no_speech=_number(metadata.get("no_speech_prob")),
            log_probability=_number(metadata.get("avg_logprob")),
            confidence=data.confidence or None,  # 0 is livekit's word for unknown
        )


def _fits(text: str, sound: Sound) -> bool:
    """Whether the text can be said in a sound of this length."""
    letters = sum(map(str.isalnum, text))
    return _MIN_LETTERS_PER_S * sound.seconds <= letters <= max(1.0, _MAX_LETTERS_PER_S * sound.seconds)


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None
