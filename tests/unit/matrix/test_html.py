"""Matrix HTML: only what the specification permits, whatever a mail brings; nothing readable lost."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from passerelle.core.markup import VOID
from passerelle.matrix.html import MAX_DEPTH, TAGS, InlineImages, sanitise, text_to_html

_PERMITTED = {
    "span": {"data-mx-bg-color", "data-mx-color", "data-mx-spoiler", "data-mx-maths"},
    "a": {"href", "target"},
    "img": {"width", "height", "alt", "title", "src"},
    "ol": {"start"},
    "code": {"class"},
    "div": {"data-mx-maths"},
}


class Judge(HTMLParser):
    """Fails on anything outside the specification."""

    def __init__(self) -> None:
        super().__init__()
        self.depth = self.deepest = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS, tag
        for name, value in attrs:
            assert name in _PERMITTED.get(tag, set()), (tag, name)
            if name == "href":
                assert re.match(r"(?:https?|mailto|ftp|matrix):", value or "", re.I), value
            if name == "src":
                assert (value or "").startswith("mxc://"), value
        if tag not in VOID:
            self.depth += 1
            self.deepest = max(self.deepest, self.depth)

    def handle_endtag(self, tag: str) -> None:
        self.depth -= 1

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"comment {data}")

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(f"declaration {decl}")


def judge(html: str) -> Judge:
    reader = Judge()
    reader.feed(html)
    reader.close()
    assert reader.depth == 0
    assert reader.deepest < MAX_DEPTH
    return reader


SMUGGLING = [
    "<script>alert(1)</script>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<img src=x onerror=alert(1)>",
    '<a href="javascript:alert(1)">x</a>',
    '<a href="JaVa\tScRiPt:alert(1)">x</a>',
    '<a href="&#106;avascript:alert(1)">x</a>',
    '<a href="data:text/html;base64,PHNjcmlwdD4=">x</a>',
    '<meta http-equiv="refresh" content="0;url=https://evil">x',
    '<svg><style><img src="</style><img src=x onerror=alert(1)>">',
    '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
    "<!--[if mso]><script>alert(1)</script><![endif]-->x",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    '<form action="https://evil"><input name=password><button>OK</button></form>',
    '<iframe srcdoc="<script>alert(1)</script>"></iframe>',
    '<object data="data:application/octet-stream;base64,TVo="></object><embed src=x>',
    '<a href="blob:https://x/1" download="facture.exe">x</a>',
    '<div style="position:fixed;top:0;background:url(https://evil)">x</div>',
    "<template><img src=x onerror=alert(1)></template>",
    "<textarea></textarea><img src=x onerror=alert(1)>",
    '<base href="https://evil/"><a href="connexion">x</a>',
    "<plaintext><script>x</script>",
    "<xmp><script>x</script></xmp>",
    "<p id=a class=b data-x=1 contenteditable>x</p>",
    "<a href='https://x' target='_blank' rel=opener ping=https://evil>x</a>",
    "<form id=f></form><p form=f>x<isindex>",
    "\x00<scr\x00ipt>alert(1)</script>",
    '<b title="><script>alert(1)</script>">x</b>',
]


@pytest.mark.parametrize("html", SMUGGLING)
def test_html_smuggling_is_neutralised(html: str) -> None:
    clean = sanitise(f"avant {html} après")
    judge(clean)
    assert clean.startswith("avant")
    assert "evil" not in re.sub(r"&lt;.*", "", clean)
    assert sanitise(clean) == clean


@pytest.mark.parametrize(
    "image",
    [
        '<img src="https://t.example/x.gif" width="1" height="1">',
        '<img src="https://t.example/x.gif" width=1px height=1px alt="suivi">',
        '<img src="https://t.example/x" style="width: 1px; height:1px">',
        '<img src="https://t.example/x" style="display:none" alt="suivi">',
        '<img src="https://u1.ct.sendgrid.net/wf/open?upn=abc">',
        '<img src="https://x.list-manage.com/track/open.php?u=1&id=2" alt="suivi">',
        '<img src="https://x.example/pixel.gif?id=3">',
        '<img src="https://x.example/a.gif" height="0" alt="suivi">',
        '<div style="display:none;max-height:0">suivi<img src="https://x.example/logo.png"></div>',
    ],
)
def test_tracking_pixel_is_dropped(image: str) -> None:
    assert sanitise(f"<p>Bonjour</p>{image}") == "<p>Bonjour</p>"


def test_image_of_the_mail_is_named_in_its_place() -> None:
    html = '<p>Voici <img src="cid:ii_1%40x" alt="image.png"> la salle.</p>'
    named = sanitise(html, images=InlineImages(names={"ii_1@x": "salle.jpg"}))
    assert named == "<p>Voici <em>[salle.jpg]</em> la salle.</p>"
    assert sanitise(html, images=InlineImages(label="[image : {}]".format)) == (
        "<p>Voici <em>[image : image.png]</em> la salle.</p>"
    )


def test_remote_image_becomes_its_words_or_a_link() -> None:
    assert sanitise('<img src="https://x.org/a/plan.png">') == '<a href="https://x.org/a/plan.png">plan.png</a>'
    assert sanitise('<img src="https://x.org/1" alt="Le plan">') == "[Le plan]"
    assert sanitise('<a href="https://x.org"><img src="https://x.org/1" alt="Le plan"></a>') == (
        '<a href="https://x.org">Le plan</a>'
    )


@pytest.mark.parametrize(
    "url", ["https://a.b/?x=1&y=2", "http://a.b", "mailto:a@b.fr", "matrix:u/lea:x", "ftp://a.b/c"]
)
def test_links_are_kept(url: str) -> None:
    escaped = url.replace("&", "&amp;")
    assert sanitise(f'<a href="{escaped}">ici</a>') == f'<a href="{escaped}">ici</a>'


def test_layout_tables_become_lines_and_data_tables_stay() -> None:
    data = "<table><tr><th>Nom</th><th>Prix</th></tr><tr><td>Salle</td><td>150 €</td></tr></table>"
    html = sanitise(f"<table width=600><tr><td>Bonjour</td></tr><tr><td>{data}</td></tr></table>")
    assert html.count("<table>") == 1
    assert "<th>Nom</th>" in html
    assert html.startswith("<div>Bonjour")


def test_words_of_blocks_do_not_run_together() -> None:
    assert re.sub("<[^>]*>", " ", sanitise("<dl><dt>un<dd>deux</dl><section>trois</section>quatre")).split() == [
        "un", "deux", "trois", "quatre",
    ]  # fmt: skip


def test_empty_lines_do_not_pile_up() -> None:
    assert sanitise("<p></p><br><br>Salut<br><br><br><br>Léa<br><span></span><br>") == "Salut<br><br>Léa"


def test_fallback_of_a_reply_is_removed() -> None:
    assert sanitise("<mx-reply><blockquote>avant</blockquote></mx-reply>après") == "après"


def test_deep_nesting_is_flattened_and_nothing_lost() -> None:
    clean = sanitise("<div>" * 5000 + "au fond" + "</div>" * 5000)
    judge(clean)
    assert "au fond" in clean


SCRAPS = ["<b>", "</b>", "<p>", "<table><tr><td>", "</table>", "<br>", "mot", "<li>", "<img src=cid:1 alt=a>", "<!--",
          "-->", "<a href=https://x>", "</a>", "<![CDATA[", "]]>", "&lt;b&gt;", "<pre>\n",
          "<details><summary>"]  # fmt: skip


def test_html_longer_than_any_event_is_left_to_its_text() -> None:
    assert sanitise("<p>" + "mot " * 250_000 + "</p>") == ""


@settings(deadline=None)
@given(st.lists(st.sampled_from([*SMUGGLING, *SCRAPS]), max_size=12))
def test_any_mixture_is_permitted_html(parts: list[str]) -> None:
    clean = sanitise("".join(parts))
    judge(clean)
    judge(sanitise(clean))


@settings(deadline=None)
@given(st.text(max_size=200))
@example("<" * 100)
def test_any_text_is_survived(text: str) -> None:
    judge(sanitise(text))
    judge(text_to_html(text))


def test_html_of_every_sample_mail_is_permitted(corpora: Path) -> None:
    checked = 0
    for path in sorted(corpora.rglob("*.html")) + sorted(corpora.rglob("*.eml")):
        source = path.read_bytes()[:300_000].decode("utf-8", "replace")
        if "<" in source:
            judge(sanitise(source))
            checked += 1
    assert checked > 100


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("Bonjour", "Bonjour"),
        ("a\nb\n\nc", "a<br>b<br><br>c"),
        ("<b> & co", "&lt;b&gt; &amp; co"),
        ("> lui\n>> elle\n> lui\nmoi", "<blockquote>lui<blockquote>elle</blockquote>lui</blockquote>moi"),
        ("- un\n- deux\nfin", "<ul><li>un</li><li>deux</li></ul>fin"),
        ("voir https://a.org/x_(y).", 'voir <a href="https://a.org/x_(y)">https://a.org/x_(y)</a>.'),
        ("(www.b.fr)", '(<a href="https://www.b.fr">www.b.fr</a>)'),
        ("lea@www.b.fr", "lea@www.b.fr"),
        ('https://a.b/"onclick=x', '<a href="https://a.b/">https://a.b/</a>"onclick=x'),
    ],
)
def test_plain_text(text: str, html: str) -> None:
    assert text_to_html(text) == html


def test_inline_image_is_shown_where_it_stands() -> None:
    images = InlineImages(names={"ii_1@x": 'la "salle".jpg'}, sources={"ii_1@x": "mxc://passerelle.invalid/1"})
    shown = sanitise('<p>Voici <img src="cid:ii_1@x" onerror="x()"> la salle.</p>', images=images)
    assert 'src="mxc://passerelle.invalid/1"' in shown
    assert "onerror" not in shown


def test_emails_own_mxc_image_goes_since_it_would_tell_another_server_who_reads() -> None:
    assert "mxc" not in sanitise('<p>a <img src="mxc://spy.test/x"> b</p>', images=InlineImages())
