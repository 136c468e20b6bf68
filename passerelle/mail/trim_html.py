"""Cutting quotes and signatures out of an HTML mail by the markup of the program that wrote it, before it is text.

Markup says what text does not: where a Gmail quote begins that has no ">" and where an Outlook signature ends. What
the markup does not tell is left to `trim.trim`, which reads the text afterwards. The decision which quotes stay is
`trim_quotes`', the same as for text. In doubt (no own words, too deep, too large, unreadable) nothing is cut.
"""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape

from lxml import etree

from passerelle.mail import trim_attribution as attribution
from passerelle.mail.trim_lines import LONGEST_READ, Line, tidy
from passerelle.mail.trim_marks import Mark, Marks
from passerelle.mail.trim_markup import BREAKS, Role, role_of, too_deep
from passerelle.mail.trim_quotes import quotes_to_show

#: Characters of HTML that are examined; a larger mail is left whole.
LARGEST = 6_000_000
_SILENT = frozenset({"style", "script", "title", "head", "meta", "template"})


@dataclass(frozen=True, kw_only=True, slots=True)
class CutHtml:
    """An HTML body in two."""

    #: HTML to show; the input itself where nothing was cut.
    visible: str
    #: HTML of what was cut, in order; "" where nothing was.
    elided: str


@dataclass(kw_only=True, slots=True, eq=False)
class _Run:
    """Text that stands on one line, and the nodes that hold it: (element, whether it is the element's tail)."""

    role: Role | None
    root: etree._Element | None
    text: str = ""
    nodes: list[tuple[etree._Element, bool]] = field(default_factory=list)


def cut_html_quotes(html: str) -> CutHtml:
    """Cut quotes, attribution lines, header blocks and signatures by their markup.

    :param html: a text/html body, decoded; a document or a fragment.
    :returns: visible and elided HTML. Not sanitised: that is `rich_text`'s part, afterwards.
    """
    whole = CutHtml(visible=html, elided="")
    if "<" not in html or len(html) > LARGEST or too_deep(html):
        return whole
    body = _parse(html)
    if body is None:
        return whole
    reader = _Reader(body)
    runs = reader.runs
    _own_attributions(runs)
    roots = _to_cut(runs)
    if reader.rest is not None and _says_something(runs):
        roots = [*_before_rest(runs, roots), reader.rest]
    texts = [node for run in runs if run.role is Role.ATTRIBUTION and run.root is None for node in run.nodes]
    if not roots and not texts:
        return whole
    elided = _cut(body, roots, texts, rest=reader.rest)
    return CutHtml(visible=_inner(body), elided=elided)


def _parse(html: str) -> etree._Element | None:
    parser = etree.HTMLParser(huge_tree=True, recover=True, no_network=True, remove_comments=True, remove_pis=True)
    try:
        root = etree.fromstring(html.replace("\x00", ""), parser)
    except (etree.XMLSyntaxError, ValueError):
        # An XML declaration that names an encoding, or nothing that is markup.
        return None
    if root is None:
        return None
    body: etree._Element | None = root if root.tag == "body" else root.find("body")
    return body


class _Reader:
    """Walks a body once and cuts its text into lines, each with the outermost marked element that it stands in."""

    def __init__(self, body: etree._Element) -> None:
        self.runs: list[_Run] = []
        #: The first element from which on everything is the message that is answered.
        self.rest: etree._Element | None = None
        self._body = body
        self._run = _Run(role=None, root=None)
        self._root: etree._Element | None = None
        self._role: Role | None = None
        self._silent: etree._Element | None = None
        for event, element in etree.iterwalk(body, events=("start", "end")):
            if event == "start":
                self._enter(element)
            else:
                self._leave(element)
        self._break()

    def _enter(self, element: etree._Element) -> None:
        if self._root is None and (found := role_of(element)) is not None:
            self._break()
            self._root, self._role = element, found
            if found is Role.REST and self.rest is None:
                self.rest = element
        if self._silent is None and element.tag in _SILENT:
            self._silent = element
        if element.tag in BREAKS or self._root is element:
            self._break()
        self._read(element, element.text, tail=False)

    def _leave(self, element: etree._Element) -> None:
        if element.tag in BREAKS or self._root is element:
            self._break()
        if self._root is element:
            # What follows a mark such as Outlook's header belongs to the quote as well.
            self._root, self._role = None, None if self.rest is None else Role.REST
            self._break()
        if self._silent is element:
            self._silent = None
        if element is not self._body:
            self._read(element, element.tail, tail=True)

    def _break(self) -> None:
        if self._run.text.strip():
            self.runs.append(self._run)
        self._run = _Run(role=self._role, root=self._root)

    def _read(self, element: etree._Element, text: str | None, *, tail: bool) -> None:
        if text and self._silent is None:
            self._run.text += text[:LONGEST_READ]
            self._run.nodes.append((element, tail))


def _own_attributions(runs: list[_Run]) -> None:
    """A line of own text right above a quote that says who wrote it: the client did not mark it up."""
    for above, below in itertools.pairwise(runs):
        if above.role is None and below.role is Role.QUOTE:
            text = tidy(" ".join(above.text.split()))
            if attribution.introduces_marked_quote(text) and attribution.begins_like_one(text):
                above.role = Role.ATTRIBUTION


_MARKS = {
    None: Mark.TEXT,
    Role.QUOTE: Mark.QUOTE,
    Role.ATTRIBUTION: Mark.ATTRIBUTION,
    Role.FORWARDED: Mark.FORWARDED,
    Role.REST: Mark.REST,
    Role.SIGNATURE: Mark.SIGNATURE,
}


def _to_cut(runs: list[_Run]) -> list[etree._Element]:
    """The marked elements that are not shown, in document order."""
    lines: list[Line] = []
    marks: list[Mark] = []
    for run in runs:
        text = tidy(" ".join(run.text.split()))
        lines.append(Line(raw=f"{text}\n", depth=1 if run.role is Role.QUOTE else 0, body=text))
        marks.append(_MARKS[run.role])
    said = Marks(lines=lines)
    said.of = marks
    own = Mark.TEXT in marks
    if not own and any(mark in (Mark.FORWARDED, Mark.REST, Mark.SIGNATURE) for mark in marks):
        return []
    shown = quotes_to_show(said)
    kept = {id(runs[i].root) for i in shown}
    roots: list[etree._Element] = []
    for run in runs:
        cut = run.root is not None and run.role is not Role.REST and id(run.root) not in kept
        if cut and run.root is not None and (not roots or roots[-1] is not run.root):
            roots.append(run.root)
    return roots


def _says_something(runs: list[_Run]) -> bool:
    """Whether own text stands above the message that is answered."""
    for run in runs:
        if run.role in (None, Role.REST):
            return run.role is None
    return False


def _before_rest(runs: list[_Run], roots: list[etree._Element]) -> list[etree._Element]:
    above: set[int] = set()
    for run in runs:
        if run.role is Role.REST:
            break
        above.add(id(run.root))
    return [root for root in roots if id(root) in above]


def _cut(
    body: etree._Element,
    roots: list[etree._Element],
    texts: list[tuple[etree._Element, bool]],
    *,
    rest: etree._Element | None,
) -> str:
    elided: list[str] = []
    for element, tail in texts:
        elided.append(f"<p>{escape((element.tail if tail else element.text) or '')}</p>")
        if tail:
            element.tail = None
        else:
            element.text = None
    for root in roots:
        if root is rest:
            elided.extend(_cut_rest(root, body))
            break
        elided.append(_serialise(root))
        _remove(root)
    return "".join(elided)


def _cut_rest(mark: etree._Element, body: etree._Element) -> Iterator[str]:
    """Cut an element and everything after it."""
    element = mark
    first = True
    while element is not body:
        parent = element.getparent()
        if parent is None:
            return
        following = list(element.itersiblings())
        if first:
            yield _serialise(mark)
        if element.tail and element.tail.strip():
            yield f"<p>{escape(element.tail)}</p>"
        element.tail = None
        for sibling in following:
            yield _serialise(sibling, with_tail=True)
            parent.remove(sibling)
        if first:
            parent.remove(element)
        first = False
        element = parent


def _remove(element: etree._Element) -> None:
    """Take an element out and leave the text after it."""
    parent = element.getparent()
    if parent is None:
        return
    if element.tail:
        previous = element.getprevious()
        if previous is None:
            parent.text = (parent.text or "") + element.tail
        else:
            previous.tail = (previous.tail or "") + element.tail
    parent.remove(element)


def _serialise(element: etree._Element, *, with_tail: bool = False) -> str:
    text: str = etree.tostring(element, encoding="unicode", method="html", with_tail=with_tail)
    return text


def _inner(body: etree._Element) -> str:
    parts = [escape(body.text or "", quote=False)]
    parts.extend(_serialise(child, with_tail=True) for child in body)
    return re.sub(r"\s+\Z", "", "".join(parts))
