"""Decide whether the agent falls silent for a sound of the caller, and for how long.

From the sound first, and from the words as they come:

- Just after the end of a turn (``is_early``) the caller may not have finished: any sound silences the agent.
- Later a sound does so once it has lasted ``interruption_delay_s``: most backchannels and coughs are shorter.
- A short sound is over ``SHORT_SOUND_RELEASE_S`` after its end, and the agent goes on. After a longer one it is silent
  for as long as the transcript may still come.
- Words that interrupt silence the agent at once; words that do not, such as a backchannel, let it go on. The first
  words of a sound that is still heard only keep the agent from falling silent: "Yeah," may begin a sentence.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from agent_worker.turn_taking.overlap_words import OverlapWords

#: The agent goes on so long after the end of a short sound.
SHORT_SOUND_RELEASE_S = 0.2
#: A sound is short up to this length.
MAX_SHORT_SOUND_S = 0.8
#: A pause inside a sound; the voice activity detector reports the end of speech later.
_MIN_QUIET_S = 0.1
#: How long a sound whose first words are a backchannel may be before it silences the agent; it is short up to here.
_MAX_BACKCHANNEL_S = 1.2


@dataclass(frozen=True)
class OverlapTiming:
    """What the decision depends on, seconds.

    Attributes:
        interruption_delay_s: A sound in mid-answer silences the agent once it has lasted so long.
        transcript_timeout_s: How long after the end of a sound its transcript may come.
        max_wordless_s: A sound without a word is noise after so long. A recogniser that does not stream gives words
            only after the sound.
    """

    interruption_delay_s: float = 0.35
    transcript_timeout_s: float = 3.0
    max_wordless_s: float = 5.0


@dataclass
class _Sound:
    """A sound of the caller.

    Attributes:
        start: When it began.
        delay_s: How long it has to last to silence the agent.
        quiet_since: When it ended, or paused; ``None`` while it is heard.
        max_short_s: It is short up to this length.
    """

    start: float
    delay_s: float
    quiet_since: float | None = None
    max_short_s: float = MAX_SHORT_SOUND_S


class OverlapPolicy:
    """Follow the caller's sounds and words while the agent has the floor.

    All instants are of one monotonic clock.

    Args:
        timing: What the decision depends on.
    """

    def __init__(self, timing: OverlapTiming) -> None:
        self._timing = timing
        self._sound: _Sound | None = None
        self._words_until = -math.inf

    def reset(self) -> None:
        """Forget everything: the agent has lost or ended the floor."""
        self._sound, self._words_until = None, -math.inf

    def on_turn_end(self) -> None:
        """The caller's turn has ended: its own sound does not silence the reply, unless it goes on."""
        going_on = self._sound if self._sound and self._sound.quiet_since is None else None
        self.reset()
        if going_on:
            self._sound = _Sound(going_on.start, 0.0)

    def on_voice_start(self, start: float, is_early: bool) -> None:
        """Begin a sound.

        Args:
            start: When it began.
            is_early: Whether it began before the caller can have heard much of an answer.
        """
        if self._sound and self._sound.quiet_since is None:
            return
        if self._sound and self._is_long(self._sound):
            self.expect_words(self._transcript_deadline(self._sound))
        self._sound = _Sound(start, 0.0 if is_early else self._timing.interruption_delay_s)

    def on_voice_activity(self, now: float, silence_s: float) -> None:
        """Follow the sound: ``silence_s`` have passed since it was last heard."""
        if self._sound:
            self._sound.quiet_since = now - silence_s if silence_s >= _MIN_QUIET_S else None

    def on_voice_end(self, end: float) -> None:
        """End the sound."""
        if self._sound and self._sound.quiet_since is None:
            self._sound.quiet_since = max(end, self._sound.start)

    def expect_words(self, until: float) -> None:
        """Keep the agent silent until then: words are known to come."""
        self._words_until = max(self._words_until, until)

    def on_words(self, words: OverlapWords, is_final: bool, now: float) -> None:
        """Take the caller's words so far.

        Args:
            words: What they are.
            is_final: Whether the recogniser will not change them.
            now: The present.
        """
        if words is OverlapWords.INTERRUPTION:
            self.expect_words(now + self._timing.transcript_timeout_s)
        elif not is_final:
            self._expect_backchannel(now)
        elif self._sound and self._sound.quiet_since is None:  # what is heard from now on is another sound
            self._sound = _Sound(now, self._timing.interruption_delay_s)
            self._words_until = -math.inf
        else:
            self.reset()

    def is_silent(self, now: float) -> bool:
        """Return whether the agent is silent at this moment."""
        return now < self._words_until or any(start <= now < end for start, end in self._silences())

    def next_change(self, now: float) -> float | None:
        """Return when ``is_silent`` may change although nothing happens; ``None`` if never."""
        instants = [self._words_until, *(instant for silence in self._silences() for instant in silence)]
        return min((instant for instant in instants if now < instant < math.inf), default=None)

    def _silences(self) -> list[tuple[float, float]]:
        """Return from when until when the sound silences the agent."""
        sound = self._sound
        if sound is None:
            return []
        begin = sound.start + sound.delay_s
        if sound.quiet_since is None:
            return [(begin, sound.start + self._timing.max_wordless_s)]
        if sound.quiet_since < begin:
            return []
        if self._is_long(sound):
            return [(begin, self._transcript_deadline(sound))]
        return [(begin, sound.quiet_since + SHORT_SOUND_RELEASE_S)]

    def _expect_backchannel(self, now: float) -> None:
        """Take the first words of a sound, which are a backchannel so far: "yeah" may begin a sentence."""
        sound = self._sound
        if sound is None or not sound.delay_s:
            return
        sound.max_short_s = _MAX_BACKCHANNEL_S
        if sound.quiet_since is not None or now < sound.start + sound.delay_s:  # else the agent is silent already
            sound.delay_s = max(sound.delay_s, _MAX_BACKCHANNEL_S)

    def _is_long(self, sound: _Sound) -> bool:
        return sound.quiet_since is not None and sound.quiet_since - sound.start > sound.max_short_s

    def _transcript_deadline(self, sound: _Sound) -> float:
        return (sound.quiet_since or sound.start) + self._timing.transcript_timeout_s
