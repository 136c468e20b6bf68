"""Answers to a digest as the big mail programs quote it: each part finds its item, or is asked back. The samples are
ours, written in the styles of these programs; they quote the digest that stands beside them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from passerelle.core.digest_answers import Quotable, Told, take_apart
from passerelle.flows.digest_answers import stretches_of
from passerelle.flows.privacy_mail import Letter
from passerelle.mail.author import recover_author
from passerelle.mail.html_text import html_to_text
from passerelle.mail.parse import parse_email
from tests.flows.bridge import MakeBridge, body_of
from tests.flows.digest_answering import digest_sent, reply, told
from tests.flows.meetings import answered
from tests.flows.test_register_notes import entries

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
#: Lines that begin an item.
TITLES = re.compile(r"^((?:Réunion|Décision|Action|Goûter) [0-9].*|Salle)$", re.MULTILINE)


def told_then() -> Told:
    """The digest that the samples quote."""
    text = (SAMPLES / "digest.txt").read_text("utf-8")
    titles = re.findall(r"^- (.+)\n(?:  .+\n)+  Code : \[", text.replace("\u00a0", " "), re.MULTILINE)
    assert len(titles) == len(CODES)
    items = tuple(Quotable(key=title, token=code, title=title) for title, code in zip(titles, CODES, strict=True))
    return Told(items=items, text=text + html_to_text((SAMPLES / "digest.html").read_text("utf-8")))


def placed(name: str) -> dict[str, str]:
    """Of an answer, the words of each part by the title of its item."""
    email = parse_email((SAMPLES / f"{name}.eml").read_bytes())
    author = recover_author(email, list_addresses=frozenset())
    assert author is not None
    letter = Letter(email=email, author=author)
    pieces = take_apart(stretches_of(letter), told_then(), subject=email.subject, author=author.name)
    return {piece.key: piece.text for piece in pieces}


@pytest.mark.parametrize("name", EXPECTED)
def test_every_style_is_placed(name: str) -> None:
    expected = EXPECTED[name]
    found = {next((t for t in expected if t and t in key), key): said for key, said in placed(name).items()}
    assert found == expected


def test_no_sample_is_forgotten() -> None:
    assert {path.stem for path in SAMPLES.glob("*.eml")} == set(EXPECTED)


# ------------------------------------------------------------ the whole way


def written_into(text: str) -> str:
    """A digest with answers below three of its items, as a program that marks no quote leaves it."""
    lines = []
    for line in text.splitlines():
        lines.append(line)
        code = re.search(r"\[([a-z2-7]{5})\]", line)
        if code is not None:
            title = re.findall(r"^- (.+)", "\n".join(lines), re.MULTILINE)[-1].replace("\u00a0", " ")
            lines += ["", *(said for part, said in ALL.items() if part in title)]
    return "\n".join(lines)


YAHOO = (
    "Le lundi 30 novembre 2026 à 08:00:00 UTC+1, Comité de quartier de l’Épeule <passerelle@membres.lab.test> a écrit :"
)
HEADER = """________________________________
De : Comité de quartier de l’Épeule <passerelle@membres.lab.test>
Envoyé : lundi 30 novembre 2026 08:00
À : Monique Delattre <monique@membres.lab.test>
Objet : Comité de quartier de l’Épeule

"""


@pytest.mark.parametrize("style", ["outlook", "outlook_html", "yahoo", "thunderbird"])
async def test_what_was_placed_is_done(make_bridge: MakeBridge, style: str) -> None:
    bridge, sent = await digest_sent(make_bridge)
    html = sent.get_body(("html",))
    assert html is not None
    text = html_to_text(html.get_content()) if style == "outlook_html" else body_of(sent)
    # In the text of the HTML part a title has no sign before it.
    inside = written_into(text if style != "outlook_html" else re.sub(TITLES, r"- \1", text))
    begun = "Le 30/11/2026 à 08:00, Comité de quartier de l’Épeule a écrit :\n"
    texts = {
        "outlook": f"Voir mes réponses dans le texte.\n\n{HEADER}{inside}\n",
        "outlook_html": f"Voir mes réponses dans le texte.\n\n{HEADER}{inside}\n",
        "yahoo": f"    {YAHOO}  \n \n {inside}  \n",
        "thunderbird": begun + "\n".join(f"> {x}" if x not in ALL.values() else x for x in inside.splitlines()) + "\n",
    }
    await bridge.receive(reply(bridge, texts[style], sent))
    assert (await bridge.reasons())[-1] == "obeyed"
    assert await answered(bridge, 1) == {"Monique Delattre": "yes"}
    assert [entry.state for entry in await entries(bridge)] == ["objected", "open"]
    (question,) = await told(bridge, "Faut-il envoyer")
    assert "> Je ferai une tarte.\n\n" in body_of(question).replace("\r", "")
    assert await told(bridge, "À quel point") == []
