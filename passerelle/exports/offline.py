"""A folder to be read in a browser without any server: conversations, months, and a search that runs in the page.

Everything is there without JavaScript but the search. The index of the search is cut into pieces by the first letters
of the words, so that a look-up loads little; a page opened as a file may load scripts, and nothing else.
"""

import json
import re
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from passerelle.core.folding import words_of
from passerelle.core.ids import ThreadId
from passerelle.core.settings import AssociationSettings
from passerelle.exports.exported import Exported
from passerelle.exports.folder import ExportFolder
from passerelle.render import TEMPLATES, Renderer

#: Posts whose titles stand in one piece of the list of what can be found.
_POSTS_A_PIECE = 500
#: Words longer than this are found by their beginning.
_WORD_LENGTH = 24
#: How much of a text is shown with what was found.
_EXCERPT_LENGTH = 180
_STATIC = ("style.css", "search.js")
_PLAIN = re.compile(r"[a-z0-9]")


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownFile:
    """A file of a post: its name, its size, and where it stands; `href` "" where it is not here."""

    name: str
    size_bytes: int
    href: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownPost:
    """A post on a page."""

    anchor: str
    author: str
    at: datetime
    text: str
    subject: str
    files: tuple[ShownFile, ...]
    is_shown: bool


@dataclass(kw_only=True, slots=True)
class _Thread:
    """What is kept of a conversation until all of it is known."""

    title: str
    first_at: datetime
    last_at: datetime
    posts: int = 0


@dataclass(kw_only=True, slots=True)
class _OfLink:
    """A link's conversations, by the months in which something was said in them."""

    link: str
    months: dict[str, dict[ThreadId, int]] = field(default_factory=dict)


class _Pieces:
    """Lines of many small files, gathered in memory and written out when they get many."""

    _MOST_LINES = 20_000

    def __init__(self, folder: Path) -> None:
        self._folder, self._lines, self._waiting = folder, dict[str, list[str]](), 0
        folder.mkdir()

    def add(self, name: str, line: str) -> None:
        """One more line of a file."""
        self._lines.setdefault(name, []).append(line)
        self._waiting += 1
        if self._waiting >= self._MOST_LINES:
            self._write()

    def _write(self) -> None:
        for name, lines in self._lines.items():
            with open(self._folder / name, "a", encoding="utf-8", errors="surrogatepass") as file:
                file.writelines(line + "\n" for line in lines)
        self._lines.clear()
        self._waiting = 0

    def __iter__(self) -> Iterator[tuple[str, list[str]]]:
        """Each file's name and lines."""
        self._write()
        for path in sorted(self._folder.iterdir()):
            yield path.name, path.read_text(encoding="utf-8", errors="surrogatepass").split("\n")[:-1]


class OfflineWriter:
    """`index.html` and the folder `pages/` of one association."""

    each_link = False

    def __init__(
        self,
        target: ExportFolder,
        *,
        association: AssociationSettings,
        renderer: Renderer,
        made_at: datetime,
        author_of: Callable[[Exported], str],
    ) -> None:
        """`author_of`: the name under which the author of a post is shown; never an address."""
        self._target, self._renderer, self._author_of = target, renderer, author_of
        self._names: dict[str, object] = {"association": association, "made_at": made_at}
        self._zone = association.zone()
        self._threads: dict[ThreadId, _Thread] = {}
        self._shelves: dict[str, _OfLink] = {}
        self._scratch = tempfile.TemporaryDirectory(prefix="passerelle-export-")
        self._words = _Pieces(Path(self._scratch.name) / "words")
        self._posts = _Pieces(Path(self._scratch.name) / "posts")
        self._found: list[list[Any]] = []
        self._number = 0

    def __enter__(self) -> "OfflineWriter":
        return self

    def __exit__(self, kind: object, *_: Any) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            self._scratch.cleanup()

    def take(self, exported: Exported) -> None:
        post, thread_id = exported.post, exported.post.thread_id
        thread = self._threads.get(thread_id)
        if thread is None:
            thread = _Thread(title="", first_at=post.said_at, last_at=post.said_at)
            self._threads[thread_id] = thread
        if exported.is_shown and not thread.title:
            thread.title = post.subject or exported.around.subjects.get(thread_id, "")
        thread.last_at = max(thread.last_at, post.said_at)
        thread.first_at = min(thread.first_at, post.said_at)
        thread.posts += exported.is_shown
        shelf = self._shelves.setdefault(exported.link.settings.name, _OfLink(link=exported.link.settings.name))
        month = post.said_at.astimezone(self._zone).strftime("%Y-%m")
        of_month = shelf.months.setdefault(month, {})
        of_month[thread_id] = of_month.get(thread_id, 0) + exported.is_shown
        self._posts.add(str(thread_id), json.dumps(self._shown(exported)))
        if exported.is_shown:
            self._index(exported, thread)

    def _shown(self, exported: Exported) -> list[Any]:
        post = exported.post
        files = [(f.filename, f.size_bytes, f"../../{path}" if path else "") for f, path in exported.files]
        author = self._author_of(exported) if exported.is_shown else ""
        text = post.text if exported.is_shown else ""
        at = post.said_at.timestamp()
        return [at, post.permalink, author, text, post.subject if exported.is_shown else "", files, exported.is_shown]

    def _index(self, exported: Exported, thread: _Thread) -> None:
        post, number = exported.post, self._number
        self._number += 1
        author, title = self._author_of(exported), post.subject or thread.title
        names = " ".join(f.filename for f, _ in exported.files)
        for word in set(words_of(f"{title} {author} {names} {post.text}")):
            short = word[:_WORD_LENGTH]
            self._words.add(piece_of(short), f"{short} {number}")
        day = self._renderer.words.day(post.said_at, year=True)
        excerpt = " ".join(post.text.split())[:_EXCERPT_LENGTH]
        self._found.append([f"t/{post.thread_id}.html#{post.permalink}", title, author, day, excerpt])
        if len(self._found) == _POSTS_A_PIECE:
            self._write_found()

    def _write_found(self) -> None:
        if self._found:
            piece = (self._number - 1) // _POSTS_A_PIECE
            self._target.write(f"pages/search/posts-{piece}.js", _script("posts", piece, self._found))
            self._found = []

    def _finish(self) -> None:
        self._write_found()
        for name in _STATIC:
            self._target.write(f"pages/{name}", (TEMPLATES / "offline" / name).read_bytes())
        for thread_id, lines in self._posts:
            self._page(f"pages/t/{thread_id}.html", "thread", **self._thread_page(ThreadId(int(thread_id)), lines))
        for shelf in self._shelves.values():
            for month, threads in shelf.months.items():
                listed = [(id, self._threads[id], count) for id, count in threads.items() if count]
                if not listed:
                    continue
                listed.sort(key=lambda row: (row[1].first_at, row[0]))
                self._page(f"pages/a/{shelf.link}-{month}.html", "month", month=month, link=shelf.link, threads=listed)
        self._page("pages/search.html", "search", piece_size=_POSTS_A_PIECE)
        self._page("index.html", "index", shelves=self._index_page(), posts=self._number)
        self._write_words()

    def _thread_page(self, thread_id: ThreadId, lines: list[str]) -> dict[str, object]:
        posts = []
        for line in lines:
            at, anchor, author, text, subject, files, is_shown = json.loads(line)
            shown = tuple(ShownFile(name=name, size_bytes=size, href=href) for name, size, href in files)
            when = datetime.fromtimestamp(at, self._zone)
            posts.append(
                ShownPost(
                    anchor=anchor, author=author, at=when, text=text, subject=subject, files=shown, is_shown=is_shown
                )
            )
        posts.sort(key=lambda post: post.at)
        return {"thread": self._threads[thread_id], "posts": posts}

    def _index_page(self) -> list[tuple[str, list[tuple[str, list[tuple[str, int]]]]]]:
        """Each link with its years, the newest first, and the months of each with their number of posts."""
        shelves = []
        for shelf in sorted(self._shelves.values(), key=lambda s: s.link):
            years: dict[str, list[tuple[str, int]]] = {}
            for month in sorted(shelf.months):
                if count := sum(shelf.months[month].values()):
                    years.setdefault(month[:4], []).append((month, count))
            shelves.append((shelf.link, sorted(years.items(), reverse=True)))
        return shelves

    def _write_words(self) -> None:
        for piece, lines in self._words:
            numbers: dict[str, list[int]] = {}
            for line in lines:
                word, _, number = line.partition(" ")
                numbers.setdefault(word, []).append(int(number))
            self._target.write(f"pages/search/words-{piece}.js", _script("words", piece, numbers))

    def _page(self, path: str, template: str, **values: object) -> None:
        root = "../" * path.count("/")
        html = self._renderer.render(f"offline/{template}.html", root=root, zone=self._zone, **self._names, **values)
        self._target.write(path, html.encode("utf-8", "replace"))


def piece_of(word: str) -> str:
    """The piece of the index where a folded word stands: its first two letters, `_` for what is no ASCII letter."""
    return "".join(c if _PLAIN.fullmatch(c) else "_" for c in word[:2].ljust(2, "_"))


def _script(kind: str, piece: int | str, value: object) -> bytes:
    """A script that hands one piece to the page's search. ASCII: no browser reads it in another encoding."""
    text = json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")
    return f"passerelleLoaded({json.dumps(kind)},{json.dumps(str(piece))},{text});\n".encode("ascii")
