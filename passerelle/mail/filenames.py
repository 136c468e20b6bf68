"""Names of attachments: those that senders give are made harmless, those that they forget are made up."""

import re

from passerelle.mail.charset import printable

#: Directional overrides and isolates, zero-width characters: `photo‮gpj.exe` must not look like a picture.
_DECEIVING = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u061c]")
_UNSAFE = re.compile(r'[\n\t\u2028\u2029"<>|:*?]')
_MAX_LENGTH = 150
#: Extensions of what has none. Not `mimetypes`, which reads whatever the machine has.
_EXTENSIONS = {
    "application/gzip": "gz",
    "application/json": "json",
    "application/msword": "doc",
    "application/ms-tnef": "dat",
    "application/pdf": "pdf",
    "application/pgp-encrypted": "asc",
    "application/pgp-keys": "asc",
    "application/pgp-signature": "asc",
    "application/pkcs7-mime": "p7m",
    "application/x-pkcs7-mime": "p7m",
    "application/pkcs7-signature": "p7s",
    "application/x-pkcs7-signature": "p7s",
    "application/rtf": "rtf",
    "application/vnd.ms-excel": "xls",
    "application/vnd.oasis.opendocument.spreadsheet": "ods",
    "application/vnd.oasis.opendocument.text": "odt",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/xml": "xml",
    "application/zip": "zip",
    "audio/aac": "aac",
    "audio/mp4": "m4a",
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg",
    "audio/wav": "wav",
    "image/bmp": "bmp",
    "image/gif": "gif",
    "image/heic": "heic",
    "image/jpeg": "jpg",
    "image/jpg": "jpg",
    "image/png": "png",
    "image/svg+xml": "svg",
    "image/tiff": "tif",
    "image/webp": "webp",
    "message/delivery-status": "txt",
    "message/disposition-notification": "txt",
    "message/external-body": "txt",
    "message/global": "eml",
    "message/rfc822": "eml",
    "text/calendar": "ics",
    "application/ics": "ics",
    "text/csv": "csv",
    "text/html": "html",
    "text/plain": "txt",
    "text/rfc822-headers": "txt",
    "text/vcard": "vcf",
    "text/x-vcard": "vcf",
    "text/xml": "xml",
    "video/mp4": "mp4",
    "video/quicktime": "mov",
    "video/webm": "webm",
}
#: Words that read the same in French and in English.
_STEMS = {"image": "image", "message": "message", "audio": "audio", "text": "document"}


def clean_filename(declared: str) -> str:
    """`declared` without path, control, deceiving and reserved characters; empty where nothing is left."""
    name = printable(declared).replace("\\", "/").rsplit("/", 1)[-1]
    name = _UNSAFE.sub("_", _DECEIVING.sub("", name)).strip(" .")
    if len(name) <= _MAX_LENGTH:
        return name
    stem, dot, extension = name.rpartition(".")
    if not dot or len(extension) > 12:
        return name[:_MAX_LENGTH]
    return f"{stem[: _MAX_LENGTH - len(extension) - 1]}.{extension}"


def default_filename(media_type: str, number: int) -> str:
    """A name for the `number`th file of a mail, which came without one."""
    extension = _EXTENSIONS.get(media_type, "bin")
    if extension == "ics":
        return "invitation.ics"
    stem = _STEMS.get(media_type.partition("/")[0], "document")
    return f"{stem}-{number}.{extension}"
