import io
import struct
import wave
from pathlib import Path

import numpy as np
import pytest

from caller.audio import FRAME_SAMPLES, SAMPLE_RATE, NotAudioError, Recording, audible_part, audible_segments, read_wav
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
def test_data_without_audible_sound_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(NotAudioError, match=reason):
        read_wav(io.BytesIO(content))


def test_comfort_noise_is_silence() -> None:
    noise = np.random.default_rng(1).normal(0, 10 ** (-55 / 20), SAMPLE_RATE)
    assert audible_segments((noise * 32767).astype(np.int16)) == []


def test_audible_part_leaves_out_the_silence_at_the_edges() -> None:
    silence = np.zeros(SAMPLE_RATE // 2)
    part = audible_part((np.concatenate([silence, tone(0.3), silence, tone(0.3), silence]) * 32767).astype(np.int16))
    assert part is not None
    assert (part.start, part.end) == (pytest.approx(0.5, abs=0.001), pytest.approx(1.6, abs=0.001))


def test_recording_fills_gaps_with_silence(tmp_path: Path) -> None:
    recording = Recording()
    loud = np.full(FRAME_SAMPLES, 1000, np.int16)
    for at in (1.0, 1.012, 1.019, 2.5):  # the second is late, the third early: no gap
        recording.add(at, loud)
    recording.write(tmp_path / "out.wav")
    with wave.open(str(tmp_path / "out.wav")) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    assert np.flatnonzero(samples)[[0, 3 * FRAME_SAMPLES - 1, 3 * FRAME_SAMPLES]].tolist() == [
        SAMPLE_RATE,
        SAMPLE_RATE + 3 * FRAME_SAMPLES - 1,
        round(2.5 * SAMPLE_RATE),
    ]


def test_recording_without_frames_is_an_empty_wav(tmp_path: Path) -> None:
    Recording().write(tmp_path / "out.wav")
    with wave.open(str(tmp_path / "out.wav")) as file:
        assert (file.getnframes(), file.getframerate()) == (0, SAMPLE_RATE)
