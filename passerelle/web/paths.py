"""Where things are in an association's archive, as paths for its pages. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from urllib.parse import quote, urlencode

from passerelle.core.ids import MessageId


@dataclass(frozen=True, kw_only=True, slots=True)
class Paths:
    """`root`: the association's, without a slash at the end: `/epeule`, or `/archives/epeule` below another site."""

    root: str

    def home(self) -> str:
        return f"{self.root}/"

    def link(self, link: str) -> str:
        return f"{self.root}/a/{link}"

    def month(self, link: str, year: int, month: int) -> str:
        return f"{self.root}/a/{link}/{year:04}-{month:02}"

    def month_of(self, link: str, at: datetime) -> str:
        """The page of the month of a local instant."""
        return self.month(link, at.year, at.month)

    def thread(self, short: str, *, page: int = 1, anchor: str = "") -> str:
        """The conversation in which a post stands; `anchor`: the post to be seen."""
        query = f"?page={page}" if page > 1 else ""
        return f"{self.root}/t/{short}{query}" + (f"#p-{anchor}" if anchor else "")

    def short(self, short: str) -> str:
        return f"{self.root}/p/{short}"

    def message(self, message_id: MessageId) -> str:
        return f"{self.root}/m/{quote(message_id, safe='@')}"

    def post(self, short: str) -> str:
        return f"{self.root}/p/{short}/alone"

    def original(self, short: str) -> str:
        return f"{self.root}/p/{short}/original"

    def original_file(self, short: str) -> str:
        return f"{self.root}/p/{short}/original.eml"

    def file(self, short: str, position: int, filename: str) -> str:
        # A name of dots alone would be a step in the path.
        name = quote(filename[:120], safe="") if filename.strip(".") else "fichier"
        return f"{self.root}/f/{short}/{position}/{name}"

    def search(self, words: str = "", **more: str) -> str:
        query = urlencode({"q": words, **more}) if words or more else ""
        return f"{self.root}/search" + (f"?{query}" if query else "")

    def mine(self, before: str = "") -> str:
        return f"{self.root}/mine" + (f"?before={quote(before)}" if before else "")

    def acts(self, before: int | None = None) -> str:
        return f"{self.root}/acts" + (f"?before={before}" if before is not None else "")

    def undo(self, edit: int) -> str:
        return f"{self.root}/acts/{edit}/undo"

    def about(self) -> str:
        return f"{self.root}/about"

    def register(self, **asked: str) -> str:
        """The register; `asked`: what the form above it asks for."""
        query = urlencode({name: value for name, value in asked.items() if value})
        return f"{self.root}/register" + (f"?{query}" if query else "")

    def register_file(self, form: Literal["csv", "json"], **asked: str) -> str:
        query = urlencode({name: value for name, value in asked.items() if value})
        return f"{self.root}/register.{form}" + (f"?{query}" if query else "")

    def entry(self, number: int) -> str:
        return f"{self.root}/register/{number}"

    def entry_change(self, number: int) -> str:
        return f"{self.root}/register/{number}/change"

    def meetings(self, year: int | None = None) -> str:
        return f"{self.root}/meetings" + (f"?year={year}" if year is not None else "")

    def meeting(self, number: int) -> str:
        return f"{self.root}/meetings/{number}"

    def meeting_answer(self, number: int) -> str:
        return f"{self.root}/meetings/{number}/answer"

    def convocation(self, number: int) -> str:
        return f"{self.root}/meetings/{number}/convocation.pdf"

    def minutes(self, short: str, form: Literal["", "odt", "pdf"] = "") -> str:
        return f"{self.root}/minutes/{short}" + (f".{form}" if form else "")

    def calendar(self) -> str:
        return f"{self.root}/calendar"

    def calendar_file(self, *, key: str = "") -> str:
        """The calendar for calendar programs; with `key`, for those that cannot sign in."""
        return f"{self.root}/{f'key/{key}/' if key else ''}calendar.ics"

    def now(self, form: Literal["", "pdf"] = "") -> str:
        """The one page of the association; `pdf`: the sheet for the notice board."""
        return f"{self.root}/now" + (f".{form}" if form else "")

    def digests(self) -> str:
        return f"{self.root}/digests"

    def digest(self, short: str) -> str:
        return f"{self.root}/digests/{short}"

    def catch_up(self) -> str:
        return f"{self.root}/digests/catch-up"

    def digest_preview(self) -> str:
        return f"{self.root}/digests/preview"

    def network(self, name: str) -> str:
        return f"{self.root}/network/{name}"

    def network_fiche(self, name: str, short: str, form: str = "") -> str:
        """A fiche that an association of a network shares, as the others read it."""
        return f"{self.root}/network/{name}/fiches/{short}" + (f".{form}" if form else "")

    def fiches(self) -> str:
        return f"{self.root}/fiches"

    def fiche_make(self) -> str:
        return f"{self.root}/fiches/make"

    def fiche(self, short: str, form: Literal["", "html", "md", "json"] = "") -> str:
        return f"{self.root}/fiches/{short}" + (f".{form}" if form else "")

    def fiche_change(self, short: str) -> str:
        return f"{self.root}/fiches/{short}/change"

    def account(self, **asked: str) -> str:
        """The year's account; `asked`: what the form above it asks for."""
        query = urlencode({name: value for name, value in asked.items() if value})
        return f"{self.root}/account" + (f"?{query}" if query else "")

    def account_file(self, form: Literal["html", "odt", "csv"], **asked: str) -> str:
        query = urlencode({name: value for name, value in asked.items() if value})
        return f"{self.root}/account.{form}" + (f"?{query}" if query else "")

    def feeds(self) -> str:
        return f"{self.root}/feeds"

    def feed(self, what: str, form: Literal["atom", "json"] = "atom", *, key: str = "") -> str:
        """A feed: `what` is `all`, `a/<link>` or `t/<short>`; with `key`, for feed readers, who cannot sign in."""
        return f"{self.root}/{f'key/{key}' if key else 'feed'}/{what}.{form}"

    def sign_in(self, next_: str = "") -> str:
        return f"{self.root}/sign-in" + (f"?next={quote(next_, safe='/')}" if next_ else "")

    def sign_out(self) -> str:
        return f"{self.root}/sign-out"

    def act(self, short: str, what: Literal["hide", "show", "split", "attach"]) -> str:
        return f"{self.root}/p/{short}/{what}"
