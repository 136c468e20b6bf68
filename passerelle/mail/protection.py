"""Signed and encrypted mails: PGP inline, PGP/MIME (RFC 3156), S/MIME (RFC 8551). Nothing is verified or decrypted.

A signed mail shows its content; the detached signature is no attachment, the untouched original keeps it. An
encrypted mail has no text; its payload is attached under the name that mail programs open.
"""

from dataclasses import dataclass

from passerelle.core.email import Protection

_BEGIN_ENCRYPTED = "-----BEGIN PGP MESSAGE-----"
_END_ENCRYPTED = "-----END PGP MESSAGE-----"
_BEGIN_SIGNED = "-----BEGIN PGP SIGNED MESSAGE-----"
_BEGIN_SIGNATURE = "\n-----BEGIN PGP SIGNATURE-----"
_END_SIGNATURE = "-----END PGP SIGNATURE-----"
SIGNATURE_TYPES = frozenset(
    {"application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"}
)
SMIME_TYPES = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
_SMIME_SIGNED = frozenset({"signed-data", "certs-only", "signed-receipt"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Unwrapped:
    """A text whose inline PGP armour was taken off."""

    text: str
    protection: Protection
    #: The armoured message, for an encrypted text.
    payload: str | None = None


def unwrap_inline_pgp(text: str) -> Unwrapped:
    """Take the armour off a text (LF line ends) that begins with it (RFC 9580 §6.2, §7).

    Armour further down is part of what its author shows (a quoted mail, an explanation) and stays.
    """
    start = len(text) - len(text.lstrip())
    if text.startswith(_BEGIN_ENCRYPTED, start):
        end = text.find(_END_ENCRYPTED, start)
        stop = len(text) if end < 0 else end + len(_END_ENCRYPTED)
        return Unwrapped(
            text=text[stop:].lstrip("\n"), protection=Protection.ENCRYPTED, payload=text[start:stop] + "\n"
        )
    if text.startswith(_BEGIN_SIGNED, start):
        return _signed(text, start)
    return Unwrapped(text=text, protection=Protection.NONE)


def _signed(text: str, start: int) -> Unwrapped:
    body = text.find("\n\n", start)
    signature = text.find(_BEGIN_SIGNATURE, start)
    if body < 0 or signature < body:
        return Unwrapped(text=text, protection=Protection.NONE)
    # RFC 9580 §7.2: dash-escaped lines.
    lines = [line.removeprefix("- ") for line in text[body + 2 : signature].split("\n")]
    end = text.find(_END_SIGNATURE, signature)
    tail = "" if end < 0 else text[end + len(_END_SIGNATURE) :].lstrip("\n")
    content = "\n".join(lines) + "\n"
    return Unwrapped(text=content + (f"\n{tail}" if tail.strip() else ""), protection=Protection.SIGNED)


def smime_protection(smime_type: str) -> Protection:
    """What an `application/pkcs7-mime` part is (RFC 8551 §3.2.2); without a `smime-type`, encrypted."""
    return Protection.SIGNED if smime_type.lower() in _SMIME_SIGNED else Protection.ENCRYPTED
