"""The convocation on one sheet of paper (`templates/minutes/convocation.typ`)."""

from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from passerelle.core.convocation import Convocation
from passerelle.core.wording import Words
from passerelle.documents.titles import convocation_titles
from passerelle.documents.typesetting import Typescript, print_pdf


def build_convocation_pdf(
    convocation: Convocation, words: Words, *, made_at: datetime, folder: Path | None = None
) -> bytes:
    """The convocation as a tagged PDF of one A4 page, never more: it is set smaller, then cut, where it is long.

    An assembly's has a proxy to cut out; all have who is to be told by word of mouth, with a line for who does it. The
    processor's work: call it in a thread, under a time limit.

    Args:
        made_at: when it says it was made (aware).
        folder: the association's own templates, searched first; None where it has none.

    Raises DocumentFailure where Passerelle's own template fails.
    """
    labels = convocation_titles(words, day=convocation.day, organizer=convocation.organizer, where=convocation.page_url)
    values = {"convocation": asdict(convocation), "labels": labels}
    return print_pdf(Typescript(name="convocation", values=values, made_at=made_at), folder)
