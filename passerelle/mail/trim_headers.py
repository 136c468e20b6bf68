"""Header blocks that a client writes above the message it answers or forwards, and the lines that announce them.

A block is « De : … Envoyé : … À : … Objet : … » in any language of `trim_languages.FIELDS`. An announcement of a
meeting has such lines too (« Date : samedi », « Objet : … », « De : 14 h »), so a block needs a sender and two other
fields, and one proof that a program wrote it: an address, a « Sent » field, a full date, or a separator above.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from passerelle.mail import trim_languages as words
from passerelle.mail.trim_attribution import has_address

#: A block has at most this many lines, wrapped recipients included.
MOST_LINES = 24
#: A recipient list or a subject is wrapped over at most this many lines.
_MOST_CONTINUATIONS = 6

_KIND_OF_FIELD = {name: kind for kind, names in words.FIELDS.items() for name in names}
_FIELD = re.compile(r"[*_|> ]{0,4}([^\W\d_][\w'’()\- ]{0,24}?) ?[*_]{0,2} ?[:：] ?[*_]{0,2}(.*)")
_RULE = re.compile(r"[-_=—–*─]{2,}[-_=—–*─ ]*$|[_=]{2,}$")
_DASHED = re.compile(
    r"[*_> ]{0,3}[-_=–—]{2,}[ *]{0,3}([^\d\-_=–—][^\-_=–—]{1,58}|[^\-_=–—]{2,40}-[^\-_=–—]{2,30})"
    r"[ *]{0,3}[-_=–—]{2,}\W{0,4}$"
)
_FULL_DATE = re.compile(
    r"(?:\d{4}|\d{1,2}[./-]\d{1,2}[./-]\d{2}).{0,30}\d{1,2} ?[:hH.] ?\d{2}|\d{1,2}:\d{2}.{0,20}\d{4}"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Announced:
    """Some lines that announce an embedded message."""

    #: Number of lines from where the search began.
    length: int
    #: True where the words say that it is forwarded, not answered.
    forwarded: bool = False


def is_rule(body: str) -> bool:
    """A line of dashes, underscores or equals signs only, at least two."""
    return len(body) >= 2 and len(body) <= 200 and _RULE.match(body) is not None


def field_of(body: str) -> tuple[str, str] | None:
    """(kind of `trim_languages.FIELDS`, value) where `body` is a known header field, else None."""
    match = _FIELD.match(body[:400])
    if match is None:
        return None
    kind = _KIND_OF_FIELD.get(match.group(1).strip().casefold())
    return None if kind is None else (kind, match.group(2).strip())


def separator(body: str) -> Announced | None:
    """ "-----Original Message-----", "Begin forwarded message:", « ----- Mail transféré ----- »: one line."""
    if len(body) > 120 or len(body) < 6:
        return None
    folded = body.casefold()
    plain = folded.strip(" :*>-_=–—")
    if plain in words.FORWARD_LINES and (folded.endswith(":") or "-" in folded or ":" in folded):
        return Announced(length=1, forwarded=True)
    dashed = _DASHED.match(folded)
    if dashed is None:
        return None
    inside = dashed.group(1).strip()
    if inside.startswith(words.FORWARDED_BY):
        return Announced(length=1, forwarded=True)
    if len(inside.split()) > 6:
        return None
    forwarded = any(word in inside for word in words.FORWARD_WORDS)
    original = any(word in inside for word in words.ORIGINAL_WORDS)
    message = any(word in inside for word in words.MESSAGE_WORDS)
    if (original or forwarded) and (message or len(inside.split()) <= 3):
        return Announced(length=1, forwarded=forwarded)
    return None


def header_block(bodies: Sequence[str], *, announced: bool) -> int:
    """How many of `bodies`, from the first, are a client's header block; 0 where they are not.

    :param bodies: consecutive tidied lines without quote marks.
    :param announced: whether a separator line stands right above: then a sender and one other field suffice.
    """
    first = field_of(bodies[0]) if bodies else None
    if first is None or first[0] == "other":
        return 0
    if bodies[0].casefold().startswith("le :") or (first[0] == "date" and bodies[0][:2].casefold() == "le"):
        return 0
    kinds, values, end = _collect(bodies)
    enough = 2 if announced else 3
    webmail = "message du" in bodies[0].casefold() and len(kinds - {"other"}) >= 2
    if not webmail and ("from" not in kinds or len(kinds - {"other"}) < enough):
        return 0
    proof = announced or "sent" in kinds or any(has_address(v) for v in values)
    proof = proof or (_has_full_date(values) and {"from", "to", "subject"} <= kinds)
    return end if proof else 0


def _has_full_date(values: Sequence[str]) -> bool:
    return any(_FULL_DATE.search(value[:120]) for value in values)


def _collect(bodies: Sequence[str]) -> tuple[set[str], list[str], int]:
    """The kinds and values of the fields at the head of `bodies`, and the number of lines they take."""
    kinds: set[str] = set()
    values: list[str] = []
    end = i = 0
    limit = min(len(bodies), MOST_LINES)
    while i < limit:
        field = field_of(bodies[i])
        if field is not None and not (field[0] in kinds and field[0] in ("from", "subject")):
            kinds.add(field[0])
            values.append(field[1])
            i += 1
            end = i
            continue
        reach = _next_field(bodies, i, limit, kinds)
        if reach is None:
            break
        i = reach
    return kinds, values, _with_wrapped_subject(bodies, end)


def _next_field(bodies: Sequence[str], i: int, limit: int, kinds: set[str]) -> int | None:
    """Index of the next field where the lines between are continuations, blank ones of double spacing, or unknown
    fields; None where the block ends."""
    blanks = 0
    for j in range(i, min(limit, i + _MOST_CONTINUATIONS)):
        if not bodies[j]:
            blanks += 1
            if blanks > 1:
                return None
            continue
        if field_of(bodies[j]) is not None:
            field = field_of(bodies[j])
            fresh = field is not None and field[0] not in kinds
            return j if fresh and (blanks == 0 or j == i + 1) else None
        if blanks or len(bodies[j]) > 400:
            return None
    return None


def _with_wrapped_subject(bodies: Sequence[str], end: int) -> int:
    """Take in the line onto which a long subject or recipient list at the end of the block was wrapped."""
    if end == 0 or end >= len(bodies) or not bodies[end]:
        return end
    last = field_of(bodies[end - 1])
    follows_blank = end + 1 >= len(bodies) or not bodies[end + 1]
    long_enough = len(bodies[end - 1]) >= 60
    if last is not None and last[0] in ("subject", "to", "other") and follows_blank and long_enough:
        return end + 1
    return end
