"""Mails of the bridge from templates: HTML beside text, files, threads, and what members' answers are known by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from passerelle.core.email import Mailbox
from passerelle.core.ids import MailAddress, MessageId
from passerelle.flows.context import FlowContext
from passerelle.flows.list_notice import NoticeExtras, insert_list_notice, notice_message_id
from passerelle.flows.personal_email import Personal, insert_personal_email, personal_message_id
from passerelle.mail.compose_types import CalendarPart, MailFile, Unsubscribe
from passerelle.render import Renderer
from passerelle.store.outbox import find_outbox_by_message_id
from tests.flows.bridge import BRIDGE, LIST, Bridge, body_of, mail

PAUL = Mailbox(name="Paul", address=MailAddress("paul@membres.lab.test"))
CALENDAR = CalendarPart(method="REQUEST", data=b"BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n")
TEXT, HTML = "welcome.fr.txt.j2", "welcome.fr.html.j2"
WriteTemplates = Callable[..., FlowContext]


@pytest.fixture
def with_templates(bridge: Bridge, tmp_path: Path) -> WriteTemplates:
    """The bridge's context, with an association's own templates under `templates/mail/`."""

    def write(**files: str) -> FlowContext:
        folder = tmp_path / "own"
        for name, words in files.items():
            path = folder / "mail" / {"text": TEXT, "html": HTML}[name]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(words, "utf-8")
        return replace(bridge.ctx, renderer=lambda _: Renderer(folder, "fr"))

    return write


async def last(bridge: Bridge) -> EmailMessage:
    row = (await bridge.outbox("email"))[-1]
    made = message_from_bytes(await bridge.raw_of(row), policy=policy.default)
    assert isinstance(made, EmailMessage)
    return made


LETTER = Personal(to=PAUL, template="welcome", unique_key="k", variables={"who": "Paul & Annie"}, html=True)


async def test_html_stands_beside_the_text_where_it_is_asked_for(
    bridge: Bridge, with_templates: WriteTemplates
) -> None:
    ctx = with_templates(
        text="Objet: Bonjour\n\nVoici {{ who }}.\n", html="<title>{{ subject }}</title><p>{{ who }}</p>"
    )
    async with ctx.store.write() as conn:
        await insert_personal_email(ctx, conn, bridge.link, LETTER)
    both = await last(bridge)
    assert body_of(both).strip() == "Voici Paul & Annie."
    html = both.get_body(("html",))
    assert html is not None
    assert html.get_content().strip() == "<title>Bonjour</title><p>Paul &amp; Annie</p>"
    async with ctx.store.write() as conn:
        await insert_personal_email(ctx, conn, bridge.link, replace(LETTER, html=False, unique_key="k2"))
        await insert_list_notice(
            ctx,
            conn,
            bridge.link,
            template="welcome",
            unique_key="k3",
            variables={"who": "Paul"},
            extras=NoticeExtras(html=True),
        )
    rows = (await bridge.outbox("email"))[-2:]
    made = [message_from_bytes(await bridge.raw_of(row), policy=policy.default) for row in rows]
    assert [one.get_content_type() for one in made] == ["text/plain", "multipart/alternative"]


async def test_a_changed_text_does_not_leave_beside_our_html(bridge: Bridge, with_templates: WriteTemplates) -> None:
    """There is no HTML of ours beside `welcome`; beside the room's conversation there is."""
    renderer = with_templates(text="Objet: Bonjour\n\nVoici.\n").renderer(bridge.link.association)
    assert renderer.letter_html("mail/welcome") is None
    values = {"subject": "x", "turns": (), "corrections": (), "reactions": ()}
    assert Renderer(None, "fr").letter_html("mail/conversation", **values) is not None
    folder = renderer._folder
    assert folder is not None
    (folder / "mail" / "conversation.txt.j2").write_text("Voici.\n")
    assert Renderer(folder, "fr").letter_html("mail/conversation", **values) is None


async def test_all_that_a_personal_mail_carries(bridge: Bridge, with_templates: WriteTemplates) -> None:
    ctx = with_templates(text="Objet: Bonjour\n\nVoici {{ who }}.\n")
    mail_of_paul = replace(
        LETTER,
        files=(MailFile(filename="a.pdf", media_type="application/pdf", data=b"%PDF"),),
        calendar=CALENDAR,
        in_reply_to=personal_message_id(ctx, bridge.link, "before"),
        reply_to=MailAddress("passerelle+r4@membres.lab.test"),
        unsubscribe=Unsubscribe(url="https://a.example/d"),
        help_url="https://a.example/aide",
        archived_at=("https://a.example/cr/4",),
    )
    async with ctx.store.write() as conn:
        await insert_personal_email(ctx, conn, bridge.link, mail_of_paul)
        ours = await find_outbox_by_message_id(conn, personal_message_id(ctx, bridge.link, "k"))
    assert ours is not None
    assert ours.unique_key == "k"
    made = await last(bridge)
    types = [part.get_content_type() for part in made.walk()]
    assert types[-3:] == ["text/calendar", "application/pdf", "application/ics"]
    assert made["In-Reply-To"] == f"<{personal_message_id(ctx, bridge.link, 'before')}>"
    assert (made["Reply-To"], made["Auto-Submitted"]) == ("passerelle+r4@membres.lab.test", "auto-generated")
    assert (made["List-Unsubscribe"], made["List-Help"]) == ("<https://a.example/d>", "<https://a.example/aide>")
    assert made["Archived-At"] == "<https://a.example/cr/4>"


async def test_a_members_answer_finds_the_notice_that_it_answers(
    bridge: Bridge, with_templates: WriteTemplates
) -> None:
    ctx = with_templates(text="Objet: Réunion\n\nVenez-vous ?\n")
    link = bridge.link
    first, second = (notice_message_id(ctx, link, key) for key in ("meeting:4:convocation", "meeting:4:reminder"))
    extras = NoticeExtras(in_reply_to=first, reply_to=MailAddress("passerelle+r4@membres.lab.test"))
    async with ctx.store.write() as conn:
        for key, more in (("meeting:4:convocation", NoticeExtras()), ("meeting:4:reminder", extras)):
            await insert_list_notice(ctx, conn, link, template="welcome", unique_key=key, variables={}, extras=more)
        found = await find_outbox_by_message_id(conn, second)
    assert found is not None
    assert (found.unique_key, found.recipient, found.message_id) == ("meeting:4:reminder", LIST, second)
    made = await last(bridge)
    assert (made["Message-ID"], made["In-Reply-To"], made["References"]) == (f"<{second}>", f"<{first}>", f"<{first}>")
    assert made["From"].addresses[0].addr_spec == BRIDGE
    assert "Auto-Submitted" not in made
    # What comes back of the list is our own, whatever it carries, and a member's answer is relayed into one thread.
    echo = (await bridge.raw_of((await bridge.outbox("email"))[-1])).replace(
        b"MIME-Version", b"List-Id: <bureau.listes.lab.test>\r\nMIME-Version", 1
    )
    await bridge.receive(echo)
    assert (await bridge.reasons())[-1] == "own"
    await bridge.receive(mail("Oui.", subject="Re: Réunion", message_id="oui@x", answering=(first, second)))
    assert (await bridge.states())[-1] == "done"


async def test_present_callers_have_what_they_had(bridge: Bridge, with_templates: WriteTemplates) -> None:
    ctx = with_templates(text="Objet: Bonjour\n\nVoici.\n")
    async with ctx.store.write() as conn:
        await insert_list_notice(ctx, conn, bridge.link, template="welcome", unique_key="n", variables={})
    made = await last(bridge)
    assert made.get_content_type() == "text/plain"
    assert made["Reply-To"] == "monique@membres.lab.test"
    assert "In-Reply-To" not in made
    assert made["Message-ID"] == f"<{MessageId(ctx.hashed('notice', 'n'))}@membres.lab.test>"
