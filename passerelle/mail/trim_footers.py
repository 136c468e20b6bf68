"""What servers add to a mail: list footers, scrubber notes, groups' advertisements, virus scanners, disclaimers.

The forms are those of Mailman 2 and 3, Sympa (Framalistes, RENATER), Google Groups, Yahoo Groups, ezmlm, Majordomo
and Debian's lists, in English, French and German. A list's own footer, where the configuration names it, is given as
a `FooterRule` and recognised whatever it says.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from passerelle.mail.trim_headers import is_rule

#: A footer has at most this many lines that are not blank.
MOST_LINES = 24
_NEAR = 4

#: Lines that only a list server writes.
_STRONG = re.compile(
    r"^.{0,120}\b(?:mailing list|mailing-list|liste de diffusion|liste de discussion|mailingliste|mailinglist|"
    r"lista de correo|lista de distribuição|mailing lista)(?: -- | - |: ?|, | )?(?:\S{1,90}(?:@| at )\S{1,90})?$"
    r"|\bto unsubscribe\b|\bunsubscribe (?:from|at|here|send|options)|^unsubscribe ?:|\bto (?:un)?subscribe, e-?mail"
    r"|\bunsubscribe@|[-+]leave@|[-+]unsubscribe@|\bmajordomo info\b|for additional commands, e-?mail"
    r"|\b(?:se|vous) (?:désabonner|desabonner|désinscrire|desinscrire)\b"
    r"|^(?:désabonnement|désinscription|désinscrire|désabonner|gestion de l'abonnement) ?:"
    r"|\byou(?:'re| are)? (?:received|are receiving|receive) this (?:message|e-?mail) because"
    r"|\bvous (?:recevez|avez reçu) ce (?:message|mail|courriel|e-?mail),? (?:car|parce)"
    r"|\bsie (?:erhalten|haben) diese (?:nachricht|e-?mail)(?: erhalten)?, (?:da|weil)"
    r"|\b(?:posting guide|listinfo/|/mailman3?/|/postorius/|/sympa/|/wws/|groups\.google\.com)|googlegroups\.com"
    r"|\b(?:framalistes\.org|groupes?\.renater\.fr|listes\.\S+/(?:sympa|info)|gmane\.org|yahoogroups?\.|yahoo! group)"
    r"|\bliens yahoo! groupes|-request@|\blist archives?:|^archives? (?:de la liste|:)|\bliste hébergée par"
    r"|^reply to this email directly|^you are receiving this because|\bview it on git(?:hub|lab)\b"
    r"|\bpour (?:gérer|modifier|résilier) (?:votre|ton) abonnement"
    r"|^\(?la charte (?:de la liste|des listes)|\blisez la faq de la liste"
)  # fmt: skip

#: Lines that end or begin a footer without saying anything else.
_FRAME = re.compile(r"^(?:__[._,]{3,}_+|~-~.{0,60}|-[~-]{8,}.{0,40}|--~--.{0,60}|-=-=.{0,80}|[-=_*~]{3,}|--?)$")

#: Whole paragraphs that a server adds alone.
_ALONE = re.compile(
    r"^\[non-text portions of this message have been removed\]$"
    r"|^\[les parties de ce message comportant autre chose que du texte seul ont été supprimées\]$"
    r"|^__[._,]{3,}_+$|^__,_[._,]{3,}_+$"
    r"|^cet e-?mail a été vérifié par|^l'absence de virus dans ce courrier électronique|^garanti sans virus\b"
    r"|^ce courrier électronique ne contient aucun virus|^virus-free\. |^this email has been checked for viruses"
    r"|^diese e-mail wurde von avast|^virenfrei\. "
    r"|^visitez? (?:la page|l'archive) de la liste"
)  # fmt: skip

#: Mailman's scrubber: what it writes where it took a part away.
_SCRUBBER_HEAD = re.compile(
    r"^-{6,} ?(?:next part|section suivante|partie suivante|pièce jointe|nächster teil|parte successiva|"
    r"próxima parte|volgend deel|nästa del|neste del)\b.{0,40}-{6,}$"
)
_SCRUBBED = re.compile(
    r"^(?:an?|un|une|ein|eine|der|se ha|è stato)\b.{3,120}(?:was scrubbed|was removed|a été nettoyée?|"
    r"a été enlevée?|a été supprimée?|a été retirée?|wurde (?:abgetrennt|entfernt|bereinigt|geschreddert)|"
    r"è stato (?:rimosso|filtrato)|eliminado)\b|^html attachment scrubbed and removed$"
)
_SCRUB_FIELD = re.compile(
    r"^(?:name|nom|nome|type|tipo|typ|size|taille|groesse|größe|desc|description|beschreibung|url|from|subject|"
    r"date|to|de|sujet) ?: ?.{0,300}$|^<?https?://\S{1,400}>?$"
)

#: Corporate notices: the paragraph begins so and speaks of confidentiality.
_NOTICE = re.compile(
    r"^(?:this (?:e-?mail|message|communication)|the (?:information|contents?) (?:contained )?(?:in|of) this|"
    r"ce (?:message|courriel|mail|courrier)|ce message électronique|le contenu de ce|"
    r"les informations (?:contenues|figurant)|diese (?:e-?mail|nachricht)|der inhalt dieser|"
    r"confidentiality notice|avis de confidentialité|disclaimer ?:)"
)
_NOTICE_PROOF = re.compile(r"confiden|vertraulich|destinataires? (?:désigné|exclusif|ci-dessus)|intended recipient")
_NOTICE_SECOND_PROOF = re.compile(
    r"destinataire|recipient|addressee|empfänger|pièces? jointes?|attachments?|interdit|prohibited|par erreur|in error|"
    r"irrtümlich"
)
_PLACEHOLDER = re.compile(r"%\(\w{1,40}\)s|\$\{?\w{1,40}\}?|\[% ?[\w.]{1,40} ?%\]")


@dataclass(frozen=True, kw_only=True, slots=True)
class FooterRule:
    """The footer that a link's list appends, as its list server's configuration has it."""

    #: The footer's text; `%(…)s`, `$name`, `${name}` (Mailman) and `[% … %]` (Sympa) stand for anything.
    text: str

    def length_at(self, bodies: Sequence[str]) -> int:
        """How many of `bodies`, from the first, are this footer; 0 where they are not."""
        wanted = [" ".join(line.split()) for line in self.text.splitlines() if line.strip()]
        if not wanted:
            return 0
        found = 0
        for count, body in enumerate(bodies[: len(wanted) * 3 + 2], start=1):
            if not body:
                if found == 0:
                    return 0
                continue
            if not _fits(wanted[found], " ".join(body.split())):
                return 0
            found += 1
            if found == len(wanted):
                return count
        return 0


def _fits(wanted: str, got: str) -> bool:
    """Whether `got` is `wanted` with something in its placeholders: each fixed piece in order, ends anchored."""
    pieces = _PLACEHOLDER.split(wanted)
    if len(pieces) == 1:
        return wanted == got
    if not got.startswith(pieces[0]) or not got.endswith(pieces[-1]):
        return False
    at = len(pieces[0])
    for piece in pieces[1:-1]:
        at = got.find(piece, at)
        if at < 0:
            return False
        at += len(piece)
    return at <= len(got) - len(pieces[-1])


def is_strong(body: str) -> bool:
    """A line that only a list server writes ("To unsubscribe …", « X liste de diffusion », …/listinfo/…)."""
    return len(body) >= 6 and _STRONG.search(body[:300].casefold()) is not None


def is_frame(body: str) -> bool:
    """A line that sets a footer off: a rule, "-- ", Google's and Yahoo's ornaments."""
    return is_rule(body) or body in ("-", "--", "—") or (len(body) <= 120 and _FRAME.match(body) is not None)


def scrubbed_length(bodies: Sequence[str]) -> int:
    """How many of `bodies`, from the first, are a note of Mailman's scrubber; 0 where they are not.

    The text of a following text part, which the scrubber puts below its "next part" line, is not among them.
    """
    folded = bodies[0][:300].casefold()
    at = 1
    if _SCRUBBER_HEAD.match(folded):
        if len(bodies) == 1 or not _SCRUBBED.match(bodies[1][:300].casefold()):
            return 1
        at = 2
    elif folded == "html attachment scrubbed and removed":
        return 1
    elif not _SCRUBBED.match(folded) or len(bodies) < 2 or not _SCRUB_FIELD.match(bodies[1][:300].casefold()):
        return 0
    while at < min(len(bodies), 12) and bodies[at] and _SCRUB_FIELD.match(bodies[at][:300].casefold()):
        at += 1
    return at


def footer_length(bodies: Sequence[str]) -> int:
    """How many of `bodies`, from the first, are a footer set off by a frame line, or a server's lone notice.

    :param bodies: tidied unquoted lines; the first is not blank.
    """
    folded = bodies[0][:300].casefold()
    if _ALONE.match(folded):
        return _to_end_of_paragraph(bodies)
    if _NOTICE.match(folded):
        return _notice_length(bodies)
    if is_frame(bodies[0]):
        start = 1
        near = [i for i in range(1, min(len(bodies), 12)) if bodies[i]][:_NEAR]
        return _end_of_footer(bodies, start) if any(is_strong(bodies[i]) for i in near) else 0
    if _opens_a_footer(bodies):
        return _end_of_footer(bodies, 0)
    return 0


def _opens_a_footer(bodies: Sequence[str]) -> bool:
    """A strong line without a frame is believed where the line after it is strong too, or is a bare address or link."""
    if not is_strong(bodies[0]):
        return False
    following = [body for body in bodies[1:5] if body][:2]
    bare = [b for b in following if is_strong(b) or (len(b.split()) == 1 and ("@" in b or "://" in b))]
    return bool(bare) and len(bodies[0]) <= 160


def _to_end_of_paragraph(bodies: Sequence[str]) -> int:
    for i, body in enumerate(bodies[:MOST_LINES]):
        if not body:
            return i
    return min(len(bodies), MOST_LINES)


def _notice_length(bodies: Sequence[str]) -> int:
    end = _to_end_of_paragraph(bodies)
    paragraph = " ".join(body[:300] for body in bodies[:end]).casefold()
    proven = _NOTICE_PROOF.search(paragraph) is not None and len(paragraph) > 120
    proven = proven and _NOTICE_SECOND_PROOF.search(paragraph) is not None
    rest_is_notice = all(not body or is_frame(body) or _NOTICE.match(body.casefold()) for body in bodies[end:])
    return end if proven and (rest_is_notice or len(paragraph) > 300) else 0


def _end_of_footer(bodies: Sequence[str], start: int) -> int:
    """Where the footer that begins before `start` ends: behind the last paragraph that looks like a server's."""
    end = start
    i = start
    lines = 0
    while i < len(bodies) and lines < MOST_LINES:
        if not bodies[i]:
            i += 1
            continue
        stop = i + _to_end_of_paragraph(bodies[i:])
        paragraph = bodies[i:stop]
        servers = any(is_strong(b) or "://" in b or is_frame(b) for b in paragraph)
        if not servers and end > start:
            break
        lines += stop - i
        i = end = stop
    return end
