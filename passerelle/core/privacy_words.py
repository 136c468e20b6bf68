"""What a mail to the bridge asks for about its writer's own data: « mes données », « effacer mes messages ». Pure."""

from typing import Literal

from passerelle.core.folding import words_of

PrivacyWish = Literal["access", "erase", "hide", "yes"]

#: By the whole subject or first line, folded, polite words left out; the French of members first, English beside it.
_WISHES: dict[str, PrivacyWish] = {
    "mes donnees": "access",
    "voir mes donnees": "access",
    "envoyer mes donnees": "access",
    "mes donnees personnelles": "access",
    "my data": "access",
    "effacer mes messages": "erase",
    "effacez mes messages": "erase",
    "supprimer mes messages": "erase",
    "supprimez mes messages": "erase",
    "effacer mes donnees": "erase",
    "effacez mes donnees": "erase",
    "supprimer mes donnees": "erase",
    "supprimez mes donnees": "erase",
    "supprimer mes courriels": "erase",
    "effacer tous mes messages": "erase",
    "supprimer tous mes messages": "erase",
    "effacer mes courriels": "erase",
    "erase my messages": "erase",
    "delete my messages": "erase",
    "erase my data": "erase",
    "retirer": "hide",
    "retirez": "hide",
    "retirer ce message": "hide",
    "retirer ce courriel": "hide",
    "retirer mon message": "hide",
    "retirez ce message": "hide",
    "retirer mon courriel": "hide",
    "supprimer ce message": "hide",
    "supprimez ce message": "hide",
    "supprimer mon message": "hide",
    "effacer ce message": "hide",
    "remove": "hide",
    "remove this message": "hide",
}
#: An answer that begins so says yes, unless one of these stands in it.
_YES = frozenset({"oui", "yes"})
_DOUBT = frozenset(
    {"non", "pas", "ne", "n", "mais", "sauf", "ni", "plus", "rien", "attendez", "no", "not", "but", "except"}
)
_LONGEST_YES = 6
_POLITE = frozenset(
    {"bonjour", "merci", "svp", "stp", "s'il", "il", "te", "vous", "plait", "please", "hello", "je", "veux", "voudrais"}
)
#: A first line longer than this is no command.
_LONGEST = 80


def parse_privacy_wish(subject: str, text: str) -> PrivacyWish | None:
    """What is asked for by the subject, or by the first line of the writer's own words; None where nothing is.

    `retirer` and `oui` count in the text only: under a subject that a program wrote before (« Re: … ») they are the
    answer. Accents, capitals, punctuation and polite words do not matter.

    Args:
        text: what its writer newly wrote, without quotes.
    """
    first = next((line for line in text.splitlines() if _bare(line)), "")
    wish = _WISHES.get(_bare(first))
    if wish is not None:
        return wish
    if _says_yes(first):
        return "yes"
    named = _WISHES.get(_bare(subject))
    return named if named in ("access", "erase") else None


def _says_yes(line: str) -> bool:
    """« Oui », « Oui, je confirme », « oui effacez tout »; not « oui mais … »."""
    words = _bare(line).split()
    doubts = any(word in _DOUBT or word.startswith("n'") for word in words)
    return bool(words) and words[0] in _YES and len(words) <= _LONGEST_YES and not doubts


def _bare(line: str) -> str:
    if len(line) > _LONGEST:
        return ""
    return " ".join(word for word in words_of(line) if word not in _POLITE)
