"""What every OpenDocument text of ours has: language, title, styles, a head and a foot on each page, links."""

from datetime import datetime

from odfdo import Document, Element, Link, Paragraph, StyleMasterPage, Tab, VarPageCount, VarPageNumber

from passerelle.core.wording import Language
from passerelle.documents import odt_styles
from passerelle.documents.printable import printable

_THUMBNAIL = "Thumbnails/thumbnail.png"
_LOCALES: dict[Language, str] = {"fr": "fr-FR", "en": "en-GB"}


def empty_document(*, language: Language, title: str, creator: str, made_at: datetime) -> Document:
    """A document without a body, ready to be written into.

    Args:
        creator: whose it is: the association.
        made_at: when it says it was made.
    """
    document = Document("text")
    document.set_language(_LOCALES[language])
    document.meta.set_title(printable(title))
    document.meta.set_creator(printable(creator))
    document.meta.set_initial_creator(printable(creator))
    document.meta.set_generator("Passerelle")
    document.meta.set_creation_date(made_at.replace(tzinfo=None))
    document.meta.set_modification_date(made_at.replace(tzinfo=None))
    # The picture of an empty page, from the library's own template.
    document.del_part(_THUMBNAIL)
    document.manifest.del_full_path(_THUMBNAIL)
    for style in odt_styles.STYLES:
        document.insert_style(style)
    for style in odt_styles.AUTOMATIC:
        document.insert_style(style, automatic=True)
    # The library's template numbers headings: « 1.Compte rendu » (OpenDocument 1.4 part 3, §16.34).
    numbering = document.styles.get_element("//text:outline-style")
    if numbering is not None:
        numbering.delete()
    document.body.clear()
    return document


def head_and_foot(document: Document, *, head: str, foot: str, page: str) -> None:
    """On each page whose it is, and what it is; `page`: the word before its number."""
    layout = document.get_style("page-layout", "Mpm1")
    for part in odt_styles.PAGE:
        made = Element.from_tag(part)
        old = layout.get_element(made.tag) if layout is not None else None
        if layout is not None and old is not None:
            layout.delete(old)
            layout.append(made)
    master = document.get_style("master-page", "Standard")
    if not isinstance(master, StyleMasterPage):
        return
    below = Paragraph(printable(foot), style="Footer")
    below.append(Tab())
    below.append(f"{page} ")
    below.append(VarPageNumber())
    below.append(" / ")
    below.append(VarPageCount())
    master.set_page_header(Paragraph(printable(head), style="Header"))
    master.set_page_footer(below)


def linked(paragraph: Paragraph, url: str, text: str) -> Paragraph:
    """The paragraph with a text behind what it holds; it leads somewhere where there is a `url`."""
    paragraph.append(link(url, text) if url else printable(text))
    return paragraph


def link(url: str, text: str) -> Link:
    """Words that lead somewhere."""
    made = Link(url, text=printable(text))
    # OpenDocument 1.4 part 3, §19.913: it has this one value, and is required.
    made.set_attribute("xlink:type", "simple")
    return made
