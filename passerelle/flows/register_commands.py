"""Commands about the register: see what stands in it, note something, adopt, object, finish, give back."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.command_arguments import (
    ListArguments,
    NoteArguments,
    NumbersArguments,
    ObjectArguments,
    ReplaceArguments,
    ReviewArguments,
)
from passerelle.core.command_row import CommandName
from passerelle.core.command_table import row_of
from passerelle.core.ids import EntryId
from passerelle.core.register_line_notes import EntryNote, OfferNote, ReturnNote
from passerelle.core.register_model import Entry
from passerelle.core.register_moves import OPEN_STATES, MoveName
from passerelle.flows.context import FlowContext
from passerelle.flows.entries_shown import shown_entries, unclear_date
from passerelle.flows.meeting_capture import current_meeting_id
from passerelle.flows.outcome import Outcome, sentence
from passerelle.flows.register_acts import (
    Wish,
    change_entry,
    may,
    replace_decision,
    review_decision,
)
from passerelle.flows.register_notes import note_command
from passerelle.flows.said import Said
from passerelle.store.register import find_entry
from passerelle.store.register_lists import EntryFilter, Order, count_entries, find_shown_entry, list_entries

#: Entries that one answer lists; all of them are on the web.
SHOWN = 10
#: What each list holds, by its command: kinds and states. Decisions are shown whatever became of them.
_LISTS: dict[CommandName, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "decisions": (("decision",), ("proposed", "objected", "adopted")),
    "actions": (("action",), ("open",)),
    "loans": (("loan",), ("out",)),
    "bookings": (("booking",), ("booked",)),
}
_MOVES: dict[CommandName, MoveName] = {
    "adopt": "adopt", "drop": "drop", "done": "finish", "returned": "give_back", "withdraw": "withdraw",
}  # fmt: skip


# ------------------------------------------------------------ lists


async def list_command(
    ctx: FlowContext, conn: AsyncConnection, said: Said, name: CommandName, wanted: ListArguments
) -> Outcome:
    """`!décisions`, `!actions`, `!prêts`, `!réservations`: what stands there, the newest or the next first."""
    if (refused := await may(ctx, said, "search")) is not None:
        return refused
    link = said.link
    if wanted.numbers:
        found = await _numbered(conn, said, wanted.numbers)
        # What its author has not called a decision is nobody's business yet.
        entries = [one for one in found if one is not None and one.state != "asked"]
        return await _listed(ctx, conn, said, name, entries, total=len(entries))
    kinds, states = _LISTS[name]
    today = ctx.now().astimezone(link.zone).date()
    chosen = EntryFilter(
        links=[link.name],
        kinds=kinds,
        states=states,
        label=wanted.tag,
        words=wanted.text,
        due_from=today if name == "bookings" else None,
    )
    order: Order = "newest" if name == "decisions" else "due"
    entries = await list_entries(conn, link.association_name, chosen, order=order, limit=SHOWN)
    total = await count_entries(conn, link.association_name, chosen)
    return await _listed(ctx, conn, said, name, entries, total=total)


async def _listed(
    ctx: FlowContext, conn: AsyncConnection, said: Said, name: CommandName, entries: Sequence[Entry], *, total: int
) -> Outcome:
    words, web = ctx.renderer(said.link.association).words, ctx.settings.web
    variables = {
        "title": words(f"list_title_{name}"),
        "empty": words(f"list_empty_{name}"),
        "entries": await shown_entries(ctx, conn, said.link, entries),
        "more": max(0, total - len(entries)),
        "url": f"{web.url.rstrip('/')}/{said.link.association_name}/register" if web is not None else "",
    }
    return Outcome(reason=name, template="entries_list", variables=variables)


# ------------------------------------------------------------ notes


async def noting_command(ctx: FlowContext, conn: AsyncConnection, said: Said, wanted: NoteArguments) -> Outcome:
    """`!décision …`, `!action …`, `noter …`: what is not a post stands in the register by itself."""
    if (refused := await may(ctx, said, "note")) is not None:
        return refused
    words = ctx.renderer(said.link.association).words
    notes = [n for n in wanted.notes if isinstance(n, EntryNote | ReturnNote | OfferNote)]
    meeting_id = await current_meeting_id(ctx, conn, said.link, said.said_at) if said.medium == "room" else None
    noted = await note_command(ctx, conn, said, notes, meeting_id=meeting_id)
    told = [one for one in noted.outcomes if one.template]
    if told:
        return told[0]
    if not noted.entries:
        return sentence("nothing_noted", words("nothing_noted"), is_private=True)
    first = noted.entries[0]
    signs = [one.reaction for one in noted.outcomes if one.reaction]
    return sentence("noted", words("mark_noted", number=first.number, text=first.text), reaction=signs[0])


# ------------------------------------------------------------ moves


async def move_command(
    ctx: FlowContext, conn: AsyncConnection, said: Said, name: CommandName, wanted: NumbersArguments
) -> Outcome:
    """`!adopter 7`, `!fait 12 et 14`, `!rendu 3`, `!abandonner 7`, `!retirer objection 7`."""
    found = await entries_meant(ctx, conn, said, name, wanted.numbers)
    if isinstance(found, Outcome):
        return found
    outcome = None
    for entry in found:
        # « fait » of a loan means that it was given back.
        move = "give_back" if entry.kind == "loan" and _MOVES[name] == "finish" else _MOVES[name]
        outcome = await change_entry(ctx, conn, said, entry, Wish(name=move, detail=wanted.text))
    assert outcome is not None
    return outcome


async def object_command(ctx: FlowContext, conn: AsyncConnection, said: Said, wanted: ObjectArguments) -> Outcome:
    """`!objection 7 : c'est trop cher`."""
    numbers = (wanted.number,) if wanted.number is not None else ()
    found = await entries_meant(ctx, conn, said, "object", numbers)
    if isinstance(found, Outcome):
        return found
    wish = Wish(name="object", detail=wanted.reason, said_for=wanted.said_for)
    return await change_entry(ctx, conn, said, found[0], wish)


async def replace_command(ctx: FlowContext, conn: AsyncConnection, said: Said, wanted: ReplaceArguments) -> Outcome:
    """`!remplacer 7 par 9`, or by new words, which are proposed as a decision of their own."""
    found = await entries_meant(ctx, conn, said, "replace", (wanted.number,) if wanted.number is not None else ())
    if isinstance(found, Outcome):
        return found
    if wanted.by is not None:
        (by,) = await _numbered(conn, said, (wanted.by,))
        if by is None:
            return _unknown(ctx, said, "decisions", wanted.by)
        return await replace_decision(ctx, conn, said, found[0], by)
    if (refused := await may(ctx, said, "adopt")) is not None:
        return refused
    noted = await note_command(ctx, conn, said, [EntryNote(kind="decision", text=wanted.text)])
    return await replace_decision(ctx, conn, said, found[0], noted.entries[0])


async def review_command(ctx: FlowContext, conn: AsyncConnection, said: Said, wanted: ReviewArguments) -> Outcome:
    """`!revoir 7 le 3 mars`."""
    found = await entries_meant(ctx, conn, said, "review", (wanted.number,) if wanted.number is not None else ())
    if isinstance(found, Outcome):
        return found
    if wanted.when.when is None:
        told = unclear_date(
            wanted.when_text, wanted.when.candidates, said.link, ctx.renderer(said.link.association).words
        )
        return sentence("date_unclear", told, is_private=True)
    return await review_decision(ctx, conn, said, found[0], wanted.when.when.day)


async def entries_meant(
    ctx: FlowContext, conn: AsyncConnection, said: Said, name: CommandName, numbers: Sequence[int]
) -> list[Entry] | Outcome:
    """The entries that a command is about: by number, else the one that is answered; or what is told instead."""
    if numbers:
        found = await _numbered(conn, said, numbers)
        for number, entry in zip(numbers, found, strict=True):
            if entry is None:
                return _unknown(ctx, said, name, number)
        return [entry for entry in found if entry is not None]
    about = said.about
    entries = await entries_answered(conn, said) if about is not None and about.kind == "entries" else []
    open_ones = [one for one in entries if _fits(one, name)]
    if len(open_ones) == 1:
        return open_ones
    words = ctx.renderer(said.link.association).words
    row = row_of(name)
    example = row.example_french if words.language == "fr" else row.example_english
    return sentence("which_number", words("register_which_number", example=_said_as(said, example)), is_private=True)


async def entries_answered(conn: AsyncConnection, said: Said) -> list[Entry]:
    """The entries that the notice or the post is about which somebody answers; of the same link alone."""
    found = [await find_entry(conn, EntryId(id)) for id in said.about.ids] if said.about is not None else []
    here = [one.number for one in found if one is not None and one.association == said.link.association_name]
    return [one for one in await _numbered(conn, said, here) if one is not None]


def _fits(entry: Entry, name: CommandName) -> bool:
    decides = name in ("adopt", "replace", "review", "object", "withdraw")
    if decides != (entry.kind == "decision") and name != "drop":
        return False
    return entry.state in OPEN_STATES or (entry.state == "adopted" and name in ("replace", "review", "drop"))


async def _numbered(conn: AsyncConnection, said: Said, numbers: Sequence[int]) -> list[Entry | None]:
    """Entries by their numbers, those of this link alone: of others' nobody is told anything, nor of words that were
    taken out."""
    link = said.link
    return [await find_shown_entry(conn, link.association_name, number, [link.name]) for number in numbers]


def _unknown(ctx: FlowContext, said: Said, name: CommandName, number: int) -> Outcome:
    words = ctx.renderer(said.link.association).words
    listing: CommandName = "decisions" if name in ("adopt", "replace", "review", "object", "withdraw") else "actions"
    word = row_of(listing).french[0] if words.language == "fr" else row_of(listing).english[0]
    told = words("register_unknown_number", number=number, command=_said_as(said, word))
    return sentence("unknown_number", told, is_private=True)


def _said_as(said: Said, words: str) -> str:
    """A command as it is typed where it was said: with its sign in the room."""
    return f"!{words}" if said.medium == "room" else words
