"""Polite words around what was said: greetings, thanks, good wishes, a first name as a signature. Pure."""

import re

from passerelle.core.phrases import Phrases
from passerelle.core.said_names import is_proper_name, names_in
from passerelle.core.spoken_words import bare_words

#: A longer last line is no signature.
_LONGEST_SIGNATURE = 40
_LONGEST_PHRASE = 200
_MOST_FILLERS = 3

#: A capital behind a greeting is a name, unless it begins what is said.
_BEGINNINGS = (
    r"Oui|Non|Je|J['’]|Nous|On|Ok|OK|D['’]accord|Objection|Présent|Excus|Absent|Fait|C['’]est|Pas|Merci|Yes|No|I"
)
_WORD_OF_GREETING = (
    r"(?i:tous|toutes|tout le monde|amis|amies|ami|amie|all|et|monsieur|madame)\b"
    rf"|(?!(?:{_BEGINNINGS})\b)[A-ZÀ-Ý][\w'’.\-]*"
)
_GREETING = re.compile(
    r"\s{0,20}(?i:bonjour|bonsoir|salut|coucou|hello|hi|hey|dear|chère?s?|chers?)\b"
    rf"(?:(?:[ \u00a0]|, (?=à tou))(?:à\s)?(?:{_WORD_OF_GREETING})){{0,6}}[\s,!.:–—-]{{0,9}}"
)
_SLOTS = {
    "you": "a (toi|vous|tous|toutes|toutes et tous|toutes et a tous|tout le monde)",
    "day": "(lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|demain|ce soir) [soir|matin|donc|alors|prochain]",
}
#: Whole sentences or clauses that say nothing.
_POLITE = Phrases(
    """
    (merci|thanks|thank you) [beaucoup|bien|infiniment|d'avance|encore|par avance] [{you}]
    (merci|thanks|thank you) [beaucoup|bien|encore] (pour|for) …
    (bonne|belle|bon|excellente) [fin de] (journee|soiree|semaine|matinee|apres midi|nuit|annee) [{you}]
    (bonne|bon|bonnes|joyeuses) (reception|continuation|courage|dimanche|week end|weekend|vacances|fetes) [{you}]
    [bien|tres] (cordialement|amicalement|chaleureusement|sincerement|respectueusement|fraternellement) [{you}]
    bien {you}
    [grosses|mes|meilleures] (bises|bisous|amities|salutations|pensees) [{you}]
    a (bientot|plus|plus tard|tout a l'heure|tout de suite|tres vite|tres bientot|la prochaine|{day})
    au revoir
    au plaisir [de vous voir|de vous revoir|de se voir]
    (s'il vous plait|s'il te plait|svp|stp|please|je vous remercie|je vous en remercie)
    (bonjour|bonsoir|salut|coucou) [{you}]
    [je suis|nous sommes|vraiment] (desole|desolee|desoles|desolees|navre|navree)
    (pardon|helas|malheureusement|sorry)
    (regards|best|best regards|kind regards|cheers|see you|see you soon|see you then|see you there)
    (envoye de|envoye depuis|sent from) …
    (voila|super|parfait|genial|chouette|bravo|tres bien|bien recu|bien note|c'est note|great|good|fine)
    """,
    _SLOTS,
)
#: What may stand before what is said, in the same clause.
_FILLERS = re.compile(
    r"(?:alors|donc|eh bien|et bien|bon|bien|finalement|helas|malheureusement|desolee?s?|pardon|ah|oh|euh|super"
    r"|chouette|genial|merci|du coup|pour info|pour ma part|de mon cote|de notre cote|quant a moi|sorry|well"
    r"|unfortunately|so) (?=\S)"
)
#: At the end of a command, behind what it says.
_THANKS = re.compile(
    r"[ ,;.!]{0,9}\b(?:et )?(?:(?:un grand )?merci(?: beaucoup| bien| d['’]avance| par avance)?"
    r"|s['’]il (?:vous|te) pla[iî]t|svp|stp|please|thanks|thank you|bonne journée)[ .!]{0,9}$",
    re.IGNORECASE,
)
_FACES = re.compile(r"(?:[:;]-?[)(DPp]|<3|\^\^)(?=\s|$)")
_AND_WISHES = re.compile(r"\s(?:et|and)\s(?=bon|bel|merci|a |bise|thank)")


def without_greeting(text: str) -> str:
    """`text` without « Bonjour Monique, » at its beginning."""
    found = _GREETING.match(text)
    return text[found.end() :] if found else text


def without_thanks(text: str) -> str:
    """A short `text` without « merci », « s'il vous plaît » at its end; a longer one as it is."""
    if len(text) > _LONGEST_PHRASE:
        return text
    for _ in range(_MOST_FILLERS):
        text = _THANKS.sub("", text)
    return text


def is_polite(text: str) -> bool:
    """Whether a sentence or clause only is polite: « Merci beaucoup », « Bonne journée à tous », « :-) »."""
    words = bare_words(_FACES.sub(" ", text[:_LONGEST_PHRASE]))
    return not words or all(_POLITE.match(piece) for piece in _AND_WISHES.split(words))


def without_fillers(words: str) -> str:
    """Bare words without those that only lead to what is said: « alors », « finalement », « désolée »."""
    for _ in range(_MOST_FILLERS):
        found = _FILLERS.match(words)
        if not found:
            return words
        words = words[found.end() :]
    return words


def signature_of(line: str) -> str:
    """The names that the last line of a mail is: « Léa », « Annie et Paul »; "" where it is none."""
    last = line.strip(" \t\u00a0.!-–—*_~")
    names = names_in(last)
    fits = 0 < len(last) <= _LONGEST_SIGNATURE and bool(names) and all(map(is_proper_name, names))
    return last if fits and not is_polite(last) else ""
