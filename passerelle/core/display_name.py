"""Names of persons, made fit to be shown: one line, no address, nothing that deceives the eye. Pure.

Other scripts stay intact: a joiner stays where its script or an emoji needs it, a combining mark where it stands
on a letter. What goes is what no reader sees or what turns the line around (Unicode TR36 §2, TR39).
"""

import re
import unicodedata

MAX_NAME_CHARACTERS = 64
_LINE_BREAKING = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u2800]+")
#: Bidirectional controls, zero-width and invisible characters, fillers that look like nothing, tags, surrogates.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufeff\uffa0\ufff0-\uffff\ud800-\udfff\U000e0000-\U000e0fff]"
)
_JOINERS = {"\u200c", "\u200d"}
_MAX_MARKS = 4
_SPACES = re.compile(r"\s+")
_ADDRESS = re.compile(r"[<(\[]?(?:mailto:)?[^\s<>()\[\],;:\"'«»]+@[^\s<>()\[\],;:\"'«»]+[>)\]]?")
#: `jean(at)example.org`, `jean at example dot org`, as archives write addresses.
_MASKED_ADDRESS = re.compile(
    r"[\w.+-]{1,64}\s?[\[({]\s?(?:at|arobase|chez)\s?[\])}]\s?[\w.-]{1,80}"
    r"|[\w.+-]{1,64} (?:at|arobase) [\w-]{1,60}(?:\.| (?:dot|point) )[\w.-]{2,60}",
    re.IGNORECASE,
)
_QUOTES = ("''", '""', "“”", "‘’", "``", "´´")
_LIKE_A_LOCAL_PART = re.compile(r"[\d._+]")


def clean_display_name(name: str, *, address: str = "") -> str:
    """`name` as it may be shown; empty where nothing presentable is left.

    A name that is an address or holds one loses it: no address may reach a room. So does a name that is no more
    than the local part of `address` and looks like one (`j.dupont75`).
    """
    text = unicodedata.normalize("NFC", _LINE_BREAKING.sub(" ", name[:1000]))
    text = _without_deception(text)
    text = _MASKED_ADDRESS.sub(" ", _ADDRESS.sub(" ", text))
    text = _unquoted(_SPACES.sub(" ", text).strip(" ,;:<>|/\\@"))
    local_part = address.rpartition("@")[0].casefold()
    if local_part and text.casefold() == local_part and _LIKE_A_LOCAL_PART.search(text):
        return ""
    if not any(unicodedata.category(c)[0] in "LNS" for c in text):
        return ""
    if len(text) > MAX_NAME_CHARACTERS:
        text = text[: MAX_NAME_CHARACTERS - 1].rstrip() + "…"
    return text


def _without_deception(text: str) -> str:
    kept: list[str] = []
    marks = 0
    for character in _INVISIBLE.sub("", text):
        if character in _JOINERS and not (kept and _joins(kept[-1])):
            continue
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks <= _MAX_MARKS:
            kept.append(character)
    return "".join(kept).rstrip("\u200c\u200d")


def _joins(before: str) -> bool:
    """Whether a joiner behind `before` means something: in Arabic, Indic and related scripts, and in emoji."""
    code = ord(before)
    return 0x0600 <= code <= 0x1CFF or code == 0xFE0F or code >= 0x1F000 or unicodedata.category(before) == "So"


def _unquoted(text: str) -> str:
    """Google Groups writes `'Jean Dupont' via …`; some programs quote twice."""
    while len(text) > 1 and any(text[0] == pair[0] and text[-1] == pair[1] for pair in _QUOTES):
        text = text[1:-1].strip()
    return text
