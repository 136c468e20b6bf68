"""« Gare centrale »: the one page of an association, and the sheet for its notice board."""

from dataclasses import dataclass

from aiohttp import web

from passerelle.core.first_names import first_name
from passerelle.core.one_page import OnePage, PageLine
from passerelle.core.one_page_sheet import KnownNames, known_names
from passerelle.core.wording import Words
from passerelle.flows.one_page import gather_page
from passerelle.flows.paper import page_on_paper
from passerelle.web.app_keys import CONTEXT
from passerelle.web.entry_present import name_of
from passerelle.web.lists import association_name, configured
from passerelle.web.members import any_link, member
from passerelle.web.pages import page, paths_of, words_of
from passerelle.web.views_meetings import paper


@dataclass(frozen=True, kw_only=True, slots=True)
class NameView:
    """A name; on paper, only what its bearer agreed to."""

    printed: str
    rest: str


@dataclass(frozen=True, kw_only=True, slots=True)
class LineView:
    text: str
    when: str
    place: str
    note: str
    people: tuple[NameView, ...]
    #: "" where it leads nowhere.
    path: str
    #: Its words name nobody who did not agree.
    is_printed: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class SectionView:
    key: str
    title: str
    lines: tuple[LineView, ...]
    #: « et 3 autres »; "" where there are none.
    more: str
    #: The same on paper.
    more_printed: str
    #: Where the rest stands; "" nowhere else.
    path: str


async def now(request: web.Request) -> web.StreamResponse:
    """What is to come, who does what, who can help, how to take part."""
    words, ctx = words_of(request), request.app[CONTEXT]
    async with ctx.store.read() as conn:
        me = await member(request, conn)
        found = await gather_page(ctx, conn, association_name(request), me.links)
    boxes = {link.mailbox.address for name in me.links if (link := configured(request, name)) is not None}
    return page(
        request,
        "now",
        here="now",
        day=found.day,
        sections=_sections(request, found, words),
        ways=found.ways,
        bridges=sorted(boxes),
    )


async def now_pdf(request: web.Request) -> web.StreamResponse:
    """The sheet for the notice board: one page of A4, first names by consent."""
    ctx, words = request.app[CONTEXT], words_of(request)
    async with ctx.store.read() as conn:
        me = await member(request, conn)
        found = await gather_page(ctx, conn, association_name(request), me.links)
    data = await page_on_paper(ctx, any_link(request), found)
    return paper(data, f"{words('now_file')}-{request.match_info['association']}.pdf", "application/pdf")


def _sections(request: web.Request, found: OnePage, words: Words) -> list[SectionView]:
    paths, names = paths_of(request), known_names(found)
    beyond = {
        "dates": paths.calendar(), "decisions": paths.register(kind="decision"),
        "actions": paths.register(kind="action"), "loans": paths.register(kind="loan"),
        "places": paths.register(kind="info"),
    }  # fmt: skip
    sections = []
    for section in found.sections:
        if not section.lines:
            continue
        lines = tuple(_line(line, found, names, paths.root, words) for line in section.lines)
        unprinted = section.more + sum(1 for line in lines if not line.is_printed)
        sections.append(
            SectionView(
                key=section.key,
                title=words(f"now_{section.key}"),
                lines=lines,
                more=words.count("now_more", section.more) if section.more else "",
                more_printed=words.count("now_more", unprinted) if unprinted else "",
                path=beyond.get(section.key, ""),
            )
        )
    return sections


def _line(line: PageLine, found: OnePage, names: KnownNames, root: str, words: Words) -> LineView:
    people = []
    for one in line.people:
        shown = name_of(one.name, words)
        agreed = first_name(one.name) if one.person_id in found.consenting else ""
        is_first = bool(agreed) and shown.startswith(agreed)
        people.append(NameView(printed=agreed if is_first else "", rest=shown[len(agreed) :] if is_first else shown))
    return LineView(
        text=line.text,
        when=line.when,
        place=line.place,
        note=line.note,
        people=tuple(people),
        path=root + line.path if line.path else "",
        is_printed=not any(map(names.stand_in, (line.text, line.place))),
    )
