"""Commands to the bridge, in the room behind a `!`, by mail in the subject or the first line. Pure.

The table of them: `core.command_table`. For members: docs/fr/commandes.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from passerelle.core.catch_up_since import CATCH_UP_READERS
from passerelle.core.command_arguments import Arguments
from passerelle.core.command_consents import CONSENT_READERS
from passerelle.core.command_digests import DIGEST_READERS
from passerelle.core.command_fiches import FICHE_READERS
from passerelle.core.command_heads import (
    CommandHead,
    UnknownCommand,
    find_command,
    find_mail_command,
    nearest_command,
    says_more,
)
from passerelle.core.command_reading import READERS, Asked, read_numbers
from passerelle.core.command_row import CommandName, CommandRow
from passerelle.core.command_table import COMMANDS
from passerelle.core.command_times import TIMED_READERS
from passerelle.core.secretary_settings import KindSettings
from passerelle.errors import CommandProblem

__all__ = [
    "COMMANDS", "Command", "CommandHead", "CommandName", "CommandRow", "UnknownCommand", "find_command",
    "find_mail_command", "nearest_command", "parse_command", "parse_mail_command", "read_arguments",
]  # fmt: skip

_READERS = {**READERS, **DIGEST_READERS, **FICHE_READERS, **CATCH_UP_READERS, **CONSENT_READERS, **TIMED_READERS}


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """A command that was understood."""

    name: CommandName
    arguments: Arguments
    #: As the table writes it, in the language of whoever said it.
    word: str
    #: What stands behind the word, as it was said.
    rest: str
    has_mark: bool


def parse_command(
    body: str,
    *,
    now: datetime,
    zone: ZoneInfo,
    kinds: Sequence[KindSettings] = (),
    names_known: Sequence[str] = (),
) -> Command | UnknownCommand | None:
    """The command that a line of the room is; None where it is a line like any other (« !!! », « !super »).

    Args:
        body: the line's own text, without what it answers.
        now: when it was said (aware).
        zone: whose calendar and clock dates are read by.
        kinds: the association's own: « !demande … » notes one.
        names_known: as of `core.register_lines.parse_notes`.

    Raises:
        CommandProblem: it is one, and what stands behind its word is not right.
    """
    head = find_command(body, kinds=kinds)
    if not isinstance(head, CommandHead):
        return head
    return read_arguments(head, now=now, zone=zone, kinds=kinds, names_known=names_known)


def parse_mail_command(
    subject: str,
    text: str = "",
    *,
    now: datetime,
    zone: ZoneInfo,
    kinds: Sequence[KindSettings] = (),
    names_known: Sequence[str] = (),
) -> Command | UnknownCommand | None:
    """The command that a mail to the bridge's own address is, with `!` or without; None where it is a mail like any.

    Args:
        subject: as it came: `Re:` and `TR:` make it none.
        text: own words; the first line that is not a greeting may be the command, or what the subject lacks.

    Raises:
        CommandProblem: as `parse_command`; not where a letter stands beside what looks like a command without `!`.
    """
    head = find_mail_command(subject, text, kinds=kinds)
    if not isinstance(head, CommandHead):
        return head
    try:
        return read_arguments(head, now=now, zone=zone, kinds=kinds, names_known=names_known)
    except CommandProblem:
        if head.has_mark or not says_more(text, head):
            raise
        # « Objet : Réunion de jeudi », and a letter below it.
        return None


def read_arguments(
    head: CommandHead,
    *,
    now: datetime,
    zone: ZoneInfo,
    kinds: Sequence[KindSettings] = (),
    names_known: Sequence[str] = (),
) -> Command:
    """A command with what stands behind its word, read. Raises CommandProblem."""
    asked = Asked(head=head, now=now, zone=zone, kinds=kinds, names_known=names_known)
    reader = _READERS.get(head.name, read_numbers)
    return Command(name=head.name, arguments=reader(asked), word=head.word, rest=head.rest, has_mark=head.has_mark)
