"""Which files have a text that can be read out of them. Pure."""

from typing import Literal

Kind = Literal["plain", "html", "pdf", "opendocument", "word"]

#: Larger files are found by their name only.
MOST_BYTES = 20_000_000

_BY_TYPE: dict[str, Kind] = {
    "application/pdf": "pdf",
    "application/x-pdf": "pdf",
    "application/xhtml+xml": "html",
    "text/html": "html",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "word",
}
_BY_ENDING: dict[str, Kind] = {
    "txt": "plain", "text": "plain", "md": "plain", "csv": "plain", "tsv": "plain", "log": "plain", "ics": "plain",
    "vcf": "plain", "htm": "html", "html": "html", "xhtml": "html", "pdf": "pdf", "odt": "opendocument",
    "ods": "opendocument", "odp": "opendocument", "odg": "opendocument", "ott": "opendocument", "ots": "opendocument",
    "otp": "opendocument", "docx": "word",
}  # fmt: skip
_OPENDOCUMENT = "application/vnd.oasis.opendocument."
#: What a program writes that does not know better: then the name's ending decides.
_UNKNOWN_TYPES = {"", "application/octet-stream", "application/binary", "application/x-download", "application/zip"}


def kind_of(media_type: str, filename: str) -> Kind | None:
    """What kind of file it is; None where no text can be read out of it.

    Args:
        media_type: `type/subtype`, any case, parameters allowed (RFC 2045 §5.1).
    """
    media_type = media_type.partition(";")[0].strip().lower()
    if media_type in _BY_TYPE:
        return _BY_TYPE[media_type]
    if media_type.startswith(_OPENDOCUMENT):
        return "opendocument"
    if media_type in _UNKNOWN_TYPES:
        return _BY_ENDING.get(filename.rpartition(".")[2].lower())
    return "plain" if media_type.startswith("text/") and media_type != "text/rtf" else None


def is_readable(media_type: str, filename: str, size_bytes: int) -> bool:
    """Whether a file's text is to be read."""
    return 0 < size_bytes <= MOST_BYTES and kind_of(media_type, filename) is not None
