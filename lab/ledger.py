"""Every post of a test under a word of its own, and how often each word stands on the other side.

Nothing here asks the daemon: what counts is what the members have in their mailboxes and see in their room.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from email.message import Message
from typing import Any

from lab.imap import text_of

Event = Mapping[str, Any]

#: Characters: so that a number names both a mail and a place in it.
_LONGEST_MAIL = 10_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Mail:
    """A mail that a member wrote to the list."""

    word: str
    message_id: str
    #: The words of what it answers: one of a mail, or those of all lines of a chat mail.
    answers: tuple[str, ...] = ()
    has_file: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A line that a member said in the room."""

    word: str
    event_id: str
    #: The event that its Matrix thread began with.
    thread_root: str | None = None
    #: The event that it answers outside any thread.
    replies_to: str | None = None
    is_file: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Findings:
    """What is wrong, one sentence each."""

    lost: tuple[str, ...] = ()
    doubled: tuple[str, ...] = ()
    #: In the wrong place: out of order, in another thread, or where it never should be.
    astray: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.lost or self.doubled or self.astray)

    def __add__(self, other: Findings) -> Findings:
        return Findings(
            lost=self.lost + other.lost, doubled=self.doubled + other.doubled, astray=self.astray + other.astray
        )

    def __str__(self) -> str:
        kinds = (("lost", self.lost), ("doubled", self.doubled), ("astray", self.astray))
        return "\n".join(f"{kind}: {sentence}" for kind, sentences in kinds for sentence in sentences) or "all well"


def nothing() -> Findings:
    """No finding."""
    return Findings()


@dataclass(kw_only=True)
class Ledger:
    """What was said on both sides of one link."""

    #: Letters that make the words of several ledgers differ.
    name: str = ""
    #: Whether lines keep their order over several mails. A mail of unknown fate waits for its echo, and those behind it
    #: go on: where such mails are made by the dozen, only the order within each mail is looked at.
    order_over_mails: bool = True
    mails: dict[str, Mail] = field(default_factory=dict)
    lines: dict[str, Line] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def new_word(self) -> str:
        """A word that stands nowhere else, and in no other word."""
        return f"mot{self.name}{next(self._numbers):05d}x"

    def note_mail(self, mail: Mail) -> None:
        """A mail was handed in."""
        self.mails[mail.word] = mail

    def note_line(self, line: Line) -> None:
        """A line was said."""
        self.lines[line.word] = line

    # ------------------------------------------------------------ the room

    def audit_room(self, timeline: Sequence[Event], bot: str, list_order: Sequence[Message]) -> Findings:
        """Every mail once in the room, its file too, in the list's order and in its thread; nothing else of ours.

        :param timeline: all events, oldest first.
        :param list_order: what the list sent out, oldest first: the bridge's own mailbox.
        """
        relayed = [e for e in timeline if e["type"] == "m.room.message" and e["sender"] == bot and e["content"]]
        texts = {word: _events_with(relayed, word, files=False) for word in self.mails}
        files = {m.word: _events_with(relayed, m.word, files=True) for m in self.mails.values() if m.has_file}
        findings = _counted("the mail", "in the room", texts) + _counted("the file of mail", "in the room", files)
        echoed = [word for word in self.lines if _events_with(relayed, word)]
        findings += Findings(astray=tuple(f"the line {word} came back into its room" for word in echoed))
        first = {word: events[0] for word, events in texts.items() if events}
        place = {str(event["event_id"]): number for number, event in enumerate(timeline)}
        return findings + self._audit_threads(first, place) + self._audit_order(first, place, list_order)

    def _audit_threads(self, first: Mapping[str, Event], place: Mapping[str, int]) -> Findings:
        astray = []
        for word, event in first.items():
            expected = self._root_of(self.mails[word], first, place)
            found = _thread_root(event)
            if found != expected:
                astray.append(f"the mail {word} stands under {found} and not under {expected}")
        return Findings(astray=tuple(astray))

    def _root_of(self, mail: Mail, first: Mapping[str, Event], place: Mapping[str, int]) -> str | None:
        """The event whose thread a mail belongs to; None where it begins one."""
        while mail.answers:
            if mail.answers[0] in self.lines:
                line = min((self.lines[word] for word in mail.answers), key=lambda line: place[line.event_id])
                return line.thread_root or line.event_id
            mail = self.mails[mail.answers[0]]
            if not mail.answers:
                return str(first[mail.word]["event_id"]) if mail.word in first else None
        return None

    def _audit_order(
        self, first: Mapping[str, Event], place: Mapping[str, int], list_order: Sequence[Message]
    ) -> Findings:
        by_id = {mail.message_id: mail.word for mail in self.mails.values()}
        listed = [by_id[m["Message-ID"]] for m in list_order if m["Message-ID"] in by_id]
        places = [(place[first[word]["event_id"]], word) for word in listed if word in first]
        return Findings(astray=_out_of_order("the mail", "in the room", places))

    # ------------------------------------------------------------ a mailbox

    def audit_mailbox(self, owner: str, mails: Sequence[Message], timeline: Sequence[Event]) -> Findings:
        """Every line once in this mailbox, inside one mail of its own thread, in the room's order; files once."""
        texts = [text_of(mail) for mail in mails]
        where = f"in the mailbox of {owner}"
        said = [line.word for line in self.lines.values() if not line.is_file]
        found = {word: [n for n, text in enumerate(texts) for _ in range(text.count(word))] for word in said}
        names = [name for mail in mails for name in _attached(mail)]
        files = {
            line.word: [name for name in names if line.word in name] for line in self.lines.values() if line.is_file
        }
        posted = {word: [m for m in mails if m["Message-ID"] == mail.message_id] for word, mail in self.mails.items()}
        findings = _counted("the line", where, found) + _counted("the file of line", where, files)
        findings += _counted("the mail", where, posted)
        spots = {
            word: numbers[0] * _LONGEST_MAIL + texts[numbers[0]].index(word)
            for word, numbers in found.items()
            if numbers
        }
        findings += Findings(astray=self._lines_out_of_order(where, spots, timeline))
        return findings + self._audit_references({w: mails[n[0]] for w, n in found.items() if n}, where, timeline)

    def _lines_out_of_order(self, where: str, spots: Mapping[str, int], timeline: Sequence[Event]) -> tuple[str, ...]:
        """Within one thread, and among lines that answer nothing."""
        by_event = {line.event_id: line for line in self.lines.values()}
        said = [by_event[e["event_id"]] for e in timeline if e["event_id"] in by_event]
        threads: dict[object, list[tuple[int, str]]] = {}
        for line in said:
            if line.word in spots and line.replies_to is None:
                mail = None if self.order_over_mails else spots[line.word] // _LONGEST_MAIL
                threads.setdefault((line.thread_root, mail), []).append((spots[line.word], line.word))
        return tuple(itertools.chain.from_iterable(_out_of_order("the line", where, t) for t in threads.values()))

    def _audit_references(self, holding: Mapping[str, Message], where: str, timeline: Sequence[Event]) -> Findings:
        """A line in the thread of a mail leaves in a mail that answers it."""
        roots = {
            e["event_id"]: word
            for e in timeline
            for word in self.mails
            if e["type"] == "m.room.message" and word in str(e["content"].get("body", ""))
        }
        astray = []
        for word, mail in holding.items():
            root = roots.get(str(self.lines[word].thread_root))
            if root is None:
                continue
            references = str(mail["References"] or "") + str(mail["In-Reply-To"] or "")
            if self.mails[root].message_id not in references:
                astray.append(f"the line {word} left {where} in a mail that does not answer {root}")
        return Findings(astray=tuple(astray))

    def words_of(self, mail: Message) -> tuple[str, ...]:
        """The words of a mail that the list sent out: of a member's own one, of a chat mail those of its lines."""
        for posted in self.mails.values():
            if posted.message_id == mail["Message-ID"]:
                return (posted.word,)
        text = text_of(mail) + "".join(_attached(mail))
        return tuple(word for word in self.lines if word in text)


def _counted(what: str, where: str, found: Mapping[str, Sequence[object]]) -> Findings:
    return Findings(
        lost=tuple(f"{what} {word} is not {where}" for word, copies in found.items() if not copies),
        doubled=tuple(f"{what} {word} is {len(c)} times {where}" for word, c in found.items() if len(c) > 1),
    )


def _out_of_order(what: str, where: str, places: Sequence[tuple[int, str]]) -> tuple[str, ...]:
    pairs = itertools.pairwise(places)
    return tuple(f"{what} {word} stands before {before} {where}" for (a, before), (b, word) in pairs if b < a)


def _events_with(events: Iterable[Event], word: str, *, files: bool | None = None) -> list[Event]:
    found = []
    for event in events:
        content = event["content"]
        is_file = content.get("msgtype") not in ("m.text", "m.notice", "m.emote")
        if files in (None, is_file) and word in f"{content.get('body')}{content.get('formatted_body')}":
            found.append(event)
    return found


def _thread_root(event: Event) -> str | None:
    relation = event["content"].get("m.relates_to", {})
    return str(relation["event_id"]) if relation.get("rel_type") == "m.thread" else None


def _attached(mail: Message) -> list[str]:
    return [name for part in mail.walk() if (name := part.get_filename())]
