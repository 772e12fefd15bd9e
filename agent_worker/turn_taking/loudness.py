"""How loud and how long the caller's last sound was, measured over the noise around it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from agent_worker.audio.sound_edges import BLOCKS_PER_S, MICROPHONE, end_level

#: So much silence separates the last sound from what came before: more than any pause inside a phrase.
_GAP_BLOCKS = BLOCKS_PER_S
#: Voices vary by 20 dB within a word; this share of a sound's blocks is quieter than its level.
_LOUD_SHARE = 0.9
_NOISE_SHARE = 0.1
#: A voice on a phone is at -35 to -15 dBFS and 20 dB or more over its noise; quieter sounds come from elsewhere.
_QUIET_DBFS = -45.0
_QUIET_OVER_NOISE_DB = 10.0
_LOUD_DBFS = -40.0
_LOUD_OVER_NOISE_DB = 15.0
_MOMENT_BLOCKS = BLOCKS_PER_S // 5
#: Compared with what this caller's voice is at.
_QUIET_BELOW_VOICE_DB = 15.0
_LOUD_BELOW_VOICE_DB = 8.0


@dataclass(frozen=True)
class Sound:
    """The caller's last sound.

    Attributes:
        level_dbfs: The level that a tenth of it reaches.
        over_noise_db: How far that is over the quietest tenth of the last 10 s.
        seconds: How long it sounds, pauses inside it not counted.
    """

    level_dbfs: float
    over_noise_db: float
    seconds: float

    def is_quiet(self, voice_dbfs: float | None) -> bool:
        """Whether it is too quiet to be the caller's voice, whose usual level is ``voice_dbfs`` if that is known."""
        if self.level_dbfs < _QUIET_DBFS or self.over_noise_db < _QUIET_OVER_NOISE_DB:
            return True
        return voice_dbfs is not None and self.level_dbfs < voice_dbfs - _QUIET_BELOW_VOICE_DB

    def is_loud(self, voice_dbfs: float | None) -> bool:
        """Whether it is as loud as somebody who speaks into the microphone."""
        least = _LOUD_DBFS if voice_dbfs is None else min(_LOUD_DBFS, voice_dbfs - _LOUD_BELOW_VOICE_DB)
        return self.level_dbfs >= least and self.over_noise_db >= _LOUD_OVER_NOISE_DB


def is_sounding(levels: Sequence[float]) -> bool:
    """Whether there was a sound in the last moment, which a voice activity detector reports later."""
    return bool(levels) and max(levels[-_MOMENT_BLOCKS:]) >= end_level(levels, MICROPHONE)


def quiet_s(levels: Sequence[float]) -> float:
    """Return for how many seconds there has been no sound, of any kind; infinite if there was none.

    Args:
        levels: As for :func:`last_sound`.
    """
    threshold = end_level(levels, MICROPHONE)
    blocks = next((age for age, level in enumerate(reversed(levels)) if level >= threshold), None)
    return math.inf if blocks is None else blocks / BLOCKS_PER_S


SILENCE = Sound(level_dbfs=-100.0, over_noise_db=0.0, seconds=0.0)


def last_sound(levels: Sequence[float]) -> Sound:
    """Measure the last sound.

    Args:
        levels: Levels of the last seconds in blocks of 10 ms, dBFS, the latest last.
    """
    if not levels:
        return SILENCE
    threshold = end_level(levels, MICROPHONE)
    sounding: list[float] = []
    silence = 0
    for level in reversed(levels):
        if level >= threshold:
            sounding.append(level)
            silence = 0
        else:
            silence += 1
            if sounding and silence > _GAP_BLOCKS:
                break
    if not sounding:
        return SILENCE
    level = sorted(sounding)[int(len(sounding) * _LOUD_SHARE)]
    noise = sorted(levels)[int(len(levels) * _NOISE_SHARE)]
    return Sound(level, level - noise, len(sounding) / BLOCKS_PER_S)
