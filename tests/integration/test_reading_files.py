"""Texts read out of real files, by the process that reads them; and what happens where it breaks down."""

import os
import zlib

import pytest

from passerelle.files.kinds import Kind
from passerelle.files.reading import read_file
from passerelle.files.texts import MOST_CHARACTERS, UnreadableFile
from tests.unit.files.sample_files import bomb_odt, docx_of, locked_pdf_of, ods_of, odt_of, pdf_of


@pytest.mark.parametrize(
    ("data", "kind", "words"),
    [
        ("Réunion de l’été".encode(), "plain", "Réunion de l’été"),
        ("Réunion d'été".encode("cp1252"), "plain", "Réunion d'été"),
        ("<p>Fête <b>du</b> quartier</p><script>non()</script>".encode(), "html", "Fête du quartier"),
        (pdf_of("Procès-verbal de l'assemblée", "Page deux"), "pdf", "Procès-verbal de l'assemblée"),
        (odt_of("Statuts de l’association", "Article premier"), "opendocument", "Statuts de l’association"),
        (docx_of("Compte rendu de l’été", "Décision : louer la salle"), "word", "été\nDécision"),
        (ods_of([["Poste", "Montant"], ["Loto", 120]]), "opendocument", "Loto"),
    ],
)  # fmt: skip
async def test_what_files_say(data: bytes, kind: Kind, words: str) -> None:
    text = await read_file(data, kind)
    assert words in text
    assert "non()" not in text


async def test_all_pages_are_read() -> None:
    assert (await read_file(pdf_of("un", "deux", "trois"), "pdf")).split() == ["un", "deux", "trois"]


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"%PDF-1.4 rien que cela", "pdf"),
        (pdf_of("x")[:200], "pdf"),
        (os.urandom(5000), "pdf"),
        (b"PK\x03\x04 abime", "opendocument"),
        (os.urandom(5000), "opendocument"),
        (b"PK\x03\x04 abime", "word"),
        (docx_of("abîmé")[:150], "word"),
        (zlib.compress(b"rien"), "opendocument"),
    ],
)
async def test_damaged_files_are_refused(data: bytes, kind: Kind) -> None:
    with pytest.raises(UnreadableFile, match="damaged"):
        await read_file(data, kind)


async def test_what_was_struck_out_is_not_said() -> None:
    assert (await read_file(docx_of("Décision : louer", deleted="Décision : vendre"), "word")).split() == [
        "Décision", ":", "louer",
    ]  # fmt: skip


async def test_a_password_is_said() -> None:
    with pytest.raises(UnreadableFile, match="password"):
        await read_file(locked_pdf_of("secret"), "pdf")


async def test_a_bomb_takes_no_memory_but_its_own_process_s() -> None:
    with pytest.raises(UnreadableFile, match=r"damaged|too long"):
        await read_file(bomb_odt(), "opendocument")


async def test_time_is_limited() -> None:
    with pytest.raises(UnreadableFile, match="too long"):
        await read_file(pdf_of("x"), "pdf", longest_seconds=0.01)


async def test_a_long_text_is_cut() -> None:
    assert len(await read_file(b"mot " * 1_000_000, "plain")) == MOST_CHARACTERS
