"""An archive of made-up French list mails: threads, quotes, footers, charsets, HTML, files, some damage. Seeded.

`python -m benchmarks.archive_mails 100000 > past.mbox` writes one: some 6.4 KB a mail, 3.25 mails a thread; of
a hundred mails three or four stand in threads of 21 to 90.
"""

from __future__ import annotations

import base64
import quopri
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.header import Header
from email.utils import format_datetime
from html import escape
from pathlib import Path
from typing import BinaryIO

from benchmarks.archive_words import FIRST_NAMES, LAST_NAMES, MONTHS, SENTENCES, SUBJECTS, Vocabulary, vocabulary

LIST_ADDRESS = "quartier@listes.bench.test"
LIST_PREFIX = "[quartier]"
_BEGIN = datetime(2009, 1, 5, 8, 0, tzinfo=UTC)
_SPAN = timedelta(days=365 * 16)
#: Share of mails that begin a thread; 100,000 mails make some 30,800 threads.
_NEW = 0.308
_ACTIVE = 60
#: One conversation at a time goes on and on: so many answers in a hundred are its own, until it has so many posts.
_LONG = 0.05
_LONG_POSTS = (21, 90)
_CLIENTS = (
    "Mozilla Thunderbird 115.4", "Apple Mail (2.3696)", "Microsoft Outlook 16.0", "Roundcube Webmail/1.6",
    "SFR Webmail",     "iPhone Mail (20F75)", "Orange Webmail", "Zimbra 8.8.15",
)  # fmt: skip
_MAILMAN_FOOTER = (
    "_______________________________________________\n"
    "Quartier mailing list -- quartier@listes.bench.test\n"
    "To unsubscribe send an email to quartier-leave@listes.bench.test\n"
)
_SYMPA_FOOTER = (
    "-- \nPour se désabonner : https://listes.bench.test/sympa/signoff/quartier\n"
    "Archives : https://listes.bench.test/sympa/arc/quartier\n"
)


@dataclass(slots=True)
class _Author:
    name: str
    address: str
    signature: str
    client: str


@dataclass(slots=True)
class _Said:
    message_id: str
    author: _Author
    at: datetime
    text: str


@dataclass(slots=True)
class _Thread:
    subject: str
    said: list[_Said] = field(default_factory=list)


@dataclass(slots=True)
class _Draft:
    """A mail before it is written out."""

    author: _Author
    said: _Said
    subject: str
    parents: list[_Said]
    body: str


class ArchiveMaker:
    """Makes an archive's mails in the order of time; the same seed and count make the same bytes."""

    def __init__(self, *, seed: int, count: int) -> None:
        self._rng = random.Random(seed)
        self._words: Vocabulary = vocabulary(seed)
        self._count = count
        self._authors = [self._author(n) for n in range(min(400, 20 + count // 100))]
        self._threads: list[_Thread] = []
        # Of its own chance: who changes it does not change all other mails.
        self._long_rng = random.Random(f"long {seed}")
        self._long: _Thread | None = None
        self._long_posts = 0

    def mails(self) -> Iterator[bytes]:
        """Each mail's bytes, lines ending in LF as mbox files have them."""
        for number in range(self._count):
            yield self._mail(number)

    def _author(self, number: int) -> _Author:
        rng = self._rng
        first, last = rng.choice(FIRST_NAMES), rng.choice(LAST_NAMES)
        plain = f"{first}.{last}".lower().encode("ascii", "ignore").decode()
        signature = f"\n-- \n{first} {last}\n0{rng.randrange(10**8, 10**9)}\n" if rng.random() < 0.5 else f"\n{first}\n"
        return _Author(f"{first} {last}", f"{plain}{number}@{rng.choice(('orange', 'free', 'laposte', 'asso'))}.test",
                       signature, rng.choice(_CLIENTS))  # fmt: skip

    def _mail(self, number: int) -> bytes:
        rng = self._rng
        at = _BEGIN + _SPAN * (number / self._count) + timedelta(seconds=rng.randrange(3600))
        author = rng.choice(self._authors)
        thread = self._thread(number)
        said = _Said(f"{rng.getrandbits(64):x}.{number}@{author.address.partition('@')[2]}", author, at, self._text())
        draft = _Draft(author, said, thread.subject, list(thread.said), "")
        draft.body = self._body(draft)
        thread.said.append(said)
        raw = self._written(draft)
        return self._damaged(raw) if rng.random() < 0.01 else raw

    def _thread(self, number: int) -> _Thread:
        rng = self._rng
        if number and rng.random() >= _NEW:
            if (long := self._long_thread()) is not None:
                return long
            # The newest conversations are answered most.
            return self._threads[-1 - int(rng.random() ** 2 * len(self._threads))]
        name = " ".join(self._words.draw(rng, 2))
        subject = rng.choice(SUBJECTS).format(mois=rng.choice(MONTHS), jour=rng.randrange(1, 29), nom=name)
        thread = _Thread(subject)
        self._threads.append(thread)
        if len(self._threads) > _ACTIVE:
            self._threads.pop(0)
        return thread

    def _long_thread(self) -> _Thread | None:
        """The conversation that goes on and on, where it is its turn."""
        rng = self._long_rng
        if rng.random() >= _LONG:
            return None
        if self._long is None or len(self._long.said) >= self._long_posts:
            self._long, self._long_posts = self._threads[-1], rng.randint(*_LONG_POSTS)
        return self._long

    def _text(self) -> str:
        rng = self._rng
        paragraphs = []
        for _ in range(rng.choice((1, 1, 2, 2, 3, 4, 5))):
            sentences = []
            for _ in range(rng.randrange(1, 6)):
                if rng.random() < 0.35:
                    sentences.append(rng.choice(SENTENCES))
                else:
                    sentence = " ".join(self._words.draw(rng, rng.randrange(6, 22)))
                    sentences.append(sentence[:1].upper() + sentence[1:] + ".")
            paragraphs.append(_wrapped(" ".join(sentences)))
        return "\n\n".join(paragraphs)

    def _body(self, draft: _Draft) -> str:
        rng = self._rng
        greeting = rng.choice(("Bonjour,\n\n", "Bonjour à tous,\n\n", "Salut,\n\n", "Chers amis,\n\n", ""))
        own = greeting + draft.said.text + "\n"
        if not draft.parents:
            return own + draft.author.signature
        parent = draft.parents[-1]
        attribution = _attribution(parent, rng.randrange(3))
        quote = _quoted(draft.parents[-4:], rng)
        style = rng.random()
        if style < 0.7:
            return f"{own}{draft.author.signature}\n{attribution}\n{quote}\n"
        if style < 0.85:
            cut = quote.splitlines()
            half = max(1, len(cut) // 2)
            above, below = "\n".join(cut[:half]), "\n".join(cut[half:])
            between = f"{attribution}\n{above}\n\n{own}\n{below}"
            return f"{between}\n\nD’accord aussi pour le reste.\n{draft.author.signature}"
        if style < 0.95:
            outlook = (
                f"-----Message d’origine-----\nDe : {parent.author.name} [mailto:{parent.author.address}]\n"
                f"Envoyé : {_french(parent.at)}\nÀ : {LIST_ADDRESS}\nObjet : {draft.subject}\n\n{parent.text}\n"
            )
            return f"{own}{draft.author.signature}\n{outlook}"
        return own + draft.author.signature

    def _written(self, draft: _Draft) -> bytes:
        rng = self._rng
        footer = _MAILMAN_FOOTER if rng.random() < 0.5 else _SYMPA_FOOTER
        text = f"{draft.body}\n{footer}"
        charset = rng.choices(("utf-8", "iso-8859-1", "windows-1252"), (6, 2, 2))[0]
        kind = rng.random()
        header = self._header(draft)
        if kind < 0.50:
            return (header + _part(text, "plain", charset, rng)).encode("utf-8", "surrogateescape")
        boundary = f"----=_Part_{rng.getrandbits(48):x}"
        if kind < 0.96:
            parts = [_part(text, "plain", charset, rng), _part(_html(draft, footer), "html", charset, rng)]
            subtype = "alternative"
        else:
            parts, subtype = [_part(text, "plain", charset, rng), self._file()], "mixed"
        inner = "".join(f"--{boundary}\n{part}\n" for part in parts)
        mail = f'{header}Content-Type: multipart/{subtype};\n boundary="{boundary}"\n\n{inner}--{boundary}--\n'
        return mail.encode("utf-8", "surrogateescape")

    def _header(self, draft: _Draft) -> str:
        rng, author, at = self._rng, draft.author, draft.said.at
        date = format_datetime(at)
        hops = "".join(
            f"Received: from {host}.{author.address.partition('@')[2]} ({host} [192.0.2.{rng.randrange(255)}])\n"
            f"\tby mx{rng.randrange(9)}.bench.test (Postfix) with ESMTPS id {rng.getrandbits(44):X}\n"
            f"\tfor <{LIST_ADDRESS}>; {date}\n"
            for host in ("listes", "relais", "filtre", "smtp", "poste")[: rng.randrange(2, 6)]
        )
        signature = base64.b64encode(rng.randbytes(258)).decode()
        folded = "\n\t ".join(signature[i : i + 72] for i in range(0, len(signature), 72))
        reply = f"{LIST_PREFIX} " + ("Re: " if draft.parents else "") + draft.subject
        via = rng.random() < 0.1
        sender = f"{_encoded(author.name + ' via quartier', rng)} <{LIST_ADDRESS}>" if via else (
            f"{_encoded(author.name, rng)} <{author.address}>"
        )  # fmt: skip
        lines = [
            f"Return-Path: <quartier-bounces@listes.bench.test>\n{hops}",
            f"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d={author.address.partition('@')[2]}; s=s1;\n"
            f"\th=from:to:subject:date:message-id; t={int(at.timestamp())};\n\tb={folded}\n",
            f"From: {sender}\nTo: {LIST_ADDRESS}\n",
            f"Reply-To: {_encoded(author.name, rng)} <{author.address}>, {LIST_ADDRESS}\n" if via else "",
            f"Subject: {_encoded(reply, rng)}\nDate: {date}\nMessage-ID: <{draft.said.message_id}>\n",
            self._references(draft.parents),
            f"X-Mailer: {author.client}\nMIME-Version: 1.0\nPrecedence: list\n"
            f"X-Spam-Status: No, score={rng.randrange(-40, 20) / 10}, required=5.0 tests=DKIM_SIGNED,DKIM_VALID,\n"
            "\tDKIM_VALID_AU,RCVD_IN_DNSWL_LOW,SPF_PASS autolearn=ham version=3.4.6\nX-Virus-Scanned: by amavis\n"
            f"X-Mailman-Version: 3.3.9\nX-BeenThere: {LIST_ADDRESS}\nErrors-To: quartier-bounces@listes.bench.test\n"
            f"Authentication-Results: mx.bench.test; dkim=pass header.d={author.address.partition('@')[2]}; spf=pass\n",
            "List-Id: Le quartier <quartier.listes.bench.test>\nList-Post: <mailto:quartier@listes.bench.test>\n"
            "List-Help: <mailto:quartier-request@listes.bench.test?subject=help>\n"
            "List-Unsubscribe: <mailto:quartier-leave@listes.bench.test>\n"
            "List-Archive: <https://listes.bench.test/archives/list/quartier@listes.bench.test/>\n",
        ]
        return "".join(lines)

    def _references(self, parents: list[_Said]) -> str:
        if not parents:
            return ""
        nearest = f"In-Reply-To: <{parents[-1].message_id}>\n"
        if self._rng.random() < 0.1:
            return nearest
        return nearest + "References: " + "\n ".join(f"<{one.message_id}>" for one in parents[-10:]) + "\n"

    def _file(self) -> str:
        rng = self._rng
        name = "-".join(self._words.draw(rng, 2)) + rng.choice((".pdf", ".jpg", ".odt"))
        data = base64.encodebytes(rng.randbytes(rng.randrange(2_000, 18_000))).decode()
        encoded = Header(name, "utf-8").encode()
        return (
            f'Content-Type: application/octet-stream; name="{encoded}"\nContent-Transfer-Encoding: base64\n'
            f'Content-Disposition: attachment; filename="{encoded}"\n\n{data}'
        )

    def _damaged(self, raw: bytes) -> bytes:
        rng = self._rng
        how = rng.randrange(4)
        if how == 0:
            at = rng.randrange(len(raw) // 2, len(raw))
            return raw[:at] + rng.randbytes(20).replace(b"\n", b"") + raw[at:]
        if how == 1:
            return raw[: len(raw) * 3 // 4]
        if how == 2:
            return raw.replace(b"charset=", b"charset=x-", 1)
        return raw.replace(b"Message-ID:", b"X-Lost-ID:", 1)


def _quoted(parents: list[_Said], rng: random.Random) -> str:
    """What the newest of `parents` wrote, below it what they quoted themselves, each level marked once more."""
    lines: list[str] = []
    for one in parents:
        older = [f"> {line}".rstrip() if line[:1] != ">" else f">{line}" for line in lines]
        lines = [*one.text.splitlines(), *(["", _attribution(parents[0], rng.randrange(3)), *older] if older else [])]
    return "\n".join(f"> {line}".rstrip() if line[:1] != ">" else f">{line}" for line in lines)


def _wrapped(text: str) -> str:
    lines, line = [], ""
    for word in text.split(" "):
        if len(line) + len(word) > 71:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return "\n".join([*lines, line])


def _french(at: datetime) -> str:
    return f"{at.day} {MONTHS[at.month - 1]} {at.year} {at.hour:02d}:{at.minute:02d}"


def _attribution(parent: _Said, form: int) -> str:
    at, author = parent.at, parent.author
    if form == 0:
        return f"Le {_french(at)}, {author.name} <{author.address}> a écrit :"
    if form == 1:
        return f"Le {at:%d/%m/%Y} à {at:%H:%M}, {author.name} a écrit :"
    return f"On {at:%d/%m/%Y %H:%M}, {author.name} wrote:"


def _encoded(text: str, rng: random.Random) -> str:
    if text.isascii():
        return text
    return Header(text, "utf-8" if rng.random() < 0.7 or "œ" in text or "’" in text else "iso-8859-1").encode()


def _part(text: str, subtype: str, charset: str, rng: random.Random) -> str:
    data = text.encode(charset, "replace")
    encoding = rng.choices(("quoted-printable", "8bit", "base64"), (6, 3, 1))[0]
    if encoding == "base64":
        written = base64.encodebytes(data).decode()
    elif encoding == "8bit":
        written = data.decode("utf-8", "surrogateescape")
    else:
        written = quopri.encodestring(data).decode()
    return f"Content-Type: text/{subtype}; charset={charset}\nContent-Transfer-Encoding: {encoding}\n\n{written}"


def _html(draft: _Draft, footer: str) -> str:
    own = "".join(f'<p style="margin:0cm">{escape(p)}</p>\n' for p in draft.said.text.split("\n\n"))
    old = ""
    if draft.parents:
        parent = draft.parents[-1]
        old = (
            f'<div class="gmail_quote"><div>{escape(_attribution(parent, 0))}<br></div>\n'
            f'<blockquote class="gmail_quote" style="margin:0 0 0 .8ex;border-left:1px #ccc solid">'
            f"{escape(parent.text).replace(chr(10), '<br>' + chr(10))}</blockquote></div>\n"
        )
    return (
        '<html><head><meta http-equiv="Content-Type" content="text/html"><style>\n'
        "<!-- @font-face {font-family:Calibri;} "
        'p.MsoNormal, li.MsoNormal {margin:0cm; font-size:11.0pt; font-family:"Calibri",sans-serif;}\n'
        "a:link {color:#0563C1; text-decoration:underline;} span.EmailStyle18 {color:windowtext;}\n"
        '@page WordSection1 {size:612.0pt 792.0pt; margin:70.85pt;} --></style></head>\n<body lang="FR">\n'
        f"{own}{old}<pre>{escape(footer)}</pre></body></html>\n"
    )


def write_mbox(out: BinaryIO, *, count: int, seed: int) -> int:
    """Write `count` mails as mboxrd; the bytes of the mails themselves."""
    total = 0
    for raw in ArchiveMaker(seed=seed, count=count).mails():
        total += len(raw)
        quoted = b"\n".join(b">" + line if line.lstrip(b">")[:5] == b"From " else line for line in raw.split(b"\n"))
        out.write(b"From quartier@listes.bench.test Mon Jan  5 08:00:00 2009\n" + quoted + b"\n")
    return total


def made_mbox(folder: Path, *, count: int, seed: int = 1) -> Path:
    """An mbox of `count` mails in `folder`, made where it is not there yet."""
    path = folder / f"past-{count}-{seed}.mbox"
    if not path.exists():
        part = path.with_suffix(".part")
        with part.open("wb") as out:
            write_mbox(out, count=count, seed=seed)
        part.rename(path)
    return path


if __name__ == "__main__":
    write_mbox(sys.stdout.buffer, count=int(sys.argv[1]), seed=int(sys.argv[2]) if len(sys.argv) > 2 else 1)
