"""« hors-archive : » before a line of the room: it is relayed, and kept nowhere beyond that. Pure."""

import unicodedata

#: What a post is flagged with whose author asked that it not be archived.
NOT_ARCHIVED = "no_archive"
#: Folded: lower case, no accents, one hyphen between words. French first, then its English alias.
_MARKS = frozenset({"hors-archive", "hors-archives", "no-archive"})
#: The mark with spaces and other hyphens is no longer; nor, with its markup, in HTML.
_LONGEST = 40
_LONGEST_HTML = 400
_HYPHENS = "-\u00ad\u2010\u2011\u2012\u2013\u2014_"


def without_mark(text: str) -> str | None:
    """The words of a line that is not to be archived, without the mark; None where it bears none."""
    start = text.lstrip(" \t\n\u200b\u2060\ufeff\u00a0\u202f")
    mark, colon, rest = start[:_LONGEST].partition(":")
    if not colon or not _is_mark(mark):
        return None
    return (rest + start[_LONGEST:]).lstrip()


def html_without_mark(html: str) -> str:
    """The same of its `formatted_body`; "" where the mark is not found there: then the plain words count."""
    kept: list[str] = []
    seen: list[str] = []
    position = 0
    while position < min(len(html), _LONGEST_HTML):
        if html[position] == "<":
            end = html.find(">", position)
            if end < 0:
                return ""
            kept.append(html[position : end + 1])
            position = end + 1
        elif html[position] == ":":
            rest = html[position + 1 :].removeprefix("&nbsp;").lstrip()
            return "".join(kept) + rest if _is_mark("".join(seen).replace("&nbsp;", " ")) else ""
        else:
            seen.append(html[position])
            position += 1
    return ""


def _is_mark(words: str) -> bool:
    marked = unicodedata.normalize("NFKD", words.casefold())
    plain = "".join("-" if c in _HYPHENS else c for c in marked if not unicodedata.combining(c))
    return "-".join(plain.replace("-", " ").split()) in _MARKS
