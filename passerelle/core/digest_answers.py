"""A digest is answered: which words of a mail answer which item. Pure.

Each item carries a token of five letters and digits, in the subject of its own address and at its end in the text. What
somebody writes below a quoted item answers that one; what they write above a quote of one item alone, that one; and
words that can be about one item only, that one. Where nothing says what is meant, nothing is guessed: `Piece.key` is
"".
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import quote

from passerelle.core.answers import parse_answer
from passerelle.core.folding import words_of
from passerelle.core.ids import MailAddress, MessageId
from passerelle.core.polite_words import is_polite

#: No word of any language looks like that: a letter, a digit, two letters, a digit.
TOKEN = re.compile(r"\[\s?([a-z][2-7][a-z]{2}[2-7])\s?\]", re.IGNORECASE)
#: The beginning of the unique key of a mail to a list with an answer that its author wants everyone to read; the id of
#: the ask follows.
SENT_KEY = "sent_answer:"
#: The same of the mails that ask what is meant, and whether everyone may read it. Erasing looks into `ask:`.
ITEM_KEY, SEND_KEY = "ask:item:", "ask:send:"
_LONGEST_SUBJECT = 60
#: One is written by us. Who writes thousands tries whether one of them is somebody's.
_MOST_TOKENS = 4
#: Fewer words in a line are nobody's sign: they stand in many places.
_TELLING = 3
_MOST_LINES = 4_000
_LINK = re.compile(r"<?\b(?:https?|mailto):[^\s<>]{1,2000}>?")
_MARKS = re.compile(r"[\s>|]*")
#: Of a message, whose items are numbered.
_BULLET, _COUNTED = re.compile(r"[0-9]{1,2}\.\s"), re.compile(r"^[0-9]{1,2} ")
#: « Mes réponses ci-dessous »: it answers nothing, and says where the answers stand.
_POINTING = re.compile(r"ci[- ]dessous|ci[- ]apres|plus bas|en dessous|dans le texte|below|inline", re.IGNORECASE)
_LONGEST_POINTING = 100
_NUMBER = re.compile(
    r"(?:n[o°º]?\s?|le\s|point\s|au\s|numero\s|num[eé]ro\s|number\s)?([0-9]{1,2})\s?[.):]?", re.IGNORECASE
)
_NONE_OF_THESE = frozenset({"aucun", "aucune", "rien", "none", "nothing"})


@dataclass(frozen=True, kw_only=True, slots=True)
class AnswerWay:
    """How an item is answered."""

    #: `mailto:`.
    url: str
    token: str
    #: An answer to that address goes to everyone on the list; else to the bridge alone.
    to_list: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Quotable:
    """An item as it may be quoted."""

    key: str
    token: str
    title: str
    #: What else is said of it.
    others: tuple[str, ...] = ()
    #: A meeting to come, to which one says whether one comes.
    is_meeting: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """A digest as it may be quoted: its items in their order, and all that it says."""

    items: tuple[Quotable, ...]
    text: str = field(default="", repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Stretch:
    """Lines of a mail: its author's own, or not."""

    is_own: bool
    text: str = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """Somebody's own words, and the key of the item that they answer; "" where that is not clear."""

    key: str
    text: str = field(repr=False)


def short_token(hashed: str) -> str:
    """A token of a keyed hash in base 32."""
    letters = [c for c in hashed if c.isalpha()] + ["a", "b", "c"]
    digits = [c for c in hashed if c.isdigit()] + ["2", "3"]
    return f"{letters[0]}{digits[0]}{letters[1]}{letters[2]}{digits[1]}"


def tokens_in(text: str) -> tuple[str, ...]:
    """What may be tokens in a subject or a line, the first few, in their order."""
    return tuple(found.lower() for found in TOKEN.findall(text[:10_000])[:_MOST_TOKENS])


def without_tokens(text: str) -> str:
    """A subject without them."""
    return " ".join(TOKEN.sub(" ", text).split())


def build_mailto(address: MailAddress, subject: str, token: str, *, in_reply_to: MessageId | None = None) -> str:
    """The address by which an item is answered (RFC 6068); In-Reply-To is heeded by some mail programs only."""
    title = " ".join(subject.split())
    title = title if len(title) <= _LONGEST_SUBJECT else f"{title[: _LONGEST_SUBJECT - 1].rstrip()}…"
    fields = [("subject", f"Re: {title} [{token}]")]
    if in_reply_to is not None:
        fields.append(("In-Reply-To", f"<{in_reply_to}>"))
    return f"mailto:{quote(address, safe='@')}?" + "&".join(f"{name}={quote(value, safe='')}" for name, value in fields)


# ------------------------------------------------------------ what answers what


def take_apart(stretches: Sequence[Stretch], told: Told, *, subject: str = "", author: str = "") -> tuple[Piece, ...]:
    """The own words of an answer to a digest, each with the item that it answers, in the order of the mail.

    Args:
        stretches: the whole text of the mail.
        subject: the token in it says what is meant where nothing else does.
        author: their name, with which they may sign.
    """
    by_token = {item.token: item.key for item in told.items}
    default = next((by_token[token] for token in tokens_in(subject) if token in by_token), "")
    quotes = _Quotes(told)
    lines = list(quotes.read(stretches))
    named = {key for is_own, key, _ in lines if not is_own and key not in (None, "")}
    #: Above all quotes: of one item alone, that one.
    current = default or (named.pop() if len(named) == 1 else "") or ""
    parts: list[tuple[str, list[str]]] = []
    for is_own, key, text in lines:
        if key is not None:
            current = key or default
        if is_own:
            if not parts or parts[-1][0] != current:
                parts.append((current, []))
            parts[-1][1].append(text)
        elif parts and text.strip():
            # What follows is another answer, though to the same item.
            parts[-1][1].append("")
    return _by_what_there_is(_joined(parts, frozenset(words_of(author))), told.items)


def _by_what_there_is(pieces: tuple[Piece, ...], items: Sequence[Quotable]) -> tuple[Piece, ...]:
    """Words that name nothing, where there is one thing only that they can be about."""
    if len(items) == 1:
        return tuple(replace(piece, key=items[0].key) for piece in pieces)
    meetings = [item.key for item in items if item.is_meeting]
    if len(pieces) == 1 and not pieces[0].key and len(meetings) == 1 and _says_who_comes(pieces[0].text):
        return (replace(pieces[0], key=meetings[0]),)
    return pieces


def _says_who_comes(text: str) -> bool:
    """« Je viens », « nous ne pouvons pas »; a bare « oui » may answer anything (PEOPLE 12)."""
    answer = parse_answer(text)
    return answer is not None and answer.kind == "rsvp" and answer.is_bare


def _joined(parts: Sequence[tuple[str, list[str]]], name: frozenset[str]) -> tuple[Piece, ...]:
    texts: dict[str, list[str]] = {}
    for key, lines in parts:
        text = "\n".join(lines).strip()
        if text:
            texts.setdefault(key, []).append(text)
    pieces = [Piece(key=key, text="\n\n".join(found)) for key, found in texts.items()]
    is_one = len(pieces) == 1
    # « Bravo ! » below an item is said to somebody.
    return tuple(p for p in pieces if (is_one and p.key) or not _says_nothing(p.text, name, beside=not is_one))


def _says_nothing(text: str, name: frozenset[str], *, beside: bool) -> bool:
    """Whether words are polite ones only, or say, `beside` answers, where these stand."""
    if beside and len(text) <= _LONGEST_POINTING and _POINTING.search(text):
        return True
    return all(is_polite(line) or name.issuperset(words_of(line)) for line in text.splitlines() if line.strip())


@dataclass(slots=True)
class _Quotes:
    """Which lines of a mail are the digest's, and of which item."""

    told: Told
    titles: list[tuple[str, str]] = field(default_factory=list)
    texts: list[tuple[str, str]] = field(default_factory=list)
    tokens: dict[str, str] = field(default_factory=dict)
    all: str = ""
    lines: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self.tokens = {item.token: item.key for item in self.told.items}
        self.titles = [(_plain(item.title), item.key) for item in self.told.items if _plain(item.title)]
        self.texts = [
            (f" {_plain(text)} ", item.key) for item in self.told.items for text in (item.title, *item.others)
        ]
        self.all = f" {_plain(self.told.text)} "
        self.lines = frozenset(_plain(line) for line in self.told.text.splitlines())

    def read(self, stretches: Sequence[Stretch]) -> Iterator[tuple[bool, str | None, str]]:
        """Of each line: whether it is its author's own, the item that it names ("": it cannot be told which; None: it
        names none), and what it says."""
        count, before = 0, ""
        for stretch in stretches:
            for line in stretch.text.splitlines():
                count += 1
                if count > _MOST_LINES:
                    return
                body = line[_found_end(line) :]
                plain = _plain(body)
                if plain and body == line.strip() and not self._is_told(body, plain, before, surely=stretch.is_own):
                    yield from self._own(line)
                    before = ""
                elif stretch.is_own and not plain:
                    yield True, None, line.rstrip()
                elif plain:
                    yield False, self._item(body, plain), body
                    before = plain
                else:
                    yield False, None, ""

    def _own(self, line: str) -> Iterator[tuple[bool, str | None, str]]:
        """« [k7fm2] oui »: they say themselves which."""
        keys = [self.tokens[token] for token in tokens_in(line) if token in self.tokens]
        yield True, keys[0] if keys else None, TOKEN.sub(" ", line).strip() if keys else line.rstrip()

    def _is_told(self, body: str, plain: str, before: str, *, surely: bool) -> bool:
        """Below « De : … Envoyé : … » nothing marks a quote: it is one where the digest says the same.

        Args:
            before: what the line before says, where that is the digest's.
            surely: these lines look like their author's own: only a whole line of the digest is none.
        """
        is_heading = body.isupper() or body.startswith("- ")
        if plain in self.lines and (before or is_heading or " " in plain or not surely):
            return True
        if before and f" {before} {plain} " in self.all:
            return True
        return not surely and plain.count(" ") + 1 >= _TELLING and f" {plain} " in self.all

    def _item(self, body: str, plain: str) -> str | None:
        plain = _COUNTED.sub("", plain) if _BULLET.match(body) else plain
        for token in reversed(tokens_in(body)):
            if token in self.tokens:
                return self.tokens[token]
        begun = [(len(title), key) for title, key in self.titles if f"{plain} ".startswith(f"{title} ")]
        if begun:
            longest = max(length for length, _ in begun)
            return _only([key for length, key in begun if length == longest])
        if plain.count(" ") + 1 < _TELLING:
            return None
        # A long title is broken onto two lines.
        wrapped = [key for title, key in self.titles if title.startswith(f"{plain} ")]
        return _only(wrapped) if wrapped else self._holding(plain)

    def _holding(self, plain: str) -> str | None:
        keys = {key for text, key in self.texts if f" {plain} " in text}
        return keys.pop() if len(keys) == 1 else None


def _only(keys: Sequence[str]) -> str:
    return keys[0] if len(set(keys)) == 1 else ""


def _found_end(line: str) -> int:
    found = _MARKS.match(line)
    return found.end() if found else 0


def _plain(text: str) -> str:
    return " ".join(words_of(_LINK.sub(" ", text)))


# ------------------------------------------------------------ asked back


def chosen_number(text: str, titles: Sequence[str]) -> int | None:
    """Which of numbered choices an answer means, from 1; 0: none of these; None: it does not say.

    Args:
        text: own words: a number, a title, or the beginning of one.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()][:3]
    for line in lines:
        found = _NUMBER.fullmatch(line.rstrip(" .!"))
        if found is not None:
            number = int(found[1])
            return number if number <= len(titles) else None
        plain = _plain(line)
        if plain in _NONE_OF_THESE or _NONE_OF_THESE & set(plain.split()[:1]):
            return 0
        meant = [n for n, title in enumerate(map(_plain, titles), 1) if plain and _names(plain, title)]
        if len(meant) == 1:
            return meant[0]
    return None


def _names(plain: str, title: str) -> bool:
    """« Décision 7 », « louer la salle des fêtes »."""
    if plain == title:
        return True
    return plain.count(" ") >= 1 and f" {plain} " in f" {title} "
