"""Reads the configuration file, and the secrets that it names. The rules themselves are `passerelle.core.settings`'.

Every error is told at once, each with its path, in one `ConfigError`, a line each. Beside the main file may stand a
folder `associations.d`: each `*.toml` in it is one association, written as an `[[associations]]` section without its
heading (`name = …`, `[[coordinators]]`, `[[links]]`). Relative paths are meant from the folder of the main file.
"""

import logging
import os
import re
import stat
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from pydantic import SecretStr, ValidationError

from passerelle import config_errors
from passerelle.core.setting_kinds import Section
from passerelle.core.settings import Settings, StoreSettings
from passerelle.errors import ConfigError
from passerelle.i18n import _

log = logging.getLogger(__name__)

ASSOCIATIONS_FOLDER = "associations.d"
#: No password or token is longer; what is, is the wrong file.
SECRET_LIMIT_BYTES = 65_536

#: Keys of earlier versions, by their path with `[]` for lists, and what to do instead.
REMOVED_KEYS: Mapping[str, str] = {}


def load(path: Path, *, removed: Mapping[str, str] = REMOVED_KEYS) -> Settings:
    """Read and check a configuration file and the associations beside it.

    Args:
        path: the main file, TOML in UTF-8.
        removed: keys that are no more, and the sentence that explains each.

    Raises:
        ConfigError: with every problem that was found, a line each.
    """
    folder = path.resolve().parent
    data = _read_toml(path, name=str(path))
    # Defaults that are paths are resolved too, so their section must be there.
    data.setdefault("store", {})
    files, problems = _add_associations(data, folder)
    try:
        settings = Settings.model_validate(data, context={"folder": str(folder)})
    except ValidationError as error:
        found = config_errors.sentences(error, removed=removed)
        problems += [_in_its_file(line, files) for line in found]
    if problems:
        raise ConfigError("\n".join([_("{file} is not right:").format(file=path), *(f"  {p}" for p in problems)]))
    return settings


def _read_toml(path: Path, *, name: str) -> dict[str, Any]:
    try:
        # Some Windows editors put a byte-order mark before the text.
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise ConfigError(_("{file} is not there. To write one: passerelle init").format(file=name)) from None
    except OSError as error:
        raise ConfigError(_("{file} cannot be read: {reason}").format(file=name, reason=error.strerror)) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ConfigError(_("{file}: line {line} is not UTF-8 text").format(file=name, line=line)) from None
    except tomllib.TOMLDecodeError as error:
        reason, where = _syntax_error(str(error))
        raise ConfigError(f"{name}: {where}: {reason}") from None


def _syntax_error(message: str) -> tuple[str, str]:
    """tomllib ends its messages with the place, `(at line 3, column 5)` or `(at end of document)`."""
    reason, _bracket, place = message.rpartition(" (at ")
    place = place.removesuffix(")")
    if place == "end of document":
        return reason, _("at the end of the file")
    line, column = (int(number) for number in re.findall(r"\d+", place))
    return reason, _("line {line}, column {column}").format(line=line, column=column)


def _add_associations(data: dict[str, Any], folder: Path) -> tuple[dict[int, str], list[str]]:
    """Put the associations of `associations.d` behind those of the main file.

    Returns:
        Which file each index came from, and what could not be read.
    """
    own = data.get("associations", [])
    paths = sorted((folder / ASSOCIATIONS_FOLDER).glob("*.toml"))
    if not paths or not isinstance(own, list):
        return {}, []
    files: dict[int, str] = {}
    problems: list[str] = []
    every = list(own)
    for path in paths:
        name = f"{ASSOCIATIONS_FOLDER}/{path.name}"
        try:
            association = _read_toml(path, name=name)
        except ConfigError as error:
            problems.append(str(error))
            continue
        files[len(every)] = name
        every.append(association)
    data["associations"] = every
    return files, problems


def _in_its_file(line: str, files: Mapping[int, str]) -> str:
    """Name the file and the place in it, where a path points into `associations.d`."""

    def place(match: re.Match[str]) -> str:
        file = files.get(int(match[1]))
        return f"{file}: " if file else match[0]

    own, _colon, _rest = line.partition(":")
    placed = re.sub(r"associations\[(\d{1,6})\]\.?:? ?", place, line)
    # In such a file the headings do without their first word.
    return placed if placed.startswith(own) else re.sub(r"(\[\[?)associations\.", r"\1", placed)


# ---------------------------------------------------------------- secrets


def resolve_secret(section: Section, name: str = "password") -> str | None:
    """The secret `name` of a section: from the key itself, from `<name>_file`, or from `<name>_env`.

    Returns:
        None where the section gives none of the three.

    Raises:
        ConfigError: the file or the variable that is named is missing, empty or unreadable.
    """
    written = getattr(section, name, None)
    if isinstance(written, SecretStr):
        return written.get_secret_value()
    file = getattr(section, f"{name}_file", None)
    if file is not None:
        return _read_secret(Path(file), key=f"{name}_file")
    variable = getattr(section, f"{name}_env", None)
    if variable is None:
        return None
    value = os.environ.get(variable)
    if not value:
        raise ConfigError(
            _("{key} names the environment variable {variable}, which is not set").format(
                key=f"{name}_env", variable=variable
            )
        )
    return value


def _read_secret(path: Path, *, key: str) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(SECRET_LIMIT_BYTES + 1)
            exposed = bool(os.fstat(file.fileno()).st_mode & stat.S_IROTH)
    except FileNotFoundError:
        raise ConfigError(_("{key} names {file}, which is not there").format(key=key, file=path)) from None
    except OSError as error:
        reason = error.strerror
        raise ConfigError(
            _("{key} names {file}, which cannot be read: {reason}").format(key=key, file=path, reason=reason)
        ) from None
    if len(raw) > SECRET_LIMIT_BYTES:
        raise ConfigError(_("{key} names {file}, which is too long to be a secret").format(key=key, file=path))
    try:
        # The end of the line is the editor's, not the secret's; spaces may be the secret's.
        value = raw.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        raise ConfigError(_("{key} names {file}, which is not UTF-8 text").format(key=key, file=path)) from None
    if not value:
        raise ConfigError(_("{key} names {file}, which is empty").format(key=key, file=path))
    if exposed:
        log.warning("Others on this machine can read a secret. Run: chmod 600 %s", path)
    return value


def secret_keys(settings: Settings) -> Iterator[tuple[str, Section, str]]:
    """Every secret that may be given: path of its section, the section, the name to ask `resolve_secret` for."""
    yield "store", settings.store, "password"
    yield "matrix", settings.matrix, "password"
    yield "matrix", settings.matrix, "access_token"
    if settings.matrix.appservice:
        yield "matrix.appservice", settings.matrix.appservice, "as_token"
        yield "matrix.appservice", settings.matrix.appservice, "hs_token"
    for index, mailbox in enumerate(settings.mailboxes):
        if mailbox.imap:
            yield f"mailboxes[{index}].imap", mailbox.imap, "password"
        yield f"mailboxes[{index}].smtp", mailbox.smtp, "password"


def read_secrets(settings: Settings) -> tuple[str, ...]:
    """Every secret of the configuration, so that logs can leave them out.

    Raises:
        ConfigError: with every secret that cannot be read, a line each.
    """
    secrets, problems = [], []
    for path, section, name in secret_keys(settings):
        try:
            secret = resolve_secret(section, name)
        except ConfigError as error:
            problems.append(f"{path}: {error}")
            continue
        if secret:
            secrets.append(secret)
    url_password = urlsplit(settings.store.url).password
    if url_password:
        secrets.append(url_password)
    if problems:
        raise ConfigError("\n".join(problems))
    return tuple(secrets)


def exposed_files(settings: Settings, path: Path) -> tuple[Path, ...]:
    """Files with a secret in them that others on this machine can read, the configuration file among them."""
    exposed = []
    for _path, section, name in secret_keys(settings):
        if isinstance(getattr(section, name, None), SecretStr):
            exposed.append(path)
        elif getattr(section, f"{name}_file", None) is not None:
            exposed.append(Path(getattr(section, f"{name}_file")))
    if urlsplit(settings.store.url).password:
        exposed.append(path)
    return tuple(p for p in dict.fromkeys(exposed) if p.exists() and p.stat().st_mode & stat.S_IROTH)


def store_url(store: StoreSettings) -> str:
    """The database's URL with its password in it. Never to be printed or logged.

    Raises:
        ConfigError: as `resolve_secret`.
    """
    password = resolve_secret(store)
    if password is None:
        return store.url
    parts = urlsplit(store.url)
    user, _at, host = parts.netloc.rpartition("@")
    login = f"{user.partition(':')[0]}:{quote(password, safe='')}"
    return urlunsplit(parts._replace(netloc=f"{login}@{host}"))
