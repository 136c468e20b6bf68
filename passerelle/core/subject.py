"""Subjects without what programs and list servers put in front of them. Pure."""

import re
import unicodedata
from difflib import SequenceMatcher
from functools import lru_cache

_MAX_CHARACTERS = 1000
#: Reply and forward marks (RFC 5322 §3.6.5 knows only `Re: `), by language of the program.
_MARKS = (
    "re", "ré", "rép", "rep", "réf", "ref", "tr", "fw", "fwd", "transf", "transféré",  # French, English
    "aw", "antw", "antwort", "wg", "wtr", "weitergel",  # German
    "betr", "doorst", "doorsturen",  # Dutch
    "r", "rif", "inoltro",  # Italian
    "res", "enc",  # Portuguese
    "rv", "reenv",  # Spanish
    "sv", "vs", "vb", "vl",  # Scandinavian, Finnish
    "odp", "pd", "ynt", "ilt", "vá", "továbbítás", "atb", "bls", "trs",  # Polish, Turkish, Hungarian, Baltic, …
    "отв", "ha", "на", "απ", "σχετ", "πρθ", "רי", "תגובה", "הועבר", "رد", "إعادة توجيه",
    "回复", "回覆", "答复", "转发", "轉寄", "返信", "転送", "답장", "전달",
)  # fmt: skip
_MARK = re.compile(
    rf"(?:{'|'.join(map(re.escape, sorted(_MARKS, key=len, reverse=True)))})"
    r"\s?(?:[\[(^]\s?\d{1,3}\s?[\])]?|\*\d{1,3})?\s{0,3}[:：]\s*",
    re.IGNORECASE,
)
#: What mail gateways put in front for one reader alone.
_GATEWAY_TAG = re.compile(
    r"(?:\[\s?(?:ext|external|externe|extern|spam\??|suspected spam|spam suspecté)\s?\]"
    r"|\*{3,5}\s?spam\s?\*{3,5})[\s:]*",
    re.IGNORECASE,
)
_FORWARD_TAIL = re.compile(r"\s*\((?:fwd|tr)\)\s*$", re.IGNORECASE)
_SPACES = re.compile(r"\s+")
_WORD = re.compile(r"[^\W_]+")
_SMALL_WORDS = {
    "les", "des", "une", "aux", "pour", "par", "sur", "dans", "avec", "sans", "est", "son", "ses", "nos", "vos",
    "leur", "cette", "ces", "qui", "que", "the", "and", "for", "with", "from", "our", "your", "you", "das",
    "der", "die", "und", "fur", "von",
}  # fmt: skip
#: Up to this many characters two subjects are compared letter by letter.
_CLOSE_LOOK = 200


def display_subject(subject: str, *, prefix: str | None) -> str:
    """`subject` for humans: one line, without reply marks and without the list's `prefix`, case kept.

    `prefix` is what the list server puts in front (`[bureau]`; a number that it counts up, Mailman's `%d` or
    Sympa's, is recognised). Empty where nothing else stood there.
    """
    text = unicodedata.normalize("NFC", _SPACES.sub(" ", subject[:_MAX_CHARACTERS])).strip()
    pattern = _prefix_pattern(prefix.strip()) if prefix and prefix.strip() else None
    if pattern is not None:
        text = _SPACES.sub(" ", pattern.sub(" ", text)).strip()
    position = 0
    while match := _MARK.match(text, position) or _GATEWAY_TAG.match(text, position):
        position = match.end()
    return _FORWARD_TAIL.sub("", text[position:]).strip()


def canonical_subject(subject: str, *, prefix: str | None) -> str:
    """`subject` for comparing: as `display_subject`, compatibility forms unified, case folded."""
    return _SPACES.sub(" ", unicodedata.normalize("NFKC", display_subject(subject, prefix=prefix)).casefold()).strip()


def same_conversation(a: str, b: str, *, prefix: str | None) -> bool:
    """Whether the subject `b` of a reply may continue the conversation of subject `a`: not wholly another.

    Wholly another is what shares less than half of its words, accents aside, and is no mere correction of the
    other. An empty subject never is: phones drop it.
    """
    left, right = (_unaccented(canonical_subject(subject, prefix=prefix)) for subject in (a, b))
    if not left or not right or f" {left} " in f" {right} " or f" {right} " in f" {left} ":
        return True
    words, others = _words(left), _words(right)
    if words and others:
        shared = len(words & others) / min(len(words), len(others))
        if shared >= 0.5:
            return True
    if max(len(left), len(right)) > _CLOSE_LOOK:
        return False
    return SequenceMatcher(None, left, right, autojunk=False).ratio() >= 0.8


def _unaccented(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


def _words(text: str) -> set[str]:
    return {word for word in _WORD.findall(text) if len(word) > 2 and word not in _SMALL_WORDS}


@lru_cache(maxsize=256)
def _prefix_pattern(prefix: str) -> re.Pattern[str]:
    """The prefix wherever it stands, with or without the number that some lists count up within it."""
    parts = [re.escape(part) for part in re.split(r"%0?\d?d", unicodedata.normalize("NFC", prefix))]
    pattern = r"\d{1,9}".join(parts)
    if len(parts) == 1 and pattern.endswith(r"\]"):
        pattern = pattern[:-2] + r"(?:[ :#-]{1,2}\d{1,9})?\]"
    return re.compile(pattern, re.IGNORECASE)
