"""Calls by telephone: what the network leaves of audio, and keys."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from livekit import api

from caller.audio import FRAME_SAMPLES, SAMPLE_RATE, Pcm, audible_segments
from caller.clips import load_clips
from caller.errors import InputError
from caller.options import CallOptions, Keys, Wav
from caller.room_connection import _token
from caller.telephone import TelephoneReceiver, through_telephone
from tests.caller.conftest import tone, write_wav


def clip(*parts: tuple[float, float]) -> Pcm:
    """Tones, each of so many seconds and Hertz; 0 Hz is silence."""
    return np.concatenate([tone(s, hertz=hz) * (hz > 0) * 32767 for s, hz in parts]).astype(np.int16)


def power(pcm: Pcm, hertz: float) -> float:
    spectrum = np.abs(np.fft.rfft(pcm.astype(float)))
    near = np.abs(np.fft.rfftfreq(len(pcm), 1 / SAMPLE_RATE) - hertz) < 50
    return float(spectrum[near].max())


def options(*utterances: Wav | Keys, phone: bool = True, **others: str) -> CallOptions:
    given = {"url": "ws://localhost", "room": "r", "api_key": "devkey", "api_secret": "secret"} | others
    return CallOptions(utterances=utterances, phone=phone, **given)


def test_telephone_transmits_a_voice_and_nothing_above_4_khz() -> None:
    mixed = clip((0.5, 440.0)) // 2 + clip((0.5, 6000.0)) // 2
    heard = through_telephone(mixed)
    assert power(heard, 440) == pytest.approx(power(mixed, 440), rel=0.05)
    assert power(heard, 6000) < 0.01 * power(mixed, 6000)


def test_telephone_has_256_levels() -> None:
    narrow = through_telephone(clip((1.0, 440.0)))[::6]  # back at 8 kHz, but for the interpolation
    noise = narrow.astype(float) - clip((1.0, 440.0))[::6]
    assert 20 < np.sqrt(np.mean(noise[200:-200] ** 2)) < 400  # G.711: some 38 dB below the tone's 6,950


def test_sound_stays_where_it_was() -> None:
    (before,) = audible_segments(clip((0.31, 0.0), (0.4, 440.0), (0.3, 0.0)))
    (after,) = audible_segments(through_telephone(clip((0.31, 0.0), (0.4, 440.0), (0.3, 0.0))))
    assert (after.start, after.end) == pytest.approx((before.start, before.end), abs=0.011)


def test_received_frames_keep_their_instants() -> None:
    sent = clip((0.2, 440.0), (0.2, 0.0), (0.4, 440.0))
    receiver, heard = TelephoneReceiver(), []
    for number, start in enumerate(range(0, len(sent), FRAME_SAMPLES)):
        heard += list(receiver.push(7.0 + number / 100, sent[start : start + FRAME_SAMPLES]))
    assert [at for at, _ in heard] == [7.0 + n / 100 for n in range(len(heard))]
    assert len(heard) >= len(sent) / FRAME_SAMPLES - 1
    joined = np.concatenate([frame for _, frame in heard])
    assert np.array_equal(joined, through_telephone(sent)[: len(joined)])


async def test_clips_of_a_phone_are_what_it_transmits(tmp_path: Path) -> None:
    wav = write_wav(tmp_path / "a.wav", tone(0.3) / 2 + tone(0.3, hertz=6000) / 2)
    (by_phone,), (by_app,) = [await load_clips(options(Wav(wav), phone=phone)) for phone in (True, False)]
    assert power(by_phone, 6000) < 0.01 * power(by_app, 6000)


async def test_clip_of_which_a_phone_transmits_nothing_is_refused(tmp_path: Path) -> None:
    wav = write_wav(tmp_path / "a.wav", tone(0.3, hertz=9000))
    with pytest.raises(InputError, match=r"a\.wav: has nothing in it that a telephone transmits"):
        await load_clips(options(Wav(wav)))


@pytest.mark.parametrize("keys", ["", "12x", "4 2"])
async def test_keys_that_no_telephone_has_are_refused(keys: str) -> None:
    with pytest.raises(InputError, match="--keys has other characters"):
        await load_clips(options(Keys(keys)))


@pytest.mark.parametrize(
    ("phone", "kind", "attributes"), [(True, "sip", {"sip.callStatus": "active"}), (False, "", {})]
)
def test_phone_joins_as_one_that_has_been_answered(phone: bool, kind: str, attributes: dict[str, str]) -> None:
    claims = api.TokenVerifier("devkey", "secret").verify(_token(options(Keys("1"), phone=phone)))
    assert (claims.kind, claims.attributes or {}) == (kind, attributes)
