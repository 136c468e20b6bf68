"""Mails that say that they are Monique's, and are not: nothing is proved by any of them.

`OURS` is what her association's server writes of a stranger's mail; what stands below it, the stranger wrote.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.core.ids import MailAddress
from passerelle.mail.authentication import Authentication, judge_authentication
from passerelle.mail.authentication_results import parse_authentication_results
from passerelle.mail.domains import parse_domain
from passerelle.mail.parse import parse_headers

SERVER = "mail.epeule.example"
LISTS = (MailAddress("bureau@listes.epeule.example"),)
VICTIM = "Monique <monique@laposte.example>"
HOP = f"Received: from smtp.mechant.example (unknown [192.0.2.66]) by {SERVER} (Postfix) with ESMTP id 3CA71B00563"
FOREIGN_HOP = "Received: from pc (unknown [192.0.2.66]) by smtp.mechant.example (Postfix) with ESMTPSA id 1"
PASSED = "dmarc=pass header.from=laposte.example"
PASS = f"Authentication-Results: {SERVER}; {PASSED}"
OURS = (
    f"Authentication-Results: {SERVER}; dkim=none; spf=pass smtp.mailfrom=x@mechant.example;"
    " dmarc=fail header.from=laposte.example\r\n" + HOP
)


def results(text: str) -> str:
    return f"Authentication-Results: {SERVER}; {text}\r\n{HOP}"


def field(server: str, name: str = "Authentication-Results") -> str:
    """A field by which that server says that all is well."""
    return f"{name}: {server}; {PASSED}\r\n{HOP}"


def judged(
    header: str, *, author: str = VICTIM, authserv_id: str | None = SERVER, through_list: bool = False
) -> Authentication:
    raw = f"{header}\r\nFrom: {author}\r\nSubject: adopter 7\r\n\r\nadopter 7\r\n".encode()
    return judge_authentication(
        parse_headers(raw), authserv_id=authserv_id, list_addresses=LISTS if through_list else ()
    )


def test_the_true_one_is_proved() -> None:
    """Without this, what follows could all be true for a wrong reason."""
    assert judged(results(PASSED)).proof == "author"
    assert judged(results("dkim=pass header.d=laposte.example")).proof == "author"
    assert judged(results("dkim=pass header.i=@courrier.laposte.example")).proof == "none"
    assert judged(results("spf=pass smtp.mailfrom=monique@laposte.example")).proof == "author"
    assert judged(f"{HOP}\r\n{PASS}").proof == "author"
    assert judged(results("spf=pass smtp.mailfrom=bureau-bounces@listes.epeule.example"), through_list=True) == (
        Authentication(proof="list", domain="listes.epeule.example", method="spf")
    )


HEADERS = {
    "no field at all": HOP,
    "a field of a server of theirs": field("mail.mechant.example"),
    "a field below ours": f"{OURS}\r\n{PASS}",
    "a field below ours, and a Received of ours": f"{OURS}\r\n{PASS}\r\n{HOP}",
    "a field next to ours, above our Received": f"{results('spf=none smtp.mailfrom=x@mechant.example')}\r\n{PASS}",
    "ours says none, theirs stands below": f"{results('none')}\r\n{PASS}",
    "ours speaks of SPF alone, theirs of DMARC": (
        f"{HOP}\r\nAuthentication-Results: {SERVER}; spf=pass smtp.mailfrom=x@mechant.example\r\n{PASS}"
    ),
    "ours is not understood, theirs is": f"Authentication-Results: {SERVER}; dkim=pass=fail\r\n{HOP}\r\n{PASS}",
    "Microsoft's stands above, without a name": (
        f"Authentication-Results: spf=fail smtp.mailfrom=mechant.example; dmarc=fail\r\n{HOP}\r\n{PASS}"
    ),
    "below a foreign hop": f"{HOP}\r\n{FOREIGN_HOP}\r\n{PASS}",
    "below a foreign hop that is called by our name": (
        f"{HOP}\r\nReceived: from pc by {SERVER}.mechant.example with ESMTP id 1\r\n{PASS}"
    ),
    "our name as a part of theirs": field(f"{SERVER}.mechant.example"),
    "our name behind theirs, without a dot": field(f"x{SERVER}"),
    "our name in a comment": field(f"mechant.example ({SERVER})"),
    "our name with a letter that looks alike": field("mail.ep\u0435ule.example"),
    "our name encoded": field(f"=?utf-8?q?{SERVER}?="),
    "another field's name": field(SERVER, "X-Authentication-Results"),
    "an ARC field by our name": field(f"i=1; {SERVER}", "ARC-Authentication-Results"),
    "DMARC passed for another domain": results("dmarc=pass header.from=mechant.example"),
    "DMARC passed for nobody": results("dmarc=pass"),
    "DMARC passed for a domain above": results("dmarc=pass header.from=example"),
    "DMARC passed for a domain below": results("dmarc=pass header.from=sous.laposte.example"),
    "DMARC failed, DKIM passed": results("dkim=pass header.d=laposte.example; dmarc=fail header.from=laposte.example"),
    "DMARC could not be judged": results("dkim=pass header.d=laposte.example; dmarc=temperror"),
    "DMARC failed and passed": results(f"dmarc=fail header.from=laposte.example; {PASSED}"),
    "DMARC none and passed": results(f"dmarc=none header.from=laposte.example; {PASSED}"),
    "DKIM of another domain": results("dkim=pass header.d=mechant.example"),
    "DKIM of a domain below": results("dkim=pass header.d=mechant.laposte.example"),
    "DKIM of a domain that ends alike": results("dkim=pass header.d=nlaposte.example"),
    "DKIM of a registry": results("dkim=pass header.d=example"),
    "DKIM of two domains at once": results("dkim=pass header.d=mechant.example header.d=laposte.example"),
    "DKIM's agent is not of its domain": results("dkim=pass header.d=laposte.example header.i=@mechant.example"),
    "DKIM failed": results("dkim=fail header.d=laposte.example"),
    "DKIM of another version": results("dkim/2=pass header.d=laposte.example"),
    "the field of another version": f"Authentication-Results: {SERVER} 2; dkim=pass header.d=laposte.example\r\n{HOP}",
    "DKIM's domain in a comment": results("dkim=pass (header.d=laposte.example) header.d=mechant.example"),
    "a result in a comment": results("dkim=none (; dmarc=pass header.from=laposte.example)"),
    "a result in the reason": results('dkim=fail reason="; dmarc=pass header.from=laposte.example"'),
    "a method that nobody knows": results("x-dkim=pass header.d=laposte.example"),
    "DomainKeys": results("domainkeys=pass header.from=monique@laposte.example"),
    "SPF of another domain": results("spf=pass smtp.mailfrom=x@mechant.example"),
    "SPF of HELO": results("spf=pass smtp.helo=laposte.example"),
    "SPF of nobody": results("spf=pass smtp.mailfrom=<>"),
    "SPF, softly failed": results("spf=softfail smtp.mailfrom=monique@laposte.example"),
    "SPF, guessed": results("spf=pass (best guess record for domain of x) smtp.mailfrom=monique@laposte.example"),
    "SPF, passed and failed": results(
        "spf=fail smtp.mailfrom=monique@laposte.example; spf=pass smtp.mailfrom=monique@laposte.example"
    ),
    "a reverse path that bears a result": results(
        'spf=pass smtp.mailfrom="x; dmarc=pass header.from=laposte.example; y"@mechant.example'
    ),
    "a reverse path that bears our address": results(
        'spf=pass smtp.mailfrom="monique@laposte.example "@mechant.example'
    ),
    "a reverse path with an escaped quotation mark": results(
        'spf=pass smtp.mailfrom="x\\"; dmarc=pass header.from=laposte.example; y=\\"z"@mechant.example'
    ),
    "a reverse path that ends a comment": results(
        'spf=pass (domain of "a) ; dmarc=pass header.from=laposte.example ("@mechant.example designates 192.0.2.66)'
        " smtp.mailfrom=x@mechant.example"
    ),
    "a HELO that ends a comment": results(
        "spf=none (client-ip=192.0.2.66; helo=x) ; dmarc=pass header.from=laposte.example (; receiver=y)"
    ),
    "a HELO that goes on": results("spf=none smtp.helo=x ; dmarc=pass header.from=laposte.example"),
    "a HELO that brings a reverse path": results(
        "spf=pass smtp.mailfrom=x@mechant.example (helo=x) smtp.mailfrom=monique@laposte.example (y)"
    ),
    "a comment that does not end": results("dkim=none (; dmarc=pass header.from=laposte.example"),
    "a quotation that does not end": results('dmarc=pass header.from=laposte.example; spf=none reason="x'),
    "words that stand astray": results("dmarc=pass indeed header.from=laposte.example"),
    "logged in as somebody": results("auth=pass smtp.auth=monique@laposte.example"),
    "the name of the field folded away": field(f"\r\n\r\n {SERVER}"),
    "a line that is no field": f"{HOP}\r\ncoucou\r\n{PASS}",
    "a header that was cut": f"X-Long: {'x' * 9_000_000}\r\n{results(PASSED)}",
    "100 kB of comment": results("dmarc=pass header.from=laposte.example (" + "x " * 50_000 + ")"),
    "100 kB of parentheses": results("(" * 50_000 + ")" * 50_000 + "dmarc=pass header.from=laposte.example"),
    "100 kB of results": results("x=y; " * 20_000 + "dmarc=pass header.from=laposte.example"),
}


@pytest.mark.parametrize("name", HEADERS)
@pytest.mark.parametrize("through_list", [False, True])
def test_a_forged_header_proves_nothing(name: str, through_list: bool) -> None:
    found = judged(HEADERS[name], through_list=through_list)
    assert found.proof == "none"
    assert found.reason


AUTHORS = {
    "two addresses": "monique@laposte.example, x@mechant.example",
    "two fields": "monique@laposte.example\r\nFrom: x@mechant.example",
    "two fields, the same": "monique@laposte.example\r\nFrom: monique@laposte.example",
    "a field in other letters": "monique@laposte.example\r\nFROM: x@mechant.example",
    "nobody": "",
    "no address": "Monique",
    "a group": "Bureau: monique@laposte.example;",
    "a group of nobody": "Bureau:;",
    "a route": "<@mechant.example:monique@laposte.example>",
    "an address in the name": '"monique@laposte.example" <x@mechant.example>',
    "an address in the name, bare": "monique@laposte.example <x@mechant.example>",
    "an address in the comment": "x@mechant.example (monique@laposte.example)",
    "an address behind": "<x@mechant.example> monique@laposte.example",
    "two in angles": "<x@mechant.example> <monique@laposte.example>",
    "angles in angles": "<monique@laposte.example <x@mechant.example>>",
    "encoded": "=?utf-8?q?monique=40laposte=2Eexample?=",
    "encoded in angles": "<=?utf-8?q?monique=40laposte=2Eexample?=@mechant.example>",
    "an encoded name that brings an address": "=?utf-8?q?monique=40laposte.example=3E?= <x@mechant.example>",
    "a comment within": "monique@laposte.(x)example",
    "blanks within": "monique @ laposte . example",
    "quoted": '"monique@laposte.example"@mechant.example',
    "a NUL within": "monique@laposte.example\x00.mechant.example",
    "a line within": "monique@laposte.example\r\n .mechant.example",
    "a dot in another script": "monique@laposte\u3002example",
    "letters that look alike": "monique@l\u0430poste.example",
    "wide letters": "monique@l\uff41poste.example",
    "one label": "monique@localhost",
    "an address literal": "monique@[192.0.2.66]",
    "longer than anyone's": f"{'x' * 3_000} <monique@laposte.example>",
}
#: What our server said of laposte.example in a mail where it read it in From.
VOUCHED = results(PASSED)


@pytest.mark.parametrize("name", AUTHORS)
def test_an_author_that_can_be_read_in_two_ways_is_nobody(name: str) -> None:
    assert judged(VOUCHED, author=AUTHORS[name]).proof == "none"
    assert judged(VOUCHED, author=AUTHORS[name], through_list=True).proof == "none"


@pytest.mark.parametrize(
    ("signed", "author"),
    [
        ("fass.example", "faß.example"),
        ("xn--fa-hia.example", "fass.example"),
        ("laposte.example", "l\u0430poste.example"),
    ],
)
def test_a_domain_that_others_would_map_to_another_is_its_own(signed: str, author: str) -> None:
    assert judged(results(f"dkim=pass header.d={signed}"), author=f"m@{author}").proof == "none"


def test_the_name_of_a_server_below_ours_counts_and_no_other() -> None:
    header = "Authentication-Results: in66.mail.ovh.net; dmarc=pass header.from=laposte.example"
    assert judged(header, authserv_id="mail.ovh.net").proof == "author"
    for other in ("n66.mail.ovh.net", "ail.ovh.net", "net.", "", "IN66", "in66.mail.ovh.net.x"):
        assert judged(header, authserv_id=other).proof == "none"


# ---------------------------------------------------------------- through a list

LIST_RESULTS = {
    "another list's server": "spf=pass smtp.mailfrom=x@listes.mechant.example; dkim=pass header.d=mechant.example",
    "a list below ours": "dkim=pass header.d=mechant.listes.epeule.example",
    "a list beside ours": "dkim=pass header.d=agenda.epeule.example",
    "a chain that was sealed by others": "arc=pass (i=1 dmarc=pass fromdomain=laposte.example)",
    "a chain that is broken": "arc=fail",
}


@pytest.mark.parametrize("name", LIST_RESULTS)
@pytest.mark.parametrize("domain", ["mechant.example", "listes.epeule.example.mechant.example", ""])
def test_what_is_not_our_list_does_not_speak_for_it(name: str, domain: str) -> None:
    seal = f"ARC-Seal: i=1; a=rsa-sha256; cv=none; d={domain}; s=x; b=eA=="
    assert judged(f"{results(LIST_RESULTS[name])}\r\n{seal}", through_list=True).proof == "none"


@pytest.mark.parametrize(
    "seals",
    [
        "ARC-Seal: i=1; d=listes.epeule.example\r\nARC-Seal: i=2; d=mechant.example",
        "ARC-Seal: i=2; d=mechant.example\r\nARC-Seal: i=1; d=listes.epeule.example",
        "ARC-Seal: i=1; d=listes.epeule.example\r\nARC-Seal: i=1; d=listes.epeule.example",
        "ARC-Seal: i=x; d=listes.epeule.example",
        "ARC-Seal: i=99999; d=listes.epeule.example",
        "X-ARC-Seal: i=1; d=listes.epeule.example",
    ],
)
def test_a_seal_of_our_list_that_was_not_the_last_is_none(seals: str) -> None:
    assert judged(f"{results('arc=pass')}\r\n{seals}", through_list=True).proof == "none"


def test_our_own_seal_on_top_is_not_the_list_s() -> None:
    header = f"ARC-Seal: i=2; d=listes.epeule.example\r\n{results('arc=pass')}\r\nARC-Seal: i=1; d=mechant.example"
    assert judged(header, through_list=True).proof == "none"


def test_what_proves_the_list_proves_nothing_of_a_mail_that_came_beside_it() -> None:
    for text in (
        "dkim=pass header.d=listes.epeule.example",
        "spf=pass smtp.mailfrom=x@listes.epeule.example",
        "arc=pass",
    ):
        assert judged(results(text)).proof == "none"


@pytest.mark.parametrize("domain", ["epeule.example", "membres.epeule.example", "listes.epeule.example"])
def test_through_a_list_of_their_own_site_nobody_is_proved_to_be_the_author(domain: str) -> None:
    """Whoever posts as them: the list's server signs it for the domain that stands in From as well."""
    header = results(f"dkim=pass header.d=epeule.example; dmarc=pass header.from={domain}")
    assert judged(header, author=f"monique@{domain}", through_list=True).proof == "list"
    assert judged(header, author=f"monique@{domain}").proof == "author"


# ---------------------------------------------------------------- whatever comes


_pieces = st.sampled_from(
    [*'();"\\=./@<>, \t', "dmarc=pass", "header.from=laposte.example", "dkim=pass", "header.d=laposte.example", "none",
     "spf=pass", "smtp.mailfrom=", "mechant.example", SERVER, "; ", "reason=", "1", "é", "helo=", "\x00"]
)  # fmt: skip


@settings(max_examples=400)
@given(st.lists(_pieces, max_size=40).map("".join))
def test_whatever_a_stranger_s_reverse_path_holds_it_stays_in_its_quotes(text: str) -> None:
    """A server that escapes as RFC 5321 asks, or copies raw: what stands in the quoted local part is no result."""
    inner = text.replace("\\", "").replace('"', "")
    found = parse_authentication_results(f'{SERVER}; spf=pass smtp.mailfrom="{inner}"@mechant.example; dkim=none')
    if found is not None:
        assert [result.method for result in found.results] == ["spf", "dkim"]


@settings(max_examples=400)
@given(st.lists(_pieces, max_size=40).map("".join))
def test_nothing_raises_and_a_comment_is_never_a_result(text: str) -> None:
    parse_authentication_results(text)
    inner = text.replace("(", "").replace(")", "")
    found = parse_authentication_results(f"{SERVER}; dkim=none ({inner}) ; spf=none")
    if found is not None:
        assert [result.method for result in found.results] in (["dkim", "spf"], ["dkim"])


@given(st.text(max_size=80) | st.text("xn-ab1é.", max_size=40).map(lambda text: f"xn--{text}.example"))
def test_a_domain_is_compared_as_it_stands(text: str) -> None:
    found = parse_domain(text)
    if found is not None:
        assert parse_domain(found) == found
        assert found.count(".") == text.count(".") >= 1
        assert "" not in found.split(".")
