"""Voice messages: real Opus in, real MP3 out; anything else is refused by a typed error."""

import array
import io
import math

import av
import pytest

from passerelle.mail import voice
from passerelle.mail.voice import UnplayableAudio, voice_filename, voice_to_mp3
from passerelle.render import load_words


def recorded(seconds: float, *, container: str = "ogg", codec: str = "libopus", rate: int = 48_000) -> bytes:
    """A tone of 440 Hz, as a client would record it."""
    out = io.BytesIO()
    with av.open(out, "w", format=container) as target:
        stream = target.add_stream(codec, rate=rate)
        stream.layout = "mono"
        for start in range(0, int(seconds * rate), 960):
            tone = array.array("h", (int(8000 * math.sin(2 * math.pi * 440 * (start + n) / rate)) for n in range(960)))
            frame = av.AudioFrame(format="s16", layout="mono", samples=960)
            frame.planes[0].update(tone.tobytes())
            frame.sample_rate, frame.pts = rate, start
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    return out.getvalue()


OPUS = recorded(3)


@pytest.mark.parametrize("data", [OPUS, recorded(3, container="webm"), recorded(3, container="wav", codec="pcm_s16le")])
def test_voice_message_becomes_mp3_of_the_same_length(data: bytes) -> None:
    made = voice_to_mp3(data)
    assert abs(made.duration_ms - 3000) < 100
    with av.open(io.BytesIO(made.data), format="mp3") as mp3:
        assert mp3.streams.audio[0].codec_context.name.startswith("mp3")
        loudest = max(abs(int(sample)) for frame in mp3.decode(audio=0) for sample in _samples(frame))
    assert loudest > 4000, "it is heard"


def _samples(frame: av.AudioFrame) -> "array.array[int]":
    resampler = av.AudioResampler(format="s16", layout="mono")
    return array.array("h", b"".join(bytes(one.planes[0])[: one.samples * 2] for one in resampler.resample(frame)))


def test_mp3_is_taken_too() -> None:
    once = voice_to_mp3(OPUS)
    assert abs(voice_to_mp3(once.data).duration_ms - once.duration_ms) < 200


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"OggS",
        b"OggS" + bytes(5000),
        b"\x00\x00\x00\x18ftypM4A " + bytes(200),
        b"\x1aE\xdf\xa3" + bytes(200),
        b"RIFF\x00\x00\x00\x00WAVE",
        b"\xff\xd8\xff\xe0" + bytes(300),
        b"<html>",
    ],
)
def test_what_is_no_sound_is_refused(data: bytes) -> None:
    with pytest.raises(UnplayableAudio):
        voice_to_mp3(data)


@pytest.mark.parametrize(
    "data",
    [
        b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"v=0\nc=IN IP4 127.0.0.1\nm=audio 5004 RTP/AVP 0\n",
    ],
)
def test_playlist_that_names_files_or_addresses_is_never_opened(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(*args: object, **kwargs: object) -> None:
        pytest.fail("FFmpeg was given a playlist")

    monkeypatch.setattr(av, "open", opened)
    with pytest.raises(UnplayableAudio, match="no known format"):
        voice_to_mp3(data)


def test_damaged_recording_is_refused_or_what_can_be_heard_is_kept() -> None:
    for cut in range(0, len(OPUS), 997):
        try:
            made = voice_to_mp3(OPUS[:cut] + b"\xff" * 50 + OPUS[cut + 50 :])
        except UnplayableAudio:
            continue
        assert 0 < made.duration_ms <= 3100


def test_length_and_size_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnplayableAudio, match="too long"):
        voice_to_mp3(OPUS, max_seconds=1)
    monkeypatch.setattr(voice, "MAX_INPUT_BYTES", 1000)
    with pytest.raises(UnplayableAudio, match="too large"):
        voice_to_mp3(OPUS)


@pytest.mark.parametrize(
    ("author", "duration_ms", "name"),
    [
        ("Léa", 72_000, "Message vocal de Léa (1 min 12 s).mp3"),
        ("../a\r\nb", 400, "Message vocal de a b (1 s).mp3"),
        ("lea@orange.fr", 60_000, "Message vocal de Une personne du salon (1 min).mp3"),
    ],
)
def test_name_of_the_file(author: str, duration_ms: int, name: str) -> None:
    assert voice_filename(author, duration_ms, load_words("fr")) == name
