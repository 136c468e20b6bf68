"""Finding the signature in what an author wrote: below "-- ", below a rule, a telephone's line, an armour.

Sign-offs (« Cordialement, Jean ») are the author's words and stay. What is cut is what a program puts below every
mail of the same person. In doubt nothing is cut.
"""

import re
from collections.abc import Sequence

from passerelle.mail import trim_languages as words
from passerelle.mail.trim_headers import is_rule

#: Lines (not blank) that a signature may have below RFC 3676's "-- ", which is written on purpose.
MOST_BELOW_DASHES = 20
#: The same below "--" or a rule, which people also draw between paragraphs.
MOST_BELOW_PLAIN_DASHES = 12
MOST_BELOW_RULE = 6
_LONGEST_BELOW_RULE = 72
#: Lines below dashes that begin the mail: more than these are the message.
_MOST_ALONE = 6

_LINK = re.compile(r"[<\[(]?(?:https?://|mailto:|www\.)\S{1,500}|\]\(\S{0,300}")
_EXCUSE = re.compile(r"excuse|typo|erreur|faute|br[eiè]v|pardon|tippfehler|désolé|desole|laconi")
_MY = re.compile(r"\b(?:my|mon|ma|mes|meinem|meiner|mijn|mi|min|mio|meu|moj|mé|mého)\b")
_NOT_DEVICE = re.compile(r"\b(?:desk|office|bureau|home|maison|heart|coeur|cœur|schreibtisch|lit|bed)\b")
_PGP_END = re.compile(r"^-----END PGP SIGNATURE-----$")
#: What may stand around the words of such a line.
_AROUND = " *_<>()-—–|.!:/"
_DEVICE_HEADS = frozenset(start[:3] for start in words.SENT_FROM)
_DEVICE_TAILS = frozenset(end[-2:] for end in words.SENT_FROM_ENDS)
_SLASH_NAME = re.compile(r"^/[A-ZÀ-ÝÅÄÖØ][\w'-]{1,20}$")
_DASH_NAME = re.compile(r"^-{1,2} ?[A-ZÀ-Ý][\w'.-]{1,20}(?: [A-ZÀ-Ý][\w'.-]{1,20}){0,2}$")
_ORNAMENT = re.compile(r"(?:[-_=*~#—–─ᐧ ]{2,200}|\+{5,200})$")
_CONTACT = re.compile(r"@|://|www\.|\+?\d[\d .()/-]{7,}|\b(?:tél|tel|mobile?|port|fax|gsm)\b ?[.:]")


def is_device_line(body: str) -> bool:
    """« Envoyé de mon iPhone », "Sent from my …", "Get Outlook for iOS": a line by which a program signs."""
    if not 6 <= len(body) <= 400 or _signs_nothing(body):
        return False
    plain = _LINK.sub(" ", body).casefold().replace("[", "").replace("]", "").strip(_AROUND)
    if len(plain) > 110:
        return False
    begins = plain.startswith(words.SENT_FROM) or plain.endswith(words.SENT_FROM_ENDS)
    if not begins:
        return False
    head, _, tail = plain.partition(",") if "," in plain else plain.partition(". ")
    if tail.strip() and not _EXCUSE.search(tail):
        return False
    tokens = head.split()
    if len(tokens) > 12 or _NOT_DEVICE.search(head):
        return False
    named = any(device in head for device in words.DEVICES)
    return named or _MY.search(head) is not None


def _signs_nothing(body: str) -> bool:
    """Whether a line without links and brackets begins and ends in no way that a program's does: most lines."""
    if not body[0].isalpha() or ":" in body or "[" in body or "]" in body or "www." in body:
        return False
    # No letter folds to less than one, or to what may stand around.
    head, tail = body[:3].casefold()[:3], body.rstrip(_AROUND)[-2:].casefold()[-2:]
    return head not in _DEVICE_HEADS and tail not in _DEVICE_TAILS


def device_lines(bodies: Sequence[str]) -> list[int]:
    """Indexes of the lines of `bodies` by which a program signs, each its own paragraph or beside another such."""
    found = {i for i, body in enumerate(bodies) if body and is_device_line(body)}
    last = max((i for i, body in enumerate(bodies) if body), default=0)
    alone: list[int] = []
    for i in sorted(found):
        above = i == 0 or not bodies[i - 1] or i - 1 in found or _is_dashes(bodies[i - 1]) or is_rule(bodies[i - 1])
        below = i + 1 >= len(bodies) or not bodies[i + 1] or i + 1 in found or is_rule(bodies[i + 1])
        sure = bodies[i].startswith(words.SENT_FROM_SURELY) and len(bodies[i].split()) <= 6
        if (above and below) or i == last or sure:
            alone.append(i)
    return alone


def _is_dashes(body: str) -> bool:
    return body in ("--", "—-", "-- --")


def signature_start(raws: Sequence[str], bodies: Sequence[str], *, opening: bool) -> int | None:
    """Index at which the signature of one stretch of own lines begins; None where there is none.

    :param raws: the lines as received (the blank of "-- " tells it from a pair of dashes).
    :param bodies: the same lines, tidied.
    :param opening: whether the mail begins with them: then dashes above everything are no signature's.
    """
    last = len(bodies)
    while last and not bodies[last - 1]:
        last -= 1
    dashes = _below_dashes(raws, bodies, last, opening=opening)
    if dashes is not None:
        return dashes
    start = _below_rule(bodies, last)
    if start is None:
        start = _below_abbreviation(bodies, last)
    if start is None and last and _is_name_sign(bodies, last):
        start = last - 1
    return start


def _below_dashes(raws: Sequence[str], bodies: Sequence[str], last: int, *, opening: bool) -> int | None:
    """The uppermost "-- " (RFC 3676 §4.3) or "--" below which no more lines stand than a signature has."""
    found: int | None = None
    count = 0
    armoured = bool(last) and _PGP_END.match(bodies[last - 1]) is not None
    for i in range(last - 1, -1, -1):
        body = bodies[i]
        if not body:
            continue
        if _is_dashes(body):
            exact = raws[i].rstrip("\r\n") == "-- "
            short = count <= MOST_BELOW_PLAIN_DASHES and not _is_prose(bodies[i + 1 : last])
            if (exact or short) and (not opening or count <= _MOST_ALONE or any(bodies[:i])):
                found = i
        elif armoured and body == "-----BEGIN PGP SIGNATURE-----":
            found, count, armoured = i, 0, False
        count += 1
        if count > MOST_BELOW_DASHES and not armoured:
            break
    return found


def _is_prose(bodies: Sequence[str]) -> bool:
    """Whether more than one line ends as a sentence does: then it is no signature, unless marked as one."""
    return sum(1 for body in bodies if body.endswith((".", "!", "?", "…", ":"))) > 1


def _below_rule(bodies: Sequence[str], last: int) -> int | None:
    """A row of five underscores or more, and a few short lines below it to the end."""
    count = 0
    for i in range(last - 1, 0, -1):
        body = bodies[i]
        if not body:
            continue
        if is_rule(body):
            drawn = body.startswith("_____") and set(body) <= {"_"}
            drawn = drawn and any(bodies[:i]) and not _is_prose(bodies[i + 1 : last])
            return _first_of_rules(bodies, i) if drawn else None
        count += 1
        if count > MOST_BELOW_RULE or len(body) > _LONGEST_BELOW_RULE:
            return None
    return None


def _first_of_rules(bodies: Sequence[str], i: int) -> int:
    """A signature between two rows of underscores begins at the upper one."""
    count = 0
    for j in range(i - 1, 0, -1):
        if bodies[j].startswith("_____") and is_rule(bodies[j]):
            return j if any(bodies[:j]) else i
        if bodies[j]:
            count += 1
        if count > MOST_BELOW_RULE or len(bodies[j]) > _LONGEST_BELOW_RULE:
            return i
    return i


def _below_abbreviation(bodies: Sequence[str], last: int) -> int | None:
    """« Cdlt » / "MfG" alone on a line near the end, with at most four short lines below."""
    count = 0
    for i in range(last - 1, 0, -1):
        body = bodies[i]
        if not body:
            continue
        if body.casefold().strip(" ,.!") in words.ABBREVIATED_CLOSINGS:
            return i if any(bodies[:i]) else None
        count += 1
        if count > 4 or len(body) > 40:
            return None
    return None


def _is_name_sign(bodies: Sequence[str], last: int) -> bool:
    """ "/John" or "-Jean Dupont" alone below a blank line at the very end, in a text without a list of dashes."""
    body = bodies[last - 1]
    above = next((b for b in reversed(bodies[: last - 1]) if b), "")
    if last < 3 or bodies[last - 2] or above.endswith(":"):
        return False
    if _SLASH_NAME.match(body):
        return True
    return _DASH_NAME.match(body) is not None and not any(b.startswith(("-", "•", "*")) for b in bodies[: last - 1])


def is_ornament(body: str) -> bool:
    """A line of rules and ornaments only ("***", "====", "ᐧ"): nothing is lost with it where it closes the text."""
    return body == "ᐧ" or (2 <= len(body) <= 200 and _ORNAMENT.match(body) is not None)


def looks_like_a_sign_off(bodies: Sequence[str]) -> bool:
    """Whether a short stretch of lines is a name, a function, a telephone number: not an answer to anything.

    Used only to decide whether a quote above was answered; such lines stay visible.
    """
    own = [body for body in bodies if body]
    if not own or len(own) > 6:
        return False
    return all(_is_sign_off_line(body) for body in own)


def _is_sign_off_line(body: str) -> bool:
    if _CONTACT.search(body.casefold()) and len(body) <= 80:
        return True
    tokens = body.split()
    if len(tokens) > 6 or body.endswith(("?", "!")):
        return False
    capitals = [t for t in tokens if t[:1].isupper() or len(t) <= 3]
    return len(capitals) == len(tokens) >= 2 and tokens[0][:1].isupper() and tokens[-1][:1].isupper()
