"""Mail servers of providers that associations in France use, as each provider publishes them. Pure.

Only what is certain stands here; for another provider `init` asks.
"""

from dataclasses import dataclass

from passerelle.i18n import N_


@dataclass(frozen=True, kw_only=True, slots=True)
class Provider:
    """All of them use TLS from the first byte: IMAP on 993, SMTP on 465."""

    key: str
    title: str
    imap_host: str
    smtp_host: str
    #: Domains of addresses that can only be this provider's; none for hosts of people's own domains.
    domains: tuple[str, ...] = ()
    #: What has to be done at the provider first.
    note: str = ""


PROVIDERS = (
    Provider(
        key="orange",
        title="Orange",
        imap_host="imap.orange.fr",
        smtp_host="smtp.orange.fr",
        domains=("orange.fr", "wanadoo.fr"),
    ),
    Provider(
        key="free",
        title="Free",
        imap_host="imap.free.fr",
        smtp_host="smtp.free.fr",
        domains=("free.fr",),
        note=N_("Switch authenticated SMTP on in Free's own settings of the mailbox."),
    ),
    Provider(
        key="sfr",
        title="SFR",
        imap_host="imap.sfr.fr",
        smtp_host="smtp.sfr.fr",
        domains=("sfr.fr", "neuf.fr", "cegetel.net"),
    ),
    Provider(
        key="laposte",
        title="La Poste",
        imap_host="imap.laposte.net",
        smtp_host="smtp.laposte.net",
        domains=("laposte.net",),
        note=N_("Allow mail programs (IMAP) in the settings of the mailbox at laposte.net."),
    ),
    Provider(key="gandi", title="Gandi", imap_host="mail.gandi.net", smtp_host="mail.gandi.net"),
    Provider(key="ovh", title="OVH", imap_host="ssl0.ovh.net", smtp_host="ssl0.ovh.net"),
    Provider(key="infomaniak", title="Infomaniak", imap_host="mail.infomaniak.com", smtp_host="mail.infomaniak.com"),
    Provider(
        key="mailo",
        title="Mailo",
        imap_host="mail.mailo.com",
        smtp_host="mail.mailo.com",
        domains=("mailo.com", "netcourrier.com"),
    ),
    Provider(
        key="gmail",
        title="Gmail",
        imap_host="imap.gmail.com",
        smtp_host="smtp.gmail.com",
        domains=("gmail.com",),
        note=N_("Make an app password at Google; the account's own password is refused."),
    ),
    Provider(
        key="yahoo",
        title="Yahoo",
        imap_host="imap.mail.yahoo.com",
        smtp_host="smtp.mail.yahoo.com",
        domains=("yahoo.fr", "yahoo.com"),
        note=N_("Make an app password at Yahoo; the account's own password is refused."),
    ),
)


def find_provider(key: str) -> Provider | None:
    """The provider of that short name."""
    return next((p for p in PROVIDERS if p.key == key), None)


def provider_of(address: str) -> Provider | None:
    """The provider whose customers have such addresses."""
    domain = address.rpartition("@")[2].lower()
    return next((p for p in PROVIDERS if domain in p.domains), None)
