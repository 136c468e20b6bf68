"""Whether the meeting is on both sides: each notice once, one invitation per address, one tally, minutes. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from lab.demo import script
from lab.demo.record import Record
from lab.demo.results import Result, added, counted
from lab.demo.script import Text
from lab.demo.sides import Email, RoomItem, says, squeezed

_PDF, _ZIP = "25504446", "504b0304"


def check_meeting(record: Record) -> Iterator[Result]:
    """Check everything about the meeting."""
    yield from _notices(record)
    yield from _lines(record)
    yield from _letters(record)
    yield from _invitations(record)
    yield from _agenda(record)
    yield from _tally(record)
    yield from _minutes(record)
    yield from _papers(record)
    yield from _pages(record)


def _notices(record: Record) -> Iterator[Result]:
    for name, notice in script.NOTICES.items():
        in_lists = [len(_on_list(record, member, notice.in_list)) for member in record.sides.mailboxes]
        yield counted(
            f"Réunion, {name} : une fois dans chaque boîte et dans le salon",
            [*in_lists, len(_told(record, notice.in_room))],
        )
    for name, words in script.ROOM_NOTICES.items():
        yield counted(f"Réunion, {name} : une fois dans le salon", [len(_told(record, words))])


def _lines(record: Record) -> Iterator[Result]:
    mails = [email for mailbox in record.sides.mailboxes.values() for email in mailbox]
    for name, said in script.OBEYED_IN_ROOM.items():
        leaked = sum(says(email.everything, said.words) for email in mails)
        holds = leaked == 0 and _own_line(record, said) is not None
        yield Result(what=f"Obéi, jamais sur la liste : {name}", holds=holds, seen=str(leaked))
    shown = [email.everything for email in mails] + [item.text for item in record.sides.room]
    for name, said in script.OBEYED_BY_MAIL.items():
        leaked = sum(says(text, said.words) for text in shown)
        yield Result(what=f"Pour la passerelle seule : {name}", holds=leaked == 0, seen=str(leaked))
    signs = {said.words: _signs(record, _own_line(record, said)) for said in script.SIGNS}
    right = [signs[said.words] == [key] for said, key in script.SIGNS.items()]
    yield Result(
        what="Sous chaque ligne notée, un signe de la passerelle",
        holds=all(right),
        seen=f"{sum(right)} sur {len(right)}",
    )


def _letters(record: Record) -> Iterator[Result]:
    for words, expected in script.LETTERS.items():
        seen = {
            member: sum(not email.is_listed and says(email.text, words) for email in mailbox)
            for member, mailbox in record.sides.mailboxes.items()
        }
        yield Result(
            what=f"Courriel personnel « {words}… » : à qui il s'adresse",
            holds=seen == dict(expected),
            seen=added(list(seen.values())),
        )


def _invitations(record: Record) -> Iterator[Result]:
    for member, address in record.member_addresses.items():
        calendars = [
            text for email in record.sides.mailboxes[member] for text in email.calendars if not email.is_listed
        ]
        lines = [line for text in calendars for line in _unfolded(text)]
        attendees = [line.rpartition("mailto:")[2] for line in lines if line.startswith("ATTENDEE")]
        holds = len(calendars) == 1 and "METHOD:REQUEST" in lines and attendees == [address]
        yield Result(
            what=f"Invitation de {member} : une, et une adresse seule dedans", holds=holds, seen=added([len(attendees)])
        )
    mails = [email for mailbox in record.sides.mailboxes.values() for email in mailbox]
    texts = [text for email in mails for text in (*email.calendars, *(f.text for f in email.files if _is_ics(f.name)))]
    named = sum(record.list_address in line for text in texts for line in _unfolded(text))
    yield Result(what="L'adresse de la liste n'est dans aucun agenda", holds=bool(texts) and not named, seen=str(named))
    files = [
        [file for email in _on_list(record, member, script.CONVOCATION.in_list) for file in email.files]
        for member in record.sides.mailboxes
    ]
    bare = all(len(one) == 1 and _is_ics(one[0].name) and "ATTENDEE" not in one[0].text for one in files)
    yield Result(
        what="La convocation a sa date en .ics, sans personne dedans", holds=bare, seen=added(list(map(len, files)))
    )


def _agenda(record: Record) -> Iterator[Result]:
    notices = (script.CONVOCATION, script.DRAFT, script.APPROVED)
    texts = [_text_on_list(record, notice.in_list) for notice in notices]
    texts.append(_text_in_room(record, script.CONVOCATION.in_room))
    held = [says(text, script.BUDGET) and says(text, script.BENCHES) for text in texts]
    yield Result(
        what="L'ordre du jour a les deux points, des deux côtés et au compte rendu",
        holds=all(held),
        seen=f"{sum(held)} sur {len(held)}",
    )


def _tally(record: Record) -> Iterator[Result]:
    told = _text_in_room(record, script.TALLY)
    named = [name for name in (*script.COMING, script.NOT_COMING) if says(told, name)]
    holds = len(named) == len(script.COMING) + 1 and says(told, f"1 personne ne peut pas : {script.NOT_COMING}")
    yield Result(what="Qui vient, dans le salon : chacun comme il l'a dit", holds=holds, seen=str(len(named)))
    letters = [e for box in record.sides.mailboxes.values() for e in box if says(e.text, script.REMINDER)]
    unnamed = [says(e.text, f"{script.COMING_COUNT}.") for e in letters]
    holds = bool(letters) and all(unnamed)
    yield Result(what="Qui vient, par courriel : le nombre, sans les noms", holds=holds, seen=str(sum(unnamed)))


def _minutes(record: Record) -> Iterator[Result]:
    for name, words in (("la décision", script.DECISION), ("l'action", script.ACTION)):
        texts = [
            text
            for notice in (script.DRAFT, script.APPROVED)
            for text in (_text_on_list(record, notice.in_list), _text_in_room(record, notice.in_room))
        ]
        held = sum(says(text, words) for text in texts)
        yield Result(what=f"Compte rendu : {name} y est, des deux côtés", holds=held == len(texts), seen=str(held))
    draft, approved = (_text_on_list(record, notice.in_list) for notice in (script.DRAFT, script.APPROVED))
    corrected = says(draft, script.MISSPELT) and says(approved, script.SPELT) and not says(approved, script.MISSPELT)
    yield Result(what="Compte rendu : la correction de Paul y est", holds=corrected)
    room = _text_in_room(record, script.APPROVED.in_room)
    adopted = says(draft, "Proposée.") and says(approved, "Adoptée.") and says(room, "(adoptée)")
    yield Result(what="Compte rendu : la décision proposée est adoptée", holds=adopted)
    links = [_minutes_url(_text_in_room(record, script.APPROVED.in_room)), _minutes_url(approved)]
    same = links[0] == links[1] != "" and links[0] in record.visit.pages
    yield Result(what="Compte rendu : le même lien des deux côtés, et il se lit", holds=same)


def _papers(record: Record) -> Iterator[Result]:
    expected = ((script.DRAFT, {".odt": _ZIP}), (script.APPROVED, {".odt": _ZIP, ".pdf": _PDF}))
    for notice, endings in expected:
        boxes = [
            {file.name[-4:]: file.begins for email in _on_list(record, member, notice.in_list) for file in email.files}
            for member in record.sides.mailboxes
        ]
        holds = all(box == endings for box in boxes)
        what = "à relire : l'ODT" if notice is script.DRAFT else "approuvé : l'ODT et le PDF"
        yield Result(what=f"Compte rendu {what}, bien faits", holds=holds, seen=added(list(map(len, boxes))))


def _pages(record: Record) -> Iterator[Result]:
    pages = record.visit.pages
    wanted = (
        ("le registre", "/register", (script.DECISION, "adoptée", script.ACTION)),
        ("la réunion", "/meetings/1", (script.TITLE, script.DECISION, script.ACTION)),
        ("le compte rendu", "/minutes/", (script.DECISION, script.ACTION, script.SPELT)),
        # A comma is escaped there (RFC 5545, section 3.3.11).
        ("les dates pour l'agenda", "/calendar.ics", (script.TITLE.rpartition(", ")[2],)),
    )
    for name, path, words in wanted:
        found = [text for url, text in pages.items() if path in url]
        held = [all(says(text, one) for one in words) for text in found]
        yield Result(what=f"Sur le web, {name} : tout y est", holds=held == [True], seen=str(len(found)))
    papers = record.visit.papers
    holds = papers == {".odt": _ZIP, ".pdf": _PDF}
    yield Result(what="Sur le web, le compte rendu en ODT et en PDF", holds=holds, seen=" ".join(papers))


# ------------------------------------------------------------ what stands where


def _on_list(record: Record, member: str, words: str) -> list[Email]:
    return [e for e in record.sides.mailboxes[member] if e.is_listed and says(e.unquoted, words)]


def _told(record: Record, words: str) -> list[RoomItem]:
    return [item for item in record.sides.room if item.is_notice and says(item.text, words)]


def _text_on_list(record: Record, words: str) -> str:
    """What the mail says that says this, in the first mailbox; "" where there is not exactly one."""
    found = _on_list(record, next(iter(record.sides.mailboxes)), words)
    return found[0].text if len(found) == 1 else ""


def _text_in_room(record: Record, words: str) -> str:
    found = _told(record, words)
    return found[0].text if len(found) == 1 else ""


def _own_line(record: Record, said: Text) -> RoomItem | None:
    """A member's line; None where there is none or another besides."""
    found = [item for item in record.lines(said) if item.sender != record.bridge_user_id]
    return found[0] if len(found) == 1 else None


def _signs(record: Record, line: RoomItem | None) -> list[str]:
    ours = record.bridge_user_id
    return [item.reaction for item in record.sides.room if item.reaction and item.sender == ours and line is not None
            and item.replies_to == line.event_id]  # fmt: skip


def _minutes_url(text: str) -> str:
    return next((word for word in squeezed(text).split() if "/minutes/" in word), "")


def _unfolded(calendar: str) -> list[str]:
    """The lines of a calendar (RFC 5545, section 3.1)."""
    return calendar.replace("\r\n", "\n").replace("\n ", "").splitlines()


def _is_ics(name: str) -> bool:
    return name.endswith(".ics")
