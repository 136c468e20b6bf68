"""A public-inbox: mails in git, one commit each (public-inbox-v1-format(5), public-inbox-v2-format(5)).

v1 is one repository with a tree of files named by the hash of their Message-ID; v2 is a folder `git/` of repositories
(epochs), where each commit sets the file `m` to a new mail, or `d` to one that was deleted. What was deleted, in
whatever epoch, stays out: its blob is the mail's own.
"""

import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from passerelle.errors import ImportFailure
from passerelle.i18n import _
from passerelle.imports.mbox_scan import is_mail
from passerelle.imports.source import MAX_MAIL_BYTES, NOT_A_MAIL, TOO_LARGE, UNREADABLE_FILE, Refused, SourceMail

_EPOCH = re.compile(r"(\d+)\.git")
_V1_PATH = re.compile(rb"[0-9a-f]{2}/[0-9a-f]{38}")
#: The end of the year 9999: a commit may bear any time.
_LATEST = 253_402_300_799
_NO_BLOB = re.compile(rb"0+")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Change:
    """A commit put a mail in, or took one out."""

    epoch: int
    commit: str
    number: int
    blob: bytes
    is_deletion: bool
    committed_at: datetime


def find_repositories(folder: Path) -> list[Path]:
    """The repositories of a public-inbox, epochs in their order; none where it is no such thing."""
    epochs = folder / "git"
    if epochs.is_dir():
        found = {int(m[1]): one for one in epochs.iterdir() if (m := _EPOCH.fullmatch(one.name)) and _is_git(one)}
        if found:
            return [found[number] for number in sorted(found)]
    return [one for one in (folder, folder / ".git") if _is_git(one)][:1]


class PublicInbox:
    """A `Source` of a public-inbox. Positions are `[epoch, commit]`. The history is gone through once before."""

    def __init__(self, folder: Path) -> None:
        self.name = str(folder)
        self._label = folder.name
        self._repositories = find_repositories(folder)
        if not self._repositories:
            raise ImportFailure(_("{file}: there is no git repository of a public-inbox.").format(file=folder))
        self._done = 0
        #: The last commit that took a mail out, by its blob: what was put in before that stays out.
        self._deleted: dict[bytes, tuple[int, int]] = {}
        for change in self._changes(deletions_only=True):
            self._deleted[change.blob] = (change.epoch, change.number)
        #: git tells no size without reading all: commits stand for bytes.
        self.total_bytes: int | None = self._count_commits()

    @property
    def bytes_done(self) -> int:
        return self._done

    def read(self, after: Any | None) -> Iterator[SourceMail | Refused]:
        """See `Source`."""
        is_behind = after is not None
        self._done = 0
        changes = self._changes()
        if is_behind and not any(_is_at(change, after) for change in changes):
            # The history was written anew since: all of it again.
            changes, self._done = self._changes(), 0
        with _Blobs(self._repositories) as blobs:
            for change in changes:
                deleted_at = self._deleted.get(change.blob)
                if change.is_deletion or (deleted_at is not None and (change.epoch, change.number) < deleted_at):
                    continue
                yield self._mail(blobs, change)

    def _mail(self, blobs: "_Blobs", change: _Change) -> SourceMail | Refused:
        place = f"{self._label}, {change.commit[:12]}"
        position = [change.epoch, change.commit]
        raw = blobs.find(change.epoch, change.blob)
        if isinstance(raw, str):
            return Refused(place=place, reason=raw, position=position)
        if not is_mail(raw):
            return Refused(place=place, reason=NOT_A_MAIL, position=position)
        return SourceMail(raw=raw, place=place, position=position, received_at=change.committed_at)

    def _count_commits(self) -> int:
        return sum(int(_git(one, "rev-list", "--count", "HEAD", "--").strip() or 0) for one in self._repositories)

    def _changes(self, *, deletions_only: bool = False) -> Iterator[_Change]:
        """What the commits did, the oldest first."""
        for epoch, repository in enumerate(self._repositories):
            number, commit, at = 0, "", datetime.fromtimestamp(0, UTC)
            options = ["--no-show-signature", "--no-ext-diff", "--no-textconv", "--no-mailmap"]
            options += ["--reverse", "--raw", "--no-renames", "--no-abbrev", "--format=%H %ct", "HEAD", "--"]
            with _streamed(repository, "log", *options) as lines:
                for line in lines:
                    if not line.startswith(b":"):
                        name, _space, seconds = line.partition(b" ")
                        if seconds.strip():
                            commit, number = name.decode(), number + 1
                            at = datetime.fromtimestamp(min(int(seconds), _LATEST), UTC)
                            self._done += 1
                        continue
                    for blob, is_deletion in _effects(line):
                        if is_deletion or not deletions_only:
                            yield _Change(
                                epoch=epoch, commit=commit, number=number, blob=blob,
                                is_deletion=is_deletion, committed_at=at,
                            )  # fmt: skip


def _effects(line: bytes) -> Iterator[tuple[bytes, bool]]:
    """What a line of `git log --raw` says: blobs, each with whether it was taken out.

    `:old mode, new mode, old blob, new blob, status<TAB>path`.
    """
    fields, _tab, path = line.strip().partition(b"\t")
    _old_mode, _new_mode, old, new, _status = fields.split(b" ", 4)
    if path == b"m" and not _NO_BLOB.fullmatch(new):
        yield new, False
    elif path == b"d" and not _NO_BLOB.fullmatch(new):
        yield new, True
    elif _V1_PATH.fullmatch(path):
        if not _NO_BLOB.fullmatch(old):
            yield old, True
        if not _NO_BLOB.fullmatch(new):
            yield new, False


def _is_at(change: _Change, position: Any) -> bool:
    return bool([change.epoch, change.commit] == position)


class _Blobs:
    """`git cat-file --batch`, one process for each epoch that is read."""

    def __init__(self, repositories: Sequence[Path]) -> None:
        self._repositories = repositories
        self._processes: dict[int, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> "_Blobs":
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes.values():
            _end(process)

    def find(self, epoch: int, blob: bytes) -> bytes | str:
        """The bytes of a blob, or why they are not taken."""
        process = self._processes.get(epoch)
        if process is None:
            process = self._processes[epoch] = _start(self._repositories[epoch], "cat-file", "--batch")
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(blob + b"\n")
        process.stdin.flush()
        head = process.stdout.readline().split()
        if len(head) != 3 or not head[2].isdigit():
            return UNREADABLE_FILE
        size = int(head[2])
        if size > MAX_MAIL_BYTES:
            _discard(process.stdout, size + 1)
            return TOO_LARGE
        raw = process.stdout.read(size)
        process.stdout.read(1)
        return raw if len(raw) == size else UNREADABLE_FILE


def _discard(stream: IO[bytes], size: int) -> None:
    while size > 0 and (part := stream.read(min(size, 1024 * 1024))):
        size -= len(part)


def _is_git(folder: Path) -> bool:
    return (folder / "objects").is_dir() and (folder / "HEAD").is_file()


def _start(repository: Path, *arguments: str) -> subprocess.Popen[bytes]:
    # The configuration of whoever sits here has no say: no pager, no alias, no replaced objects.
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_TERMINAL_PROMPT": "0",
        # The repository's own configuration may name programs, and it may be anyone's: nothing is fetched or verified.
        "GIT_ALLOW_PROTOCOL": "none",
        "GIT_NO_LAZY_FETCH": "1",
    }
    command = [
        "git",
        "--no-pager",
        "-c",
        "safe.directory=*",
        "-c",
        "log.showRoot=true",
        f"--git-dir={repository}",
        *arguments,
    ]
    try:
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
        )
    except OSError as error:
        raise ImportFailure(_("git is needed to read a public-inbox, and is not here: install it.")) from error


def _end(process: subprocess.Popen[bytes], *, is_finished: bool = False) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    if not is_finished:
        process.terminate()
    process.wait()


@contextmanager
def _streamed(repository: Path, *arguments: str) -> Iterator[IO[bytes]]:
    """What a git command prints. Raises ImportFailure where it fails."""
    process = _start(repository, *arguments)
    assert process.stdout is not None
    finished = False
    try:
        yield process.stdout
        finished = process.stdout.read(1) == b""
    finally:
        _end(process, is_finished=finished)
    if finished and process.returncode != 0:
        raise ImportFailure(_("{file}: git cannot read this repository.").format(file=repository))


def _git(repository: Path, *arguments: str) -> bytes:
    with _streamed(repository, *arguments) as stream:
        return stream.read()
