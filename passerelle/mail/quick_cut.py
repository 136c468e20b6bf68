"""A mail's text cut into own and quoted words, where it is of the usual shape; the same as `trim.trim` says. Pure.

Usual: own words, a signature, an attribution with one quote below or above, or an answered mail without marks below,
and the list's footer. Of anything else nothing is said here. The questions are those of `trim`, asked only of lines
that `trim_plain` does not spare; what recurs in an archive, signatures and footers, is asked once.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from passerelle.mail import trim_footers as footers
from passerelle.mail import trim_marks
from passerelle.mail import trim_signatures as signatures
from passerelle.mail.trim_attribution import introduces_marked_quote
from passerelle.mail.trim_plain import PlainLines

_MOST_CHARACTERS = 60_000
_MOST_OWN_LINES = 400
#: Of these, lines are more than they look like.
_UNUSUAL = (
    "\r", "\n >", "\n\t>", ">From ", "```", "~~~", "-----BEGIN", "\u200b", "\u200e", "\u200f", "\ufeff", "\u2060",
    "\u00ad", "\u202a", "\u202c", "\n\u00a0>", "\x0b", "\x0c",
)  # fmt: skip
_BLANKS = ("\u00a0", "\u202f", "\u2009", "\t", "\u3000")
#: Quoted and blank lines only.
_QUOTE = re.compile(r"(?:>[^\n]*(?:\n|\Z)|[ ]*\n)+")
#: Signs before quoted lines other than ">".
_OTHER_SIGNS = "|:}>"
_WINDOW = 28
#: A line that a client wrapped, before a quote.
_LONGEST_LINE = 1_000


@dataclass(slots=True)
class _Stretch:
    """Own lines between two quotes, or before, or behind one."""

    #: As received, without line ends, and as they are compared.
    raws: list[str]
    bodies: list[str]
    #: Where the author's own words end, and where what stands below is someone else's.
    own_end: int = 0
    begins_mail: bool = True
    others: int | None = None
    lines: PlainLines = field(init=False)

    def __post_init__(self) -> None:
        self.lines = PlainLines(self.bodies)
        self.own_end = len(self.bodies)


def quick_cut(text: str) -> tuple[str, str] | None:
    """(own words, quoted words) of a text with LF line ends; None where `trim` is to be asked."""
    if len(text) > _MOST_CHARACTERS or text[:1] in " \t>" or any(one in text for one in _UNUSUAL):
        return None
    probe = text
    for blank in _BLANKS:
        if blank in probe:
            probe = probe.replace(blank, " ")
    start = probe.find("\n>") + 1
    if not start:
        return _unquoted(text, probe)
    end = probe.find("\n", probe.rfind("\n>") + 1)
    end = len(probe) if end < 0 else end + 1
    if not _QUOTE.fullmatch(probe, start, end) or probe[start:end].split("\n", 1)[0].rstrip().endswith((":", "：")):
        return None
    above = _stretch(text[:start], probe[:start], begins_mail=True)
    below = _stretch(text[end:], probe[end:], begins_mail=False)
    if above is None or below is None:
        return None
    own = _answered_below(above, below)
    return None if own is None else (own, text[start:end])


def _unquoted(text: str, probe: str) -> tuple[str, str] | None:
    stretch = _stretch(text, probe, begins_mail=True)
    if stretch is None or not _take_specials(stretch):
        return None
    own = _own_words(stretch)
    if not own:
        return None
    others = "" if stretch.others is None else "\n".join(stretch.raws[stretch.others :])
    return own, others


def _stretch(text: str, probe: str, *, begins_mail: bool) -> _Stretch | None:
    raws, bodies = text.split("\n"), [line.strip() for line in probe.split("\n")]
    if len(raws) > _MOST_OWN_LINES or max(map(len, raws)) > _LONGEST_LINE:
        return None
    return _Stretch(raws, bodies, begins_mail=begins_mail)


def _answered_below(above: _Stretch, below: _Stretch) -> str | None:
    """Own words above one quote, or below it; None where they stand on both sides, or nowhere."""
    last = _last_filled(above.bodies, len(above.bodies))
    if last < 0 or len(above.bodies) - 1 - last > 3:
        return None
    alone = last == 0 or not above.bodies[last - 1]
    introduced = alone and above.bodies[last][0] not in "-*•" and introduces_marked_quote(above.bodies[last])
    if introduced:
        above.own_end = last
    elif not above.lines.begins_nothing(last) or above.bodies[last].endswith((":", ",", "]", ">")):
        return None
    if not _take_specials(above, stop=above.own_end) or above.others is not None:
        return None
    if not _take_specials(below) or below.others is not None:
        return None
    own_above, own_below = _own_words(above), _own_words(below)
    if own_above is None or own_below is None or bool(own_above) == bool(own_below):
        return None
    if own_below and not introduced:
        return None
    return own_above or own_below


def _take_specials(stretch: _Stretch, stop: int | None = None) -> bool:
    """Find the footer, or the answered mail, that ends a stretch; False where something else may be in it."""
    bodies = stretch.bodies
    stop = len(bodies) if stop is None else stop
    for i in range(stop):
        body = bodies[i]
        if not body:
            continue
        if ">" in body[:20]:
            return False
        if stretch.lines.begins_nothing(i):
            continue
        kind, length = _asked(tuple(bodies[i : i + _WINDOW]))
        if kind == "none":
            continue
        if kind == "footer":
            # At the end of everything: then it is believed.
            if any(bodies[i + length :]) or (i == 0 and stretch.begins_mail):
                return False
            stretch.own_end = min(stretch.own_end, i)
            return True
        return _take_answered(stretch, i, length)
    return True


def _take_answered(stretch: _Stretch, i: int, length: int) -> bool:
    """An introduction without a marked quote: all below it is someone else's."""
    bodies = stretch.bodies
    first = next((j for j in range(i + length, len(bodies)) if bodies[j]), None)
    said = any(body and not (signatures.is_device_line(body) or signatures.is_ornament(body)) for body in bodies[:i])
    if first is None or not said or not stretch.begins_mail or stretch.own_end < len(bodies):
        return False
    if bodies[first][0] in _OTHER_SIGNS or ">" in bodies[first][:20]:
        return False
    stretch.own_end, stretch.others = i, first
    return True


@lru_cache(maxsize=4096)
def _asked(bodies: tuple[str, ...]) -> tuple[str, int]:
    """What begins with the first of `bodies`: `none`, `footer` or `introduction`, and over how many lines."""
    if bodies[0].startswith("-----BEGIN"):
        return "introduction", 1
    introduction = trim_marks._introduction(bodies)
    if introduction is not None:
        return "introduction", introduction.length
    length = footers.scrubbed_length(bodies) or footers.footer_length(bodies)
    return ("footer", length) if length else ("none", 0)


def _own_words(stretch: _Stretch) -> str | None:
    """What is left above signature and footer; "" where nothing is. None where it cannot be said here."""
    end = stretch.own_end
    raws, bodies = stretch.raws[:end], stretch.bodies[:end]
    if not any(bodies):
        return ""
    at = signatures.signature_start(raws, bodies, opening=stretch.begins_mail)
    if at is not None:
        raws, bodies = raws[:at], bodies[:at]
    last = _last_filled(bodies, len(bodies))
    if signatures.device_lines(bodies) or last < 0 or signatures.is_ornament(bodies[last]):
        return None
    first = next(i for i, body in enumerate(bodies) if body)
    return "\n".join(raws[first : last + 1]).rstrip()


def _last_filled(bodies: Sequence[str], end: int) -> int:
    for i in range(end - 1, -1, -1):
        if bodies[i]:
            return i
    return -1
