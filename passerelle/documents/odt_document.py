"""An empty OpenDocument text in our dress: language, title, styles, no numbers before headings."""

from datetime import datetime

from odfdo import Document

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
