"""The phrases that can be spoken before the answer is known, by move: built in, or from the user's file."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from itertools import zip_longest
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from agent_worker.core.log import logger
from agent_worker.core.user_file import BadFileError, read
from agent_worker.preresponse import phrase_migration
from agent_worker.text import guard
from agent_worker.text.language import base_language
from agent_worker.text.move import SPOKEN_MOVES, Move

#: Heading of the fillers: what is said while the answer takes long.
WAITING = "waiting"
#: A phrase is not spoken again within this number of pre-responses, as far as the list of its move is long enough.
MIN_PHRASES_BETWEEN_REPEATS = 5
_MAX_WORDS = 8
_NO_LANGUAGE = "und"
_MAX_CHARS = 60  # for languages that are written without spaces


class BadPhrasesError(BadFileError):
    """A file of phrases cannot be used."""


class PhraseBook:
    """The phrases of one language.

    Args:
        language: Language tag of the phrases.
        phrases: Phrases by move, and :data:`WAITING`. A move that is missing has none.
        rng: Chooses among the phrases; pass a seeded one for a repeatable choice.
    """

    def __init__(self, language: str, phrases: Mapping[str, Sequence[str]], rng: random.Random | None = None) -> None:
        self.language = language
        self._phrases = {str(move): tuple(of_move) for move, of_move in phrases.items()}
        self._rng = rng or random.Random()

    @classmethod
    def load(cls, language: str, overrides: Path | None = None, rng: random.Random | None = None) -> PhraseBook:
        """Load the built-in phrases, with the whole lists of some moves replaced by those of ``overrides``.

        Args:
            language: Language tag, such as ``en`` or ``en-US``. A language without phrases gives an empty book, and a
                warning in the log.
            overrides: YAML or JSON file: a list of phrases for each move.
            rng: See the class.

        Raises:
            BadPhrasesError: With every problem of ``overrides`` at once.
        """
        phrases = built_in(language) | (read_overrides(overrides, language) if overrides else {})
        if not phrases:
            logger.warning("no phrases for language %r: pre-responses need a file of your own phrases", language)
        return cls(language, phrases, rng)

    @property
    def has_phrases(self) -> bool:
        """Whether there are phrases in this language."""
        return any(self._phrases.values())

    def fresh(self, move: Move, recent: Sequence[str] = (), *, is_certain: bool = True) -> list[str]:
        """Return the phrases that make this move and were not spoken recently, in random order.

        A phrase of another move is never used in their place.

        Args:
            move: The move.
            recent: The pre-responses spoken so far, the latest last.
            is_certain: Whether the caller certainly made a statement or a request; see ``of``.
        """
        phrases = self.of(move, is_certain=is_certain)
        kept_back = min(MIN_PHRASES_BETWEEN_REPEATS, max(len(phrases) - 1, 1))
        used = {spoken_form(phrase) for phrase in recent[-kept_back:]}
        fresh = [phrase for phrase in phrases if spoken_form(phrase) not in used]
        return self._rng.sample(fresh, len(fresh))

    def of(self, move: Move, *, is_certain: bool = True) -> tuple[str, ...]:
        """Return the phrases that make this move.

        Args:
            move: The move.
            is_certain: If it is not certain whether the caller made a statement or a request, a word has to fit both:
                only those that ``word`` and ``consent`` share are returned. A certain request gets one of the others.
        """
        phrases = self._phrases.get(move.value, ())
        if move not in (Move.WORD, Move.CONSENT):
            return phrases
        other = self._phrases.get((Move.CONSENT if move is Move.WORD else Move.WORD).value, ())
        shared = tuple(phrase for phrase in phrases if phrase in other)
        if not is_certain:
            return shared
        own = tuple(phrase for phrase in phrases if phrase not in shared)
        return own if move is Move.CONSENT and own else phrases

    def common(self, count: int) -> list[str]:
        """Return ``count`` phrases to have first: the first of each move, then the second of each, and so on."""
        lists = [self._phrases.get(move.value, ()) for move in SPOKEN_MOVES]
        by_rank = (phrase for rank in zip_longest(*lists) for phrase in rank if phrase is not None)
        return list(dict.fromkeys(by_rank))[:count]

    @property
    def fillers(self) -> tuple[str, ...]:
        """What is said while the answer takes long, in the order in which it is said best."""
        return self._phrases.get(WAITING, ())

    def all(self) -> list[str]:
        """Return every phrase of a pre-response once: the texts to synthesise in advance."""
        return list(dict.fromkeys(phrase for move in SPOKEN_MOVES for phrase in self._phrases.get(move.value, ())))


def built_in_languages() -> list[str]:
    """Return the languages that have built-in phrases."""
    return sorted(Path(entry.name).stem for entry in _folder().iterdir() if entry.name.endswith(".yaml"))


def built_in(language: str) -> dict[str, tuple[str, ...]]:
    """Return the built-in phrases of a language by move; none for a language without."""
    base = base_language(language)
    if base not in built_in_languages():
        return {}
    found = yaml.safe_load((_folder() / f"{base}.yaml").read_text(encoding="utf-8"))
    return {move: tuple(phrases) for move, phrases in found.items()}


def read_overrides(path: Path, language: str) -> dict[str, tuple[str, ...]]:
    """Return the phrases of a user's file by move; headings of an older version are translated, with a warning.

    Raises:
        BadPhrasesError: With every problem at once.
    """
    found = read(path, BadPhrasesError)
    if not isinstance(found, dict) or not found:
        raise BadPhrasesError(path, ["must hold a list of phrases for each move"])
    if phrase_migration.is_old(found):
        logger.warning(
            "%s has headings of an older version: `agent-worker phrases migrate FILE` writes the new ones", path
        )
        found = phrase_migration.migrated(found, language)
    problems = [problem for name, phrases in found.items() for problem in _problems_of_move(name, phrases, language)]
    if problems:
        raise BadPhrasesError(path, problems)
    return {name: tuple(phrase.strip() for phrase in phrases) for name, phrases in found.items()}


def problem_with_phrase(phrase: object, move: Move | None, language: str) -> str | None:
    """Return why a phrase must not be spoken, in words for its author; ``None`` if it may be."""
    if not isinstance(phrase, str):
        return 'is not text: put it into quotes, as "Yes" and "No" need it in YAML'
    if len(phrase.split()) > _MAX_WORDS or len(phrase) > _MAX_CHARS:
        return f"is too long: at most {_MAX_WORDS} words and {_MAX_CHARS} characters"
    reason = guard.problem_with(phrase, said="", language=language, recent=(), move=move)
    return _EXPLAINED[guard.Reason(reason)] if reason else None


def _folder() -> Any:
    return resources.files("agent_worker.text") / "data" / "phrases"


def _problems_of_move(name: object, phrases: object, language: str) -> Iterable[str]:
    if name not in (*SPOKEN_MOVES, WAITING):
        yield f"{name}: no such move: use {', '.join((*SPOKEN_MOVES, WAITING))}"
        return
    if not isinstance(phrases, list) or not phrases:
        yield f"{name}: must be a list of phrases"
        return
    for phrase in phrases:
        if problem := _problem_in_list(phrase, str(name), language):
            shown = repr(phrase[:_MAX_CHARS]) if isinstance(phrase, str) else f"a {type(phrase).__name__}"
            yield f"{name}: {shown}: {problem}"
    texts = [spoken_form(phrase) for phrase in phrases if isinstance(phrase, str)]
    for twice in sorted({text for text in texts if texts.count(text) > 1}):
        yield f"{name}: {twice!r} is listed twice"


def _problem_in_list(phrase: object, name: str, language: str) -> str | None:
    if name == WAITING:  # it need not acknowledge what the caller said: only the checks of any language apply
        return problem_with_phrase(phrase, None, _NO_LANGUAGE)
    return problem_with_phrase(phrase, Move(name), language)


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
    guard.Reason.TONE: "has a tone that does not fit this move",
    guard.Reason.MOVE: "does something else than this move",
    guard.Reason.REPEATS_CALLER: "repeats the caller",
    guard.Reason.REPEATED: "is repeated",
}


def spoken_form(phrase: str) -> str:
    """Return the words of a phrase as they sound: lower case, without punctuation."""
    return " ".join("".join(letter if letter.isalnum() else " " for letter in phrase.lower()).split())
