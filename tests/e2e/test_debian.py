"""The daemon on Debian's Dovecot and Postfix: one conversation, its connections cut once on the way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import lab.debian_town
from lab.debian_town import DebianTown
from lab.synapse import Synapse
from tests.e2e.troubled import troubled


@pytest.fixture(scope="module")
def debian_town(tmp_path_factory: pytest.TempPathFactory, synapse: Synapse) -> Iterator[DebianTown]:
    """Postfix, Dovecot and Mailman beside the session's homeserver."""
    if reason := lab.debian_town.unavailable():
        pytest.skip(reason)
    with DebianTown(tmp_path_factory.mktemp("debian"), synapse) as town:
        yield town


@pytest.mark.dovecot
async def test_conversation_on_debians_servers(debian_town: DebianTown, tmp_path: Path) -> None:
    async with troubled(debian_town, tmp_path / "debian") as trouble:
        talk = trouble.talk
        async with trouble.association.chat("lea") as lea, trouble.association.chat("karim") as karim:
            question = await talk.write("monique", has_file=True)
            shown = await talk.seen_in_room(lea, question)
            await talk.say(lea, root=shown["event_id"])
            burst = await talk.say(karim)
            await talk.say(lea, replies_to=burst.event_id)
            trouble.imap.cut()
            mail = await talk.seen_in_mailbox("paul", burst.word)
            await talk.write("paul", answers=mail)
            await talk.write("monique")
            await talk.show_file(lea)
        await trouble.expect_all_well()
