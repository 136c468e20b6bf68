"""What the bridge can be asked: one table, read by the parser, the help and the documents. Pure.

docs/commands.md and docs/fr/commandes.md are written from it (`scripts/write_docs.py`). What each command is for is
said by the catalogues, as `command_<name>`.
"""

from collections.abc import Mapping

from passerelle.core.command_row import CommandName, CommandRow, row
from passerelle.core.spoken_words import plain

COMMANDS: tuple[CommandRow, ...] = (
    row(
        "meeting",
        ("réunion | réunions", "meeting | meetings"),
        ("jour heure lieu : sujet", "day time place: topic"),
        ("réunion jeudi 18h30 au local : budget de la fête", "meeting Thursday 6:30pm at the hall: party budget"),
        may="meet",
    ),
    row(
        "assembly",
        ("assemblée | assemblée générale | ag", "assembly | general assembly | general meeting | agm"),
        ("jour heure lieu : sujet", "day time place: topic"),
        ("assemblée samedi 14h à la salle des fêtes", "assembly Saturday 2pm at the village hall"),
        may="meet",
    ),
    row(
        "agenda",
        ("ordre | ordre du jour | odj | point", "topic | topics | item"),
        ("point à ajouter", "item to add"),
        ("ordre remplacer le frigo", "topic a new fridge"),
        may="note",
    ),
    row(
        "move",
        ("déplacer | déplacez | reporter | reportez", "move | postpone"),
        ("réunion ou rappel, numéro, nouveau jour", "meeting or reminder, number, new day"),
        ("déplacer réunion 4 au jeudi 19 à 18h", "move meeting 4 to Thursday 19 at 6pm"),
        may="move",
    ),
    row(
        "cancel",
        ("annuler | annulez", "cancel"),
        ("réunion numéro, ou rappel numéro", "meeting number, or reminder number"),
        ("annuler réunion 4", "cancel meeting 4"),
        may="move",
    ),
    row(
        "dates",
        ("dates | agenda | calendrier", "dates | calendar"),
        ("", ""),
        ("dates", "dates"),
        wants="nothing",
        may="search",
    ),
    row(
        "attendance",
        ("présents | présent | présente | présentes | présences", "attendance | present"),
        ("noms, ou rien pour voir qui vient", "names, or nothing to see who comes"),
        ("présents Léa, Karim et Mme Haddad", "present Léa, Karim and Mrs Haddad"),
        may="note",
    ),
    row(
        "excuse",
        ("excusé | excusée | excusés | excusées | excuser", "excused | excuse"),
        ("noms, ou rien pour vous", "names, or nothing for yourself"),
        ("excusée Annie", "excused Annie"),
        may="note",
    ),
    row(
        "proxy",
        ("pouvoir | procuration", "proxy"),
        ("de qui à qui", "from whom to whom"),
        ("pouvoir Annie à Paul", "proxy Annie to Paul"),
        may="note",
    ),
    row(
        "start",
        ("début | commencer | ouvrir", "start | begin"),
        ("numéro de la réunion", "number of the meeting"),
        ("début", "start"),
        wants="number",
        where="room",
        may="chair",
    ),
    row("pause", ("pause", "pause | break"), ("", ""), ("pause", "break"), wants="nothing", where="room", may="chair"),
    row(
        "resume",
        ("reprise | reprendre", "go on | continue"),
        ("", ""),
        ("reprise", "go on"),
        wants="nothing",
        where="room",
        may="chair",
    ),
    row(
        "end",
        ("fin | terminer | clore", "end | close"),
        ("", ""),
        ("fin", "end"),
        wants="nothing",
        where="room",
        may="chair",
    ),
    row(
        "minutes",
        ("compte-rendu | compterendu | cr | pv | procès-verbal", "minutes"),
        ("numéro de la réunion", "number of the meeting"),
        ("compte-rendu 4", "minutes 4"),
        wants="number",
        may="search",
    ),
    row(
        "correct",
        ("corriger | correction", "correct"),
        ("s/ancien/nouveau/", "s/old/new/"),
        ("corriger s/150 €/180 €/", "correct s/€150/€180/"),
        may="correct",
    ),
    row(
        "approve",
        ("approuver | approuvez | valider", "approve"),
        ("numéro de la réunion", "number of the meeting"),
        ("approuver 4", "approve 4"),
        wants="number",
        may="approve",
    ),
    row(
        "note",
        ("noter | note | notez", "note | write down"),
        ("une ligne du registre", "a line of the register"),
        ("noter idée : un composteur au jardin", "note idea: a compost heap in the garden"),
        may="note",
    ),
    row(
        "decisions",
        ("décisions | décision", "decisions | decision"),
        ("rien pour les voir, ou une décision à proposer", "nothing to see them, or one to propose"),
        ("décision louer la salle des fêtes", "decision hire the hall"),
        may="search",
    ),
    row(
        "adopt",
        ("adopter | adoptée | adopté | adoptez", "adopt | adopted"),
        ("numéro", "number"),
        ("adopter 7", "adopt 7"),
        wants="numbers",
        may="adopt",
    ),
    row(
        "replace",
        ("remplacer | remplacez", "replace"),
        ("numéro par numéro, ou par une nouvelle décision", "number by number, or by a new decision"),
        ("remplacer 7 par 9", "replace 7 by 9"),
        may="adopt",
    ),
    row(
        "drop",
        ("abandonner | abandonnée | abandonné | abandonnez", "drop | dropped"),
        ("numéro", "number"),
        ("abandonner 7", "drop 7"),
        wants="numbers",
        may="adopt",
    ),
    row(
        "review",
        ("revoir | réexaminer", "review"),
        ("numéro et jour", "number and day"),
        ("revoir 7 le 3 mars", "review 7 on 3 March"),
        may="adopt",
    ),
    row(
        "object",
        ("objection | opposition", "objection | object"),
        ("numéro : raison", "number: reason"),
        ("objection 7 : c'est trop cher", "objection 7: too expensive"),
        may="object",
    ),
    row(
        "withdraw",
        (
            "retirer objection | retirer mon objection | retirer l'objection | lever objection | lever l'objection"
            " | lever mon objection",
            "withdraw | withdraw objection | withdraw my objection",
        ),
        ("numéro", "number"),
        ("retirer objection 7", "withdraw objection 7"),
        wants="numbers",
        may="withdraw",
    ),
    row(
        "actions",
        ("actions | action | à faire | tâches | tâche", "actions | action | todo"),
        ("rien pour les voir, ou une action à noter", "nothing to see them, or one to note"),
        ("action @Léa relancer la mairie pour le 12/11", "action @Léa call the town hall by 12 November"),
        may="search",
    ),
    row(
        "done",
        ("fait | faite | faits | faites", "done"),
        ("numéros", "numbers"),
        ("fait 12 et 14", "done 12 and 14"),
        wants="numbers",
        may="finish",
    ),
    row(
        "loans",
        ("prêts | prêt", "loans | loan"),
        ("rien pour les voir, ou un prêt à noter", "nothing to see them, or one to note"),
        ("prêt vidéoprojecteur à Karim jusqu'au 3 mars", "loan projector to Karim until 3 March"),
        may="search",
    ),
    row(
        "returned",
        ("rendu | rendue | rendus | rendues", "returned"),
        ("numéro, ou la chose", "number, or the thing"),
        ("rendu vidéoprojecteur", "returned projector"),
        may="finish",
    ),
    row(
        "bookings",
        ("réservations | réservation | réserver", "bookings | booking | book"),
        ("rien pour les voir, ou la chose et le jour", "nothing to see them, or the thing and the day"),
        ("réserver grande salle le 14 mars 14h-17h", "book large hall 14 March 2pm-5pm"),
        may="search",
    ),
    row(
        "remind",
        (
            "rappel | rappeler | rappelle-moi | rappelez-moi | rappelez-nous",
            "remind | reminder | remind me | remind us",
        ),
        ("à qui, jour, heure, quoi", "whom, day, time, what"),
        ("rappel jeudi 9h apporter les clés", "remind Thursday 9am bring the keys"),
        may="remind",
    ),
    row(
        "reminders",
        ("rappels", "reminders"),
        ("", ""),
        ("rappels", "reminders"),
        wants="nothing",
        may="search",
    ),
    row(
        "quiet",
        ("silence | plus de rappel | plus de rappels", "quiet | no reminders | no more reminders"),
        ("numéro de la réunion", "number of the meeting"),
        ("silence", "quiet"),
        wants="number",
    ),
    row(
        "search",
        ("cherche | chercher | cherchez | recherche", "search | find"),
        ("mots", "words"),
        ("cherche fête des voisins", "search street party"),
        may="search",
    ),
    row("link", ("lien", "link"), ("", ""), ("lien", "link"), wants="nothing", where="room"),
    row(
        "catch_up",
        ("rattrapage | rattraper", "catch up | catchup"),
        ("depuis mardi, depuis le 3 mars, depuis le début", "since Tuesday, since 3 March, since the beginning"),
        ("rattrapage depuis mardi", "catch up since Tuesday"),
        may="search",
    ),
    row(
        "digest",
        ("résumé | résumés | tout en un", "digest | digests | all in one"),
        (
            "rythme : hebdomadaire, chaque jour, lundi et jeudi, quinzaine, chaque mois",
            "rhythm: weekly, daily, Monday and Thursday, fortnightly, monthly",
        ),
        ("résumé hebdomadaire", "digest weekly"),
        may="remind",
    ),
    row(
        "digest_pause",
        ("pause résumé | pause du résumé | pause des résumés", "pause digest | pause digests"),
        ("durée, ou jusqu'à quel jour", "how long, or until which day"),
        ("pause résumé 2 semaines", "pause digest 2 weeks"),
        may="search",
    ),
    row(
        "digest_resume",
        ("reprendre résumé | reprendre le résumé | reprendre les résumés", "resume digest | resume digests"),
        ("", ""),
        ("reprendre résumé", "resume digest"),
        wants="nothing",
        may="search",
    ),
    row(
        "digest_stop",
        ("stop | stop résumé | stop résumés | plus de résumé", "stop | stop digest | no more digests"),
        ("", ""),
        ("stop", "stop"),
        wants="nothing",
        may="search",
    ),
    row(
        "fiche",
        ("fiche | fiches", "sheet | sheets | experience"),
        (
            "réunion et numéro, #mot, ou rien en réponse à un message",
            "meeting and number, #tag, or nothing in reply to a message",
        ),
        ("fiche réunion 4", "sheet meeting 4"),
        may="search",
    ),
    row(
        "fiche_publish",
        ("publier fiche | publier la fiche", "publish sheet | publish the sheet"),
        ("numéro, et « dans le réseau » si elle sort de l'association", "number, and whether in the network"),
        ("publier fiche 3", "publish sheet 3"),
        may="approve",
    ),
    row(
        "fiche_withdraw",
        ("retirer fiche | retirer la fiche", "withdraw sheet | withdraw the sheet"),
        ("numéro", "number"),
        ("retirer fiche 3", "withdraw sheet 3"),
        may="approve",
    ),
    row(
        "fiche_disagree",
        ("retirer mon accord | retirer accord", "withdraw my agreement | withdraw agreement"),
        ("numéro", "number"),
        ("retirer mon accord fiche 3", "withdraw my agreement sheet 3"),
    ),
    row(
        "offers",
        ("offres | offres d'aide | qui peut aider", "offers | who can help"),
        ("", ""),
        ("offres", "offers"),
        wants="nothing",
        may="search",
    ),
    row(
        "first_name",
        ("mon prénom | prénom", "my first name | first name"),
        ("oui ou non : sur la feuille affichée", "yes or no: on the notice board's sheet"),
        ("mon prénom : oui", "my first name: yes"),
        may="consent",
    ),
    row(
        "help",
        ("aide | commandes", "help | commands"),
        ("un mot, ou rien", "a word, or nothing"),
        ("aide réunion", "help meeting"),
    ),
)

_BY_NAME: Mapping[CommandName, CommandRow] = {row.name: row for row in COMMANDS}
#: Each command's words as `plain` spells them, and how they are written.
WORDS: Mapping[str, tuple[CommandName, str]] = {
    plain(word): (row.name, word) for row in reversed(COMMANDS) for word in (*row.english, *row.french)
}
#: Of these commands a word in the singular, with words behind it, notes something; in the plural it only lists.
NOTING: Mapping[str, str] = {
    plain(word): word
    for word in (
        "décision", "decision", "action", "à faire", "tâche", "todo", "prêt", "loan", "réservation", "réserver",
        "booking", "book",
    )
}  # fmt: skip


def row_of(name: CommandName) -> CommandRow:
    """The row of a command."""
    return _BY_NAME[name]


def is_english(word: str) -> bool:
    """Whether a command's word is English and not French as well."""
    found = WORDS.get(plain(word))
    return found is not None and plain(word) not in map(plain, row_of(found[0]).french)


def example_of(row: CommandRow, word: str) -> str:
    """The example of a command in the language of one of its words."""
    return row.example_english if is_english(word) else row.example_french
