"""Where the records behind a figure are, as paths below the archive's root. Pure.

Who may not read them is shown nothing there: a figure tells no more than its page.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode

from passerelle.core.account_facts import AccountScope


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountPaths:
    """Of one account."""

    scope: AccountScope
    #: The day on which it is made, in the association's zone.
    today: date

    def register(self, kind: str, **asked: str) -> str:
        """Entries of the period; with `became`, those that came into that state within it."""
        return self._page("register", {"kind": kind, **asked, **self._place(), **self._days()})

    def overdue(self, kind: str, state: str) -> str:
        """Entries in a state whose day is in the period, and is over."""
        first, last = self.scope.period.first, min(self.scope.period.last, self.today - timedelta(days=1))
        if last < first:
            return ""
        days = {"due_from": first.isoformat(), "due_to": last.isoformat()}
        return self._page("register", {"kind": kind, "state": state, **self._place(), **days})

    def labelled(self, label: str) -> str:
        return self._page("register", {"label": label, **self._link(), **self._days()})

    def meetings(self) -> str:
        """Meetings of the period's year; of another period there is no such page."""
        year = self.scope.period.year
        return self._page("meetings", {"year": str(year)}) if year is not None and not self.scope.tag else ""

    def search(self, *words: str) -> str:
        """Posts of the period. A search knows no tag and reads what its reader reads."""
        period = self.scope.period
        if self.scope.tag:
            return ""
        after = period.last + timedelta(days=1)
        place = [f"dans:{next(iter(self.scope.links))}"] if len(self.scope.links) == 1 else []
        terms = [*words, *place, f"depuis:{period.first.isoformat()}", f"avant:{after.isoformat()}"]
        return self._page("search", {"q": " ".join(terms)})

    def _days(self) -> dict[str, str]:
        return {"from": self.scope.period.first.isoformat(), "to": self.scope.period.last.isoformat()}

    def _link(self) -> dict[str, str]:
        whole = self.scope.is_whole or len(self.scope.links) != 1
        return {} if whole else {"link": next(iter(self.scope.links))}

    def _place(self) -> dict[str, str]:
        return {**({"label": self.scope.tag} if self.scope.tag else {}), **self._link()}

    def _page(self, name: str, asked: Mapping[str, str]) -> str:
        query = urlencode({key: value for key, value in asked.items() if value})
        return f"/{self.scope.association}/{name}?{query}"
