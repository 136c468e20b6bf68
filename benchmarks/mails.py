"""Mails as lists send them: French, plain or with an HTML part, questions and answers with quotes and signatures."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr
from html import escape

DOMAIN = "membres.bench.test"
LIST_DOMAIN = "listes.bench.test"
AUTHORS = {
    "monique": "Monique Delattre",
    "paul": "Paul Lefebvre",
    "annie": "Annie Lefebvre",
    "gerard": "Gérard Vandamme",
    "yamina": "Yamina Belkacem",
    "odette": "Odette Caron",
}
SENTENCES = (
    "La salle est libre le samedi 14 à partir de 18 h, il faut rendre les clés le dimanche avant midi.",
    "Je peux apporter deux tables et la rallonge, mais je n’ai plus de place dans la voiture pour les bancs.",
    "Le devis de l’imprimeur est arrivé : 84 € pour cent affiches, livrées le mercredi.",
    "La mairie demande la liste des bénévoles et le numéro de l’assurance avant la fin du mois.",
    "Merci à ceux qui sont venus hier, nous étions dix-sept malgré la pluie.",
    "Qui veut bien tenir la buvette entre 15 h et 17 h ?",
    "Le compte rendu de la dernière réunion est prêt, dites-moi s’il manque quelque chose.",
    "Je propose que nous gardions la même date que l’an dernier.",
)
SUBJECTS = ("Fête du quartier", "Clés de la salle", "Affiches", "Réunion de mardi", "Assurance", "Jardin partagé")
#: So many of a list's mails in a row are one thread: a question and its answers.
THREAD_LENGTH = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class MadeMail:
    """One mail of a list."""

    list_number: int
    #: Stands in its text once, and nowhere else.
    marker: str
    raw: bytes


def list_name(number: int) -> str:
    """Return the local part of a list's address."""
    return f"liste{number:02d}"


class MailMaker:
    """Makes the next mails of each list; the same seed makes the same mails."""

    def __init__(self, *, seed: int) -> None:
        self._random = random.Random(seed)
        self._numbers = iter(range(1, 10**9))
        self._threads: dict[int, list[tuple[str, str, str]]] = {}

    def make(self, list_number: int) -> MadeMail:
        """Make the next mail of a list: it answers the one before, or starts a thread."""
        number = next(self._numbers)
        thread = self._threads.setdefault(list_number, [])
        if len(thread) >= THREAD_LENGTH:
            thread.clear()
        marker = f"repere{number:07d}"
        key = self._random.choice(list(AUTHORS))
        subject = thread[0][1] if thread else f"{self._random.choice(SUBJECTS)} {number}"
        words = " ".join(self._random.sample(SENTENCES, 3))
        mail = self._frame(list_number, key, f"Re: {subject}" if thread else subject)
        mail["Message-ID"] = f"<bench.{number}@{DOMAIN}>"
        if thread:
            mail["In-Reply-To"] = thread[-1][0]
            mail["References"] = " ".join(entry[0] for entry in thread)
        self._fill(mail, list_number, f"Bonjour à tous,\n\n{words}\n{marker}\n", thread[-1][2] if thread else "")
        thread.append((str(mail["Message-ID"]), subject, words))
        return MadeMail(list_number=list_number, marker=marker, raw=mail.as_bytes(policy=SMTP))

    def make_round(self, list_count: int, mails: int) -> Iterator[MadeMail]:
        """Make mails in the order in which they reach the one mailbox: the lists take turns."""
        for number in range(mails):
            yield self.make(number % list_count)

    def begin_anew(self) -> None:
        """Let the next mail of each list start a thread."""
        self._threads.clear()

    def _frame(self, list_number: int, key: str, subject: str) -> EmailMessage:
        name, now = list_name(list_number), format_datetime(datetime.now(UTC))
        mail = EmailMessage(policy=SMTP)
        mail["Return-Path"] = f"<{name}-bounces@{LIST_DOMAIN}>"
        for host in ("mx", "relais", "listes"):
            mail["Received"] = f"from {host}.bench.test (192.0.2.7) by boite.bench.test with ESMTPS; {now}"
        mail["From"] = formataddr((AUTHORS[key], f"{key}@{DOMAIN}"))
        mail["To"] = f"{name}@{LIST_DOMAIN}"
        mail["Subject"] = f"[{name}] {subject}"
        mail["Date"] = now
        mail["List-Id"] = f"<{name}.{LIST_DOMAIN}>"
        mail["List-Post"] = f"<mailto:{name}@{LIST_DOMAIN}>"
        mail["Precedence"] = "list"
        return mail

    def _fill(self, mail: EmailMessage, list_number: int, text: str, quoted: str) -> None:
        name = str(mail["From"]).partition("<")[0].strip(' "')
        quote = f"\nLe mar. 3 nov. 2026 à 18:04, Quelqu’un <x@{DOMAIN}> a écrit :\n\n> {quoted}\n" if quoted else ""
        footer = f"_______________________________________________\nListe {list_name(list_number)}\n"
        mail.set_content(f"{text}\n-- \n{name}\n06 00 00 00 00\n{quote}\n{footer}")
        if self._random.random() < 1 / 3:
            paragraphs = "".join(f"<p>{escape(part)}</p>" for part in text.split("\n\n"))
            old = f'<div class="gmail_quote"><blockquote>{escape(quoted)}</blockquote></div>' if quoted else ""
            mail.add_alternative(f"<html><body>{paragraphs}{old}</body></html>", subtype="html")
