"""A person in digests, offers and fiches: their own go; others' name them no longer. Fiches that are published are the
group's, as approved minutes are: they stay, and say no longer who."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.digest_forgetting import Gone, with_item_words, without_gone
from passerelle.core.fiche import without_words_of
from passerelle.core.ids import PostId
from passerelle.core.pseudonyms import with_texts, without_entries, without_person
from passerelle.flows.digest_forgetting import DigestTraces, forget_departure, forget_posts_in_digests
from passerelle.flows.erase_register import HowCleaned, cleaned_name, cleaned_text, how_cleaned
from passerelle.flows.erase_traces import Erasing, LookedFor
from passerelle.store.digest_tables import digest, fiche, offer
from passerelle.store.privacy import set_progress
from passerelle.store.scrub_digests import (
    list_departures_of_digest,
    list_documents_after,
    list_fiches_quoting,
    list_own_permalinks,
    set_document,
)
from passerelle.store.scrub_secretary import list_rows, set_row

_AT_ONCE = 50


async def erase_posts_in_digests(
    erasing: Erasing, conn: AsyncConnection, post_ids: Collection[PostId], *, keeps_published: bool = False
) -> None:
    """These posts stand in no digest any more, and no digest that told of them is kept as it left; `keeps_published`:
    as `flows.digest_forgetting.forget_posts_in_digests`."""
    traces = await forget_posts_in_digests(
        conn, erasing.association, post_ids, now=erasing.ctx.now(), keeps_published=keeps_published
    )
    erasing.count("mails_not_sent", traces.not_sent)
    _note(erasing, traces)


async def in_digests(erasing: Erasing, wanted: LookedFor, own: frozenset[PostId]) -> bool:
    """A step through the digests; whether there is more."""
    async with erasing.ctx.store.write() as conn:
        after = int(erasing.far.get("digest", 0))
        rows = await list_documents_after(conn, digest, erasing.association, after, _AT_ONCE)
        how = how_cleaned(erasing, wanted, is_held=False, is_about=True)
        for row in rows:
            assert how is not None
            document = _cleaned_digest(row["document"], how)
            if document != row["document"]:
                await set_document(conn, digest, row["id"], document)
        if rows:
            erasing.far["digest"] = rows[-1]["id"]
        await set_progress(conn, erasing.request.id, erasing.far)
    return bool(rows)


def _cleaned_digest(document: Mapping[str, Any], how: HowCleaned) -> dict[str, Any]:
    return with_item_words(
        without_gone(document, Gone(entries=how.going.entries)),
        text=lambda text: cleaned_text(text, how),
        name=lambda name: cleaned_name(name, how),
    )


async def in_fiches(erasing: Erasing, wanted: LookedFor, own: frozenset[PostId]) -> bool:
    """Offers and fiches, a step; whether there is more."""
    async with erasing.ctx.store.write() as conn:
        after = int(erasing.far.get("fiche", 0))
        rows = await list_documents_after(conn, fiche, erasing.association, after, _AT_ONCE)
        if not after:
            await _clean_offers(erasing, conn, wanted)
        person = erasing.person
        quoting = await list_fiches_quoting(conn, person.id) if person is not None else frozenset()
        for row in rows:
            how = how_cleaned(erasing, wanted, is_held=False, is_about=row["id"] in quoting)
            assert how is not None
            document = _cleaned_fiche(row["document"], how)
            if document != row["document"]:
                await set_document(conn, fiche, row["id"], document)
        if rows:
            erasing.far["fiche"] = rows[-1]["id"]
        await set_progress(conn, erasing.request.id, erasing.far)
    return bool(rows)


def _cleaned_fiche(document: Mapping[str, Any], how: HowCleaned) -> dict[str, Any]:
    cleaned = without_gone(document, Gone(entries=how.going.entries))
    cleaned = without_entries(cleaned, how.going.numbers)
    if how.person_id is not None:
        cleaned = without_words_of(cleaned, how.person_id)
    if how.going.who is not None and how.is_about:
        cleaned = without_person(cleaned, how.going.who, how.erasing.marks.words)
    return with_texts(cleaned, lambda text: cleaned_text(text, how))


async def _clean_offers(erasing: Erasing, conn: AsyncConnection, wanted: LookedFor) -> None:
    how = how_cleaned(erasing, wanted, is_held=False, is_about=False)
    for row in await list_rows(conn, offer, "association", [erasing.association]):
        if how is None or row["person_id"] == how.person_id:
            continue
        text = cleaned_text(row["text"], how)
        if text != row["text"]:
            await set_row(conn, offer, row, {"text": text})


async def erase_sent_digests(erasing: Erasing, conn: AsyncConnection) -> None:
    """What left for the person as their digest, to whichever address; the rows go with the person."""
    traces = DigestTraces()
    assert erasing.person is not None
    for permalink in await list_own_permalinks(conn, erasing.person.id):
        for row in await list_departures_of_digest(conn, permalink):
            await forget_departure(conn, row.id, traces)
            traces.message_ids += [row.message_id] if row.message_id else []
    _note(erasing, traces)


def _note(erasing: Erasing, traces: DigestTraces) -> None:
    leaving: list[int] = erasing.far.setdefault("leaving", [])
    leaving += [id for id in traces.leaving if id not in leaving]
    for message_id in traces.message_ids:
        erasing.note_email(message_id)
