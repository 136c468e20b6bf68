"""Answers to a digest as the big mail programs quote it: each part finds its item, or is asked back. The samples are
ours, written in the styles of these programs; the codes in them are put in the place of the digest's own."""

from __future__ import annotations

import re
from email.message import EmailMessage
from pathlib import Path

from passerelle.flows.actors import actor_of_email
from passerelle.flows.digest_answers import parts_of_answer
from passerelle.flows.privacy_mail import Letter
from passerelle.flows.said import Said
from passerelle.mail.author import recover_author
from passerelle.mail.parse import parse_email
from passerelle.mail.trim import visible_text
from tests.flows.bridge import Bridge, MakeBridge, body_of
from tests.flows.digest_answering import digest_sent

SAMPLES = Path(__file__).parents[1] / "samples" / "digest_answers"
MEETING, DECISION, ACTION = "Budget de la fête", "louer la salle des fêtes", "Monique imprime"
TARTE, BRIOCHE = "Goûter 1", "Goûter 2"
#: As they stand in the samples.
CODES = ("h7xz6", "m3tv6", "g4is6", "q7lp7", "k2ji7", "z2wh3")
ALL = {MEETING: "Je viens, merci.", DECISION: "Objection : c'est trop cher.", TARTE: "Je ferai une tarte."}
EXPECTED = {
    "gmail_inline": ALL,
    "gmail_html_only_inline": ALL,
    "gmail_top_with_code": {DECISION: ALL[DECISION]},
    "outlook_top": {"": "Je suis d’accord avec tout cela.\n\nMonique"},
    "outlook_inline": ALL,
    "outlook_html_inline": ALL,
    "thunderbird_inline": ALL,
    "thunderbird_selection": {ACTION: "Fait."},
    "thunderbird_code_cut": {BRIOCHE: "Une brioche aussi.", TARTE: "Je ferai une tarte."},
    "apple_mail_inline": ALL,
    "iphone_top": {"": "Pas pour moi cette fois."},
    "yahoo_inline": ALL,
    "yahoo_top_with_code": {MEETING: ALL[MEETING]},
    "orange_inline": ALL,
    "sfr_top": {"": "Tout cela me va."},
    "sfr_inline": ALL,
    "k9_inline": ALL,
    "one_item_top": {TARTE: "Je ferai une tarte."},
    "mailto_no_quote": {MEETING: "Je ne peux pas.\n\nMonique"},
    "between_title_and_code": {DECISION: ALL[DECISION], ACTION: "Fait."},
}


def codes(text: str) -> list[str]:
    return re.findall(r"\[([a-z2-7]{5})\]", text)


def sample(name: str, sent: EmailMessage) -> bytes:
    """A sample, in answer to that digest."""
    raw = (SAMPLES / f"{name}.eml").read_bytes()
    for old, new in zip(CODES, codes(body_of(sent)), strict=True):
        raw = raw.replace(old.encode(), new.encode())
    return raw.replace(b"<digest@membres.lab.test>", str(sent["Message-ID"]).encode())


async def placed(bridge: Bridge, raw: bytes) -> dict[str, str] | None:
    """Of an answer, the words of each part by the title of its item."""
    email = parse_email(raw)
    author = recover_author(email, list_addresses=frozenset())
    assert author is not None
    async with bridge.ctx.store.read() as conn:
        actor = await actor_of_email(bridge.ctx, conn, bridge.link, email, author, through_list=False)
        said = Said(
            link=bridge.link, actor=actor, text=visible_text(email.text or ""), said_at=bridge.now(), key="inbox:1",
            email=email, author=author, is_private=True,
        )  # fmt: skip
        parts = await parts_of_answer(bridge.ctx, conn, said, Letter(email=email, author=author))
    return None if parts is None else {part.item.title if part.item else "": part.said.text for part in parts}


async def test_every_style_is_placed(make_bridge: MakeBridge) -> None:
    bridge, sent = await digest_sent(make_bridge)
    assert {path.stem for path in SAMPLES.glob("*.eml")} == set(EXPECTED)
    found = {}
    for name, expected in EXPECTED.items():
        told = await placed(bridge, sample(name, sent)) or {}
        by_title = {next((t for t in expected if t and t in title), title): said for title, said in told.items()}
        if by_title != expected:
            found[name] = by_title
    assert found == {}
