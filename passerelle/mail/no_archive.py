"""Whether an email asks not to be archived: what MHonArc (and so Sympa), Mailman and Usenet's archives go by. Pure."""

from collections.abc import Mapping, Sequence


def asks_for_no_archive(headers: Mapping[str, Sequence[str]]) -> bool:
    """Whether a header says `X-No-Archive: yes`, `Restrict: no-external-archive`, or `X-Archive: no`.

    No standard knows these fields. MHonArc looks for `yes` and `no-external-archive` anywhere in their values; Mailman
    takes any X-No-Archive for a yes: here, any but `no`.

    Args:
        headers: values by field name in lower case, as `core.email.Email.headers`.
    """
    for value in headers.get("x-no-archive", ()):
        if value.strip().lower() not in ("no", "false", "0"):
            return True
    for name in ("restrict", "x-restrict"):
        if any("no-external-archive" in value.lower() for value in headers.get(name, ())):
            return True
    return any(value.strip().lower() == "no" for value in headers.get("x-archive", ()))
