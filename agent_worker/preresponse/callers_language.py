"""Find the language of a call whose language is not known in advance, and the phrases of it."""

from __future__ import annotations

from collections.abc import Sequence

from agent_worker.core.language_tag import MULTI
from agent_worker.preresponse.phrases import PhraseBook, built_in_languages
from agent_worker.text.language import base_language

#: Recognisers take "Okay." for any language: so short a text does not change the language of a call.
_MIN_CHARS = 10


class CallersLanguage:
    """The language of one call.

    Args:
        language: Its tag, or ``multi``: then it is what the recogniser reports, and none before that.

    Attributes:
        language: The tag of the language; ``multi`` while it is not known.
        books: The phrases of all languages that have some, for ``multi``; otherwise empty.
    """

    def __init__(self, language: str) -> None:
        self.language = language
        self._is_open = language == MULTI
        self.books = [PhraseBook.load(each) for each in built_in_languages()] if self._is_open else []
        self._phrases = PhraseBook(MULTI, {}) if self._is_open else PhraseBook.load(language)

    @property
    def possible(self) -> Sequence[str]:
        """The languages of the fixed sentences that may be said in the call."""
        return [book.language for book in self.books] if self._is_open else [self.language]

    @property
    def phrases(self) -> PhraseBook:
        """The phrases of the language; an empty book if there are none, or while it is not known."""
        return self._phrases

    def hear(self, text: str, language: str) -> str | None:
        """Take what the recogniser reports of a final transcript.

        Args:
            text: The transcript.
            language: The tag of its language; empty if it is not known.

        Returns:
            The tag of the language if it is another one now.
        """
        if not self._is_open or language in ("", MULTI, self.language):
            return None
        if self.language != MULTI and len(text.strip()) < _MIN_CHARS:
            return None
        self.language = language
        base = base_language(language)
        empty = PhraseBook(language, {})
        self._phrases = next((book for book in self.books if book.language == base), empty)
        return language
