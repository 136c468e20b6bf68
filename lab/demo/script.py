"""Who takes part in the demonstration and what they say. Every text holds words of its own, by which it is found."""

from __future__ import annotations

from dataclasses import dataclass

from lab.association import AssociationPlan
from passerelle.core.wording import french_spaces

QUIET_SECONDS = 5
MONIQUE, PAUL_AND_ANNIE = "monique", "paul.annie"
LEA, KARIM, INES = "lea", "karim", "ines"
PLAN = AssociationPlan(
    name="Comité de quartier de l’Épeule",
    list_name="bureau",
    mail_members={MONIQUE: "Monique Delattre", PAUL_AND_ANNIE: "Paul et Annie Lefebvre"},
    chat_members={LEA: "Léa", KARIM: "Karim", INES: "Inès"},
    room_options={"room_alias_name": "epeule"},
)
REACTION = "👍"


@dataclass(frozen=True, kw_only=True, slots=True)
class Text:
    """What somebody says: the whole, and those of its words that stand nowhere else."""

    author: str
    text: str
    words: str


def _text(author: str, text: str, words: str) -> Text:
    said = Text(author=author, text=french_spaces(text), words=french_spaces(words))
    assert " ".join(said.words.split()) in " ".join(said.text.split()), words
    return said


EARLY = _text(KARIM, "Ça y est, ça marche ? Quelqu'un me lit ?", "ça marche ? Quelqu'un me lit")

QUESTION_SUBJECT = "L’affiche de la fête"
QUESTION = _text(
    MONIQUE,
    """\
Bonjour à tous,

Voici l'affiche pour la fête des voisins du samedi 12 juin.
Qui peut tenir la buvette, de 14 h à 18 h ?

Amitiés,
Monique
""",
    "Qui peut tenir la buvette",
)

LEA_OFFERS = _text(LEA, "Elle est super, l'affiche ! Je prends la buvette de 14 h à 16 h.", "Je prends la buvette")
KARIM_OFFERS = _text(KARIM, "Et moi de 16 h à 18 h. J'apporte deux tables et la rallonge.", "J'apporte deux tables")
LEA_COUNTS = _text(LEA, "Il faudra 30 gobelets, comme l'an dernier.", "Il faudra 30 gobelets")
LEA_CORRECTS = _text(LEA, "Il faudra 300 gobelets, comme l'an dernier.", "Il faudra 300 gobelets")
INES_ASIDE = _text(INES, "// Karim, tu me rapportes mon casque de vélo ?", "mon casque de vélo")
KARIM_REGRETS = _text(KARIM, "Le traiteur nous fait 20 %, mais ne le répétez pas…", "Le traiteur nous fait 20 %")

PAUL_ANSWERS = _text(
    PAUL_AND_ANNIE,
    """\
Pour les gobelets, il reste 85 € au budget : j'en commande 300 lavables.
Léa, garde bien le ticket de caisse.

Paul
""",
    "garde bien le ticket de caisse",
)
PAUL_SIGNATURE = _text(
    PAUL_AND_ANNIE,
    """\
Paul Lefebvre
Trésorier, tél. 03 20 00 00 00
« La cotisation se règle avant Pâques ! »
""",
    "La cotisation se règle avant Pâques",
)
ANNIE_ANSWERS = _text(
    PAUL_AND_ANNIE,
    """\
Et moi, je ferai trois tartes au maroilles.

Annie
""",
    "trois tartes au maroilles",
)

KARIM_PLANS = _text(KARIM, "Voilà où je mettrais les tables.", "où je mettrais les tables")
INES_ASKS = _text(INES, "Au fait, qui a la clé du local ?", "qui a la clé du local")
MONIQUE_KEY = _text(
    MONIQUE,
    """\
La clé est chez Mme Haddad, au n° 12. Passez la voir, elle sera contente.

Monique
""",
    "La clé est chez Mme Haddad",
)
POSTER_NAME, TABLES_NAME = "affiche-de-la-fete.png", "plan-des-tables.png"

#: By mail, in the order in which they are said; each must stand in the room once.
BY_MAIL = {
    "la question de Monique": QUESTION,
    "la réponse de Paul": PAUL_ANSWERS,
    "la réponse d’Annie": ANNIE_ANSWERS,
    "la clé, par Monique": MONIQUE_KEY,
}
#: In the room; each must stand in every mailbox of the list once.
BY_CHAT = {
    "la ligne de Léa": LEA_OFFERS,
    "la ligne de Karim": KARIM_OFFERS,
    "la correction de Léa": LEA_CORRECTS,
    "le plan de Karim": KARIM_PLANS,
    "la question d’Inès": INES_ASKS,
}
#: Must stand in no mailbox, in no form.
NEVER_BY_MAIL = {
    "ce qui fut dit avant l’accord": EARLY,
    "la première version, corrigée": LEA_COUNTS,
    "le message repris": KARIM_REGRETS,
    "la ligne //": INES_ASIDE,
}
