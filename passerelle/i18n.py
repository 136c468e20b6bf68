"""What administrators read at the terminal: English, or French where their environment says so.

The catalogue (`locale/administrators.fr.po`) is read as it is written: there is no build step to forget. Its keys are
the English sentences themselves. What members read is `passerelle.render`'s.
"""

import gettext
import io
import os
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from passerelle.core.wording import french_spaces

_CATALOGUES = resources.files("passerelle") / "locale"


@lru_cache
def translations(language: str) -> gettext.NullTranslations:
    """The administrators' catalogue of a language ("fr"); one that changes nothing where there is none."""
    source = _CATALOGUES / f"administrators.{language}.po"
    if not source.is_file():
        return gettext.NullTranslations()
    with source.open("rb") as file:
        catalogue = read_po(file, locale=language, abort_invalid=True)
    if language == "fr":
        for message in catalogue:
            if message.id and isinstance(message.string, str):
                message.string = french_spaces(message.string)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def administrator_language(environment: Mapping[str, str]) -> str:
    """The language of who sits at the terminal, by the rules of gettext: LANGUAGE, LC_ALL, LC_MESSAGES, LANG.

    Returns:
        A lower-case ISO 639 code; "en" for the C locale or where nothing is said.
    """
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        said = environment.get(name, "").split(":")[0].partition(".")[0].partition("_")[0].lower()
        if said:
            return "en" if said in ("c", "posix") else said
    return "en"


def _(message: str) -> str:
    """`message`, which is English, in the administrator's language. Fill in values after it, with `format`."""
    language = administrator_language(os.environ)
    return message if language == "en" or not language.isalpha() else translations(language).gettext(message)


def N_(message: str) -> str:
    """Marks a sentence that `_()` looks up later, where it stands in a table."""
    return message
