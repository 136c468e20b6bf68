"""Who takes part in the demonstration and what they say. Every text holds words of its own, by which it is found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

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


# The meeting. Days are seconds here, by the configuration alone: no clock is touched.

_DAY_SECONDS, _HOUR_SECONDS = 86_400, 3_600
#: How long before the meeting each step leaves; usually ten, seven and two days.
CALL_SECONDS, CONVOCATION_SECONDS, REMINDER_SECONDS = 54, 34, 14
#: How long entries wait for others to be told together; usually an hour.
TELL_SECONDS = 8
#: How long decisions are open to objection; usually a week.
OBJECTION_SECONDS = 4
#: From the end of the meeting to the draft; usually an hour.
DRAFT_SECONDS = 10
#: How long corrections are taken where nobody approves the minutes before; usually a week.
CORRECTIONS_SECONDS = 600
SECTIONS = {
    "register": {
        "objection_days": OBJECTION_SECONDS / _DAY_SECONDS,
        "announce_wait_minutes": TELL_SECONDS / 60,
        "announce_every_hours": 0,
    },
    "meetings": {
        "call_days": CALL_SECONDS / _DAY_SECONDS,
        "convocation_days": CONVOCATION_SECONDS / _DAY_SECONDS,
        "reminder_days": REMINDER_SECONDS / _DAY_SECONDS,
        "draft_hours": DRAFT_SECONDS / _HOUR_SECONDS,
        "corrections_days": CORRECTIONS_SECONDS / _DAY_SECONDS,
    },
}
#: Between a command and the call that it makes leave: time for a slow machine.
_SLACK_SECONDS = 10

PAUL, ANNIE = "Paul Lefebvre", "Annie Lefebvre"
TITLE = "La fête, qui fait quoi"
PLACE = french_spaces("au local de l'Épeule")
BUDGET, BENCHES = "le budget de la sono", "qui porte les bancs"


def call_for_meeting(now: datetime) -> Text:
    """What Karim says, such that there is time for every step: meetings begin at whole minutes."""
    soon = "dans une minute" if 120 - now.second >= CALL_SECONDS + _SLACK_SECONDS else "dans 2 minutes"
    return _text(KARIM, f"!réunion {soon} {PLACE} : {TITLE[0].lower()}{TITLE[1:]}", f"!réunion {soon}")


#: Whatever the minute.
KARIM_CALLS = _text(KARIM, "!réunion dans", "!réunion dans")
MONIQUE_ITEM = _text(MONIQUE, f"ordre du jour : {BUDGET}\n\nMonique", f"ordre du jour : {BUDGET}")
LEA_ITEM = _text(LEA, f"ordre du jour : {BENCHES}", f"ordre du jour : {BENCHES}")
MONIQUE_COMES = _text(MONIQUE, "Je viens.\n\nMonique", "Je viens.")
ANNIE_COUNTS_BOTH = _text(PAUL_AND_ANNIE, "Nous venons !\n\nAnnie", "Nous venons !")
KARIM_COMES = _text(KARIM, "Je viens aussi !", "Je viens aussi")
YES, NO = "✅", "❌"
KARIM_BEGINS = _text(KARIM, "!début", "!début")
LEA_PRESENT = _text(LEA, "présents : Monique, Paul, Annie, Karim et Léa", "présents : Monique, Paul")
LEA_EXCUSED = _text(LEA, "Excusée : Inès", "Excusée : Inès")
LEA_BY_PHONE = _text(LEA, "présente : Mme Hadad, par téléphone", "présente : Mme Hadad")
DECISION = french_spaces("louer la sono de la MJC pour 85 €")
ACTION = "réserver la sono"
KARIM_DECIDES = _text(KARIM, f"décision : {DECISION}", f"décision : {DECISION}")
KARIM_ACTS = _text(KARIM, f"action : @Léa {ACTION} pour samedi en huit", f"action : @Léa {ACTION}")
KARIM_ENDS = _text(KARIM, "!fin", "!fin")
PAUL_CORRECTS = _text(PAUL_AND_ANNIE, "Bonjour,\ns/Hadad/Haddad/\nMerci, Paul", "s/Hadad/Haddad/")
MONIQUE_APPROVES = _text(MONIQUE, "Approuvé.\n\nMonique", "Approuvé.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice:
    """What the bridge tells both sides: words of it in the mail to the list, and in the room."""

    in_list: str
    in_room: str


def _notice(in_list: str, in_room: str = "") -> Notice:
    return Notice(in_list=french_spaces(in_list), in_room=french_spaces(in_room or in_list))


CALL = _notice("De quoi aimeriez-vous parler ?")
CONVOCATION = _notice("Voici le jour, le lieu et le programme", "Une réaction suffit aussi")
PROPOSED = _notice("DÉCISIONS PROPOSÉES", "Décisions proposées :")
DRAFT = _notice("Il est à relire", "Compte rendu à relire :")
ADOPTED = _notice(f"{DECISION} : adoptée")
APPROVED = _notice("Voici le compte rendu approuvé", f"Compte rendu : {TITLE}")
NOTICES = {
    "l'appel à l'ordre du jour": CALL,
    "la convocation": CONVOCATION,
    "la décision proposée, l'action": PROPOSED,
    "le compte rendu à relire": DRAFT,
    "la décision adoptée": ADOPTED,
    "le compte rendu approuvé": APPROVED,
}
COMING, NOT_COMING = ("Monique", PAUL, ANNIE, "Léa", "Karim"), "Inès"
COMING_COUNT = f"{len(COMING)} personnes viennent"
MISSPELT, SPELT = "Mme Hadad", "Mme Haddad"
#: What the room alone is told: that a meeting is noted, and who comes.
MADE, TALLY = french_spaces("La convocation suivra, ici et par courriel"), french_spaces(f"{COMING_COUNT} :")
OPENED, CLOSED = "La réunion commence", "La réunion est close"
ROOM_NOTICES = {
    "la réunion est notée": MADE,
    "qui vient": TALLY,
    "la réunion commence": OPENED,
    "la réunion est close": CLOSED,
}
#: To one mailbox alone.
INVITATION = french_spaces("Un bouton de cette invitation suffit")
ASKED_WHO = french_spaces("Vous êtes plusieurs à cette adresse")
REMINDER = french_spaces("Pour ne plus recevoir de rappel")
TO_ADOPT = french_spaces("Le silence ne vaut pas accord : c'est à vous de décider")
ITEM_NOTED = french_spaces("À l'ordre du jour de la réunion 1")
CORRECTED = french_spaces("C'est corrigé : le compte rendu")
APPROVED_NOW = french_spaces("La décision 3 est adoptée")
#: The end: a wish in plain words, what confirms it, and by which words each digest is known.
LEA_WISHES = _text(LEA, "!résumé chaque jour à 8 h, dans le salon", "!résumé chaque jour")
WISH_NOTED = french_spaces("Vous recevez le résumé chaque jour. Le prochain :")
DIGEST_IN_ROOM = french_spaces("Pour changer : écrivez ici")
DIGEST_BY_MAIL = french_spaces("Voici ce qui demande l'attention de la coordination")
#: How often each of these is in which mailbox; who shares one is reminded by name.
LETTERS = {
    INVITATION: {MONIQUE: 1, PAUL_AND_ANNIE: 1},
    ASKED_WHO: {MONIQUE: 0, PAUL_AND_ANNIE: 1},
    REMINDER: {MONIQUE: 1, PAUL_AND_ANNIE: 2},
    ITEM_NOTED: {MONIQUE: 1, PAUL_AND_ANNIE: 0},
    CORRECTED: {MONIQUE: 0, PAUL_AND_ANNIE: 1},
    TO_ADOPT: {MONIQUE: 1, PAUL_AND_ANNIE: 0},
    APPROVED_NOW: {MONIQUE: 1, PAUL_AND_ANNIE: 0},
    DIGEST_BY_MAIL: {MONIQUE: 1, PAUL_AND_ANNIE: 0},
}
#: Lines of the room during the meeting, and the item of its agenda; as BY_CHAT.
BY_CHAT_IN_MEETING = {
    "le point de Léa": LEA_ITEM,
    "les présents": LEA_PRESENT,
    "l’excusée": LEA_EXCUSED,
    "Mme Haddad, au téléphone": LEA_BY_PHONE,
    "la décision": KARIM_DECIDES,
    "l’action": KARIM_ACTS,
}
#: Obeyed, so told to nobody else: in the room, and by mail to the bridge.
OBEYED_IN_ROOM = {
    "!réunion": KARIM_CALLS,
    "« Je viens aussi ! »": KARIM_COMES,
    "!début": KARIM_BEGINS,
    "!fin": KARIM_ENDS,
    "!résumé": LEA_WISHES,
}
OBEYED_BY_MAIL = {
    "le point de Monique": MONIQUE_ITEM,
    "« Nous venons ! »": ANNIE_COUNTS_BOTH,
    "la correction de Paul": PAUL_CORRECTS,
}
#: The signs that the bridge puts on lines.
SIGNS = {
    KARIM_CALLS: "✅",
    LEA_ITEM: "✅",
    KARIM_COMES: "✅",
    KARIM_BEGINS: "✅",
    LEA_PRESENT: "✅",
    LEA_EXCUSED: "✅",
    LEA_BY_PHONE: "✅",
    KARIM_DECIDES: "📌",
    KARIM_ACTS: "☑️",
    KARIM_ENDS: "✅",
    LEA_WISHES: "✅",
}
