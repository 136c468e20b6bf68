"""Train the dictionary by which the store compresses mails and events: `.venv/bin/python scripts/train_dictionary.py`.

It is trained on made-up text only (a dictionary holds pieces of what it was trained on, and is never erased): on the
shape of mails of list servers and of events, with words of no real person. A store names the dictionary in each blob,
so a new one gets a new file and the old ones stay.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

from benchmarks import archive_mails
from benchmarks.archive_mails import ArchiveMaker

TARGET = Path(__file__).resolve().parents[1] / "passerelle" / "store" / "dictionaries" / "mails-1.zdict"
SIZE_BYTES = 64 * 1024
SEED = 20260101
LISTS = ("bureau", "parents", "chorale", "jardin", "comite", "benevoles", "ecole", "velo")


def made_events(rng: random.Random) -> list[bytes]:
    """Events of rooms as a homeserver gives them."""
    events = []
    for number in range(600):
        words = " ".join(archive_mails.vocabulary(SEED).draw(rng, rng.randrange(3, 25)))
        content: dict[str, object] = {"body": words, "m.mentions": {}, "msgtype": "m.text"}
        if number % 3 == 0:
            content["m.relates_to"] = {"m.in_reply_to": {"event_id": f"${rng.getrandbits(200):x}"}}
        if number % 7 == 0:
            content |= {"format": "org.matrix.custom.html", "formatted_body": f"<p>{words}</p>"}
        event = {
            "content": content,
            "event_id": f"${rng.getrandbits(256):x}",
            "origin_server_ts": 1_700_000_000_000 + rng.getrandbits(36),
            "room_id": f"!{rng.getrandbits(80):x}:example.org",
            "sender": f"@membre{number % 40}:example.org",
            "type": "m.room.message",
            "unsigned": {"age": rng.randrange(10**6), "membership": "join"},
        }
        events.append(json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode())
    return events


def samples() -> list[bytes]:
    """Made-up mails of several lists, and events."""
    rng = random.Random(SEED)
    made: list[bytes] = []
    # The benchmarks' sentences stay out, or its figures would flatter the dictionary.
    archive_mails.SENTENCES = ("Bonjour à toutes et à tous.", "Merci d’avance, à bientôt.")  # type: ignore[assignment]
    for number, name in enumerate(LISTS):
        for raw in ArchiveMaker(seed=SEED + number, count=300).mails():
            mail = raw.replace(b"listes.bench.test", b"listes.example.org").replace(b"bench.test", b"example.org")
            mail = mail.replace(b"quartier", name.encode()).replace(b"Quartier", name.title().encode())
            made.append(mail if rng.random() < 0.5 else mail.replace(b"\n", b"\r\n"))
    return made + made_events(rng) * 2


def main() -> None:
    made = samples()
    dictionary = zstd.train_dict(made, SIZE_BYTES)
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_bytes(dictionary.dict_content)
    packed = sum(len(zstd.compress(one, 3, zstd_dict=dictionary)) for one in made)
    print(f"{TARGET}: {len(dictionary.dict_content)} bytes; {sum(map(len, made)) / packed:.2f} times smaller")


if __name__ == "__main__":
    main()
