"""Masking the addresses of third persons in the original that the room may open (PEOPLE.md 4)."""

from passerelle.mail.trim import PieceKind, kinds_of_lines

#: Kinds of text in which clients, not the author, put addresses.
_MASKED = frozenset({PieceKind.QUOTE, PieceKind.ATTRIBUTION, PieceKind.HEADER, PieceKind.FORWARDED})
#: RFC 5321 §4.5.3.1: the longest local part and domain.
_LONGEST_LOCAL = 64
_LONGEST_DOMAIN = 255
_NEVER_IN_ADDRESS = frozenset(" \t\r\n\u00a0\u202f<>()[]\"',;:@|«»…")


def elide_addresses(text: str, *, mask: str = "…") -> str:
    """Mask every e-mail address in quotes, attribution lines, header blocks and forwarded messages.

    The author's own text keeps the addresses that the author wrote into it.

    :param text: a text/plain body, decoded.
    :param mask: what stands for an address; brackets around the address stay: « Jean <adresse masquée> ».
    """
    return "".join(
        mask_addresses(line.raw, mask=mask) if kind in _MASKED else line.raw for line, kind in kinds_of_lines(text)
    )


def mask_addresses(line: str, *, mask: str) -> str:
    """`line` with `mask` for every e-mail address in it, "mailto:" included."""
    shown: list[str] = []
    done = 0
    at = line.find("@")
    while at >= 0:
        start, end = _reach_left(line, at, done), _reach_right(line, at)
        if start < at and end > at + 1:
            if line[max(done, start - 7) : start].lower() == "mailto:":
                start -= 7
            shown.extend((line[done:start], mask))
            done = end
        at = line.find("@", max(at + 1, end))
    shown.append(line[done:])
    return "".join(shown)


def _reach_left(line: str, at: int, floor: int) -> int:
    start = at
    while start > max(floor, at - _LONGEST_LOCAL) and line[start - 1] not in _NEVER_IN_ADDRESS:
        start -= 1
    return start


def _reach_right(line: str, at: int) -> int:
    end = at + 1
    while end < min(len(line), at + 1 + _LONGEST_DOMAIN) and line[end] not in _NEVER_IN_ADDRESS:
        end += 1
    while end > at + 1 and not line[end - 1].isalnum():
        end -= 1
    return end
