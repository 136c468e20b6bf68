"""`passerelle check` against a real homeserver, and the whole command as its own process."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from lab.association import Association
from lab.matrix_client import ChatMember
from lab.synapse import Account, Synapse, SynapseOptions
from passerelle.check import Finding, Mark, take
from passerelle.check_matrix import MatrixAccess, account_step, rate_limit_step, room_step
from passerelle.core.settings import LinkSettings, MatrixSettings

MakeMember = Callable[[str], Awaitable[ChatMember]]


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "en")


@pytest.fixture
def account(synapse: Synapse, suffix: str) -> Account:
    return synapse.register("passerelle" + suffix)


def settings(account: Account, **changes: object) -> MatrixSettings:
    values = {"homeserver": account.homeserver, "user_id": account.user_id, "password": account.password}
    return MatrixSettings.model_validate(values | changes)


@pytest.fixture
async def access(account: Account) -> AsyncIterator[MatrixAccess]:
    opened = MatrixAccess(settings(account))
    yield opened
    await opened.close()


def link(room: str) -> LinkSettings:
    return LinkSettings.model_validate({"name": "bureau", "room": room, "list": {"address": "bureau@x.test"}})


async def look_at_room(access: MatrixAccess, room: str, *, inside: bool = True) -> tuple[Finding, ...]:
    if inside:
        # As the daemon does at its start.
        await access.transport().join(room)
    return await take(room_step(access, "epeule/bureau", link(room)))


def marks(findings: tuple[Finding, ...]) -> list[Mark]:
    return [finding.mark for finding in findings]


async def test_account_that_is_right_gives_ticks(access: MatrixAccess, account: Account) -> None:
    findings = await take(account_step(access))
    assert marks(findings) == [Mark.OK, Mark.OK]
    assert account.user_id in findings[0].sentence
    assert "up to 5" in findings[1].sentence


async def test_wrong_password_says_what_to_mend(account: Account) -> None:
    access = MatrixAccess(settings(account, password="wrong-pass"))
    (finding,) = await take(account_step(access))
    await access.close()
    assert finding.mark is Mark.PROBLEM
    assert "password" in finding.mend
    assert "wrong-pass" not in finding.sentence


async def test_no_secret_at_all_is_a_finding(account: Account) -> None:
    access = MatrixAccess(settings(account, password=None))
    (finding,) = await take(account_step(access))
    await access.close()
    assert "a password or an access token is needed" in finding.sentence


async def test_a_check_leaves_no_device_behind(account: Account) -> None:
    async def devices() -> int:
        async with ChatMember(account) as member:
            return len((await member.call("GET", "devices"))["devices"])

    before = await devices()
    access = MatrixAccess(settings(account))
    await take(account_step(access))
    assert await devices() == before + 1
    await access.close()
    assert await devices() == before


async def test_an_access_token_outlives_the_check(account: Account, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(account.access_token)
    (tmp_path / "token").chmod(0o600)
    access = MatrixAccess(settings(account, password=None, access_token_file=str(tmp_path / "token")))
    assert marks(await take(account_step(access))) == [Mark.OK, Mark.OK]
    await access.close()
    async with ChatMember(account) as member:
        assert (await member.call("GET", "account/whoami"))["user_id"] == account.user_id


async def test_room_that_is_right(access: MatrixAccess, account: Account, make_chat_member: MakeMember) -> None:
    lea = await make_chat_member("lea")
    room_id = await lea.create_room("Salon du comité", invite=[account.user_id])
    findings = await look_at_room(access, room_id)
    assert marks(findings) == [Mark.OK, Mark.OK, Mark.OK]
    assert "Salon du comité" in findings[0].sentence


async def test_room_to_which_the_bridge_is_only_invited(
    access: MatrixAccess, account: Account, make_chat_member: MakeMember
) -> None:
    lea = await make_chat_member("lea")
    alias = "salon" + account.localpart
    room_id = await lea.create_room("Bientôt", invite=[account.user_id], options={"room_alias_name": alias})
    for room in (room_id, f"#{alias}:lab.test"):
        (finding,) = await look_at_room(access, room, inside=False)
        assert finding.mark is Mark.WARNING, finding
        assert "enters when it starts" in finding.sentence
    # Looking changes nothing.
    assert await lea.joined_members(room_id) == [lea.user_id]


async def test_room_without_an_invitation(access: MatrixAccess, make_chat_member: MakeMember) -> None:
    lea = await make_chat_member("lea")
    (finding,) = await look_at_room(access, await lea.create_room("Ailleurs"), inside=False)
    assert finding.mark is Mark.PROBLEM
    assert "Invite @passerelle" in finding.mend


async def test_alias_that_leads_nowhere(access: MatrixAccess, synapse: Synapse) -> None:
    (finding,) = await look_at_room(access, f"#nowhere:{synapse.server_name}", inside=False)
    assert finding.mark is Mark.PROBLEM
    assert "There is no room" in finding.sentence


async def test_room_that_anyone_may_join_or_read_is_a_warning_each(
    access: MatrixAccess, account: Account, make_chat_member: MakeMember
) -> None:
    lea = await make_chat_member("lea")
    room_id = await lea.create_room("Place publique", invite=[account.user_id])
    await lea.set_state(room_id, "m.room.join_rules", {"join_rule": "public"})
    findings = await look_at_room(access, room_id)
    assert marks(findings) == [Mark.OK, Mark.OK, Mark.WARNING]
    await lea.set_state(room_id, "m.room.history_visibility", {"history_visibility": "world_readable"})
    findings = await look_at_room(access, room_id)
    assert marks(findings) == [Mark.OK, Mark.OK, Mark.WARNING, Mark.WARNING]
    assert all("passerelle confirm epeule/bureau" in finding.mend for finding in findings[2:])


async def test_room_where_the_bridge_may_not_write(
    access: MatrixAccess, account: Account, make_chat_member: MakeMember
) -> None:
    lea = await make_chat_member("lea")
    room_id = await lea.create_room("Annonces", invite=[account.user_id])
    levels = await lea.state(room_id, "m.room.power_levels")
    await lea.set_state(room_id, "m.room.power_levels", levels | {"events_default": 50})
    findings = await look_at_room(access, room_id)
    assert findings[1].mark is Mark.PROBLEM
    assert "m.room.message" in findings[1].sentence


async def test_encrypted_room_needs_keys(
    access: MatrixAccess, account: Account, make_chat_member: MakeMember, tmp_path: Path
) -> None:
    lea = await make_chat_member("lea")
    room_id = await lea.create_room("Confidentiel", invite=[account.user_id])
    await lea.set_state(room_id, "m.room.encryption", {"algorithm": "m.megolm.v1.aes-sha2"})
    findings = await look_at_room(access, room_id)
    assert findings[-1].mark is Mark.PROBLEM
    assert "crypto_folder" in findings[-1].mend
    keeping = MatrixAccess(settings(account, crypto_folder=str(tmp_path / "keys")))
    assert Mark.PROBLEM not in marks(await look_at_room(keeping, room_id, inside=False))
    await keeping.close()
    # The daemon's keys are the daemon's alone.
    assert not (tmp_path / "keys").exists()


async def test_rate_limit_is_seen(access: MatrixAccess, tmp_path: Path) -> None:
    (finding,) = await take(rate_limit_step(access))
    assert finding.mark is Mark.OK
    slow = SynapseOptions(overrides={"rc_message": {"per_second": 0.2, "burst_count": 10}})
    with Synapse(tmp_path / "slow", slow) as homeserver:
        limited = MatrixAccess(settings(homeserver.register("passerelle")))
        (finding,) = await take(rate_limit_step(limited))
        await limited.close()
    assert finding.mark is Mark.WARNING
    assert "10 lines at once" in finding.sentence or "9 lines at once" in finding.sentence


# ---------------------------------------------------------------- the whole command


def write_configuration(folder: Path, association: Association) -> Path:
    box, bot, town = association.bridge_mailbox, association.bot, association.town
    secrets = folder / "secrets"
    secrets.mkdir(mode=0o700)
    for name, secret in (("mailbox", box.password), ("matrix", bot.password)):
        (secrets / name).write_text(secret)
        (secrets / name).chmod(0o600)
    text = f"""
[matrix]
homeserver = "{bot.homeserver}"
user_id = "{bot.user_id}"
password_file = "secrets/matrix"
[[mailboxes]]
address = "{box.address}"
smtp = {{host = "127.0.0.1", port = {town.mail.port}, tls = "none"}}
[mailboxes.imap]
host = "127.0.0.1"
port = {box.port}
tls = "none"
username = "{box.user}"
password_file = "secrets/mailbox"
[[associations]]
name = "epeule"
title = "{association.name}"
coordinators = [{{name = "Monique"}}]
[[associations.links]]
name = "bureau"
room = "{association.room_id}"
list = {{address = "{association.mlist.address}"}}
"""
    path = folder / "passerelle.toml"
    path.write_text(text, encoding="utf-8")
    return path


async def run_check(*words: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "from passerelle.cli import main; main()", "check", *words,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        env=os.environ | {"LANGUAGE": "en", "COLUMNS": "200"},
    )  # fmt: skip
    try:
        output, _nothing = await asyncio.wait_for(process.communicate(), 300)
    finally:
        if process.returncode is None:
            process.kill()
    return process.returncode, output.decode()


async def test_the_whole_command_on_a_whole_association(association: Association, tmp_path: Path) -> None:
    file = write_configuration(tmp_path, association)
    async with ChatMember(association.bot) as bot:
        await bot.join(association.room_id)
    code, output = await run_check("--config", str(file), "--send-test")
    assert code == 0, output
    assert "✗" not in output
    for line in (
        "✓ The file is right: 1 association(s), 1 link(s).",
        "✓ The server announces new mail at once (IDLE).",
        "✓ Only who is let in can read this room.",
        "✓ The homeserver lets the bridge write as fast as it must.",
        "✓ The bridge's address may post: the list gave the test mail back.",
    ):
        assert line in output, output
    assert association.bot.password not in output


async def test_the_whole_command_with_one_thing_wrong(association: Association, tmp_path: Path) -> None:
    file = write_configuration(tmp_path, association)
    (tmp_path / "secrets" / "mailbox").write_text("wrong-pass")
    code, output = await run_check("--config", str(file))
    assert code == 1, output
    assert output.count("✗") == 1, output
    assert "refuses the login" in output
    assert "! Not looked at: the mailbox does not open." in output
    assert "wrong-pass" not in output
