"""RFC 2047 encoded words, as standards and as real mailers write them. Never raises."""

import binascii
import re

from passerelle.mail.charset import codec_for, decode_text, printable
from passerelle.mail.transfer import decode_base64

#: `=?charset*lang?B|Q?text?=`. Tolerates spaces within (RFC 2047 §2 forbids them), question marks in Q text and a
#: missing end at the end of the value. Each repetition starts with `?`, so the pattern is linear.
_WORD = re.compile(r"=\?([^?*\s]{1,40})(?:\*[^?\s]{0,20})?\?([bBqQ])\?([^?]*(?:\?(?!=)[^?]*){0,8})(?:\?=|\??\Z)")
_BETWEEN = re.compile(r"\s*")


def decode_words(value: str) -> str:
    """`value` with its encoded words decoded; the rest untouched.

    Words that follow each other with the same charset and encoding are joined as bytes first: mailers cut
    multi-byte characters and base64 quanta between words, although RFC 2047 §5 forbids it.
    """
    if "=?" not in value:
        return value
    pieces: list[str] = []
    pending = bytearray()
    pending_charset = ""
    end = 0
    for word in _WORD.finditer(value):
        between = value[end : word.start()]
        follows = end > 0 and not between.strip()
        charset = word[1].lower()
        if pending_charset and not (follows and charset == pending_charset):
            pieces.append(_text(bytes(pending), pending_charset))
            pending.clear()
        if not follows:
            pieces.append(between)
        pending += _word_bytes(word[2], word[3])
        pending_charset = charset
        end = word.end()
    if pending_charset:
        pieces.append(_text(bytes(pending), pending_charset))
    pieces.append(value[end:])
    return "".join(pieces)


def _word_bytes(encoding: str, text: str) -> bytes:
    raw = text.encode("utf-8", "surrogateescape")
    if encoding in "bB":
        return decode_base64(raw)
    return binascii.a2b_qp(raw.replace(b"\r", b"").replace(b"\n", b""), header=True)


def _text(data: bytes, charset: str) -> str:
    # An unknown label (`=?x-unknown?Q?…`) still has readable bytes.
    label = charset if codec_for(charset) else None
    return printable(decode_text(data, label).text)
