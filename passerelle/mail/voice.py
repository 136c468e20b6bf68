"""A voice message of the room as a file that any player opens: MP3, its author and length in its name (PEOPLE.md 18).

Decoding hostile audio is FFmpeg's part (PyAV). The container is told by its first bytes and opened as that one only:
FFmpeg's own guess would also follow playlists, which name files and addresses. CPU-bound: run it in a thread.
"""

from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING

from passerelle.core.names import safe_name
from passerelle.core.wording import Words
from passerelle.errors import PasserelleError

if TYPE_CHECKING:
    from av.container import InputContainer, OutputContainer

#: What a voice message may be at the most; clients stop far below.
MAX_INPUT_BYTES = 50_000_000
MAX_SECONDS = 3600

#: Speech: one channel, 24 kHz (MPEG-2 layer III), 48 kbit/s, so that an hour is 22 MB.
_RATE_HZ = 24_000
_BIT_RATE = 48_000


class UnplayableAudio(PasserelleError):
    """The voice message cannot be made into an MP3."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Mp3:
    data: bytes = field(repr=False)
    duration_ms: int


def voice_to_mp3(data: bytes, *, max_seconds: float = MAX_SECONDS) -> Mp3:
    """`data` (Ogg/Opus mostly; also WebM, MP4/AAC, WAV, FLAC, MP3) as MP3, with its true length.

    Raises UnplayableAudio where it is something else, broken, empty, or longer than `max_seconds`.
    """
    import av  # 17 MB in memory: only where there are voice messages

    if len(data) > MAX_INPUT_BYTES:
        raise UnplayableAudio("the voice message is too large")
    container_format = _format(data)
    if container_format is None:
        raise UnplayableAudio("the voice message is in no known format")
    out = BytesIO()
    try:
        with (
            av.open(BytesIO(data), mode="r", format=container_format) as source,
            av.open(out, mode="w", format="mp3") as target,
        ):
            samples = _transcode(source, target, max_samples=int(max_seconds * _RATE_HZ))
    except (av.FFmpegError, ValueError, OverflowError, IndexError, MemoryError) as error:
        raise UnplayableAudio(f"the voice message cannot be decoded: {type(error).__name__}") from error
    if not samples:
        raise UnplayableAudio("the voice message is empty")
    return Mp3(data=out.getvalue(), duration_ms=samples * 1000 // _RATE_HZ)


def _transcode(source: "InputContainer", target: "OutputContainer", *, max_samples: int) -> int:
    """Decode, resample, encode; return the number of samples written."""
    from av.audio.resampler import AudioResampler

    if not source.streams.audio:
        raise UnplayableAudio("the voice message has no sound")
    encoder = target.add_stream("libmp3lame", rate=_RATE_HZ)
    encoder.bit_rate, encoder.layout = _BIT_RATE, "mono"
    resampler = AudioResampler(format="s16p", layout="mono", rate=_RATE_HZ)
    samples = 0
    for frame in source.decode(source.streams.audio[0]):
        # Clocks of damaged files jump; the encoder counts for itself.
        frame.pts = None
        for resampled in resampler.resample(frame):
            samples += resampled.samples
            if samples > max_samples:
                raise UnplayableAudio("the voice message is too long")
            target.mux(encoder.encode(resampled))
    for resampled in resampler.resample(None):
        samples += resampled.samples
        target.mux(encoder.encode(resampled))
    target.mux(encoder.encode(None))
    return samples


def _format(data: bytes) -> str | None:
    """FFmpeg's name of the container, by its magic bytes; None for all others."""
    if data.startswith(b"OggS"):
        return "ogg"
    if data.startswith(b"\x1aE\xdf\xa3"):
        return "matroska"
    if data[4:8] == b"ftyp":
        return "mov"
    if data.startswith(b"RIFF") and data[8:12] == b"WAVE":
        return "wav"
    if data.startswith(b"fLaC"):
        return "flac"
    if data.startswith(b"ID3") or (len(data) > 1 and data[0] == 0xFF and data[1] & 0xE6 in (0xE2, 0xE4)):
        return "mp3"
    return None


def voice_filename(author: str, duration_ms: int, words: Words) -> str:
    """« Message vocal de Léa (1 min 12 s).mp3 ». `author` is made safe here."""
    name = safe_name(author, max_length=40).replace("/", " ") or words("room_member")
    # Some file systems and mail programs mangle no-break spaces in names.
    return words("voice_name", author=name, duration=words.duration(duration_ms)).replace("\u00a0", " ")
