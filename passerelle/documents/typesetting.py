"""Typst makes a PDF of a template and of values that are text, and stays text whatever it looks like.

A template (`templates/minutes/*.typ`, an association's own folder first) reads its values as JSON from `sys.inputs`;
nothing of a member's words is ever source. It reads no file but those beside it, and nothing from the network.
"""

import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import typst

from passerelle.documents.printable import printable_values
from passerelle.errors import DocumentFailure
from passerelle.render import TEMPLATES

if TYPE_CHECKING:
    # Of the stubs alone.
    from typst import PDFStandard

log = logging.getLogger(__name__)

#: What is printed in the place of a character that no font here has.
_MISSING = "□"
#: How typst says so, one of each; its own tests hold these sentences, and ours hold them too.
_NO_FONT = re.compile(r'the text `"([^`]{1,80})"` could not be displayed')
_FORBIDDEN = re.compile(r'contains the codepoint `"([^`]{1,80})"`')
_ESCAPE = re.compile(r"\\u\{([0-9a-f]{1,6})\}")
_MOST_TRIALS = 6
#: With these a template could fetch a package, or run what it was not: ours needs none of them.
_REFUSED = re.compile(r"\b(?:import|include|eval|plugin)\b")
#: PDF/A-2a (ISO 19005-2) for what is kept for years, PDF/UA-1 (ISO 14289-1) for who has it read aloud.
_STANDARDS: "list[PDFStandard]" = ["a-2a", "ua-1"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Typescript:
    """What is to be printed."""

    #: Of the template: `minutes` is `templates/minutes/minutes.typ`.
    name: str
    #: What the template reads as `sys.inputs`, each as JSON.
    values: Mapping[str, Any]
    #: The date that the file says it was made on (aware).
    made_at: datetime


def print_pdf(typescript: Typescript, folder: Path | None) -> bytes:
    """A tagged PDF, PDF/A-2a and PDF/UA-1.

    It is the processor's work, a tenth of a second as a rule: call it in a thread, under a time limit of the caller's.
    An association's own template that fails is logged, and Passerelle's own used.

    Args:
        folder: the association's own templates; None where it has none.

    Raises DocumentFailure where Passerelle's own template fails.
    """
    inputs = {key: printable_values(value) for key, value in typescript.values.items()}
    own = folder / "minutes" / f"{typescript.name}.typ" if folder is not None else None
    if own is not None and own.is_file():
        try:
            return _printed(own, inputs, typescript.made_at)
        except (typst.TypstError, DocumentFailure, OSError, ValueError) as error:
            log.warning(
                "own template fails, the shipped one is used",
                extra={"template": f"minutes/{own.name}", "why": _why(error)},
            )
    try:
        return _printed(TEMPLATES / "minutes" / f"{typescript.name}.typ", inputs, typescript.made_at)
    except typst.TypstError as error:
        raise DocumentFailure(f"template 'minutes/{typescript.name}.typ': {_why(error)}") from error


def problem_of(template: Path) -> str | None:
    """Why an association's own template is never used, in English; None where nothing is wrong."""
    found = _REFUSED.search(template.read_text("utf-8"))
    return f"'{found[0]}' is not allowed in it" if found else None


def _printed(template: Path, inputs: Mapping[str, Any], made_at: datetime) -> bytes:
    if why := problem_of(template):
        raise ValueError(why)
    told = {key: json.dumps(value, ensure_ascii=False) for key, value in inputs.items()}
    for _ in range(_MOST_TRIALS):
        try:
            return _compiled(template, told, made_at)
        except typst.TypstError as error:
            missing = _missing(str(error.diagnostic))
            if not missing:
                raise
            log.info("no font has some characters of a document", extra={"count": len(missing)})
            for text in sorted(missing, key=len, reverse=True):
                told = {key: value.replace(text, _MISSING) for key, value in told.items()}
    raise DocumentFailure("too many characters have no font")


def _compiled(template: Path, inputs: dict[str, str], made_at: datetime) -> bytes:
    with TemporaryDirectory(prefix="passerelle-") as nowhere:
        # Passerelle's own reads no file; an association's may show its logo, which lies beside it.
        root = nowhere if template.is_relative_to(TEMPLATES) else str(template.parent)
        compiler = typst.Compiler(root=root, sys_inputs=inputs, package_path=nowhere, package_cache_path=nowhere)
        made = compiler.compile(
            template.read_bytes(), format="pdf", pdf_standards=_STANDARDS, timestamp=int(made_at.timestamp())
        )
    if not isinstance(made, bytes):
        raise DocumentFailure
    return made


def _missing(diagnostic: str) -> set[str]:
    """What kept typst from printing: letters without a font, or of the private area, which PDF/A forbids."""
    found = {
        _ESCAPE.sub(lambda escape: chr(int(escape[1], 16)), text)
        for text in (*_NO_FONT.findall(diagnostic), *_FORBIDDEN.findall(diagnostic))
    }
    # ASCII is what JSON is written in, and every font has it.
    return {text for text in found if not text.isascii() and text != _MISSING}


def _why(error: Exception) -> str:
    return str(error).splitlines()[0][:300] if str(error) else type(error).__name__
