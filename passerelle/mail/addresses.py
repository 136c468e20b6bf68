"""Address fields (RFC 5322 §3.4), read as tolerantly as mail is written. Never raises, never recurses.

The standard library's readers were measured against this: `email.policy.default` drops comments (Sympa keeps the
list's name in one), `email.utils.getaddresses` recurses on nested parentheses, and both take an encoded comma for a
separator.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from passerelle.core.email import Mailbox
from passerelle.core.ids import MailAddress
from passerelle.mail.encoded_word import decode_words
from passerelle.mail.headers import display_text

_TOKEN = re.compile(
    r"(?P<encoded>=\?[^?\s]{1,60}\?[bBqQ]\?[^?\s]*\?=)"
    r'|"(?P<quoted>(?:[^"\\]|\\.){0,300})"'
    r"|<(?P<angle>[^<>]*)>?"
    r"|(?P<comment>\()"
    r"|(?P<mark>[,;:])"
    r"|(?P<space>\s+)"
    r'|(?P<word>[^\s"(<,;:]+)'
    r"|(?P<odd>.)",
    re.DOTALL,
)
_PARENTHESIS = re.compile(r"\\.|[()]")
_ADDRESS = re.compile(r'(?P<local>[^@\s<>()\[\],;:"\\]{1,128}|"[^"\r\n]{1,126}")@(?P<domain>[^@\s<>(),;"\\]{1,255})')
_INNER_COMMENT = re.compile(r"\((?:[^()\\]|\\.){0,500}\)")
_ROUTE = re.compile(r"@[^:]*:")
#: More than any mail to a list has; the rest is dropped.
_MAX_MAILBOXES = 2000


@dataclass(slots=True)
class _Item:
    """What stands between two commas."""

    words: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    angle: str | None = None

    def __bool__(self) -> bool:
        return bool(self.words or self.comments or self.angle is not None)


def parse_address(text: str) -> MailAddress | None:
    """One `addr-spec`, its domain in lower case, or None. Routes (§4.4) and `mailto:` are dropped."""
    bare = text.strip() if '"' in text else "".join(text.split())
    bare = bare.strip("'").removeprefix("smtp:")
    if bare.startswith("mailto:"):
        bare = bare.removeprefix("mailto:").partition("?")[0]
    if "(" in bare:
        # `pete(his account)@silly.test`: obsolete, and met (§4.4).
        bare = _INNER_COMMENT.sub("", bare)
    if bare.startswith("@"):
        bare = _ROUTE.sub("", bare, count=1)
    match = _ADDRESS.fullmatch(bare.rstrip("."))
    if match is None:
        return None
    return MailAddress(f"{match['local']}@{match['domain'].lower()}")


def parse_mailboxes(values: Iterable[str]) -> tuple[Mailbox, ...]:
    """The mailboxes of address fields, groups opened, in order; what is no address is dropped.

    `values` are unfolded and still have their encoded words: they are decoded after the structure is read.
    """
    found: list[Mailbox] = []
    for value in values:
        mailboxes = _parse(value)
        if not mailboxes and "=?" in value:
            # Some mailers encode the whole field, address and all.
            mailboxes = _parse(decode_words(value))
        found += mailboxes
        if len(found) >= _MAX_MAILBOXES:
            break
    return tuple(found[:_MAX_MAILBOXES])


def _parse(value: str) -> list[Mailbox]:
    found: list[Mailbox] = []
    carried: list[str] = []
    for item in _items(value):
        if item.angle is None and not any("@" in word for word in item.words):
            # `Dupont, Jean <jean@…>` without quotes: the first half waits for the second.
            carried = item.words
            continue
        mailbox = _mailbox(item, carried)
        carried = []
        if mailbox is not None:
            found.append(mailbox)
    return found


def _items(value: str) -> Iterator[_Item]:
    item = _Item()
    balanced = True
    position = 0
    while match := _TOKEN.match(value, position):
        position = match.end()
        kind = match.lastgroup
        text = match[0]
        if kind == "comment" and balanced:
            end = _comment_end(value, position)
            balanced = end is not None
            if end is not None:
                item.comments.append(re.sub(r"\\(.)", r"\1", value[position : end - 1]))
                position = end
        elif kind == "quoted":
            local_part = value[position : position + 1] == "@"
            item.words.append(text if local_part else re.sub(r"\\(.)", r"\1", match["quoted"]))
        elif kind == "angle":
            if item.angle is None or "@" not in item.angle:
                item.angle = match["angle"]
        elif text == ":" and item.words and "@" not in "".join(item.words) and not _is_scheme(item.words):
            item = _Item()
        elif kind == "mark" and text != ":":
            if item:
                yield item
            item = _Item()
        elif kind != "space":
            _append(item.words, text, glued=value[match.start() - 1 : match.start()] not in " \t,;>)")
    if item:
        yield item


def _is_scheme(words: list[str]) -> bool:
    return words[-1].lower() in {"mailto", "smtp"}


def _append(words: list[str], text: str, *, glued: bool) -> None:
    """Add a token; one that touched the token before it is part of the same word (`"jean d"@example.org`), as is
    what stands around a lone `@` or `.` (§4.4: `jean @ example . org`)."""
    touching = glued and ("@" in text or text == ":")
    if words and (touching or words[-1][-1:] in {"@", ":"} or text[:1] == "@" or (_is_dotted(words[-1], text))):
        words[-1] += text
    else:
        words.append(text)


def _is_dotted(before: str, text: str) -> bool:
    return "@" in before and (before[-1:] == "." or text[:1] == ".")


def _comment_end(value: str, position: int) -> int | None:
    depth = 1
    for match in _PARENTHESIS.finditer(value, position):
        if match[0] == "(":
            depth += 1
        elif match[0] == ")":
            depth -= 1
        if not depth:
            return match.end()
    return None


def _mailbox(item: _Item, carried: list[str]) -> Mailbox | None:
    if item.angle is not None:
        address = parse_address(decode_words(item.angle))
        words = item.words
        if address is None:
            # `jean@example.org <>`: what stands before is all there is.
            address, words = _bare(item.words)
    else:
        address, words = _bare(item.words)
    if address is None:
        return None
    phrase = display_text(" ".join(words))
    if carried and phrase:
        phrase = f"{display_text(' '.join(carried))}, {phrase}"
    comment = display_text(" ".join(item.comments))
    if phrase and comment:
        # Sympa: `"Jean Dupont" (via bureau Mailing List) <list>`.
        return Mailbox(name=f"{phrase} ({comment})", address=address)
    return Mailbox(name=phrase or comment, address=address)


def _bare(words: list[str]) -> tuple[MailAddress | None, list[str]]:
    """The address among words without angle brackets, and the other words."""
    for position, word in enumerate(words):
        if "@" in word and (address := parse_address(word)):
            return address, words[:position] + words[position + 1 :]
    # `jean @ example.org` (obsolete syntax, §4.4)
    return parse_address("".join(words)), []
