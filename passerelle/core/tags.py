"""Project tags: `#jardin` in a subject, in somebody's own words, in a line for the register. Pure.

A tag is `#` and a word beginning with a letter; accents and capitals do not matter (`#Fête` is `#fete`); `#12` and the
end of an address (`page#haut`) are none. The register takes the first tag of a line as the entry's label
(`core.register_line_parts`).
"""

import re

from passerelle.core.folding import fold

#: A tag in a text; its word is the group `tag`.
TAG = re.compile(r"(?<![\w/#&])[#＃](?P<tag>[^\W\d_][\w\-]{0,40})")
#: What stands in every text that holds a tag, as databases look for it.
SIGNS = ("#", "＃")
#: Longer texts are read up to here.
_LONGEST = 100_000


def tags_in(text: str) -> tuple[str, ...]:
    """The tags in a text, folded, without their sign; each once, in their order."""
    return tuple(dict.fromkeys(folded_tag(found["tag"]) for found in TAG.finditer(text[:_LONGEST])))


def folded_tag(tag: str) -> str:
    """A tag as tags are compared, with its sign or without."""
    return fold(tag.strip().lstrip("#＃")).rstrip("-")
