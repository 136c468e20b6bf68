"""What `passerelle check` says of the receiving server's name."""

from pathlib import Path

import pytest

from passerelle.check import Mark
from passerelle.check_authentication import judge_authserv_id, suggested
from passerelle.core.email import Email
from passerelle.mail.parse import parse_headers

SAMPLES = Path(__file__).parents[2] / "samples" / "authentication"


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "en")


def sample(name: str) -> Email:
    return parse_headers((SAMPLES / f"{name}.eml").read_bytes())


def bearing(name: str) -> Email:
    return parse_headers(f"Authentication-Results: {name}; dkim=none\r\nFrom: lea@poste.example\r\n\r\n".encode())


BARE = parse_headers(b"From: lea@poste.example\r\n\r\n")


@pytest.mark.parametrize(
    ("emails", "advice"),
    [
        ([sample("gmail"), BARE], "The newest mails bear mx.google.com. If that is your mail server, set authserv_id"),
        ([bearing("in66.mail.ovh.net"), bearing("in7.mail.ovh.net")], "set authserv_id to mail.ovh.net."),
        ([bearing("mx.a.example"), bearing("mx.b.test")], "set authserv_id to the name of your mail server"),
        ([sample("office365")], "as Microsoft 365 does"),
        ([BARE], "bear no such name"),
        ([], "bear no such name"),
        (None, "your own mail server writes"),
    ],
)  # fmt: skip
def test_where_none_is_set_it_says_which_one_to_set(emails: list[Email] | None, advice: str) -> None:
    (finding,) = judge_authserv_id(None, emails)
    assert finding.mark is Mark.WARNING
    assert advice in finding.mend


def test_one_that_is_right() -> None:
    (finding,) = judge_authserv_id("MX.google.com", [sample("gmail"), sample("gmail_best_guess"), BARE])
    assert finding.mark is Mark.OK
    assert finding.sentence.startswith("Of the newest 3 mails 2 bear the name MX.google.com; of 1 ")


def test_one_that_no_mail_bears() -> None:
    (finding,) = judge_authserv_id("mail.epeule.example", [sample("gmail"), BARE])
    assert finding.mark is Mark.WARNING
    assert "None of the newest 2 mails" in finding.sentence
    assert "mx.google.com" in finding.mend


def test_one_host_of_several() -> None:
    right, other = judge_authserv_id("in66.mail.ovh.net", [sample("ovh"), bearing("in7.mail.ovh.net")])
    assert (right.mark, other.mark) == (Mark.OK, Mark.WARNING)
    assert "in7.mail.ovh.net" in other.sentence


@pytest.mark.parametrize("emails", [[], None])
def test_where_nothing_can_be_seen_the_configuration_is_believed(emails: list[Email] | None) -> None:
    (finding,) = judge_authserv_id("mail.epeule.example", emails)
    assert finding.mark is Mark.OK


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["mx.google.com"], "mx.google.com"), (["in6.mail.ovh.net", "in7.mail.ovh.net"], "mail.ovh.net"),
        (["a.example", "b.example"], ""), (["serveur"], "serveur"), (["a.b.example", "b.example"], "b.example"),
        ([], ""),
    ],
)  # fmt: skip
def test_the_part_that_names_share(names: list[str], expected: str) -> None:
    assert suggested(names) == expected
