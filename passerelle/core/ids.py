"""Identifiers, one type each, so that mixing them fails type checking."""

from typing import NewType

#: `msg-id` of RFC 5322 §3.6.4 without the angle brackets.
MessageId = NewType("MessageId", str)
#: Matrix room ID, `!…` (room version 12 ids have no `:server` part).
RoomId = NewType("RoomId", str)
#: Matrix event ID, `$…`.
EventId = NewType("EventId", str)
#: Matrix user ID, `@localpart:server`.
UserId = NewType("UserId", str)
#: `addr-spec` of RFC 5322 §3.4.1, domain in lower case.
MailAddress = NewType("MailAddress", str)
#: Names of an association and of a link are those of the configuration file: stable and readable.
AssociationName = NewType("AssociationName", str)
LinkName = NewType("LinkName", str)
#: Row ids. Never reused (AUTOINCREMENT).
PostId = NewType("PostId", int)
ThreadId = NewType("ThreadId", int)
InboxId = NewType("InboxId", int)
OutboxId = NewType("OutboxId", int)
BatchId = NewType("BatchId", int)
BlobHash = NewType("BlobHash", str)
#: Of the register, of meetings, of reminders, of questions that wait for somebody's answer.
EntryId = NewType("EntryId", int)
MeetingId = NewType("MeetingId", int)
ReminderId = NewType("ReminderId", int)
AskId = NewType("AskId", int)
#: Of digests, of what people offer to help with, of experience worth keeping.
DigestId = NewType("DigestId", int)
OfferId = NewType("OfferId", int)
FicheId = NewType("FicheId", int)
