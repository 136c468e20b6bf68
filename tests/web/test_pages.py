"""Pages of the archive, as a reader gets them: a real bridge filled it, the real server answers."""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from lxml import html as lxml_html
from sqlalchemy import update

from passerelle.core.ids import PostId
from passerelle.flows.hide_post import hide_post
from passerelle.flows.open_archive import settle_openings
from passerelle.store.tables import post as post_table
from passerelle.web.routes import ROUTES
from passerelle.web.server import HANDLERS
from tests.flows.bridge import mail
from tests.web.scene import PAUL, Scene, opened, play, with_files

MONIQUE = {"address": "monique@membres.lab.test", "name": "Monique Delattre"}
LEA = {"user_id": "@lea:lab.test"}
PAUL_READS = {"address": PAUL, "name": "Paul Lambert"}
#: The beginnings of what was said (`tests.web.scene.play`).
LOTO, TABLES, BUFFET = "Bonjour à toutes et ", "Je peux apporter deu", "Et moi je tiens la b"
POSTER, KEY = "Merci Léa !\n\nJe vous", "Quelqu’un a-t-il ret"


async def get(scene: Scene, path: str, **who: str) -> lxml_html.HtmlElement:
    """The page at a path, parsed; it has to be one."""
    async with scene.browser(**who) as browser:
        answer = await browser.get(path)
        assert answer.status == 200, path
        return lxml_html.fromstring(await answer.text())


def words(element: lxml_html.HtmlElement) -> str:
    return " ".join(element.text_content().split())


def test_every_address_has_its_page() -> None:
    assert {route.name for route in ROUTES} == set(HANDLERS)


async def test_the_first_page_shows_what_is_new_by_link(played: Scene) -> None:
    page = await get(played, "/epeule/", **LEA)
    assert [words(h) for h in page.cssselect("h1, h2")] == ["Quoi de neuf ?", "Bureau"]
    titles = [words(a) for a in page.cssselect(".threads .title")]
    assert titles == ["Quelqu’un a-t-il retrouvé la clé du local ?", "Loto du quartier"]
    assert "Paul Lambert" in words(page.cssselect(".threads li")[1])
    async with played.browser(**LEA) as browser:
        answer = await browser.get("/")
        assert answer.url.path == "/epeule/"


async def test_a_conversation_holds_both_media_in_the_order_of_time(played: Scene) -> None:
    shorts = await played.shorts()
    page = await get(played, f"/epeule/t/{shorts[BUFFET]}", **LEA)
    assert words(page.cssselect("h1")[0]) == "Loto du quartier"
    authors = [words(h) for h in page.cssselect("article .author")]
    assert authors == ["Monique Delattre", "Léa", "Karim", "Paul Lambert"]
    media = [words(p).split(" · ")[0] for p in page.cssselect("article > .about")]
    assert media == ["par courriel", "dans le salon", "dans le salon", "par courriel"]
    assert [words(h) for h in page.cssselect(".day")] == ["mardi 17 novembre 2026", "mercredi 18 novembre 2026"]
    # Who answers whom, where it is not the post right above.
    answers = [a.get("href") for a in page.cssselect("article > .about a[href^='#']")]
    assert answers == [f"#p-{shorts[LOTO]}"] * 2
    assert page.cssselect("time")[0].get("datetime") == "2026-11-17T10:00:00+00:00"
    assert "plaisir" in [words(e) for e in page.cssselect(".words em")]


async def test_one_answers_in_one_s_own_mail_program_or_in_the_room(played: Scene) -> None:
    shorts = await played.shorts()
    page = await get(played, f"/epeule/t/{shorts[LOTO]}", **PAUL_READS)
    by_mail = [a.get("href") for a in page.cssselect('a[href^="mailto:"]')]
    assert len(by_mail) == 4
    parts = urlsplit(by_mail[0])
    fields = parse_qs(parts.query, strict_parsing=True)
    assert unquote(parts.path) == "bureau@listes.lab.test"
    assert fields["subject"] == ["Re: Loto du quartier"]
    assert fields["In-Reply-To"] == ["<loto@membres.lab.test>"]
    assert "\r\n> Bonjour à toutes et à tous," in fields["body"][0]
    # A line of the room is answered by the mail that it left in.
    (left,) = {parse_qs(urlsplit(href).query)["In-Reply-To"][0] for href in by_mail[1:3]}
    assert left.strip("<>") in [mail["Message-ID"].strip("<>") for mail in await played.bridge.list_mails()]
    rooms = [a.get("href") for a in page.cssselect('a[href^="https://matrix.to/"]')]
    assert len(rooms) == 4
    assert rooms[1].startswith("https://matrix.to/#/%21salon%3Alab.test/%24event1")


async def test_permanent_addresses_lead_to_the_post_in_its_conversation(played: Scene) -> None:
    shorts = await played.shorts()
    (first, poster) = (shorts[LOTO], shorts[POSTER])
    async with played.browser(**LEA) as browser:
        for path, anchor in (
            (f"/epeule/p/{poster}", poster), (f"/p/{poster}", poster),
            ("/epeule/m/affiche@membres.lab.test", poster), ("/m/affiche@membres.lab.test", poster),
            ("/epeule/m/affiche%40membres.lab.test", poster),
        ):  # fmt: skip
            answer = await browser.get(path)
            assert answer.status == 200
            # What a browser goes to, with the fragment that the server is never told.
            assert answer.history[-1].headers["Location"] == f"/epeule/t/{first}#p-{anchor}"
        assert (await browser.get("/epeule/p/aaaaaaaaaaaa")).status == 404
        assert (await browser.get("/epeule/m/nobody@lab.test")).status == 404


async def test_an_address_of_several_posts_offers_the_choice(scene: Scene) -> None:
    for text in ("Un", "Deux autres mots"):
        await scene.bridge.receive(mail(text, message_id="same@membres.lab.test"))
    page = await get(scene, "/epeule/m/same@membres.lab.test", **MONIQUE)
    assert words(page.cssselect("h1")[0]) == "Plusieurs messages"
    assert len(page.cssselect(".threads li")) == 2
    for link in page.cssselect(".threads .title"):
        assert "#p-" in link.get("href")


async def test_months(played: Scene) -> None:
    page = await get(played, "/epeule/a/bureau", **LEA)
    assert [(words(a), a.get("href")) for a in page.cssselect(".months a")] == [
        ("Novembre 2026", "/epeule/a/bureau/2026-11")
    ]
    page = await get(played, "/epeule/a/bureau/2026-11", **LEA)
    assert words(page.cssselect("h1 + .about")[0]) == "2 conversations, 6 messages"
    assert len(page.cssselect(".threads li")) == 2
    page = await get(played, "/epeule/a/bureau/2026-12", **LEA)
    assert "Rien n’a été dit ce mois-là." in words(page)
    assert [a.get("href") for a in page.cssselect(".turn a")] == ["/epeule/a/bureau/2026-11"]
    async with played.browser(**LEA) as browser:
        for path in ("2026-13", "0000-01", "1969-12"):
            assert (await browser.get(f"/epeule/a/bureau/{path}")).status == 404


async def test_the_whole_mail_without_header_for_others_and_with_it_for_its_author(played: Scene) -> None:
    await played.bridge.receive(
        mail(
            "D'accord.\n\n-- \nLéon, leon@ailleurs.example\n\n"
            "> Monique <monique@membres.lab.test> a écrit :\n> Qui vient ?\n",
            message_id="leon@membres.lab.test",
            author="Léon <leon@membres.lab.test>",
            subject="Présence",
        )
    )
    short = next(s for text, s in (await played.shorts()).items() if text.startswith("D'accord"))
    page = await get(played, f"/epeule/p/{short}/original", **PAUL_READS)
    shown = words(page.cssselect(".original")[0])
    assert "[adresse masquée]" in shown
    assert "Qui vient" in shown
    assert "@" not in shown
    async with played.browser(**PAUL_READS) as browser:
        answer = await browser.get(f"/epeule/p/{short}/original.eml")
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        text = await answer.text()
        assert "@" not in text
        assert "Message-ID" not in text
    for who in ({"address": "leon@membres.lab.test", "name": "Léon"}, MONIQUE):
        async with played.browser(**who) as browser:
            answer = await browser.get(f"/epeule/p/{short}/original.eml")
            assert answer.headers["Content-Type"] == "message/rfc822"
            assert answer.headers["Content-Disposition"].startswith("attachment;")
            assert b"Message-ID: <leon@membres.lab.test>" in await answer.read()


async def test_files_are_handed_out_so_that_nothing_runs(scene: Scene) -> None:
    page = b"<html><script>alert(1)</script>"
    await scene.bridge.receive(
        with_files(
            mail("Voici", message_id="files@membres.lab.test"),
            ("page.html", "text/html", page),
            ("faux.png", "image/png", page),
            ("dessin.svg", "image/svg+xml", b"<svg/>"),
            ("mot.txt", "text/plain", "été".encode("cp1252")),
            ('a"b\r\nX: y;é%.pdf', "application/pdf", b"%PDF-1.4"),
        )
    )
    short = (await scene.shorts())["Voici"]
    async with scene.browser(**MONIQUE) as browser:
        for position, kind, how in (
            (1, "application/octet-stream", "attachment"), (2, "application/octet-stream", "attachment"),
            (3, "application/octet-stream", "attachment"), (4, "text/plain; charset=windows-1252", "inline"),
            (5, "application/octet-stream", "attachment"),
        ):  # fmt: skip
            answer = await browser.get(f"/epeule/f/{short}/{position}/x")
            assert answer.status == 200
            assert answer.headers["Content-Type"] == kind, position
            assert answer.headers["Content-Disposition"].startswith(how + ";"), position
            assert answer.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Cache-Control"] == "no-store"
            assert "X" not in answer.headers
        for position in (0, 6, 99999):
            assert (await browser.get(f"/epeule/f/{short}/{position}/x")).status == 404


async def test_one_s_own_posts_are_one_s_own(played: Scene) -> None:
    page = await get(played, "/epeule/mine", **LEA)
    assert len(page.cssselect(".threads li")) == 2
    assert "Karim" not in words(page.cssselect("main")[0])
    page = await get(played, "/epeule/mine", **PAUL_READS)
    assert [words(e) for e in page.cssselect(".excerpt")] == ["Merci Léa ! Je vous joins l'affiche et le programme."]


async def test_search_finds_marks_and_mends(played: Scene) -> None:
    page = await get(played, "/epeule/search?q=buvettes", **LEA)
    assert {words(m) for m in page.cssselect("mark")} == {"buvette"}
    assert len(page.cssselect(".threads li")) == 2
    page = await get(played, "/epeule/search?q=avant:blabla+loto", **LEA)
    suggestion = page.cssselect("main a")[0]
    assert suggestion.get("href").startswith("/epeule/search?q=")
    again = await get(played, suggestion.get("href"), **LEA)
    assert again.cssselect("main .about, main .threads")
    for strange in ("%00", "'", '"', "((", "de:", "*" * 2000, "%F0%9F%8E%89", "-"):
        await get(played, f"/epeule/search?q={strange}", **LEA)
    page = await get(played, "/epeule/search?q=introuvable", **LEA)
    assert "Rien ne répond à cette recherche" in words(page)


async def test_a_taken_down_post_leaves_a_tombstone_and_nothing_else(played: Scene) -> None:
    shorts = await played.shorts()
    async with played.ctx.store.write() as conn:
        ids = (await conn.execute(post_table.select().where(post_table.c.permalink == shorts[POSTER]))).first()
        assert ids is not None
        await hide_post(played.ctx, conn, PostId(ids.id), by="Monique")
    page = await get(played, f"/epeule/t/{shorts[LOTO]}", **LEA)
    assert "Un message a été retiré." in words(page.cssselect(f"#p-{shorts[POSTER]}")[0])
    assert "affiche" not in words(page)
    async with played.browser(**LEA) as browser:
        for path in ("original", "original.eml"):
            assert (await browser.get(f"/epeule/p/{shorts[POSTER]}/{path}")).status == 404
        assert (await browser.get(f"/epeule/f/{shorts[POSTER]}/1/x")).status == 404
        for path in ("/epeule/", "/epeule/search?q=programme", "/epeule/feed/all.atom", "/epeule/a/bureau/2026-11"):
            assert "affiche" not in await (await browser.get(path)).text(), path
    page = await get(played, "/epeule/acts", **LEA)
    assert "Monique · a retiré un message" in words(page)


async def test_what_is_not_to_be_archived_leaves_its_place_alone(scene: Scene) -> None:
    event = await scene.bridge.say("On commence par le bureau")
    answer = {"m.relates_to": {"m.in_reply_to": {"event_id": event}}}
    await scene.bridge.say("hors-archive : le code du portail est 4711", **answer)
    (short,) = [short for text, short in (await scene.shorts()).items() if text.startswith("On commence")]
    for moment in ("on its way", "after it left"):
        page = await get(scene, f"/epeule/t/{short}", **LEA)
        assert words(page.cssselect(".tombstone")[0]).startswith("Un message hors archives."), moment
        assert "4711" not in words(page)
        await scene.bridge.settle()


async def test_a_coordinator_hides_and_shows_by_forms_of_our_pages_only(played: Scene) -> None:
    short = (await played.shorts())[TABLES]
    async with played.browser(**MONIQUE) as browser:
        text = await (await browser.get(f"/epeule/p/{short}/alone")).text()
        page = lxml_html.fromstring(text)
        token = page.cssselect('.coordinate input[name="form_token"]')[0].get("value")
        assert (await browser.post(f"/epeule/p/{short}/hide", data={"form_token": "x"})).status == 403
        elsewhere = {"Sec-Fetch-Site": "cross-site"}
        refused = await browser.post(f"/epeule/p/{short}/hide", data={"form_token": token}, headers=elsewhere)
        assert refused.status == 403
        done = await browser.post(f"/epeule/p/{short}/hide", data={"form_token": token})
        assert "Un message a été retiré." in await done.text()
        done = await browser.post(f"/epeule/p/{short}/show", data={"form_token": token})
        assert "deux tables" in await done.text()
    async with played.browser(**PAUL_READS) as browser:
        text = await (await browser.get(f"/epeule/p/{short}/alone")).text()
        assert "coordinate" not in text
        token = lxml_html.fromstring(text).cssselect('input[name="form_token"]')[0].get("value")
        refused = await browser.post(f"/epeule/p/{short}/hide", data={"form_token": token})
        assert refused.status == 403
        assert "Seule la coordination peut faire cela." in await refused.text()


async def test_a_coordinator_splits_attaches_and_undoes(played: Scene) -> None:
    shorts = await played.shorts()
    async with played.browser(**MONIQUE) as browser:

        async def send(path: str, **form: str) -> tuple[int, str]:
            text = await (await browser.get(f"/epeule/p/{shorts[POSTER]}/alone")).text()
            token = lxml_html.fromstring(text).cssselect('input[name="form_token"]')[0].get("value")
            answer = await browser.post(path, data={"form_token": token, **form})
            return answer.status, await answer.text()

        async def authors(short: str) -> list[str]:
            page = lxml_html.fromstring(await (await browser.get(f"/epeule/t/{short}")).text())
            return [words(h) for h in page.cssselect("article .author")]

        whole = ["Monique Delattre", "Léa", "Karim", "Paul Lambert"]
        assert await authors(shorts[LOTO]) == whole
        assert (await send(f"/epeule/p/{shorts[POSTER]}/split"))[0] == 200
        assert await authors(shorts[LOTO]) == whole[:3]
        assert await authors(shorts[POSTER]) == ["Paul Lambert"]
        status, text = await send(f"/epeule/p/{shorts[POSTER]}/split")
        assert (status, "commence déjà sa conversation" in text) == (409, True)
        to = f"{played.url}/epeule/t/{shorts[KEY]}#p-{shorts[KEY]}"
        assert (await send(f"/epeule/p/{shorts[POSTER]}/attach", to=to))[0] == 200
        assert "Paul Lambert" in await authors(shorts[KEY])
        for wrong in (f"/epeule/p/{shorts[POSTER]}", "n'importe quoi", "/epeule/m/nobody@lab.test", ""):
            assert (await send(f"/epeule/p/{shorts[POSTER]}/attach", to=wrong))[0] == 409
        for _ in range(2):
            acts = lxml_html.fromstring(await (await browser.get("/epeule/acts")).text())
            await send(acts.cssselect('form[action$="/undo"]')[0].get("action"))
        assert await authors(shorts[LOTO]) == whole
        assert not lxml_html.fromstring(await (await browser.get("/epeule/acts")).text()).cssselect(".acts form")
        assert (await send("/epeule/acts/999999/undo"))[0] == 404
    page = await get(played, "/epeule/acts", **LEA)
    assert [words(li).split(" · ")[2] for li in page.cssselect(".acts li")] == [
        "est revenu·e sur un acte (Bureau)", "est revenu·e sur un acte (Bureau)",
        "a rattaché un message à une conversation (Bureau)", "a séparé une conversation en deux (Bureau)",
    ]  # fmt: skip


async def test_long_conversations_come_in_pages(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("passerelle.web.views_thread.POSTS_A_PAGE", 3)
    await scene.bridge.receive(mail("numéro 0", message_id="n0@membres.lab.test"))
    for n in range(1, 8):
        scene.bridge.pass_time(minutes=1)
        await scene.bridge.receive(
            mail(f"numéro {n}", message_id=f"n{n}@membres.lab.test", answering=("n0@membres.lab.test",))
        )
    shorts = await scene.shorts()
    async with scene.browser(**MONIQUE) as browser:
        answer = await browser.get(f"/epeule/p/{shorts['numéro 7']}")
        assert (answer.url.path, answer.url.query_string) == (f"/epeule/t/{shorts['numéro 0']}", "page=3")
        page = lxml_html.fromstring(await answer.text())
        assert [words(w) for w in page.cssselect(".words")] == ["numéro 6", "numéro 7"]
        assert words(page.cssselect("h1")[0]) == "Loto du quartier"
        assert (await browser.get(f"/epeule/t/{shorts['numéro 0']}?page=4")).status == 404
        for wrong in ("0", "x", "-1", "9999999"):
            assert (await browser.get(f"/epeule/t/{shorts['numéro 0']}?page={wrong}")).status == 404


async def test_a_very_long_post_is_whole_on_its_own_page(scene: Scene) -> None:
    await scene.bridge.receive(mail("mot\n\n" * 9000 + "la fin", message_id="long@membres.lab.test"))
    (short,) = (await scene.shorts()).values()
    assert "la fin" not in words(await get(scene, f"/epeule/t/{short}", **MONIQUE))
    assert "Lire la suite" in words(await get(scene, f"/epeule/t/{short}", **MONIQUE))
    assert "la fin" in words(await get(scene, f"/epeule/p/{short}/alone", **MONIQUE))


async def test_errors_are_pages_in_plain_words(played: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    async with played.browser(**LEA) as browser:
        for path, method, status, said in (
            ("/epeule/nowhere", "GET", 404, "Page introuvable"), ("/nowhere/", "GET", 404, "Page introuvable"),
            ("/epeule/", "DELETE", 405, "Page introuvable"),
            ("/epeule/sign-out", "POST", 403, "Ce n’est pas possible ainsi"),
        ):  # fmt: skip
            answer = await browser.request(method, path)
            assert answer.status == status, path
            assert said in await answer.text()
            assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")

        async def fail(*_args: object, **_more: object) -> None:
            raise RuntimeError("secret detail")

        monkeypatch.setattr("passerelle.web.views_home.new_threads", fail)
        answer = await browser.get("/epeule/")
        assert answer.status == 500
        text = await answer.text()
        assert "Une erreur de notre côté" in text
        assert "secret detail" not in text


async def test_every_page_forbids_what_it_does_not_need(played: Scene) -> None:
    async with played.browser(**LEA) as browser:
        answer = await browser.get("/epeule/")
        assert answer.headers["Content-Security-Policy"] == (
            "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
            "frame-ancestors 'none'"
        )
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
        text = await answer.text()
        assert not re.search(r"<script|\son\w+=|style=|javascript:", text)
        sheet = re.search(r'href="(/style/[0-9a-f]+\.css)"', text)
        assert sheet is not None
        style = await browser.get(sheet[1])
        assert style.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert len(await style.read()) < 20 * 1024
        assert (await browser.get("/style/old.css")).status == 404


async def test_head_answers_as_get_does(played: Scene) -> None:
    async with played.browser(**LEA) as browser:
        answer = await browser.head("/epeule/")
        assert (answer.status, await answer.read()) == (200, b"")


async def test_strangers_are_asked_to_sign_in_first(played: Scene) -> None:
    shorts = await played.shorts()
    async with played.browser() as browser:
        for path in ("/epeule/", f"/epeule/t/{shorts[LOTO]}", "/epeule/search?q=loto", "/epeule/feed/all.atom"):
            answer = await browser.get(path, allow_redirects=False)
            assert answer.status == 303
            assert answer.headers["Location"].startswith("/epeule/sign-in")


async def test_strangers_read_what_was_opened_without_a_single_address(tmp_path: Path) -> None:
    async with opened(tmp_path, archive={"visibility": "public"}) as scene:
        await play(scene)
        rich = '<p>Écrivez à <b>paul@secret.example</b> ou <a href="mailto:paul@secret.example">ici</a></p>'
        made = message_from_bytes(
            mail("Écrivez à paul@secret.example ou ici\n\n> cité par anne@secret.example", message_id="rich@lab.test",
                 subject="Pour paul@secret.example", author="x@secret.example"),
            policy=policy.SMTP,
        )  # fmt: skip
        assert isinstance(made, EmailMessage)
        made.add_alternative(rich, subtype="html")
        await scene.bridge.receive(with_files(made.as_bytes(), ("paul@secret.example.txt", "text/plain", b"x")))
        await settle_openings(scene.ctx)
        await scene.bridge.notices_leave()
        scene.bridge.pass_time(days=15)
        await settle_openings(scene.ctx)
        shorts = await scene.shorts()
        rich_short = next(s for text, s in shorts.items() if text.startswith("Écrivez"))
        async with scene.browser() as browser:
            for path in (
                "/epeule/", f"/epeule/t/{shorts[LOTO]}", f"/epeule/t/{rich_short}", f"/epeule/p/{rich_short}/alone",
                f"/epeule/p/{rich_short}/original", f"/epeule/p/{rich_short}/original.eml", "/epeule/a/bureau",
                "/epeule/a/bureau/2026-11", "/epeule/search?q=ecrivez", "/epeule/feed/all.atom",
                "/epeule/feed/all.json", "/epeule/about", "/epeule/feeds", f"/epeule/f/{rich_short}/1/x",
            ):  # fmt: skip
                answer = await browser.get(path, allow_redirects=False)
                assert answer.status == 200, path
                text = await answer.text()
                assert "secret.example" not in text, path
                assert "secret.example" not in str(answer.headers)
                assert "lab.test" not in text.replace("rich@lab.test", ""), path
                assert "mailto:" not in text
                assert "matrix.to" not in text
                assert answer.headers["X-Robots-Tag"].startswith("noindex")


async def test_names_are_never_addresses(scene: Scene) -> None:
    await scene.bridge.receive(mail("Bonjour", author="jean@secret.example", message_id="j@membres.lab.test"))
    async with scene.ctx.store.write() as conn:
        await conn.execute(update(post_table).values(author_name="jean@secret.example"))
    (short,) = (await scene.shorts()).values()
    for path in ("/epeule/", f"/epeule/t/{short}", "/epeule/a/bureau/2026-11", "/epeule/feed/all.json"):
        async with scene.browser(address="jean@secret.example") as browser:
            text = await (await browser.get(path)).text()
            assert "jean@secret.example" not in text
