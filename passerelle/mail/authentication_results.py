"""The header field Authentication-Results (RFC 8601 §2.2), read strictly. Pure.

Whoever is believed by what stands here must not be fooled by what a stranger brought into it: a HELO or a reverse path
that a server copied without care. So this refuses what it does not know, the whole field, instead of guessing. The
libraries there are do not: authres 1.2.0 (tried) recurses over nested comments until Python gives up, takes eight
seconds for a long field, passes over stray words and over a method's version, and takes `(domain of "a) ; dmarc=pass
header.from=victim.example ("@evil.example …)` for a passed DMARC; authresults 0.1.0 is not published where we could
pin it.

Stricter than the grammar: no quoted pairs, no quotation marks in comments, each property once in a result, each
version 1. Wider: empty parts at the end (`…;`, which Yahoo and Microsoft write), and any printable in a value.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

#: No server needs as much for its own; strangers' values are what is long.
_MAX_CHARACTERS = 20_000
_MAX_RESULTS = 100
_MARKS = re.compile(r'[()";\\]')
#: `value [CFWS version]`; without `=`, since Microsoft leaves the name out and begins with a result.
_SERVICE = re.compile(r'\s*(?:"(?P<quoted>[^"=]{1,255})"|(?P<bare>[^\s"=]{1,255}))(?:\s+(?P<version>\d{1,9}))?\s*')
_METHOD = re.compile(r"\s*([A-Za-z0-9-]{1,40})(?:\s*/\s*(\d{1,9}))?\s*=\s*([A-Za-z0-9-]{1,40})(?=\s|$)")
_PROPERTY = re.compile(
    r'\s+(reason|[A-Za-z0-9-]{1,40}\s*\.\s*[A-Za-z0-9_-]{1,60})\s*=\s*((?:"[^"]*")?[^\s"]*)(?=\s|$)', re.IGNORECASE
)
#: What HELO said is the client's to choose, and is seldom checked.
_HELO = re.compile(r"\b(?:helo|ehlo)\b")


@dataclass(frozen=True, kw_only=True, slots=True)
class MethodResult:
    """What one method came to: `spf=pass (…) smtp.mailfrom=jean@example.org`."""

    #: In lower case: `dkim`, `spf`, `dmarc`, `arc` …
    method: str
    #: In lower case: `pass`, `fail`, `none` …
    result: str
    #: By `ptype.property` in lower case, as it was written, quotation marks too.
    properties: Mapping[str, str]
    #: All that stands in its comments, in lower case.
    comment: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class AuthenticationResults:
    """One field."""

    #: Who judged, in lower case.
    authserv_id: str
    results: tuple[MethodResult, ...] = ()


def parse_authentication_results(value: str) -> AuthenticationResults | None:
    """Read the value of one field, unfolded and not decoded; None where anything in it is not understood.

    Results that stand behind what the client said in HELO are left out: a HELO of `x) ; dmarc=pass (` must not count.
    """
    parts = _parts(value) if len(value) <= _MAX_CHARACTERS else None
    if parts is None:
        return None
    while len(parts) > 1 and not parts[-1].text.strip():
        parts.pop()
    service = _SERVICE.fullmatch(parts[0].text)
    if service is None or int(service["version"] or 1) != 1 or len(parts) > _MAX_RESULTS:
        return None
    authserv_id = (service["quoted"] or service["bare"]).lower()
    if [part.text.strip().lower() for part in parts[1:]] == ["none"]:
        return AuthenticationResults(authserv_id=authserv_id)
    results: list[MethodResult] = []
    for part in parts[1:]:
        result = _result(part)
        if result is None:
            return None
        results.append(result)
    return AuthenticationResults(authserv_id=authserv_id, results=_up_to_helo(results))


@dataclass(frozen=True, slots=True)
class _Part:
    """What stands between two semicolons, its comments apart."""

    text: str
    comment: str


def _parts(value: str) -> list[_Part] | None:
    """Cut at semicolons, outside comments and quoted strings; None where these do not end, or are not plain."""
    parts: list[_Part] = []
    text: list[str] = []
    comments: list[str] = []
    depth, start, quoted = 0, 0, False
    for match in _MARKS.finditer(value):
        mark, here = match[0], match.start()
        if mark == "\\" or (depth and mark == '"'):
            return None
        if depth:
            depth += {"(": 1, ")": -1}.get(mark, 0)
            if not depth:
                comments.append(value[start:here])
                text.append(" ")
                start = match.end()
        elif mark == '"':
            quoted = not quoted
        elif quoted:
            continue
        elif mark == ")":
            return None
        else:
            text.append(value[start:here])
            start = match.end()
            if mark == "(":
                depth = 1
                continue
            parts.append(_Part("".join(text), " ".join(comments).lower()))
            text, comments = [], []
    if depth or quoted:
        return None
    text.append(value[start:])
    return [*parts, _Part("".join(text), " ".join(comments).lower())]


def _result(part: _Part) -> MethodResult | None:
    head = _METHOD.match(part.text)
    if head is None or int(head[2] or 1) != 1:
        return None
    properties: dict[str, str] = {}
    position = head.end()
    while match := _PROPERTY.match(part.text, position):
        name = "".join(match[1].split()).lower()
        if name in properties:
            return None
        properties[name] = match[2]
        position = match.end()
    if part.text[position:].strip():
        return None
    return MethodResult(method=head[1].lower(), result=head[3].lower(), properties=properties, comment=part.comment)


def _up_to_helo(results: list[MethodResult]) -> tuple[MethodResult, ...]:
    for count, result in enumerate(results, start=1):
        if _HELO.search(result.comment) or any(_HELO.search(name) for name in result.properties):
            return tuple(results[:count])
    return tuple(results)
