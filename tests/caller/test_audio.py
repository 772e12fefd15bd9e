import io
import struct
import wave
from pathlib import Path

import numpy as np
import pytest

from caller.audio import SAMPLE_RATE, WINDOW, Audibility, NotAudioError, Recording, audible_part, read_wav
from tests.caller.conftest import tone


def _wav(samples: np.ndarray, rate: int, channels: int, width: int) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        full = np.repeat(samples, channels)
        if width == 1:
            file.writeframes((full * 127 + 128).astype(np.uint8).tobytes())
        else:
            wide = (full * (2 ** (8 * width - 1) - 1)).astype("<i4").view(np.uint8).reshape(-1, 4)
            file.writeframes(wide[:, :width].tobytes())
    return out.getvalue()


def _float_wav(samples: np.ndarray, rate: int) -> bytes:
    data = samples.astype("<f4").tobytes()
    fmt = struct.pack("<HHIIHH", 3, 1, rate, rate * 4, 4, 32)
    body = b"WAVEfmt " + struct.pack("<I", len(fmt)) + fmt + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _check_half_second_tone(wav: bytes) -> None:
    pcm = read_wav(io.BytesIO(wav))
    assert pcm.dtype == np.int16
    assert len(pcm) == pytest.approx(SAMPLE_RATE * 0.5, rel=0.01)
    assert np.sqrt(np.mean((pcm / 32768) ** 2)) == pytest.approx(0.3 / np.sqrt(2), rel=0.05)
    assert np.argmax(np.abs(np.fft.rfft(pcm))) * SAMPLE_RATE / len(pcm) == pytest.approx(440, abs=5)


@pytest.mark.parametrize("width", [1, 2, 3, 4])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000])
def test_every_kind_of_wav_is_read(rate: int, channels: int, width: int) -> None:
    _check_half_second_tone(_wav(tone(0.5, rate), rate, channels, width))


def test_float_wav_is_read() -> None:
    _check_half_second_tone(_float_wav(tone(0.5, 22_050), 22_050))


def test_streamed_wav_with_unknown_length_is_read() -> None:
    wav = bytearray(_wav(tone(0.5), SAMPLE_RATE, 1, 2))
    wav[4:8] = wav[40:44] = b"\xff\xff\xff\xff"
    _check_half_second_tone(bytes(wav))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"this is text\n" * 100, "is no WAV"),
        (b"", "is no WAV"),
        (_wav(np.zeros(4800), SAMPLE_RATE, 1, 2), "nothing audible"),
        (_wav(np.zeros(0), SAMPLE_RATE, 1, 2), "nothing audible"),
    ],
)
def test_what_is_no_sound_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(NotAudioError, match=reason):
        read_wav(io.BytesIO(content))


def _heard(*parts: np.ndarray) -> list[tuple[float, float]]:
    pcm = (np.concatenate(parts) * 32767).astype(np.int16)
    audibility = Audibility()
    for start in range(0, len(pcm), WINDOW):
        audibility.push(pcm[start : start + WINDOW], start / SAMPLE_RATE)
    return [(s.start, s.end) for s in audibility.segments]


def _noise(seconds: float, dbfs: float) -> np.ndarray:
    return np.random.default_rng(1).normal(0, 10 ** (dbfs / 20), round(seconds * SAMPLE_RATE))


def _silence(seconds: float) -> np.ndarray:
    return np.zeros(round(seconds * SAMPLE_RATE))


def test_sound_is_found_to_the_millisecond() -> None:
    ((start, end),) = _heard(_silence(0.5034), tone(0.3), _silence(0.5))
    assert start == pytest.approx(0.5034, abs=0.001)
    assert end == pytest.approx(0.8034, abs=0.001)


def test_pause_shorter_than_200_ms_does_not_split() -> None:
    assert len(_heard(tone(0.3), _silence(0.19), tone(0.3))) == 1


def test_pause_of_200_ms_splits() -> None:
    assert len(_heard(tone(0.3), _silence(0.21), tone(0.3))) == 2


def test_comfort_noise_is_silence() -> None:
    assert _heard(_noise(2, -55)) == []
    ((start, end),) = _heard(_noise(0.5, -55), tone(0.3), _noise(0.5, -55))
    assert (start, end) == (pytest.approx(0.5, abs=0.011), pytest.approx(0.8, abs=0.011))


def test_click_is_no_speech() -> None:
    assert _heard(_silence(0.5), tone(0.008), _silence(0.5)) == []


def test_level_between_the_thresholds_goes_on_but_does_not_begin() -> None:
    soft = tone(0.5, amplitude=10 ** (-47 / 20) * np.sqrt(2))
    assert _heard(soft) == []
    ((_, end),) = _heard(tone(0.1), soft, _silence(0.3))
    assert end == pytest.approx(0.6, abs=0.002)


def test_audible_part_leaves_out_the_silence_around() -> None:
    part = audible_part((np.concatenate([_silence(0.3), tone(0.8), _silence(0.4)]) * 32767).astype(np.int16))
    assert part is not None
    assert (part.start, part.end) == (pytest.approx(0.3, abs=0.001), pytest.approx(1.1, abs=0.001))


def test_recording_fills_what_was_not_sent(tmp_path: Path) -> None:
    recording = Recording()
    loud = np.full(WINDOW, 1000, np.int16)
    for at in (1.0, 1.012, 1.019, 2.5):  # the second came late, the third early: no seam
        recording.add(at, loud)
    recording.write(tmp_path / "out.wav")
    with wave.open(str(tmp_path / "out.wav")) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    assert np.flatnonzero(samples)[[0, 3 * WINDOW - 1, 3 * WINDOW]].tolist() == [
        SAMPLE_RATE,
        SAMPLE_RATE + 3 * WINDOW - 1,
        round(2.5 * SAMPLE_RATE),
    ]
