"""Whether every post is on both sides exactly once, and in its place. Pure: a record goes in, results come out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from lab.demo import script
from lab.demo.archive import LETTER_WORDS
from lab.demo.digest_checks import check_digest
from lab.demo.meeting_checks import check_meeting
from lab.demo.record import Record
from lab.demo.results import Result, added, counted
from lab.demo.script import Text
from lab.demo.sides import Email, RoomItem, says, unquoted
from passerelle.core.wording import french_spaces

#: What the bridge itself says on both sides, once: the notice.
NOTICE_WORDS = "Rien ne commence avant son accord"
#: The notice, four mails of members and three of the room; an item of the agenda, the meeting, what the bridge tells.
EMAILS_IN_ALL = 1 + len(script.BY_MAIL) + 3 + 2 + len(script.NOTICES)


def check(record: Record) -> tuple[Result, ...]:
    """Check everything; the order is that of the table."""
    groups: tuple[Callable[[Record], Iterator[Result]], ...] = (
        _notices,
        _from_list,
        _from_room,
        _kept_back,
        _totals,
        _trimming,
        _threads,
        _files,
        _privacy,
        _archive,
        check_meeting,
        check_digest,
    )
    return tuple(
        Result(what=french_spaces(result.what), holds=result.holds, seen=french_spaces(result.seen))
        for group in groups
        for result in group(record)
    )


def _notices(record: Record) -> Iterator[Result]:
    in_lists = [sum(says(email.text, NOTICE_WORDS) for email in mailbox) for mailbox in record.sides.mailboxes.values()]
    in_room = sum(item.is_notice and says(item.text, NOTICE_WORDS) for item in record.sides.room)
    yield counted("L'avis : une fois dans chaque boîte, une fois dans le salon", [*in_lists, in_room])


def _from_list(record: Record) -> Iterator[Result]:
    for name, said in script.BY_MAIL.items():
        counts = [len(record.emails(member, said)) for member in record.sides.mailboxes]
        yield counted(
            f"Courriel, {name} : une fois dans chaque boîte et dans le salon", [*counts, _shown(record, said)]
        )


def _from_room(record: Record) -> Iterator[Result]:
    for name, said in {**script.BY_CHAT, **script.BY_CHAT_IN_MEETING}.items():
        counts = [len(record.emails(member, said)) for member in record.sides.mailboxes]
        yield counted(
            f"Salon, {name} : une fois dans le salon et dans chaque boîte", [len(record.lines(said)), *counts]
        )
    burst = [record.email(said) for said in (script.LEA_OFFERS, script.KARIM_OFFERS, script.LEA_CORRECTS)]
    ids = {email.message_id if email else "aucun" for email in burst}
    yield Result(what="La rafale de Léa et Karim : un seul courriel", holds=_only_one(ids), seen=f"{len(ids)}")
    told = record.email(script.KARIM_PLANS)
    line = [text for text in told.text.splitlines() if script.REACTION in text] if told else []
    holds = len(line) == 1 and "Inès" in line[0]
    yield Result(what="La réaction d'Inès : une ligne du courriel suivant", holds=holds, seen=str(len(line)))


def _kept_back(record: Record) -> Iterator[Result]:
    mails = [email for mailbox in record.sides.mailboxes.values() for email in mailbox]
    for name, said in script.NEVER_BY_MAIL.items():
        leaked = sum(says(email.everything, said.words) for email in mails)
        yield Result(what=f"Jamais sur la liste : {name}", holds=leaked == 0, seen=str(leaked))
    stays = [len(record.lines(said)) for said in (script.EARLY, script.INES_ASIDE)]
    yield counted("Ce qui reste dans le salon y est toujours", stays)
    gone = [item for item in record.sides.room if item.taken_back]
    holds = len(gone) == 1 and not record.lines(script.KARIM_REGRETS)
    yield Result(what="Le message repris n'est plus dans le salon", holds=holds, seen=str(len(gone)))


def _totals(record: Record) -> Iterator[Result]:
    sizes = [sum(email.is_listed for email in mailbox) for mailbox in record.sides.mailboxes.values()]
    holds = sizes == [EMAILS_IN_ALL] * len(sizes)
    yield Result(what=f"Rien d'autre : {EMAILS_IN_ALL} courriels de la liste par boîte", holds=holds, seen=added(sizes))
    letters = [
        sum(not email.is_listed and not says(email.text, LETTER_WORDS) for email in mailbox)
        for mailbox in record.sides.mailboxes.values()
    ]
    expected_letters = [sum(by[member] for by in script.LETTERS.values()) for member in record.sides.mailboxes]
    yield Result(what="Rien d'autre : les courriels personnels", holds=letters == expected_letters, seen=added(letters))
    repeated = [
        message_id
        for mailbox in record.sides.mailboxes.values()
        for message_id, number in Counter(email.message_id for email in mailbox).items()
        if number > 1
    ]
    yield Result(what="Aucun Message-ID n'est venu deux fois", holds=not repeated, seen=" ".join(repeated))
    ours = [item for item in record.sides.room if item.sender == record.bridge_user_id]
    signs = [item for item in ours if item.reaction]
    # A notice, the mails' texts, the poster, and the three whole mails whose quotes were left out; then the meeting.
    expected = 1 + len(script.BY_MAIL) + 1 + 3 + len(script.NOTICES) + len(script.ROOM_NOTICES)
    yield Result(
        what=f"Rien d'autre : {expected} messages et {len(script.SIGNS)} signes de la passerelle dans le salon",
        holds=len(ours) - len(signs) == expected and len(signs) == len(script.SIGNS),
        seen=f"{len(ours) - len(signs)}, {len(signs)}",
    )


def _trimming(record: Record) -> Iterator[Result]:
    shown = [item for item in record.sides.room if item.sender == record.bridge_user_id and item.file is None]
    marked = sum(line.startswith(">") for item in shown for line in item.text.splitlines())
    footers = sum(says(item.text, "Pour se désinscrire") for item in shown)
    repeated = sum(says(item.text, said.words) for item in shown for said in script.BY_CHAT.values())
    left = marked + footers + repeated
    yield Result(what="Le salon ne montre ni citation ni pied de page", holds=left == 0, seen=f"{left}")
    signed = sum(says(item.text, script.PAUL_SIGNATURE.words) for item in shown)
    yield Result(what="Le salon ne montre pas la signature de Paul", holds=signed == 0, seen=f"{signed}")
    originals = [item.file.text for item in record.sides.room if item.file and item.file.text]
    pairs = (
        (script.PAUL_ANSWERS, script.LEA_CORRECTS),
        (script.ANNIE_ANSWERS, script.PAUL_SIGNATURE),
        (script.MONIQUE_KEY, script.INES_ASKS),
    )
    kept = [
        sum(says(unquoted(text), own.words) and says(text, quoted.words) for text in originals) for own, quoted in pairs
    ]
    holds = len(originals) == 3 and all(number == 1 for number in kept)
    yield Result(what="Les courriels entiers sont joints, à un clic", holds=holds, seen=f"{len(originals)}")


def _threads(record: Record) -> Iterator[Result]:
    roots = (
        (script.QUESTION, (script.PAUL_ANSWERS, script.ANNIE_ANSWERS)),
        (script.INES_ASKS, (script.MONIQUE_KEY,)),
    )
    for root, answers in roots:
        first = record.line(root)
        placed = [_in_thread(record.line(answer), first) for answer in answers]
        yield Result(
            what=f"Salon : les réponses sont dans le fil « {root.words} »",
            holds=all(placed),
            seen=f"{sum(placed)} sur {len(placed)}",
        )
    for name, answer, answered in (
        ("la rafale du salon répond à Monique", script.LEA_OFFERS, script.QUESTION),
        ("Paul répond à la rafale", script.PAUL_ANSWERS, script.LEA_OFFERS),
        ("Annie répond à Paul", script.ANNIE_ANSWERS, script.PAUL_ANSWERS),
        ("le plan de Karim suit Annie", script.KARIM_PLANS, script.ANNIE_ANSWERS),
        ("Monique répond à Inès", script.MONIQUE_KEY, script.INES_ASKS),
    ):
        holds = _answers(record.email(answer), record.email(answered))
        yield Result(what=f"Liste : {name} (In-Reply-To, References)", holds=holds)
    new = record.email(script.INES_ASKS)
    holds = new is not None and not new.in_reply_to and not new.references
    yield Result(what="Liste : la question d'Inès commence un fil", holds=holds)


def _files(record: Record) -> Iterator[Result]:
    for name, digest in record.sent_files.items():
        in_room = [item.file for item in record.sides.room if item.file and item.file.name == name]
        in_lists = [
            [file for email in mailbox for file in email.files if file.name == name]
            for mailbox in record.sides.mailboxes.values()
        ]
        copies = [in_room, *in_lists]
        same = all(len(files) == 1 and files[0].sha256 == digest for files in copies)
        seen = added([len(files) for files in copies])
        yield Result(what=f"{name} : les mêmes octets des deux côtés", holds=same, seen=seen)


def _privacy(record: Record) -> Iterator[Result]:
    shown = (*record.sides.room, *record.sides.direct)
    texts = [item.text + (item.file.text if item.file else "") for item in shown]
    leaked = sum(address.lower() in text.lower() for address in record.addresses for text in texts)
    yield Result(what="Aucune adresse dans le salon, ni dans les pièces jointes", holds=leaked == 0, seen=f"{leaked}")
    complaints = len(record.complaints)
    yield Result(
        what="Le journal du démon : aucune alerte", holds=not complaints, seen=" / ".join(record.complaints[:3])
    )


def _archive(record: Record) -> Iterator[Result]:
    visit = record.visit
    for name, said in {**script.BY_MAIL, **script.BY_CHAT, **script.BY_CHAT_IN_MEETING}.items():
        pages = [text for text in visit.threads.values() if says(text, said.words)]
        yield Result(
            what=f"Archives, {name} : dans une seule conversation", holds=len(pages) == 1, seen=f"{len(pages)}"
        )
    shown = "\n".join(visit.threads.values())
    leaked = [name for name, said in script.NEVER_BY_MAIL.items() if says(shown, said.words)]
    yield Result(what="Archives : rien de ce qui ne devait pas partir", holds=not leaked, seen=", ".join(leaked))
    for words, number in visit.found.items():
        yield Result(what=f"Archives : « {words} » se trouve", holds=number > 0, seen=f"{number}")
    refused = sum(status in (302, 303, 401, 403) for status in visit.strangers)
    holds = refused == len(visit.strangers) > 1
    yield Result(what="Archives : fermées à qui n'est pas entré", holds=holds, seen=f"{refused}")


def _shown(record: Record, said: Text) -> int:
    return sum(item.sender == record.bridge_user_id for item in record.lines(said))


def _only_one(ids: set[str]) -> bool:
    return len(ids) == 1 and "aucun" not in ids


def _in_thread(item: RoomItem | None, root: RoomItem | None) -> bool:
    return item is not None and root is not None and item.thread_root == root.event_id


def _answers(email: Email | None, answered: Email | None) -> bool:
    """Whether a mail names the one it answers, and the whole thread before that (RFC 5322, section 3.6.4)."""
    if email is None or answered is None or email.in_reply_to != answered.message_id:
        return False
    return email.references[-1:] == (answered.message_id,) and set(answered.references) <= set(email.references)
