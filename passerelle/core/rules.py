"""Whether an email of a list goes to the room: one rule, one function, one line of the table at the end.

Verdicts are Mailman's verbs. The first rule that says something decides.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Action = Literal["accept", "discard", "reject", "hold"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What is known of an email when it is judged; gathered by the flow, so that judging stays pure."""

    #: It is one that we sent, by the table or by our keyed hash (never by its Message-ID's look, which anyone forges).
    own: bool = False
    #: `automatic_reason` of the email, "" for a human's.
    automatic: str = ""
    spam: bool = False
    #: Not read whole, because it is over the limit.
    too_large: bool = False
    #: The same post was accepted on this link before.
    duplicate: bool = False
    #: Consent of both sides was confirmed before it arrived.
    consented: bool = True
    #: The link is stopped (a public room, a blown fuse, by hand).
    link_stopped: bool = False
    #: The thread's fuse is blown.
    thread_stopped: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What to do, why, and whether the author is told (once, privately, and only a human)."""

    action: Action
    reason: str = ""
    tell_author: bool = False


ACCEPT = Verdict(action="accept")


def own_email_comes_back(facts: Facts) -> Verdict | None:
    """An email of ours that the list gives back is proof of delivery, nothing more."""
    return Verdict(action="discard", reason="own") if facts.own else None


def before_consent(facts: Facts) -> Verdict | None:
    """Nothing is relayed that was written before both sides were told (PEOPLE 2)."""
    return None if facts.consented else Verdict(action="discard", reason="before_consent")


def stopped_link(facts: Facts) -> Verdict | None:
    """A stopped link keeps what arrives until a coordinator lets it go on."""
    return Verdict(action="hold", reason="link_stopped") if facts.link_stopped else None


def spam(facts: Facts) -> Verdict | None:
    """Spam marked by the receiving server; its sender is never answered."""
    return Verdict(action="discard", reason="spam") if facts.spam else None


def automatic(facts: Facts) -> Verdict | None:
    """Auto-replies and delivery reports (RFC 3834, RFC 3464); never because of Precedence: list or List-Id."""
    return Verdict(action="discard", reason=f"automatic_{facts.automatic}") if facts.automatic else None


def too_large(facts: Facts) -> Verdict | None:
    """Over the link's limit: its author is told what to do."""
    return Verdict(action="reject", reason="too_large", tell_author=True) if facts.too_large else None


def duplicate(facts: Facts) -> Verdict | None:
    """The same post again on the same link."""
    return Verdict(action="discard", reason="duplicate") if facts.duplicate else None


def blown_fuse(facts: Facts) -> Verdict | None:
    """A thread that looks like a loop stopped; a human decides."""
    return Verdict(action="hold", reason="thread_stopped") if facts.thread_stopped else None


#: In this order.
RULES: tuple[Callable[[Facts], Verdict | None], ...] = (
    own_email_comes_back,
    before_consent,
    stopped_link,
    spam,
    automatic,
    too_large,
    duplicate,
    blown_fuse,
)


def judge(facts: Facts) -> Verdict:
    """The verdict on an email of a list."""
    for rule in RULES:
        verdict = rule(facts)
        if verdict is not None:
            return verdict
    return ACCEPT
