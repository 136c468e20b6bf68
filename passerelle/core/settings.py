"""What an administrator may set: one type a section, every key with its meaning and its default.

Pure: reading files and secrets is `passerelle.config`'s. An unknown key is an error.
`docs/configuration.md` and `config/passerelle.example.toml` are held against these models by tests.
"""

from datetime import time
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"'{name}' is not an IANA time zone; an example is Europe/Paris")
    return name


def _mail_address(text: str) -> str:
    local, at, domain = text.rpartition("@")
    if not (local and at and domain) or any(c.isspace() for c in text):
        raise ValueError(f"'{text}' is not a mail address; an example is bureau@listes.example.org")
    return f"{local}@{domain.lower()}"


def _user_id(text: str) -> str:
    if not text.startswith("@") or ":" not in text:
        raise ValueError(f"'{text}' is not a Matrix user ID; an example is @lea:example.org")
    return text


ZoneName = Annotated[str, AfterValidator(_known_zone)]
Address = Annotated[str, AfterValidator(_mail_address)]
MatrixUserId = Annotated[str, AfterValidator(_user_id)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]


class StoreSettings(Section):
    #: `sqlite:///relative.db`, `sqlite:////absolute.db` or `postgresql://user:password@host/base`.
    url: str = "sqlite:///passerelle.db"


class LogSettings(Section):
    #: `text` for people and journald, `json` for a log collector.
    format: Literal["text", "json"] = "text"
    level: Literal["debug", "info", "warning", "error"] = "info"


class ServerSettings(Section):
    """A server that is logged in to. Exactly one of the password keys, or none where it asks for none."""

    host: str
    port: Annotated[int, Field(ge=1, le=65535)]
    #: `implicit` (TLS from the first byte), `starttls`, or `none`: clear text, for a server on the same machine.
    tls: Literal["implicit", "starttls", "none"] = "implicit"
    username: str | None = None
    password: SecretStr | None = None
    password_file: str | None = None
    password_env: str | None = None

    @model_validator(mode="after")
    def _one_password(self) -> "ServerSettings":
        given = [n for n in ("password", "password_file", "password_env") if getattr(self, n) is not None]
        if len(given) > 1:
            raise ValueError(f"give only one of {', '.join(given)}")
        return self


class ImapSettings(ServerSettings):
    port: Annotated[int, Field(ge=1, le=65535)] = 993
    folder: str = "INBOX"
    #: RFC 2177 forbids more than 29; servers and routers forget sooner.
    idle_minutes: Annotated[float, Field(gt=0, le=9)] = 9
    #: Seconds without an answer after which the connection is given up.
    timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 60


class SmtpSettings(ServerSettings):
    port: Annotated[int, Field(ge=1, le=65535)] = 465
    timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 60
    #: Connections open at the same time to this server.
    connections: Annotated[int, Field(ge=1, le=50)] = 4


class LmtpSettings(Section):
    """Where the mail server hands mails over, instead of a mailbox that is read (RFC 2033)."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8024


class MailboxSettings(Section):
    """One mailbox of the bridge: its address is subscribed to the lists."""

    name: Name = "main"
    #: The bridge's own address; what goes to a list comes from it.
    address: Address
    imap: ImapSettings | None = None
    lmtp: LmtpSettings | None = None
    smtp: SmtpSettings

    @model_validator(mode="after")
    def _a_way_in(self) -> "MailboxSettings":
        if (self.imap is None) == (self.lmtp is None):
            raise ValueError("give either an imap section or an lmtp section: it is how mail comes in")
        return self


class AppserviceSettings(Section):
    """Application-service mode: the homeserver pushes, and each author of mails has a ghost."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 9009
    id: str = "passerelle"
    as_token: SecretStr | None = None
    as_token_file: str | None = None
    hs_token: SecretStr | None = None
    hs_token_file: str | None = None
    #: Local part of ghosts: the prefix, then a keyed hash of the author; never an address.
    ghost_prefix: str = "_passerelle_"


class MatrixSettings(Section):
    #: For instance `https://matrix.example.org`.
    homeserver: str
    user_id: MatrixUserId
    password: SecretStr | None = None
    password_file: str | None = None
    password_env: str | None = None
    access_token_file: str | None = None
    #: Where encryption keys are kept; without it encrypted rooms are refused.
    crypto_folder: str | None = None
    appservice: AppserviceSettings | None = None
    timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 60
    #: Long-polling time of `/sync`.
    sync_seconds: Annotated[float, Field(ge=0, le=300)] = 30

    @field_validator("homeserver")
    @classmethod
    def _is_url(cls, value: str) -> str:
        if not value.startswith(("https://", "http://")):
            raise ValueError("begin it with https:// (or http:// for a server on the same machine)")
        return value.rstrip("/")


class Coordinator(Section):
    """A person who answers for the group: told of failures, confirms consent."""

    name: str
    address: Address | None = None
    matrix: MatrixUserId | None = None


class ListSettings(Section):
    #: The posting address (List-Post of RFC 2369).
    address: Address
    #: The identifier of List-Id (RFC 2919); needed where several lists arrive in one mailbox.
    list_id: str | None = None
    #: What the list puts before each subject, for instance `[bureau]`.
    subject_prefix: str | None = None
    #: Further addresses under which the list rewrites or receives mail.
    aliases: tuple[Address, ...] = ()
    #: The list's own archive; `check` warns when anyone can read it.
    archive_url: str | None = None
    #: What chat mails carry in Reply-To: the list, or nothing where the list sets it itself.
    reply_to: Literal["list", "none"] = "list"


class LinkSettings(Section):
    """One list and one room that are one conversation."""

    name: Name
    mailing_list: Annotated[ListSettings, Field(alias="list")]
    #: Room ID (`!…`) or alias (`#…:server`).
    room: str
    #: Which mailbox reads and writes this list.
    mailbox: Name = "main"
    #: `conversation`: a mail when the talk settles; `each`: a mail a line; `on_request`: what its author marks 📧.
    policy: Literal["conversation", "each", "on_request"] = "conversation"
    #: How long nothing must be said before a conversation leaves.
    quiet_minutes: Annotated[float, Field(ge=0, le=1440)] = 10
    #: The longest that a line waits in a conversation that does not settle.
    longest_wait_minutes: Annotated[float, Field(ge=0, le=10080)] = 120
    #: Chat mails a day; what is more goes into one evening mail.
    mails_per_day: Annotated[int, Field(ge=1, le=10000)] = 6
    #: When that evening mail leaves, local time.
    evening_at: time = time(19, 0)
    #: Nothing automatic leaves between these hours, local time; the same hour twice: no quiet hours.
    quiet_from: time = time(21, 0)
    quiet_until: time = time(8, 0)
    #: How answers look in the room: Matrix threads, or plain replies for clients that hide threads.
    threads: Literal["thread", "reply"] = "thread"
    #: The untouched text of a mail whose quotes were left out: attached, or not at all.
    original: Literal["attach", "off"] = "attach"
    #: Mails over this are not relayed; their author is told.
    email_limit_bytes: Annotated[int, Field(ge=10_000)] = 25_000_000
    #: Attachments of one chat mail, together; what is more is named with its size.
    attachments_limit_bytes: Annotated[int, Field(ge=0)] = 10_000_000
    #: After this a delivery that only fails for the time being is given up, and a human is told.
    give_up_hours: Annotated[float, Field(gt=0, le=720)] = 48
    #: How long a mail of unknown fate waits for its echo from the list.
    echo_wait_minutes: Annotated[float, Field(gt=0, le=1440)] = 60
    #: Mails to this list a minute, at the most.
    mails_per_minute: Annotated[float, Field(gt=0)] = 30
    #: Relays of one thread in one hour after which it stops and a human is told: a loop, probably.
    fuse_per_hour: Annotated[int, Field(ge=2)] = 60

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True, populate_by_name=True)

    @field_validator("room")
    @classmethod
    def _room(cls, value: str) -> str:
        if not value.startswith(("!", "#")):
            raise ValueError("a room ID begins with ! and an alias with #")
        return value


class AssociationSettings(Section):
    name: Name
    #: As members read it, for instance « Comité de quartier de l’Épeule ».
    title: str
    language: Literal["fr", "en"] = "fr"
    timezone: ZoneName = "Europe/Paris"
    coordinators: Annotated[tuple[Coordinator, ...], Field(min_length=1)]
    #: A folder of templates that is searched before Passerelle's own.
    templates: str | None = None
    links: Annotated[tuple[LinkSettings, ...], Field(min_length=1)]

    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


class Settings(Section):
    """The whole configuration, checked."""

    store: StoreSettings = StoreSettings()
    log: LogSettings = LogSettings()
    matrix: MatrixSettings
    mailboxes: Annotated[tuple[MailboxSettings, ...], Field(min_length=1)]
    associations: Annotated[tuple[AssociationSettings, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _consistent(self) -> "Settings":
        boxes = [m.name for m in self.mailboxes]
        problems = [f"two mailboxes are called '{n}'" for n in sorted(set(boxes)) if boxes.count(n) > 1]
        names = [a.name for a in self.associations]
        problems += [f"two associations are called '{n}'" for n in sorted(set(names)) if names.count(n) > 1]
        lists: dict[str, str] = {}
        rooms: dict[str, str] = {}
        for association in self.associations:
            seen: set[str] = set()
            for link in association.links:
                path = f"{association.name}/{link.name}"
                if link.name in seen:
                    problems.append(f"two links of '{association.name}' are called '{link.name}'")
                seen.add(link.name)
                if link.mailbox not in boxes:
                    problems.append(f"link '{path}' names a mailbox '{link.mailbox}' that is not there")
                for table, key in ((lists, link.mailing_list.address), (rooms, link.room)):
                    if key in table:
                        problems.append(f"'{key}' stands in two links, '{table[key]}' and '{path}'")
                    table[key] = path
        if problems:
            raise ValueError("; ".join(problems))
        return self
