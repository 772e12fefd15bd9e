"""Apologise when a provider fails, so that the caller is never left in silence."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from livekit.agents import Agent, AgentSession

from agent_worker.audio.phrase_cache import PhraseAudio
from agent_worker.preresponse.turn_commit import TURN_END_TIMEOUT_S, wait_for_turn_commit
from agent_worker.text import messages


class Apologizer:
    """Speaks the apology of a call.

    Args:
        language: Language tag of the call. Without an apology in it, nothing is said.
        phrase_audio: The cached audio of fixed sentences.

    Attributes:
        sentence: The apology.
    """

    def __init__(self, language: str, phrase_audio: PhraseAudio | None) -> None:
        self.sentence = messages.apology(language)
        self._phrase_audio = phrase_audio

    def use_language(self, language: str, phrase_audio: PhraseAudio | None) -> None:
        """Apologise in another language, and perhaps another voice, from now on."""
        self.sentence = messages.apology(language)
        self._phrase_audio = phrase_audio

    def apologize(self, session: AgentSession[Any]) -> None:
        """Say the apology, unless the caller is speaking."""
        if self.sentence and session.user_state != "speaking":
            session.say(self.sentence)

    async def on_voice_failure(self, agent: Agent, text: str, message_id: str | None) -> None:
        """Say the apology if it has cached audio, because the voice has failed; not for the apology itself.

        Waits for the end of the turn: an answer may be synthesised, and fail, while the caller only pauses.

        Args:
            agent: The agent whose voice failed.
            text: The text that the voice had to speak.
            message_id: Id of the caller's message that the text replies to.
        """
        if not self.sentence or self.sentence.startswith(text.strip()):
            return
        if message_id is not None:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(wait_for_turn_commit(agent, message_id), TURN_END_TIMEOUT_S)
        if self._phrase_audio and self._phrase_audio.frames(self.sentence):
            self.apologize(agent.session)
