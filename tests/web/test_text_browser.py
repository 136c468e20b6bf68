"""The pages as a text browser shows them (w3m): names, dates, words and links, in the order in which one reads them."""

from __future__ import annotations

import asyncio
import re
import shutil

import pytest

from tests.web.scene import Scene

LEA = {"user_id": "@lea:lab.test"}
LOTO = "Bonjour à toutes et "
NO_W3M = "no w3m: install Debian's w3m"
#: Links are numbered where they stand, and their addresses listed at the end.
W3M = ("w3m", "-dump", "-T", "text/html", "-I", "UTF-8", "-O", "UTF-8", "-cols", "100", "-o", "display_link_number=1")
#: Above whatever a page is about, and below it.
TOP = ("Aller au contenu", "Comité de quartier de l’Épeule", "Chercher dans les archives", "Accueil", "Mes messages")
END = ("Vous lisez en tant que Léa.", "Suivre par un lecteur de flux", "Archives tenues par Passerelle")
#: What is read at a path, in this order; `{loto}` is a post's short name.
READ: dict[str, tuple[str, ...]] = {
    "/epeule/": (
        "Quoi de neuf ?", "Bureau", "La liste bureau@listes.lab.test et son salon.",
        "Quelqu’un a-t-il retrouvé la clé du local ?", "2 messages", "le dernier : Karim",
        "vendredi 20 novembre 2026 à 7 h 41", "Loto du quartier", "4 messages", "le dernier : Paul Lambert",
        "mercredi 18 novembre 2026 à 7 h 38", "Merci Léa !", "Tout ce qui s’est dit : Bureau",
    ),
    "/epeule/a/bureau/2026-11": (
        "Bureau", "Novembre 2026", "2 conversations", "6 messages", "Quelqu’un a-t-il retrouvé la clé du local ?",
        "Loto du quartier", "4 messages",
    ),
    "/epeule/t/{loto}": (
        "Bureau", "Novembre 2026", "Loto du quartier", "4 messages", "mardi 17 novembre 2026", "Monique Delattre",
        "par courriel", "11 h", "Bonjour à toutes et à tous,", "https://epeule.example/loto", "Répondre par courriel",
        "Répondre dans le salon", "Léa", "dans le salon", "11 h 25", "Je peux apporter deux tables", "Karim",
        "dans le salon", "11 h 27", "en réponse à", "Monique Delattre", "Et moi je tiens la buvette",
        "mercredi 18 novembre 2026", "Paul Lambert", "par courriel", "7 h 38", "Je vous joins l'affiche",
        "affiche du loto.png (406 octets)", "programme.pdf", "Répondre par courriel",
    ),
    "/epeule/p/{loto}/alone": (
        "Toute la conversation", "Loto du quartier", "mardi 17 novembre 2026", "Monique Delattre", "par courriel",
        "11 h", "Bonjour à toutes et à tous,", "Qui peut venir dès 14 h ?", "Répondre par courriel",
        "Adresse permanente",
    ),
    "/epeule/search?q=buvette": (
        "2 messages", "buvette", "Loto du quartier", "Karim", "mardi 17 novembre 2026", "la buvette, avec",
        "Loto du quartier", "Monique Delattre", "mardi 17 novembre 2026", "deux personnes pour la buvette",
    ),
}  # fmt: skip
#: Where links of a page lead, by what is written on them.
LINKS: dict[str, dict[str, str]] = {
    "/epeule/": {"Loto du quartier": "/epeule/t/{loto}#p-", "Tout ce qui s’est dit": "/epeule/a/bureau"},
    "/epeule/a/bureau/2026-11": {"Loto du quartier": "/epeule/t/{loto}"},
    "/epeule/t/{loto}": {"Répondre par courriel": "mailto:", "Répondre dans le salon": "https://matrix.to/#/"},
    "/epeule/p/{loto}/alone": {"Toute la conversation": "/epeule/t/{loto}#p-{loto}"},
    "/epeule/search?q=buvette": {"Loto du quartier": "/epeule/"},
}


async def shown(html: bytes) -> str:
    """A page as w3m shows it, each white space as one blank."""
    process = await asyncio.create_subprocess_exec(*W3M, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
    out, _ = await asyncio.wait_for(process.communicate(html), 30)
    assert process.returncode == 0
    return " ".join(out.decode().split())


@pytest.mark.skipif(shutil.which("w3m") is None, reason=NO_W3M)
async def test_a_text_browser_reads_every_page_in_its_order(played: Scene) -> None:
    loto = (await played.shorts())[LOTO]
    for path, wanted in READ.items():
        async with played.browser(**LEA) as browser:
            answer = await browser.get(path.format(loto=loto))
            assert answer.status == 200, path
            text, _, addresses = (await shown(await answer.read())).partition("References:")
        plain, at = re.sub(r"\[\d+\]", "", text), 0
        for words in (*TOP, *wanted, *END):
            found = plain.find(words, at)
            assert found >= 0, f"{path}: {words!r} is not behind {plain[max(0, at - 60) : at]!r}"
            at = found + len(words)
        leads = dict(re.findall(r"\[(\d+)\] (\S+)", addresses))
        for words, where in LINKS[path].items():
            numbers = re.findall(rf"\[(\d+)\]{re.escape(words)}", text)
            assert numbers, f"{path}: {words!r} is no link"
            assert where.format(loto=loto) in leads[numbers[-1]], path
