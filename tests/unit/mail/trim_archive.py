"""A made-up list archive: every combination of how clients quote, where people answer and what servers append.

Each mail comes with the truth about each of its lines, so that what is lost and what is left can be counted the way
archives are judged: words of the author lost, quoted lines, attribution lines and footers left.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle

QUOTED = [
    "Bonjour à tous,",
    "",
    "Le barnum de l'association est chez Paul depuis la dernière fête, il faudrait",
    "que quelqu'un aille le chercher avant samedi.",
    "",
    "Qui peut s'en occuper, et qui a une remorque assez longue ?",
    "",
    "Pour la buvette, j'ai demandé trois devis à la brasserie du coin.",
    "",
    "Bonne semaine,",
    "Jean",
]
QUOTED_TAIL = [
    "-- ",
    "Jean Dupont, secrétaire du comité",
    "_______________________________________________",
    "Comite mailing list",
    "Comite@listes.exemple.org",
    "https://listes.exemple.org/listinfo/comite",
]
ANSWERS = [
    ["Bonjour Jean,", "", "J'ai une remorque, je passe chez Paul vendredi soir.", "", "Léa"],
    ["Oui, moi !"],
    ["Le 12 mars nous avons vu avec la mairie que la place serait libre dès 8 h.", "Il faut donc venir tôt."],
    ["Salut,", "", "Je ne suis pas d'accord : Paul m'a écrit qu'il partait jeudi.", "Cordialement,", "Marie Martin"],
    ["+1"],
    ["- la remorque : d'accord", "- la buvette : attendons le troisième devis", "- le barnum : je m'en charge"],
    ["De toute façon, à mon avis, il pleuvra.", "Le barnum sera utile : prenons les deux."],
    ["Voir https://agenda.exemple.org/fete ou écrire à fete@exemple.org :", "c'est là que sont les horaires."],
    ["Merci.", "", "PS : qui a les clés du local ?"],
    ["OK pour 14:30.", "On a écrit au maire le 3 mars 2025 à 10:00, et il a répondu :", "« venez quand vous voulez »."],
]
ATTRIBUTIONS = [
    ["Le lun. 3 mars 2025 à 14:05, Jean Dupont <jean.dupont@exemple.fr> a écrit :"],
    ["Le 03/03/2025 à 14:05, Jean Dupont a écrit :"],
    ["Le 03/03/2025 14:05, Jean Dupont a écrit :"],
    ["Le 3 mars 2025 à 14:05, Jean Dupont <jean.dupont@exemple.fr> a écrit :"],
    ["Le lundi 03 mars 2025 à 14:05 +0100, Jean Dupont a écrit :"],
    ["Le lun. 3 mars 2025 à 14:05, Jean Dupont via Comite <", "comite@listes.exemple.org> a écrit :"],
    ["Le lun. 3 mars 2025 à 14:05, Jean Dupont <jean.dupont@exemple.fr> a", "écrit :"],
    ["Le lun. 3 mars 2025 à 14:05, Association des amis du quartier des Lilas", "<amis@exemple.fr> a écrit :"],
    ["Jean Dupont a écrit :"],
    ["Jean Dupont a écrit, le 03/03/2025 14:05 :"],
    ["Le Mon, 3 Mar 2025 14:05:11 +0100,", "Jean Dupont <jean.dupont@exemple.fr> a écrit :"],
    ["Le Monday 03 March 2025 14:05:11, Jean Dupont a écrit :"],
    ["Selon Jean Dupont <jean.dupont@exemple.fr>:"],
    ["En réponse à Jean Dupont <jean.dupont@exemple.fr>:"],
    ["Dans un message daté du 03/03/2025 14:05:11 Paris, Madrid, jean@exemple.fr a écrit :"],
    ["jean dupont at exemple.fr a écrit :"],
    ["Jean Dupont <jean.dupont at exemple.fr> a écrit :"],
    ["On Mon, Mar 3, 2025 at 2:05 PM Jean Dupont <jean.dupont@exemple.fr> wrote:"],
    ["On Mon, Mar 3, 2025 at 2:05 PM Jean Dupont <jean.dupont@exemple.fr>", "wrote:"],
    ["On 03/03/2025 14:05, Jean Dupont wrote:"],
    ["On 03/03/2025 2:05 PM, Jean Dupont wrote:"],
    ["On Mon, Mar 03, 2025 at 02:05:11PM +0100, Jean Dupont wrote:"],
    ["Jean Dupont wrote:"],
    ["* Jean Dupont <jean.dupont@exemple.fr> [2025-03-03 14:05]:"],
    ["Am 03.03.25 um 14:05 schrieb Jean Dupont:"],
    ["2025-03-03 14:05 GMT+01:00 Jean Dupont <jean.dupont@exemple.fr>:"],
    ["Quoting Jean Dupont <jean.dupont@exemple.fr>:"],
    ["[2025-03-03 14:05] Jean Dupont <jean.dupont@exemple.fr> :"],
    ["Jean Dupont nous disait :"],
    ["Le 3 mars 2025 14:05, \"Jean Dupont\" <jean.dupont@exemple.fr> a écrit :"],
    ["Quelqu'un (Jean Dupont ?) a écrit :"],
    ["Jean Dupont, le lun. 03 mars 2025 14:05:11 +0100, a écrit :"],
    ["Vous avez écrit :"],
    ["Dans l'article <4a2b@exemple.fr>, Jean Dupont a écrit :"],
    ["Le 3 mars 2025, Jean Dupont disait :"],
]  # fmt: skip
HEADERS = [
    [
        "De : Jean Dupont <jean.dupont@exemple.fr>",
        "Envoyé : lundi 3 mars 2025 14:05",
        "À : comite@listes.exemple.org",
        "Objet : [Comite] La fête",
    ],
    [
        "________________________________",
        "De : Comite <comite-bounces@listes.exemple.org> de la part de Jean Dupont <jean.dupont@exemple.fr>",
        "Envoyé : lundi 3 mars 2025 14:05",
        "À : Liste du comité <comite@listes.exemple.org>",
        "Cc : Paul Petit <paul@exemple.fr>; Marie Martin <marie@exemple.fr>; Claire Caron",
        "<claire@exemple.fr>",
        "Objet : [Comite] La fête",
    ],
    ["-----Message d'origine-----", "De : Jean Dupont", "Envoyé : lundi 3 mars 2025 14:05", "À : Comite",
     "Objet : Fête"],
    ["----- Mail original -----", "De: \"Jean\" <jean@exemple.fr>", "À: comite@x.fr", "Envoyé: Lundi 3 Mars 2025 14:05",
     "Objet: Re: [Comite] Fête"],
    ["----- Original Message ----- ", "From: \"Jean Dupont\" <jean@exemple.fr>", "To: <comite@listes.exemple.org>",
     "Sent: Monday, March 03, 2025 2:05 PM", "Subject: [Comite] Fête"],
    ["-------- Message original --------", "Sujet: [Comite] Fête", "Date: Mon, 3 Mar 2025 14:05:11 +0100",
     "De: Jean Dupont <jean@exemple.fr>", "Pour: comite@listes.exemple.org"],
    ["*De :* Jean Dupont <jean@exemple.fr>", "*Envoyé :* lundi 3 mars 2025 14:05", "*À :* comite@listes.exemple.org",
     "*Objet :* [Comite] Fête"],
    ["De: comite-bounces@listes.exemple.org [mailto:comite-bounces@listes.exemple.org] De la part de Jean",
     "Dupont", "Envoyé: lundi 3 mars 2025 14:05", "À: comite@listes.exemple.org", "Objet: [Comite] Fête"],
    ["Date: Mon, 3 Mar 2025 14:05:11 +0100", "From: jean@exemple.fr", "To: comite@listes.exemple.org", "Subject: Fête"],
]  # fmt: skip
SIGNATURES = [
    [],
    ["-- ", "Léa Laurent", "06 00 00 00 00"],
    ["--", "Léa"],
    ["Envoyé de mon iPhone"],
    ["Envoyé depuis mon appareil mobile Samsung."],
    ["Envoyé à partir de Outlook pour Android<https://aka.ms/abc>"],
]
FOOTERS = [
    [],
    ["_______________________________________________", "Comite mailing list", "Comite@listes.exemple.org",
     "https://listes.exemple.org/listinfo/comite"],
    ["_______________________________________________", "Liste de diffusion Comite", "Comite at listes.exemple.org",
     "http://listes.exemple.org/mailman/listinfo/comite"],
    ["-------------- next part --------------", "An HTML attachment was scrubbed...",
     "URL: <https://listes.exemple.org/pipermail/comite/attachments/1/a.htm>"],
    ["-- ", "Vous recevez ce message, car vous êtes abonné au groupe Google Groupes \"Comité\".",
     "Pour vous désabonner de ce groupe, envoyez un e-mail à l'adresse comite+unsubscribe@googlegroups.com."],
    ["_______________________________________________", "Comite -- comite@listes.exemple.org",
     "To unsubscribe send an email to comite-leave@listes.exemple.org"],
    ["-- ", "Lisez la FAQ de la liste avant de poser une question :", "https://wiki.exemple.org/fr/FrenchLists", "",
     "Pour vous DESABONNER, envoyez un message avec comme objet \"unsubscribe\"", "vers comite-REQUEST@exemple.org",
     "En cas de soucis, contactez EN ANGLAIS listmaster@exemple.org"],
    ["---------------------------------------------------------------------",
     "To unsubscribe, e-mail: comite-unsubscribe@listes.exemple.org",
     "For additional commands, e-mail: comite-help@listes.exemple.org"],
]  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class MadeMail:
    """A mail and the truth about it."""

    name: str
    text: str
    #: "top", "bottom" or "inline".
    style: str
    own: tuple[str, ...]
    quoted: tuple[str, ...]
    attributions: tuple[str, ...]
    footers: tuple[str, ...]


def _mark(lines: list[str]) -> list[str]:
    return [f"> {line}".rstrip() if line != "-- " else "> -- " for line in lines]


def _mail(
    name: str, style: str, attribution: list[str], answer: list[str], ends: tuple[list[str], list[str]]
) -> MadeMail:
    signature, footer = ends
    quote = QUOTED + QUOTED_TAIL
    if style == "top":
        parts = [answer, signature, attribution + _mark(quote), footer]
    elif style == "bottom":
        parts = [attribution + _mark(quote), answer, signature, footer]
    elif style == "unmarked":
        parts = [answer, signature, attribution, quote, footer]
    else:
        parts = [attribution + _mark(QUOTED[:6]), answer, _mark(QUOTED[7:8]), ["Très bien."], signature, footer]
        answer = [*answer, "Très bien."]
    text = "\n\n".join("\n".join(part) for part in parts if part) + "\n"
    return MadeMail(
        name=f"{style} {name}",
        text=text,
        style=style,
        own=tuple(answer),
        quoted=tuple(QUOTED[:6] + QUOTED[7:8] if style == "inline" else quote),
        attributions=tuple(attribution),
        footers=tuple(footer),
    )


def made_archive() -> Iterator[MadeMail]:
    """Some hundred mails: every attribution in every style, the rest in turn."""
    answers, signatures, footers = cycle(ANSWERS), cycle(SIGNATURES), cycle(FOOTERS)
    for attribution in ATTRIBUTIONS:
        for style in ("top", "bottom", "inline"):
            for _ in range(3):
                yield _mail(attribution[0][:40], style, attribution, next(answers), (next(signatures), next(footers)))
            next(footers)
        next(signatures)
        next(answers)
    for header in HEADERS:
        for _ in range(8):
            yield _mail(header[0][:40], "unmarked", header, next(answers), (next(signatures), next(footers)))
        next(footers)
