"""A cheap and sure test that most lines pass: no attribution, header block or footer can begin with this one.

The tests of those three look through regular expressions of every program and server, at each line that the author
wrote: nine tenths of the work of cutting a mail. Each test here asks for something that they cannot do without; where
it is there, they are asked. `tests/unit/mail/test_trim_plain.py` holds that nothing they recognise is spared.
"""

import re
from collections.abc import Sequence

from passerelle.mail import trim_languages as words
from passerelle.mail.trim_attribution import ends_in_verb
from passerelle.mail.trim_headers import field_of

#: Wrapped attributions reach over so many lines (`trim_attribution.length_of_attribution`).
_REACH = 7
#: Something of this stands in each line that only a list server writes (`trim_footers`), by what several of them share:
#: a text without that is not searched for each.
_OF_SERVERS = (
    ("mail", ("mailing", "ce mail", "reply to this email")),
    ("list", ("liste de di", "lista de ", "listinfo/", "framalistes.org", "listes.", "de la liste")),
    ("scri", ("subscribe", "inscri")),
    ("@", ("leave@", "-request@")),
    ("/", ("/mailman", "/postorius/", "/sympa/", "/wws/")),
    ("ce ", ("ce message", "ce courriel", "ce e")),
    ("a été ", ("a été netto", "a été enlev", "a été suppri", "a été retir")),
    ("vir", ("virus", "virenfrei")),
    ("la ", ("la charte", "lisez la faq")),
    ("r", ("renater.fr", "majordomo info", "for additional commands", "groups.", "hébergée par", "wurde ")),
    ("g", ("posting guide", "gmane.org", "view it on git")),
    ("was removed", ("was removed",)),
    *((part, (part,)) for part in ("abonn", "because", " diese ", "yahoo", "archive", "è stato ", "eliminado",
                                   "scrubbed", "avast")),
)  # fmt: skip
#: How notices of confidentiality begin, and the one line of a forwarded message that needs no punctuation.
_OPENINGS = (
    "this e", "this m", "this c", "the info", "the content", "ce message", "ce courriel", "ce mail", "ce courrier",
    "le contenu de ce", "les informations", "diese e", "diese n", "der inhalt", "confidentiality", "avis de conf",
    "disclaimer", "anfang",
)  # fmt: skip
#: What may stand behind the verb of an attribution, and around the words of a separator.
_BEHIND_A_VERB = " *_.-:："
#: How a line may end that ends in a verb, or in nothing else than such signs.
_MAY_END_A_VERB = frozenset(_BEHIND_A_VERB) | {
    last for verb in (*words.WROTE, *words.WROTE_UNSPACED) for last in (verb[-1], verb[-1].upper())
}
_COLONS = ":："
#: Around the words of a separator.
_AROUND = " :*>-_=–—"
#: Gmail's old attribution, which has no verb.
_STAMP = re.compile(r"\d{4}[-/]")
_LAST_OF_SEPARATORS = frozenset("*>-_=–—")
#: The last three letters, or all two, of « a écrit », "wrote" …
_VERB_ENDS = frozenset(verb[-3:] for verb in (*words.WROTE, *words.WROTE_UNSPACED))
_SHORT_VERB_ENDS = frozenset(verb for verb in words.WROTE_UNSPACED if len(verb) < 3)
#: How the words begin by which an attribution may: `trim_attribution.begins_like_one`.
_LEADS = frozenset(
    f"{lead}{mark}"[:2] for lead in (*words.LEADS, *words.WEEKDAYS, "在") for mark in (" ", ":", ",", ".", "")
) | {"在"}
#: An address has one of these, veiled ones too.
_FOLDED_ATS = ("@", " at ", "_at_", "(at)", "[at]")
_NOWHERE = 1 << 60


class PlainLines:
    """The lines of one mail, for the question which of them may begin something that is not the author's."""

    def __init__(self, bodies: Sequence[str], is_quoted: Sequence[bool] | None = None) -> None:
        """
        Args:
            bodies: of all lines (`trim_lines.Line.body`).
            is_quoted: which of them are; None: none is.
        """
        self._bodies = bodies
        self._folded = "\n".join(bodies).casefold().split("\n") if bodies else []
        own = self._folded
        if is_quoted is not None:
            own = [line for line, quoted in zip(own, is_quoted, strict=True) if not quoted]
        whole = "\n".join(own)
        self._of_servers = [part for shared, parts in _OF_SERVERS if shared in whole for part in parts if part in whole]
        count = len(bodies)
        #: Of each line, where the next one of its paragraph stands that may end an attribution, or hold an address.
        self._next_end = [_NOWHERE] * count
        self._next_address = self._next_end[:]
        self._look_ahead(is_quoted or [False] * count, [at for at in _FOLDED_ATS if at in whole])

    def _look_ahead(self, is_quoted: Sequence[bool], ats: Sequence[str]) -> None:
        end = address = _NOWHERE
        below = ""
        for i in range(len(self._bodies) - 1, -1, -1):
            body = self._bodies[i]
            if not body:
                # Clients wrap before "<address>" with a blank line; any other one ends an attribution.
                if below[:1] != "<":
                    end = address = _NOWHERE
            else:
                last = body[-1]
                if last in _COLONS or (
                    # Nothing else of ASCII ends a verb; of other letters, who knows how they fold.
                    (last in _MAY_END_A_VERB or last > "\x7f") and not is_quoted[i] and _ends_like_a_verb(body)
                ):
                    end = i
                for at in ats:
                    if at in self._folded[i]:
                        address = i
                        break
                self._next_end[i], self._next_address[i] = end, address
            below = body

    def begins_nothing(self, i: int) -> bool:
        """True where an attribution, a header block, a separator or a footer surely does not begin with line `i`,
        which is the author's and not blank; False says nothing."""
        body = self._bodies[i]
        begins = body[0]
        if not (begins.isalpha() or begins.isdigit()) or body[-1] in _LAST_OF_SEPARATORS or _STAMP.match(body):
            return False
        folded = self._folded[i] if len(body) <= 300 else body[:300].casefold()
        if (":" in body or "：" in body) and (
            field_of(body) is not None or folded.strip(_AROUND) in words.FORWARD_LINES
        ):
            return False
        leads = begins.isdigit() or folded[:2] in _LEADS or self._next_address[i] < i + _REACH
        if leads and self._next_end[i] < i + _REACH:
            return False
        if folded.startswith(_OPENINGS):
            return False
        for part in self._of_servers:  # noqa: SIM110 - a generator costs more than it asks
            if part in folded:
                return False
        return True


def _ends_like_a_verb(body: str) -> bool:
    bare = body.rstrip(_BEHIND_A_VERB)
    end = bare[-3:].casefold()
    if bare and end[-3:] not in _VERB_ENDS and end[-2:] not in _SHORT_VERB_ENDS:
        return False
    # « a / écrit » is wrapped; a longer line holds the whole verb, if any.
    return len(bare.split()) < 3 or ends_in_verb(body.casefold())
