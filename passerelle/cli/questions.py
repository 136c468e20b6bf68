"""What `passerelle init` asks, in order: a table, and how an answer is checked. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from passerelle.core.setting_kinds import Address, MatrixUserId, Name, Port, Room, WebAddress
from passerelle.i18n import _
from passerelle.init import Answers, Secret, Server, short_name
from passerelle.providers import PROVIDERS, find_provider, provider_of

OTHER = "other"
Given = Mapping[str, str]


def _nothing(given: Given) -> str | None:
    return None


def _always(given: Given) -> bool:
    return True


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    name: str
    text: str
    #: What the answer must be; None takes any text.
    kind: Any = None
    #: The answer when nothing is said; None: one is needed.
    default: Callable[[Given], str | None] = _nothing
    #: Whether it is asked at all; where not, the default stands.
    asked: Callable[[Given], bool] = _always
    hidden: bool = False


def _other(given: Given) -> bool:
    return given["provider"] == OTHER


def _domain(address: str) -> str:
    return address.rpartition("@")[2]


def _local(address: str) -> str:
    return address.rpartition("@")[0]


def _provider_key(given: Given) -> str:
    provider = provider_of(given["address"])
    return provider.key if provider else OTHER


def _imap_host(given: Given) -> str:
    provider = find_provider(given["provider"])
    return provider.imap_host if provider else f"imap.{_domain(given['address'])}"


def _smtp_host(given: Given) -> str:
    provider = find_provider(given["provider"])
    return provider.smtp_host if provider else f"smtp.{_domain(given['address'])}"


def _tls(port: str) -> str:
    return "starttls" if port in ("143", "587", "25") else "implicit"


QUESTIONS = (
    Question(name="address", kind=Address, text=_("The bridge's own mail address, which is subscribed to the list")),
    Question(
        name="provider",
        text=_("Its provider ({choices})").format(choices=", ".join([*(p.key for p in PROVIDERS), OTHER])),
        default=_provider_key,
    ),
    Question(name="imap_host", text=_("IMAP server"), default=_imap_host, asked=_other),
    Question(name="imap_port", kind=Port, text=_("Port of the IMAP server"), default=lambda g: "993", asked=_other),
    Question(name="smtp_host", text=_("SMTP server"), default=_smtp_host, asked=_other),
    Question(name="smtp_port", kind=Port, text=_("Port of the SMTP server"), default=lambda g: "465", asked=_other),
    Question(name="username", text=_("User name of the mailbox"), default=lambda g: g["address"]),
    Question(name="mail_password", text=_("Password of the mailbox"), hidden=True),
    Question(name="user_id", kind=MatrixUserId, text=_("The bridge's own Matrix account, like @name:server")),
    Question(
        name="homeserver",
        kind=WebAddress,
        text=_("Its homeserver"),
        default=lambda g: f"https://{g['user_id'].partition(':')[2]}",
    ),
    Question(name="matrix_password", text=_("Password of the Matrix account"), hidden=True),
    Question(name="title", text=_("The association's name, as members read it")),
    Question(name="coordinator", text=_("First name of a coordinator, who is told of failures")),
    Question(name="coordinator_address", text=_("Their mail address (may stay empty)"), default=lambda g: ""),
    Question(name="coordinator_matrix", text=_("Their Matrix account (may stay empty)"), default=lambda g: ""),
    Question(name="list_address", kind=Address, text=_("The list's address")),
    Question(
        name="list_id",
        text=_("The list's identifier (List-Id in the header of its mails)"),
        default=lambda g: g["list_address"].replace("@", "."),
    ),
    Question(
        name="subject_prefix",
        text=_("What the list puts before subjects (may stay empty)"),
        default=lambda g: f"[{_local(g['list_address'])}]",
    ),
    Question(name="room", kind=Room, text=_("The room's ID or alias, like !abc:server or #name:server")),
    Question(
        name="link",
        kind=Name,
        text=_("A short name for the pair of list and room"),
        default=lambda g: short_name(_local(g["list_address"])) or "link",
    ),
)
#: Those that `--answer` takes: a password never stands on the command line.
OPEN_NAMES = tuple(question.name for question in QUESTIONS if not question.hidden)
#: Answers that may stay empty.
OPTIONAL = frozenset({"coordinator_address", "coordinator_matrix", "list_id", "subject_prefix"})
_OPTIONAL_KINDS = {"coordinator_address": Address, "coordinator_matrix": MatrixUserId}


def check_answer(question: Question, text: str) -> str:
    """The answer as it is meant. Raises ValueError with a sentence."""
    text = text if question.hidden else text.strip()
    kind = question.kind or _OPTIONAL_KINDS.get(question.name)
    if not text:
        if question.name in OPTIONAL:
            return ""
        raise ValueError(_("an answer is needed"))
    if question.name == "provider" and text != OTHER and find_provider(text) is None:
        raise ValueError(
            _("'{name}' is not in the list; say {other} and give its servers").format(name=text, other=OTHER)
        )
    if kind is None:
        return text
    try:
        return str(TypeAdapter[Any](kind).validate_python(text))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise ValueError(str(first["ctx"]["error"]) if first["type"] == "value_error" else first["msg"]) from None


def settle(given: Given) -> tuple[dict[str, str], list[str]]:
    """Answers for every question without asking: what was given, else the default.

    Returns:
        The answers, and a sentence for each that is missing or not right.
    """
    answers: dict[str, str] = {}
    problems: list[str] = []
    for question in QUESTIONS:
        try:
            text = given[question.name] if question.name in given else question.default(answers)
            if text is None:
                raise ValueError(_("an answer is needed"))
            answers[question.name] = check_answer(question, text)
        except ValueError as error:
            problems.append(f"{question.name}: {error}")
        except KeyError:
            # Its default stands on an answer that is wrong itself.
            continue
    return answers, problems


def build_answers(given: Given, *, mail_password: Secret, matrix_password: Secret) -> Answers:
    """The answers in the form that `passerelle.init` takes."""
    same = ("address", "username", "homeserver", "user_id", "title", "coordinator", "coordinator_address",
            "coordinator_matrix", "list_address", "list_id", "subject_prefix", "room", "link")  # fmt: skip
    return Answers(
        **{name: given[name] for name in same},
        imap=Server(host=given["imap_host"], port=int(given["imap_port"]), tls=_tls(given["imap_port"])),
        smtp=Server(host=given["smtp_host"], port=int(given["smtp_port"]), tls=_tls(given["smtp_port"])),
        mail_password=mail_password,
        matrix_password=matrix_password,
    )
