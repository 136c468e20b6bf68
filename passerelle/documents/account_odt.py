"""An account as an OpenDocument text, to be worked on for a report: headings, tables, charts, page numbers."""

from collections.abc import Sequence
from datetime import datetime
from io import BytesIO

from odfdo import Cell, Column, Document, Element, Frame, Header, HeaderRows, List, Paragraph, Row, Table

from passerelle.core.account_words import ShownAccount, ShownCell, ShownTable
from passerelle.core.wording import Words
from passerelle.documents.account_charts import build_chart, size_in_centimetres
from passerelle.documents.odt_document import empty_document, head_and_foot, linked
from passerelle.documents.odt_styles import ACCOUNT
from passerelle.documents.printable import printable

_WIDTH_MM = 170
#: Of the first column, beside so many others.
_FIRST_MM = {1: 125, 2: 80, 3: 65}
_FIRST_ELSE_MM = 50


def build_account_odt(account: ShownAccount, words: Words, *, made_at: datetime) -> bytes:
    """The account as an OpenDocument text (.odt). The processor's work: call it in a thread.

    Args:
        made_at: when it says it was made (aware).
    """
    document = empty_document(
        language=words.language, title=account.title, creator=account.association, made_at=made_at
    )
    for style in ACCOUNT:
        document.insert_style(style, automatic=True)
    body = document.body
    _heading(body, 1, account.title)
    for sentence in (account.period, *account.intro):
        body.append(Paragraph(printable(sentence), style="Text_20_body"))
    for table in account.tables:
        _section(document, body, table)
    for title, sentences in (
        (words("account_uncounted_title"), account.uncounted),
        (words("account_hidden_title"), account.hidden),
    ):
        _heading(body, 2, title)
        items = [Paragraph(printable(one), style="Text_20_body") for one in sentences]
        body.append(List(items, style="Minutes_20_bullets"))
    head_and_foot(document, head=account.association, foot=account.period, page=words("minutes_page"))
    file = BytesIO()
    document.save(file)
    return file.getvalue()


def _heading(body: Element, level: int, text: str) -> None:
    header = Header(level, printable(text))
    header.set_attribute("text:style-name", f"Heading_20_{level}")
    body.append(header)


def _section(document: Document, body: Element, table: ShownTable) -> None:
    _heading(body, 2, table.title)
    if table.note:
        body.append(Paragraph(printable(table.note), style="Text_20_body"))
    body.append(_table(document, table))
    if table.more:
        body.append(Paragraph(printable(table.more), style="Text_20_body"))
    if table.chart:
        body.append(_chart(document, table))


def _table(document: Document, table: ShownTable) -> Table:
    made = Table(f"T{table.id.replace('-', '')}", style="MinutesTable")
    for style in _widths(document, len(table.heads) - 1):
        made.append(Column(style=style))
    head = Row(style="MinutesRow")
    for place, text in enumerate(table.heads):
        head.append(_cell([Paragraph(printable(text), style="AccountNumberHead" if place else "Minutes_20_head")]))
    heads = HeaderRows()
    heads.append(head)
    made.append(heads)
    for row in table.rows:
        line = Row(style="MinutesRow")
        label = [Paragraph(printable(row.label), style="Minutes_20_head" if row.is_total else "Minutes_20_cell")]
        if row.means:
            label.append(Paragraph(printable(row.means), style="AccountMeans"))
        line.append(_cell(label))
        for cell in row.cells:
            line.append(_cell([_number(cell, is_total=row.is_total)]))
        made.append(line)
    return made


def _widths(document: Document, others: int) -> list[str]:
    """The styles of a table's columns: the first one wide, the others share what is left."""
    first = _FIRST_MM.get(others, _FIRST_ELSE_MM)
    names = []
    for millimetres in (first, (_WIDTH_MM - first) // max(others, 1)):
        name = f"AccountColumn{millimetres}"
        if document.get_style("table-column", name) is None:
            document.insert_style(
                f'<style:style style:name="{name}" style:family="table-column">'
                f'<style:table-column-properties style:column-width="{millimetres / 10}cm"/></style:style>',
                automatic=True,
            )
        names.append(name)
    return [names[0], *[names[1]] * others]


def _cell(paragraphs: Sequence[Paragraph]) -> Cell:
    cell = Cell(style="MinutesCell")
    for paragraph in paragraphs:
        cell.append(paragraph)
    return cell


def _number(cell: ShownCell, *, is_total: bool) -> Paragraph:
    return linked(Paragraph(style="AccountNumberHead" if is_total else "AccountNumber"), cell.url, cell.text)


def _chart(document: Document, table: ShownTable) -> Paragraph:
    """The chart as a picture, with words for who does not see it."""
    width, height = size_in_centimetres(table)
    frame = Frame.image_frame(
        document.add_file(BytesIO(build_chart(table, "png"))),
        name=f"G{table.id.replace('-', '')}",
        size=(f"{width}cm", f"{height}cm"),
        anchor_type="as-char",
        style="AccountChart",
    )
    frame.svg_title = printable(table.title)
    frame.svg_description = printable(table.chart_alt)
    paragraph = Paragraph(style="Text_20_body")
    paragraph.append(frame)
    return paragraph
