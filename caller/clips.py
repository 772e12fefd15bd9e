"""Utterances to samples: WAV files are decoded, sentences are synthesised by the speech endpoint, keys have none."""

import asyncio
import io
import os
from pathlib import Path

import numpy as np

from caller.audio import NotAudioError, Pcm, audible_part, read_wav
from caller.errors import InputError
from caller.options import CallOptions, Keys, Text, Utterance, Wav
from caller.telephone import through_telephone


async def load_clips(options: CallOptions) -> list[Pcm]:
    """Return the samples of every utterance, in order; of keys, none.

    Raises:
        InputError: With every problem of the options and of the files.
    """
    problems = options.problems()
    # A call that cannot be made is not worth a request to the speech endpoint; files are checked all the same.
    utterances = [u for u in options.utterances if isinstance(u, Wav) or not problems]
    clips = await asyncio.gather(*(_load(u, options) for u in utterances), return_exceptions=True)
    good: list[Pcm] = []
    for clip in clips:
        if isinstance(clip, NotAudioError):
            problems.append(str(clip))
        elif isinstance(clip, BaseException):
            raise clip
        else:
            good.append(clip)
    if problems:
        raise InputError(list(dict.fromkeys(problems)))
    return good


async def _load(utterance: Utterance, options: CallOptions) -> Pcm:
    if isinstance(utterance, Keys):
        return np.zeros(0, np.int16)
    clip = await (_read(utterance) if isinstance(utterance, Wav) else _synthesise(utterance, options))
    if not options.phone:
        return clip
    narrow = await asyncio.to_thread(through_telephone, clip)
    if audible_part(narrow) is None:
        raise NotAudioError(f"{utterance.said}: has nothing in it that a telephone transmits: record a voice")
    return narrow


async def _read(utterance: Wav) -> Pcm:
    path = Path(utterance.path)
    try:
        return await asyncio.to_thread(read_wav, path)
    except NotAudioError as error:
        raise NotAudioError(f"{path}: {error}") from None


async def _synthesise(utterance: Text, options: CallOptions) -> Pcm:
    import openai  # here, because it takes a second to import and only sentences need it

    endpoint = options.speech_url
    try:
        async with openai.AsyncOpenAI(
            base_url=endpoint,
            api_key=os.environ.get("OPENAI_API_KEY") or "none",
            max_retries=1,
            timeout=options.reply_timeout,
        ) as client:
            speech = await client.audio.speech.create(
                model=options.speech_model,
                voice=options.speech_voice,
                input=utterance.text,
                response_format="wav",
            )
        return await asyncio.to_thread(read_wav, io.BytesIO(speech.content))
    except openai.APIStatusError as error:
        raise NotAudioError(
            f"speech endpoint {endpoint}: refused with HTTP {error.status_code}:"
            " check --speech-model, --speech-voice and OPENAI_API_KEY"
        ) from None
    except (openai.APIConnectionError, ValueError):
        raise NotAudioError(
            f"speech endpoint {endpoint}: does not answer: start it, pass --speech-url, or say it by --wav"
        ) from None
    except NotAudioError as error:
        raise NotAudioError(f"speech endpoint {endpoint}: its answer {error}") from None
