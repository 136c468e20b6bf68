"""What archives for the web leave of a mail, made into a mail again: addresses with `@`, a charset that is named.

Mailman 2's text archive (pipermail; `Article.as_text` of its HyperArch.py) has `From: lea at example.org (Léa)`, with
the word of the list's language for "at", no MIME, and the text in the charset of the list; its attachments are links.
HyperKitty's export has `From: Léa <lea at example.org>` and whole MIME.
"""

import re

from passerelle.imports.mbox import unquote

#: " at " in the languages of Mailman 2 that French associations meet; in UTF-8 and in ISO 8859-1.
_AT = rb" (?:at|\xc3\xa0|\xe0|chez|en|bei|su) "
_LOCAL, _DOMAIN = rb"[^\s<>()@\"]{1,200}", rb"[A-Za-z0-9.-]{1,250}"
_SPOKEN = re.compile(rb"(" + _LOCAL + rb")" + _AT + rb"(" + _DOMAIN + rb")")
_PIPERMAIL_FROM = re.compile(rb"^From: (\S{1,300}(?: [^\s(]{1,6} \S{1,250})?) \((.*)\)\r?$", re.MULTILINE)
_FOLD = re.compile(rb"\r?\n[ \t]")
_FIELDS_WITH_ADDRESSES = (b"from", b"to", b"cc", b"reply-to", b"sender")


def restore_pipermail(raw: bytes) -> bytes:
    """One mail of Mailman 2's text archive. Its body's From_ lines are quoted as in an mboxo."""
    raw = unquote(raw, "mboxo")
    header, blank, body = _parted(raw)
    header = _PIPERMAIL_FROM.sub(_author, header, count=1)
    if not _has(header, b"content-type"):
        charset = "utf-8" if _is_utf8(raw) else "iso-8859-1"
        header += f"\nMIME-Version: 1.0\nContent-Type: text/plain; charset={charset}\n".encode()
        header += b"Content-Transfer-Encoding: 8bit"
    return header + blank + body


def restore_hyperkitty(raw: bytes) -> bytes:
    """One mail of HyperKitty's export. Its body's From_ lines are quoted by nothing."""
    header, blank, body = _parted(unquote(raw, "unquoted"))
    lines = header.split(b"\n")
    field = b""
    for number, line in enumerate(lines):
        if not line.startswith((b" ", b"\t")):
            field = line.partition(b":")[0].lower()
        if field in _FIELDS_WITH_ADDRESSES:
            lines[number] = _SPOKEN.sub(rb"\1@\2", line)
    return b"\n".join(lines) + blank + body


def looks_like_pipermail(begin: bytes, first: int) -> bool:
    """Whether an mbox's first From_ line and first field are those of pipermail.

    Args:
        begin: the file's first bytes.
        first: where its first From_ line stands.
    """
    line, _, rest = begin[first:].partition(b"\n")
    # Two spaces before the day of the week; an mbox may have them, but hardly this From field too.
    return b"  " in line[: line.find(b":")] and _PIPERMAIL_FROM.match(rest) is not None and b"\nDate: " in rest[:600]


def looks_like_hyperkitty(begin: bytes, first: int) -> bool:
    """Whether an mbox begins as HyperKitty's export does: its From_ line and its fields have no `@`."""
    line, _, rest = begin[first:].partition(b"\n")
    header = _FOLD.sub(b" ", _parted(rest)[0])
    author = next((f for f in header.split(b"\n") if f.lower().startswith(b"from:")), b"")
    return b"@" not in line and _SPOKEN.search(line) is not None and b"@" not in author and b" at " in author


def _author(match: re.Match[bytes]) -> bytes:
    address = _SPOKEN.sub(rb"\1@\2", match[1])
    name = match[2].strip()
    if not name or name == match[1]:
        return b"From: " + address
    if b"=?" in name:
        # An encoded word in quotes would not be one (RFC 2047 §5).
        return b"From: " + name + b" <" + address + b">"
    quoted = name.strip(b'"').replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    return b'From: "' + quoted + b'" <' + address + b">"


def _parted(raw: bytes) -> tuple[bytes, bytes, bytes]:
    """Header, blank line, body."""
    for blank in (b"\n\n", b"\r\n\r\n"):
        header, found, body = raw.partition(blank)
        if found:
            return header, found, body
    return raw.rstrip(b"\r\n"), b"\n\n", b""


def _has(header: bytes, name: bytes) -> bool:
    return any(line.partition(b":")[0].strip().lower() == name for line in header.split(b"\n"))


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
