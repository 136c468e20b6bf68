"""HTML to text: what a reader sees, and nothing that hides."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.mail.flowed import unflow
from passerelle.mail.html_text import html_to_text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>Un</p><p>Deux</p>", "Un\n\nDeux"),
        ("<div>Un</div><div>Deux</div>", "Un\nDeux"),
        ("<div>Un</div><div><br></div><div>Deux</div>", "Un\n\nDeux"),
        ("Un<br>Deux<br><br>Trois", "Un\nDeux\n\nTrois"),
        ("<p class=MsoNormal>Un</p><p class=MsoNormal>Deux</p>", "Un\nDeux"),
        ("<p class=MsoNormal>Un</p><p class=MsoNormal><o:p>&nbsp;</o:p></p><p class=MsoNormal>Deux</p>", "Un\n\nDeux"),
        ("<p>Un  \n  deux\t<b>trois</b> quatre</p>", "Un deux trois quatre"),
        ("<b>mot</b>s <i>col</i>lés", "mots collés"),
        ("<pre>a  b\n  c</pre>", "a  b\n  c"),
        ("<ul><li>un<ul><li>sous</li></ul></li><li>deux</li></ul>", "- un\n  - sous\n- deux"),
        ("<ol start=3><li>trois</li><li>quatre</li></ol>", "3. trois\n4. quatre"),
        ("<table><tr><th>Nom</th><th>Tél.</th></tr><tr><td>Jean</td><td>06</td></tr></table>", "Nom | Tél.\nJean | 06"),
        ("<table><tr><td><p>Un</p><p>Deux</p></td></tr></table>", "Un\n\nDeux"),
        ("Un<hr>Deux", "Un\n-----\nDeux"),
        ("&eacute;t&eacute; &#8212; 5&nbsp;&euro; &amp; plus", "été — 5\u00a0€ & plus"),
        ("<p>سلام</p>", "سلام"),
        ("", ""),
        ("   ", ""),
        ("<!-- rien -->", ""),
        ("juste du texte < 5 & > 3", "juste du texte < 5 & > 3"),
    ],
)
def test_blocks_and_space(html: str, text: str) -> None:
    assert html_to_text(html) == text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<a href='https://example.org/a'>ici</a>", "ici <https://example.org/a>"),
        ("<a href='https://example.org/a'>https://example.org/a</a>", "https://example.org/a"),
        ("<a href='https://www.example.org/'>example.org</a>", "example.org"),
        ("<a href='http://example.org'><img src=x></a>", "<http://example.org>"),
        ("<a href='javascript:alert(1)'>clic</a>", "clic"),
        ("<a href='data:text/html,x'>clic</a>", "clic"),
        ("<a href='cid:x'>clic</a>", "clic"),
        ("<a href=' java\nscript:x'>clic</a>", "clic"),
        ("<a href='mailto:jean@example.org'>Jean</a>", "Jean"),
        ("<a href='tel:+33320000000'>03 20 00 00 00</a>", "03 20 00 00 00 <+33320000000>"),
        (
            "<a href='https://evil.example/'>https://banque.example/</a>",
            "https://banque.example/ <https://evil.example/>",
        ),
    ],
)
def test_links_keep_their_target(html: str, text: str) -> None:
    assert html_to_text(html) == text


def test_quotes_are_marked() -> None:
    quoted = "<blockquote type=cite><p>Un</p><p>Deux</p><blockquote>Trois</blockquote></blockquote>"
    html = f"<p>D'accord.</p>{quoted}<p>Fin</p>"
    assert html_to_text(html) == "D'accord.\n\n> Un\n>\n> Deux\n>\n>> Trois\n\nFin"


def test_indentation_is_no_quote() -> None:
    html = '<blockquote style="margin:0 0 0 40px;border:none;padding:0px"><div>retrait</div></blockquote>'
    assert html_to_text(html) == "retrait"


@pytest.mark.parametrize(
    "html",
    [
        "<div style='display:none'>caché</div>visible",
        "<span style='mso-hide: all'>caché</span>visible",
        "<p hidden>caché</p>visible",
        "<script>caché</script>visible<style>caché</style>",
        "<head><title>caché</title></head><body>visible</body>",
        "<template>caché</template>visible",
        "visible<img src='https://t.example/p.gif?id=caché' width=1 height=1 alt='caché'>",
        "visible<!-- caché --><noscript>caché</noscript>",
        "<svg><text>caché</text></svg>visible",
    ],
)
def test_what_the_reader_does_not_see_stays_away(html: str) -> None:
    assert html_to_text(html) == "visible"


def test_images_say_what_they_show() -> None:
    assert html_to_text("<img src='cid:a' alt='Le jardin'> ici") == "[Le jardin] ici"
    assert html_to_text("<img src='cid:a'>ici") == "ici"


@pytest.mark.parametrize(
    ("unit", "closing"),
    [
        ("<div>", "</div>"), ("<blockquote>", "</blockquote>"), ("<b>", ""), ("<p>x", ""), ("<font><i>x", ""),
        ("<a href='http://x.fr/'>x", ""), ("<table><tr><td>", ""), ("<ul><li>x", ""), ("<!--", ""), ("<", ""),
        ("&", ""), ("<![CDATA[", ""), ("<b>mot</b> ", ""), ("<td>mot", ""), ("<p a=1 b=2 ", ""), ("x", ""),
    ],
)  # fmt: skip
def test_five_megabytes_of_anything_end(unit: str, closing: str) -> None:
    """Quadratic or recursive conversion would never end or overflow."""
    count = 5_000_000 // len(unit + closing)
    html_to_text("début " + unit * count + closing * count + " fin")


def test_text_beyond_the_parsers_depth_is_kept() -> None:
    assert html_to_text("<div>" * 100_000 + "au fond" + "</div>" * 100_000 + "<p>fin</p>") == "au fond\nfin"


def test_a_tag_with_countless_attributes_costs_nothing() -> None:
    tag = "<p " + " ".join(f"a{n}=1" for n in range(300_000)) + ">texte"
    assert html_to_text(tag) == "texte"


@settings(deadline=None, max_examples=150)
@given(st.lists(st.sampled_from(["<p>", "</p>", "<blockquote>", "</blockquote>", "<li>", "<ol>", "</ul>", "<br>",
    "<pre>",
    "</pre>", "<a href='http://x'>", "</a>", "<td>", "<table>", "</table>", "<hr>", "mot", " ", "\n", "&nbsp;", "<!--",
    "-->", "\x00", "\ud800", "<style>", "</style>"]), max_size=40))  # fmt: skip
def test_any_heap_of_tags_is_text(pieces: list[str]) -> None:
    text = html_to_text("".join(pieces))
    text.encode("utf-8")
    assert "\x00" not in text
    assert all(line == line.rstrip(" ") for line in text.split("\n"))
    assert "\n\n\n" not in text


@pytest.mark.parametrize(
    ("text", "delsp", "joined"),
    [
        ("un \ndeux", False, "un deux"),
        ("un  \ndeux", True, "un deux"),
        ("un \n\ndeux", False, "un\n\ndeux"),
        ("> un \n> deux", False, "> un deux"),
        (">un \n>>deux", False, "> un\n>> deux"),
        ("fin\n-- \nJean", False, "fin\n-- \nJean"),
        ("un \n-- \nJean", False, "un\n-- \nJean"),
        ("> un \n> -- \n> Jean", False, "> un\n> -- \n> Jean"),
        (" >pas une citation", False, ">pas une citation"),
    ],
)
def test_format_flowed(text: str, delsp: bool, joined: str) -> None:
    assert unflow(text, delsp=delsp) == joined
