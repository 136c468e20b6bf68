"""Which of our errors each answer of a homeserver is."""

from typing import Any

import pytest

from passerelle.errors import AccessRefused, PermanentFailure, TemporaryFailure
from passerelle.matrix.answers import Answer, LoginLost, MatrixRefusal, judge_answer


def judged(status: int, body: dict[str, Any] | None, retry_after: str | None = None) -> Exception | None:
    try:
        judge_answer(Answer(status=status, body=body, retry_after=retry_after), "testing")
    except (TemporaryFailure, PermanentFailure) as failure:
        return failure
    return None


@pytest.mark.parametrize(
    ("status", "errcode", "kind"),
    [
        (429, "M_LIMIT_EXCEEDED", TemporaryFailure),
        (400, "M_LIMIT_EXCEEDED", TemporaryFailure),
        (403, "M_RESOURCE_LIMIT_EXCEEDED", TemporaryFailure),
        (500, "M_UNKNOWN", TemporaryFailure),
        (502, None, TemporaryFailure),
        (408, None, TemporaryFailure),
        (302, None, TemporaryFailure),
        (404, None, TemporaryFailure),
        (200, None, TemporaryFailure),
        (401, "M_UNKNOWN_TOKEN", LoginLost),
        (401, "M_MISSING_TOKEN", LoginLost),
        (403, "M_USER_DEACTIVATED", AccessRefused),
        (401, "M_USER_LOCKED", AccessRefused),
        (403, "M_FORBIDDEN", MatrixRefusal),
        (404, "M_NOT_FOUND", MatrixRefusal),
        (413, "M_TOO_LARGE", MatrixRefusal),
        (400, "M_UNKNOWN", MatrixRefusal),
    ],
)
def test_each_answer_has_its_error(status: int, errcode: str | None, kind: type[Exception]) -> None:
    body = None if errcode is None else {"errcode": errcode, "error": "words of the homeserver"}
    failure = judged(status, body)
    assert type(failure) is kind
    if errcode is not None and kind is MatrixRefusal:
        assert isinstance(failure, MatrixRefusal)
        assert (failure.errcode, failure.status) == (errcode, status)
        assert "words of the homeserver" in str(failure)


@pytest.mark.parametrize(
    ("body", "header", "seconds"),
    [
        ({"retry_after_ms": 1500}, None, 1.5),
        ({"retry_after_ms": 0}, None, 0),
        ({"retry_after_ms": 1500}, "9", 1.5),
        ({}, "9", 9),
        ({}, "Wed, 21 Oct 2026 07:28:00 GMT", None),
        ({"retry_after_ms": "soon"}, None, None),
        ({"retry_after_ms": -5}, None, None),
        ({"retry_after_ms": True}, None, None),
        ({}, "²", None),
        ({}, None, None),
    ],
)
def test_how_long_to_wait(body: dict[str, Any], header: str | None, seconds: float | None) -> None:
    failure = judged(429, {"errcode": "M_LIMIT_EXCEEDED", **body}, header)
    assert isinstance(failure, TemporaryFailure)
    assert failure.retry_after_seconds == seconds


def test_a_success_is_its_object() -> None:
    assert judge_answer(Answer(status=200, body={"a": 1}), "testing") == {"a": 1}


def test_error_codes_that_are_no_text_are_survived() -> None:
    assert type(judged(403, {"errcode": ["M_FORBIDDEN"], "error": 7})) is TemporaryFailure


def test_a_long_explanation_is_cut() -> None:
    assert len(str(judged(403, {"errcode": "M_FORBIDDEN", "error": "x" * 100_000}))) < 400
