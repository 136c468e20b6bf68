"""Fiches as files: Markdown, and entries of YesWiki's Bazar as JSON. Pure. What is written is what its reader sees."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from passerelle.core.fiche import HEADINGS, LICENCE_URLS, Content, Heading
from passerelle.core.first_names import first_name
from passerelle.core.folding import words_of

#: Of a page's name in YesWiki (`id_fiche`): words run together, each with a capital.
_LONGEST_NAME = 60
#: Fields of an entry that our headings fill, as a form that takes them has to call them; docs/fiches.md shows the form.
_FIELDS: Mapping[Heading, str] = {
    "context": "bf_contexte", "done": "bf_description", "results": "bf_resultats", "again": "bf_a_refaire",
    "advice": "bf_conseils",
}  # fmt: skip
#: What Markdown would take for a sign of its own (CommonMark §2.4).
_MARKS = re.compile(r"([\\`*_{}\[\]<>#|~])")
_LIST = re.compile(r"^(\s*)([-+]|\d{1,9}[.)])(?=\s)", re.MULTILINE)


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportedFiche:
    """A fiche as one reader sees it, with the words around it in their language."""

    number: int
    title: str
    content: Content
    who: tuple[str, ...]
    licence: str
    #: The association's name.
    association: str
    #: Where it stands on the web; "" where there is none.
    url: str
    made_at: datetime
    changed_at: datetime
    #: What each heading is called.
    names: Mapping[Heading, str]
    #: « Avec Léa et Karim. », and « Licence : »; the former is "" where nobody is named.
    who_line: str
    licence_label: str
    #: Who agrees, by person: their names stand beside their words.
    agreed: frozenset[int] = frozenset()

    def author_of(self, person_id: int | None, author: str) -> str:
        """The first name of who agreed; "" of anybody else."""
        return first_name(author) if person_id is not None and person_id in self.agreed else ""


def to_markdown(fiche: ExportedFiche) -> str:
    """CommonMark; every text is somebody's, and none of it becomes a sign."""
    pieces = [f"# {_plain(fiche.title)}", _plain(fiche.association)]
    for heading in HEADINGS:
        parts = fiche.content.of(heading)
        if not parts:
            continue
        pieces.append(f"## {_plain(fiche.names[heading])}")
        for part in parts:
            author = fiche.author_of(part.person_id, part.author)
            if part.kind == "quote":
                said = f"> {_plain(part.text).replace(chr(10), chr(10) + '> ')}"
                pieces.append(f"{said}\n>\n> — {_plain(author)}" if author else said)
            else:
                pieces.append(_plain(part.text))
    if fiche.who:
        pieces.append(_plain(fiche.who_line))
    pieces.append(f"{fiche.licence_label} [{fiche.licence}]({LICENCE_URLS[fiche.licence]})")
    if fiche.url:
        pieces.append(f"<{fiche.url}>")
    return "\n\n".join(pieces) + "\n"


def _plain(text: str) -> str:
    return _LIST.sub(r"\1\\\2", _MARKS.sub(r"\\\1", text))


def to_bazar(fiches: Sequence[ExportedFiche], *, form: int) -> str:
    """Entries of YesWiki's Bazar, as its API gives and takes them: an object of entries by `id_fiche`, each a flat
    object of texts (YesWiki 4, `EntryManager::formatDataBeforeSave`).

    Args:
        form: the number of the form in that wiki (`id_typeannonce`).
    """
    entries: dict[str, dict[str, str]] = {}
    for fiche in fiches:
        name = page_name(fiche.title, fiche.number)
        entry = {
            "id_fiche": name,
            "id_typeannonce": str(form),
            "bf_titre": fiche.title,
            **{_FIELDS[heading]: _as_text(fiche, heading) for heading in HEADINGS},
            "bf_participants": ", ".join(fiche.who),
            "bf_structure": fiche.association,
            "bf_licence": fiche.licence,
            "bf_url": fiche.url,
            "date_creation_fiche": f"{fiche.made_at:%Y-%m-%d %H:%M:%S}",
            "date_maj_fiche": f"{fiche.changed_at:%Y-%m-%d %H:%M:%S}",
            "statut_fiche": "1",
        }
        entries[name] = entry
    return json.dumps(entries, ensure_ascii=False, indent=2) + "\n"


def _as_text(fiche: ExportedFiche, heading: Heading) -> str:
    texts = []
    for part in fiche.content.of(heading):
        author = fiche.author_of(part.person_id, part.author)
        said = f"« {part.text} »" if part.kind == "quote" else part.text
        texts.append(f"{said} ({author})" if author else said)
    return "\n\n".join(texts)


def page_name(title: str, number: int) -> str:
    """What the page is called: `LotoDuQuartier3`; ASCII letters and digits, begun with a capital."""
    words = "".join(word[:1].upper() + word[1:] for word in words_of(title) if word.isascii() and word.isalnum())
    return f"{words[:_LONGEST_NAME] if words[:1].isalpha() else 'Fiche' + words[:_LONGEST_NAME]}{number}"
