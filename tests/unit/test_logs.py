"""What the logs hold, and above all what they do not."""

import io
import json
import logging
import warnings
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle import logs
from passerelle.core.settings import LogSettings


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    before, level, shown = root.handlers[:], root.level, warnings.showwarning
    levels = {name: logging.getLogger(name).level for name in logs.CAPPED}
    yield
    root.handlers[:] = before
    root.setLevel(level)
    for name, was in levels.items():
        logging.getLogger(name).setLevel(was)
    logging.captureWarnings(False)
    warnings.showwarning = shown


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


log = logging.getLogger("passerelle.intake")


def test_text_is_a_sentence_and_fields(stream: io.StringIO) -> None:
    logs.configure(LogSettings(), stream=stream)
    log.info("An email was relayed to the room.", extra={"link": "epeule/bureau", "post_id": 12, "why": "two words"})
    line = stream.getvalue()
    assert line.endswith(
        ' INFO passerelle.intake: An email was relayed to the room. link=epeule/bureau post_id=12 why="two words"\n'
    )
    assert line[:4].isdigit()


def test_json_is_one_object_a_line(stream: io.StringIO) -> None:
    logs.configure(LogSettings(format="json"), stream=stream)
    log.warning("Mail from %s waits.", "léa@example.org", extra={"post_id": 12, "level": "forged", "key": None})
    line = json.loads(stream.getvalue())
    assert line.pop("at")[10] == "T"
    assert line == {
        "level": "warning",
        "logger": "passerelle.intake",
        "message": "Mail from l…@example.org waits.",
        "post_id": 12,
        "key": None,
    }


def test_journald_gets_levels_and_no_time() -> None:
    formatter = logs.TextLines(logs.Redactor(), journal=True)
    record = logging.LogRecord("passerelle", logging.ERROR, "", 0, "No answer.", None, None)
    assert formatter.format(record) == "<3>ERROR passerelle: No answer."


@pytest.mark.parametrize(
    ("text", "shortened"),
    [
        ("jeanne.dupont@example.org", "j…@example.org"),
        ("<Jeanne@example.org>, paul@b.fr;", "<J…@example.org>, p…@b.fr;"),
        ("mailto:jeanne+liste@example.org?subject=x", "mailto:j…@example.org?subject=x"),
        ('"jeanne d"@example.org', '"…"@example.org'),
        ("é.l@exämple.fr", "é…@exämple.fr"),
        ("a=jeanne@example.org", "a=j…@example.org"),
        ("srs0=x=example.org=jeanne@relay.org", "srs0=x=example.org=j…@relay.org"),
        ("@lea:example.org in #salon:example.org", "@lea:example.org in #salon:example.org"),
        ("a@b@c.org", "a…@c.org"),
        ("no address @ all", "no address @ all"),
        ("", ""),
    ],
)
def test_addresses_are_shortened_and_matrix_ids_stay(text: str, shortened: str) -> None:
    assert logs.shorten_addresses(text) == shortened


@given(
    local=st.from_regex(r"[a-z0-9._+-]{3,80}", fullmatch=True),
    before=st.text(alphabet=" <(\"',;:[\n", max_size=3),
    after=st.text(alphabet=" >)\"',;:]\n", max_size=3),
)
def test_no_local_part_survives(local: str, before: str, after: str) -> None:
    line = logs.Redactor().text(f"To {before}{local}@example.org{after} it went")
    assert f"{local}@" not in line
    assert f"{local[1:]}@" not in line


def test_a_long_line_without_end_takes_no_time() -> None:
    # Quadratic work on this would take hours.
    text = "a" * 2_000_000 + "@" * 2_000_000 + '"' * 200_000
    assert len(logs.shorten_addresses(text)) <= len(text)


def test_secrets_are_never_written_not_even_in_a_traceback(stream: io.StringIO) -> None:
    for form in ("text", "json"):
        logs.configure(LogSettings(format=form), secrets=["hunter22", "hunter22long"], stream=stream)
        try:
            raise RuntimeError("LOGIN lea@example.org hunter22long refused")
        except RuntimeError:
            log.exception("The server said %s", "hunter22", extra={"reply": "NO hunter22"})
    written = stream.getvalue()
    assert "hunter22" not in written
    assert "lea@" not in written
    assert written.count("RuntimeError: LOGIN l…@example.org … refused") == 2


def test_contents_are_given_as_their_size(stream: io.StringIO) -> None:
    logs.configure(LogSettings(), stream=stream)
    log.info("Taken in.", extra={"raw": b"Subject: secret", "body": "Chers amis", "data": b"Chers"})
    assert stream.getvalue().endswith('Taken in. raw="(15 bytes)" body="(10 characters)" data="(5 bytes)"\n')


def test_message_ids_stay_whole_and_long_fields_are_cut(stream: io.StringIO) -> None:
    logs.configure(LogSettings(), stream=stream)
    log.info("Sent.", extra={"message_id": "abc.123@passerelle.example.org", "note": "x" * 5000})
    assert "message_id=abc.123@passerelle.example.org note=xxx" in stream.getvalue()
    assert len(stream.getvalue()) < 600


def test_a_line_cannot_be_forged(stream: io.StringIO) -> None:
    logs.configure(LogSettings(), stream=stream)
    log.info("Name: %s", "x\n2026-01-01 ERROR passerelle: forged\x1b[31m", extra={"name_of": "a\nb"})
    assert len(stream.getvalue().splitlines()) == 1
    assert "\x1b" not in stream.getvalue()


def test_libraries_stay_quiet_at_debug(stream: io.StringIO) -> None:
    logs.configure(LogSettings(level="debug"), stream=stream)
    log.debug("A step.")
    for name in ("aioimaplib.aioimaplib", "nio.rooms", "aiosmtplib", "asyncio", "sqlalchemy.engine.Engine", "mail.log"):
        logging.getLogger(name).info("whole mail")
        logging.getLogger(name).debug("whole mail")
    logging.getLogger("nio").warning("A warning passes.")
    assert "A step." in stream.getvalue()
    assert "A warning passes." in stream.getvalue()
    assert "whole mail" not in stream.getvalue()


def test_a_librarys_own_level_under_a_capped_name_is_capped_too(stream: io.StringIO) -> None:
    inner = logging.getLogger("nio.testing.inner")
    inner.setLevel(logging.DEBUG)
    logs.configure(LogSettings(level="debug"), stream=stream)
    inner.debug("whole event")
    assert stream.getvalue() == ""


def test_the_level_is_kept_to(stream: io.StringIO) -> None:
    logs.configure(LogSettings(level="error"), stream=stream)
    log.warning("no")
    logging.getLogger("nio").warning("no")
    log.error("yes")
    assert stream.getvalue().count("\n") == 1


def test_configuring_twice_does_not_write_twice(stream: io.StringIO) -> None:
    logs.configure(LogSettings(), stream=stream)
    logs.configure(LogSettings(), stream=stream)
    log.info("Once.")
    assert stream.getvalue().count("Once.") == 1


def test_warnings_of_python_are_logged(stream: io.StringIO) -> None:
    logs.configure(LogSettings(), stream=stream)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("old thing", stacklevel=1)
    assert "py.warnings" in stream.getvalue()
