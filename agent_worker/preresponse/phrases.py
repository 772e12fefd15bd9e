"""The phrases that can be spoken before the answer is known: built in, or from the user's file."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from importlib import resources
from itertools import zip_longest
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from agent_worker.core.log import logger
from agent_worker.core.user_file import BadFileError, read
from agent_worker.text import guard
from agent_worker.text.intent import Intent
from agent_worker.text.language import base_language

SPOKEN_INTENTS: tuple[Intent, ...] = tuple(intent for intent in Intent if not intent.suppresses_preresponse)
#: Key of the phrases for a turn that is only possibly a problem: humane if it is one, harmless if it is not.
PERHAPS_PROBLEM = "perhaps_problem"
#: A phrase is not spoken again within this number of pre-responses.
MIN_PHRASES_BETWEEN_REPEATS = 5
_MAX_WORDS = 8
_MAX_CHARS = 60  # for languages that are written without spaces


class BadPhrasesError(BadFileError):
    """A file of phrases cannot be used."""


class PhraseBook:
    """The phrases of one language.

    Args:
        language: Language tag of the phrases.
        phrases: Phrases by intent and :data:`PERHAPS_PROBLEM`. An intent that is missing has none.
        rng: Chooses among the phrases; pass a seeded one for a repeatable choice.
    """

    def __init__(self, language: str, phrases: Mapping[str, Sequence[str]], rng: random.Random | None = None) -> None:
        self.language = language
        self._phrases = {str(intent): tuple(of_intent) for intent, of_intent in phrases.items()}
        self._rng = rng or random.Random()

    @classmethod
    def load(cls, language: str, overrides: Path | None = None, rng: random.Random | None = None) -> PhraseBook:
        """Load the built-in phrases, with the whole lists of some intents replaced by those of ``overrides``.

        Args:
            language: Language tag, such as ``en`` or ``en-US``. A language without phrases gives an empty book, and a
                warning in the log.
            overrides: YAML or JSON file: a list of phrases for each intent.
            rng: See the class.

        Raises:
            BadPhrasesError: With every problem of ``overrides`` at once.
        """
        phrases = _built_in(base_language(language)) | (_read_overrides(overrides, language) if overrides else {})
        if not phrases:
            logger.warning("no phrases for language %r: pre-responses need a file of your own phrases", language)
        return cls(language, phrases, rng)

    @property
    def has_phrases(self) -> bool:
        """Whether there are phrases in this language."""
        return any(self._phrases.values())

    def fresh(self, intent: Intent, recent: Sequence[str] = (), alternatives: Sequence[Intent] = ()) -> list[str]:
        """Return the phrases that fit the caller's turn and were not spoken recently, in random order.

        Few phrases fit two intents: when all of them were spoken recently, those of ``intent`` alone are used.

        Args:
            intent: The caller's intent.
            recent: The pre-responses spoken so far, the latest last.
            alternatives: Other plausible intents, the most probable first.
        """
        used = {_spoken_form(phrase) for phrase in recent[-MIN_PHRASES_BETWEEN_REPEATS:]}
        for phrases in (self.of(intent, alternatives), self.of(intent)):
            if fresh := [phrase for phrase in phrases if _spoken_form(phrase) not in used]:
                return self._rng.sample(fresh, len(fresh))
        return []

    def of(self, intent: Intent, alternatives: Sequence[Intent] = ()) -> tuple[str, ...]:
        """Return the phrases that fit ``intent`` and each of the alternatives; none for a silent intent.

        An alternative that shares no phrase with the others is ignored.
        """
        if intent.suppresses_preresponse:
            return ()
        names = [
            PERHAPS_PROBLEM if alternatives and each is Intent.PROBLEM else each.value
            for each in (intent, *alternatives)
        ]
        return reduce(_shared, (self._phrases.get(name, ()) for name in names))

    def common(self, count: int) -> list[str]:
        """Return ``count`` phrases to have first: the first of each intent, then the second of each, and so on."""
        lists = [self._phrases.get(intent.value, ()) for intent in SPOKEN_INTENTS]
        by_rank = (phrase for rank in zip_longest(*lists) for phrase in rank if phrase is not None)
        return list(dict.fromkeys(by_rank))[:count]

    def all(self) -> list[str]:
        """Return every phrase once: the texts to synthesise in advance."""
        names = [*SPOKEN_INTENTS, PERHAPS_PROBLEM]
        return list(dict.fromkeys(phrase for name in names for phrase in self._phrases.get(name, ())))


def built_in_languages() -> list[str]:
    """Return the languages that have built-in phrases."""
    return sorted(Path(entry.name).stem for entry in _folder().iterdir() if entry.name.endswith(".yaml"))


def _folder() -> Any:
    return resources.files("agent_worker.text") / "data" / "phrases"


def _built_in(language: str) -> dict[str, tuple[str, ...]]:
    if language not in built_in_languages():
        return {}
    found = yaml.safe_load((_folder() / f"{language}.yaml").read_text(encoding="utf-8"))
    return {name: tuple(phrases) for name, phrases in found.items()}


def _read_overrides(path: Path, language: str) -> dict[str, tuple[str, ...]]:
    found = read(path, BadPhrasesError)
    if not isinstance(found, dict) or not found:
        raise BadPhrasesError(path, ["must hold a list of phrases for each intent"])
    problems = [problem for name, phrases in found.items() for problem in _problems_of_intent(name, phrases, language)]
    if problems:
        raise BadPhrasesError(path, problems)
    return {name: tuple(phrase.strip() for phrase in phrases) for name, phrases in found.items()}


def _problems_of_intent(name: object, phrases: object, language: str) -> Iterable[str]:
    if name not in [*SPOKEN_INTENTS, PERHAPS_PROBLEM]:
        yield f"{name}: no such intent: use {', '.join([*SPOKEN_INTENTS, PERHAPS_PROBLEM])}"
        return
    if not isinstance(phrases, list) or not phrases:
        yield f"{name}: must be a list of phrases"
        return
    for phrase in phrases:
        if problem := problem_with_phrase(phrase, None if name == PERHAPS_PROBLEM else Intent(name), language):
            shown = repr(phrase[:_MAX_CHARS]) if isinstance(phrase, str) else f"a {type(phrase).__name__}"
            yield f"{name}: {shown}: {problem}"
    texts = [_spoken_form(phrase) for phrase in phrases if isinstance(phrase, str)]
    for twice in sorted({text for text in texts if texts.count(text) > 1}):
        yield f"{name}: {twice!r} is listed twice"


def problem_with_phrase(phrase: object, intent: Intent | None, language: str) -> str | None:
    """Return why a phrase must not be spoken, in words for its author; ``None`` if it may be."""
    if not isinstance(phrase, str):
        return 'is not text: put it into quotes, as "Yes" and "No" need it in YAML'
    if len(phrase.split()) > _MAX_WORDS or len(phrase) > _MAX_CHARS:
        return f"is too long: at most {_MAX_WORDS} words and {_MAX_CHARS} characters"
    reason = guard.problem_with(phrase, said="", language=language, recent=(), intent=intent)
    return _EXPLAINED[guard.Reason(reason)] if reason else None


_EXPLAINED = {
    guard.Reason.EMPTY: "says nothing",
    guard.Reason.TOO_LONG: "is too long",
    guard.Reason.CHARACTERS: "holds characters that cannot be read aloud",
    guard.Reason.LANGUAGE: "is in another language",
    guard.Reason.NUMBER: "holds a number: the answer is not known yet",
    guard.Reason.QUESTION: "asks a question: the answer follows at once",
    guard.Reason.PROMISE: "promises something: the answer is not known yet",
    guard.Reason.ANSWER: "states a fact or answers: the answer is not known yet",
    guard.Reason.LEAK: "speaks about instructions or the agent itself",
    guard.Reason.TONE: "has a tone that does not fit this intent",
    guard.Reason.REPEATS_CALLER: "repeats the caller",
    guard.Reason.REPEATED: "is repeated",
}


def _shared(phrases: tuple[str, ...], others: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(phrase for phrase in phrases if phrase in others) or phrases


def _spoken_form(phrase: str) -> str:
    return " ".join("".join(letter if letter.isalnum() else " " for letter in phrase.lower()).split())
