"""The lab's servers: each starts, does its real job once, and is gone afterwards whatever happens."""

from __future__ import annotations

import asyncio
import os
import signal
import smtplib
import subprocess
import sys
from collections.abc import Awaitable, Callable
from email.message import Message
from pathlib import Path

import asyncpg
import pytest

from lab.association import Association, Attachment
from lab.faults import Action, Fault, Stage
from lab.fill_disk import SmallDisk, forbid_growth, mount_unavailable
from lab.imap import ImapServer, Mailbox, subject_of, text_of
from lab.mailman import MailingList
from lab.matrix_client import ChatMember, MatrixError
from lab.ports import is_listening
from lab.postgres import Postgres
from lab.process import REPOSITORY, NotReadyError, ServerProcess, wait_until
from lab.proxy import TcpProxy, Trap
from lab.smtp import MailServer
from lab.synapse import Synapse, SynapseOptions

MAIL = (
    b"From: =?utf-8?q?Jean_=C3=89t=C3=A9?= <jean@membres.lab.test>\r\nTo: x@ailleurs.test\r\nSubject: essai\r\n"
    b"Message-ID: <essai@membres.lab.test>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: 8bit\r\n\r\nr\xc3\xa9union\r\n.\r\n..deux points\r\n"
)
SENDER, ELSEWHERE = "jean@membres.lab.test", "x@ailleurs.test"


def send(port: int, *, timeout_seconds: float = 1) -> None:
    """Send MAIL as a plain client would, with little patience."""
    with smtplib.SMTP("127.0.0.1", port, local_hostname="client.test", timeout=timeout_seconds) as client:
        client.sendmail(SENDER, [ELSEWHERE], MAIL)


def alive(pid: int) -> bool:
    """Whether a process is there and not a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


class TestProcess:
    @pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
    def test_servers_end_with_their_owner(self, tmp_path: Path, signal_number: signal.Signals) -> None:
        """However the test's process ends, nothing that it started is left, even in another session."""
        owner_code = (
            # Whoever was started in the background by a shell ignores SIGINT, and so would this.
            "import signal, sys, time; from pathlib import Path; from lab.process import ServerProcess\n"
            "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
            "shell = 'setsid sleep 600 & echo $! > grandchild; trap \"\" TERM; sleep 600'\n"
            "p = ServerProcess(['sh', '-c', shell], log=Path('log'), folder=Path.cwd(), grace_seconds=0.1)\n"
            "p.start(); print(p.pid, flush=True); time.sleep(600)"
        )
        owner = subprocess.Popen(
            [sys.executable, "-c", owner_code],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        )
        with owner:
            assert owner.stdout is not None
            server = int(owner.stdout.readline())
            grandchild_file = tmp_path / "grandchild"
            wait_until(lambda: grandchild_file.exists() and grandchild_file.read_text().strip(), what="the grandchild")
            grandchild = int(grandchild_file.read_text())
            assert alive(server)
            assert alive(grandchild)
            owner.send_signal(signal_number)
        wait_until(lambda: not alive(server) and not alive(grandchild), what="both are gone")

    def test_a_server_is_stopped_when_its_block_fails(self, tmp_path: Path) -> None:
        server = MailServer(tmp_path)

        def fail() -> None:
            with server:
                assert is_listening(server.port)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail()
        assert not is_listening(server.port)
        assert not server.process.running

    def test_a_program_that_ends_before_it_is_ready_says_why(self, tmp_path: Path) -> None:
        process = ServerProcess(["sh", "-c", "echo plus de place >&2; exit 3"], log=tmp_path / "log")
        process.start()
        with pytest.raises(NotReadyError, match=r"(?s)ended with 3.*plus de place"):
            process.wait_ready(lambda: None, deadline_seconds=20)
        process.stop()

    def test_kill_gives_no_chance_to_tidy_up(self, tmp_path: Path) -> None:
        code = "trap 'touch tidy' TERM EXIT; touch ready; while :; do sleep 0.05; done"
        process = ServerProcess(["sh", "-c", code], log=tmp_path / "log", folder=tmp_path)
        process.start()
        process.wait_ready((tmp_path / "ready").exists)
        process.kill()
        assert process.exit_code == 128 + signal.SIGKILL
        assert not (tmp_path / "tidy").exists()


class TestImap:
    def test_keeps_every_byte_and_the_flags(self, make_mailbox: Callable[[str], Mailbox]) -> None:
        mailbox = make_mailbox("octets")
        raws = [MAIL, b"Subject: \xff\x00\r\n\r\nlone\nlf \x80\r\n", MAIL * 50]
        mailbox.append_all(raws, flags=r"\Seen $Junk")
        assert mailbox.fetch_raw() == raws
        assert all("$Junk" in flags and r"\Seen" in flags for flags in mailbox.flags())
        mailbox.clear()
        assert mailbox.fetch_raw() == []

    def test_renumbers_with_or_without_the_mails(
        self, imap_server: ImapServer, make_mailbox: Callable[[str], Mailbox]
    ) -> None:
        mailbox = make_mailbox("numeros")
        mailbox.append_all([MAIL, MAIL[::-1]])
        first = imap_server.renumber(mailbox)
        assert mailbox.fetch_raw() == [MAIL, MAIL[::-1]]
        assert imap_server.renumber(mailbox, keep=False) != first
        assert mailbox.fetch_raw() == []

    def test_maildirs_outlive_a_crash(self, tmp_path: Path) -> None:
        with ImapServer(tmp_path, maildir=True) as server:
            mailbox = server.add_mailbox("jean@membres.lab.test")
            mailbox.append(MAIL)
            server.kill()
            server.start()
            assert [subject_of(mail) for mail in mailbox.fetch()] == ["essai"]


class TestMailServer:
    def test_keeps_delivers_and_checks_passwords(
        self, mail_server: MailServer, make_mailbox: Callable[[str], Mailbox]
    ) -> None:
        mailbox = make_mailbox("marie")
        local, _, domain = mailbox.address.partition("@")
        subaddress = f"{local}+liste@{domain}"
        mail_server.send(SENDER, [subaddress], MAIL)
        [delivered] = mailbox.fetch_raw()
        assert delivered.endswith(MAIL)
        assert f"Delivered-To: {subaddress}\r\n".encode() in delivered
        [kept] = mail_server.received(subaddress)
        assert (kept.envelope_from, kept.raw) == (SENDER, MAIL)
        with smtplib.SMTP(mail_server.host, mail_server.port, local_hostname="client.test") as client:
            with pytest.raises(smtplib.SMTPAuthenticationError):
                client.login(mailbox.user, "wrong")
            client.login(mailbox.user, mailbox.password)

    @pytest.mark.parametrize(
        ("stage", "action", "expected"),
        [
            ("connect", "reply", smtplib.SMTPConnectError),
            ("connect", "drop", smtplib.SMTPServerDisconnected),
            ("connect", "silence", smtplib.SMTPServerDisconnected),
            ("ehlo", "drop", smtplib.SMTPServerDisconnected),
            ("mail", "reply", smtplib.SMTPSenderRefused),
            ("mail", "drop", smtplib.SMTPServerDisconnected),
            ("rcpt", "reply", smtplib.SMTPRecipientsRefused),
            ("rcpt", "silence", smtplib.SMTPServerDisconnected),
            ("data", "reply", smtplib.SMTPDataError),
            ("data", "drop", smtplib.SMTPServerDisconnected),
            ("content", "drop", smtplib.SMTPServerDisconnected),
            ("content", "silence", smtplib.SMTPServerDisconnected),
            ("end", "reply", smtplib.SMTPDataError),
            ("end", "drop", smtplib.SMTPServerDisconnected),
            ("end", "silence", smtplib.SMTPServerDisconnected),
        ],
    )
    def test_fails_once_as_told_and_keeps_nothing(
        self, mail_server: MailServer, stage: Stage, action: Action, expected: type[Exception]
    ) -> None:
        before = len(mail_server.received())
        mail_server.set_faults(Fault(stage=stage, action=action, times=1))
        with pytest.raises(expected):
            send(mail_server.port)
        assert len(mail_server.received()) == before
        send(mail_server.port)
        assert len(mail_server.received()) == before + 1

    @pytest.mark.parametrize("action", ["drop", "silence"])
    def test_can_take_a_mail_and_never_say_so(self, mail_server: MailServer, action: Action) -> None:
        before = len(mail_server.received())
        mail_server.set_faults(Fault(stage="end", action=action, keep=True, times=1))
        with pytest.raises(smtplib.SMTPServerDisconnected):
            send(mail_server.port)
        assert len(mail_server.received()) == before + 1

    def test_refuses_connections_until_told_otherwise(self, mail_server: MailServer) -> None:
        mail_server.refuse_connections()
        with pytest.raises(ConnectionRefusedError):
            send(mail_server.port)
        mail_server.accept_connections()
        send(mail_server.port)

    def test_lmtp_answers_for_each_recipient(self, tmp_path: Path) -> None:
        with MailServer(tmp_path, lmtp=True) as server:
            server.set_faults(Fault(stage="rcpt", action="reply", text="550 5.1.1 unknown", matching="^inconnu@"))
            server.send(SENDER, ["a@x.test", "inconnu@x.test", "b@x.test"], MAIL)
            assert [mail.recipients for mail in server.received()] == [("a@x.test", "b@x.test")]


class TestMailman:
    def test_holds_what_a_stranger_sends_until_it_is_accepted(
        self, mail_server: MailServer, make_mailbox: Callable[[str], Mailbox], make_list: Callable[..., MailingList]
    ) -> None:
        member, mlist = make_mailbox("membre"), make_list("bureau", {"default_nonmember_action": "hold"})
        mlist.subscribe(member.address, "Marie")
        assert mlist.members() == [member.address]
        mail_server.send(SENDER, [mlist.address], MAIL)
        [held] = wait_until(mlist.held, what="the held mail")
        assert (held.sender, held.subject) == (SENDER, "essai")
        mlist.moderate(held, "accept")
        assert "réunion" in text_of(member.wait_for(lambda mail: mail["Message-ID"] == "<essai@membres.lab.test>"))

    def test_a_mail_for_a_list_that_is_not_there_is_refused(self, mail_server: MailServer, mailman: object) -> None:
        with pytest.raises(smtplib.SMTPDataError, match="550"):
            mail_server.send(SENDER, ["absente@listes.lab.test"], MAIL)


class TestSynapse:
    async def test_people_chat(
        self, room: tuple[ChatMember, str], make_chat_member: Callable[[str], Awaitable[ChatMember]]
    ) -> None:
        lea, room_id = room
        karim = await make_chat_member("karim")
        await lea.invite(room_id, karim.user_id)
        assert await karim.invitations() == [room_id]
        await karim.join(room_id)
        first = await lea.say(room_id, "Qui apporte les chaises ?")
        answer = await karim.reply(room_id, first, "moi")
        await karim.edit(room_id, answer, "moi, samedi")
        await karim.say_in_thread(room_id, first, "et les tables")
        await karim.react(room_id, first, "👍")
        await lea.redact(room_id, await lea.say(room_id, "oups"))
        shown = await lea.send_file(room_id, b"%PDF", "été.pdf", "application/pdf")
        assert await karim.download((await karim.event(room_id, shown))["content"]["url"]) == b"%PDF"
        bodies = [event["content"]["body"] for event in await karim.lines(room_id)]
        assert bodies == ["Qui apporte les chaises ?", "moi", "* moi, samedi", "et les tables", "été.pdf"]

    async def test_a_killed_homeserver_comes_back_with_its_rooms_and_real_limits(self, tmp_path: Path) -> None:
        limits = {"rc_message": {"per_second": 0.1, "burst_count": 3}}
        async with Synapse(tmp_path, SynapseOptions(room_version="11", overrides=limits)) as synapse:
            async with ChatMember(synapse.register("lea")) as lea:
                room_id = await lea.create_room("Salon")
                event_id = await lea.say(room_id, "un")
            await asyncio.to_thread(synapse.kill)
            await asyncio.to_thread(synapse.start)
            async with ChatMember(synapse.login("lea")) as lea:
                assert (await lea.event(room_id, event_id))["content"]["body"] == "un"
                assert (await lea.state(room_id, "m.room.create"))["room_version"] == "11"
                for _ in range(3):
                    await lea.say(room_id, "dans les limites")
                with pytest.raises(MatrixError) as refused:
                    await lea.say(room_id, "un de trop")
                assert (refused.value.status, refused.value.errcode) == (429, "M_LIMIT_EXCEEDED")


class TestProxy:
    @pytest.mark.parametrize(
        ("trap", "arrived"),
        [
            (Trap(direction="down", pattern=b"250 2.0.0 accepted", deliver=False), 1),
            (Trap(direction="up", pattern=b"\r\n.\r\n", deliver=False), 0),
            (Trap(direction="down", pattern=b"354", deliver=False, action="silence"), 0),
        ],
    )
    async def test_cuts_where_told(self, mail_server: MailServer, trap: Trap, arrived: int) -> None:
        before = len(mail_server.received())
        async with TcpProxy(mail_server.port) as proxy:
            sprung = proxy.set_trap(trap)
            with pytest.raises(smtplib.SMTPServerDisconnected):
                await asyncio.to_thread(send, proxy.port)
            assert sprung.is_set()
            assert len(mail_server.received()) == before + arrived
            await asyncio.to_thread(send, proxy.port)
            await proxy.refuse()
            with pytest.raises(ConnectionRefusedError):
                await asyncio.to_thread(send, proxy.port)


class TestDisk:
    def test_a_full_disk_is_full_until_freed(self) -> None:
        if reason := mount_unavailable():
            pytest.skip(reason)
        with SmallDisk(megabytes=2) as disk:
            disk.fill(leave_bytes=65536)
            with pytest.raises(OSError, match="No space left"):
                (disk.path / "file").write_bytes(b"x" * 200_000)
            disk.free()
            (disk.path / "file").write_bytes(b"x" * 200_000)

    def test_growth_is_forbidden_and_allowed_again(self, tmp_path: Path) -> None:
        code = "while :; do if head -c 50000 /dev/zero > f 2>/dev/null; then touch ok; else touch failed; fi; done"
        process = ServerProcess(["sh", "-c", code], log=tmp_path / "log", folder=tmp_path, grace_seconds=0.1)
        process.start()
        try:
            wait_until((tmp_path / "ok").exists, what="a whole file")
            with forbid_growth(process.pid, limit_bytes=1000):
                wait_until((tmp_path / "failed").exists, what="a failed write")
            (tmp_path / "ok").unlink()
            wait_until((tmp_path / "ok").exists, what="a whole file again")
        finally:
            process.stop()


async def test_a_post_reaches_every_member_through_the_list(association: Association) -> None:
    attachment = Attachment(name="été.pdf", media_type="application/pdf", data=b"%PDF-1.4 lab")
    message_id = await association.post("monique", "Réunion de mardi", "Qui vient ?\n", attachments=[attachment])
    assert_post_arrived(association, message_id)
    assert association.bot.user_id not in await _members(association)
    mail = association.bridge_mailbox.wait_for(lambda mail: mail["Message-ID"] == message_id)
    assert [part.get_payload(decode=True) for part in mail.walk() if part.get_filename() == "été.pdf"] == [
        attachment.data
    ]


@pytest.mark.dovecot
async def test_the_same_on_debians_servers(debian_association: Association) -> None:
    message_id = await debian_association.post("monique", "Réunion de mardi", "Qui vient ?\n")
    assert_post_arrived(debian_association, message_id)


@pytest.mark.dovecot
async def test_debians_mail_server_writes_a_bounce(debian_association: Association) -> None:
    monique = debian_association.mail_members["monique"].mailbox
    town = debian_association.town
    await asyncio.to_thread(town.mail.send, monique.address, ["personne@membres.lab.test"], MAIL)
    bounce = monique.wait_for(lambda mail: mail.get_content_type() == "multipart/report")
    assert bounce.get_param("report-type") == "delivery-status"
    assert bounce["Return-Path"] == "<>"


@pytest.mark.postgres
async def test_postgres_takes_statements(postgres: Postgres) -> None:
    url = postgres.create_database()
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        assert await connection.fetchval("SELECT 1 + 1") == 2
    finally:
        await connection.close()


def assert_post_arrived(association: Association, message_id: str) -> None:
    """Check the post in a member's mailbox and in the bridge's."""

    def is_it(mail: Message) -> bool:
        return bool(mail["Message-ID"] == message_id)

    for mailbox in (association.mail_members["paul"].mailbox, association.bridge_mailbox):
        mail = mailbox.wait_for(is_it)
        assert subject_of(mail) == "[bureau] Réunion de mardi"
        assert f"<{association.mlist.list_id}>" in mail["List-Id"]
        assert "Qui vient ?" in text_of(mail)


async def _members(association: Association) -> list[str]:
    async with association.coordinator() as coordinator:
        return await coordinator.joined_members(association.room_id)
