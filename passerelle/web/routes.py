"""Every address of the archive on the web, in one table: what it shows, who comes in, and whether it is permanent.

`docs/urls.md` says the same in words (a test compares them), and the test of the side doors tries each row. A handler
is found by the row's name (`passerelle.web.server`).
"""

from dataclasses import dataclass
from typing import Literal

#: Who gets an answer other than « sign in first ». `open`: everyone. `readers`: who may read what it shows; a stranger
#: only where it was opened to all. `author`: as `readers`, and only what is the reader's own. `coordinators`.
#: `key`: who has the secret address. `members`: who is signed in and reads what is said now; a stranger nowhere, also
#: where the archive was opened to all.
Comer = Literal["open", "readers", "author", "coordinators", "key", "members"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """One address. `path` is aiohttp's: `{name}` stands for one piece, `{name:regex}` for what the regex matches."""

    name: str
    path: str
    comer: Comer
    method: Literal["GET", "POST"] = "GET"
    #: It will lead to the same thing for as long as the archive is kept.
    permanent: bool = False


_A = "/{association:[a-z0-9][a-z0-9_-]*}"
_SHORT = "{short:[a-z2-7]{12}}"
_LINK = "{link:[a-z0-9][a-z0-9_-]*}"
_NETWORK = "{network:[a-z0-9][a-z0-9_-]*}"
_MONTH = r"{month:\d{4}-\d{2}}"
_POSITION = r"{position:\d{1,5}}"
_NUMBER = r"{number:\d{1,9}}"
_FEED = "{form:atom|json}"
_KEY = "{key:[A-Za-z0-9_-]{16,128}}"
#: As it came out of a mail: one that was cut on its way is told so.
_TOKEN = "{token:[^/]{1,200}}"

ROUTES: tuple[Route, ...] = (
    Route(name="root", path="/", comer="open"),
    Route(name="robots", path="/robots.txt", comer="open"),
    Route(name="style", path="/style/{version}.{ending:css|svg}", comer="open"),
    Route(name="root_message", path="/m/{message_id:.+}", comer="readers", permanent=True),
    Route(name="root_short", path=f"/p/{_SHORT}", comer="readers", permanent=True),
    Route(name="bare", path=_A, comer="open"),
    Route(name="home", path=f"{_A}/", comer="readers", permanent=True),
    Route(name="link", path=f"{_A}/a/{_LINK}", comer="readers", permanent=True),
    Route(name="month", path=f"{_A}/a/{_LINK}/{_MONTH}", comer="readers", permanent=True),
    Route(name="thread", path=f"{_A}/t/{_SHORT}", comer="readers", permanent=True),
    Route(name="message", path=f"{_A}/m/{{message_id:.+}}", comer="readers", permanent=True),
    Route(name="short", path=f"{_A}/p/{_SHORT}", comer="readers", permanent=True),
    Route(name="post", path=f"{_A}/p/{_SHORT}/alone", comer="readers"),
    Route(name="original", path=f"{_A}/p/{_SHORT}/original", comer="readers"),
    Route(name="original_file", path=f"{_A}/p/{_SHORT}/original.eml", comer="readers"),
    Route(name="file", path=f"{_A}/f/{_SHORT}/{_POSITION}/{{filename:.*}}", comer="readers", permanent=True),
    Route(name="search", path=f"{_A}/search", comer="readers"),
    Route(name="mine", path=f"{_A}/mine", comer="author"),
    Route(name="acts", path=f"{_A}/acts", comer="readers"),
    Route(name="now", path=f"{_A}/now", comer="members", permanent=True),
    Route(name="now_pdf", path=f"{_A}/now.pdf", comer="members", permanent=True),
    Route(name="register", path=f"{_A}/register", comer="members", permanent=True),
    Route(name="register_csv", path=f"{_A}/register.csv", comer="members"),
    Route(name="register_json", path=f"{_A}/register.json", comer="members"),
    Route(name="entry", path=f"{_A}/register/{_NUMBER}", comer="members", permanent=True),
    Route(name="meetings", path=f"{_A}/meetings", comer="members", permanent=True),
    Route(name="meeting", path=f"{_A}/meetings/{_NUMBER}", comer="members", permanent=True),
    Route(name="convocation", path=f"{_A}/meetings/{_NUMBER}/convocation.pdf", comer="members"),
    Route(name="minutes", path=f"{_A}/minutes/{_SHORT}", comer="members", permanent=True),
    Route(name="minutes_odt", path=f"{_A}/minutes/{_SHORT}.odt", comer="members", permanent=True),
    Route(name="minutes_pdf", path=f"{_A}/minutes/{_SHORT}.pdf", comer="members", permanent=True),
    Route(name="calendar", path=f"{_A}/calendar", comer="members"),
    Route(name="calendar_file", path=f"{_A}/calendar.ics", comer="members"),
    Route(name="digests", path=f"{_A}/digests", comer="author"),
    Route(name="digest", path=f"{_A}/digests/{_SHORT}", comer="author", permanent=True),
    Route(name="catch_up", path=f"{_A}/digests/catch-up", comer="members"),
    Route(name="digest_preview", path=f"{_A}/digests/preview", comer="coordinators"),
    Route(name="digest_stop", path=f"{_A}/digests/stop/{_TOKEN}", comer="open"),
    Route(name="digest_stopped", path=f"{_A}/digests/stop/{_TOKEN}", comer="open", method="POST"),
    Route(name="fiches", path=f"{_A}/fiches", comer="members", permanent=True),
    Route(name="fiche", path=f"{_A}/fiches/{_SHORT}", comer="members", permanent=True),
    Route(name="fiche_file", path=f"{_A}/fiches/{_SHORT}.{{written:html|md|json}}", comer="members"),
    Route(name="network", path=f"{_A}/network/{_NETWORK}", comer="members", permanent=True),
    Route(name="network_fiche", path=f"{_A}/network/{_NETWORK}/fiches/{_SHORT}", comer="members", permanent=True),
    Route(
        name="network_fiche_file",
        path=f"{_A}/network/{_NETWORK}/fiches/{_SHORT}.{{written:html|md|json}}",
        comer="members",
    ),
    Route(name="account", path=f"{_A}/account", comer="coordinators"),
    Route(name="account_file", path=f"{_A}/account.{{paper:html|odt|csv}}", comer="coordinators"),
    Route(name="about", path=f"{_A}/about", comer="open"),
    Route(name="feeds", path=f"{_A}/feeds", comer="readers"),
    Route(name="feed_all", path=f"{_A}/feed/all.{_FEED}", comer="readers"),
    Route(name="feed_link", path=f"{_A}/feed/a/{_LINK}.{_FEED}", comer="readers"),
    Route(name="feed_thread", path=f"{_A}/feed/t/{_SHORT}.{_FEED}", comer="readers"),
    Route(name="keyed_all", path=f"{_A}/key/{_KEY}/all.{_FEED}", comer="key"),
    Route(name="keyed_link", path=f"{_A}/key/{_KEY}/a/{_LINK}.{_FEED}", comer="key"),
    Route(name="keyed_thread", path=f"{_A}/key/{_KEY}/t/{_SHORT}.{_FEED}", comer="key"),
    Route(name="keyed_calendar", path=f"{_A}/key/{_KEY}/calendar.ics", comer="key"),
    Route(name="hide", path=f"{_A}/p/{_SHORT}/hide", comer="coordinators", method="POST"),
    Route(name="show", path=f"{_A}/p/{_SHORT}/show", comer="coordinators", method="POST"),
    Route(name="split", path=f"{_A}/p/{_SHORT}/split", comer="coordinators", method="POST"),
    Route(name="attach", path=f"{_A}/p/{_SHORT}/attach", comer="coordinators", method="POST"),
    Route(name="entry_change", path=f"{_A}/register/{_NUMBER}/change", comer="members", method="POST"),
    Route(name="meeting_answer", path=f"{_A}/meetings/{_NUMBER}/answer", comer="members", method="POST"),
    Route(name="fiche_make", path=f"{_A}/fiches/make", comer="members", method="POST"),
    Route(name="fiche_change", path=f"{_A}/fiches/{_SHORT}/change", comer="members", method="POST"),
    Route(name="sign_in", path=f"{_A}/sign-in", comer="open"),
    Route(name="sign_in_send", path=f"{_A}/sign-in", comer="open", method="POST"),
    Route(name="sign_in_confirm", path=f"{_A}/sign-in/{_TOKEN}", comer="open"),
    Route(name="sign_in_enter", path=f"{_A}/sign-in/{_TOKEN}", comer="open", method="POST"),
    Route(name="sign_out", path=f"{_A}/sign-out", comer="author", method="POST"),
    Route(name="feed_key_make", path=f"{_A}/feeds/key", comer="author", method="POST"),
    Route(name="feed_key_end", path=f"{_A}/feeds/end", comer="author", method="POST"),
    Route(name="undo", path=rf"{_A}/acts/{{edit:\d{{1,18}}}}/undo", comer="coordinators", method="POST"),
)
