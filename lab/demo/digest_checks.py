"""Whether each side was told its digest, once and of what is its own; and whether the pages open. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lab.demo import script
from lab.demo.record import Record
from lab.demo.results import Result
from lab.demo.sides import Email, RoomItem, says, squeezed
from passerelle.core.wording import french_spaces

#: What is told of the meeting, by mail, in the room and on the pages.
_DECIDED, _TO_DO = squeezed(script.DECISION), squeezed(script.ACTION)
_FOR_YOU = french_spaces("Pour vous")


def check_digest(record: Record) -> Iterator[Result]:
    """Check everything about digests."""
    mails = [
        email
        for mailbox in record.sides.mailboxes.values()
        for email in mailbox
        if not email.is_listed and says(email.text, script.DIGEST_BY_MAIL)
    ]
    told = [item for item in record.sides.direct if says(item.text, script.DIGEST_IN_ROOM)]
    yield Result(what="Résumé par courriel : une fois, à Monique seule", holds=len(mails) == 1, seen=str(len(mails)))
    yield Result(what="Résumé dans le salon : une fois, à Léa seule", holds=len(told) == 1, seen=str(len(told)))
    noted = sum(says(item.text, script.WISH_NOTED) for item in record.sides.direct)
    yield Result(what="Le souhait de Léa : confirmé à elle seule, une fois", holds=noted == 1, seen=str(noted))
    texts = [*(email.text for email in mails), *(item.text for item in told)]
    held = sum(says(text, _DECIDED) and says(text, _TO_DO) for text in texts)
    yield Result(what="Les deux résumés disent la décision et l'action", holds=held == 2, seen=str(held))
    yield from _own(mails, told)
    shown = [*(email.everything for email in mails), *(item.text for item in told)]
    leaked = [name for name, said in script.NEVER_BY_MAIL.items() if any(says(text, said.words) for text in shown)]
    yield Result(what="Les résumés : rien de ce qui ne devait pas partir", holds=not leaked, seen=", ".join(leaked))
    yield from _pages(record, mails)


def _own(mails: list[Email], told: list[RoomItem]) -> Iterator[Result]:
    """What is asked of one person stands first in hers, and among other things in the other's."""
    hers = [squeezed(item.text) for item in told]
    first = [text.find(_TO_DO) for text in hers if says(text, _FOR_YOU)]
    holds = bool(first) and all(0 < place < text.find(_DECIDED) for place, text in zip(first, hers, strict=False))
    yield Result(what="Le résumé de Léa commence par ce qu'elle a à faire", holds=holds)
    others = [squeezed(email.text) for email in mails]
    holds = bool(others) and all(text.find(_DECIDED) < text.find(_TO_DO) for text in others)
    yield Result(what="Celui de Monique commence par ce qui engage tout le monde", holds=holds)


def _pages(record: Record, mails: list[Email]) -> Iterator[Result]:
    pages = record.visit.pages
    kept = {url: text for url, text in pages.items() if "/digests/" in url}
    linked = [url for url in kept if any(url in squeezed(email.text).split() for email in mails)]
    held = [says(kept[url], _DECIDED) and says(kept[url], _TO_DO) for url in linked]
    yield Result(
        what="Le résumé de Monique se relit sur le web, par son lien", holds=held == [True], seen=str(len(held))
    )
    found = [text for url, text in pages.items() if re.search("/now$", url)]
    # What was decided and is no more to be discussed stands in the register.
    held = [says(text.lower(), f"{_TO_DO} léa") and not says(text, _DECIDED) for text in found]
    yield Result(what="La page de l'association dit qui fait quoi", holds=held == [True], seen=str(len(found)))
