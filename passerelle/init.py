"""Writes a first configuration out of a few answers. Nothing that is there is ever overwritten."""

import contextlib
import os
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from passerelle import config, keys
from passerelle.errors import ConfigError
from passerelle.i18n import _

HEAD = """Passerelle: one conversation out of a mailing list and a Matrix room.

Written by `passerelle init`. Lines that begin with `#` and a key show the default: take the `#` away to change one.
Every key is explained in docs/configuration.md. After a change: passerelle check --config {name}"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Server:
    host: str
    port: int
    #: `implicit`, `starttls` or `none`.
    tls: str = "implicit"


@dataclass(frozen=True, kw_only=True, slots=True)
class Secret:
    """Either a text that is to be kept in a new file, or a file that is there already."""

    text: str = field(default="", repr=False)
    file: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answers:
    """What `init` has to know. Optional answers are "" where there is none."""

    address: str
    username: str
    imap: Server
    smtp: Server
    mail_password: Secret
    homeserver: str
    user_id: str
    matrix_password: Secret
    title: str
    coordinator: str
    coordinator_address: str
    coordinator_matrix: str
    list_address: str
    list_id: str
    subject_prefix: str
    room: str
    link: str


def short_name(text: str) -> str:
    """A name for commands and logs out of a title: lower case, digits and `-`, without accents.

    >>> short_name("Comité de quartier de l’Épeule")
    'comite-de-quartier-de-l-epeule'
    """
    text = text.lower().replace("œ", "oe").replace("æ", "ae")
    letters = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return "-".join(re.findall(r"[a-z0-9]+", letters))[:63].strip("-")


def build_values(answers: Answers, *, store_url: str) -> Mapping[str, Any]:
    """The answers as a configuration file has them (what tomllib would read)."""
    mail_file = answers.mail_password.file or "secrets/mailbox"
    coordinator = {"name": answers.coordinator}
    coordinator |= _given(address=answers.coordinator_address, matrix=answers.coordinator_matrix)
    mailing_list = {"address": answers.list_address}
    mailing_list |= _given(list_id=answers.list_id, subject_prefix=answers.subject_prefix)
    return {
        "store": {"url": store_url},
        "log": {},
        "matrix": {
            "homeserver": answers.homeserver,
            "user_id": answers.user_id,
            "password_file": answers.matrix_password.file or "secrets/matrix",
        },
        "mailboxes": [
            {
                "address": answers.address,
                "imap": _server(answers.imap, answers.username, mail_file),
                "smtp": _server(answers.smtp, answers.username, mail_file),
            }
        ],
        "associations": [
            {
                "name": short_name(answers.title) or "association",
                "title": answers.title,
                "coordinators": [coordinator],
                "links": [{"name": answers.link, "room": answers.room, "list": mailing_list}],
            }
        ],
    }


def _server(server: Server, username: str, password_file: str) -> dict[str, Any]:
    return {
        "host": server.host,
        "port": server.port,
        "tls": server.tls,
        "username": username,
        "password_file": password_file,
    }


def _given(**texts: str) -> dict[str, str]:
    return {key: text for key, text in texts.items() if text}


def write(path: Path, answers: Answers, *, store_url: str = "sqlite:///passerelle.db") -> tuple[Path, ...]:
    """Write the configuration file and the files of its secrets (mode 0600), then read it as the daemon would.

    Returns:
        The files that were written. Where anything fails, none stays.

    Raises:
        ConfigError: a file is there already, cannot be written, or the answers are not right together.
    """
    texts = {path: keys.render_toml(build_values(answers, store_url=store_url), head=HEAD.format(name=path.name))}
    for secret, name in ((answers.mail_password, "mailbox"), (answers.matrix_password, "matrix")):
        if secret.text:
            texts[path.parent / "secrets" / name] = secret.text + "\n"
    for target in texts:
        if target.exists() or target.is_symlink():
            raise ConfigError(_("{file} is there already, and is left as it is").format(file=target))
    with _all_or_none() as written:
        for target, text in texts.items():
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            _write_new(target, text)
            written.append(target)
        config.load(path)
    return tuple(texts)


@contextlib.contextmanager
def _all_or_none() -> Iterator[list[Path]]:
    written: list[Path] = []
    try:
        yield written
    except OSError as error:
        _remove(written)
        raise ConfigError(
            _("{file} cannot be written: {reason}").format(file=error.filename, reason=error.strerror)
        ) from None
    except BaseException:
        _remove(written)
        raise


def _remove(paths: list[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _write_new(path: Path, text: str) -> None:
    # O_EXCL: nothing that appeared meanwhile, and no link, is written through.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
