"""The keys of the bot's device, to read a room's past beside a running daemon: a copy, which nothing is written to."""

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from passerelle.matrix.encryption import Encryption
from passerelle.matrix.login import Session
from passerelle.matrix.past import Decrypt


@contextmanager
def copied_keys(url: str, session: Session, folder: Path) -> Iterator[Decrypt]:
    """What decrypts with the keys in `folder`, as they are now. No request is made, so no key is asked for.

    Two processes with one device would use its one-time keys twice, and the daemon has them: hence the copy.
    """
    with tempfile.TemporaryDirectory(prefix="passerelle-keys-") as copy:
        for file in sorted(folder.glob("*.db")):
            source = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
            with closing(source), closing(sqlite3.connect(Path(copy) / file.name)) as target:
                source.backup(target)
        encryption = Encryption(url, session, Path(copy), timeout_seconds=1)
        encryption.load()
        try:
            yield encryption.decrypt
        finally:
            encryption.close()
