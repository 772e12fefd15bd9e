"""The subcommand ``phrases``: list the phrases of a deployment, check a file of them, translate an old one, speak them.

``agent-worker phrases [list|check|migrate] [FILE] [--language TAG] [--play]``; ``agent-worker phrases waiting FOLDER``
makes the audio for callers who wait (``GUARD_AUDIO_DIR``).
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
import wave
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from agent_worker.audio.phrase_cache import PhraseAudio
from agent_worker.core.folders import cache_dir
from agent_worker.core.settings import BadSettingsError, load
from agent_worker.core.user_file import BadFileError, read
from agent_worker.preresponse import phrase_migration
from agent_worker.preresponse.phrases import BadPhrasesError, PhraseBook
from agent_worker.providers.stack import StackDefinition
from agent_worker.text.messages import waiting
from agent_worker.text.move import SPOKEN_MOVES

#: Programs that play a WAV file, the first that is installed.
_PLAYERS = (("ffplay", "-nodisp", "-autoexit", "-loglevel", "quiet"), ("aplay", "-q"), ("afplay",), ("paplay",))


def main(stack: StackDefinition[Any], arguments: Sequence[str], prog: str) -> int:
    """Run the subcommand and return its exit code: 2 if a file or a setting cannot be used.

    Args:
        stack: Whose voice speaks with ``--play``.
        arguments: Behind ``phrases``.
        prog: Name of the program, for the help.
    """
    options = _parser(prog).parse_args(arguments)
    if options.action in ("check", "migrate", "waiting") and options.file is None:
        what = "folder" if options.action == "waiting" else "file"
        print(f"{prog} {options.action}: needs a {what}", file=sys.stderr)
        return 2
    try:
        if options.action == "waiting":
            return asyncio.run(_make_waiting(stack, options.language, options.file))
        if options.action == "migrate":
            print(migrated(options.file, options.language), end="")
            return 0
        book = PhraseBook.load(options.language, options.file)
        for line in listed(book) if options.action == "list" else checked(book, options.file):
            print(line)
        if options.play:
            asyncio.run(_play(stack, book))
    except (BadFileError, BadSettingsError) as error:
        print("\n".join(error.problems), file=sys.stderr)
        return 2
    return 0


def listed(book: PhraseBook) -> Iterable[str]:
    """Yield the phrases by move."""
    for move in SPOKEN_MOVES:
        yield f"{move}:"
        yield from (f"  - {phrase}" for phrase in book.of(move))


def checked(book: PhraseBook, file: Path) -> Iterable[str]:
    """Yield what a file that can be used brings: how many phrases, and which moves have only one."""
    yield f"{file}: usable, {len(book.all())} phrases in all"
    for move in SPOKEN_MOVES:
        if len(book.of(move)) == 1:
            yield f"{move}: one phrase only, so that it is silent every second time: add two or more"


def migrated(file: Path, language: str) -> str:
    """Return a file of an older version in the present format.

    Raises:
        BadPhrasesError: If it is no such file.
    """
    found = read(file, BadPhrasesError)
    if not isinstance(found, dict) or not phrase_migration.is_old(found):
        raise BadPhrasesError(file, ["has no headings of an older version: nothing to migrate"])
    text: str = yaml.safe_dump(phrase_migration.migrated(found, language), allow_unicode=True, sort_keys=False)
    return text


async def _make_waiting(stack: StackDefinition[Any], language: str, folder: Path) -> int:
    """Write what callers who wait are told as WAV files, with the stack's voice; return the exit code."""
    texts = waiting(language)
    if not all(texts):
        print(f"no sentences for callers who wait in {language}: record your own", file=sys.stderr)
        return 2
    settings = load(stack.settings_type)
    built = stack.build(settings)
    audio = PhraseAudio(settings.preresponse_audio_dir or cache_dir() / "phrases", built.voice)
    try:
        await audio.make(await asyncio.to_thread(audio.load, texts), built.tts)
    finally:
        await built.tts.aclose()
    return await asyncio.to_thread(_write_waiting, folder, language, [audio.frames(text) for text in texts])


def _write_waiting(folder: Path, language: str, spoken: Sequence[Sequence[Any]]) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    for name, frames in zip(("waiting", "farewell"), spoken, strict=True):
        if not frames:
            print("the TTS has not spoken: `agent-worker check` says why", file=sys.stderr)
            return 1
        file = folder / f"{language.lower()}-{name}.wav"
        _write(file, frames)
        print(file)
    return 0


async def _play(stack: StackDefinition[Any], book: PhraseBook) -> None:
    """Speak every phrase with the stack's voice, through the first player that is installed."""
    player = next((each for each in _PLAYERS if shutil.which(each[0])), None)
    if player is None:
        print("no program plays sound here: install ffmpeg or alsa-utils", file=sys.stderr)
        return
    settings = load(stack.settings_type)
    built = stack.build(settings)
    audio = PhraseAudio(settings.preresponse_audio_dir or cache_dir() / "phrases", built.voice)
    await audio.make(await asyncio.to_thread(audio.load, book.all()), built.tts)
    with tempfile.TemporaryDirectory() as folder:
        for phrase in book.all():
            if frames := audio.frames(phrase):
                print(phrase, flush=True)
                file = Path(folder) / "phrase.wav"
                _write(file, frames)
                process = await asyncio.create_subprocess_exec(*player, str(file))
                await process.wait()


def _write(file: Path, frames: Sequence[Any]) -> None:
    with wave.open(str(file), "wb") as wav:
        wav.setnchannels(frames[0].num_channels)
        wav.setsampwidth(2)
        wav.setframerate(frames[0].sample_rate)
        wav.writeframes(b"".join(bytes(frame.data) for frame in frames))


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=prog, description=__doc__.partition("\n")[0])
    parser.add_argument("action", choices=("list", "check", "migrate", "waiting"), nargs="?", default="list")
    parser.add_argument(
        "file",
        type=Path,
        nargs="?",
        help="PRERESPONSE_PHRASES; for waiting, a folder",
    )
    parser.add_argument("--language", default="en", help="language tag, default: en")
    parser.add_argument("--play", action="store_true", help="speak them with the voice of the stack")
    return parser
