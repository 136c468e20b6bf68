"""The end: the week told to each side, to who wished for it; and the page that is always right."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from lab.demo import script
from lab.demo.conversation import Scene
from lab.demo.script import Text
from lab.demo.sides import says
from lab.process import NotReadyError

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
#: How often, and how long, it is looked for a message to Léa alone.
_TRIES, _PAUSE_SECONDS = 300, 0.3


def digest_section(now: datetime) -> dict[str, object]:
    """The association's section of digests: by themselves they come on a day that the demonstration does not see."""
    return {"weekday": _DAYS[(now + timedelta(days=3)).weekday()]}


async def play_digest(scene: Scene, *, page_url: str) -> None:
    """Play all steps in order.

    :param page_url: where the page of the association is read.
    :raises NotReadyError: when something does not arrive on the other side.
    """
    await lea_wishes(scene)
    await each_side_is_told(scene, page_url)


async def lea_wishes(scene: Scene) -> None:
    """A wish in plain words, confirmed to her alone."""
    async with scene.stage.step(
        "Léa n'a pas tout suivi : elle demande un résumé, d'une ligne",
        "La passerelle le lui confirme à elle seule, dans un salon à deux. Personne n'en reçoit sans l'avoir demandé, "
        "sauf la coordination.",
    ):
        lea = scene.chatting[script.LEA]
        await lea.say(scene.room_id, script.LEA_WISHES.text)
        await _lea_is_told(scene, script.WISH_NOTED)
        await _sign(scene, script.LEA_WISHES)


async def each_side_is_told(scene: Scene, page_url: str) -> None:
    """The coordinator's digest by mail, the volunteer's in her direct room: at once, instead of at their hour."""
    async with scene.stage.step(
        "Le résumé arrive des deux côtés, à chacune le sien",
        "Chaque lundi à 8 h d'ordinaire pour Monique, chaque jour pour Léa ; ici tout de suite (passerelle digest "
        f"send). Pour tout le monde, une page toujours à jour : {page_url}",
    ):
        for who in (
            scene.association.mail_members[script.MONIQUE].address,
            scene.association.chat_accounts[script.LEA].user_id,
        ):
            await asyncio.to_thread(scene.daemon.command, "digest send", who)
        await scene.watch.until(
            lambda seen: any(not e.is_listed and says(e.text, script.DIGEST_BY_MAIL) for e in seen.emails),
            what="le résumé de Monique",
        )
        await _lea_is_told(scene, script.DIGEST_IN_ROOM)


async def _lea_is_told(scene: Scene, words: str) -> None:
    """Wait until the bridge says it to Léa alone; she takes its invitation as clients offer it."""
    lea = scene.chatting[script.LEA]
    for _ in range(_TRIES):
        for room_id in await lea.invitations():
            await lea.join(room_id)
            scene.watch.add_direct(room_id)
        if any(says(item.text, words) for item in scene.watch.direct):
            return
        await asyncio.sleep(_PAUSE_SECONDS)
    raise NotReadyError(f"« {words} » dans le salon à deux : rien au bout de {_TRIES * _PAUSE_SECONDS:g} s")


async def _sign(scene: Scene, said: Text) -> None:
    line = await scene.room_shows(said)
    await scene.watch.until(
        lambda seen: any(item.reaction and item.replies_to == line.event_id for item in seen.room),
        what=f"un signe sous « {said.words} »",
    )
