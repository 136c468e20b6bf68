"""What an administrator may set about the archive: where it is read, by whom, and how long it is kept."""

from typing import Annotated, Literal

from pydantic import Field

from passerelle.core.setting_kinds import ListeningPort, Section, WebAddress, like


class WebSettings(Section):
    """The archive on the web. Leave the section out for none. Put a web server with HTTPS before it."""

    host: str = "127.0.0.1"
    """Address on which Passerelle listens for the web server before it."""
    port: ListeningPort = 8090
    """Port on which Passerelle listens."""
    url: Annotated[WebAddress, like("https://archives.example.org")]
    """Where readers find it: the beginning of every permanent address. Do not change it later."""
    behind_proxy: bool = True
    """Believe X-Forwarded-For of the web server before it, to slow down whoever tries too often. `false` where readers
    reach Passerelle directly."""
    session_minutes: Annotated[int, Field(ge=1, le=1440)] = 30
    """How long a reader who does nothing stays signed in on a shared computer."""
    own_session_days: Annotated[int, Field(ge=1, le=365)] = 90
    """How long a reader stays signed in who said that the computer is theirs alone."""
    link_minutes: Annotated[int, Field(ge=5, le=1440)] = 60
    """How long the link that a reader asked for by mail or in the chat can be used."""


class RetentionSettings(Section):
    """How long things are kept, in days; 0: for as long as the association wants. What is over is erased at night."""

    posts_days: Annotated[int, Field(ge=0)] = 0
    """Posts of both sides, with their originals."""
    attachments_days: Annotated[int, Field(ge=0)] = 0
    """Files of posts."""
    minutes_days: Annotated[int, Field(ge=0)] = 0
    """The register, meetings and their minutes; usual guidance is five years at the least (1826)."""
    logs_days: Annotated[int, Field(ge=0)] = 365
    """What arrived and left (without words), and what was not relayed and why."""


class ArchiveSettings(Section):
    """The archive of a link."""

    visibility: Literal["participants", "public"] = "participants"
    """Who may read it. `public` takes effect after a notice to both sides and `opening_delay_days`."""
    past: Literal["own_side", "participants", "public"] = "own_side"
    """Who may read what was imported from before the bridge: whoever was there on that side, all participants, or
    everyone; the latter two after a notice to both sides and `opening_delay_days`."""
    opening_delay_days: Annotated[int, Field(ge=1, le=365)] = 14
    """Days between the notice and the opening."""
    indexed: bool = False
    """Let web search engines list a public archive."""
    retention: RetentionSettings = RetentionSettings()
    """How long things are kept."""
