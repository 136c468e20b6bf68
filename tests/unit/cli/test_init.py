"""`passerelle init`: what it writes, and what it never does."""

import os
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from passerelle import config, providers
from passerelle.cli import app
from passerelle.cli.questions import OPEN_NAMES, QUESTIONS, build_answers, settle
from passerelle.errors import ConfigError
from passerelle.init import Secret, short_name, write

ANSWERS = {
    "address": "passerelle@laposte.net",
    "user_id": "@passerelle:example.org",
    "title": "Comité de quartier de l’Épeule",
    "coordinator": "Monique",
    "list_address": "bureau@listes.example.org",
    "room": "#bureau:example.org",
}


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "en")
    for name in ("PASSERELLE_CONFIG", "PASSERELLE_MAIL_PASSWORD", "PASSERELLE_MATRIX_PASSWORD"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASSERELLE_MAIL_PASSWORD", "mail s3cret ")
    monkeypatch.setenv("PASSERELLE_MATRIX_PASSWORD", "matrix s3cret")


def init(file: Path, *arguments: str, typed: str | None = None, **answers: str) -> Result:
    words = [word for name, text in answers.items() for word in ("--answer", f"{name}={text}")]
    return CliRunner().invoke(app, ["init", "--config", str(file), *arguments, *words], input=typed)


@pytest.mark.usefixtures("passwords")
def test_init_without_questions_writes_what_the_daemon_reads(tmp_path: Path) -> None:
    file = tmp_path / "passerelle.toml"
    result = init(file, "--non-interactive", **ANSWERS)
    assert result.exit_code == 0, result.output
    settings = config.load(file)
    box = settings.mailboxes[0]
    assert box.imap is not None
    assert (box.imap.host, box.imap.port, box.imap.tls) == ("imap.laposte.net", 993, "implicit")
    assert (box.smtp.host, box.smtp.port, box.smtp.username) == ("smtp.laposte.net", 465, "passerelle@laposte.net")
    assert settings.matrix.homeserver == "https://example.org"
    association = settings.associations[0]
    assert (association.name, association.title) == ("comite-de-quartier-de-l-epeule", ANSWERS["title"])
    link = association.links[0]
    assert (link.name, link.room, link.mailing_list.list_id) == (
        "bureau",
        "#bureau:example.org",
        "bureau.listes.example.org",
    )
    assert config.read_secrets(settings) == ("matrix s3cret", "mail s3cret ", "mail s3cret ")


@pytest.mark.usefixtures("passwords")
def test_init_keeps_secrets_in_files_of_their_own_that_nobody_else_reads(tmp_path: Path) -> None:
    file = tmp_path / "new" / "passerelle.toml"
    previous = os.umask(0)
    try:
        assert init(file, "--non-interactive", **ANSWERS).exit_code == 0
    finally:
        os.umask(previous)
    assert "s3cret" not in file.read_text()
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in (file.parent / "secrets").iterdir()}
    assert modes == {"mailbox": 0o600, "matrix": 0o600}
    assert stat.S_IMODE((file.parent / "secrets").stat().st_mode) == 0o700
    assert config.exposed_files(config.load(file), file) == ()


@pytest.mark.usefixtures("passwords")
def test_init_comments_every_key(tmp_path: Path) -> None:
    file = tmp_path / "passerelle.toml"
    init(file, "--non-interactive", **ANSWERS)
    text = file.read_text()
    assert "# How long nothing must be said before a conversation leaves.\n#quiet_minutes = 10\n" in text
    # Every default that is shown as a comment is a line of TOML that could stand there.
    for line in text.splitlines():
        if line.startswith("#") and not line.startswith(("# ", "#[")) and line != "#":
            tomllib.loads(line[1:])


@pytest.mark.usefixtures("passwords")
@pytest.mark.parametrize("there", ["passerelle.toml", "secrets/matrix", "secrets/mailbox"])
def test_init_overwrites_nothing_and_leaves_nothing_half_done(tmp_path: Path, there: str) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / there).write_text("mine")
    result = init(tmp_path / "passerelle.toml", "--non-interactive", **ANSWERS)
    assert result.exit_code != 0
    assert "is there already" in result.output.replace("\n", " ")
    assert (tmp_path / there).read_text() == "mine"
    assert sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()) == [there]


@pytest.mark.usefixtures("passwords")
def test_init_does_not_write_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "passerelle.toml").symlink_to(tmp_path / "elsewhere")
    result = init(tmp_path / "passerelle.toml", "--non-interactive", **ANSWERS)
    assert result.exit_code == 1
    assert not (tmp_path / "elsewhere").exists()


def test_write_leaves_no_file_where_the_whole_is_not_right(tmp_path: Path) -> None:
    answers, _problems = settle(ANSWERS | {"mail_password": "x", "matrix_password": "y"})
    wrong = build_answers(
        answers | {"user_id": "lea"}, mail_password=Secret(text="x"), matrix_password=Secret(text="y")
    )
    with pytest.raises(ConfigError, match="'lea' is not a Matrix user ID"):
        write(tmp_path / "passerelle.toml", wrong)
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


def test_init_without_questions_tells_everything_that_is_missing(tmp_path: Path) -> None:
    result = init(tmp_path / "p.toml", "--non-interactive", address="nobody", room="bureau", provider="nowhere")
    assert result.exit_code == 2
    for name in ("address", "provider", "room", "mail_password", "user_id", "title", "coordinator"):
        assert f"{name}:" in result.output
    assert list(tmp_path.iterdir()) == []


def test_init_refuses_a_password_as_an_argument(tmp_path: Path) -> None:
    result = init(tmp_path / "p.toml", "--non-interactive", mail_password="hunter2")
    assert result.exit_code == 2
    assert "mail_password" not in OPEN_NAMES


def test_init_takes_password_files_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("one")
    (tmp_path / "matrix").write_text("two")
    file = tmp_path / "conf" / "p.toml"
    result = init(file, "--non-interactive", "--mail-password-file", str(tmp_path / "mail"),
                  "--matrix-password-file", str(tmp_path / "matrix"), **ANSWERS)  # fmt: skip
    assert result.exit_code == 0, result.output
    assert not (file.parent / "secrets").exists()
    assert config.read_secrets(config.load(file)) == ("two", "one", "one")


def test_init_asks_and_asks_again_where_an_answer_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "p.toml"
    typed = [
        "not an address", "pont@asso.fr",
        "", "", "143", "", "587", "",  # provider other, imap host, imap port, smtp host, smtp port, user name
        "mail s3cret",
        "@pont:asso.fr", "https://matrix.asso.fr",
        "matrix s3cret",
        "Asso", "Monique", "", "@monique:asso.fr",
        "tous@asso.fr", "", "",
        "tous", "#tous:asso.fr", "",
    ]  # fmt: skip
    result = init(file, typed="\n".join(typed) + "\n")
    assert result.exit_code == 0, result.output
    assert "'not an address' is not a mail address" in result.output
    assert "a room ID begins with ! and an alias with #" in result.output
    assert "s3cret" not in result.output
    settings = config.load(file)
    box = settings.mailboxes[0]
    assert box.imap is not None
    assert (box.imap.host, box.imap.tls, box.smtp.host, box.smtp.tls) == (
        "imap.asso.fr", "starttls", "smtp.asso.fr", "starttls",
    )  # fmt: skip
    assert settings.associations[0].coordinators[0].matrix == "@monique:asso.fr"
    assert settings.associations[0].coordinators[0].address is None
    assert "Subscribe pont@asso.fr to the list tous@asso.fr" in result.output


@pytest.mark.usefixtures("passwords")
def test_init_as_a_program(tmp_path: Path) -> None:
    program = [sys.executable, "-c", "from passerelle.cli import main; main()", "init", "--non-interactive"]
    words = [word for name, text in ANSWERS.items() for word in ("-a", f"{name}={text}")]
    done = subprocess.run([*program, *words], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "passerelle.toml").is_file()
    again = subprocess.run([*program, *words], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert again.returncode == 2


def test_every_default_follows_from_the_needed_answers() -> None:
    needed = ANSWERS | {"mail_password": "x", "matrix_password": "y"}
    answers, problems = settle(needed)
    assert problems == []
    assert set(answers) == {question.name for question in QUESTIONS}


@pytest.mark.parametrize("provider", providers.PROVIDERS, ids=lambda p: p.key)
def test_providers_are_found_by_name_and_by_their_addresses(provider: providers.Provider) -> None:
    assert providers.find_provider(provider.key) is provider
    for domain in provider.domains:
        assert providers.provider_of(f"x@{domain.upper()}") is provider
    assert providers.provider_of("x@asso.fr") is None


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Comité de quartier de l’Épeule", "comite-de-quartier-de-l-epeule"),
        ("Œuvre & fête n°3", "oeuvre-fete-n-3"),
        ("Привет", ""),
        ("x" * 80, "x" * 63),
    ],
)
def test_short_names(title: str, name: str) -> None:
    assert short_name(title) == name
