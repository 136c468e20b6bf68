"""Names of people as others are shown them: one line, no tricks, never an address (PEOPLE.md 4 and 18). Pure.

Other scripts stay intact. A name is flagged only when it looks like another participant's without being the same.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache

from passerelle.core.wording import Words

#: Authors named in a From field before « et 3 autres ».
_NAMED_AUTHORS = 2

#: Zero-width joiners carry meaning inside Indic, Arabic and Persian words and in emoji: they are kept between these.
_JOINERS = "\u200c\u200d"
#: Letters that show nothing (fillers, Braille blank): category Lo or So, so that categories alone let them through.
_BLANK = frozenset("\u115f\u1160\u3164\uffa0\u2800\u034f\u17b4\u17b5")
_ADDRESS = re.compile(r"[^\s<>()\[\]\"',;:@]{1,64}[@＠﹫][^\s<>()\[\]\"',;@]{1,255}")
_AT = re.compile("[@＠﹫]")
_LOCAL_BACKWARDS = re.compile(r"[^\s<>()\[\]\"',;:@＠﹫]{1,64}")
_DOMAIN = re.compile(r"[^\s<>()\[\]\"',;@]{1,255}")
_SPACED_ADDRESS = re.compile(r"\S [@＠﹫] ?[^\s.]{1,100}[.][^\s.]")
_USER_ID = re.compile(r"@(?P<localpart>[^\s@:]+):\S+")
#: A name as most are: no character in it hides, reorders or combines.
_PLAIN_NAME = re.compile("[A-Za-zÀ-ÖØ-öø-ÿ0-9 '’.-]*")
_SPACES = re.compile("[ \t\n\x85\u2028\u2029]+")
_HTML_MARKS = str.maketrans({"<": "‹", ">": "›", "&": "＆", '"': "”", "`": "’"})
#: Marks that careless keyboards leave out; « Lea » for « Léa » is no imitation.
_COMMON_ACCENTS = frozenset("\u0300\u0301\u0302\u0303\u0308\u0327")


def without_controls(text: str, *, keep: str = "\n\t") -> str:
    """`text` without NUL, other control characters, lone surrogates, and bidi overrides; CR LF and CR become LF.

    Homeservers accept NUL and control characters in a body; clients and PostgreSQL do not (MEASURED).
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text.isascii() and text.isprintable():
        return text
    return _tricks_but(keep).sub("", text)


def one_line(text: str) -> str:
    """`text` on one line, runs of spaces and line ends as one space. French non-breaking spaces stay."""
    return _SPACES.sub(" ", without_controls(text)).strip(" ")


@cache
def _tricks_but(kept: str) -> re.Pattern[str]:
    """Categories Cc and Cs, which Unicode adds nothing to (its stability policy); and overrides, embeddings and
    isolates (UAX #9), which reorder what stands around them. A whole mail goes through it: no character one by one."""
    but = f"(?![{re.escape(kept)}])" if kept else ""
    return re.compile(but + "[\x00-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")


def safe_name(raw: str, *, max_length: int = 80) -> str:
    """`raw` fit to be shown as somebody's name, or '' where nothing is left or it is, or holds, a mail address.

    One line; no control, bidi or zero-width character; no HTML or Markdown mark; at most `max_length` characters.
    """
    text = unicodedata.normalize("NFC", without_controls(raw[:2000], keep="\n\t"))
    name = " ".join(text.split()) if _PLAIN_NAME.fullmatch(text) else _few_marks(" ".join(_bared(text).split()))
    user_id = _USER_ID.fullmatch(name)
    if user_id:
        name = user_id["localpart"]
    if _ADDRESS.search(name) or _SPACED_ADDRESS.search(name):
        return ""
    name = name.translate(_HTML_MARKS).strip(" '*_~-,;:.|\\/")
    return name if len(name) <= max_length else name[: max_length - 1].rstrip() + "…"


def _bared(text: str) -> str:
    """A name without what shows nothing: gone amid a word, else a blank."""
    kept: list[str] = []
    for position, character in enumerate(text):
        if character in _JOINERS:
            around = text[max(position - 1, 0) : position + 2].replace(character, "")
            if not around.isascii() and all(unicodedata.category(c)[0] in "LMS" for c in around):
                kept.append(character)
        elif unicodedata.category(character) == "Cf":
            continue  # invisible, amid a word more often than not
        elif character in _BLANK or unicodedata.category(character) in ("Cc", "Cn", "Co", "Cs", "Zl", "Zp", "Zs"):
            kept.append(" ")
        else:
            kept.append(character)
    return "".join(kept)


def _few_marks(text: str) -> str:
    """At most three combining marks on one letter: enough for Vietnamese and pointed Hebrew, too few for « Zalgo »."""
    kept: list[str] = []
    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        if marks <= 3:
            kept.append(character)
    return "".join(kept)


@cache
def _prototypes() -> dict[int, str]:
    """Confusable character to its prototype (UTS #39 §4), from Unicode's own table."""
    # 12 MB, so only where names are compared.
    from confusable_homoglyphs.confusables import confusables_data

    table: dict[int, str] = {}
    for character, similar in confusables_data.items():
        if len(character) != 1 or len(similar) != 1:
            continue
        other = similar[0]["c"].replace("\u200e", "")
        is_prototype = len(confusables_data.get(other, ())) > 1 or len(other) > 1 or other < character
        if is_prototype and not character.isspace():
            table[ord(character)] = other
    return table


def _fold(name: str) -> str:
    table = _prototypes()
    decomposed = "".join(c for c in unicodedata.normalize("NFKD", name) if unicodedata.category(c) not in ("Mn", "Cf"))
    folded = decomposed.translate(table).casefold().translate(table)
    # UTS #39 sends m to rn; w stands beside vv in the same way.
    return "".join(c for c in folded.replace("vv", "w") if c.isalnum())


def skeleton(name: str) -> str:
    """What `name` looks like: equal for names that an eye confuses (after UTS #39 §4). A key, never to be shown."""
    return _fold(unicodedata.normalize("NFKC", name).casefold())


@lru_cache(maxsize=4096)
def _skeletons(name: str) -> frozenset[str]:
    # Capital I looks like l, small i does not: the name is judged as it stands, in small and in capital letters.
    plain = unicodedata.normalize("NFKC", name)
    return frozenset((_fold(plain), _fold(plain.casefold()), _fold(plain.upper()))) - {""}


def _same(name: str) -> str:
    """Equal for two spellings of one name: case, spaces, hyphens and usual accents apart."""
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    return "".join(c for c in decomposed if c.isalnum() or (unicodedata.combining(c) and c not in _COMMON_ACCENTS))


def imitates(name: str, others: Iterable[str]) -> str | None:
    """The first of `others` that `name` looks like without being the same name, or None."""
    mine, same = _skeletons(name), _same(name)
    for other in others:
        if other and _same(other) != same and not mine.isdisjoint(_skeletons(other)):
            return other
    return None


def mask_addresses(text: str, mask: str) -> str:
    """`text` with every mail address in it replaced by `mask` (PEOPLE.md 4).

    Looked for around each sign, not from each character on: that takes time for each of the first and not for each of
    the latter, and texts are long.
    """
    parts: list[str] = []
    end = 0
    for sign in _AT.finditer(text):
        at = sign.start()
        domain = _DOMAIN.match(text, at + 1) if at >= end else None
        local = _LOCAL_BACKWARDS.match(text[max(end, at - 64) : at][::-1]) if domain else None
        if domain is not None and local is not None:
            parts += [text[end : at - local.end()], mask]
            end = domain.end()
    return "".join([*parts, text[end:]]) if parts else text


def mask_contacts(text: str, mask: str) -> str:
    """`text` with every mail address and every Matrix user ID in it replaced by `mask`: what strangers are shown."""
    masked = mask_addresses(text, mask)
    return _USER_ID.sub(mask, masked) if "@" in masked else masked


def list_author_name(name: str, words: Words) -> str:
    """How an author of the list is called in the room: « Un membre de la liste » without a usable name."""
    return safe_name(name) or words("list_member")


def room_author_name(names: Sequence[str], words: Words) -> str:
    """How authors of the room are called in a From field: « Léa (salon) », « Léa, Karim et 3 autres (salon) »."""
    unique = tuple(dict.fromkeys(safe_name(n, max_length=40) or words("room_member") for n in names))
    if not unique:
        return words("room_author", name=words("room_member"))
    if len(unique) > _NAMED_AUTHORS + 1:
        rest = len(unique) - _NAMED_AUTHORS
        named = words.count("names_and_others", rest, names=", ".join(unique[:_NAMED_AUTHORS]))
        return words("room_author", name=named)
    return words("room_author", name=", ".join(unique))
