"""Every error of Passerelle. Whose fault it is, and whether to try again, is said by its type.

PasserelleError
├── ConfigError              the administrator's: the configuration file
├── QueryProblem             the reader's: a search that cannot be understood
├── CommandProblem           the member's: a command that cannot be understood
├── WhenProblem              the writer's: a date that cannot be read, or may mean several days
├── MalformedRecurrence      the sender's: a recurrence or time zone that cannot be understood
├── MalformedEmail           the sender's: an email that cannot be understood
├── MalformedEvent           the homeserver's: an event that cannot be understood
├── MalformedCalendar        the sender's: an invitation or its answer that cannot be understood
├── MalformedRoster          the administrator's: a list of members that cannot be understood
├── StoreError               the machine's: the database refuses
│   └── StoreLocked          another daemon runs on the same store
├── ImportFailure            the administrator's: an archive to import that cannot be read
├── ExportFailure            the administrator's: a folder that cannot be written
├── DocumentFailure          ours: a template on paper that cannot be printed
└── DeliveryFailure          a transport's answer
    ├── TemporaryFailure     try again later (SMTP 4yz, HTTP 5xx, 429, network)
    ├── PermanentFailure     never again (SMTP 5yz, HTTP 4xx)
    │   └── AccessRefused    the administrator's: login, TLS or folder refused, whatever the email
    └── UnknownFate          the other side may have taken it (silence after DATA)

Third-party exceptions, and the errors that nio returns, are translated in the adapter and nowhere else.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from passerelle.core.when_model import When, WhenKind


class PasserelleError(Exception):
    """Something went wrong. The docstring of each class is its default message."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip().splitlines()[0])


class ConfigError(PasserelleError):
    """The configuration file is not right."""


class QueryProblem(PasserelleError):
    """The search cannot be understood."""

    def __init__(self, kind: str, values: dict[str, str], suggestion: str) -> None:
        super().__init__()
        #: Which sentence says it: `query_<kind>` of the catalogues, with `values` filled in.
        self.kind = kind
        self.values = values
        #: The nearest search that can be understood; it may be empty.
        self.suggestion = suggestion


class WhenProblem(PasserelleError):
    """The date cannot be read."""

    def __init__(self, kind: "WhenKind", candidates: "tuple[When, ...]" = ()) -> None:
        super().__init__()
        #: `ambiguous`, `unknown` or `past`.
        self.kind = kind
        #: What it may have been meant to be, in their order; it may be empty.
        self.candidates = candidates


class MalformedRecurrence(PasserelleError, ValueError):
    """The recurrence cannot be understood."""


class CommandProblem(PasserelleError):
    """The command cannot be understood."""

    def __init__(self, kind: str, values: dict[str, str], suggestion: str) -> None:
        super().__init__()
        #: Which sentence says it: `command_wrong_<kind>` of the catalogues, with `values` filled in.
        self.kind = kind
        self.values = values
        #: The nearest right form.
        self.suggestion = suggestion


class MalformedEmail(PasserelleError):
    """The email cannot be understood."""


class MalformedCalendar(PasserelleError):
    """The calendar cannot be understood."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"The calendar cannot be understood: {kind}")
        #: What is wrong: `too_large`, `cut`, `no_start` …
        self.kind = kind
        #: The sentence of the catalogues that says it to a person.
        self.sentence = f"calendar_{kind}"


class MalformedEvent(PasserelleError):
    """The event cannot be understood."""


class MalformedRoster(PasserelleError):
    """The list of members cannot be understood."""


class StoreError(PasserelleError):
    """The database refused."""


class StoreLocked(StoreError):
    """Another Passerelle already runs on this store."""


class ImportFailure(PasserelleError):
    """The archive to import cannot be read."""


class ExportFailure(PasserelleError):
    """The folder of the export cannot be written."""


class DocumentFailure(PasserelleError):
    """The document cannot be made."""


class DeliveryFailure(PasserelleError):
    """The other side did not take it."""


class TemporaryFailure(DeliveryFailure):
    """The other side cannot take it now."""

    def __init__(self, message: str | None = None, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        #: What the other side asked for (Matrix `retry_after_ms`), where it did.
        self.retry_after_seconds = retry_after_seconds


class PermanentFailure(DeliveryFailure):
    """The other side will never take it."""


class AccessRefused(PermanentFailure):
    """The server refuses us, whatever we send: an administrator must mend it."""


class UnknownFate(DeliveryFailure):
    """The other side fell silent after it had everything: it may have taken it."""
