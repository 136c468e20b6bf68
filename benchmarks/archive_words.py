"""Words for made-up French mails: sentences of an association's life, and a vocabulary as large as a real archive's.

A real archive has tens of thousands of word forms, few of them often (Zipf's law): what a search index costs depends on
it. The forms are made of French beginnings, middles and endings, so that a French stemmer has its usual work.
"""

from __future__ import annotations

import random
from functools import lru_cache
from itertools import accumulate, product


def _cut(words: str) -> tuple[str, ...]:
    return tuple(words.split())


_FREQUENT = _cut("""
    de la le et les à des en un du une que est pour qui dans a par plus pas au sur ne se ce il sont avec son
    nous vous je on mais ou où tout bien leur même aussi cette ces été fait comme si sans peut deux être avons
    avez faire nos vos notre votre très après avant encore entre quand chez merci bonjour réunion association
    local prochain semaine bureau trésorier subvention cotisation atelier quartier salle clés dimanche lundi
    mardi jeudi vendredi samedi matin soir heures compte rendu liste courrier mairie projet budget facture devis
    adhérents bénévoles fête repas événement œuvre cœur harmonie l’assemblée d’accord c’est qu’il n’est j’ai
    l’association aujourd’hui peut-être
""")
_BEGINNINGS = _cut("""
    a ac ad affi al ambi an ap ar as at bal bar bé bi bou bra ca cal can car ce cha che cir cla co col com con
    cor cou cri cu dé des di do dra du é ef em en ex fa fer fi fla fo for fra ga gé gla gou gra gui ha hé ho im
    in jar jeu jou la lé li lo lu ma mar mé mi mo mou mu na né no nou o ob op or pa par pé per pi pla po por pré
    pro qua ra ré ri ro sa sal sé si so sou sta su sur ta té ti to tour tra tri u va vé vi vo
""")
_MIDDLES = _cut("""
    b bl br c ch cl cr d dr f fl fr g gl gn gr j l ll m mb mp n nc nd nt p pl pr qu r rch rd rm rn rr rt rv s sc
    sp ss st str t tr v vr x
""")
_ENDINGS = _cut("""
    e es er ers é ée és ées ait aient ant ante antes ation ations ement ements eur eurs euse euses ier ière iers
    ières able ables ible ibles if ive ifs ives ique iques ité ités age ages ance ances ence iste istes isme oir
    oire eux ons ez era eront erait ir ie ies ure ures elle elles ette al ale aux
""")
VOCABULARY_SIZE = 60_000

SENTENCES = (
    "Je vous propose de nous retrouver jeudi à 18 h 30 au local de l’Épeule pour préparer la fête de quartier.",
    "La mairie nous a répondu : la salle est libre le samedi 14, mais il faut rendre les clés le dimanche soir.",
    "Quelqu’un a-t-il gardé le double de la facture du traiteur ? Il me manque cette pièce pour les comptes.",
    "Le compte rendu de la dernière réunion est en pièce jointe, merci de me dire s’il manque quelque chose.",
    "Nous avons reçu trois devis pour la réparation du chauffage, le moins cher est à 1 250 € tout compris.",
    "Les cotisations de l’année sont presque toutes rentrées, il reste sept personnes à relancer.",
    "Pour l’atelier cuisine de mercredi, il nous faudrait encore deux bénévoles et une grande marmite.",
    "Je ne pourrai pas être là, mais je donne mon pouvoir à Annie pour le vote du budget.",
    "Est-ce que l’association peut prêter la sono à l’école pour la kermesse du mois de juin ?",
    "Merci à toutes et à tous pour votre aide, la soirée a été une vraie réussite malgré la pluie.",
    "Il faudrait relire la demande de subvention avant vendredi, le dossier part par la poste.",
    "La chorale répète désormais le mardi, l’harmonie garde la grande salle le jeudi.",
    "D’accord pour la date, mais je propose de commencer une demi-heure plus tard à cause du bus.",
    "Le cœur du projet reste le jardin partagé ; le reste peut attendre le printemps.",
    "Pensez à apporter vos verres et vos couverts, nous essayons de ne plus acheter de vaisselle jetable.",
    "J’ai eu Mme Haddad au téléphone, elle viendra avec sa sœur et demande si la salle est chauffée.",
    "Le site de la ville annonce les mêmes événements que nous, il faudra s’entendre sur le calendrier.",
    "Voici la liste des œuvres exposées, dites-moi si l’ordre d’accrochage vous convient.",
    "On m’a demandé si les réunions du bureau étaient ouvertes aux adhérents : je réponds oui, comme toujours.",
    "Je m’occupe de l’affiche, Karim de l’impression, il reste à trouver qui la distribue dans les commerces.",
    "La personne de la CAF passera la semaine prochaine pour voir comment se déroulent les ateliers.",
    "Pour mémoire, l’assurance couvre le matériel prêté à condition qu’un bulletin de prêt soit signé.",
    "Qui peut garder les enfants pendant l’assemblée générale ? L’an dernier nous étions trois.",
    "Je n’ai rien contre l’idée, mais qui paiera l’essence et qui conduira la camionnette ?",
)
SUBJECTS = (
    "Réunion du bureau de {mois}", "Fête de quartier : qui fait quoi ?", "Les clés du local", "Subvention {nom}",
    "Compte rendu du {jour} {mois}", "Atelier {nom}", "Devis pour {nom}", "Appel à bénévoles : {nom}", "Cotisations",
    "Assemblée générale de {mois}", "Prêt de la sono", "Sortie à {nom} le {jour} {mois}", "Question sur {nom}",
    "Affiche {nom}", "Le chauffage, encore", "Bourse aux vêtements", "Convocation : {nom}", "Photos de {nom}",
)  # fmt: skip
MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre",
    "décembre",
)  # fmt: skip
FIRST_NAMES = _cut("""
    Monique Paul Annie Léa Karim Fatima Jean-Pierre Françoise Gérard Chloé Étienne Noémie René Hélène Benoît
    Inès Joël Aurélie Mohamed Zoé Cécile Loïc Émilie André Sylvie Thomas Nadia Bernard Agnès Yves
""")
LAST_NAMES = _cut("""
    Delattre Haddad Lefèvre Vandamme Benali Dupont Müller Gonçalves Carpentier Leroy Pruvost Bétourné Delannoy
    Martin Nguyen Caron Wattel Lemaître Hénin Fournier Dubois Cœur Péroche Salmon Traoré Duquesne Flament
    Boulanger
""")


class Vocabulary:
    """Word forms, the most frequent first. The same seed gives the same words in the same order."""

    def __init__(self, *, seed: int, size: int = VOCABULARY_SIZE) -> None:
        rng = random.Random(seed)
        made = ["".join(parts) for parts in product(_BEGINNINGS, _MIDDLES, _ENDINGS)]
        longer = [b + m + "".join(rng.choice(_BEGINNINGS)) + rng.choice(_MIDDLES) + rng.choice(_ENDINGS)
                  for b, m in rng.choices(list(product(_BEGINNINGS, _MIDDLES)), k=size // 2)]  # fmt: skip
        others = list(dict.fromkeys(rng.sample(made, size // 2) + longer))
        rng.shuffle(others)
        self.words: tuple[str, ...] = tuple(dict.fromkeys([*_FREQUENT, *others]))[:size]
        self.cumulated = list(accumulate((rank + 2.7) ** -1.08 for rank in range(len(self.words))))

    def draw(self, rng: random.Random, count: int) -> list[str]:
        """`count` words as they come in a text: the frequent ones often."""
        return rng.choices(self.words, cum_weights=self.cumulated, k=count)


@lru_cache(maxsize=4)
def vocabulary(seed: int) -> Vocabulary:
    """The vocabulary of a seed, made once."""
    return Vocabulary(seed=seed)
