"""Maildir, Sympa, pipermail, HyperKitty, public-inbox: found out by what they are, read in order, gone on with."""

import gzip
import os
import shutil
import subprocess
import zipfile
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from passerelle.errors import ImportFailure
from passerelle.imports import mail_files
from passerelle.imports.detect import open_sources
from passerelle.imports.source import NOT_A_MAIL, TOO_LARGE, Refused, SourceMail


def mail(number: int, body: str = "Bonjour.\n") -> bytes:
    return f"From: monique@example.org\nSubject: n {number}\nMessage-ID: <{number}@example.org>\n\n{body}".encode()


def read(*paths: Path, after: object = None, format: str | None = None) -> list[SourceMail | Refused]:
    return list(open_sources(paths, format)[0].read(after))  # type: ignore[arg-type]


def raws(found: list[SourceMail | Refused]) -> list[bytes]:
    assert all(isinstance(one, SourceMail) for one in found), found
    return [one.raw for one in found if isinstance(one, SourceMail)]


def goes_on(*paths: Path) -> None:
    """Reading goes on after any position, and `bytes_done` comes to `total_bytes`."""
    whole = read(*paths)
    for count, one in enumerate(whole, 1):
        source, _ = open_sources(paths)
        assert list(source.read(one.position)) == whole[count:]
        assert source.bytes_done == source.total_bytes


def make_maildir(folder: Path, names: dict[str, bytes]) -> None:
    for sub in ("cur", "new", "tmp"):
        (folder / sub).mkdir(parents=True)
    for name, raw in names.items():
        (folder / name).write_bytes(raw)


def test_a_maildir_by_time_of_delivery(tmp_path: Path) -> None:
    folder = tmp_path / "Maildir"
    make_maildir(
        folder,
        {
            "cur/1236074400.M2P1.host:2,S": mail(2),
            "new/1236074300.M1P1.host": mail(1),
            "cur/1236074500.M3P1.host:2,ST": mail(3),  # in the bin
            "cur/1236074600.M4P1.host:2,": b"\x00no mail",
            "tmp/1236074700.M5P1.host": mail(5),
        },
    )
    make_maildir(folder / ".Bureau.2008", {"cur/1199145600.M1.host:2,S": mail(6)})
    make_maildir(folder / ".Trash", {"cur/1199145600.M1.host:2,S": mail(7)})
    found = read(folder)
    assert raws([found[0], found[1], found[3]]) == [mail(1), mail(2), mail(6)]
    assert isinstance(found[2], Refused)
    assert found[2].reason == NOT_A_MAIL
    assert isinstance(found[0], SourceMail)
    assert found[0].received_at == datetime(2009, 3, 3, 9, 58, 20, tzinfo=UTC)
    assert open_sources([folder])[1] == "maildir"
    goes_on(folder)


def make_sympa(folder: Path) -> None:
    for month, numbers in {"2009-11": (1, 2, 10), "2010-01": (1,)}.items():
        (folder / month / "arctxt").mkdir(parents=True)
        for number in numbers:
            (folder / month / "arctxt" / str(number)).write_bytes(mail(int(month[:4]) * 100 + number))
        (folder / month / "index").write_text("10")
        (folder / month / "msg00000.html").write_text("<html>")
    (folder / "2009-11" / "deleted").mkdir()
    (folder / "2009-11" / "deleted" / "3").write_bytes(mail(3))
    (folder / "2009-11" / "arctxt" / "4,lock").write_bytes(b"")


def test_a_sympa_archive_in_numeric_order_without_what_was_deleted(tmp_path: Path) -> None:
    folder = tmp_path / "bureau@example.org"
    make_sympa(folder)
    expected = [mail(200901), mail(200902), mail(200910), mail(201001)]
    assert raws(read(folder)) == expected
    assert open_sources([folder])[1] == "sympa"
    assert raws(read(folder / "2010-01")) == expected[3:]
    assert raws(read(folder / "2009-11" / "arctxt")) == expected[:3]
    goes_on(folder)


def test_a_sympa_zip(tmp_path: Path) -> None:
    path = tmp_path / "bureau_archives.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bureau_2010-01/1", mail(4))
        archive.writestr("bureau_2009-11/10", mail(3))
        archive.writestr("bureau_2009-11/2", mail(2))
        archive.writestr("bureau_2009-11/index", "10")
    assert raws(read(path)) == [mail(2), mail(3), mail(4)]
    goes_on(path)


def test_framas_zip_and_one_that_was_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bureau_archives.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("bureau_2010-01/1.eml", mail(4))
        archive.writestr("bureau_2009-11/10.eml", mail(3))
        archive.writestr("bureau_2009-11/2.eml", mail(2))
        archive.extractall(tmp_path / "unpacked")
    for place in (path, tmp_path / "unpacked"):
        assert open_sources([place])[1] == "sympa"
        assert raws(read(place)) == [mail(2), mail(3), mail(4)]


def test_a_zip_that_lies_about_sizes_is_not_unpacked_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bureau_2009-11/1", mail(1, "a" * 100_000))
        archive.writestr("bureau_2009-11/2", mail(2))
    monkeypatch.setattr(mail_files, "MAX_MAIL_BYTES", 5_000)
    refused, taken = read(path)
    assert isinstance(refused, Refused)
    assert refused.reason == TOO_LARGE
    assert raws([taken]) == [mail(2)]


PIPERMAIL = """From lea at example.org  Tue Mar  3 10:00:00 2009
From: lea at example.org (=?iso-8859-1?q?L=E9a?=)
Date: Tue, 03 Mar 2009 10:00:00 +0100
Subject: [bureau] salle
Message-ID: <1@example.org>

La clé est chez moi.
>From now on, ask lea at example.org.
-------------- section suivante --------------
Une pièce jointe non texte a été nettoyée...
Nom: plan.pdf

From paul at example.org  Tue Mar  3 11:00:00 2009
From: paul at example.org (Paul "Popaul" D)
Date: Tue, 03 Mar 2009 11:00:00 +0100
Subject: [bureau] salle
In-Reply-To: <1@example.org>
References: <1@example.org>
Message-ID: <2@example.org>

> La clé est chez moi.
Merci !

"""


@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1"])
def test_pipermail_text_becomes_mails_again(tmp_path: Path, charset: str) -> None:
    for name in ("2009-March.txt.gz", "2008-December.txt.gz", "2009-April.txt.gz"):
        text = PIPERMAIL if name.startswith("2009-March") else PIPERMAIL.replace("@example.org>", f"@{name}>")
        (tmp_path / name).write_bytes(gzip.compress(text.encode(charset), mtime=0))
    assert open_sources([tmp_path])[1] == "pipermail"
    found = read(tmp_path)
    assert [one.place.partition(",")[0] for one in found][::2] == [
        "2008-December.txt.gz", "2009-March.txt.gz", "2009-April.txt.gz",
    ]  # fmt: skip
    first, second = (message_from_bytes(raw, policy=policy.default) for raw in raws(found)[2:4])
    assert str(first["from"]) == "Léa <lea@example.org>"
    assert first["message-id"] == "<1@example.org>"
    assert "La clé est chez moi.\nFrom now on" in first.get_content()
    assert second["from"].addresses[0].addr_spec == "paul@example.org"
    assert second["from"].addresses[0].display_name == 'Paul "Popaul" D'
    assert second["references"] == "<1@example.org>"
    assert "> La clé est chez moi.\nMerci !" in second.get_content()
    goes_on(tmp_path)


def test_hyperkitty_export_gets_its_addresses_back(tmp_path: Path) -> None:
    export = (
        b"From lea at example.org Tue Mar  3 10:00:00 2009\n"
        b"From: =?utf-8?q?L=C3=A9a?=\n <lea at example.org>\nTo: bureau at example.org\nSubject: arrive at home\n"
        b"Message-ID: <1@example.org>\n\n>From what I know, write to paul at example.org.\nFrom here on.\n\n\n"
    )
    path = tmp_path / "bureau@example.org-2009-03.mbox.gz"
    path.write_bytes(gzip.compress(export * 2))
    source, formats = open_sources([path])
    assert formats == "hyperkitty"
    assert source.total_bytes == path.stat().st_size
    read_back = raws(list(source.read(None)))
    assert len(read_back) == 2
    parsed = message_from_bytes(read_back[0], policy=policy.default)
    assert parsed["from"].addresses[0].addr_spec == "lea@example.org"
    assert (parsed["to"], parsed["subject"]) == ("bureau@example.org", "arrive at home")
    assert parsed.get_content().startswith(">From what I know, write to paul at example.org.\nFrom here on.\n")


class Inbox:
    """A git repository, written as public-inbox writes it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.git("init", "-q", "--bare", "--initial-branch=master")

    def git(self, *arguments: str, stdin: bytes = b"", **environment: str) -> str:
        clean = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        who = {f"GIT_{role}_{what}": "a@example.org" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        done = subprocess.run(
            ["git", f"--git-dir={self.folder}", *arguments],
            input=stdin, capture_output=True, check=True, env=clean | who | environment,
        )  # fmt: skip
        return done.stdout.decode().strip()

    def commit(self, changes: dict[str, bytes | None], at: int) -> None:
        index = {"GIT_INDEX_FILE": str(self.folder / "index.test")}
        for path, content in changes.items():
            if content is None:
                self.git("update-index", "--index-info", stdin=f"0 {'0' * 40}\t{path}\n".encode(), **index)
            else:
                blob = self.git("hash-object", "-w", "--stdin", stdin=content)
                self.git("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}", **index)
        tree = self.git("write-tree", **index)
        parent = self.git("for-each-ref", "--format=%(objectname)", "refs/heads/master")
        parents = ["-p", parent] if parent else []
        made = self.git("commit-tree", tree, *parents, "-m", "x", GIT_COMMITTER_DATE=f"{at} +0000")
        self.git("update-ref", "refs/heads/master", made)


def test_public_inbox_v2_over_epochs_without_what_was_deleted(tmp_path: Path) -> None:
    first = Inbox(tmp_path / "bureau" / "git" / "0.git")
    first.commit({"m": mail(1)}, 1236074400)
    first.commit({"m": mail(2)}, 1236074500)
    first.commit({"m": None, "d": mail(1)}, 1236074600)
    first.commit({"d": None, "m": mail(3)}, 1236074700)
    second = Inbox(tmp_path / "bureau" / "git" / "10.git")
    second.commit({"m": mail(1)}, 1236074800)  # put in again
    third = Inbox(tmp_path / "bureau" / "git" / "9.git")
    third.commit({"m": b"From x\n" + mail(4)}, 1236074750)
    third.commit({"m": None, "d": mail(3)}, 1236074760)
    found = read(tmp_path / "bureau")
    assert raws(found) == [mail(2), b"From x\n" + mail(4), mail(1)]
    assert isinstance(found[0], SourceMail)
    assert found[0].received_at == datetime.fromtimestamp(1236074500, UTC)
    assert open_sources([tmp_path / "bureau"])[1] == "public-inbox"
    goes_on(tmp_path / "bureau")


def test_a_repository_of_others_runs_nothing_here(tmp_path: Path) -> None:
    """Its configuration may name programs: to fetch what is missing, to look at signatures, to show differences."""
    inbox = Inbox(tmp_path / "bureau" / "git" / "0.git")
    inbox.commit({"m": mail(1)}, 1236074400)
    inbox.commit({"m": mail(2)}, 1236074500)
    signed = inbox.git("cat-file", "commit", "HEAD").encode() + b"\n"
    head, _, message = signed.partition(b"\n\n")
    signature = b"\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n iQ\n -----END PGP SIGNATURE-----\n\n"
    made = inbox.git("hash-object", "-w", "-t", "commit", "--stdin", stdin=head + signature + message)
    inbox.git("update-ref", "refs/heads/master", made)
    blob = inbox.git("rev-parse", "HEAD~1:m")
    (inbox.folder / "objects" / blob[:2] / blob[2:]).unlink()
    ran = tmp_path / "ran"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\necho ran >> {ran}\n")
    program.chmod(0o755)
    for name, value in {
        "core.repositoryformatversion": "1", "extensions.partialClone": "origin", "remote.origin.promisor": "true",
        "remote.origin.url": str(inbox.folder), "remote.origin.uploadpack": str(program),
        "log.showSignature": "true", "gpg.program": str(program), "diff.external": str(program),
        "core.pager": str(program), "core.fsmonitor": str(program), "protocol.file.allow": "always",
    }.items():  # fmt: skip
        inbox.git("config", name, value)
    found = read(tmp_path / "bureau")
    assert [isinstance(one, SourceMail) for one in found] == [False, True]
    assert not ran.exists()


def test_public_inbox_v1_without_what_was_removed(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path / "bureau.git")
    paths = [f"{n:02x}/{n:038x}" for n in range(4)]
    for number, path in enumerate(paths):
        inbox.commit({path: mail(number)}, 1236074400 + number)
    inbox.commit({paths[1]: None}, 1236074500)
    inbox.commit({paths[2]: mail(22)}, 1236074600)  # edited
    assert raws(read(tmp_path / "bureau.git")) == [mail(0), mail(3), mail(22)]


def test_a_public_inbox_that_public_inbox_made(tmp_path: Path) -> None:
    if shutil.which("public-inbox-init") is None:
        pytest.skip("public-inbox is not installed")
    home = tmp_path / "home"
    home.mkdir()
    environment = {"HOME": str(home), "PATH": os.environ["PATH"], "PI_CONFIG": str(home / "config")}
    folder = tmp_path / "bureau"

    def run(*command: str, stdin: bytes = b"", **more: str) -> None:
        subprocess.run(command, input=stdin, check=True, capture_output=True, env=environment | more, timeout=120)

    run("git", "config", "-f", environment["PI_CONFIG"], "publicinboxmda.spamcheck", "none")
    run("public-inbox-init", "-V2", "--skip-docdata", "bureau", str(folder), "http://x.test/b", "bureau@example.org")
    written = [
        mail(n).replace(b"Subject", b"To: bureau@example.org\nDate: Tue, 3 Mar 2009 10:00:00 +0000\nSubject")
        for n in range(3)
    ]
    for raw in written:
        run("public-inbox-mda", "--no-precheck", stdin=raw, ORIGINAL_RECIPIENT="bureau@example.org")
    run("public-inbox-learn", "rm", stdin=written[1])
    found = [message_from_bytes(raw)["message-id"] for raw in raws(read(folder))]
    assert found == ["<0@example.org>", "<2@example.org>"]


def test_single_mails_and_mixed_folders(tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(mail(1))
    (tmp_path / "b.mbox").write_bytes(b"From x Tue Mar  3 10:00:00 2009\n" + mail(2) + b"\n")
    (tmp_path / "notes.pdf").write_bytes(b"%PDF")
    assert raws(read(tmp_path)) == [mail(1), mail(2)]
    assert open_sources([tmp_path])[1] == "mail, mbox"
    goes_on(tmp_path)
    with pytest.raises(ImportFailure, match="no archive"):
        read(tmp_path / "notes.pdf")
    with pytest.raises(ImportFailure, match="no such file"):
        read(tmp_path / "nothing.mbox")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ImportFailure, match="no archive"):
        read(tmp_path / "empty")
