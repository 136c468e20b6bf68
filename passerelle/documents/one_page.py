"""The one page of an association on one sheet of paper (`templates/minutes/now.typ`)."""

from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from passerelle.core.one_page_sheet import Sheet
from passerelle.core.wording import Words
from passerelle.documents.titles import page_titles
from passerelle.documents.typesetting import Typescript, print_pdf


def build_page_pdf(sheet: Sheet, words: Words, *, made_at: datetime, folder: Path | None = None) -> bytes:
    """The sheet as a tagged PDF of one A4 page, never more: it is set smaller, then cut, and the rest counted.

    The processor's work: call it in a thread, under a time limit.

    Args:
        made_at: when it says it was made (aware).
        folder: the association's own templates, searched first; None where it has none.

    Raises DocumentFailure where Passerelle's own template fails.
    """
    values = {"page": asdict(sheet), "labels": page_titles(words, day=sheet.day)}
    return print_pdf(Typescript(name="now", values=values, made_at=made_at), folder)
