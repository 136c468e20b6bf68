"""A mail of a list that is nothing but a command for its author alone: it was meant for the bridge. Pure."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from passerelle.core.command_heads import CommandHead, find_mail_command
from passerelle.core.commands import Command, read_arguments
from passerelle.core.polite_words import is_polite, signature_of, without_greeting
from passerelle.core.secretary_settings import KindSettings
from passerelle.errors import CommandProblem

#: What nobody says to others: what one missed, how often one's own digest comes, whether one's first name is shown.
_FOR_ONESELF = frozenset({"catch_up", "digest", "first_name"})
_LONGEST = 400


def parse_astray(text: str, *, now: datetime, zone: ZoneInfo, kinds: Sequence[KindSettings] = ()) -> Command | None:
    """The command that a mail to everyone is by mistake; None where it says anything else, or is not quite clear.

    Args:
        text: own words, or the subject of a mail that has none; greetings, thanks and a signature may stand around.
    """
    lines = [line.strip() for line in text[: _LONGEST + 1].splitlines()]
    said = [line for line in lines if without_greeting(line).strip() and not is_polite(line)]
    if len(text) > _LONGEST or not said or any(not signature_of(line) for line in said[1:]):
        return None
    try:
        head = find_mail_command("", said[0], kinds=kinds)
        if not isinstance(head, CommandHead) or head.name not in _FOR_ONESELF or not head.rest:
            return None
        return read_arguments(head, now=now, zone=zone, kinds=kinds)
    except CommandProblem:
        return None
