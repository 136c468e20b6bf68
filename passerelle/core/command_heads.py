"""Which command a line or a mail is: its word, and what stands behind it, unread. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

from passerelle.core.command_row import LONGEST_WORD, MOST_WORDS, CommandName
from passerelle.core.command_table import NOTING, WORDS, row_of
from passerelle.core.digest_wishes import parse_wish
from passerelle.core.polite_words import is_polite, without_greeting
from passerelle.core.register_line_words import MOST_WORDS as MOST_LINE_WORDS
from passerelle.core.register_line_words import kind_of_word
from passerelle.core.secretary_settings import KindSettings
from passerelle.core.spoken_words import bare_words, numbers_in, plain
from passerelle.core.subject import display_subject

#: Of a word behind `!` that is no command but nearly one, and of the first word of a subject.
_NEAR, _NEAR_WITHOUT_MARK = 0.74, 0.84
_LEAST_NEAR = 4
#: A subject or first line that is longer is no command; a marked one may be as long as it likes.
_LONGEST_NATURAL = 400
_LONGEST_TEXT = 20_000
_LONGEST_NEAREST = 100

_MARK = re.compile(r"[\s\u200b\u2060\ufeff]*[!！](?=[^\s!！?.])")
_WORD = re.compile(r"[^\s:：]+")
_BEHIND = re.compile(r"[\s\u00a0]*[:：,]?[\s\u00a0]*")
_TAG = re.compile(r"[#＃@]\S+\s*$")
#: Who speaks so tells something and commands nothing; behind `!` all is meant for the bridge.
_SPEAKS = re.compile(r"\b(?:je|j'|nous|on|tu|vous|il|elle|ils|elles|i|we|you|he|she|they)\b")
_QUESTION = re.compile(r"\?\s*$")
_DIGIT = re.compile(r"\d")
#: Without `!` these need a colon: « Décision importante » and « Point mensuel » are subjects like others.
_NEED_COLON = frozenset(
    {"agenda", "note", "decisions", "actions", "loans", "bookings", "attendance", "excuse", "proxy"}
)
_NEED_NUMBER = frozenset({"replace", "review", "returned", "withdraw", "fiche_publish", "fiche_withdraw"})
_FICHE_OF = re.compile(r"#|(?:la )?(?:reunion|meeting) (?:n° ?)?\d|(?:n° ?)?\d{1,9}\b")
_TOLD_ABOUT = frozenset({"meeting", "assembly", "move", "cancel"})
_HOW_LONG = re.compile(r"\b(?:jours?|semaines?|mois|days?|weeks?|months?|jusqu|until)\b")
#: What a word that in the room is a meeting's means by mail.
_OF_DIGESTS: Mapping[CommandName, CommandName] = {"pause": "digest_pause", "resume": "digest_resume"}
#: `!s/ancien/nouveau/` needs no word.
_CORRECTION = re.compile(r"s[/|#].+[/|#]", re.DOTALL)


@dataclass(frozen=True, kw_only=True, slots=True)
class CommandHead:
    """A command whose arguments are not read yet."""

    name: CommandName
    #: What follows the word, without the spaces around it. Of a note: a line of the grammar.
    rest: str = ""
    #: As the table writes it: « réunion », or "meeting" of somebody who writes English.
    word: str = ""
    #: It was said with a `!`: it is meant as a command, whatever else is not right.
    has_mark: bool = True
    #: A colon stood behind the word.
    has_colon: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class UnknownCommand:
    """A word behind `!` that is no command, but nearly one."""

    word: str
    #: The command that was probably meant.
    name: CommandName
    #: The whole line with its word in the place of the wrong one; with the `!` where it had one.
    nearest: str


def find_command(body: str, *, kinds: Sequence[KindSettings] = ()) -> CommandHead | UnknownCommand | None:
    """The command that a line of the room is; None: a word like any other after `!` (« !!! », « !super »).

    Args:
        body: the line's own text, without what it answers.
    """
    mark = _MARK.match(body)
    if mark is None:
        return None
    text = body[mark.end() :].strip()
    found = _named(text, has_mark=True) or _noting(text, kinds)
    if found is not None:
        return found
    near = nearest_command(_first_word(text))
    return None if near is None else _unknown(text, near, mark="!")


def find_mail_command(
    subject: str, text: str, *, kinds: Sequence[KindSettings] = ()
) -> CommandHead | UnknownCommand | None:
    """The command that a mail to the bridge's own address is, by its subject or its first line, with `!` or without.

    Args:
        subject: as it came. What answers or forwards something (`Re:`, `TR:`) is no command, unless its first line
            bears the `!`.
        text: its own words.
    """
    subject = " ".join(subject[:_LONGEST_NATURAL].split())
    lines = _lines_of(text)
    first = lines[0] if lines else ""
    is_new = display_subject(subject, prefix=None) == subject
    found = _of_subject(subject, first, kinds) if is_new else None
    if found is not None:
        return found
    whole = "\n".join(lines)
    if _MARK.match(whole):
        return find_command(whole, kinds=kinds)
    return _natural(first, kinds) if is_new else None


def says_more(text: str, head: CommandHead) -> bool:
    """Whether a mail says more than the command that was found in it and polite words."""
    return any(head.rest not in line or not head.rest for line in _lines_of(text))


def nearest_command(word: str, *, cutoff: float = _NEAR) -> CommandName | None:
    """The command that `word` was probably meant to be."""
    said = plain(word[:LONGEST_WORD])
    near = get_close_matches(said, WORDS, n=1, cutoff=cutoff) if len(said) >= _LEAST_NEAR else []
    return WORDS[near[0]][0] if near else None


def _of_subject(subject: str, first: str, kinds: Sequence[KindSettings]) -> CommandHead | UnknownCommand | None:
    if _MARK.match(subject):
        found = find_command(subject, kinds=kinds)
    else:
        found = _natural(subject, kinds)
        near = nearest_command(_first_word(subject), cutoff=_NEAR_WITHOUT_MARK)
        if found is None and near is not None and _named(subject, has_mark=False) is None and _DIGIT.search(subject):
            return _unknown(subject, near, mark="")
    if not isinstance(found, CommandHead) or found.rest or not _takes_first_line(found.name):
        return found
    # « Objet : cherche », and the words in the mail.
    return replace(found, rest=first)


def _takes_first_line(name: CommandName) -> bool:
    return name in ("search", "meeting", "assembly", "remind", "note", "agenda", "correct")


def _lines_of(text: str) -> list[str]:
    """The lines that say something, greetings and quotes left out."""
    lines = (line.strip() for line in text[:_LONGEST_TEXT].splitlines())
    return [line for line in lines if line and not line.startswith(">") and not _is_greeting(line)]


def _is_greeting(line: str) -> bool:
    return not without_greeting(line).strip() or is_polite(line)


def _natural(text: str, kinds: Sequence[KindSettings]) -> CommandHead | None:
    """A command without `!`: only what can hardly be anything else."""
    if not text or len(text) > _LONGEST_NATURAL or _QUESTION.search(text):
        return None
    found = _named(text, has_mark=False) or _noting(text, kinds)
    if found is None:
        return None
    # A mail to the bridge opens and closes no meeting.
    found = replace(found, name=_OF_DIGESTS.get(found.name, found.name))
    rest, name, row = found.rest, found.name, row_of(found.name)
    is_right = {
        "nothing": not rest,
        "number": not rest or bool(numbers_in(rest)),
        "numbers": not rest or bool(numbers_in(rest.split(":")[0])),
        "words": True,
    }[row.wants]
    if "mail" not in row.where or not is_right:
        return None
    if rest and name in _NEED_COLON and not found.has_colon:
        return None
    if rest and name in _NEED_NUMBER and not (_DIGIT.search(rest) or found.has_colon):
        return None
    if name in _TOLD_ABOUT and _SPEAKS.search(plain(rest)):
        return None
    if name == "correct" and rest and not _CORRECTION.match(rest):
        return None
    # « Fiche technique du vidéoprojecteur » and « Expérience » are subjects like others.
    if name == "fiche" and not _FICHE_OF.match(plain(rest) if not rest.startswith("#") else "#"):
        return None
    # « Mon prénom est Léa » tells something.
    if name == "first_name" and rest and not found.has_colon and len(rest.split()) > 1:
        return None
    # « Résumé de la réunion » and « Pause déjeuner » are subjects like others.
    if name == "digest" and rest and parse_wish(rest) is None:
        return None
    if name == "digest_pause" and rest and not _HOW_LONG.search(plain(rest)):
        return None
    return replace(found, has_mark=False)


def _named(text: str, *, has_mark: bool) -> CommandHead | None:
    """By the longest of the table's words that `text` begins with."""
    if _CORRECTION.match(text) and has_mark:
        return CommandHead(name="correct", rest=text, word=row_of("correct").french[0])
    words = list(_words_of(text))
    for count in range(len(words), 0, -1):
        end = words[count - 1].end()
        found = WORDS.get(plain(text[:end].rstrip(" .,!")))
        if found is not None:
            name, word = found
            rest, has_colon = _behind(text, end)
            if name == "digest" and not rest and text[:end].strip(" .,!").isascii() and plain(word) == "resume":
                # Without its accents « résumé » is the English word, and goes on with a meeting.
                name, word = "resume", "resume"
            return _sorted_out(CommandHead(name=name, rest=rest, word=word, has_mark=has_mark, has_colon=has_colon))
    return None


def _words_of(text: str, *, most: int = MOST_WORDS) -> list[re.Match[str]]:
    """The first words, as long as only spaces stand between them; the colon of `18:30` is none of theirs."""
    words: list[re.Match[str]] = []
    for found in _WORD.finditer(text[:200]):
        if len(words) == most or found.end() - found.start() > LONGEST_WORD:
            break
        if words and text[words[-1].end() : found.start()].strip():
            break
        words.append(found)
    return words


def _sorted_out(head: CommandHead) -> CommandHead:
    """Where one word means two commands: « !décision … » notes, « !décisions » lists; « !agenda … » adds an item."""
    if head.name == "dates" and plain(head.word) == "agenda" and head.rest:
        return replace(head, name="agenda")
    if head.name == "pause" and _HOW_LONG.search(plain(head.rest)):
        return replace(head, name="digest_pause")
    is_listed = not head.rest or bool(numbers_in(head.rest)) or _TAG.fullmatch(head.rest)
    if plain(head.word) in NOTING and not is_listed:
        return replace(head, name="note", rest=f"{head.word} : {head.rest}")
    return head


def _noting(text: str, kinds: Sequence[KindSettings]) -> CommandHead | None:
    """« !idée un composteur »: any word of the grammar's, with something behind it."""
    words = _words_of(text, most=MOST_LINE_WORDS)
    for count in range(len(words), 0, -1):
        end = words[count - 1].end()
        rest, has_colon = _behind(text, end)
        if rest and kind_of_word(text[:end], kinds) is not None:
            return CommandHead(name="note", rest=f"{text[:end]} : {rest}", word=text[:end], has_colon=has_colon)
    return None


def _behind(text: str, end: int) -> tuple[str, bool]:
    """What stands behind the word that ends there, and whether there is a colon before it."""
    behind = _BEHIND.match(text, end)
    begin = behind.end() if behind else end
    return text[begin:].strip(), any(colon in text[end:begin] for colon in ":：")


def _first_word(text: str) -> str:
    words = bare_words(text[: 2 * LONGEST_WORD]).split()
    return words[0] if words else ""


def _unknown(text: str, near: CommandName, *, mark: str) -> UnknownCommand:
    first = _WORD.search(text)
    word = first.group() if first else text
    row, said = row_of(near), plain(word)
    written = get_close_matches(said, [plain(one) for one in (*row.french, *row.english)], n=1, cutoff=0.0)
    shown = next(one for one in (*row.french, *row.english) if plain(one) == written[0])
    rest = text[first.end() :].strip() if first else ""
    return UnknownCommand(
        word=word[:LONGEST_WORD], name=near, nearest=f"{mark}{shown} {rest}".strip()[:_LONGEST_NEAREST]
    )
