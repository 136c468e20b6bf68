"""`passerelle archive search` and `rebuild`, as an administrator types them."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from passerelle.cli import app
from passerelle.core.ids import AssociationName, LinkName, MessageId
from passerelle.core.model import NewPost
from passerelle.store.blobs import insert_blob
from passerelle.store.engine import Store
from passerelle.store.posts import insert_post
from passerelle.store.threads import insert_thread
from tests.flows.bridge import mail

CONFIGURATION = """
[store]
url = "sqlite:///{folder}/passerelle.db"
[matrix]
homeserver = "http://127.0.0.1:1"
user_id = "@passerelle:lab.test"
[[mailboxes]]
address = "passerelle@membres.lab.test"
imap = {{ host = "127.0.0.1", port = 1, tls = "none" }}
smtp = {{ host = "127.0.0.1", port = 1, tls = "none" }}
[[associations]]
name = "epeule"
title = "Épeule"
coordinators = [{{ name = "Monique" }}]
[[associations.links]]
name = "bureau"
list = {{ address = "bureau@listes.lab.test" }}
room = "!bureau:lab.test"
[[associations.links]]
name = "fetes"
list = {{ address = "fetes@listes.lab.test" }}
room = "!fetes:lab.test"
"""


async def fill(folder: Path) -> None:
    store = await Store.open(f"sqlite:///{folder}/passerelle.db", exclusive=True)
    now = datetime(2026, 11, 12, 11, 0, tzinfo=UTC)
    async with store.write() as conn:
        for number, (link, words) in enumerate([("bureau", "Les événements de l’été"), ("fetes", "Un événement [1]")]):
            thread_id = await insert_thread(conn, AssociationName("epeule"), "La fête", now, split_from=None)
            await insert_post(
                conn,
                NewPost(
                    association=AssociationName("epeule"),
                    link=LinkName(link),
                    side="list",
                    content_hash=str(number),
                    message_id=MessageId(f"m{number}@lab.test"),
                    thread_id=thread_id,
                    said_at=now,
                    accepted_at=now,
                    author_name="Monique",
                    subject="la fête",
                    text=words,
                    raw_hash=await insert_blob(conn, mail(words, subject="La fête")),
                ),
            )
    await store.close()


@pytest.fixture
def configuration(tmp_path: Path) -> Path:
    file = tmp_path / "passerelle.toml"
    file.write_text(CONFIGURATION.format(folder=tmp_path))
    asyncio.run(fill(tmp_path))
    return file


def run(configuration: Path, *words: str, language: str = "C") -> Result:
    arguments = ["archive", *words, "--config", str(configuration)]
    return CliRunner().invoke(app, arguments, env={"LANGUAGE": language})


def test_a_table_of_what_was_found(configuration: Path) -> None:
    done = run(configuration, "search", "evenement")
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    assert "Un événement [1]" in lines[1]
    assert "fetes, list" in lines[1]
    assert "Monique" in lines[2]
    assert "La fête · Les événements de l’été" in lines[2]
    assert lines[-1].strip() == "Found: 2."


def test_one_link_alone(configuration: Path) -> None:
    done = run(configuration, "search", "evenement", "--link", "bureau", "--association", "epeule")
    assert "été" in done.output
    assert "[1]" not in done.output


def test_json_for_programs(configuration: Path) -> None:
    done = run(configuration, "search", "objet:fête", "--json", "--limit", "1")
    found = json.loads(done.output)
    assert (found["total"], found["total_is"], len(found["hits"])) == (2, "exact", 1)
    assert found["hits"][0]["link"] == "fetes"
    assert found["hits"][0]["said_at"] == "2026-11-12T11:00:00+00:00"
    assert found["hits"][0]["extract"] == "Un événement [1]"


def test_nothing_found_is_no_error(configuration: Path) -> None:
    done = run(configuration, "search", "introuvable")
    assert (done.exit_code, done.output.strip()) == (0, "Nothing was found.")


def test_a_wrong_search_names_the_nearest_right_one(configuration: Path) -> None:
    done = run(configuration, "search", "obget:fête")
    assert done.exit_code == 1
    assert "objet:fête" in done.output
    assert "Traceback" not in done.output


@pytest.mark.parametrize("option", [("--link", "jardin"), ("--association", "jardin")])
def test_an_unknown_name_is_said(configuration: Path, option: tuple[str, str]) -> None:
    done = run(configuration, "search", "fête", *option)
    assert done.exit_code == 2
    assert "of this name" in done.output


def test_rebuild_reads_the_originals_again(configuration: Path) -> None:
    assert run(configuration, "search", "evenement").exit_code == 0
    done = run(configuration, "rebuild")
    assert done.exit_code == 0, done.output
    assert "Made anew: 2." in done.output
    assert "Found: 2." in run(configuration, "search", "evenement").output
