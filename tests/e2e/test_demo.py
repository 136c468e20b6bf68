"""The demonstration, run once as its users run it; then its checks, on what it saw and on what must alarm them."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from rich.console import Console

from lab.demo import script
from lab.demo.checks import check
from lab.demo.display import render_email, render_item, render_sides
from lab.demo.record import Record, read_record
from lab.demo.sides import Email, File, RoomItem, says
from lab.demo.typography import PLAINLY, FrenchOutput
from lab.process import REPOSITORY
from passerelle.core.wording import french_spaces

#: Until everything is installed, started, played, checked and stopped; a bound, not a measure.
DEADLINE_SECONDS = 500
OURS = "@passerelle:lab.test"


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """The demonstration that was run."""

    exit_code: int
    output: str
    state: Path
    #: Stands in the environment of every process of the run.
    mark: str
    picture: Path


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One run of ``make demo ONCE=1 PICTURE=…``, in a folder of its own."""
    folder, mark = tmp_path_factory.mktemp("demo"), uuid.uuid4().hex
    picture = folder / "demo.svg"
    done = subprocess.run(
        [sys.executable, "-m", "lab.demo", "--once", "--state", folder / "state", "--picture", picture],
        cwd=REPOSITORY,
        env={**os.environ, "COLUMNS": "100", "DEMO_MARK": mark},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=False,
    )
    return Run(exit_code=done.returncode, output=done.stdout, state=folder / "state", mark=mark, picture=picture)


@pytest.fixture(scope="module")
def record(run: Run) -> Record:
    """What both sides held in the end."""
    return read_record(run.state / "sides.json")


def broken(record: Record) -> set[str]:
    """What the checks complain of, spaces made plain."""
    return {" ".join(result.what.split()) for result in check(record) if not result.holds}


def test_run_succeeds_and_says_so(run: Run) -> None:
    assert run.exit_code == 0, run.output
    assert "Tout est juste" in run.output
    assert "✗" not in run.output


def test_output_fits_100_columns(run: Run) -> None:
    assert max(map(len, run.output.splitlines())) <= 100


def test_no_process_is_left(run: Run) -> None:
    left = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                environment = (entry / "environ").read_bytes()
            except OSError:
                continue
            if run.mark.encode() in environment:
                left.append(entry.name)
    assert left == []


def test_picture_shows_both_sides(run: Run) -> None:
    drawn = run.picture.read_text()
    assert drawn.startswith("<svg")
    for words in ("La&#160;liste&#160;(courriel)", "Le&#160;salon", "message&#160;supprim"):
        assert words in drawn
    meeting = run.picture.with_name(f"meeting-{run.picture.name}").read_text()
    for words in ("5&#160;personnes&#160;viennent", "La&#160;réunion&#160;commence", "compte-rendu-reunion-1"):
        assert words in meeting


@pytest.mark.parametrize("width", [40, 72, 100])
def test_sides_fit_any_terminal(record: Record, width: int) -> None:
    shown = io.StringIO()
    console = Console(file=FrenchOutput(shown).as_file(), width=width, force_terminal=False)
    emails = [render_email(email) for email in record.sides.mailboxes[script.MONIQUE]]
    room = [render_item(item, record.sides.room) for item in record.sides.room]
    console.print(render_sides(emails, room, width=width))
    lines = shown.getvalue().splitlines()
    # The thumb takes two columns and is one character.
    assert max(map(len, lines)) <= width
    assert ("│" in shown.getvalue()) == (width >= 72)
    # « !début » is a command.
    assert not any(re.match(r"[:!?»](?!\w)", line.strip("│ ")) for line in lines)


def test_terminal_without_accents_is_readable() -> None:
    shown = io.BytesIO()
    text = io.TextIOWrapper(shown, encoding="ascii", errors=PLAINLY)
    text.write("✓ L’Épeule\u00a0: « fête »…")
    text.flush()
    assert shown.getvalue() == b'ok L\'Epeule : " fete "...'


def test_everything_holds_on_what_was_seen(record: Record) -> None:
    assert broken(record) == set()


# What must alarm: each change breaks one side of the record, and names what is expected to be complained of.


def with_mailbox(record: Record, change: Callable[[tuple[Email, ...]], tuple[Email, ...]]) -> Record:
    """Change the mailbox of Paul and Annie only: a check that looks at one mailbox alone would not see it."""
    mailboxes = dict(record.sides.mailboxes)
    mailboxes[script.PAUL_AND_ANNIE] = change(mailboxes[script.PAUL_AND_ANNIE])
    return replace(record, sides=replace(record.sides, mailboxes=mailboxes))


def with_mails(record: Record, change: Callable[[Email], Email]) -> Record:
    """Change every mail of every mailbox."""
    mailboxes = {member: tuple(map(change, mails)) for member, mails in record.sides.mailboxes.items()}
    return replace(record, sides=replace(record.sides, mailboxes=mailboxes))


def with_room(record: Record, change: Callable[[tuple[RoomItem, ...]], tuple[RoomItem, ...]]) -> Record:
    return replace(record, sides=replace(record.sides, room=change(record.sides.room)))


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        *((said, f"Courriel, {name} : une fois") for name, said in script.BY_MAIL.items()),
        *((said, f"Salon, {name} : une fois") for name, said in script.BY_CHAT.items()),
        *((said, f"Salon, {name} : une fois") for name, said in script.BY_CHAT_IN_MEETING.items()),
    ],
)
@pytest.mark.parametrize("copies", [0, 2])
def test_lost_or_doubled_mail_is_seen(record: Record, said: script.Text, complaint: str, copies: int) -> None:
    def change(mails: tuple[Email, ...]) -> tuple[Email, ...]:
        return tuple(mail for mail in mails for _ in range(copies if says(mail.unquoted, said.words) else 1))

    assert any(line.startswith(complaint) for line in broken(with_mailbox(record, change)))


@pytest.mark.parametrize(("name", "said"), script.BY_MAIL.items())
@pytest.mark.parametrize("copies", [0, 2])
def test_lost_or_doubled_line_is_seen(record: Record, name: str, said: script.Text, copies: int) -> None:
    def change(room: tuple[RoomItem, ...]) -> tuple[RoomItem, ...]:
        return tuple(
            item for item in room for _ in range(copies if item.file is None and says(item.text, said.words) else 1)
        )

    complaints = broken(with_room(record, change))
    assert any(line.startswith(f"Courriel, {name} : une fois") for line in complaints)
    assert any(line.startswith("Rien d’autre : 19 messages") for line in complaints)


@pytest.mark.parametrize(("name", "said"), script.NEVER_BY_MAIL.items())
def test_leak_in_html_alone_is_seen(record: Record, name: str, said: script.Text) -> None:
    def change(mails: tuple[Email, ...]) -> tuple[Email, ...]:
        return (*mails[:-1], replace(mails[-1], everything=f"{mails[-1].everything}\n{said.text}"))

    assert broken(with_mailbox(record, change)) == {f"Jamais sur la liste : {name}"}


def test_burst_in_two_mails_is_seen(record: Record) -> None:
    def change(mails: tuple[Email, ...]) -> tuple[Email, ...]:
        burst = next(mail for mail in mails if says(mail.text, script.KARIM_OFFERS.words) and "(salon)" in mail.author)
        first = replace(burst, message_id="<moitie@x.test>", text=script.LEA_OFFERS.text)
        rest = replace(burst, text=burst.text.replace("Je prends la buvette", "…"))
        return tuple(half for mail in mails for half in ((first, rest) if mail is burst else (mail,)))

    mailboxes = {member: change(mails) for member, mails in record.sides.mailboxes.items()}
    halved = replace(record, sides=replace(record.sides, mailboxes=mailboxes))
    assert "La rafale de Léa et Karim : un seul courriel" in broken(halved)


def test_broken_mail_thread_is_seen(record: Record) -> None:
    for cut in ({"in_reply_to": ""}, {"references": ()}):
        complaints = broken(with_mails(record, lambda mail, cut=cut: replace(mail, **cut)))
        assert sum("(In-Reply-To, References)" in line for line in complaints) == 5


def test_broken_room_thread_is_seen(record: Record) -> None:
    complaints = broken(with_room(record, lambda room: tuple(replace(item, thread_root="") for item in room)))
    assert sum(line.startswith("Salon : les réponses sont dans le fil") for line in complaints) == 2


@pytest.mark.parametrize("name", [script.POSTER_NAME, script.TABLES_NAME])
def test_other_bytes_are_seen(record: Record, name: str) -> None:
    def change(item: RoomItem) -> RoomItem:
        hit = item.file is not None and item.file.name == name
        return replace(item, file=replace(item.file, sha256="0" * 64)) if hit and item.file else item

    assert broken(with_room(record, lambda room: tuple(map(change, room)))) == {
        f"{name} : les mêmes octets des deux côtés"
    }


def test_quote_signature_and_footer_in_the_room_are_seen(record: Record) -> None:
    def tell(words: str) -> set[str]:
        def change(item: RoomItem) -> RoomItem:
            hit = item.sender == OURS and item.file is None and says(item.text, script.ANNIE_ANSWERS.words)
            return replace(item, text=f"{item.text}\n{words}") if hit else item

        return broken(with_room(record, lambda room: tuple(map(change, room))))

    assert "Le salon ne montre ni citation ni pied de page" in tell("> une citation")
    assert "Le salon ne montre ni citation ni pied de page" in tell("Pour se désinscrire : ici")
    assert "Le salon ne montre pas la signature de Paul" in tell(script.PAUL_SIGNATURE.text)


def test_lost_original_is_seen(record: Record) -> None:
    def without_originals(room: tuple[RoomItem, ...]) -> tuple[RoomItem, ...]:
        return tuple(item for item in room if not (item.file and item.file.text))

    assert "Les courriels entiers sont joints, à un clic" in broken(with_room(record, without_originals))


def test_address_in_an_original_is_seen(record: Record) -> None:
    def change(item: RoomItem) -> RoomItem:
        if item.file is None or not item.file.text:
            return item
        return replace(item, file=replace(item.file, text=f"{item.file.text} Monique@membres.lab.test"))

    assert broken(with_room(record, lambda room: tuple(map(change, room)))) == {
        "Aucune adresse dans le salon, ni dans les pièces jointes"
    }


def test_lost_reaction_notice_and_redaction_are_seen(record: Record) -> None:
    mute = with_mails(record, lambda mail: replace(mail, text=mail.text.replace(script.REACTION, "")))
    assert broken(mute) == {"La réaction d’Inès : une ligne du courriel suivant"}
    unsaid = with_room(record, lambda room: tuple(item for item in room if not item.is_notice))
    assert "L’avis : une fois dans chaque boîte, une fois dans le salon" in broken(unsaid)
    back = with_room(record, lambda room: tuple(replace(item, taken_back=False) for item in room))
    assert broken(back) == {"Le message repris n’est plus dans le salon"}


def test_strange_mail_is_seen(record: Record) -> None:
    def change(mails: tuple[Email, ...]) -> tuple[Email, ...]:
        return (*mails, replace(mails[0], message_id="<autre@x.test>", text="Autre chose."))

    assert broken(with_mailbox(record, change)) == {"Rien d’autre : 16 courriels de la liste par boîte"}


def test_complaint_of_the_daemon_is_seen(record: Record) -> None:
    assert broken(replace(record, complaints=("2026-11-21 WARNING x",))) == {"Le journal du démon : aucune alerte"}


# The same of the meeting.


def with_files(record: Record, change: Callable[[File], File]) -> Record:
    return with_mails(record, lambda mail: replace(mail, files=tuple(map(change, mail.files))))


@pytest.mark.parametrize(("name", "notice"), script.NOTICES.items())
@pytest.mark.parametrize("copies", [0, 2])
def test_lost_or_doubled_notice_is_seen(record: Record, name: str, notice: script.Notice, copies: int) -> None:
    def mails(box: tuple[Email, ...]) -> tuple[Email, ...]:
        return tuple(
            mail for mail in box for _ in range(copies if mail.is_listed and says(mail.text, notice.in_list) else 1)
        )

    def room(items: tuple[RoomItem, ...]) -> tuple[RoomItem, ...]:
        return tuple(
            item for item in items for _ in range(copies if item.is_notice and says(item.text, notice.in_room) else 1)
        )

    complaint = " ".join(french_spaces(f"Réunion, {name} : une fois dans chaque boîte et dans le salon").split())
    assert complaint in broken(with_mailbox(record, mails))
    assert complaint in broken(with_room(record, room))


@pytest.mark.parametrize(("words", "copies"), [(words, copies) for words in script.LETTERS for copies in (0, 3)])
def test_lost_or_doubled_letter_is_seen(record: Record, words: str, copies: int) -> None:
    mailboxes = {
        member: tuple(
            mail for mail in box for _ in range(copies if not mail.is_listed and says(mail.text, words) else 1)
        )
        for member, box in record.sides.mailboxes.items()
    }
    complaints = broken(replace(record, sides=replace(record.sides, mailboxes=mailboxes)))
    assert "Rien d’autre : les courriels personnels" in complaints
    assert any(line.startswith(" ".join(f"Courriel personnel «\u00a0{words}".split())) for line in complaints)


def test_obeyed_line_on_the_list_is_seen(record: Record) -> None:
    for name, said in {**script.OBEYED_IN_ROOM, **script.OBEYED_BY_MAIL}.items():

        def change(mails: tuple[Email, ...], said: script.Text = said) -> tuple[Email, ...]:
            return (*mails[:-1], replace(mails[-1], everything=f"{mails[-1].everything}\n{said.text}"))

        (complaint,) = broken(with_mailbox(record, change))
        assert complaint.endswith(" ".join(french_spaces(name).split()))


def test_missing_sign_is_seen(record: Record) -> None:
    unsigned = with_room(record, lambda room: tuple(item for item in room if item.reaction != "📌"))
    assert "Sous chaque ligne notée, un signe de la passerelle" in broken(unsigned)


def test_other_person_in_an_invitation_is_seen(record: Record) -> None:
    def change(mail: Email) -> Email:
        more = [
            text.replace("ORGANIZER", "ATTENDEE:mailto:bureau@listes.lab.test\r\nORGANIZER") for text in mail.calendars
        ]
        return replace(mail, calendars=tuple(more))

    assert broken(with_mails(record, change)) == {
        "Invitation de monique : une, et une adresse seule dedans",
        "Invitation de paul.annie : une, et une adresse seule dedans",
        "L’adresse de la liste n’est dans aucun agenda",
    }


def test_wrong_tally_is_seen(record: Record) -> None:
    def change(item: RoomItem) -> RoomItem:
        return replace(item, text=item.text.replace(script.ANNIE, "Annette")) if item.is_notice else item

    assert broken(with_room(record, lambda room: tuple(map(change, room)))) == {
        "Qui vient, dans le salon : chacun comme il l’a dit"
    }
    named = with_mails(record, lambda mail: replace(mail, text=mail.text.replace("viennent.", "viennent : Paul.")))
    assert broken(named) == {"Qui vient, par courriel : le nombre, sans les noms"}


def test_paper_that_is_none_is_seen(record: Record) -> None:
    spoilt = with_files(record, lambda file: replace(file, begins="00000000") if file.name.endswith(".pdf") else file)
    assert broken(spoilt) == {"Compte rendu approuvé : l’ODT et le PDF, bien faits"}
    visit = replace(record.visit, papers={**record.visit.papers, ".pdf": "00000000"})
    assert broken(replace(record, visit=visit)) == {"Sur le web, le compte rendu en ODT et en PDF"}


def test_page_without_the_decision_is_seen(record: Record) -> None:
    pages = {url: text.replace("louer la sono", "") for url, text in record.visit.pages.items()}
    complaints = broken(replace(record, visit=replace(record.visit, pages=pages)))
    assert complaints == {
        *(f"Sur le web, {name} : tout y est" for name in ("le registre", "la réunion", "le compte rendu")),
        "Le résumé de Monique se relit sur le web, par son lien",
    }


def test_uncorrected_minutes_are_seen(record: Record) -> None:
    def change(mail: Email) -> Email:
        is_approved = says(mail.text, script.APPROVED.in_list)
        return replace(mail, text=mail.text.replace("Haddad", "Hadad")) if is_approved else mail

    assert broken(with_mails(record, change)) == {"Compte rendu : la correction de Paul y est"}


def with_direct(record: Record, change: Callable[[RoomItem], tuple[RoomItem, ...]]) -> Record:
    """Change what Léa alone is told."""
    direct = tuple(told for item in record.sides.direct for told in change(item))
    return replace(record, sides=replace(record.sides, direct=direct))


@pytest.mark.parametrize("copies", [0, 2])
def test_lost_or_doubled_digest_in_the_direct_room_is_seen(record: Record, copies: int) -> None:
    def change(item: RoomItem) -> tuple[RoomItem, ...]:
        return (item,) * (copies if says(item.text, script.DIGEST_IN_ROOM) else 1)

    assert "Résumé dans le salon : une fois, à Léa seule" in broken(with_direct(record, change))


def test_digest_that_tells_what_was_taken_back_is_seen(record: Record) -> None:
    def change(item: RoomItem) -> tuple[RoomItem, ...]:
        return (replace(item, text=f"{item.text}\n{script.KARIM_REGRETS.text}"),)

    assert broken(with_direct(record, change)) == {"Les résumés : rien de ce qui ne devait pas partir"}


def test_address_in_the_direct_room_is_seen(record: Record) -> None:
    def change(item: RoomItem) -> tuple[RoomItem, ...]:
        return (replace(item, text=f"{item.text} {record.addresses[0]}"),)

    assert broken(with_direct(record, change)) == {"Aucune adresse dans le salon, ni dans les pièces jointes"}


def test_page_of_the_association_that_says_nothing_is_seen(record: Record) -> None:
    pages = {url: "" if url.endswith("/now") else text for url, text in record.visit.pages.items()}
    complaints = broken(replace(record, visit=replace(record.visit, pages=pages)))
    assert complaints == {"La page de l’association dit qui fait quoi"}
