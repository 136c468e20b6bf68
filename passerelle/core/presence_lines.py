"""Who is excused, said once more without why: a line of the grammar that is made of names alone. Pure.

Why somebody does not come is never kept (PEOPLE 9), not even while an answer waits for its author's « oui ».
"""

from collections.abc import Collection, Sequence

from passerelle.core.folding import fold
from passerelle.core.meeting_model import Presence
from passerelle.core.register_line_heads import HOW
from passerelle.core.register_line_notes import Note, PresenceNote
from passerelle.core.said_names import is_proper_name

#: Words of the grammar that `core.register_lines` and the commands read, by language.
_HEADS: dict[str, dict[Presence, str]] = {
    "fr": {"present": "présents", "excused": "excusés", "absent": "absents", "represented": "pouvoir"},
    "en": {"present": "present", "excused": "excused", "absent": "absent", "represented": "proxy"},
}
_TO = {"fr": "à", "en": "to"}


def build_presence_line(notes: Sequence[Note], *, known: Collection[str] = (), language: str = "fr") -> str | None:
    """One line that says the same of who comes; None where there are other notes, or none. « excusés : Annie »

    « Excusée : moi, opération » is read as a name, too. So a word without a capital stands only where somebody is
    called so. "" where no name is left.

    Args:
        known: names of participants.
        language: `fr` or `en`.
    """
    presences = [note for note in notes if isinstance(note, PresenceNote)]
    if not presences or len(presences) != len(notes):
        return None
    heads, called = _HEADS[language], {fold(name) for whole in known for name in (whole, *whole.split())}
    said: dict[Presence, list[str]] = {}
    for note in presences:
        names = [name for name in note.names if is_proper_name(name) or fold(name) in called]
        if note.presence == "represented":
            giver = names[0] if names else ""
            if giver or not note.names:
                said.setdefault("represented", []).append(f"{giver} {_TO[language]} {note.represented_by}".strip())
            continue
        # How somebody who is there takes part is no reason: « par téléphone ».
        how = f" ({note.how})" if note.presence == "present" and HOW.match(note.how) else ""
        said.setdefault(note.presence, []).extend(f"{name}{how}" for name in names)
    return " ; ".join(f"{heads[presence]} : {', '.join(names)}" for presence, names in said.items() if names)
