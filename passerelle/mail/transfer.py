"""Content transfer encodings (RFC 2045 §6), and uuencode, which predates them. Never raises."""

import binascii
import re
from dataclasses import dataclass

_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/=]")
_PADDING = re.compile(rb"=+")
_MAX_RUNS = 1000
_BASE64_LINE = re.compile(rb"[A-Za-z0-9+/]*={0,2}[ \t]*")
_UU_BEGIN = re.compile(rb"^begin [0-7]{3,4} ([^\r\n]{1,255}?)[ \t]*\r?$", re.MULTILINE)
_UU_END = re.compile(rb"^(?:`|[ \t]*)\r?\nend[ \t]*\r?$", re.MULTILINE)
#: Each attempt may read to the end of the data; prose full of `begin 644` must not make that quadratic.
_UU_ATTEMPTS = 64
_UU_NAMES = {"x-uuencode", "uuencode", "x-uue", "uue"}
#: Labels that mean "as it is". Misspelt ones are met in real mail.
_IDENTITY = {"", "7bit", "8bit", "binary", "7-bit", "8-bit", "none", "plain", "text"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Transferred:
    data: bytes
    defect: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class UuFile:
    """A file that stood uuencoded within text."""

    filename: bytes
    data: bytes


def decode_transfer(data: bytes, encoding: str) -> Transferred:
    """`data` with the Content-Transfer-Encoding `encoding` (any case, comments and junk tolerated) undone."""
    name = encoding.split(";")[0].split("(")[0].strip().strip("\"'").lower()
    if name in _IDENTITY:
        return Transferred(data=data)
    if name in {"base64", "base-64", "b64"}:
        return _base64(data)
    if name.replace(" ", "").replace("_", "-") in {"quoted-printable", "quotedprintable", "qp"}:
        return Transferred(data=binascii.a2b_qp(data))
    if name in _UU_NAMES:
        _, files = extract_uuencoded(data)
        if files:
            return Transferred(data=files[0].data)
        return Transferred(data=data, defect="labelled uuencode but is not")
    return Transferred(data=data, defect="unknown transfer encoding, taken as it is")


def decode_base64(data: bytes) -> bytes:
    """Base64 with whatever stands in between thrown away and the padding mended.

    Several padded runs one after another are decoded each: joined encodings are met in encoded words and bodies.
    """
    clean = _NOT_BASE64.sub(b"", data)
    runs = [run for run in _PADDING.split(clean, _MAX_RUNS) if run]
    return b"".join(_base64_run(run.replace(b"=", b"")) for run in runs)


def _base64_run(run: bytes) -> bytes:
    extra = len(run) % 4
    if extra == 1:
        # One character carries six bits: no byte can be made of it.
        run = run[:-1]
    return binascii.a2b_base64(run + b"=" * (-len(run) % 4))


def _base64(data: bytes) -> Transferred:
    """A body. A footer that a list server put in clear behind the base64 is kept in clear."""
    lines = data.splitlines(keepends=True)
    first_odd = next((i for i, line in enumerate(lines) if not _BASE64_LINE.fullmatch(line.strip())), None)
    if first_odd is None:
        return Transferred(data=decode_base64(data))
    tail = b"".join(lines[first_odd:])
    encoded_after = sum(len(line) > 40 and bool(_BASE64_LINE.fullmatch(line.strip())) for line in lines[first_odd:])
    if first_odd and not encoded_after and tail.isascii() and b" " in tail.strip():
        return Transferred(
            data=decode_base64(b"".join(lines[:first_odd])) + b"\n" + tail,
            defect="clear text behind base64",
        )
    if not first_odd and not encoded_after and b" " in tail.strip():
        return Transferred(data=data, defect="labelled base64 but is not")
    return Transferred(data=decode_base64(data), defect="damaged base64")


def extract_uuencoded(data: bytes) -> tuple[bytes, tuple[UuFile, ...]]:
    """`data` without its `begin … end` blocks, and the files that they were."""
    if b"begin " not in data:
        return data, ()
    kept: list[bytes] = []
    files: list[UuFile] = []
    position = 0
    for _ in range(_UU_ATTEMPTS):
        begin = _UU_BEGIN.search(data, position)
        if begin is None:
            break
        end = _UU_END.search(data, begin.end())
        if end is None:
            break
        content = _uu_lines(data[begin.end() : end.start()])
        if content is None:
            kept.append(data[position : begin.end()])
            position = begin.end()
            continue
        kept.append(data[position : begin.start()])
        files.append(UuFile(filename=begin[1], data=content))
        position = end.end()
    kept.append(data[position:])
    return b"".join(kept), tuple(files)


def _uu_lines(block: bytes) -> bytes | None:
    """The decoded lines, or None where one of them is no uuencode (prose that begins with `begin 644 …`)."""
    out = bytearray()
    for line in block.splitlines():
        if not line:
            continue
        length = (line[0] - 32) & 63
        # Encoders differ in trailing characters (see CPython's uu.decode): what the length says is what counts.
        needed = 1 + (length * 4 + 2) // 3
        try:
            out += binascii.a2b_uu(line[:needed].ljust(needed))
        except binascii.Error:
            return None
    return bytes(out)
