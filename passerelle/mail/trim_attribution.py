"""Recognising the line by which a mail program says whose words follow (« Le … a écrit : », "On … wrote:").

Two questions with two measures of proof. An attribution that stands above lines marked with ">" is believed easily:
the marks prove that a quote follows. One above unmarked text decides that everything below is someone else's, so it
needs a date or an address, a verb, and nothing that reads like a sentence: a paragraph that begins with « Le » and
says « a écrit » further on is the author's (willdurand/EmailReplyParser#77).
"""

import re
from collections.abc import Sequence

from passerelle.mail import trim_languages as words

#: An attribution that clients wrapped is at most this long and spans at most this many lines.
LONGEST = 420
MOST_LINES = 5


def _alternatives(entries: Sequence[str]) -> str:
    return "|".join(re.escape(entry) for entry in sorted(set(entries), key=len, reverse=True))


_WROTE = f"(?:{_alternatives(words.WROTE)})"
_UNSPACED = f"(?:{_alternatives(words.WROTE_UNSPACED)})"
_ENDS_IN_VERB = re.compile(rf"(?:^|[\W_])(?:{_WROTE}|{_UNSPACED})[ ]?[:：]?[ *_.\-]{{0,8}}$|{_UNSPACED}[ ]?[:：]?$")
#: A verb and what may stand around it.
_LONGEST_END = max(map(len, (*words.WROTE, *words.WROTE_UNSPACED))) + 12
_VERB = re.compile(rf"(?:^|[\W_]){_WROTE}(?=[\W_]|$)|{_UNSPACED}")
_MONTH = _alternatives(words.MONTHS)
_TIME = re.compile(r"(?<!\d)\d{1,2} ?[:hH.] ?\d{2}(?!\d)")
_DATE = re.compile(
    r"(?<!\d)\d{1,4}[-/.]\d{1,2}[-/.]\d{2,4}(?!\d)"
    r"|\d{4} ?[年년]|\d{1,2}[年月日]"
    rf"|(?<!\d)\d{{1,2}}(?:\.|er|st|nd|rd|th)?[ -]+(?:de |of |d')?(?:{_MONTH})\w*"
    rf"|(?:^|[\W_])(?:{_MONTH})\w*\.?[ ]\d{{1,2}}(?!\d)"
)
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_ADDRESS = re.compile(r"[^\s<>()\[\]\"',;:@]{1,80}@[^\s<>()\[\]\"',;:@]{1,120}")
_VEILED = re.compile(
    r"[\w.+-]{1,64}(?: at | AT |_at_| \(at\) | \[at\] |\(at\)|\[at\])(?:[\w-]{1,40}\.[\w.-]{2,60}|\[hidden\])"
)
_VEILS = (" at ", " AT ", "_at_", "(at)", "[at]")
_GMAIL_OLD = re.compile(r"\d{4}[-/]\d{1,2}[-/]\d{1,2} (?:\d{1,2}:\d{2} gmt[+-]\d\d:\d\d )?\S")
_ZOHO = re.compile(r"-{2,}[ ]*(?:on|le|am|el) .{6,300}")
_DATE_LEAD = re.compile(rf"(?:\d|在|\W?(?:{_alternatives(words.WEEKDAYS)})\w*[,. ])")
_LEAD = re.compile(rf"[\"'*_\-—> ]{{0,6}}(?:{_alternatives(words.LEADS)})[ :,]")
_SENTENCE_END = re.compile(r"[a-zà-ÿ]{4,}[.!?…] +[A-ZÀ-Ý«\"]|[?!…] ")
_OWN_VOICE = re.compile(r"(?:^|[\W_])(?:je|j'|j’|comme|i|we|as|ich|wir|wie|yo|io)(?=[\W_])")
_NAME_WORD = re.compile(r"[^\w]*[A-ZÀ-ÝŁŚŻÅÄÖØА-ЯЁІЇЄ\d\"'(<\[@/|.]")
_PARTICLES = frozenset(
    (
        "de", "du", "des", "la", "le", "les", "d", "van", "von", "der", "den", "via", "at", "à", "a", "um",
        "uhr", "et", "and", "und", "y", "e", "da", "di", "del", "dos", "of", "pour", "chez", "klo", "kl",
        "sur", "mailto", "the", "am", "pm", "utc", "gmt", "cet", "cest", "użytkownik", "пользователь",
        "user", "utente", "usuario", "from", "von",
    )
)  # fmt: skip
_ARTICLE = re.compile(
    r"(?:^|[\W_])(?:le|la|les|un|une|the|a|der|die|das|el|il|elle|ils|elles|on|qui|he|she|it|they|er|sie|es)(?= |$)"
)
_NUMBERED = re.compile(r"\s*(?:[-*•]|\d{1,2}[.)])\s")
_INSIDE_BRACKETS = re.compile(r"[<\[(][^<>\[\]()]{0,200}[>\])]?")


def _find_address(text: str) -> re.Match[str] | None:
    """An address, also as list archives veil it ("jean at exemple.fr", "jean_at_exemple.fr")."""
    found = _ADDRESS.search(text) if "@" in text else None
    return found or (_VEILED.search(text) if any(veil in text for veil in _VEILS) else None)


def has_address(text: str) -> bool:
    """Whether an e-mail address stands in `text`, plain or veiled as in a list's archive."""
    return _find_address(text) is not None


def ends_in_verb(folded: str) -> bool:
    """Whether a line, case folded, ends as attributions do (« … a écrit : », "… wrote")."""
    # No verb is longer, so nothing above it need be looked through.
    return _ENDS_IN_VERB.search(folded, max(0, len(folded) - _LONGEST_END)) is not None


def _dated(folded: str) -> bool:
    return _DATE.search(folded) is not None


def _dated_fully(folded: str) -> bool:
    """A day and besides it a year or a time of day: what programs write and people seldom do."""
    return _dated(folded) and (_TIME.search(folded) is not None or _YEAR.search(folded) is not None)


def _reads_like_a_sentence(text: str) -> bool:
    bare = _INSIDE_BRACKETS.sub("", text) if len(text) <= LONGEST else text
    return _SENTENCE_END.search(bare) is not None


def _names_only_before_verb(text: str, folded: str) -> bool:
    """Between the date and the verb stand names (capitals, particles, brackets), not the words of a sentence."""
    found = [*_TIME.finditer(folded), *_DATE.finditer(folded), *_YEAR.finditer(folded)]
    dates = [match.end() for match in found]
    verb = max(_VERB.finditer(folded), key=re.Match.start, default=None)
    if verb is None or not dates or len(folded) != len(text):
        return False
    if _tells_something(text[: min(match.start() for match in found)]):
        return False
    before = [end for end in dates if end <= verb.start() + 1]
    between = text[max(before) : verb.start()] if before else text[: verb.start()]
    named = [
        word
        for word in re.split(r"[\s,;]+", _INSIDE_BRACKETS.sub(" ", between))
        if word and word.casefold().strip(".'’:") not in _PARTICLES
    ]
    lower = [word for word in named if not _NAME_WORD.match(word)]
    # A single word in small letters is a user's name ("richard_clark wrote:"), unless an article stands before it.
    return len(between) <= 120 and (not lower or (len(named) == 1 and not _ARTICLE.search(between.casefold())))


def _tells_something(head: str) -> bool:
    """Whether what stands before the date is more than a lead, a weekday and a name."""
    tokens = [word.casefold().strip(".,:'’\"") for word in head.split()]
    known = (_PARTICLES, words.LEADS, ("dans", "un", "message", "daté", "article", "ce", "jour", "dated"))
    others = [
        given
        for given, word in zip(head.split(), tokens, strict=True)
        if word and not any(word in group for group in known) and not word.startswith(words.WEEKDAYS)
    ]
    lower = [word for word in others if not _NAME_WORD.match(word)]
    return bool(lower) or len(others) > 6


def begins_like_one(text: str) -> bool:
    """Whether `text` begins as attributions do: « Le », "On", a date, a weekday, or a name with its address."""
    folded = text.casefold()
    if _LEAD.match(folded) or _DATE_LEAD.match(folded) or _ZOHO.match(folded):
        return True
    at = _find_address(text[:160])
    return at is not None and len(text[: at.start()].split()) <= 7


def is_attribution(text: str) -> bool:
    """Whether `text` (one line, or wrapped ones joined by a space) introduces someone else's words beyond doubt.

    :param text: tidied, without quote marks.
    :returns: True only where a date or address and the form of a client's line leave no doubt; safe to use where no
        ">" follows.
    """
    if not 8 <= len(text) <= LONGEST or _NUMBERED.match(text):
        return False
    folded = text.casefold()
    if not begins_like_one(text) or _reads_like_a_sentence(text):
        return False
    addressed = has_address(text)
    if ends_in_verb(folded):
        if addressed:
            return _dated(folded) or ("<" in text and len(text.split()) <= 9)
        return _dated_fully(folded) and _names_only_before_verb(text, folded)
    return _is_verbless_or_verb_inside(text, folded, addressed=addressed)


def _is_verbless_or_verb_inside(text: str, folded: str, *, addressed: bool) -> bool:
    closed = text.endswith((":", "："))
    if _ZOHO.match(folded) and _VERB.search(folded) and _dated(folded):
        return True
    if closed and _VERB.search(folded):
        return _dated_fully(folded) and (addressed or _is_short_german_form(text, folded))
    if closed and addressed:
        return _is_stamp_and_sender(text, folded) or folded.startswith(words.VERBLESS_LEADS)
    if _GMAIL_OLD.match(folded) and len(text.split()) <= 12:
        return addressed or "gmt" in folded
    return False


def _is_stamp_and_sender(text: str, folded: str) -> bool:
    """« 30.09.2017, 18.30, "Jean" <jean@exemple.fr>: »: date and time first, then a name, then the address."""
    times = [match.end() for match in _TIME.finditer(folded)]
    bracket = max(text.rfind("<"), text.rfind("("))
    if not times or not _dated(folded) or _DATE_LEAD.match(folded) is None or len(folded) != len(text):
        return False
    if bracket < 0 or not has_address(text[bracket:]) or text.rstrip(" :：")[-1:] not in (">", ")"):
        return False
    names = text[min(max(times), bracket) : bracket].replace(",", " ").split()
    lower = [name for name in names if not _NAME_WORD.match(name) and name.casefold() not in _PARTICLES]
    return len(names) <= 9 and not [name for name in lower if name[:1].isalpha() and "@" not in name]


def _is_short_german_form(text: str, folded: str) -> bool:
    """« Am 12.06.2016 um 10:00 schrieb Wilhelm G. N: », « Jean a écrit, le 3 mars à 14:05 : »"""
    verb = _VERB.search(folded)
    if verb is None or len(folded) != len(text):
        return False
    rest = [word for word in re.split(r"[\s,;]+", text[verb.end() :].rstrip(" :")) if word]
    lower = [w for w in rest if not _NAME_WORD.match(w) and w.casefold().strip(".") not in _PARTICLES]
    lower = [w for w in lower if not _dated("1 " + w.casefold())]
    head = text[: verb.start()].split()
    return len(rest) <= 9 and len(lower) <= 1 and len(head) <= 9


def introduces_marked_quote(text: str) -> bool:
    """Whether `text`, which stands right above lines marked with ">", is an attribution rather than own words.

    Weaker proof suffices than for `is_attribution`: a verb of saying or a date at the end of a short line.
    """
    if is_attribution(text):
        return True
    if not 3 <= len(text) <= LONGEST:
        return False
    folded = text.casefold()
    if _NUMBERED.match(text):
        # Mutt's "* Jean <jean@exemple.fr> [2025-03-03 14:05]:" begins like an item of a list.
        return has_address(text) and _dated_fully(folded) and text.endswith(":")
    count = len(text.split())
    if _reads_like_a_sentence(text) or count > 30:
        return False
    if ends_in_verb(folded):
        if _dated(folded) or has_address(text):
            return True
        return count <= 12 and not _OWN_VOICE.search(folded)
    if not text.endswith((":", "：", "]", ">", ",")):
        return False
    if _VERB.search(folded) and (_dated(folded) or has_address(text)):
        return count <= 20
    if folded.startswith(words.VERBLESS_LEADS):
        return count <= 10
    return text.endswith((":", "：", "]")) and _is_dated_name(text, folded)


def _is_dated_name(text: str, folded: str) -> bool:
    """« Le 3 mars à 14:05, Jean Dupont : », "* Jean <j@x> [2003-03-03 14:05]:", « Jean, le 03/03/2025 : »"""
    if len(text.split()) > 16:
        return False
    if has_address(text):
        return _dated(folded) or text.endswith(":")
    return _dated_fully(folded) and not _OWN_VOICE.search(folded) and bool(begins_like_one(text))


def may_begin_one(text: str) -> bool:
    """A cheap test that spares most lines the rest."""
    if len(text) < 3 or len(text) > LONGEST:
        return False
    head = text[:60].casefold()
    return bool(_LEAD.match(head) or _DATE_LEAD.match(head) or _ZOHO.match(text.casefold()) or "@" in text) or (
        text[0] in "\"'*_<" or text[:1].isupper()
    )


def length_of_attribution(bodies: Sequence[str], *, marked: bool) -> int:
    """How many of `bodies`, from the first, form an attribution; 0 where they do not.

    :param bodies: some consecutive lines, tidied; a blank one ends the attribution, except before a "<" that a
        client wrapped.
    :param marked: whether the lines after them are known to be marked as quotes (then weaker proof suffices).
    """
    if not bodies or not may_begin_one(bodies[0]):
        return 0
    joined = ""
    for count, body in enumerate(bodies[: MOST_LINES + 2], start=1):
        if not body:
            follows_bracket = count < len(bodies) and bodies[count].startswith("<")
            if not follows_bracket:
                return 0
            continue
        joined = f"{joined} {body}" if joined else body
        if len(joined) > LONGEST:
            return 0
        if is_attribution(joined) or (marked and count == len(bodies) and introduces_marked_quote(joined)):
            return _with_closing_verb(bodies, count, joined)
    return 0


def _with_closing_verb(bodies: Sequence[str], count: int, joined: str) -> int:
    """Take in a last line that is only the wrapped end of the attribution (« a écrit : », "> wrote:")."""
    if joined.endswith((":", "：")) or count >= len(bodies):
        return count
    tail = bodies[count]
    if tail and len(tail) <= 40 and is_attribution(f"{joined} {tail}") and _is_tail(tail):
        return count + 1
    return count


def _is_tail(tail: str) -> bool:
    folded = tail.casefold()
    return ends_in_verb(folded) or tail in {":", ">:", "> :"}
