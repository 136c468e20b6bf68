"""Bodies as pages show them: what is kept, what becomes words, what a stranger does not see."""

import pytest

from passerelle.web.bodies import MAX_HTML_LENGTH, html_of_post, html_of_text
from passerelle.web.safe_files import served


def shown(html: str, *, text: str = "le texte", mask: str | None = None) -> str:
    return str(html_of_post(text=text, html=f"<b>m</b>{html}", image_words="[image : {}]", mask=mask))


@pytest.mark.parametrize(
    ("html", "wanted"),
    [
        ("<h1>Titre</h1>", "<b>m</b><p><strong>Titre</strong></p>"),
        ("<img src='cid:1' alt='plan'>", "<b>m</b> [image : plan]"),
        ("<img src='mxc://a/b' alt='plan'>", "<b>m</b> [image : plan]"),
        ("<img src='https://a.example/p.png'>", "<b>m</b>"),
        ("<img src='https://a.example/p.png' alt='x' width=1 height=1>", "<b>m</b>"),
        ("<a href='https://a.example/'><img src='https://a.example/x.png' alt='nous'></a>", '">  nous </a>'),
        ("<p style='display: none'>aperçu</p>", "<b>m</b>"),
        ("<p hidden>aperçu</p>", "<b>m</b>"),
        ("<li>seul</li>", "<b>m</b><div>seul</div>"),
        ("<ul><li>un</li></ul>", "<b>m</b><ul><li>un</li></ul>"),
        ("<ul><li>un</li><p>deux</p></ul>", "<b>m</b><div><div>un</div><p>deux</p></div>"),
        ("<ol start=3><li>un<ul>x</ul></li></ol>", '<b>m</b><ol start="3"><li>un<div>x</div></li></ol>'),
        ("<table><tr><td>un</td></tr></table>", "<b>m</b><div>un </div>"),
        ("<font color=red>un</font><center>deux</center>", "<b>m</b>un<div>deux</div>"),
        ("<a href='/epeule/sign-out'>un</a>", '<b>m</b><a rel="nofollow noopener noreferrer">un</a>'),
        ("<a href='https://a.example/'></a>", "<b>m</b>"),
    ],
)
def test_what_a_mail_holds_as_a_page_shows_it(html: str, wanted: str) -> None:
    assert wanted.replace("  ", " ") in shown(html).replace("  ", " ")
    if not html.startswith("<a"):
        assert shown(html).replace("  ", " ").rstrip() == wanted


def test_a_table_that_compares_stays_one() -> None:
    table = "<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td colspan=2 onclick=x>2</td></tr></table>"
    assert '<td colspan="2">2</td>' in shown(table)


@pytest.mark.parametrize("html", ["", "<p>sans rien</p>", "<b> </b>", "<b>x</b>" * MAX_HTML_LENGTH])
def test_plain_words_stand_where_markup_says_nothing_or_too_much(html: str) -> None:
    assert html_of_post(text="le texte", html=html, image_words="{}", mask=None) == '<p dir="auto">le texte</p>'


def test_text_keeps_its_lines_quotes_and_links() -> None:
    made = html_of_text("Un <b>\ndeux https://a.example/?x=1&y=2.\n\n> cité\n>> encore\n\nfin", mask=None)
    assert made == (
        '<p dir="auto">Un &lt;b&gt;<br>deux <a href="https://a.example/?x=1&amp;y=2">'
        'https://a.example/?x=1&amp;y=2</a>.</p><blockquote><p dir="auto">cité</p><blockquote><p dir="auto">encore</p>'
        '</blockquote></blockquote><p dir="auto">fin</p>'
    )


def test_a_stranger_sees_no_address() -> None:
    text = html_of_text("Écrivez à paul@a.example", mask="[masquée]")
    html = shown("<a href='mailto:paul@a.example'>paul@a.example</a> <i>x</i>", mask="[masquée]")
    assert "a.example" not in text + html
    assert "[masquée]" in text
    assert "[masquée]" in html


@pytest.mark.parametrize(
    ("name", "media_type", "data", "wanted"),
    [
        ("a.png", "image/png", b"\x89PNG\r\n\x1a\n", "inline"), ("a.png", "image/png", b"<svg", "attachment"),
        ("a.webp", "image/webp", b"RIFF1234WEBP", "inline"), ("a.webp", "image/webp", b"RIFF1234WAVE", "attachment"),
        ("a.svg", "image/svg+xml", b"<svg/>", "attachment"), ("a.html", "text/html", b"x", "attachment"),
        ("a.txt", "TEXT/PLAIN", b"x", "inline"), ("a.pdf", "application/pdf", b"%PDF", "attachment"),
    ],
)  # fmt: skip
def test_only_what_is_what_it_says_is_shown(name: str, media_type: str, data: bytes, wanted: str) -> None:
    assert served(name, media_type, data).disposition.startswith(f"{wanted};")


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("été.pdf", "attachment; filename=\"ete.pdf\"; filename*=UTF-8''%C3%A9t%C3%A9.pdf"),
        ('a"b\r\nX: y.pdf', "attachment; filename=\"ab X y.pdf\"; filename*=UTF-8''ab%20X%20y.pdf"),
        ("../../etc/passwd", "attachment; filename=\"etcpasswd\"; filename*=UTF-8''etcpasswd"),
        ("", "attachment; filename=\"fichier\"; filename*=UTF-8''fichier"),
        ("日本.doc", "attachment; filename=\".doc\"; filename*=UTF-8''%E6%97%A5%E6%9C%AC.doc"),
    ],
)
def test_a_file_s_name_stays_within_its_field(name: str, wanted: str) -> None:
    assert served(name, "application/pdf", b"").disposition == wanted
