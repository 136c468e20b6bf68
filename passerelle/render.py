"""The Jinja2 environment and the catalogues of words: everything that members read comes through here.

A template is `templates/<name>.<language>.txt.j2`, or `templates/<name>.txt.j2` where it has no words of its own. An
association's own folder, laid out in the same way, is searched first. `docs/templates.md` names every template and
what it knows. Short strings stand in `passerelle/locale/<language>.po`, read at start without a build step.
"""

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from gettext import GNUTranslations
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, TemplateError, TemplateNotFound
from jinja2.ext import Extension
from jinja2.sandbox import ImmutableSandboxedEnvironment

from passerelle.core.first_names import called
from passerelle.core.names import list_author_name, one_line
from passerelle.core.wording import Language, Words, french_spaces
from passerelle.errors import ConfigError

log = logging.getLogger(__name__)


def _templates() -> Path:
    """Beside the package in the sources; installed, they are a package of their own (pyproject.toml)."""
    beside = Path(__file__).resolve().parent.parent / "templates"
    if (beside / "mail" / "conversation.txt.j2").is_file():
        return beside
    installed = find_spec("passerelle_templates")
    found = list(installed.submodule_search_locations or ()) if installed else []
    if not found:
        raise ConfigError("Passerelle's templates are not installed: install Passerelle again")
    return Path(found[0])


#: Passerelle's own templates.
TEMPLATES = _templates()
_LOCALE = Path(__file__).resolve().parent / "locale"
_PARIS = ZoneInfo("Europe/Paris")

_TAG = re.compile(r"({{.*?}}|{%.*?%}|{#.*?#})", re.DOTALL)


@cache
def _catalogue(language: Language) -> GNUTranslations:
    with (_LOCALE / f"{language}.po").open("rb") as file:
        catalogue = read_po(file, locale=language, domain="passerelle", abort_invalid=True)
    if language == "fr":
        for message in catalogue:
            if message.id:
                forms = message.string or ""
                message.string = french_spaces(forms) if isinstance(forms, str) else tuple(map(french_spaces, forms))
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return GNUTranslations(compiled)


def load_words(language: Language, zone: ZoneInfo = _PARIS) -> Words:
    """The words of `language`, with instants told in `zone`."""
    return Words(language=language, zone=zone, catalogue=_catalogue(language))


class _FrenchSpaces(Extension):
    """Sets French spaces and apostrophes in a template's own words, and never in the values put into it."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        # A .html or .txt template without a language holds markup and no words.
        if ".fr." not in (name or ""):
            return source
        return "".join(part if _TAG.fullmatch(part) else french_spaces(part) for part in _TAG.split(source))


@dataclass(frozen=True, kw_only=True, slots=True)
class Letter:
    """A rendered mail to a person: a template whose first line is `Subject: …`, then an empty line, then its text."""

    subject: str
    text: str


class Renderer:
    """Renders templates in one association's language and time zone."""

    def __init__(self, folder: Path | None, language: Language, zone: ZoneInfo = _PARIS) -> None:
        """`folder`: the association's own templates, searched first; None where it has none."""
        self._words = load_words(language, zone)
        self._folder = folder
        self._shipped = _environment(TEMPLATES, self._words)
        self._own = _environment(folder, self._words) if folder is not None else None
        self._found: dict[str, tuple[Template, ...]] = {}

    @property
    def words(self) -> Words:
        return self._words

    def render(self, name: str, /, **values: object) -> str:
        """The text of template `name`, for instance `room/welcome` or `mail/conversation.html`.

        An association's own template that fails is logged, and Passerelle's own used: no mail waits for a typing error.

        Raises ConfigError where there is no such template, or Passerelle's own lacks a value.
        """
        templates = self._found.get(name)
        if templates is None:
            templates = self._found[name] = tuple(self._find(name))
        for template in templates[:-1]:
            try:
                return template.render(values)
            except (TemplateError, TypeError, ValueError) as error:
                log.warning("own template fails, the shipped one is used", extra={"template": name, "why": str(error)})
        if not templates:
            raise ConfigError(f"there is no template '{name}' in {TEMPLATES}")
        try:
            return templates[-1].render(values)
        except TemplateError as error:
            raise ConfigError(f"template '{name}': {error}") from error

    def letter(self, name: str, /, **values: object) -> Letter:
        """Template `name` as a mail to a person. Raises ConfigError, also where its first line is not a subject."""
        head, _, text = self.render(name, **values).lstrip().partition("\n")
        label, colon, subject = head.partition(":")
        if label.strip().lower() not in ("subject", "objet") or not colon:
            raise ConfigError(f"template '{name}' does not begin with 'Subject: …'")
        return Letter(subject=subject.strip(), text=text.strip("\n") + "\n")

    def letter_html(self, name: str, /, **values: object) -> str | None:
        """The HTML beside letter `name`, from the template `<name>.html`; None where there is none.

        None, too, where the association changed the text and not the HTML: both would say different things. Raises
        ConfigError, as `render`.
        """
        versions = tuple(self._find(f"{name}.html"))
        changed = self._is_own(next(self._find(name), None))
        if not versions or (changed and not self._is_own(versions[0])):
            return None
        return self.render(f"{name}.html", **values)

    def _is_own(self, template: Template | None) -> bool:
        if self._folder is None or template is None or template.filename is None:
            return False
        return Path(template.filename).resolve().is_relative_to(self._folder.resolve())

    def problems(self) -> list[str]:
        """What is wrong with the association's own templates, one English sentence each; for `passerelle check`."""
        if self._own is None:
            return []
        found = []
        for name in self._own.list_templates(filter_func=lambda n: n.endswith(".j2")):
            try:
                self._own.get_template(name)
            except TemplateError as error:
                found.append(f"{name}: {error}")
            if not (TEMPLATES / name).is_file():
                found.append(f"{name}: Passerelle has no template of this name, so it is never used")
        return found

    def _find(self, name: str) -> Iterator[Template]:
        stem, extension = (name[:-5], "html") if name.endswith(".html") else (name.removesuffix(".txt"), "txt")
        paths = (f"{stem}.{self._words.language}.{extension}.j2", f"{stem}.{extension}.j2")
        for environment in (self._own, self._shipped):
            for path in paths if environment is not None else ():
                try:
                    assert environment is not None
                    yield environment.get_template(path)
                    break
                except TemplateNotFound:
                    continue
                except TemplateError as error:
                    log.warning("template cannot be read", extra={"template": path, "why": str(error)})


def _environment(folder: Path, words: Words) -> Environment:
    # An association's own templates may be somebody else's; ours need no sandbox, which costs a fifth of a page's time.
    kind = Environment if folder == TEMPLATES else ImmutableSandboxedEnvironment
    environment = kind(
        loader=FileSystemLoader([folder, TEMPLATES] if folder != TEMPLATES else [folder]),
        autoescape=lambda name: bool(name) and str(name).endswith(".html.j2"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
        auto_reload=False,
        extensions=[_FrenchSpaces] if words.language == "fr" else [],
    )
    environment.filters.update(_filters(words))
    environment.globals.update(words=words, language=words.language)
    return environment


def _short(text: str, length: int = 100) -> str:
    flat = one_line(text)
    return flat if len(flat) <= length else flat[:length].rsplit(" ", 1)[0].rstrip(" ,;:.") + "…"


def _filters(words: Words) -> dict[str, Any]:
    def date_longue(at: datetime) -> str:
        return words.day(at, weekday=True)

    def quand(at: datetime) -> str:
        return words.moment(at, weekday=True)

    return {
        "heure": words.clock,
        "date": words.day,
        "date_longue": date_longue,
        "quand": quand,
        "taille": words.size,
        "duree": words.duration,
        "et": lambda names: words.names(tuple(names)),
        "nom": lambda name: list_author_name(name, words),
        "appel": called,
        "court": _short,
    }
