"""Cutting quotes out of HTML by the markup of the programs that French lists see."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.mail.trim_html import LARGEST, cut_html_quotes

GMAIL_ATTR = (
    '<div dir="ltr" class="gmail_attr">Le lun. 3 mars 2025 à 14:05, Jean &lt;<a href="mailto:j@x.fr">j@x.fr</a>&gt;'
    " a écrit :<br></div>"
)
OUTLOOK_HEADER = (
    "<b>De :</b> Jean &lt;j@x.fr&gt;<br><b>Envoyé :</b> lundi 3 mars 2025 14:05<br><b>À :</b> b@x.fr<br>"
    "<b>Objet :</b> Clés"
)
#: name → HTML whose own words are « OWN … » and whose others' words are « THEIRS ».
TOP_POSTED = {
    "gmail": f'<div dir="ltr">OWN</div><br><div class="gmail_quote">{GMAIL_ATTR}<blockquote class="gmail_quote">THEIRS'
    "</blockquote></div>",
    "gmail, signature": '<div>OWN</div><span class="gmail_signature_prefix">-- </span><br>'
    '<div dir="ltr" class="gmail_signature" data-smartmail="gmail_signature">THEIRS</div>',
    "thunderbird": '<html><head><title>THEIRS</title></head><body><p>OWN</p><div class="moz-cite-prefix">Le 03/03/2025 '
    'à 14:05, Jean THEIRS a écrit :<br></div><blockquote type="cite" cite="mid:1">THEIRS</blockquote>'
    '<pre class="moz-signature">-- \nTHEIRS</pre></body></html>',
    "outlook, windows": '<div class="WordSection1"><p>OWN</p><div><div style="border:none;border-top:solid #E1E1E1 '
    f'1.0pt;padding:3.0pt 0cm 0cm 0cm"><p>{OUTLOOK_HEADER}</p></div></div><p>THEIRS</p></div>',
    "outlook, web": '<div>OWN</div><div id="appendonsend"></div><hr tabindex="-1"><div id="divRplyFwdMsg" dir="ltr">'
    f"{OUTLOOK_HEADER}</div><div>THEIRS</div>",
    "outlook, web, forwarded on": '<div>OWN</div><div id="x_divRplyFwdMsg">THEIRS</div><div>THEIRS</div>',
    "outlook, telephone": '<div>OWN</div><div id="ms-outlook-mobile-signature">THEIRS</div><hr>'
    '<div id="mail-editor-reference-message-container">THEIRS</div>',
    "zimbra": '<div>OWN</div><hr id="zwchr" data-marker="__DIVIDER__"><div data-marker="__HEADERS__"><b>De: </b>THEIRS'
    '</div><div data-marker="__QUOTED_TEXT__">THEIRS</div>',
    "zimbra, bare": '<div>OWN</div><hr id="zwchr"><b>De: </b>THEIRS<br>THEIRS<div>THEIRS</div>',
    "yahoo": '<div>OWN</div><div id="yahoo_quoted_1" class="yahoo_quoted"><div>Le lundi, THEIRS a écrit :</div>THEIRS'
    "</div>",
    "apple": '<div>OWN</div><div><br><blockquote type="cite"><div>Le 3 mars 2025 à 14:05, Jean &lt;j@x.fr&gt; a '
    "écrit :</div>THEIRS</blockquote></div>",
    "proton": '<div>OWN</div><div class="protonmail_signature_block">THEIRS</div><div class="protonmail_quote">Le 3 '
    'mars, THEIRS<blockquote class="protonmail_quote" type="cite">THEIRS</blockquote></div>',
    "roundcube": '<p>OWN</p><p id="reply-intro">Le 2025-03-03 14:05, THEIRS a écrit :</p><blockquote type="cite" '
    'style="padding: 0 0.4em; border-left: #1010ff 2px solid">THEIRS</blockquote>',
    "orange": 'OWN<br><br><blockquote style="padding-left: 5px; border-left: 2px solid #ff0000">&gt; Message du '
    "03/03/25 14:05<br>&gt; De : THEIRS<br>THEIRS</blockquote>",
    "attribution without markup": "OWN<br>Le 3 mars 2025 à 14:05, Jean &lt;j@x.fr&gt; a écrit :<blockquote "
    'type="cite">THEIRS</blockquote>',
    "gmail, forwarded": '<div>OWN</div><div class="gmail_quote"><div class="gmail_attr">---------- Forwarded message '
    "---------<br>De : THEIRS</div>THEIRS</div>",
    "thunderbird, forwarded": '<p>OWN</p><div class="moz-forward-container">-------- Message transféré --------<table>'
    "<tr><td>THEIRS</td></tr></table>THEIRS</div>",
    "bottom": f'<div class="gmail_quote">{GMAIL_ATTR}<blockquote class="gmail_quote">THEIRS</blockquote></div>'
    "<p>OWN</p>",
    "greeting, then bottom": 'Bonjour,<div class="moz-cite-prefix">Le 3 mars 2025, THEIRS a écrit :</div>'
    '<blockquote type="cite">THEIRS</blockquote><p>OWN</p>',
}


def _text(html: str) -> str:
    return re.sub(r"<[^>]*>", " ", html)


@pytest.mark.parametrize("name", TOP_POSTED)
def test_own_words_stay_and_others_go(name: str) -> None:
    html = TOP_POSTED[name]
    cut = cut_html_quotes(html)
    assert "OWN" in cut.visible
    assert "THEIRS" not in _text(cut.visible)
    assert "a écrit :" not in cut.visible
    shown_nowhere = html.count("<title>THEIRS")
    assert _text(cut.elided).count("THEIRS") == _text(html).count("THEIRS") - shown_nowhere
    assert "OWN" not in cut.elided


def test_interleaved_answers_keep_their_quotes() -> None:
    html = (
        f'<div class="gmail_quote">{GMAIL_ATTR}<blockquote class="gmail_quote">Samedi ?</blockquote><div>Oui.</div>'
        '<blockquote class="gmail_quote">À quelle heure ?</blockquote><div>8 h</div>'
        '<blockquote class="gmail_quote">Amitiés, Jean</blockquote></div>'
    )
    cut = cut_html_quotes(html)
    for kept in ("Samedi ?", "Oui.", "À quelle heure ?", "8 h"):
        assert kept in cut.visible
    assert "a écrit" not in cut.visible
    assert "Amitiés" not in cut.visible
    assert "Amitiés" in cut.elided


@pytest.mark.parametrize(
    "html",
    [
        "<p>Rien à couper.</p>",
        "<p>Le règlement dit :</p><blockquote>La cotisation est de 10 euros.</blockquote>",
        '<div class="gmail_quote"><div class="gmail_attr">---------- Forwarded message ---------</div>Travaux.</div>',
        '<hr id="zwchr"><div data-marker="__HEADERS__">De: Jean</div><div data-marker="__QUOTED_TEXT__">Réunion</div>',
        '<div class="gmail_signature">Tout mon message est ici.</div>',
        '<div style="border-top:solid 1px">Date : samedi<br>Lieu : mairie</div><p>Venez !</p>',
        '<div id="Signature"><p>J\'ai écrit ici.</p><blockquote type="cite">à quoi je réponds</blockquote></div>',
        "texte sans balise",
        "",
        "<",
        "<!-- -->",
        "\x00<p>a</p>",
    ],
)
def test_in_doubt_nothing_is_cut(html: str) -> None:
    cut = cut_html_quotes(html)
    for word in re.findall(r"\w{4,}", _text(html)):
        assert word in cut.visible or "à quoi je réponds" in html


def test_what_is_not_cut_is_returned_as_it_came() -> None:
    html = "<P>Rien  à couper.<br>"
    assert cut_html_quotes(html).visible == html


def test_text_after_a_cut_element_stays() -> None:
    cut = cut_html_quotes('OWN<blockquote type="cite">THEIRS</blockquote>TAIL &lt;b&gt;<p>OWN</p>')
    assert "TAIL &lt;b&gt;" in cut.visible


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 1_000_000,
        "<blockquote type=cite>" * 700 + "a",
        '<div class="' + "a " * 500_000 + '">x</div>',
        "<" * 1_000_000,
        "<blockquote type=cite>a</blockquote><p>b</p>" * 5_000,
        "<div id=signature>x" * 780,
        '<div style="border-top:solid">De : a' * 780,
        "a" * (LARGEST + 1) + "<br>",
    ],
    ids=range(8),
)
def test_hostile_markup_neither_hangs_nor_crashes(html: str) -> None:
    assert cut_html_quotes(html).visible


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "<div>", "</div>", '<blockquote type="cite">', "</blockquote>", "<br>", '<hr id="zwchr">',
                "mot", "&lt;", '<div class="gmail_quote">', '<div class="gmail_attr">', "<table>",
                "</table>", "<p>", "</p>", "<style>", "</style>", '<div id="Signature">', "autre",
                "Le 3 mars 2025 à 14:05, J &lt;j@x.fr&gt; a écrit :",
            ]
        ),
        max_size=40,
    )
)  # fmt: skip
def test_every_word_is_shown_or_elided(parts: list[str]) -> None:
    html = "".join(parts)
    # What stands in a style sheet is no word, and may be dropped with it.
    shown = re.sub(r"<style>.*?(?:</style>|\Z)", "", html, flags=re.DOTALL)
    cut = cut_html_quotes(html)
    for word in ("mot", "autre"):
        assert shown.count(word) <= (cut.visible + cut.elided).count(word) <= html.count(word)
