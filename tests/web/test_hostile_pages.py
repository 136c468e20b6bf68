"""What a hostile mail, message, name or file holds never runs, and nothing is asked of another site. A real browser.

Each page is opened twice: as it is, and with its policy (CSP) switched off, so that the sanitiser stands alone; the
policy is no excuse.
"""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import SMTP
from typing import Any
from urllib.parse import quote

import pytest
from markupsafe import Markup
from sqlalchemy import select, update

from passerelle.core.minutes_model import AgendaItem, MinutesEntry
from passerelle.core.names import one_line
from passerelle.core.register_model import NamedPerson
from passerelle.store.tables import post, thread
from passerelle.web.bodies import html_of_post, html_of_text
from tests.flows.bridge import LIST, mail
from tests.web.scene import Scene, picture
from tests.web.secretary import answers, came, minute, note, objects, plan
from tests.web.vectors import LINES, MARKUP

MONIQUE = {"address": "monique@membres.lab.test", "name": "Monique Delattre"}


def test_there_are_enough_of_them() -> None:
    assert len(set(MARKUP)) + len(set(LINES)) >= 120


@pytest.mark.parametrize("mask", [None, "[x]"])
def test_nothing_but_harmless_elements_is_left(mask: str | None) -> None:
    from lxml import html as lxml_html

    allowed = {"p", "div", "br", "a", "b", "strong", "i", "em", "u", "s", "del", "sub", "sup", "ul", "ol", "li", "pre"}
    allowed |= {"blockquote", "code", "hr", "table", "caption", "thead", "tbody", "tr", "th", "td"}
    for vector in (*MARKUP, *LINES):
        for made in (
            html_of_post(text="x", html=f"<b>mot</b>{vector}<p>fin</p>", image_words="[{}]", mask=mask),
            html_of_text(vector, mask=mask),
        ):
            body = lxml_html.fromstring(f"<body>{made}</body>")
            for element in body.iterdescendants():
                assert element.tag in allowed, vector
                assert set(element.attrib) <= {"href", "rel", "dir", "colspan", "rowspan", "start"}, vector
                assert element.get("href", "https://").startswith(("http://", "https://", "mailto:")), vector


def hostile_mail(number: int, vector: str) -> bytes:
    """A mail with HTML alone, a hostile subject, name and file."""
    line = LINES[number % len(LINES)]
    made = EmailMessage(policy=SMTP)
    made["From"] = "Monique Delattre <monique@membres.lab.test>"
    made["To"] = LIST
    made["List-Id"] = "<bureau.listes.lab.test>"
    made["Message-ID"] = f"<hostile{number}@membres.lab.test>"
    made["Date"] = "Tue, 17 Nov 2026 10:00:00 +0000"
    made["Subject"] = one_line(f"sujet {number} {line}")
    made.set_content(f"<p>mot {number}</p>{vector}".replace("\r", " "), subtype="html", cte="base64")
    made.add_attachment(picture(), maintype="image", subtype="png", filename=one_line(line) + ".png")
    return made.as_bytes()


async def fill(scene: Scene) -> list[str]:
    """Every vector by mail, in the room, and straight into the store as no intake would; paths of pages to open."""
    bridge = scene.bridge
    for number, vector in enumerate(MARKUP):
        await bridge.receive(hostile_mail(number, vector))
        formatted = {"format": "org.matrix.custom.html", "formatted_body": f"mot <b>{number}</b>{vector}"}
        await bridge.say(f"ligne {number} {vector}"[:2000], **formatted)
        bridge.pass_time(hours=1)
    async with scene.ctx.store.write() as conn:
        rows = (await conn.execute(select(post.c.id, post.c.side, post.c.thread_id).order_by(post.c.id))).all()
        mails, lines = ([row for row in rows if row.side == side] for side in ("list", "room"))
        assert len(mails) == len(lines) == len(MARKUP)
        for side, of_side in (("mails", mails), ("lines", lines)):
            for number, (row, vector) in enumerate(zip(of_side, MARKUP, strict=True)):
                name = LINES[number % len(LINES)]
                changed: dict[str, Any] = {"thread_id": of_side[0].thread_id, "author_name": name}
                if side == "lines" and number % 2:
                    # As if nothing had been cleaned on the way in.
                    changed |= {"html": f"<b>mot</b>{vector}", "text": vector, "subject": name}
                await conn.execute(update(post).where(post.c.id == row.id).values(**changed))
            await conn.execute(update(thread).where(thread.c.id == of_side[0].thread_id).values(subject=LINES[1]))
        firsts = [of_side[0].id for of_side in (mails, lines)]
        shorts = list((await conn.execute(select(post.c.permalink).where(post.c.id.in_(firsts)))).scalars())
        some = list((await conn.execute(select(post.c.permalink).order_by(post.c.id).limit(40))).scalars())
    paths = [f"/epeule/t/{short}{page}" for short in shorts for page in ("", "?page=2")]
    paths += await fill_register(scene)
    paths += ["/epeule/", "/epeule/mine", "/epeule/acts", "/epeule/a/bureau/2026-11", "/epeule/search?q=mot"]
    paths += [
        f"/epeule/search?q={one}" for one in ("%3Cscript%3Ealert(1)%3C/script%3E", '"><img src=x onerror=alert(1)>')
    ]
    paths += [f"/epeule/p/{short}/{what}" for short in some[::4] for what in ("alone", "original")]
    return paths


async def fill_register(scene: Scene) -> list[str]:
    """Entries and meetings whose every part is hostile, several of each kind."""
    monique = await scene.person(**MONIQUE)
    kinds = ["decision", "action", "loan", "booking", "count", "info"]
    for number, vector in enumerate(MARKUP[::3] + LINES):
        line = LINES[number % len(LINES)]
        entry = await note(
            scene, vector, kinds[number % len(kinds)], label=line, author_name=line, said_for=line,
            author_person_id=monique, people=(NamedPerson(name=line, person_id=monique),),
        )  # fmt: skip
        if entry.kind == "decision":
            await objects(scene, entry, line, vector, passed_on_by=line)
            await came(scene, entry, "object", by=line, detail=line)
            await came(scene, entry, vector[:200], by=line, detail=vector)
    meetings = [
        await plan(
            scene, vector, days=number, place=line, notes=vector, url=f"https://a.example/{line}", organizer_name=line,
            chair=line, secretary=line, uid=f"hostile{number}@lab.test",
        )
        for number, (vector, line) in enumerate(zip(MARKUP[::9], LINES * 2, strict=False))
    ]  # fmt: skip
    for number, meeting in enumerate(meetings):
        line, vector = LINES[number % len(LINES)], MARKUP[number]
        await note(scene, vector, "agenda", meeting_id=meeting.id, author_name=line)
        await note(scene, vector, "info", meeting_id=meeting.id, author_name=line)
        await answers(scene, meeting, monique, line, "yes", by=line)
    said = MinutesEntry(kind="decision", number=1, text=MARKUP[0], names=(LINES[1],), author=LINES[2], label=LINES[3])
    short = await minute(
        scene, meetings[0], title=LINES[0], place=LINES[1], chair=LINES[2], decisions=(said,), actions=(said,),
        agenda=(AgendaItem(text=MARKUP[3]),), url="javascript:alert(1)", association=LINES[1],
    )  # fmt: skip
    hostile = [quote(line) for line in LINES]
    return [
        "/epeule/register",
        *(
            f"/epeule/register?q={line}&label={line}&kind={line}&state={line}&year={line}&link={line}"
            for line in hostile
        ),
        *(f"/epeule/register/{number}" for number in range(1, entry.number + 1)),
        "/epeule/meetings",
        f"/epeule/minutes/{short}",
        *(f"/epeule/meetings/{meeting.number}" for meeting in meetings),
    ]


@pytest.mark.parametrize("policy", ["on", "off"])
async def test_nothing_runs_and_nothing_is_asked_of_another_site(scene: Scene, chromium: Any, policy: str) -> None:
    paths = await fill(scene)
    cookies = await scene.session(**MONIQUE)
    context = await chromium.new_context(bypass_csp=policy == "off")
    await context.add_cookies([{"name": n, "value": v, "url": f"{scene.url}/epeule"} for n, v in cookies.items()])
    happened: list[str] = []
    await context.expose_binding("ran", lambda source, what: happened.append(f"ran: {what}"))
    await context.add_init_script("window.alert = window.confirm = window.prompt = what => window.ran(String(what))")
    page = await context.new_page()
    page.on("dialog", lambda dialog: happened.append(f"dialog: {dialog.message}"))
    page.on("console", lambda message: happened.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: happened.append(f"error: {error}"))
    page.on("request", lambda request: request.url.startswith(scene.url) or happened.append(f"request: {request.url}"))
    page.on(
        "response", lambda answer: answer.status < 400 or happened.append(f"response: {answer.status} {answer.url}")
    )
    page.on("popup", lambda popup: happened.append(f"popup: {popup.url}"))
    for path in paths:
        answer = await page.goto(f"{scene.url}{path}", wait_until="load")
        assert answer is not None
        assert answer.status == 200, path
        # Hovering and focusing start what waits for it.
        for _ in range(3):
            await page.keyboard.press("Tab")
        await page.mouse.move(300, 300)
        await page.wait_for_timeout(20)
        assert page.url.startswith(scene.url), path
        assert happened == [], path
    await context.close()


async def test_files_run_nothing_when_they_are_opened(scene: Scene, chromium: Any) -> None:
    from tests.web.scene import with_files

    script = b"<script>alert(1)</script><img src=x onerror=alert(1)><svg onload=alert(1)>"
    await scene.bridge.receive(
        with_files(
            mail("Voici", message_id="f@membres.lab.test"),
            ("a.txt", "text/plain", script),
            ("b.png", "image/png", b"\x89PNG\r\n\x1a\n" + script),
            ("c.gif", "image/gif", b"GIF89a/*" + script),
        )
    )
    (short,) = (await scene.shorts()).values()
    cookies = await scene.session(**MONIQUE)
    context = await chromium.new_context()
    await context.add_cookies([{"name": n, "value": v, "url": f"{scene.url}/epeule"} for n, v in cookies.items()])
    happened: list[str] = []
    page = await context.new_page()
    page.on("dialog", lambda dialog: happened.append(dialog.message))
    page.on("request", lambda request: request.url.startswith(scene.url) or happened.append(request.url))
    for position in (1, 2, 3):
        answer = await page.goto(f"{scene.url}/epeule/f/{short}/{position}/x")
        assert answer.status == 200
        assert "sandbox" in answer.headers["content-security-policy"]
        await page.wait_for_timeout(50)
    assert happened == []
    await context.close()


async def test_what_runs_would_be_noticed(scene: Scene, chromium: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same page without our sanitiser: without its policy a script runs; with it, the policy alone holds."""
    await scene.bridge.receive(mail("Voici", message_id="f@membres.lab.test"))
    (short,) = (await scene.shorts()).values()
    vector = "<img src=x onerror=alert(1)><img src='https://evil.example/1.gif'>"
    monkeypatch.setattr("passerelle.web.present.html_of_post", lambda **_: Markup(vector))
    cookies = await scene.session(**MONIQUE)
    for policy, expected in (("off", {"ran", "asked"}), ("on", set())):
        context = await chromium.new_context(bypass_csp=policy == "off")
        await context.add_cookies([{"name": n, "value": v, "url": f"{scene.url}/epeule"} for n, v in cookies.items()])
        happened: set[str] = set()
        page = await context.new_page()

        async def dismiss(dialog: Any, seen: set[str] = happened) -> None:
            seen.add("ran")
            await dialog.dismiss()

        async def abort(route: Any, seen: set[str] = happened) -> None:
            seen.add("asked")
            await route.abort()

        page.on("dialog", lambda dialog: dismiss(dialog))
        await context.route("https://evil.example/**", lambda route: abort(route))
        await page.goto(f"{scene.url}/epeule/t/{short}", wait_until="load")
        await page.wait_for_timeout(200)
        assert happened == expected
        await context.close()
