"""Inbox and outbox rows as an administrator reads them: what it is, what was tried, what will happen, what to do. Pure.

Never a body, never a subject, never a whole address.
"""

from collections.abc import Callable
from datetime import datetime

from passerelle.core.links import BRIDGE_LANE
from passerelle.core.model import InboxRow, OutboxRow
from passerelle.i18n import N_, _
from passerelle.logs import shorten_addresses

#: How an instant is said to who asks.
Moment = Callable[[datetime], str]

#: Why something that arrived was not relayed, or waits.
_REASONS = {
    "already_leaving": N_("It was on its way to the list already."),
    "author_asked": N_("Its author was asked whether it may go to the list."),
    "before_consent": N_("It came before the link was confirmed; nothing of it is kept."),
    "beside_the_list": N_("A copy that came beside the list's own."),
    "bounce": N_("A mail of ours came back; the coordinators were told."),
    "bounce_delayed": N_("A server says that a mail of ours is late."),
    "bounce_of_nothing": N_("It says that a mail came back which we did not send."),
    "direct": N_("Somebody said it to the bridge alone; nothing of it is kept."),
    "direct_not_understood": N_(
        "Somebody said it to the bridge alone, and it was no command and no answer; nothing of it is kept."
    ),
    "redacted": N_("It was taken back."),
    "duplicate": N_("The same was relayed before."),
    "edit_of_nothing": N_("It corrects something that was not relayed."),
    "edit_of_redacted": N_("It corrects something that was taken back."),
    "erased": N_("Its author was erased before it had its turn; nothing of it is kept."),
    "foreign_list": N_("It is of a list that the bridge does not know."),
    "kept_in_room": N_("Its author wants it to stay in the room."),
    "link": N_("It asked for the address of a message; it was answered, and nothing of it is kept."),
    "link_too_late": N_("It asked for an address too late to be answered; nothing of it is kept."),
    "link_too_often": N_("It asked for an address once too often within the hour; nothing of it is kept."),
    "link_stopped": N_("The link is stopped; it is kept until a coordinator lets the link go on."),
    "marked": N_("A sign that notes a message in the register."),
    "moderation": N_("The list holds a mail of ours for a moderator; the coordinators were told."),
    "moderation_of_nothing": N_("It is about a mail that we did not send."),
    "no_line": N_("Nothing that a mail could say."),
    "nobody_to_answer": N_("It came to the bridge itself, from nobody who could be answered."),
    "not_archived": N_("It corrects something that its author keeps out of the archive; what left stays as it is."),
    "notice": N_("A robot said it."),
    "obeyed": N_("A command or an answer to the bridge; it was obeyed, and nothing of it is kept."),
    "on_request": N_("It stays in the room until its author asks for it to be sent."),
    "own": N_("Our own mail, given back by the list: the proof that it arrived."),
    "private_answer": N_("A private answer; whom it answers was told that it came."),
    "reaction_in_room": N_("A reaction to a line of the room."),
    "reaction_to_nothing": N_("A reaction to something that was not relayed."),
    "redaction_of_nothing": N_("It takes back something that was not relayed."),
    "search": N_("A search of the archive; it was answered, and nothing of it is kept."),
    "search_too_late": N_("A search of the archive that came too late to be answered; nothing of it is kept."),
    "search_too_often": N_("One search of the archive too many within the hour; nothing of it is kept."),
    "search_wrong": N_("A search of the archive that was not understood; its author was told the nearest right one."),
    "small_edit": N_("A correction too small for a mail."),
    "spam": N_("The mail server marked it as spam."),
    "thread_stopped": N_("Its conversation was stopped because it ran too fast."),
    "to_the_bridge": N_("It was written to the bridge itself; its author was told how to reach the list."),
    "too_large": N_("It is too large; its author was told."),
    "undecryptable": N_("It is encrypted and its key did not come; the coordinators were told."),
}

_INBOX_STATES = {"waiting": N_("waits"), "set_aside": N_("set aside"), "done": N_("done")}
_OUTBOX_STATES = {
    "waiting": N_("waits"),
    "sending": N_("is being sent"),
    "sent": N_("sent"),
    "failed": N_("failed"),
    "unknown": N_("unknown"),
    "cancelled": N_("cancelled"),
}


def why_not_relayed(reason: str) -> str:
    """A reason of the inbox as a sentence; one that we have no sentence for as it is, addresses shortened."""
    if reason.startswith("automatic_"):
        kind = reason.removeprefix("automatic_")
        return _("A machine wrote it ({kind}).").format(kind=kind)
    if reason in _REASONS:
        return _(_REASONS[reason])
    return shorten_addresses(reason)


def inbox_state(row: InboxRow) -> str:
    return _(_INBOX_STATES[row.state])


def outbox_state(row: OutboxRow) -> str:
    return _(_OUTBOX_STATES[row.state])


def where_from(row: InboxRow) -> str:
    """The link that it came for, or the bridge itself."""
    return _("the bridge itself") if row.lane == BRIDGE_LANE else row.lane.removeprefix("in:")


def inbox_what(row: InboxRow) -> str:
    """What arrived, in two words."""
    if row.kind == "event":
        return _("line of the room")
    return _("mail to the bridge") if row.lane == BRIDGE_LANE else _("mail of the list")


def outbox_what(row: OutboxRow) -> str:
    """What leaves, in a few words."""
    if row.kind == "email":
        return _("mail to the list") if row.lane.startswith("out:list:") else _("mail to one person")
    words = {
        "event": _("post in the room") if row.post_id is not None and not row.part else _("file or notice in the room"),
        "reaction": _("reaction in the room"),
        "redaction": _("taking back in the room"),
        "direct": _("private message to one person"),
    }
    return words[row.kind]


def outbox_target(row: OutboxRow) -> str:
    """The link, and who gets it where it is one person, shortened."""
    link = f"{row.association}/{row.link}" if row.link else row.association
    return f"{link}, {shorten_addresses(row.recipient)}" if row.recipient and row.kind != "event" else link


def error_of(row: OutboxRow) -> str:
    """What went wrong last, shortened; "" where nothing did."""
    return shorten_addresses(row.last_error)


def explain_arrival(row: InboxRow, moment: Moment) -> list[str]:
    """The whole story of what arrived: a sentence each."""
    story = [
        _("{what}, for {where}, arrived {at}, {size} bytes.").format(
            what=_capital(inbox_what(row)), where=where_from(row), at=moment(row.received_at), size=row.size_bytes
        ),
        _("Times that it was looked at: {count}.").format(count=row.attempts),
    ]
    if row.reason:
        story.append(why_not_relayed(row.reason))
    if row.state == "waiting":
        story.append(_("It waits for its turn; next look: {at}.").format(at=moment(row.due_at)))
        story.append(_("The daemon does that by itself; there is nothing to do."))
    elif row.state == "done":
        story.append(_("It is done; nothing more happens."))
    elif row.reason == "link_stopped":
        story.append(_("When the link goes on, it is relayed: passerelle confirm {link}").format(link=where_from(row)))
    else:
        story.append(_("It is kept; nothing more happens by itself."))
        story.append(_("To have it looked at again: passerelle inbox retry {id}").format(id=row.id))
    if row.raw_hash is None:
        story.append(_("Of its content nothing is kept."))
    return story


def explain_delivery(row: OutboxRow, moment: Moment) -> list[str]:
    """The whole story of what leaves: a sentence each."""
    story = [
        _("{what}, for {where}, made {at}.").format(
            what=_capital(outbox_what(row)), where=outbox_target(row), at=moment(row.created_at)
        )
    ]
    if row.first_tried_at is None:
        story.append(_("It was not tried yet."))
    else:
        story.append(
            _("Times that it was tried: {count}; first: {at}.").format(
                count=row.attempts, at=moment(row.first_tried_at)
            )
        )
    if row.last_error:
        story.append(_("What was said last: {error}").format(error=error_of(row)))
    return [*story, *_outlook(row, moment)]


def _outlook(row: OutboxRow, moment: Moment) -> list[str]:
    """What will happen, and what the administrator can do."""
    match row.state:
        case "waiting":
            return [
                _("It is tried again {at}, and given up {end}.").format(
                    at=moment(row.due_at), end=moment(row.give_up_at)
                ),
                _("To have it tried now: passerelle outbox retry {id}").format(id=row.id),
            ]
        case "sending":
            return [_("It is being sent at this moment; if the daemon ended meanwhile, its next start settles it.")]
        case "sent":
            told = [_("It was sent {at}.").format(at=moment(row.sent_at))] if row.sent_at else [_("It was sent.")]
            if row.echoed_at is not None:
                told.append(_("It came back {at}: so it arrived.").format(at=moment(row.echoed_at)))
            return told
        case "failed":
            return [
                _("It is kept; nothing more happens by itself."),
                _("Mend what was said, then: passerelle outbox retry {id}").format(id=row.id),
            ]
        case "unknown":
            return [
                _("The connection broke while it was being sent: it may have arrived or not."),
                _("Look whether the list has it. If not: passerelle outbox retry {id} --even-if-unknown").format(
                    id=row.id
                ),
            ]
    return [_("It was cancelled and does not leave.")]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
