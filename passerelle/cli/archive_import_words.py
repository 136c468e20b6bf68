"""What `passerelle archive import` says: who will read it, what came of it, what was refused and why."""

from collections.abc import Sequence

from rich.text import Text

from passerelle.cli.console import err, out
from passerelle.core.links import Link
from passerelle.core.model import Side
from passerelle.i18n import N_, _
from passerelle.store.imports import ImportRun, RefusalGroup

#: Who will read an imported past, by side and by `archive.past` (PEOPLE 8).
_READERS: dict[tuple[Side, str], str] = {
    ("list", "own_side"): N_("Only members of the list can read it, until a coordinator opens it to all participants."),
    ("room", "own_side"): N_("Only members of the room can read it, until a coordinator opens it to all participants."),
    ("list", "participants"): N_(
        "Members of the list can read it; members of the room too, {days} days after a notice to both sides."
    ),
    ("room", "participants"): N_(
        "Members of the room can read it; members of the list too, {days} days after a notice to both sides."
    ),
    ("list", "public"): N_("Members of the list can read it; everyone will, {days} days after a notice to both sides."),
    ("room", "public"): N_("Members of the room can read it; everyone will, {days} days after a notice to both sides."),
}


def say_beginning(link: Link, side: Side, *, what: str, run: ImportRun) -> None:
    """Before it begins: what comes in, and who will be able to read it."""
    archive = link.settings.archive
    _say(_("Into {link}: {source} ({format}).").format(link=link.path, source=run.source, format=what))
    _say(_(_READERS[side, archive.past]).format(days=archive.opening_delay_days))
    if run.read:
        _say(_("It goes on where it was interrupted, after {read}.").format(read=run.read))


def say_counts(run: ImportRun) -> None:
    """What came of a run so far."""
    sentence = _("Read: {read}. Imported: {imported}. Known already: {known}. Refused: {refused}.")
    _say(sentence.format(read=run.read, imported=run.imported, known=run.known, refused=run.refused))


def say_refusals(groups: Sequence[RefusalGroup]) -> None:
    """What was refused, by reason, with the first places."""
    for group in groups:
        _say(f"  {group.count} × {_(group.reason)}")
        for place in group.examples:
            _say(f"      {place}")
        if 0 < len(group.examples) < group.count:
            _say("      …")


def say_dry_run(count: int, what: str, groups: Sequence[RefusalGroup]) -> None:
    """What an import would read."""
    _say(_("It can be read: {count} ({format}). Nothing was stored.").format(count=count, format=what))
    say_refusals(groups)


def say_interrupted() -> None:
    err().print(Text(_("Interrupted. What was read is kept: the same command goes on from there.")))


def _say(sentence: str) -> None:
    out().print(Text(sentence))
