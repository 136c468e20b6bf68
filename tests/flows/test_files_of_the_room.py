"""Files said in the room: fetched before their line leaves, voice as MP3, named where they cannot be had."""

from __future__ import annotations

from typing import Any

import pytest

from passerelle.core.ports import Media
from passerelle.errors import AccessRefused, PermanentFailure, TemporaryFailure
from passerelle.fetching import Fetching
from passerelle.store.attachments import claim_wanted
from tests.flows.bridge import Bridge, body_of
from tests.unit.mail.test_voice import recorded


class Repository:
    """The homeserver's files; it refuses what was not asked of it."""

    def __init__(self, *answers: bytes | Exception) -> None:
        self.answers = list(answers)

    async def download(self, media: Media) -> bytes:
        assert media.url == "mxc://lab.test/file"
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


async def fetch(bridge: Bridge, repository: Repository) -> None:
    """One look at what is wanted."""
    fetching = Fetching(bridge.ctx, repository)  # type: ignore[arg-type]
    for row in await claim_wanted(bridge.ctx.store, bridge.now(), limit=10):
        await fetching._one(row)


async def say_file(bridge: Bridge, **content: Any) -> None:
    whole = {"msgtype": "m.file", "body": "compte rendu.pdf", "url": "mxc://lab.test/file", "info": {}, **content}
    await bridge.happen(bridge.event("@lea:lab.test", whole))


async def test_line_waits_for_its_file_and_leaves_with_it(bridge: Bridge) -> None:
    await say_file(bridge, info={"mimetype": "application/pdf", "size": 4})
    assert await bridge.settle() == []
    await fetch(bridge, Repository(b"%PDF"))
    (sent,) = await bridge.settle()
    (file,) = list(sent.iter_attachments())
    assert (file.get_filename(), file.get_content()) == ("compte rendu.pdf", b"%PDF")


async def test_voice_message_leaves_as_mp3_with_author_and_length(bridge: Bridge) -> None:
    await say_file(
        bridge,
        msgtype="m.audio",
        body="Voice message.ogg",
        info={"mimetype": "audio/ogg", "duration": 3000},
        **{"org.matrix.msc3245.voice": {}},
    )
    await fetch(bridge, Repository(recorded(3)))
    (sent,) = await bridge.settle()
    (file,) = list(sent.iter_attachments())
    assert file.get_content_type() == "audio/mpeg"
    assert file.get_filename() == "Message vocal de Léa (3 s).mp3"
    assert file.get_content()[:3] == b"ID3" or file.get_content()[0] == 0xFF
    assert "3\u00a0s" in body_of(sent)


async def test_music_stays_as_it_is(bridge: Bridge) -> None:
    music = recorded(1)
    await say_file(bridge, msgtype="m.audio", body="chanson.ogg", info={"mimetype": "audio/ogg", "duration": 1000})
    await fetch(bridge, Repository(music))
    (sent,) = await bridge.settle()
    (file,) = list(sent.iter_attachments())
    assert (file.get_filename(), file.get_content()) == ("chanson.ogg", music)


async def test_file_that_is_gone_is_named_in_its_mail(bridge: Bridge) -> None:
    await say_file(bridge)
    await fetch(bridge, Repository(PermanentFailure("M_NOT_FOUND")))
    (sent,) = await bridge.settle()
    assert "compte rendu.pdf" in body_of(sent)
    assert list(sent.iter_attachments()) == []


@pytest.mark.parametrize("failure", [TemporaryFailure("busy"), AccessRefused("logged out")])
async def test_file_is_asked_for_again(bridge: Bridge, failure: Exception) -> None:
    await say_file(bridge)
    await fetch(bridge, Repository(failure))
    assert await bridge.settle() == []
    bridge.pass_time(minutes=15)
    await fetch(bridge, Repository(b"data"))
    (sent,) = await bridge.settle()
    assert len(list(sent.iter_attachments())) == 1
