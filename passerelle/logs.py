"""What the daemon says of itself: a sentence, then fields. Never a body, never a whole address, never a secret.

A line is written as usual with the standard library, fields go in `extra`:

    log = logging.getLogger(__name__)
    log.info("An email was relayed to the room.", extra={"link": "epeule/bureau", "post_id": 12})

`text` writes `2026-11-12T18:04:07+01:00 INFO passerelle.intake: An email was … link=epeule/bureau post_id=12`; under
journald, which has its own clock, the time is left out and the level goes in front as `<6>` (sd-daemon(3)).
`json` writes one object a line.
"""

import json
import logging
import os
import re
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, TextIO

from passerelle.core.settings import LogSettings

#: Libraries that log whole mails, events or SQL parameters below this level.
CAPPED = (
    "aioimaplib",
    "aiohttp",
    "aiosmtplib",
    "aiosqlite",
    "alembic",
    "apscheduler",
    "asyncio",
    "mail",  # aiosmtpd's loggers are mail.log and mail.debug
    "nio",
    "sqlalchemy",
)
#: Fields that would carry what people wrote; their size is said instead.
CONTENTS = frozenset({"body", "content", "email", "event", "formatted_body", "html", "raw", "subject", "text"})
#: Fields whose `x@y` is no mail address.
IDENTIFIERS = frozenset({"message_id", "in_reply_to", "references"})
FIELD_LIMIT = 300
#: Of a traceback the end matters: what was raised, and where.
TRACEBACK_LIMIT = 8_000

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_DELIMITERS = re.compile(r"([\s<>()\[\]{}\"',;:|=]+)")
_QUOTED_LOCAL_PART = re.compile(r'"[^"\n]{1,64}"@')
#: One line stays one line, and a terminal is not steered (C0 and C1 controls, line and paragraph separators).
_CONTROLS = {c: f"\\x{c:02x}" for c in (*range(32), *range(127, 160))} | {0x2028: "\\u2028", 0x2029: "\\u2029"}
#: sd-daemon(3): the levels of syslog.
_JOURNAL = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}


def configure(settings: LogSettings, *, secrets: Iterable[str] = (), stream: TextIO | None = None) -> None:
    """Set logging up for the process: one handler on `stream` (stderr by default), everything else removed.

    Args:
        settings: format and level.
        secrets: texts that are never written, whoever logs them.
        stream: where lines go.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    redactor = Redactor(secrets)
    if settings.format == "json":
        handler.setFormatter(JsonLines(redactor))
    else:
        handler.setFormatter(TextLines(redactor, journal="JOURNAL_STREAM" in os.environ and stream is None))
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    level = logging.getLevelNamesMapping()[settings.level.upper()]
    root.setLevel(level)
    for name in CAPPED:
        cap(name, level)
    logging.captureWarnings(True)


def cap(name: str, level: int = logging.NOTSET) -> None:
    """Keep a library's logger, and those under it, from going below WARNING."""
    lowest = max(logging.WARNING, level)
    logging.getLogger(name).setLevel(lowest)
    under = [n for n in logging.root.manager.loggerDict if n.startswith(f"{name}.")]
    for inner in under:
        logger = logging.getLogger(inner)
        if logger.level != logging.NOTSET and logger.level < lowest:
            logger.setLevel(lowest)


def shorten_addresses(text: str) -> str:
    """`jeanne.dupont@example.org` becomes `j…@example.org`; Matrix user IDs and aliases stay.

    Linear in the length of the text, which anyone may have sent.
    """
    if "@" not in text:
        return text
    text = _QUOTED_LOCAL_PART.sub('"…"@', text)
    return "".join(_shorten(part) if "@" in part else part for part in _DELIMITERS.split(text))


def _shorten(word: str) -> str:
    local, _at, domain = word.rpartition("@")
    return f"{local[0]}…@{domain}" if local and domain else word


class Redactor:
    """Takes secrets, addresses and contents out of what is logged."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        # A very short one would blank out ordinary words.
        self._secrets = sorted({s for s in secrets if len(s) >= 4}, key=len, reverse=True)

    def text(self, text: str) -> str:
        return shorten_addresses(self._without_secrets(text)).translate(_CONTROLS)

    def traceback(self, text: str) -> list[str]:
        """The lines of a traceback, from its end, indented so that none looks like a line of the log."""
        return [f"    {self.text(line)}" for line in text[-TRACEBACK_LIMIT:].splitlines()]

    def fields(self, record: logging.LogRecord) -> dict[str, Any]:
        """What stands in `extra`."""
        return {name: self._field(name, v) for name, v in vars(record).items() if name not in _STANDARD}

    def _field(self, name: str, value: object) -> Any:
        if isinstance(value, bytes | bytearray | memoryview):
            return f"({len(value)} bytes)"
        if value is None or isinstance(value, bool | int | float):
            return value
        text = str(value)
        if name in CONTENTS:
            return f"({len(text)} characters)"
        hidden = self._without_secrets(text).translate(_CONTROLS) if name in IDENTIFIERS else self.text(text)
        return hidden if len(hidden) <= FIELD_LIMIT else f"{hidden[:FIELD_LIMIT]}…"

    def _without_secrets(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "…")
        return text


class TextLines(logging.Formatter):
    """Lines for people: time, level, logger, sentence, then `name=value`."""

    def __init__(self, redactor: Redactor, *, journal: bool = False) -> None:
        super().__init__()
        self._redactor = redactor
        self._journal = journal

    def format(self, record: logging.LogRecord) -> str:
        level = f"{record.levelname} {record.name}: "
        start = f"<{_journal_level(record)}>" if self._journal else ""
        if not self._journal:
            level = f"{_at(record)} {level}"
        words = [self._redactor.text(record.getMessage())]
        words += [f"{name}={_quoted(value)}" for name, value in self._redactor.fields(record).items()]
        lines = [level + " ".join(words)]
        if record.exc_info:
            lines += self._redactor.traceback(self.formatException(record.exc_info))
        return "\n".join(start + line for line in lines)


class JsonLines(logging.Formatter):
    """One JSON object a line: `at`, `level`, `logger`, `message`, the fields, `error` where something was raised."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": _at(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self._redactor.text(record.getMessage()),
        }
        if record.exc_info:
            line["error"] = "\n".join(self._redactor.traceback(self.formatException(record.exc_info)))
        # A field never passes for one of these.
        return json.dumps({**self._redactor.fields(record), **line}, ensure_ascii=False)


def _at(record: logging.LogRecord) -> str:
    """Local time with its offset, to the second."""
    return datetime.fromtimestamp(record.created, UTC).astimezone().isoformat(timespec="seconds")


def _journal_level(record: logging.LogRecord) -> int:
    return next((syslog for level, syslog in sorted(_JOURNAL.items(), reverse=True) if record.levelno >= level), 7)


def _quoted(value: object) -> str:
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if not text or set(text) & set(' "=\t') else text
