"""Both sides side by side on the terminal, step by step; one below the other where the terminal is narrow."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, replace

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from lab.demo.sides import Email, File, RoomItem
from lab.demo.typography import unbroken
from lab.demo.watch import Watch
from passerelle.core.wording import NBSP, french_spaces

LEFT_TITLE, RIGHT_TITLE = "La liste (courriel)", "Le salon"
LEFT_NOTE, RIGHT_NOTE = "boîte de Monique", "écran de Léa ; ↳ dans un fil"
WIDEST, WITH_NOTES, NARROW = 108, 96, 72
MAIL_STYLE, ROOM_STYLE, QUOTE_STYLE, NOTE_STYLE = "bold cyan", "bold green", "dim", "italic"
_QUOTED_LINES, _FOOTER_LINES = 3, 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """A step as both sides showed it, kept for the picture."""

    number: int
    title: str
    note: str
    emails: tuple[Email, ...]
    room: tuple[RoomItem, ...]
    #: The whole room, for what a reaction is given to.
    whole_room: tuple[RoomItem, ...]


class Stage:
    """Shows the conversation while it happens."""

    def __init__(self, console: Console, watch: Watch) -> None:
        self.console = console
        self.seen: list[Seen] = []
        self._watch = watch
        self._known: set[str] = set()

    @contextlib.asynccontextmanager
    async def step(self, title: str, note: str) -> AsyncIterator[None]:
        """Show what comes to either side during the block, as it comes; where there is no terminal, at its end."""
        waiting = Spinner("dots", Text("on attend l’autre côté…", style="dim"))
        over = False

        def shown() -> RenderableType:
            step = render_step(self._now(title, note), width=self.console.width)
            return step if over else Group(step, waiting)

        self.console.print()
        with Live(get_renderable=shown, console=self.console, refresh_per_second=5):
            yield
            over = True
        if not self.console.is_terminal:
            # Elsewhere Live leaves the line open.
            self.console.line()
        final = self._now(title, note)
        self.seen.append(final)
        self._known.update(email.message_id for email in final.emails)
        self._known.update(item.event_id for item in final.room)

    def _now(self, title: str, note: str) -> Seen:
        watch = self._watch
        alone = (replace(item, name=f"{item.name} (à Léa seule)") for item in watch.direct)
        return Seen(
            number=len(self.seen) + 1,
            title=french_spaces(title),
            note=french_spaces(note),
            emails=tuple(email for email in watch.emails if email.message_id not in self._known),
            room=tuple(item for item in (*watch.room, *alone) if item.event_id not in self._known),
            whole_room=watch.room,
        )


def render_step(seen: Seen, *, width: int, with_heading: bool = True) -> RenderableType:
    """Return one step: its title, what to look at, and the two sides, by default with the heading of each."""
    title = Text.assemble((f" {seen.number} ", "bold reverse"), " ", (seen.title, "bold"))
    note = Padding(unbroken(Text(seen.note, style=NOTE_STYLE)), (0, 0, 0, 4 if width >= NARROW else 0))
    left = [render_email(email) for email in seen.emails]
    right = render_room(seen.room, seen.whole_room)
    return Group(unbroken(title), _at_most(note), render_sides(left, right, width=width, with_heading=with_heading))


def render_sides(
    left: Sequence[Text], right: Sequence[Text], *, width: int, with_heading: bool = True
) -> RenderableType:
    """Return the two sides, beside each other or, in less than 72 columns, below each other."""
    with_notes = width >= WITH_NOTES
    titles = (
        Text.assemble((LEFT_TITLE, MAIL_STYLE), f" · {LEFT_NOTE}" if with_notes else ""),
        Text.assemble((RIGHT_TITLE, ROOM_STYLE), f" · {RIGHT_NOTE}" if with_notes else ""),
    )
    sides = [_stacked(unbroken(part) for part in side) for side in (left, right)]
    if width < NARROW:
        return Group(*(Group("", _ruled(title), *side) for title, side in zip(titles, sides, strict=True)))
    table = Table(
        box=box.ROUNDED, show_header=with_heading, width=min(width, WIDEST), border_style="dim", padding=(0, 1)
    )
    for title in titles:
        table.add_column(unbroken(title), ratio=1, overflow="fold")
    table.add_row(*(Group(*side) for side in sides))
    return table


def render_email(email: Email) -> Text:
    """Return a mail as a mail program shows it; of quotes and footers the beginning."""
    shown = Text()
    shown.append(f"De{NBSP}: ", style="dim").append(f"{email.author}\n", style=MAIL_STYLE)
    shown.append(f"Objet{NBSP}: ", style="dim").append(f"{email.subject}\n\n", style="bold")
    for kind, lines in _blocks(email.text):
        limit = {"quote": _QUOTED_LINES, "footer": _FOOTER_LINES}.get(kind, len(lines))
        # To say that one line is hidden takes a line itself.
        limit = len(lines) if len(lines) <= limit + 1 else limit
        for line in lines[:limit]:
            shown.append(f"{line}\n", style="" if kind == "own" else QUOTE_STYLE)
        if lines[limit:]:
            what = " citées" if kind == "quote" else ""
            shown.append(f"… {len(lines) - limit} lignes{what} de plus\n", style="dim italic")
    for file in email.files:
        shown.append_text(render_file(file)).append("\n")
    shown.rstrip()
    return shown


def render_item(item: RoomItem, whole_room: Sequence[RoomItem]) -> Text:
    """Return one thing that the room shows; ``↳`` marks what stands in a thread."""
    if item.reaction:
        target = next((other for other in whole_room if other.event_id == item.replies_to), None)
        said = excerpt(author_and_words(target)[1] if target else "")
        return Text.assemble((item.name, ROOM_STYLE), f" {item.reaction} ", (f"à «{NBSP}{said}{NBSP}»", "dim"))
    mark = "↳ " if item.thread_root else ""
    shown = Text.assemble((mark, "dim"), (item.name, ROOM_STYLE), "\n")
    if item.taken_back:
        return shown.append("message supprimé", style="dim italic")
    if item.file is not None:
        caption = item.text if item.text != item.file.name else ""
        return shown.append(f"{caption}\n" if caption else "").append_text(render_file(item.file))
    author, words = author_and_words(item)
    if author:
        shown.append(f"{author}\n", style="bold")
    shown.append(words)
    if item.before:
        shown.append(f"\n(modifié{NBSP}; avant{NBSP}: «{NBSP}{excerpt(item.before, 22)}{NBSP}»)", style="dim italic")
    return shown


def render_room(items: Sequence[RoomItem], whole_room: Sequence[RoomItem]) -> list[Text]:
    """Return what the room shows, a reaction beneath what it is given to where that is among ``items``."""
    given = [item for item in items if item.reaction and any(one.event_id == item.replies_to for one in items)]
    shown = []
    for item in (item for item in items if item not in given):
        text = render_item(item, whole_room)
        for one in (one for one in given if one.replies_to == item.event_id):
            text.append("\n").append(f"{one.reaction} ").append(one.name, style="dim")
        shown.append(text)
    return shown


def render_file(file: File) -> Text:
    """Return a file's name and size."""
    size = f"{file.size_bytes / 1000:.1f}".replace(".", ",") + f"{NBSP}ko"
    return Text.assemble(("+ ", "bold yellow"), (file.name, "yellow"), (f" ({size})", "dim"))


def excerpt(text: str, length: int = 30) -> str:
    """Return the beginning of ``text`` on one line."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1].rstrip(" ,;:") + "…"


def author_and_words(item: RoomItem) -> tuple[str, str]:
    """Return who wrote a line, where it is a post of the list that begins with its author's name, and what it says."""
    first, _, rest = item.text.partition("\n")
    if not item.is_notice and first.rstrip().endswith(":") and rest:
        return first.rstrip(" :\u00a0\u202f"), rest
    return "", item.text


def _blocks(text: str) -> list[tuple[str, list[str]]]:
    """The runs of a mail's own lines, of quoted lines, and all from ``-- `` on; of empty lines one stays."""
    blocks: list[tuple[str, list[str]]] = []
    for line in text.strip("\n").splitlines():
        if (blocks and blocks[-1][0] == "footer") or line.rstrip() == "--":
            kind = "footer"
        else:
            kind = "quote" if line.startswith(">") else "own"
        if not blocks or blocks[-1][0] != kind:
            blocks.append((kind, []))
        lines = blocks[-1][1]
        if line.strip() or kind == "quote" or not lines or lines[-1].strip():
            lines.append(line)
    return blocks


def _ruled(title: Text) -> Text:
    return Text.assemble("── ", title, " ──")


def _at_most(renderable: RenderableType) -> RenderableType:
    """No wider than the two sides below it."""
    grid = Table.grid()
    grid.add_column(max_width=WIDEST)
    grid.add_row(renderable)
    return grid


def _stacked(parts: Iterable[Text]) -> list[RenderableType]:
    """The parts below each other, an empty line between."""
    stacked: list[RenderableType] = []
    for part in parts:
        stacked += ["", part] if stacked else [part]
    return stacked
