"""What `passerelle check` looks at, as a list of steps; each gives findings: a tick, or a sentence on how to mend it.

The transports are asked by their own probes (`mail/imap.py`, `mail/smtp.py`, `matrix/probe.py`), which raise the
errors of `passerelle.errors`; here their answers become findings. Nothing is changed anywhere, unless a test mail is
asked for.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from passerelle import config
from passerelle.core.settings import AssociationSettings, Settings
from passerelle.errors import AccessRefused, ConfigError, PasserelleError, TemporaryFailure
from passerelle.i18n import _
from passerelle.render import Renderer

#: No step may hang the command; every transport has shorter limits of its own.
STEP_SECONDS = 150.0


class Mark(StrEnum):
    OK = "ok"
    #: Works, but somebody should know.
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One line of the report."""

    mark: Mark
    #: What was found, one sentence.
    sentence: str
    #: How to mend it, one or two sentences; "" where there is nothing to do.
    mend: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One thing to look at: its name, and how."""

    name: str
    look: Callable[[], Awaitable[Iterable[Finding]]]


def ok(sentence: str) -> Finding:
    return Finding(mark=Mark.OK, sentence=sentence)


def warning(sentence: str, mend: str = "") -> Finding:
    return Finding(mark=Mark.WARNING, sentence=sentence, mend=mend)


def problem(sentence: str, mend: str = "") -> Finding:
    return Finding(mark=Mark.PROBLEM, sentence=sentence, mend=mend)


async def take_steps(steps: Iterable[Step]) -> AsyncIterator[tuple[Step, tuple[Finding, ...]]]:
    """Take each step after the other; what goes wrong in one is its finding and keeps none of the others."""
    for step in steps:
        yield step, await take(step)


async def take(step: Step) -> tuple[Finding, ...]:
    """The findings of one step. Whatever Passerelle itself says is wrong becomes one."""
    try:
        async with asyncio.timeout(STEP_SECONDS):
            return tuple(await step.look())
    except TimeoutError:
        return (problem(_("There was no answer in {seconds} seconds.").format(seconds=f"{STEP_SECONDS:.0f}")),)
    except PasserelleError as error:
        return (_failed(error),)


def _failed(error: PasserelleError) -> Finding:
    sentence = _sentence(str(error))
    match error:
        case AccessRefused():
            return problem(sentence, _("Correct the user name, the password or the server in the configuration."))
        case TemporaryFailure():
            return problem(sentence, _("Is the name of the server right, and its port? Is the network there?"))
        case _:
            return problem(sentence)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


# ---------------------------------------------------------------- the configuration itself


def configuration_step(settings: Settings, path: Path) -> Step:
    """The secrets it names, who can read them, and the associations' own templates."""

    async def look() -> list[Finding]:
        links = sum(len(association.links) for association in settings.associations)
        found = [
            ok(
                _("The file is right: {associations} association(s), {links} link(s).").format(
                    associations=len(settings.associations), links=links
                )
            )
        ]
        found += _secrets(settings, path)
        for association in settings.associations:
            found += _templates(association)
        return found

    return Step(name=_("Configuration"), look=look)


def _secrets(settings: Settings, path: Path) -> list[Finding]:
    found = []
    try:
        config.read_secrets(settings)
    except ConfigError as error:
        mend = _("Write the secret into that file, and make it readable by Passerelle's user alone (chmod 600).")
        found += [problem(f"{line}.", mend) for line in str(error).splitlines()]
    for exposed in config.exposed_files(settings, path):
        found.append(
            warning(
                _("Others on this machine can read a secret in {file}.").format(file=exposed),
                _("Run: chmod 600 {file}").format(file=exposed),
            )
        )
    return found or [ok(_("Secrets are there, and nobody else can read them."))]


def _templates(association: AssociationSettings) -> list[Finding]:
    if association.templates is None:
        return []
    folder = Path(association.templates)
    if not folder.is_dir():
        return [
            problem(
                _("The folder of templates of {name} is not there: {folder}").format(
                    name=association.name, folder=folder
                ),
                _("Make it, or take the key 'templates' out."),
            )
        ]
    found = Renderer(folder, association.language, association.zone()).problems()
    mend = _("Until it is mended, Passerelle's own template is used.")
    return [warning(f"{folder}/{line}", mend) for line in found]
