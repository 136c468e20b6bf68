"""`passerelle check` and `run` at the terminal: lines, marks and exit codes."""

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from passerelle import check as checking
from passerelle.check import Finding, Mark, Step, ok, problem, take
from passerelle.check_matrix import MatrixAccess
from passerelle.check_plan import CheckPlan, plan_steps
from passerelle.cli import app
from passerelle.config import load
from passerelle.errors import AccessRefused, ConfigError, PermanentFailure, TemporaryFailure

# Nothing listens on port 1 of any machine that tests run on.
NOWHERE = """
[matrix]
homeserver = "http://127.0.0.1:1"
user_id = "@passerelle:example.org"
password = "matrix s3cret"
timeout_seconds = 2
[[mailboxes]]
address = "passerelle@example.org"
[mailboxes.imap]
host = "127.0.0.1"
port = 1
tls = "none"
username = "passerelle"
password = "imap s3cret"
timeout_seconds = 2
[mailboxes.smtp]
host = "127.0.0.1"
port = 1
tls = "none"
timeout_seconds = 2
[[mailboxes]]
name = "second"
address = "second@example.org"
[mailboxes.lmtp]
port = 0
[mailboxes.smtp]
host = "127.0.0.1"
port = 1
tls = "none"
[[associations]]
name = "epeule"
title = "Comité de quartier de l’Épeule"
coordinators = [{name = "Monique"}]
[[associations.links]]
name = "bureau"
room = "!room:example.org"
list = {address = "bureau@listes.example.org", archive_url = "http://127.0.0.1:1/archive"}
[[associations.links]]
name = "tous"
mailbox = "second"
room = "!tous:example.org"
list = {address = "tous@listes.example.org"}
"""


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "en")
    monkeypatch.delenv("PASSERELLE_CONFIG", raising=False)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "passerelle.toml"
    path.write_text(NOWHERE, encoding="utf-8")
    path.chmod(0o600)
    return path


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def test_check_tells_every_problem_and_ends_with_1(file: Path) -> None:
    result = run("check", "--config", str(file))
    assert result.exit_code == 1, result.output
    for line in ("✓ The file is right: 1 association(s), 2 link(s).", "✓ Secrets are there", "✗ Cannot connect"):
        assert line in result.output
    assert "→ Is the name of the server right" in result.output
    assert "s3cret" not in result.output
    assert "Problems: " in result.output


def test_check_of_a_file_that_is_not_right_ends_with_1(file: Path) -> None:
    file.write_text(NOWHERE.replace("user_id", "userid"), encoding="utf-8")
    result = run("check", "--config", str(file))
    assert result.exit_code == 1
    assert "matrix.userid: there is no such key; do you mean user_id?" in result.output


def test_check_of_an_unknown_link_is_a_wrong_command(file: Path) -> None:
    result = run("check", "--config", str(file), "--link", "epeule/jardin")
    assert result.exit_code == 2
    assert "epeule/tous" in result.output


def test_check_speaks_french_where_the_environment_does(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "fr")
    result = run("check", "--config", str(file))
    assert "✓ Le fichier est juste\u00a0: 1 association(s), 2 lien(s)." in result.output


def test_check_warns_of_a_file_that_others_can_read(file: Path) -> None:
    file.chmod(0o644)
    result = run("check", "--config", str(file))
    assert f"! Others on this machine can read a secret in {file}." in result.output


def test_check_tells_of_secrets_that_are_missing(file: Path) -> None:
    file.write_text(NOWHERE.replace('password = "matrix s3cret"', 'password_env = "NOT_SET_AT_ALL"'), encoding="utf-8")
    result = run("check", "--config", str(file))
    assert "✗ matrix: password_env names the environment variable NOT_SET_AT_ALL, which is not set." in result.output


def test_check_reads_the_associations_own_templates(file: Path) -> None:
    own = file.parent / "templates" / "mail"
    own.mkdir(parents=True)
    (own / "nonsense.fr.txt.j2").write_text("{% if %}")
    file.write_text(NOWHERE.replace('name = "epeule"', 'name = "epeule"\ntemplates = "templates"'), encoding="utf-8")
    assert "nonsense.fr.txt.j2" in run("check", "--config", str(file)).output
    file.write_text(NOWHERE.replace('name = "epeule"', 'name = "epeule"\ntemplates = "nowhere"'), encoding="utf-8")
    assert "✗ The folder of templates of epeule is not there" in run("check", "--config", str(file)).output


def test_the_plan_looks_at_what_the_chosen_links_need(file: Path) -> None:
    def names(*links: str, send_test: bool = False) -> str:
        plan = CheckPlan(settings=load(file), file=file, links=frozenset(links), send_test=send_test)
        return " | ".join(step.name for step in plan_steps(plan, MatrixAccess(plan.settings.matrix)))

    both = names("epeule/bureau", "epeule/tous", send_test=True)
    assert "Mailbox main: IMAP at 127.0.0.1" in both
    assert "Mailbox second: LMTP at 127.0.0.1:0" in both
    assert both.endswith("Test mail to bureau@listes.example.org | Test mail to tous@listes.example.org")
    one = names("epeule/tous")
    assert "Mailbox main" not in one
    assert "Room of epeule/tous" in one
    assert "epeule/bureau" not in one
    assert "Archive" not in one
    assert "Test mail" not in one


# ---------------------------------------------------------------- one step


@pytest.mark.parametrize(
    ("error", "mend"),
    [
        (TemporaryFailure("no answer"), "network"),
        (AccessRefused("the server refuses the login"), "password"),
        (PermanentFailure("no such thing"), ""),
        (ConfigError("not right"), ""),
    ],
)
async def test_what_goes_wrong_in_a_step_is_its_finding(error: Exception, mend: str) -> None:
    async def look() -> list[Finding]:
        raise error

    (finding,) = await take(Step(name="x", look=look))
    assert finding.mark is Mark.PROBLEM
    assert finding.sentence[0].isupper()
    assert finding.sentence.endswith(".")
    assert mend in finding.mend
    assert bool(mend) == bool(finding.mend)


async def test_a_step_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "STEP_SECONDS", 0.01)

    async def look() -> list[Finding]:
        await asyncio.Event().wait()
        return [ok("never")]

    (finding,) = await take(Step(name="x", look=look))
    assert finding.mark is Mark.PROBLEM


async def test_a_fault_of_ours_is_not_hidden() -> None:
    async def look() -> list[Finding]:
        return [problem(str(1 // 0))]

    with pytest.raises(ZeroDivisionError):
        await take(Step(name="x", look=look))


# ---------------------------------------------------------------- run, version


def test_run_with_a_missing_file_or_secret_says_so_and_ends_with_1(file: Path) -> None:
    result = run("run", "--config", str(file.parent / "none.toml"))
    assert result.exit_code == 1
    assert "is not there. To write one: passerelle init" in result.output
    file.write_text(NOWHERE.replace('password = "matrix s3cret"', 'password_file = "nowhere"'), encoding="utf-8")
    result = run("run", "--config", str(file))
    assert result.exit_code == 1
    assert "password_file names" in result.output


def test_the_configuration_may_be_named_by_the_environment(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASSERELLE_CONFIG", str(file.parent / "other.toml"))
    assert "other.toml is not there" in run("run").output


def test_version_names_both() -> None:
    result = run("version")
    assert result.exit_code == 0
    assert result.output.startswith("Passerelle 0.")
    assert "Python 3." in result.output
