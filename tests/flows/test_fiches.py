"""Fiches, by the real flows: made from what was said, completed, published only with what was agreed to."""

from __future__ import annotations

import json
from datetime import datetime
from email import message_from_bytes, policy
from typing import Any

import pytest
from sqlalchemy import select

from passerelle.core.digest_settings import NetworkSettings
from passerelle.core.fiche import Fiche, NewFiche
from passerelle.core.ids import MailAddress, PostId
from passerelle.core.meeting_model import NewMeeting
from passerelle.core.register_model import NewEntry
from passerelle.flows.fiche_read import SeenFiche, seen_by_readers
from passerelle.flows.hide_post import hide_post
from passerelle.flows.import_roster import import_roster
from passerelle.flows.retain import retain
from passerelle.rosters.roster import Roster, RosterMember
from passerelle.store.digest_tables import consent
from passerelle.store.fiches import insert_fiche, list_fiches
from passerelle.store.meetings import insert_meeting
from passerelle.store.people import find_or_insert_named_person, find_person
from passerelle.store.register import insert_entry
from passerelle.store.tables import post
from tests.flows.bridge import Bridge, MakeBridge, body_of, mail
from tests.flows.meetings import configured
from tests.flows.test_erasure_secretary import forget
from tests.flows.test_register_commands import COORDINATORS, MONIQUE, letter

PAUL = "Paul Mercier <paul@membres.lab.test>"
THE_WORDS = "Le loto a rempli la salle des fêtes en novembre."
PAULS_WORDS = "La prochaine fois, ouvrons la caisse une heure plus tôt."


@pytest.fixture
async def group(make_bridge: MakeBridge) -> Bridge:
    """Monique writes of the loto, Paul and Léa answer, Monique asks for a fiche."""
    bridge: Bridge = await make_bridge(coordinators=COORDINATORS)
    await talk(bridge)
    return bridge


async def talk(bridge: Bridge) -> None:
    await bridge.receive(mail(f"Bonjour à tous,\n\n{THE_WORDS}", message_id="loto@x", author=MONIQUE))
    answer = mail(f"{PAULS_WORDS} Bonne journée !", subject="Re: Loto du quartier", author=PAUL, message_id="paul@x",
                  answering=("loto@x",))  # fmt: skip
    await bridge.receive(answer)
    await bridge.deliver_events()


async def asked_for(bridge: Bridge, *, title: str = "") -> Fiche:
    """The draft that Monique asks for, in answer to the first mail."""
    said = f"!fiche{f' : {title}' if title else ''}"
    await bridge.receive(mail(said, subject="Re: Loto", author=MONIQUE, message_id="fais@x", answering=("loto@x",)))
    return await the_fiche(bridge)


async def the_fiche(bridge: Bridge) -> Fiche:
    async with bridge.ctx.store.read() as conn:
        return (await list_fiches(conn, bridge.link.association_name))[0]


async def seen(bridge: Bridge, audience: Any = "association") -> SeenFiche | None:
    fiche = await the_fiche(bridge)
    async with bridge.ctx.store.read() as conn:
        return await seen_by_readers(conn, fiche, audience)


async def letters(bridge: Bridge) -> list[str]:
    return [plain(body_of(one)) for one in await bridge.personal_mails()]


def plain(text: str) -> str:
    """With ordinary spaces, to be compared."""
    return text.replace("\u00a0", " ").replace("\u202f", " ").replace("\r\n", "\n")


async def message_id_of(bridge: Bridge, words: str) -> str:
    (found,) = [one for one in await bridge.personal_mails() if words in plain(body_of(one))]
    return str(found["Message-ID"]).strip("<>")


async def test_a_draft_holds_what_was_said_and_questions_and_is_told_to_one_person(group: Bridge) -> None:
    fiche = await asked_for(group)
    (told,) = await letters(group)
    assert f"« {THE_WORDS} » (Monique Delattre)" in told
    assert f"« {PAULS_WORDS} » (Paul Mercier)" in told
    assert "Qu’est-ce que cela a donné" in told
    assert "Bonne journée" not in told
    assert (fiche.state, fiche.number, fiche.licence) == ("draft", 1, "CC BY-SA 4.0")
    assert await seen(group) is None
    assert "obeyed" in await group.reasons()


async def answer(bridge: Bridge, to: str, body: str, *, author: str, message_id: str) -> None:
    """A private mail in answer to one of the bridge's own, which holds these words."""
    sent = await message_id_of(bridge, to)
    await bridge.receive(letter("Re: fiche", body, author=author, message_id=message_id, answering=(sent,)))


async def published(bridge: Bridge) -> SeenFiche:
    """Monique publishes by her word, and Paul, who is asked, agrees."""
    await asked_for(bridge)
    await answer(bridge, "Voici le brouillon", "publier fiche 1", author=MONIQUE, message_id="p@x")
    await answer(bridge, "Avez-vous bien demandé", "oui", author=MONIQUE, message_id="moi@x")
    await answer(bridge, "Êtes-vous d’accord", "Oui", author=PAUL, message_id="oui@x")
    found = await seen(bridge)
    assert found is not None
    return found


async def test_a_fiche_is_published_once_everybody_quoted_agreed(group: Bridge) -> None:
    found = await published(group)
    assert [part.text for part in found.content.parts] == ["Loto du quartier", THE_WORDS, PAULS_WORDS]
    assert found.who == ("Monique", "Paul")
    assert await seen(group, "network") is None


async def post_id_of(bridge: Bridge, message_id: str) -> PostId:
    async with bridge.ctx.store.read() as conn:
        return PostId((await conn.execute(select(post.c.id).where(post.c.message_id == message_id))).scalar_one())


def texts(found: SeenFiche | None) -> list[str]:
    assert found is not None
    return [part.text for part in found.content.parts]


async def test_who_says_no_is_not_quoted_and_the_rest_is_published(group: Bridge) -> None:
    await asked_for(group)
    await answer(group, "Voici le brouillon", "publier fiche 1", author=MONIQUE, message_id="p@x")
    await answer(group, "Avez-vous bien demandé", "oui", author=MONIQUE, message_id="moi@x")
    await answer(group, "Êtes-vous d’accord", "Non merci", author=PAUL, message_id="non@x")
    found = await seen(group)
    assert texts(found) == ["Loto du quartier", THE_WORDS]
    assert found is not None
    assert found.who == ("Monique",)
    # They may change their mind, both ways.
    await answer(group, "Êtes-vous d’accord", "Oui", author=PAUL, message_id="oui@x")
    assert PAULS_WORDS in texts(await seen(group))
    await group.receive(letter("retirer mon accord fiche 1", author=PAUL, message_id="retire@x"))
    assert PAULS_WORDS not in texts(await seen(group))


async def test_silence_is_no_agreement_and_each_is_asked_once(group: Bridge) -> None:
    await asked_for(group)
    for turn in range(2):
        said = f"publier fiche 1{'.' * turn}"
        await answer(group, "Voici le brouillon", said, author=MONIQUE, message_id=f"p{turn}@x")
        (*_, last) = await group.personal_mails()
        assert "Avez-vous bien demandé" in plain(body_of(last))
        sent = str(last["Message-ID"]).strip("<>")
        await group.receive(letter("Re: x", "oui", author=MONIQUE, message_id=f"oui{turn}@x", answering=(sent,)))
    assert texts(await seen(group)) == ["Loto du quartier", THE_WORDS]
    assert len([one for one in await letters(group) if "Êtes-vous d’accord" in one]) == 1
    told = [one for one in await letters(group) if "publiée" in one]
    assert "Paul" not in "".join(told), "nobody's silence is shown"


async def test_another_s_yes_counts_for_nobody(group: Bridge) -> None:
    await asked_for(group)
    await answer(group, "Voici le brouillon", "publier fiche 1", author=MONIQUE, message_id="p@x")
    await answer(group, "Avez-vous bien demandé", "oui", author=MONIQUE, message_id="moi@x")
    await answer(group, "Êtes-vous d’accord", "Oui", author=MONIQUE, message_id="oui@x")
    assert await seen(group) is None
    assert (await the_fiche(group)).state == "asked"


async def test_a_draft_is_completed_by_its_authors_and_earlier_words_are_kept(group: Bridge) -> None:
    await asked_for(group, title="Réussir un loto")
    lines = "résultats : 120 personnes.\nEt 300 € pour le jardin.\nconseil : un micro\nlicence : CC BY 4.0"
    await answer(group, "Voici le brouillon", lines, author=MONIQUE, message_id="c1@x")
    await answer(group, "Voici le brouillon", "conseil : deux micros", author=MONIQUE, message_id="c2@x")
    fiche = await the_fiche(group)
    assert fiche.content.title == "Réussir un loto"
    assert [part.text for part in fiche.content.of("results")] == ["120 personnes.\nEt 300 € pour le jardin."]
    assert [part.text for part in fiche.content.of("advice")] == ["deux micros"]
    assert [part.text for part in fiche.content.versions] == ["un micro"]
    assert fiche.licence == "CC BY 4.0"
    assert [part.text for part in fiche.content.of("again")] == [PAULS_WORDS], "a quotation is nobody's to change"


async def test_in_the_room_it_is_made_by_a_reply_and_told_privately(group: Bridge) -> None:
    event = f"$sent{next(row.id for row in await group.outbox('event') if row.post_id)}"
    relates = {"m.relates_to": {"m.in_reply_to": {"event_id": event}}}
    await group.say("J’apporte des chaises pour le loto, comme d’habitude.")
    await group.say("!fiche", **relates)
    assert (await the_fiche(group)).made_by_person_id is not None
    (told,) = [row for row in await group.outbox("direct") if "brouillon" in str((row.content or {})["body"])]
    assert told.recipient == "@lea:lab.test"
    await group.say("!fiche 1 conseil : prévoir des chaises")
    assert [part.text for part in (await the_fiche(group)).content.of("advice")] == ["prévoir des chaises"]
    await group.say("!fiche 1 conseil : rien", sender="@karim2:lab.test")
    assert [part.text for part in (await the_fiche(group)).content.of("advice")] == ["prévoir des chaises"]
    shown = [str((row.content or {})["body"]) for row in await group.outbox("event")]
    assert not [one for one in shown if "brouillon" in one]


async def test_who_neither_writes_nor_reads_is_neither_quoted_nor_named(group: Bridge) -> None:
    await group.receive(
        mail("présente : Mme Haddad, par téléphone", subject="Réunion", author=MONIQUE, message_id="h@x")
    )
    async with group.ctx.store.write() as conn:
        await find_or_insert_named_person(conn, group.link.association_name, "Mme Haddad", now=group.now())
    said = "Un conseil de Mme Haddad : gardez les lots chez elle. Conseil : comptez les lots deux fois."
    await group.receive(mail(said, subject="Re: Loto", author=PAUL, message_id="p2@x", answering=("loto@x",)))
    document = json.dumps((await asked_for(group)).document, ensure_ascii=False)
    assert "Haddad" not in document
    assert "comptez les lots deux fois" in document


async def test_what_is_taken_out_is_quoted_no_longer(group: Bridge) -> None:
    await published(group)
    async with group.ctx.store.write() as conn:
        assert await hide_post(group.ctx, conn, await post_id_of(group, "paul@x"), by="Monique") == "hidden"
    assert texts(await seen(group)) == ["Loto du quartier", THE_WORDS]
    assert PAULS_WORDS not in json.dumps((await the_fiche(group)).document, ensure_ascii=False)


async def test_a_draft_that_has_not_left_does_not_quote_what_was_taken_out(group: Bridge) -> None:
    await asked_for(group)
    (row,) = [row for row in await group.outbox("email") if row.unique_key.startswith("about/fiche/")]
    assert PAULS_WORDS in (await letters(group))[-1]
    async with group.ctx.store.write() as conn:
        assert await hide_post(group.ctx, conn, await post_id_of(group, "paul@x"), by="Monique") == "hidden"
    (row,) = [row for row in await group.outbox("email") if row.unique_key.startswith("about/fiche/")]
    assert (row.state, row.raw_hash) == ("cancelled", None)
    # Whoever wants it asks again, and is told the rest.
    await group.receive(letter("fiche 1", author=MONIQUE, message_id="encore@x"))
    kept = [row for row in await group.outbox("email") if row.state != "cancelled"]
    told = plain(body_of(message_from_bytes(await group.raw_of(kept[-1]), policy=policy.default)))
    assert THE_WORDS in told
    assert PAULS_WORDS not in told


async def test_drafts_expire_and_what_is_published_outlives_its_posts(make_bridge: MakeBridge) -> None:
    kept = {"archive": {"retention": {"posts_days": 30, "logs_days": 40}}}
    group: Bridge = await make_bridge(coordinators=COORDINATORS, **kept)
    await talk(group)
    await published(group)
    async with group.ctx.store.write() as conn:
        fiche = await the_fiche(group)
        values = {name: getattr(fiche, name) for name in NewFiche.__dataclass_fields__}
        await insert_fiche(conn, NewFiche(**(values | {"number": 2, "state": "draft", "permalink": "x" * 12})))
    group.pass_time(days=100)
    await retain(group.ctx)
    async with group.ctx.store.read() as conn:
        left = await list_fiches(conn, group.link.association_name)
        assert [one.number for one in left] == [1]
        assert (await conn.execute(select(post.c.text).where(post.c.text != ""))).all() == []
    assert PAULS_WORDS in texts(await seen(group))


async def test_a_tag_is_made_into_one(group: Bridge) -> None:
    sown = "Nous avons semé #Jardin ce matin.\nidée : un composteur #jardin"
    await group.receive(mail(sown, subject="Jardin", author=PAUL, message_id="j@x"))
    await group.receive(mail("Rien à voir avec le #jardinage.", subject="Autre", author=PAUL, message_id="j2@x"))
    await group.receive(letter("fiche #jardin : Un potager", author=MONIQUE, message_id="t@x"))
    fiche = await the_fiche(group)
    assert (fiche.content.source.kind, fiche.content.source.name, fiche.content.title) == (
        "tag",
        "jardin",
        "Un potager",
    )
    document = json.dumps(fiche.document, ensure_ascii=False)
    assert "Nous avons semé #Jardin" in document
    assert "composteur" in document
    assert "jardinage" not in document
    # Tags are the same everywhere: accents and capitals do not matter, and a subject bears one as well.
    told = mail("Les crêpes se vendent mieux chaudes.", subject="#Fête des voisins", author=PAUL, message_id="f@x")
    await group.receive(told)
    await group.receive(letter("fiche #fete", author=MONIQUE, message_id="t3@x"))
    assert "Les crêpes se vendent mieux chaudes." in json.dumps((await the_fiche(group)).document, ensure_ascii=False)
    await group.receive(letter("fiche #inconnu", author=MONIQUE, message_id="t2@x"))
    assert "rien à citer" in (await letters(group))[-1]


async def test_a_meeting_is_made_into_one_of_what_it_decided(group: Bridge) -> None:
    link = group.link
    async with group.ctx.store.write() as conn:
        meeting = await insert_meeting(
            conn,
            NewMeeting(
                association=link.association_name, link=link.name, uid="u", title="Bilan du loto", state="approved",
                starts_local=datetime(2026, 11, 16, 18, 0), zone="Europe/Paris", duration_minutes=60,  # noqa: DTZ001
                organizer_name="Monique", created_at=group.now(),
            ),
        )  # fmt: skip
        paul = await find_person(conn, link.association_name, name="", address=MailAddress("paul@membres.lab.test"))
        for text, state, said_for in (("recommencer en mars", "adopted", ""), ("acheter un car", "proposed", ""),
                                      ("garder les lots", "adopted", "Mme Haddad")):  # fmt: skip
            await insert_entry(
                conn,
                NewEntry(
                    association=link.association_name, link=link.name, kind="decision", text=text, state=state,
                    said_at=group.now(), author_name="Paul Mercier", author_person_id=paul, said_for=said_for,
                    meeting_id=meeting.id, created_at=group.now(),
                ),
            )  # fmt: skip
    await group.receive(letter(f"fiche réunion {meeting.number} : Un bilan", author=MONIQUE, message_id="m@x"))
    fiche = await the_fiche(group)
    assert [(part.heading, part.text) for part in fiche.content.parts] == [
        ("title", "Un bilan"), ("done", "recommencer en mars"),
    ]  # fmt: skip
    assert fiche.content.asked() == {paul, fiche.made_by_person_id}, "the title is hers"


async def test_to_the_network_each_is_asked_for_that(make_bridge: MakeBridge) -> None:
    group: Bridge = await make_bridge(coordinators=COORDINATORS)
    await talk(group)
    await published(group)
    await group.receive(letter("publier fiche 1 dans le réseau", author=MONIQUE, message_id="r0@x"))
    await yes_of(group, MONIQUE)
    assert "dans aucun réseau" in (await letters(group))[-1]
    network = NetworkSettings(name="quartiers", title="Réseau", associations=(group.link.association_name,))
    group.ctx.settings.__dict__["networks"] = (network,)
    await group.receive(letter("publier la fiche 1 dans le réseau !", author=MONIQUE, message_id="r1@x"))
    await yes_of(group, MONIQUE)
    # It stays what it was until all have answered.
    assert PAULS_WORDS in texts(await seen(group))
    assert await seen(group, "network") is None
    assert "toutes les associations du réseau" in (await letters(group))[-2]
    sent = str((await group.personal_mails())[-2]["Message-ID"]).strip("<>")
    await group.receive(letter("Re: x", "oui", author=PAUL, message_id="r3@x", answering=(sent,)))
    assert PAULS_WORDS in texts(await seen(group, "network"))
    await group.receive(letter("retirer mon accord fiche 1", author=PAUL, message_id="r4@x"))
    assert PAULS_WORDS not in texts(await seen(group, "network"))
    assert PAULS_WORDS not in texts(await seen(group))


async def test_erasing_takes_the_words_out_of_what_is_published(group: Bridge) -> None:
    await published(group)
    await group.receive(letter("fiche 1 conseil : un micro zorglub", author=PAUL, message_id="c2@x"))
    await yes_of(group, PAUL)
    assert [part.text for part in (await the_fiche(group)).content.of("advice")] == ["un micro zorglub"]
    async with group.ctx.store.read() as conn:
        paul = await find_person(
            conn, group.link.association_name, name="", address=MailAddress("paul@membres.lab.test")
        )
    assert paul is not None
    await forget(group, paul)
    left = json.dumps((await the_fiche(group)).document, ensure_ascii=False)
    assert "zorglub" not in left
    assert PAULS_WORDS not in left
    assert "Mercier" not in left
    assert texts(await seen(group)) == ["Loto du quartier", THE_WORDS]
    async with group.ctx.store.read() as conn:
        assert (await conn.execute(select(consent.c.person_id).where(consent.c.person_id == paul))).all() == []
    kept = [await group.raw_of(row) for row in await group.outbox("email") if row.raw_hash is not None]
    assert not [raw for raw in kept if b"zorglub" in raw or b"caisse une heure" in raw]


async def yes_of(bridge: Bridge, who: str) -> None:
    last = (await bridge.personal_mails())[-1]
    sent = str(last["Message-ID"]).strip("<>")
    await bridge.receive(letter("Re: x", "oui", author=who, message_id=f"z{sent[:8]}@x", answering=(sent,)))


async def paul_leaves(bridge: Bridge) -> None:
    members = (RosterMember(address=MailAddress("monique@membres.lab.test")),)
    await import_roster(bridge.ctx, bridge.link, Roster(source="csv", members=members), by="Monique")


async def open_to_all(make_bridge: MakeBridge) -> Bridge:
    """Whoever is known may ask, who left as well."""
    bridge = configured(await make_bridge(coordinators=COORDINATORS), permissions={"search": "anyone"})
    await talk(bridge)
    return bridge


async def test_who_left_reads_no_draft_any_more_though_quoted_in_it(make_bridge: MakeBridge) -> None:
    group = await open_to_all(make_bridge)
    await asked_for(group)
    await group.receive(letter("fiche 1", author=PAUL, message_id="avant@x"))
    assert THE_WORDS in (await letters(group))[-1]
    await paul_leaves(group)
    await group.receive(letter("fiche 1", author=PAUL, message_id="apres@x"))
    assert "Nous ne trouvons pas cette fiche" in (await letters(group))[-1]
    await group.receive(letter("fiche 1 conseil : un zorglub", author=PAUL, message_id="ecrit@x"))
    assert "zorglub" not in json.dumps((await the_fiche(group)).document)


async def test_who_left_learns_no_title_of_what_is_published(make_bridge: MakeBridge) -> None:
    group = await open_to_all(make_bridge)
    await published(group)
    await group.receive(letter("!fiche", author=PAUL, message_id="avant@x"))
    assert "Loto" in (await letters(group))[-1]
    await paul_leaves(group)
    for number, said in enumerate(("!fiche", "fiche 1")):
        before = len(await letters(group))
        await group.receive(letter(said, author=PAUL, message_id=f"apres{number}@x"))
        told = (await letters(group))[before:]
        assert told
        assert not any("Loto" in one or "/fiches/" in one for one in told)
    # What they said is theirs to take back all the same.
    await group.receive(letter("retirer mon accord fiche 1", author=PAUL, message_id="retire@x"))
    assert PAULS_WORDS not in texts(await seen(group))


async def test_the_subject_of_a_post_that_was_taken_out_is_no_title_in_anothers_name(group: Bridge) -> None:
    async with group.ctx.store.write() as conn:
        await hide_post(group.ctx, conn, await post_id_of(group, "loto@x"), by="Monique", is_author=True)
    await group.receive(mail("!fiche", subject="Re: x", author=MONIQUE, message_id="fais@x", answering=("paul@x",)))
    fiche = await the_fiche(group)
    assert [part.text for part in fiche.content.parts] == [PAULS_WORDS]
    assert fiche.content.title == ""


async def test_what_an_author_wrote_for_it_goes_with_their_no_and_to_the_network_only_by_their_yes(
    make_bridge: MakeBridge,
) -> None:
    group: Bridge = await make_bridge(coordinators=COORDINATORS)
    network = NetworkSettings(name="quartiers", title="Réseau", associations=(group.link.association_name,))
    group.ctx.settings.__dict__["networks"] = (network,)
    await talk(group)
    await asked_for(group)
    await group.receive(letter("fiche 1 conseil : un zorglub de rechange", author=PAUL, message_id="c@x"))
    await yes_of(group, PAUL)
    for number, where in enumerate(("", " dans le réseau")):
        for again in range(2):
            await group.receive(letter(f"publier fiche 1{where}", author=MONIQUE, message_id=f"p{number}{again}@x"))
            await yes_of(group, MONIQUE)
        audience = "network" if where else "association"
        assert THE_WORDS in texts(await seen(group, audience))
        assert "un zorglub de rechange" not in texts(await seen(group, audience)), "he was asked, and said nothing"
    await answer(group, "toutes les associations du réseau", "oui", author=PAUL, message_id="oui@x")
    assert "un zorglub de rechange" in texts(await seen(group, "network"))
    await group.receive(letter("retirer mon accord fiche 1", author=PAUL, message_id="retire@x"))
    assert "un zorglub de rechange" not in [*texts(await seen(group, "network")), *texts(await seen(group))]
