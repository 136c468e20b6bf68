"""The folder of an export: written beside its name, complete with checksums, and named at the end."""

import gzip
import hashlib
import io
import json
import os
import shutil
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import IO, Any

from passerelle.errors import ExportFailure

_MANIFEST, _SUMS = "manifest.json", "SHA256SUMS"


class _Hashed(io.RawIOBase):
    """A file whose SHA-256 is known when it is closed."""

    def __init__(self, path: Path, sums: dict[str, str], name: str) -> None:
        self._file = open(path, "wb", opener=_private)  # noqa: SIM115 - closed by `close`
        self._hash = hashlib.sha256()
        self._sums, self._name = sums, name

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._hash.update(data)
        return self._file.write(data)

    def close(self) -> None:
        if not self.closed:
            self._file.close()
            self._sums[self._name] = self._hash.hexdigest()
        super().close()


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


class ExportFolder(AbstractContextManager["ExportFolder"]):
    """A folder that appears whole, or not at all. What was left of an interrupted export is thrown away."""

    def __init__(self, target: Path, *, replace: bool = False) -> None:
        """Raises ExportFailure where something stands there that may not be replaced."""
        self.target = target.absolute()
        self._unfinished = self.target.with_name(f".{self.target.name}.unfinished")
        self._sums: dict[str, str] = {}
        if self.target.exists() and not replace and any(self.target.iterdir() if self.target.is_dir() else [1]):
            raise ExportFailure(f"{self.target} is not empty: choose another folder, or --force to replace it.")
        if self.target.exists() and replace and not self._is_export():
            raise ExportFailure(f"{self.target} is no export: --force replaces nothing else. Choose another folder.")

    def _is_export(self) -> bool:
        """Whether what stands there is an earlier export, or nothing."""
        if self.target.is_symlink() or not self.target.is_dir():
            return False
        return not any(self.target.iterdir()) or all((self.target / name).is_file() for name in (_MANIFEST, _SUMS))

    def __enter__(self) -> "ExportFolder":
        try:
            shutil.rmtree(self._unfinished, ignore_errors=True)
            self._unfinished.mkdir(parents=True, mode=0o700)
        except OSError as error:
            raise ExportFailure(f"{self.target.parent} cannot be written: {error.strerror}.") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        shutil.rmtree(self._unfinished, ignore_errors=True)

    def has(self, name: str) -> bool:
        """Whether a file of that name was written already."""
        return name in self._sums

    def make_folder(self, name: str) -> None:
        """A folder within the folder, with those that it stands in."""
        path = self._unfinished / name
        # `mkdir(parents=True)` gives its mode to the last one only.
        for folder in (*reversed(path.relative_to(self._unfinished).parents), path.relative_to(self._unfinished)):
            (self._unfinished / folder).mkdir(mode=0o700, exist_ok=True)

    def open(self, name: str) -> IO[bytes]:
        """A new file, to be closed by the caller. `name`: its path within the folder, with `/`."""
        path = self._unfinished / name
        self.make_folder(str(PurePosixPath(name).parent))
        return io.BufferedWriter(_Hashed(path, self._sums, name), 256 * 1024)

    def write(self, name: str, data: bytes) -> None:
        """A new file with these bytes."""
        with self.open(name) as file:
            file.write(data)

    def finish(self, manifest: Mapping[str, Any]) -> None:
        """Write `manifest.json` and `SHA256SUMS` (for `sha256sum --check`), and give the folder its name."""
        self.write(_MANIFEST, json.dumps(manifest, ensure_ascii=False, indent=2).encode() + b"\n")
        lines = "".join(f"{self._sums[name]}  {name}\n" for name in sorted(self._sums))
        self.write(_SUMS, lines.encode())
        if self.target.exists():
            shutil.rmtree(self.target)
        os.replace(self._unfinished, self.target)


class GzipLines(AbstractContextManager["GzipLines"]):
    """A compressed file that is the same for the same bytes: without a time or a name in its header (RFC 1952)."""

    def __init__(self, folder: ExportFolder, name: str) -> None:
        self._raw = folder.open(name)
        self._gzip = gzip.GzipFile(filename="", mode="wb", fileobj=self._raw, mtime=0, compresslevel=6)

    def write(self, data: bytes) -> None:
        self._gzip.write(data)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._gzip.close()
        self._raw.close()
