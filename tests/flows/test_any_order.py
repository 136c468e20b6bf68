"""The same mails of a list, in whatever order they come, make the same conversations beside those of the room."""

from __future__ import annotations

import random

import pytest
from sqlalchemy import select

from passerelle.store.tables import post, thread
from tests.flows.bridge import Bridge, MakeBridge, mail

MAILS = [
    ("a", (), "Loto du quartier", "Qui apporte les lots ?", "10:00"),
    ("b", ("a",), "Re: Loto du quartier", "Moi, comme l’an dernier.", "10:01"),
    ("c", ("a", "b"), "RE: [bureau] Loto du quartier", "Merci à vous deux.", "10:02"),
    ("d", ("a", "perdu"), "Re: Loto du quartier", "Il manque une table.", "10:03"),
    ("e", ("a", "b", "c"), "Pique-nique de juin", "Et si nous allions au parc ?", "10:04"),
    ("f", ("a", "b", "c", "e"), "Re: Pique-nique de juin", "Bonne idée.", "10:05"),
    ("g", ("absent",), "Re: Bilan moral", "Je le relis ce soir.", "10:06"),
    ("h", ("absent",), "Re: Bilan moral", "Moi aussi.", "10:07"),
]


async def conversations(bridge: Bridge) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Subject, what it was split from, and each mail with the one that it answers."""
    async with bridge.ctx.store.read() as conn:
        posts = {row.id: row for row in await conn.execute(select(post))}
        threads = {row.id: row for row in await conn.execute(select(thread))}
    assert {row.thread_id for row in posts.values()} == threads.keys()
    found = []
    for id, row in threads.items():
        members = sorted(
            (p.message_id or p.text, posts[p.parent_post_id].message_id if p.parent_post_id else "")
            for p in posts.values()
            if p.thread_id == id
        )
        split = threads[row.split_from_thread_id].subject if row.split_from_thread_id else ""
        found.append((row.subject, split, members))
    return sorted(found)


@pytest.mark.parametrize("seed", range(6))
async def test_mails_in_any_order_make_the_same_conversations(make_bridge: MakeBridge, seed: int) -> None:
    bridge: Bridge = await make_bridge(fuse_per_hour=100)
    bridge.pass_time(hours=1)
    order = list(MAILS)
    random.Random(seed).shuffle(order)
    for name, answers, subject, text, clock in order if seed else MAILS:
        raw = mail(
            text,
            subject=subject,
            message_id=name,
            answering=answers,
            Date=f"Tue, 17 Nov 2026 {clock}:00 +0000",
        )
        await bridge.receive(raw)
    assert await conversations(bridge) == [
        ("Bilan moral", "", [("g", ""), ("h", "")]),
        ("Loto du quartier", "", [("a", ""), ("b", "a"), ("c", "b"), ("d", "a")]),
        ("Pique-nique de juin", "Loto du quartier", [("e", ""), ("f", "e")]),
    ]
