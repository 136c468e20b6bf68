"""Kinds of values that the configuration holds, and what each must be. Pure."""

from pathlib import PurePath
from typing import Annotated, Any, LiteralString
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo
from pydantic_core import PydanticCustomError

#: What is wrong with a value, by the type of the error; `passerelle.config_errors` says it in the reader's language.
WRONG_VALUES = {
    "time_zone": "'{given}' is not an IANA time zone; an example is Europe/Paris",
    "mail_address": "'{given}' is not a mail address; an example is bureau@listes.example.org",
    "user_id": "'{given}' is not a Matrix user ID; an example is @lea:example.org",
    "room": "a room ID begins with ! and an alias with #",
    "web_address": "begin it with https:// (or http:// for a server on the same machine)",
    "web_address_server": "the name of the server is missing, as in https://matrix.example.org",
    "store_url": "begin it with sqlite:/// (a file) or postgresql:// (a server)",
    "only_one": "give only one of {given}",
}


def _wrong(kind: LiteralString, given: str = "") -> PydanticCustomError:
    return PydanticCustomError(kind, WRONG_VALUES[kind], {"given": given})


class Section(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, str_strip_whitespace=True, populate_by_name=True, use_attribute_docstrings=True
    )


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise _wrong("time_zone", name)
    return name


def _mail_address(text: str) -> str:
    local, at, domain = text.rpartition("@")
    if not (local and at and domain) or any(c.isspace() for c in text):
        raise _wrong("mail_address", text)
    return f"{local}@{domain.lower()}"


def _user_id(text: str) -> str:
    if not text.startswith("@") or ":" not in text:
        raise _wrong("user_id", text)
    return text


def _room(text: str) -> str:
    if not text.startswith(("!", "#")):
        raise _wrong("room")
    return text


def _web_address(text: str) -> str:
    if not text.startswith(("https://", "http://")):
        raise _wrong("web_address")
    if not urlsplit(text).hostname:
        raise _wrong("web_address_server")
    return text.rstrip("/")


def _beside_the_file(path: str, info: ValidationInfo) -> str:
    """A relative path is meant from the folder of the configuration file, which `config.load` gives as context."""
    folder = (info.context or {}).get("folder")
    return str(PurePath(folder) / path) if folder else path


def _store_beside_the_file(url: str, info: ValidationInfo) -> str:
    if not url.startswith(("sqlite:///", "postgresql://")):
        raise _wrong("store_url")
    path = url.removeprefix("sqlite:///")
    return url if path == url else f"sqlite:///{_beside_the_file(path, info)}"


def like(*examples: str) -> Any:
    """Examples of a key that has no default to serve as one."""
    return Field(examples=list(examples))


ZoneName = Annotated[str, AfterValidator(_known_zone)]
Address = Annotated[str, AfterValidator(_mail_address)]
MatrixUserId = Annotated[str, AfterValidator(_user_id)]
Room = Annotated[str, AfterValidator(_room)]
WebAddress = Annotated[str, AfterValidator(_web_address)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
Location = Annotated[str, AfterValidator(_beside_the_file)]
StoreUrl = Annotated[str, AfterValidator(_store_beside_the_file)]
Port = Annotated[int, Field(ge=1, le=65535)]
#: A port to listen on; 0 takes any free one, for tests.
ListeningPort = Annotated[int, Field(ge=0, le=65535)]


def at_most_one(section: Section, *keys: str) -> None:
    """Raises PydanticCustomError where more than one of the keys is given."""
    given = [key for key in keys if getattr(section, key) is not None]
    if len(given) > 1:
        raise _wrong("only_one", ", ".join(given))
