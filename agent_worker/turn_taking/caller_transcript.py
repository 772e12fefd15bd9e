"""Keep the text of the caller's turn while it is transcribed, without transcripts of sounds."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterable, AsyncIterator, Callable

from livekit.agents import LanguageCode, stt

from agent_worker.text.spoken_words import without_annotations
from agent_worker.turn_taking.wordless import Wordless, WordlessFilter

_JUDGED = (stt.SpeechEventType.PREFLIGHT_TRANSCRIPT, stt.SpeechEventType.FINAL_TRANSCRIPT)


class CallerTranscript:
    """Reads the events of the recogniser on their way to livekit-agents.

    A transcript without words is passed on empty: livekit-agents ignores it, so that it neither begins nor ends a turn.

    Args:
        wordless: Judges transcripts.
        on_wordless: Is told of each final transcript without words.
        on_text: Is told what the caller has said in this turn, before livekit-agents sees the new part of it.
    """

    def __init__(
        self,
        wordless: WordlessFilter,
        on_wordless: Callable[[Wordless], None] = lambda _: None,
        on_text: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._wordless = wordless
        self._on_wordless = on_wordless
        self._on_text = on_text
        self._final = ""
        self._interim = ""

    @property
    def text(self) -> str:
        """What the caller has said in this turn so far, interim words included."""
        return f"{self._final} {self._interim}".strip()

    @property
    def is_final(self) -> bool:
        """Whether the recogniser will not change the text any more."""
        return not self._interim

    def end_turn(self) -> None:
        """Forget the text: the turn has ended, and what follows is a new one."""
        self._final = self._interim = ""
        self._on_text("")

    def reopen_turn(self, text: str) -> None:
        """Put ``text`` in front: the turn that seemed to have ended goes on."""
        self._final = f"{text} {self._final}".strip()
        self._on_text(self.text)

    async def read(self, events: AsyncIterable[stt.SpeechEvent]) -> AsyncIterator[stt.SpeechEvent]:
        """Yield the events, their transcripts without annotations, and empty if they hold no words."""
        async for event in events:
            for passed in self._passed(event):
                yield passed

    def _passed(self, event: stt.SpeechEvent) -> list[stt.SpeechEvent]:
        if not event.alternatives or not event.alternatives[0].text:
            return [event]
        data = event.alternatives[0]
        if event.type is stt.SpeechEventType.INTERIM_TRANSCRIPT:
            self._interim = without_annotations(data.text)
            self._on_text(self.text)
            return [_with_text(event, self._interim)]
        if event.type not in _JUDGED:
            return [event]
        text, reason = self._wordless.judge(data)
        if reason is None:
            self._add(text, is_final=event.type is stt.SpeechEventType.FINAL_TRANSCRIPT)
            return [_with_text(event, text)]
        if event.type is stt.SpeechEventType.FINAL_TRANSCRIPT:
            self._on_wordless(reason)
        return [*self._withdraw_interim(), _with_text(event, "")]

    def _add(self, text: str, *, is_final: bool) -> None:
        if is_final:
            self._final, self._interim = f"{self._final} {text}".strip(), ""
        else:
            self._interim = text
        self._on_text(self.text)

    def _withdraw_interim(self) -> list[stt.SpeechEvent]:
        """Take back words that were passed on while the sound went on."""
        if not self._interim:
            return []
        self._interim = ""
        self._on_text(self.text)
        empty = stt.SpeechData(language=LanguageCode(""), text="")
        return [stt.SpeechEvent(type=stt.SpeechEventType.INTERIM_TRANSCRIPT, alternatives=[empty])]


def _with_text(event: stt.SpeechEvent, text: str) -> stt.SpeechEvent:
    first, *others = event.alternatives
    if text == first.text:
        return event
    return dataclasses.replace(event, alternatives=[dataclasses.replace(first, text=text), *others])
