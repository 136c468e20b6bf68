"""What `passerelle status` says: how each link fares, what went wrong, and what to do, in sentences. Pure.

`Overview` is what was read; `link_rows`, `advice` and `incident_lines` are its words, `as_json` is for monitoring:
English keys, ISO 8601 instants in UTC, the same in every language.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from passerelle.core.links import Link
from passerelle.core.model import Incident, LinkState, OutboxState
from passerelle.i18n import N_, _
from passerelle.logs import shorten_addresses

Moment = Callable[[datetime], str]
#: Whether a daemon runs on the store. On PostgreSQL there may be several, on other machines.
Daemon = Literal["runs", "stopped", "unknown"]

_INCIDENTS = {
    "bounce": N_("A mail of the bridge came back: it was not delivered. Is the list's address right?"),
    "compose_failed": N_(
        "A conversation of the room could not be made into a mail. Nothing is lost; the log says why."
    ),
    "direct_failed": N_("A private message could not be given to somebody in the room."),
    "email_failed": N_("A mail could not leave. It is kept: passerelle outbox list --state failed"),
    "email_set_aside": N_("A mail could not be read. It is kept: passerelle inbox list --state set_aside"),
    "email_unknown": N_("Nobody knows whether a mail arrived: passerelle outbox list --state unknown"),
    "event_failed": N_("Something could not be shown in the room. It is kept: passerelle outbox list --state failed"),
    "event_set_aside": N_("A line of the room could not be read. It is kept: passerelle inbox list --state set_aside"),
    "fuse": N_("A conversation ran too fast and was stopped; two robots may be answering each other."),
    "lost_past": N_("A part of what was said in the room could not be had. Does the list lack a line?"),
    "moderation": N_("The list holds a mail of the bridge for its moderator."),
    "no_list_header": N_(
        "Mails that only name the list were kept back: nothing shows that they passed it. See `list.without_headers`."
    ),
    "document_failed": N_("A file of minutes could not be made; they left without it."),
    "privacy_access": N_("Somebody asked by mail to see what is held of them, and gets it. Nothing is to be done."),
    "privacy_erase": N_("Somebody asked by mail to be erased, and confirmed it: passerelle privacy report"),
    "privacy_large": N_("What is held of somebody is too large for a mail: passerelle privacy export"),
    "public_room": N_("Anyone can join the room; the link was stopped."),
    "reaction_failed": N_("A reaction could not be shown in the room."),
    "redaction_failed": N_("Something could not be taken back in the room."),
    "restored": N_("After a restore, lines were not sent, since they may have left before. Ask in the room."),
    "set_aside": N_("Something broke its flow several times. It is kept: passerelle inbox list --state set_aside"),
    "undecryptable": N_("A line of the room is encrypted and its key did not come. Its author may write it again."),
    "world_readable": N_("Anyone can read the room without joining; the link was stopped."),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class LinkOverview:
    """One link and what stands in the store of it."""

    link: Link
    state: LinkState
    #: Rows of the inbox: not looked at yet, and set aside.
    arrivals_waiting: int = 0
    arrivals_set_aside: int = 0
    #: Rows of the outbox by state: waiting, sending, failed, unknown.
    departures: Mapping[OutboxState, int]
    #: Conversations of the room that have not settled into a mail yet.
    conversations_open: int = 0
    #: Since when the first waiting row of the outbox was tried in vain, and what was said last.
    stuck_since: datetime | None = None
    stuck_why: str = ""

    @property
    def waiting(self) -> int:
        return self.arrivals_waiting + self.departures.get("waiting", 0) + self.departures.get("sending", 0)

    @property
    def failed(self) -> int:
        return self.arrivals_set_aside + self.departures.get("failed", 0) + self.departures.get("unknown", 0)


@dataclass(frozen=True, kw_only=True, slots=True)
class SecretaryOverview:
    """What the secretary of one association has before it."""

    association: str
    #: Entries that both sides are still to be told of.
    entries_to_tell: int = 0
    #: Questions asked back that nobody has answered.
    asks_waiting: int = 0
    #: The next meeting, by its number and when it begins (aware); likewise the next reminder.
    next_meeting: tuple[int, datetime] | None = None
    next_reminder: tuple[int, datetime] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Overview:
    """Everything that `status` tells of, as read at one instant."""

    at: datetime
    daemon: Daemon
    #: Its process ID, "" where that is not known.
    pid: str = ""
    links: tuple[LinkOverview, ...]
    #: Open ones, oldest first.
    incidents: tuple[Incident, ...] = ()
    #: Rows of the bridge's own mail: not looked at yet, and set aside.
    own_waiting: int = 0
    own_set_aside: int = 0
    #: The store is a backup that was put back then.
    restored_at: datetime | None = None
    secretaries: tuple[SecretaryOverview, ...] = ()


def daemon_line(overview: Overview) -> str:
    """Whether a daemon runs."""
    if overview.daemon == "runs":
        return _("The daemon runs (process {pid}).").format(pid=overview.pid) if overview.pid else _("The daemon runs.")
    if overview.daemon == "stopped":
        return _("The daemon does not run: nothing is relayed.")
    return _("Whether a daemon runs cannot be seen from here.")


def link_state(state: LinkState, moment: Moment) -> str:
    """Whether a link runs, in a few words."""
    if state.stopped_at is not None:
        why, _colon, words = state.stopped_reason.partition(": ")
        reasons = {
            "public_room": _("anyone can join its room"),
            "world_readable": _("anyone can read its room"),
            "by_hand": words or _("by hand"),
        }
        return _("stopped {at}: {why}").format(at=moment(state.stopped_at), why=reasons.get(why, why))
    if state.confirmed_at is not None:
        return _("runs")
    return _("not confirmed") if state.asked_at is not None else _("not started")


def link_row(one: LinkOverview, moment: Moment) -> list[str]:
    """Link, state, last mail, last line of the room, what waits, what failed."""
    last_email, last_line = one.state.last_email_at, one.state.last_line_at
    waits = [str(one.waiting)] if one.waiting else []
    if one.conversations_open:
        waits.append(_("conversations still going on: {count}").format(count=one.conversations_open))
    return [
        one.link.path,
        link_state(one.state, moment),
        moment(last_email) if last_email else "–",
        moment(last_line) if last_line else "–",
        "; ".join(waits) or "–",
        str(one.failed) if one.failed else "–",
    ]


def advice(overview: Overview, moment: Moment) -> list[str]:
    """What to do, the most pressing first; empty where all is well."""
    sentences = []
    if overview.daemon == "stopped":
        sentences.append(_("Start the daemon: sudo systemctl start passerelle (or: passerelle run)."))
    for one in overview.links:
        sentences += [f"{one.link.path}: {sentence}" for sentence in _advice_of(one, moment)]
    if overview.own_set_aside:
        sentences.append(
            _("Mails to the bridge itself that could not be read: {count}. See: passerelle inbox list").format(
                count=overview.own_set_aside
            )
        )
    return sentences


def _advice_of(one: LinkOverview, moment: Moment) -> list[str]:
    sentences = _consent_advice(one, moment)
    departures = one.departures
    if one.arrivals_set_aside and one.state.stopped_at is None:
        sentences.append(
            _("set aside, but kept: {count}. See why: passerelle inbox list --state set_aside").format(
                count=one.arrivals_set_aside
            )
        )
    if departures.get("failed"):
        sentences.append(
            _("could not leave, but is kept: {count}. See why: passerelle outbox list --state failed").format(
                count=departures["failed"]
            )
        )
    if departures.get("unknown"):
        sentences.append(
            _("nobody knows whether it arrived: {count}. See: passerelle outbox list --state unknown").format(
                count=departures["unknown"]
            )
        )
    if one.stuck_since is not None:
        sentences.append(
            _("something has waited since {at}; what was said last: {why}").format(
                at=moment(one.stuck_since), why=shorten_addresses(one.stuck_why)
            )
        )
    return sentences


def _consent_advice(one: LinkOverview, moment: Moment) -> list[str]:
    state, path = one.state, one.link.path
    if state.stopped_at is not None:
        if state.stopped_reason in ("public_room", "world_readable"):
            return [
                _(
                    "strangers can read its room. Close the room, or accept that; then: passerelle confirm {link}"
                ).format(link=path)
            ]
        return [_("it is stopped; what arrives is kept. To let it go on: passerelle confirm {link}").format(link=path)]
    if state.confirmed_at is not None:
        return []
    if state.asked_at is None:
        return [_("its list and its room were not told yet. The daemon does that once it is in the room.")]
    return [
        _("both sides were told {at}. Does a coordinator agree? Then: passerelle confirm {link}").format(
            at=moment(state.asked_at), link=path
        )
    ]


def incident_lines(incidents: Sequence[Incident], moment: Moment) -> list[str]:
    """What happened that a human must know, a line each."""
    lines = []
    for incident in incidents:
        said = _(_INCIDENTS[incident.kind]) if incident.kind in _INCIDENTS else incident.kind
        where = f"{incident.association}/{incident.link}" if incident.link else incident.association
        detail = f" ({shorten_addresses(incident.detail)})" if incident.detail else ""
        lines.append(f"{moment(incident.at)}, {where}: {said}{detail}")
    return lines


def secretary_lines(overview: Overview, moment: Moment) -> list[str]:
    """What the secretary has before it, a line each; nothing where there is nothing."""
    lines = []
    for one in overview.secretaries:
        prefix = f"{one.association}: " if len(overview.secretaries) > 1 else ""
        lines += [f"{prefix}{line}" for line in _secretary_lines_of(one, moment)]
    return lines


def _secretary_lines_of(one: SecretaryOverview, moment: Moment) -> list[str]:
    lines = []
    if one.entries_to_tell:
        lines.append(_("Entries that both sides are still to be told of: {count}.").format(count=one.entries_to_tell))
    if one.asks_waiting:
        lines.append(_("Questions that wait for an answer: {count}.").format(count=one.asks_waiting))
    if one.next_meeting is not None:
        number, at = one.next_meeting
        lines.append(_("Next meeting: no. {number}, {at}.").format(number=number, at=moment(at)))
    if one.next_reminder is not None:
        number, at = one.next_reminder
        lines.append(_("Next reminder: no. {number}, {at}.").format(number=number, at=moment(at)))
    return lines


def is_well(overview: Overview) -> bool:
    """Whether nobody has to do anything."""
    return not advice(overview, lambda at: at.isoformat()) and not overview.incidents


def as_json(overview: Overview) -> dict[str, Any]:
    """The overview for a monitoring program."""
    return {
        "at": _iso(overview.at),
        "ok": is_well(overview),
        "daemon": overview.daemon,
        "restored_at": _iso(overview.restored_at),
        "bridge": {"inbox_waiting": overview.own_waiting, "inbox_set_aside": overview.own_set_aside},
        "links": [_link_json(one) for one in overview.links],
        "secretary": [_secretary_json(one) for one in overview.secretaries],
        "incidents": [
            {"association": i.association, "link": i.link, "kind": i.kind, "at": _iso(i.at), "told_at": _iso(i.told_at)}
            for i in overview.incidents
        ],
    }


def _link_json(one: LinkOverview) -> dict[str, Any]:
    state = one.state
    return {
        "link": one.link.path,
        "asked_at": _iso(state.asked_at),
        "confirmed_at": _iso(state.confirmed_at),
        "stopped_at": _iso(state.stopped_at),
        # What somebody wrote as their reason is not for a monitoring program.
        "stopped_reason": state.stopped_reason.partition(":")[0],
        "last_email_at": _iso(state.last_email_at),
        "last_line_at": _iso(state.last_line_at),
        "echoes": state.echoes,
        "inbox_waiting": one.arrivals_waiting,
        "inbox_set_aside": one.arrivals_set_aside,
        "outbox": dict(one.departures),
        "conversations_open": one.conversations_open,
        "stuck_since": _iso(one.stuck_since),
    }


def _secretary_json(one: SecretaryOverview) -> dict[str, Any]:
    return {
        "association": one.association,
        "entries_to_tell": one.entries_to_tell,
        "asks_waiting": one.asks_waiting,
        "next_meeting_at": _iso(one.next_meeting[1]) if one.next_meeting else None,
        "next_reminder_at": _iso(one.next_reminder[1]) if one.next_reminder else None,
    }


def _iso(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat(timespec="seconds") if at else None
