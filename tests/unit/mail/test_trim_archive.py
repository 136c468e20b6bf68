"""Counting on a made-up archive what real archives will count: words lost; quotes, attributions, footers left."""

import re
from collections import Counter

import pytest
from trim_archive import MadeMail, made_archive

from passerelle.mail.trim import visible_text

MAILS = list(made_archive())


def _words(text: str) -> Counter[str]:
    return Counter(re.findall(r"\w+", text.lower()))


def _left(mail: MadeMail) -> set[str]:
    return {re.sub(r"^[>|\s]+", "", line).strip() for line in visible_text(mail.text).split("\n")}


@pytest.mark.parametrize("style", ["top", "bottom", "inline", "unmarked"])
def test_no_word_of_the_author_is_lost(style: str) -> None:
    mails = [mail for mail in MAILS if mail.style == style]
    assert len(mails) > 50
    for mail in mails:
        assert not _words("\n".join(mail.own)) - _words(visible_text(mail.text)), mail.name


@pytest.mark.parametrize("style", ["top", "bottom", "unmarked"])
def test_no_quoted_line_is_left(style: str) -> None:
    for mail in MAILS:
        if mail.style == style:
            quoted = {line for line in mail.quoted if len(line) >= 12} - set(mail.own)
            assert not quoted & _left(mail), mail.name


def test_interleaved_answers_keep_the_quotes_that_they_answer() -> None:
    for mail in MAILS:
        if mail.style == "inline":
            assert "Qui peut s'en occuper, et qui a une remorque assez longue ?" in _left(mail), mail.name
            assert "Pour la buvette, j'ai demandé trois devis à la brasserie du coin." in _left(mail), mail.name


def test_no_attribution_and_no_footer_is_left() -> None:
    for mail in MAILS:
        assert not set(mail.attributions) & _left(mail), mail.name
        assert not {line for line in mail.footers if len(line) >= 8} & _left(mail), mail.name
