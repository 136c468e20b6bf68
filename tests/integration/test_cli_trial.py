"""`passerelle try` says what the daemon does: the same mails through both, and their ends compared."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from passerelle.check_send import SendTest, build_test
from passerelle.cli import app
from passerelle.cli.check import _mark
from passerelle.core.ids import MailAddress
from passerelle.errors import PermanentFailure
from passerelle.flows.consent import confirm_link, stop_link
from passerelle.flows.own_email import is_own_email
from passerelle.mail.reading import read_email
from passerelle.trial import try_email
from tests.flows.bridge import BRIDGE, LIST, Bridge, mail
from tests.flows.conftest import make_bridge

__all__ = ["make_bridge"]

MakeBridge = Callable[..., Awaitable[Bridge]]

PLAIN = mail("Qui apporte les lots ?")
SAMPLES = {
    "plain": PLAIN,
    "reply": mail(
        "Moi !\n\nLe 17 nov. 2026, Monique a écrit :\n> Qui apporte les lots ?\n",
        subject="Re: Loto du quartier",
        message_id="reponse@membres.lab.test",
        answering=("question@membres.lab.test",),
        author="Paul Lefebvre <paul@membres.lab.test>",
    ),
    "other_subject": mail(
        "Autre chose.",
        subject="La fuite au local",
        message_id="autre@membres.lab.test",
        answering=("question@membres.lab.test",),
    ),
    "vacation": mail("Je suis absente.", message_id="absence@x.test", Auto_Submitted="auto-replied"),
    "spam": mail("Gagnez !", message_id="spam@x.test", X_Spam_Flag="YES"),
    "nameless": mail("Bonjour.", message_id="sans-nom@x.test", author="jeanne@membres.lab.test"),
    "no_id": mail("Sans identifiant.", message_id=""),
}


def shown(contents: list[Any]) -> list[Any]:
    """Contents without the key of their delivery, and without where an upload will be."""
    return [{k: v for k, v in dict(c).items() if k != "org.passerelle.delivery"} for c in contents]


@pytest.mark.parametrize("name", SAMPLES)
async def test_what_is_said_is_what_happens(make_bridge: MakeBridge, name: str) -> None:
    bridge = await make_bridge()
    if name != "plain":
        await bridge.receive(PLAIN)
        await bridge.deliver_events()
    before = len(await bridge.shown())
    trial = await try_email(bridge.ctx, SAMPLES[name])
    assert len(await bridge.shown()) == before, "a trial stores nothing"
    assert trial.verdict is not None
    await bridge.receive(SAMPLES[name])
    assert (await bridge.reasons())[-1] == trial.verdict.reason
    happened = (await bridge.shown())[before:]
    if trial.verdict.action == "accept":
        assert shown([c.content for c in trial.contents]) == shown(happened)
    else:
        assert happened == []
    assert trial.joins == ("Loto du quartier" if name == "reply" else None)


async def test_the_second_time_it_is_a_duplicate_and_a_stopped_link_holds(make_bridge: MakeBridge) -> None:
    bridge = await make_bridge()
    await bridge.receive(PLAIN)
    trial = await try_email(bridge.ctx, PLAIN)
    assert trial.verdict is not None
    assert trial.verdict.reason == "duplicate"
    await stop_link(bridge.ctx, bridge.link, by="Karim")
    trial = await try_email(bridge.ctx, SAMPLES["reply"])
    assert trial.verdict is not None
    assert trial.verdict.action == "hold"
    await confirm_link(bridge.ctx, bridge.link, by="Karim")


async def test_routes(make_bridge: MakeBridge) -> None:
    bridge = await make_bridge(confirmed=False)
    foreign = await try_email(bridge.ctx, mail("Bonjour", to="voisin@x.test", list_id=None))
    assert foreign.foreign
    private = await try_email(bridge.ctx, mail("Bonjour", to=BRIDGE, list_id=None))
    assert (private.link, private.foreign) == (None, False)
    forced = await try_email(bridge.ctx, mail("Bonjour", to="voisin@x.test", list_id=None), bridge.link)
    assert forced.link is bridge.link
    assert forced.unconfirmed
    beside = await try_email(bridge.ctx, mail("Bonjour", to=LIST, list_id=None))
    assert beside.link is None, "it only names the list: nothing shows that it passed it"


# ---------------------------------------------------------------- the command

TOML = """
[matrix]
homeserver = "http://127.0.0.1:1"
user_id = "@passerelle:lab.test"
[[mailboxes]]
address = "passerelle@membres.lab.test"
[mailboxes.imap]
host = "127.0.0.1"
port = 1
tls = "none"
[mailboxes.smtp]
host = "127.0.0.1"
port = 1
tls = "none"
[[associations]]
name = "epeule"
title = "Comité"
coordinators = [{name = "Monique"}]
[[associations.links]]
name = "bureau"
room = "!salon:lab.test"
list = {address = "bureau@listes.lab.test", subject_prefix = "[bureau]"}
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LANGUAGE", "fr")
    path = tmp_path / "passerelle.toml"
    path.write_text(TOML, encoding="utf-8")
    return path


def run(file: Path, raw: bytes, *words: str) -> Result:
    (file.parent / "mail.eml").write_bytes(raw)
    return CliRunner().invoke(app, ["try", str(file.parent / "mail.eml"), "--config", str(file), *words])


def test_without_a_store_it_says_all_that_can_be_known_and_leaves_none(file: Path) -> None:
    result = run(file, SAMPLES["reply"])
    assert result.exit_code == 0, result.output
    for said in (
        "Il n’y a pas encore de base",
        "Lien\u00a0: epeule/bureau",
        "Verdict\u00a0: transmis au salon",
        "Auteur dans le salon\u00a0: Paul Lefebvre",
        "Ce que lit le salon\nMoi !",
        "> Qui apporte les lots ?",
        '"msgtype": "m.text"',
    ):
        assert said in result.output
    assert {path.name for path in file.parent.iterdir()} == {"passerelle.toml", "mail.eml"}


def test_what_cannot_be_read_ends_with_1(file: Path) -> None:
    nothing = run(file, b"")
    assert nothing.exit_code == 1, nothing.output
    assert "Il ne peut pas être lu" in nothing.output
    words = ["try", str(file.parent / "none.eml"), "--config", str(file)]
    assert CliRunner().invoke(app, words).exit_code == 1
    assert run(file, PLAIN, "--link", "epeule/jardin").exit_code == 2


# ---------------------------------------------------------------- the test mail of `check`


async def test_a_running_daemon_knows_the_test_mail_of_check_as_its_own(make_bridge: MakeBridge) -> None:
    bridge = await make_bridge()

    def never() -> Any:
        raise PermanentFailure("not sent here")

    def test_mail(mark: Any) -> bytes:
        return build_test(
            SendTest(
                association=bridge.link.association,
                link=bridge.link.settings,
                mailbox=bridge.link.mailbox,
                make_sender=never,
                now=bridge.now,
                mark=mark,
            )
        ).raw

    marks = await _mark(bridge.ctx.settings)
    assert marks is not None
    marked = test_mail(lambda message_id: marks(bridge.link.path, message_id))
    reading = read_email(marked, list_addresses=frozenset({MailAddress(LIST)}))
    async with bridge.ctx.store.read() as conn:
        assert await is_own_email(bridge.ctx, conn, bridge.link, reading)
    with_list_id = b"List-Id: <bureau.listes.lab.test>\r\n" + marked
    await bridge.receive(with_list_id)
    assert await bridge.shown() == []
    assert (await bridge.reasons())[-1] == "own"
    # Without the mark, too: what the bridge itself wrote is never relayed.
    await bridge.receive(b"List-Id: <bureau.listes.lab.test>\r\n" + test_mail(None))
    assert await bridge.shown() == []


def test_without_a_store_there_is_no_mark(tmp_path: Path, file: Path) -> None:
    from passerelle import config

    assert asyncio.run(_mark(config.load(file))) is None
