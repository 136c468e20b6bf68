"""Minutes as an OpenDocument text, to be worked on further: real headings, lists, tables, page numbers, a language."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO

from odfdo import (
    Cell,
    Column,
    Element,
    Header,
    HeaderRows,
    List,
    Paragraph,
    Row,
    Span,
    Table,
)

from passerelle.core.minutes_model import Minutes
from passerelle.core.minutes_paper import for_paper
from passerelle.core.minutes_sheet import MinutesSheet, SheetLine
from passerelle.core.minutes_words import build_sheet
from passerelle.core.wording import Words
from passerelle.documents.odt_document import empty_document, head_and_foot, link, linked
from passerelle.documents.printable import printable
from passerelle.documents.titles import minutes_titles


def build_odt(
    minutes: Minutes, words: Words, *, site: str = "", is_signed: bool = False, made_at: datetime | None = None
) -> bytes:
    """The minutes as an OpenDocument text (.odt).

    Args:
        words: of the association; times are told in the meeting's own zone.
        site: the archive's root, before each path; "" where there is no web.
        is_signed: with a block to sign; an assembly's minutes always have one.
        made_at: when it says it was made (aware); when the meeting ended where that is not given.
    """
    sheet = build_sheet(for_paper(minutes), words=words, site=site, is_signed=is_signed)
    document = empty_document(
        language=sheet.language,
        title=sheet.subject,
        creator=sheet.association,
        made_at=made_at or minutes.ends_at or minutes.starts_at,
    )
    _Sheet(sheet=sheet, titles=minutes_titles(words), body=document.body).write()
    head_and_foot(document, head=sheet.association, foot=sheet.status, page=words("minutes_page"))
    file = BytesIO()
    document.save(file)
    return file.getvalue()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Sheet:
    """Writes a sheet into a document's body, part by part."""

    sheet: MinutesSheet
    titles: dict[str, str]
    body: Element

    def write(self) -> None:
        sheet, titles = self.sheet, self.titles
        self.heading(1, f"{sheet.kind}{titles['colon']} {sheet.title}")
        if not sheet.was_held:
            self.labelled(titles["not_held"], "")
        for fact in sheet.facts:
            self.labelled(fact.label, fact.text, url=fact.url)
        if sheet.was_held or sheet.decisions:
            self.heading(2, titles["decisions"])
            if not sheet.decisions:
                self.note(titles["no_decision"])
            self.entries((*sheet.decisions, *sheet.votes))
        self.actions()
        self.presence()
        for section in sheet.sections:
            self.heading(2, section.title)
            self.entries(section.lines)
        self.agenda()
        self.topics()
        if sheet.open_before:
            self.heading(2, titles["open_before"])
            self.entries(sheet.open_before)
        if sheet.corrections:
            self.heading(2, titles["corrections" if sheet.is_draft else "corrections_left"])
            self.bullets(Paragraph(printable(one), style="Text_20_body") for one in sheet.corrections)
        if sheet.next_meeting:
            self.heading(2, titles["next"])
            self.body.append(Paragraph(printable(sheet.next_meeting), style="Text_20_body"))
        if sheet.url:
            self.body.append(linked(Paragraph(titles["permanent"] + " ", style="Text_20_body"), sheet.url, sheet.url))
        self.signatures()

    def heading(self, level: int, text: str) -> None:
        header = Header(level, printable(text))
        header.set_attribute("text:style-name", f"Heading_20_{level}")
        self.body.append(header)

    def labelled(
        self, label: str, text: str, *, url: str = "", label_url: str = "", style: str = "Text_20_body"
    ) -> None:
        """« **Décision 12 :** louer la salle »."""
        paragraph = Paragraph(style=style)
        strong = Span(style="Strong")
        named = label + (self.titles["colon"] if text else "")
        if label_url:
            strong.append(link(label_url, named))
        else:
            strong.append(printable(named))
        paragraph.append(strong)
        if text:
            paragraph.append(" ")
            linked(paragraph, url, text)
        self.body.append(paragraph)

    def note(self, text: str) -> None:
        self.body.append(Paragraph(printable(text), style="Minutes_20_note"))

    def entries(self, lines: Iterable[SheetLine]) -> None:
        for line in lines:
            self.labelled(line.label, line.text, label_url=line.url, style="Minutes_20_entry")
            told = ", ".join(part for part in (line.who, line.due) if part)
            for note in (told[:1].upper() + told[1:], line.state, *line.notes):
                if note:
                    self.note(note)

    def actions(self) -> None:
        if not self.sheet.actions:
            return
        titles = self.titles
        self.heading(2, titles["actions"])
        rows = [
            (str(line.number), [line.text, *([line.state] if line.state else []), *line.notes], [line.who], [line.due])
            for line in self.sheet.actions
        ]
        head = (titles["number"], titles["what"], titles["by"], titles["when"])
        self.table("Actions", (15, 70, 35, 50), head, [([number], *rest) for number, *rest in rows])

    def presence(self) -> None:
        sheet = self.sheet
        if not sheet.presence and not sheet.presence_notes:
            return
        self.heading(2, self.titles["who"])
        if sheet.presence:
            rows = [([group.label], [", ".join(group.people)]) for group in sheet.presence]
            self.table("Presence", (45, 125), (self.titles["presence"], self.titles["names"]), rows)
        for note in sheet.presence_notes:
            self.body.append(Paragraph(printable(note), style="Text_20_body"))

    def table(
        self, name: str, widths: Sequence[int], head: Sequence[str], rows: Iterable[Sequence[Sequence[str]]]
    ) -> None:
        """A table with a head that is repeated on each page; a cell is its paragraphs."""
        table = Table(name, style="MinutesTable")
        for width in widths:
            table.append(Column(style=f"MinutesColumn{width}"))
        first = HeaderRows()
        first.append(_row([[one] for one in head], "Minutes_20_head"))
        table.append(first)
        for row in rows:
            table.append(_row(row, "Minutes_20_cell"))
        self.body.append(table)

    def agenda(self) -> None:
        if not self.sheet.agenda:
            return
        self.heading(2, self.titles["agenda"])
        items = [
            Paragraph(printable(item.text + (f" ({item.state})" if item.state else "")), style="Text_20_body")
            for item in self.sheet.agenda
        ]
        self.body.append(List(items, style="Minutes_20_numbers"))

    def topics(self) -> None:
        if not self.sheet.topics:
            return
        self.heading(2, self.titles["topics"])
        for topic in self.sheet.topics:
            self.heading(3, topic.title)
            items = []
            for said in topic.excerpts:
                paragraph = linked(Paragraph(style="Text_20_body"), said.url, said.clock)
                paragraph.append(printable(f", {said.author}{self.titles['colon']} {said.text}"))
                items.append(paragraph)
            if topic.more:
                items.append(linked(Paragraph(style="Text_20_body"), topic.url, topic.more))
            self.bullets(items)

    def bullets(self, paragraphs: Iterable[Paragraph]) -> None:
        self.body.append(List(paragraphs, style="Minutes_20_bullets"))

    def signatures(self) -> None:
        """Side by side, and never parted by the end of a page."""
        if not self.sheet.signatures:
            return
        table = Table("Signatures", style="MinutesTable")
        row = Row(style="MinutesRow")
        for one in self.sheet.signatures:
            table.append(Column(style="MinutesColumn85"))
            cell = Cell(style="MinutesOpenCell")
            cell.append(Paragraph(printable(one.role), style="Minutes_20_head"))
            cell.append(Paragraph(printable(one.name), style="Minutes_20_cell"))
            cell.append(Paragraph(self.titles["signature"], style="Minutes_20_signature"))
            row.append(cell)
        table.append(row)
        self.body.append(table)


def _row(cells: Iterable[Sequence[str]], style: str) -> Row:
    row = Row(style="MinutesRow")
    for paragraphs in cells:
        cell = Cell(style="MinutesCell")
        for text in paragraphs:
            cell.append(Paragraph(printable(text), style=style))
        row.append(cell)
    return row
