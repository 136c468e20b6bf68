"""Whether a mail is from whom it says, as its receiving server judged. Pure.

Nothing is verified here: no key is fetched, no signature computed. The receiving server has done so and written what
came of it into Authentication-Results (RFC 8601). Anybody can write such a field into a mail before it arrives, and not
every server takes it out (§5 asks it to), so this is believed, and nothing else:

- the topmost field of that name in the mail, one field: a server writes above what came. Where a server writes several,
  the upper one is by who judged last, mostly DMARC. What stands below may be a stranger's, and looks like its own;
- where its authserv-id is the configured one, or a host below it: a large site names each of its hosts (§2.5), and
  `mail.ovh.net` stands for `in66.mail.ovh.net`;
- where every Received above it is of that site, or names no host of the outside: below a foreign hop nothing is our
  server's (§7.1 names the order of trace fields as what there is to go by);
- where the whole of it is understood (`mail.authentication_results`).

What it then proves:

- **author**: DMARC passed for the very domain in From (RFC 7489 §3.1). Where that domain has no DMARC policy: DKIM
  passed for it (RFC 6376), or else SPF for the reverse path (RFC 7208); here a domain speaks for those below it too.
  The other way round, which DMARC's relaxed alignment allows within one organisation, would need the Public Suffix
  List, to see that `mechant.eu.org` is not of `eu.org`.
- **list**: it came through the list, and the list's own domain is authenticated in one of these ways, or by an ARC
  chain (RFC 8617) that our server found whole and the list's domain sealed last. The list took it for the author's,
  which is worth a proposal. So it is, too, where author and list are of one site: what a server signs for its list and
  what it signs for the author look the same.
- **none**: everything else.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from passerelle.core.email import Email
from passerelle.core.ids import MailAddress
from passerelle.mail.authentication_results import AuthenticationResults, MethodResult, parse_authentication_results
from passerelle.mail.domains import is_at_or_below, parse_domain, site_of

Proof = Literal["none", "list", "author"]

_MAX_FROM_CHARACTERS = 2_000
_BY = re.compile(r"(?:^|\s)by\s+([^\s;]{1,255})", re.IGNORECASE)
_COMMENT = re.compile(r"\([^()]*\)")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_TAG = re.compile(r"(?:^|;)\s*([A-Za-z]{1,20})\s*=\s*([^;]*)")
#: What Gmail says of SPF where a domain publishes none: it guesses by neighbourhood.
_GUESSED = "best guess"
#: The domain has no policy; Microsoft's word for « and would have passed » proves nothing more.
_NO_POLICY = frozenset({"none", "bestguesspass"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Authentication:
    """What is proved of a mail, and for what domain."""

    proof: Proof = "none"
    #: Whose word it is; "" where nothing is proved.
    domain: str = ""
    #: `dmarc`, `dkim`, `spf` or `arc`.
    method: str = ""
    #: Where nothing is proved, why, in English, for a log: no address, nothing that the mail says.
    reason: str = ""


def judge_authentication(
    email: Email, *, authserv_id: str | None, list_addresses: Collection[MailAddress] = ()
) -> Authentication:
    """What the receiving server proved of `email`.

    Args:
        authserv_id: the configured name of the receiving server; None: nothing is believed.
        list_addresses: of a mail that came through a list, the list's addresses; empty for a mail that came to the
            bridge alone, which is never proved by `list`.
    """
    if not authserv_id:
        return Authentication(reason="no authserv_id is configured")
    if not email.provenance:
        return Authentication(reason="the header section is damaged")
    domain = author_domain(email)
    if domain is None:
        return Authentication(reason="From is not one plain address")
    believed = _believed(email.provenance, authserv_id.lower())
    if isinstance(believed, str):
        return Authentication(reason=believed)
    lists = [found for found in map(_domain_of, list_addresses) if found is not None]
    method = _author_method(believed.results, domain)
    if method and site_of(domain) not in map(site_of, lists):
        return Authentication(proof="author", domain=domain, method=method)
    for one in lists:
        by = method if domain == one and method else _list_method(email, believed.results, one)
        if by:
            return Authentication(proof="list", domain=one, method=by)
    return Authentication(reason="the receiving server vouches neither for the author nor for the list")


def topmost_authserv_id(email: Email) -> str | None:
    """By what name the receiving server signs, as far as one mail shows; None where it has no such field, "" where
    the field is not understood or bears no name."""
    value = next((value for name, value in email.provenance if name == "authentication-results"), None)
    if value is None:
        return None
    found = parse_authentication_results(value)
    return "" if found is None else found.authserv_id


def is_server(authserv_id: str, configured: str) -> bool:
    """Whether that is the configured server's name, or that of one of its hosts. Both in lower case."""
    return authserv_id == configured or ("." in configured and authserv_id.endswith(f".{configured}"))


# ---------------------------------------------------------------- the author


def author_domain(email: Email) -> str | None:
    """The domain of From, where From is one field with one address that everybody reads alike; else None.

    RFC 7489 §6.6.1 asks receivers to be wary of several; a group, a route, an encoded or split address, and a comment
    within it are read in as many ways as there are readers.
    """
    fields = [value for name, value in email.provenance if name == "from"]
    if len(fields) != 1 or len(email.from_) != 1 or len(fields[0]) > _MAX_FROM_CHARACTERS:
        return None
    bare = _COMMENT.sub(" ", _QUOTED.sub(" ", fields[0]))
    if any(mark in bare for mark in '"\\,;:()') or bare.count("@") != 1 or bare.count("<") > 1:
        return None
    address = email.from_[0].address
    before, bracket, rest = bare.partition("<")
    written, _, after = rest.partition(">") if bracket else (bare, "", "")
    if written.strip().lower() != address.lower() or (bracket and ("@" in before or after.strip())):
        return None
    return _domain_of(address)


def _domain_of(address: str) -> str | None:
    return parse_domain(address.rpartition("@")[2])


def _author_method(results: Sequence[MethodResult], domain: str) -> str:
    """By what method From's domain is authenticated; "" where it is not."""
    judged = [result for result in results if result.method == "dmarc"]
    if any(result.result not in _NO_POLICY for result in judged):
        passed = all(r.result == "pass" and parse_domain(r.properties.get("header.from", "")) == domain for r in judged)
        return "dmarc" if passed else ""
    return _aligned_method(results, domain)


def _aligned_method(results: Sequence[MethodResult], domain: str) -> str:
    if any(is_at_or_below(domain, signer) for signer in _signers(results)):
        return "dkim"
    path = _reverse_path(results)
    return "spf" if path is not None and is_at_or_below(domain, path) else ""


def _signers(results: Iterable[MethodResult]) -> list[str]:
    """Domains whose DKIM signature is good. Gmail names the agent (`i=`) only, which is at or below `d=` (RFC 6376
    §3.5): never less than what `d=` would say."""
    found = []
    for result in results:
        if result.method == "dkim" and result.result == "pass":
            named, agent = result.properties.get("header.d"), result.properties.get("header.i")
            signer = parse_domain(named) if named is not None else _domain_of(agent or "")
            consistent = named is None or agent is None or signer is None or _is_agent(agent, signer)
            if signer is not None and consistent:
                found.append(signer)
    return found


def _is_agent(agent: str, signer: str) -> bool:
    domain = _domain_of(agent)
    return domain is not None and is_at_or_below(domain, signer)


def _reverse_path(results: Iterable[MethodResult]) -> str | None:
    """The domain of MAIL FROM, where SPF passed for it; what HELO said proves nothing of the author."""
    judged = [result for result in results if result.method == "spf" and "smtp.mailfrom" in result.properties]
    if not judged or any(result.result != "pass" or _GUESSED in result.comment for result in judged):
        return None
    domains = {_domain_of(result.properties["smtp.mailfrom"]) for result in judged}
    return domains.pop() if len(domains) == 1 else None


# ---------------------------------------------------------------- the list


def _list_method(email: Email, results: Sequence[MethodResult], domain: str) -> str:
    """By what method a list's domain is authenticated, whoever stands in From; "" where it is not."""
    if method := _aligned_method(results, domain):
        return method
    judged = [result.result for result in results if result.method == "arc"]
    sealed = judged == ["pass"] and (sealer := _last_sealer(email.provenance)) and is_at_or_below(domain, sealer)
    return "arc" if sealed else ""


def _last_sealer(provenance: Sequence[tuple[str, str]]) -> str | None:
    """Who sealed the ARC chain last before the receiving server judged it: what stands above its field, it sealed
    itself (RFC 8617 §5.1: a set goes on top)."""
    judged_at = next(n for n, (name, _) in enumerate(provenance) if name == "authentication-results")
    seals: dict[str, str] = {}
    for name, value in provenance[judged_at:]:
        if name == "arc-seal":
            tags = dict(_TAG.findall(value))
            instance = tags.get("i", "").strip()
            if not instance.isdecimal() or len(instance) > 2 or instance in seals:
                return None
            seals[instance] = tags.get("d", "").strip()
    return parse_domain(seals[max(seals, key=int)]) if seals else None


# ---------------------------------------------------------------- what is believed


def _believed(provenance: Sequence[tuple[str, str]], authserv_id: str) -> AuthenticationResults | str:
    """What the receiving server says, or why nothing is believed."""
    above: list[str] = []
    for name, value in provenance:
        if name == "received":
            above.append(value)
        elif name == "authentication-results":
            found = parse_authentication_results(value)
            if found is None:
                return "the topmost Authentication-Results is not understood"
            if not is_server(found.authserv_id, authserv_id):
                return "the topmost Authentication-Results is another server's"
            if not _are_own_hops(above, found.authserv_id):
                return "Authentication-Results stands below another server's Received"
            return found
    return "there is no Authentication-Results"


def _are_own_hops(received: Sequence[str], authserv_id: str) -> bool:
    """Whether all of these were added by the receiving site: that of the topmost one, which nobody else could write,
    or that of the authserv-id."""
    hosts = [host for host in map(_by_host, received) if host is not None]
    sites = {site_of(authserv_id)}
    if received and (top := _by_host(received[0])) is not None:
        sites.add(site_of(top))
    return all(site_of(host) in sites for host in hosts)


def _by_host(received: str) -> str | None:
    """Which host says that it received the mail (RFC 5321 §4.4), in lower case; None for one without a name that
    others could have: an address, `localhost`, a bare word."""
    text = received[:4_000]
    for _ in range(3 if "(" in text else 0):
        text = _COMMENT.sub(" ", text)
    match = _BY.search(text)
    host = match[1].lower().rstrip(".") if match else ""
    last = host.rpartition(".")[2]
    if not last or last == host or last.isdecimal() or ":" in host or host.startswith("[") or last == "localdomain":
        return None
    return host
