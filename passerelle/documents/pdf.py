"""Minutes as a PDF (`templates/minutes/minutes.typ`)."""

from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from passerelle.core.minutes_model import Minutes
from passerelle.core.minutes_paper import for_paper
from passerelle.core.minutes_words import build_sheet
from passerelle.core.wording import Words
from passerelle.documents.titles import minutes_titles
from passerelle.documents.typesetting import Typescript, print_pdf


def build_pdf(
    minutes: Minutes,
    words: Words,
    *,
    site: str = "",
    is_signed: bool = False,
    folder: Path | None = None,
    made_at: datetime | None = None,
) -> bytes:
    """The minutes as a tagged PDF, to keep for years (PDF/A-2a) and to be read aloud (PDF/UA-1).

    The processor's work, a tenth of a second as a rule: call it in a thread, under a time limit.

    Args:
        words: of the association; times are told in the meeting's own zone.
        site: the archive's root, before each path; "" where there is no web.
        is_signed: with a block to sign; an assembly's minutes always have one.
        folder: the association's own templates, searched first; None where it has none.
        made_at: when it says it was made (aware); when the meeting ended where that is not given.

    Raises DocumentFailure where Passerelle's own template fails.
    """
    sheet = build_sheet(for_paper(minutes), words=words, site=site, is_signed=is_signed)
    return print_pdf(
        Typescript(
            name="minutes",
            values={"sheet": asdict(sheet), "labels": minutes_titles(words)},
            made_at=made_at or minutes.ends_at or minutes.starts_at,
        ),
        folder,
    )
