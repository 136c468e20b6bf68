"""Bytes to text, whatever the label says. Never raises.

Labels lie: `iso-8859-1` that is windows-1252 or UTF-8, `us-ascii` with accents, names no one registered. The order
is: believe the label when the bytes agree with it, then UTF-8, then a guess, then windows-1252 with replacement
characters. What had to be bent is said in `Decoded.defect`.
"""

import codecs
import re
from collections.abc import Callable
from dataclasses import dataclass
from encodings.aliases import aliases
from functools import lru_cache

import charset_normalizer

#: Labels met in mail that Python does not know, or whose common use is a superset (WHATWG Encoding §4.2).
_LABELS = {
    "ascii": "us-ascii",
    "ansi_x3.110-1983": "iso-8859-1",
    "unicode-1-1-utf-7": "utf-7",
    "unicode-1-1-utf-8": "utf-8",
    "x-unicode-2-0-utf-7": "utf-7",
    "utf8mb4": "utf-8",
    "x-utf-8": "utf-8",
    "utf-8-mac": "utf-8",
    "unicode": "utf-16",
    "iso-8859-1": "cp1252",
    "iso8859-1": "cp1252",
    "iso_8859-1": "cp1252",
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "l1": "cp1252",
    "iso-8859-9": "cp1254",
    "iso-8859-11": "cp874",
    "tis-620": "cp874",
    "iso-8859-8-i": "iso-8859-8",
    "iso-8859-8-e": "iso-8859-8",
    "iso-8859-6-i": "iso-8859-6",
    "iso-8859-6-e": "iso-8859-6",
    "x-sjis": "cp932",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "ms_kanji": "cp932",
    "windows-31j": "cp932",
    "x-euc-jp": "euc_jp",
    "iso-2022-jp": "iso2022_jp_ext",
    "cp50220": "iso2022_jp_ext",
    "cp50221": "iso2022_jp_ext",
    "ks_c_5601-1987": "cp949",
    "ks_c_5601": "cp949",
    "ksc5601": "cp949",
    "ksc_5601": "cp949",
    "euc-kr": "cp949",
    "windows-949": "cp949",
    "gb2312": "gb18030",
    "gb_2312-80": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "cp936": "gb18030",
    "big5": "big5hkscs",
    "x-x-big5": "big5hkscs",
    "macintosh": "mac_roman",
    "x-mac-roman": "mac_roman",
    "x-mac-cyrillic": "mac_cyrillic",
    "x-cp1250": "cp1250",
    "x-cp1251": "cp1251",
    "x-cp1252": "cp1252",
    "x-ansi": "cp1252",
    "ansi": "cp1252",
}
#: Codecs that are no charset of text, or are slow or surprising on hostile input.
_NOT_A_CHARSET = {
    "base64_codec", "bz2_codec", "hex_codec", "quopri_codec", "rot_13", "uu_codec", "zlib_codec",
    "idna", "mbcs", "oem", "palmos", "punycode", "raw_unicode_escape", "undefined", "unicode_escape",
}  # fmt: skip
#: Charsets without an alias in the standard library's table.
_UNALIASED = {
    "utf_8_sig", "koi8_t", "koi8_u", "cp720", "cp737", "cp856", "cp874", "cp875", "cp1006", "mac_arabic",
    "mac_croatian", "mac_farsi", "mac_romanian",
}  # fmt: skip
_CHARSETS = (set(aliases.values()) | _UNALIASED) - _NOT_A_CHARSET
_SINGLE_BYTE_LATIN = {"cp1252", "iso8859_15", "mac_roman", "cp850", "cp1250", "cp1254", "iso8859_2"}
#: Sequences that UTF-8 alone makes likely: a lead byte with its continuations.
_UTF8_SEQUENCE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_HIGH_BYTE = re.compile(rb"[\x80-\xff]")
_ISO_2022_ESCAPE = re.compile(rb"\x1b[$(][@-DIJ]")
#: A guess looks at no more than this.
_SAMPLE_BYTES = 16_384
#: Below this share of high bytes a text is Latin with accents (French has 4 %, Czech 10 %).
_FOREIGN_SHARE = 0.2
#: What a guess may answer: the legacy charsets that mail really uses.
_GUESSES = [
    "cp1251", "koi8_r", "iso8859_5", "cp866", "cp1253", "cp1255", "cp1256", "cp874",
    "gb18030", "big5", "cp932", "euc_jp", "cp949",
]  # fmt: skip
_SURROGATE = re.compile("[\ud800-\udfff]")
#: C0 and C1 control characters but tab and line feed, and the non-characters that XML and Matrix refuse.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff]")


@dataclass(frozen=True, kw_only=True, slots=True)
class Decoded:
    text: str
    #: What was wrong, in English and without content; None where nothing was.
    defect: str | None = None


@lru_cache(maxsize=512)
def codec_for(label: str) -> str | None:
    """Python's name of the charset `label`, or None where the label names no charset of text."""
    wanted = label.strip().strip("\"'").lower()
    wanted = _LABELS.get(wanted, wanted)
    if not wanted.isascii() or len(wanted) > 60:
        return None
    try:
        name = codecs.lookup(wanted).name.replace("-", "_")
    except (LookupError, ValueError, UnicodeError):
        return None
    return name if name in _CHARSETS else None


def decode_text(data: bytes, label: str | None) -> Decoded:
    """Decode `data`, labelled `label` (RFC 2045 §5.1, default us-ascii), as well as it can be done."""
    if data.isascii() and not _needs_label(label, data):
        return Decoded(text=data.decode("ascii"))
    codec = codec_for(label) if label else None
    if codec is None or codec == "ascii":
        text, how = _guess(data)
        named = "the charset is unknown" if label and codec is None else "8-bit text without a charset"
        return Decoded(text=text, defect=f"{named}, read as {how}")
    if codec in _SINGLE_BYTE_LATIN and (as_utf8 := _mislabelled_utf8(data)) is not None:
        return Decoded(text=as_utf8, defect=f"labelled {codec} but is UTF-8")
    try:
        return Decoded(text=_strictly(data, codec))
    except (UnicodeError, ValueError):
        return _damaged(data, codec)


def printable(text: str) -> str:
    """`text` without NUL, control characters and lone surrogates; line feed and tab stay."""
    if text.isprintable():
        return text
    if _SURROGATE.search(text):
        # Pairs that a codec left apart (UTF-16, CESU-8) join; a lone half becomes U+FFFD.
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return _CONTROL.sub("", text)


def _needs_label(label: str | None, data: bytes) -> bool:
    """Whether ASCII bytes may still mean something else: ISO-2022, UTF-7, HZ, UTF-16."""
    codec = codec_for(label) if label else None
    if codec is None:
        return b"\x1b" in data and bool(_ISO_2022_ESCAPE.search(data))
    return codec.startswith(("iso2022", "utf_7", "utf_16", "utf_32", "hz", "cp037", "cp500", "cp1140", "cp273"))


def _strictly(data: bytes, codec: str) -> str:
    text = data.decode(codec)
    return text.removeprefix("\ufeff")


def _mislabelled_utf8(data: bytes) -> str | None:
    """The text, where every high byte belongs to a UTF-8 sequence: no Latin text looks so by chance."""
    if not _UTF8_SEQUENCE.search(data):
        return None
    try:
        return data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError:
        return None


def _damaged(data: bytes, codec: str) -> Decoded:
    if codec in {"utf_8", "utf_8_sig"} and len(_UTF8_SEQUENCE.findall(data[:_SAMPLE_BYTES])) == 0:
        text, how = _guess(data)
        return Decoded(text=text, defect=f"labelled utf-8 but is not, read as {how}")
    if codec in {"utf_16", "utf_32"} or not _HIGH_BYTE.search(data):
        text, how = _guess(data)
        return Decoded(text=text, defect=f"not valid {codec}, read as {how}")
    replaced = _replacing(data, codec)
    if codec not in _SINGLE_BYTE_LATIN and replaced.count("\ufffd") * 10 > len(replaced):
        text, how = _guess(data)
        return Decoded(text=text, defect=f"not valid {codec}, read as {how}")
    return Decoded(text=replaced, defect=f"some bytes are not valid {codec}")


def _replacing(data: bytes, codec: str) -> str:
    try:
        return data.decode(codec, "replace").removeprefix("\ufeff")
    except (UnicodeError, ValueError):
        return data.decode("latin-1")


def _guess(data: bytes) -> tuple[str, str]:
    """The text of unlabelled bytes, and the name of what they were taken for."""
    attempts: tuple[tuple[str, Callable[[bytes], bool]], ...] = (
        ("iso2022_jp_ext", lambda b: _ISO_2022_ESCAPE.search(b) is not None),
        ("utf-16", lambda b: b[:2] in (b"\xff\xfe", b"\xfe\xff")),
        ("utf-8", lambda b: True),
    )
    for codec, plausible in attempts:
        if plausible(data[:_SAMPLE_BYTES]):
            try:
                return _strictly(data, codec), codec
            except (UnicodeError, ValueError):
                continue
    sample = data[:_SAMPLE_BYTES]
    if len(_HIGH_BYTE.findall(sample)) >= max(8, len(sample) * _FOREIGN_SHARE):
        best = charset_normalizer.from_bytes(sample, cp_isolation=_GUESSES, threshold=0.4).best()
        if best is not None:
            return _replacing(data, best.encoding), best.encoding
    return _replacing(data, "cp1252"), "cp1252"
