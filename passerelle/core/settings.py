"""What an administrator may set: one type a section, every key with its meaning, its default and an example.

Pure: reading files and secrets is `passerelle.config`'s. An unknown key is an error. The sentence under a key is its
documentation: `passerelle.keys` makes docs/configuration.md, config/passerelle.example.toml and what `init` writes
from it. Say there what the key does, to someone who installs; its type, default and example are added.
"""

from collections.abc import Iterator
from datetime import time
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, model_validator

from passerelle.core.archive_settings import ArchiveSettings, WebSettings
from passerelle.core.digest_settings import DigestSettings, NetworkSettings
from passerelle.core.secretary_settings import MeetingSettings, PermissionSettings, RegisterSettings
from passerelle.core.setting_kinds import (
    Address,
    ListeningPort,
    Location,
    MatrixUserId,
    Name,
    Port,
    Room,
    Section,
    StoreUrl,
    WebAddress,
    ZoneName,
    at_most_one,
    like,
)


class StoreSettings(Section):
    """Where Passerelle keeps what it took in and what it has to send."""

    url: Annotated[
        StoreUrl,
        Field(
            repr=False,
            validate_default=True,
            examples=["sqlite:////var/lib/passerelle/passerelle.db", "postgresql://passerelle@db/base"],
        ),
    ] = "sqlite:///passerelle.db"
    """The database: `sqlite:///file.db` (beside this file), `sqlite:////folder/file.db` (four slashes: from the root),
    or `postgresql://user@host/base`."""
    password: Annotated[SecretStr | None, like("a long secret")] = None
    """Password of the PostgreSQL user, written here; better in a file or the environment."""
    password_file: Annotated[Location | None, like("secrets/store")] = None
    """File that holds the password of the PostgreSQL user."""
    password_env: Annotated[str | None, like("PASSERELLE_STORE_PASSWORD")] = None
    """Environment variable that holds the password of the PostgreSQL user."""

    @model_validator(mode="after")
    def _one_password(self) -> "StoreSettings":
        at_most_one(self, "password", "password_file", "password_env")
        return self


class LogSettings(Section):
    """What the daemon says of itself. Mail addresses are shortened, contents and secrets never written."""

    format: Literal["text", "json"] = "text"
    """`text` for people and journald, `json` for a log collector."""
    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least important line that is still written."""


class ServerSettings(Section):
    """A server that is logged in to. Exactly one of the password keys, or none where it asks for none."""

    host: str
    """Name of the server."""
    port: Port
    """Port of the server."""
    tls: Literal["implicit", "starttls", "none"] = "implicit"
    """`implicit`: TLS from the first byte. `starttls`: TLS after a greeting. `none`: clear text, only for a server
    on the same machine."""
    username: Annotated[str | None, like("passerelle@example.org")] = None
    """User name, with most providers the whole address; left out where the server asks for none."""
    password: Annotated[SecretStr | None, like("a long secret")] = None
    """The password, written here; better in a file or the environment."""
    password_file: Annotated[Location | None, like("secrets/mailbox")] = None
    """File that holds the password; readable by Passerelle's user alone (`chmod 600`)."""
    password_env: Annotated[str | None, like("PASSERELLE_MAIL_PASSWORD")] = None
    """Environment variable that holds the password."""

    @model_validator(mode="after")
    def _one_password(self) -> "ServerSettings":
        at_most_one(self, "password", "password_file", "password_env")
        return self


class ImapSettings(ServerSettings):
    """Reads the mailbox: the provider's IMAP server. Nothing is deleted or marked as read."""

    host: Annotated[str, like("imap.example.org")]
    """Name of the IMAP server."""
    port: Port = 993
    """Port of the IMAP server: mostly 993 with `implicit`, 143 with `starttls`."""
    folder: str = "INBOX"
    """The folder that is read."""
    idle_minutes: Annotated[float, Field(gt=0, le=9)] = 9
    """How long one wait for news (IDLE) lasts before the folder is looked at anyway.
    RFC 2177 forbids more than 29; servers and routers forget sooner."""
    timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 60
    """Silence after which the connection is given up and made anew."""


class SmtpSettings(ServerSettings):
    """Sends to the lists: the provider's SMTP server."""

    host: Annotated[str, like("smtp.example.org")]
    """Name of the SMTP server."""
    port: Port = 465
    """Port of the SMTP server: mostly 465 with `implicit`, 587 with `starttls`."""
    timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 60
    """Silence after which the connection is given up and the mail tried again."""
    connections: Annotated[int, Field(ge=1, le=50)] = 4
    """Connections open at the same time to this server."""


class LmtpSettings(Section):
    """Where your own mail server hands mails over (LMTP, RFC 2033), instead of a mailbox that is read by IMAP."""

    host: str = "127.0.0.1"
    """Address on which Passerelle listens."""
    port: ListeningPort = 8024
    """Port on which Passerelle listens."""


class MailboxSettings(Section):
    """A mailbox of the bridge: its address is subscribed to the lists."""

    name: Name = "main"
    """What links call this mailbox; lower case, digits, `-` and `_`."""
    address: Annotated[Address, like("passerelle@example.org")]
    """The bridge's own address, subscribed to the lists; what goes to a list comes from it."""
    imap: ImapSettings | None = None
    """Reads mail from a mailbox. Give this section or `lmtp`."""
    lmtp: LmtpSettings | None = None
    """Takes mail from your own mail server. Give this section or `imap`."""
    smtp: SmtpSettings
    """Sends mail."""
    authserv_id: Annotated[str | None, like("mail.example.org")] = None
    """Name by which the receiving server signs its Authentication-Results (RFC 8601); no other is believed. Without it
    no mail counts as authenticated: what needs that is confirmed by a reply."""

    @model_validator(mode="after")
    def _a_way_in(self) -> "MailboxSettings":
        if (self.imap is None) == (self.lmtp is None):
            raise ValueError("give either an imap section or an lmtp section: it is how mail comes in")
        return self


class AppserviceSettings(Section):
    """Application-service mode, for who runs the homeserver: it pushes, and each author of mails has a ghost."""

    host: str = "127.0.0.1"
    """Address on which Passerelle listens for the homeserver."""
    port: ListeningPort = 9009
    """Port on which Passerelle listens for the homeserver."""
    id: str = "passerelle"
    """Name of the registration on the homeserver."""
    as_token: Annotated[SecretStr | None, like("a long secret")] = None
    """Token with which Passerelle speaks to the homeserver, written here; better in a file."""
    as_token_file: Annotated[Location | None, like("secrets/as_token")] = None
    """File that holds `as_token`."""
    hs_token: Annotated[SecretStr | None, like("a long secret")] = None
    """Token with which the homeserver speaks to Passerelle, written here; better in a file."""
    hs_token_file: Annotated[Location | None, like("secrets/hs_token")] = None
    """File that holds `hs_token`."""
    ghost_prefix: Annotated[str, Field(pattern=r"^[a-z0-9._=/-]{1,64}$")] = "_passerelle_"
    """Local part of ghosts: this prefix, then a keyed hash of the author; never an address."""

    @model_validator(mode="after")
    def _one_of_each_token(self) -> "AppserviceSettings":
        at_most_one(self, "as_token", "as_token_file")
        at_most_one(self, "hs_token", "hs_token_file")
        return self


class MatrixSettings(Section):
    """The bridge's account on a Matrix homeserver. Give a password, an access token, or an `appservice` section."""

    homeserver: Annotated[WebAddress, like("https://matrix.example.org")]
    """Address of the homeserver's client API."""
    user_id: Annotated[MatrixUserId, like("@passerelle:example.org")]
    """The bridge's own account, invited to the rooms."""
    password: Annotated[SecretStr | None, like("a long secret")] = None
    """The account's password, written here; better in a file or the environment."""
    password_file: Annotated[Location | None, like("secrets/matrix")] = None
    """File that holds the account's password; readable by Passerelle's user alone (`chmod 600`)."""
    password_env: Annotated[str | None, like("PASSERELLE_MATRIX_PASSWORD")] = None
    """Environment variable that holds the account's password."""
    access_token_file: Annotated[Location | None, like("secrets/matrix_token")] = None
    """File that holds an access token, instead of a password."""
    crypto_folder: Annotated[Location | None, like("crypto")] = None
    """Folder where encryption keys are kept; without it encrypted rooms are refused."""
    appservice: AppserviceSettings | None = None
    """Application-service mode; leave the section out for an ordinary account."""
    timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 60
    """Silence after which a request is given up and tried again."""
    sync_seconds: Annotated[float, Field(ge=0, le=300)] = 30
    """How long the homeserver may hold one request for news (`/sync`)."""

    @model_validator(mode="after")
    def _one_password(self) -> "MatrixSettings":
        at_most_one(self, "password", "password_file", "password_env", "access_token_file")
        return self


class Coordinator(Section):
    """A person who answers for the group: told of failures, confirms consent."""

    name: Annotated[str, like("Monique")]
    """First name or name, as members know it: it stands in what the bridge writes to them."""
    address: Annotated[Address | None, like("monique@example.org")] = None
    """Mail address to which failures are told."""
    matrix: Annotated[MatrixUserId | None, like("@monique:example.org")] = None
    """Matrix account to which failures are told."""


class ListSettings(Section):
    """The mailing list of a link."""

    address: Annotated[Address, like("bureau@listes.example.org")]
    """The posting address (List-Post of RFC 2369)."""
    list_id: Annotated[str | None, like("bureau.listes.example.org")] = None
    """The identifier in List-Id (RFC 2919); needed where several lists arrive in one mailbox."""
    subject_prefix: Annotated[str | None, like("[bureau]")] = None
    """What the list puts before each subject."""
    aliases: Annotated[tuple[Address, ...], like("bureau@example.org")] = ()
    """Further addresses under which the list receives or rewrites mail."""
    archive_url: Annotated[WebAddress | None, like("https://listes.example.org/archives/bureau")] = None
    """The list's own archive on the web; `passerelle check` warns when anyone can read it."""
    without_headers: bool = False
    """The list adds neither List-Id nor List-Post: a mail is the list's where To or Cc name it. Leave it out where the
    list adds one of them, as almost all do: without that sign, a mail that was sent to the bridge alone looks the same
    and is published."""
    reply_to: Literal["list", "none"] = "list"
    """What chat mails carry in Reply-To: the list, or nothing where the list sets it itself."""


class LinkSettings(Section):
    """A link: one list and one room that are one conversation."""

    name: Annotated[Name, like("bureau")]
    """Short name of the link, for commands and logs; lower case, digits, `-` and `_`. Do not change it later."""
    mailing_list: Annotated[ListSettings, Field(alias="list")]
    """The list."""
    room: Annotated[Room, like("!AbCdEfGhIjKlMnOp:example.org", "#bureau:example.org")]
    """The room's ID (`!…`) or an alias (`#…:server`)."""
    mailbox: Name = "main"
    """Name of the mailbox that reads and writes this list."""
    policy: Literal["conversation", "each", "on_request"] = "conversation"
    """What goes to the list. `conversation`: a mail when the talk settles. `each`: a mail a line. `on_request`: only
    what its author marks with 📧."""
    quiet_minutes: Annotated[float, Field(ge=0, le=1440)] = 10
    """How long nothing must be said before a conversation leaves."""
    longest_wait_minutes: Annotated[float, Field(ge=0, le=10080)] = 120
    """The longest that a line waits in a conversation that does not settle."""
    mails_per_day: Annotated[int, Field(ge=1, le=10000)] = 6
    """Chat mails a day; what is more goes into one evening mail."""
    evening_at: time = time(19, 0)
    """When that evening mail leaves, local time."""
    quiet_from: time = time(21, 0)
    """Nothing automatic leaves from this hour on, local time. The same as `quiet_until`: no quiet hours."""
    quiet_until: time = time(8, 0)
    """When the quiet hours end, local time."""
    threads: Literal["thread", "reply"] = "thread"
    """How answers look in the room: `thread` for Matrix threads, `reply` for clients that hide threads."""
    original: Literal["attach", "off"] = "attach"
    """The untouched text of a mail whose quotes were left out: attached, or not at all."""
    email_limit_bytes: Annotated[int, Field(ge=10_000)] = 25_000_000
    """Mails over this size are not relayed; their author is told."""
    attachments_limit_bytes: Annotated[int, Field(ge=0)] = 10_000_000
    """Attachments of one chat mail, together; what is more is named with its size."""
    give_up_hours: Annotated[float, Field(gt=0, le=720)] = 48
    """A delivery that fails for the time being is given up after this, and a human is told."""
    echo_wait_minutes: Annotated[float, Field(gt=0, le=1440)] = 60
    """How long a mail of unknown fate waits for its echo from the list."""
    mails_per_minute: Annotated[float, Field(gt=0)] = 30
    """Mails to this list a minute, at the most."""
    fuse_per_hour: Annotated[int, Field(ge=2)] = 60
    """Relays of one thread in an hour after which it stops and a human is told: probably a loop."""
    chat_summary: Literal["off", "daily", "weekly"] = "off"
    """Instead of chat mails, a summary of the room to the list, for a list that wants no single mails; goes with
    `policy = "on_request"`."""
    archive: ArchiveSettings = ArchiveSettings()
    """Who may read the link's archive, and how long it is kept."""


class AssociationSettings(Section):
    """An association: its coordinators and its links. It may also stand in a file of its own, associations.d/*.toml."""

    name: Annotated[Name, like("epeule")]
    """Short name, for commands and logs; lower case, digits, `-` and `_`. Do not change it later."""
    title: Annotated[str, like("Comité de quartier de l’Épeule")]
    """The name as members read it."""
    language: Literal["fr", "en"] = "fr"
    """Language of what the bridge writes to members."""
    timezone: ZoneName = "Europe/Paris"
    """IANA time zone of quiet hours and of the times that members read."""
    coordinators: Annotated[tuple[Coordinator, ...], Field(min_length=1)]
    """Who answers for the group; at least one."""
    templates: Annotated[Location | None, like("templates/epeule")] = None
    """Folder of templates that is searched before Passerelle's own."""
    links: Annotated[tuple[LinkSettings, ...], Field(min_length=1)]
    """The lists and their rooms; at least one."""
    entry_register: Annotated[RegisterSettings, Field(alias="register")] = RegisterSettings()
    """The register of decisions, actions and loans."""
    meetings: MeetingSettings = MeetingSettings()
    """The meeting cycle."""
    permissions: PermissionSettings = PermissionSettings()
    """Who may do what."""
    digests: DigestSettings = DigestSettings()
    """Digests of what needs care."""

    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


class Settings(Section):
    """The whole configuration, checked."""

    store: StoreSettings = StoreSettings()
    """Where Passerelle keeps what it took in and what it has to send."""
    log: LogSettings = LogSettings()
    """What the daemon says of itself."""
    web: WebSettings | None = None
    """The archive on the web; leave the section out for none."""
    matrix: MatrixSettings
    """The bridge's account on a Matrix homeserver."""
    mailboxes: Annotated[tuple[MailboxSettings, ...], Field(min_length=1)]
    """The bridge's mailboxes; at least one."""
    associations: Annotated[tuple[AssociationSettings, ...], Field(min_length=1)]
    """The associations served; at least one, here or in associations.d/*.toml."""
    networks: tuple[NetworkSettings, ...] = ()
    """Networks of associations of this daemon."""

    @model_validator(mode="after")
    def _consistent(self) -> "Settings":
        problems = [*self._repeated(), *self._astray()]
        if problems:
            # One problem a line, each with its path: `config.load` shows them beside those of single keys.
            raise ValueError("\n".join(problems))
        return self

    def _repeated(self) -> Iterator[str]:
        """What may stand only once. A list or a room in two links would relay each post twice."""
        seen: dict[tuple[str, str], str] = {}
        for what, value, path in self._unique():
            if (what, value) in seen:
                yield f"{path}: '{value}' stands already in {seen[what, value]}; {what}"
            else:
                seen[what, value] = path

    def _unique(self) -> Iterator[tuple[str, str, str]]:
        for b, mailbox in enumerate(self.mailboxes):
            yield "mailboxes need different names", mailbox.name, f"mailboxes[{b}].name"
        for n, network in enumerate(self.networks):
            yield "networks need different names", network.name, f"networks[{n}].name"
        for a, association in enumerate(self.associations):
            yield "associations need different names", association.name, f"associations[{a}].name"
            for n, link in enumerate(association.links):
                path = f"associations[{a}].links[{n}]"
                yield f"links of '{association.name}' need different names", link.name, f"{path}.name"
                yield "a list can be in one link only", link.mailing_list.address, f"{path}.list.address"
                yield "a room can be in one link only", link.room, f"{path}.room"

    def _astray(self) -> Iterator[str]:
        names = [mailbox.name for mailbox in self.mailboxes]
        known = {association.name for association in self.associations}
        for n, network in enumerate(self.networks):
            for stranger in set(network.associations) - known:
                yield f"networks[{n}].associations: there is no association '{stranger}'"
            links = {f"{one.name}/{link.name}" for one in self.associations for link in one.links
                     if one.name in network.associations}  # fmt: skip
            for stranger in sorted(set(network.links) - links):
                yield f"networks[{n}].links: there is no link '{stranger}' in an association of the network"
        for a, association in enumerate(self.associations):
            for n, link in enumerate(association.links):
                if link.mailbox not in names:
                    path = f"associations[{a}].links[{n}].mailbox"
                    yield f"{path}: there is no mailbox '{link.mailbox}'; there is {', '.join(names)}"
