"""A list server's notices about a mail of ours: it waits for a moderator, or was refused. Pure.

Mailman 2 and 3, Sympa and Google Groups, in French and English, word these; no header names them. The texts were
read in the servers' own templates (Mailman `list:user:notice:hold.txt`, `postheld.txt`; Sympa `message_report.tt2`,
`reject.tt2`). Sympa's refusals as delivery status notifications are `bounce.parse_bounce`'s.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from passerelle.core.email import Email
from passerelle.core.ids import MessageId
from passerelle.mail.automatic import automatic_reason
from passerelle.mail.bounce import original_message_id


class ModerationVerdict(StrEnum):
    """What the list server did with the mail (Mailman's verbs)."""

    HOLD = "hold"
    REJECT = "reject"


@dataclass(frozen=True, kw_only=True, slots=True)
class ModerationNotice:
    verdict: ModerationVerdict
    #: Subject of the mail that it is about, as the notice tells it; None where it does not.
    original_subject: str | None = None
    #: Its Message-ID, where the notice returns the mail.
    original_message_id: MessageId | None = None


_HELD = re.compile(
    r"awaits? moderator approval|(?:being held|awaiting) (?:until|moderat|approval)|held for (?:moderat|approval)"
    r"|forwarded to the moderator|waiting for (?:moderat|approval)"
    r"|atten(?:d|te).{0,40}(?:modérat|approbation|validation)|transmis.{0,20}modérateur|soumis.{0,20}modérat"
    r"|wartet auf.{0,40}(?:moderat|genehmigung)",
    re.IGNORECASE | re.DOTALL,
)
_REJECTED = re.compile(
    r"(?:message|mail|e-mail|posting|post).{0,120}(?:has been|was|been automatically) rejected"
    r"|request to mailing list .{0,120} rejected|not allowed to post to this mailing"
    r"|(?:message|courriel|demande).{0,120}(?:a été|a ete|est) (?:automatiquement )?(?:rejetée?|refusée?)"
    r"|demande à la liste de diffusion .{0,120} rejetée",
    re.IGNORECASE | re.DOTALL,
)
#: Local parts that list servers write from.
_SERVER = re.compile(
    r"(?:mailman|sympa|listmaster|majordomo|noreply|no-reply|.*[-+](?:bounces|owner|request|editor|admin|noreply)"
    r"|owner-.*)(?:\+.*)?",
    re.IGNORECASE,
)
#: The subject on a line of its own, indented (Mailman), or in parentheses (Sympa).
_INDENTED = re.compile(
    r"(?:with the subject|avec l['’]objet|avec (?:le|pour) sujet|titled|intitulée?|request)[^\n]{0,80}"
    r"\n\s{0,20}\n[ \t]{2,8}(\S[^\n]{0,500})",
    re.IGNORECASE,
)
_IN_PARENTHESES = re.compile(
    r"\((?:subject of your (?:mail|message)|sujet de votre \w+|objet de votre \w+)\s?: ([^\n]{1,500})\)", re.IGNORECASE
)
_QUOTED_TITLE = re.compile(r"(?:titled|intitulée?)\s{1,3}[\"«]\s?([^\"»\n]{1,500}?)\s?[\"»]", re.IGNORECASE)
#: A notice is short, and says what it says at once.
_LOOKED_AT = 3000


def parse_moderation_notice(email: Email) -> ModerationNotice | None:
    """What `email` says a list server did with a mail of ours, or None where it is no such notice."""
    if not _from_list_server(email):
        return None
    text = (email.text or "")[:_LOOKED_AT]
    words = f"{email.subject}\n{text}"
    if _REJECTED.search(words):
        verdict = ModerationVerdict.REJECT
    elif _HELD.search(words):
        verdict = ModerationVerdict.HOLD
    else:
        return None
    return ModerationNotice(
        verdict=verdict, original_subject=_subject(text), original_message_id=original_message_id(email)
    )


def _from_list_server(email: Email) -> bool:
    if "x-list-administrivia" in email.headers or automatic_reason(email) is not None:
        return True
    writers = [*email.from_, *([email.sender] if email.sender else [])]
    return any(_SERVER.fullmatch(writer.address.rpartition("@")[0]) for writer in writers)


def _subject(text: str) -> str | None:
    for pattern in (_QUOTED_TITLE, _IN_PARENTHESES, _INDENTED):
        if match := pattern.search(text):
            return match[1].strip()
    return None
