"""What is the reader's own, and what coordinators did."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from aiohttp import web

from passerelle.core.ids import PostId
from passerelle.store.acts import Act, list_acts
from passerelle.store.archive_pages import openings_of_threads, own_posts
from passerelle.web.app_keys import CONTEXT
from passerelle.web.door import READER, signed_in
from passerelle.web.lists import association_name, link_title, links_of, post_entries, presenting
from passerelle.web.pages import END_OF_TIME, page, paths_of, words_of
from passerelle.web.present import moment_of

_POSTS_A_PAGE = 50
_ACTS_A_PAGE = 100
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: The acts that have a sentence of their own (catalogues: `web_act_…`).
_KNOWN_ACTS = {
    "attach": "web_act_attach",
    "split": "web_act_split",
    "undo": "web_act_undo",
    "hide": "web_act_hide",
    "show": "web_act_show",
    "open": "web_act_open",
    "close": "web_act_close",
    "import": "web_act_import",
    "erase": "web_act_erase",
    "roster": "web_act_roster",
    "entry_adopt": "web_act_entry_adopt",
    "entry_replace": "web_act_entry_replace",
    "entry_drop": "web_act_entry_drop",
    "entry_review": "web_act_entry_review",
    "meeting_moved": "web_act_meeting_moved",
    "meeting_cancelled": "web_act_meeting_cancelled",
    "minutes_approved": "web_act_minutes_approved",
}


async def mine(request: web.Request) -> web.StreamResponse:
    """What the reader said; nobody else can see this page (PEOPLE 9)."""
    reader, paths = signed_in(request).reader, paths_of(request)
    assert reader.person_id is not None
    showing = presenting(request, paths)
    async with request.app[CONTEXT].store.read() as conn:
        posts = await own_posts(
            conn,
            association_name(request),
            reader.person_id,
            reader.shelves,
            before=_place(request.query.get("before", "")),
            limit=_POSTS_A_PAGE + 1,
        )
        shown = posts[:_POSTS_A_PAGE]
        openings = await openings_of_threads(conn, {post.thread_id for post in shown}, reader.shelves)
    older = ""
    if len(posts) > len(shown):
        older = paths.mine(f"{(shown[-1].said_at - _EPOCH) // timedelta(microseconds=1)}.{shown[-1].id}")
    entries = post_entries(showing, shown, openings, with_author=False)
    return page(request, "mine", here="mine", posts=entries, older=older)


def _place(before: str) -> tuple[datetime, PostId]:
    """Where a page begins: microseconds and id of the post before it."""
    at, _, id = before.partition(".")
    if not (at.isascii() and at.isdecimal() and id.isascii() and id.isdecimal() and len(at) < 18 and len(id) < 18):
        return END_OF_TIME, PostId(0)
    return _EPOCH + timedelta(microseconds=int(at)), PostId(int(id))


async def acts(request: web.Request) -> web.StreamResponse:
    """What coordinators did, readable by all who take part (PEOPLE 15)."""
    reader, paths = signed_in(request).reader, paths_of(request)
    asked = request.query.get("before", "")
    before = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 18 else None
    async with request.app[CONTEXT].store.read() as conn:
        found = await list_acts(conn, association_name(request), limit=_ACTS_A_PAGE + 1, before=before)
    shown = found[:_ACTS_A_PAGE]
    readable = links_of(reader)
    undone = {(act.about or {}).get("undone") for act in shown if act.what == "undo"}
    listed = [_act(request, act, undone) for act in shown if not act.link or act.link in readable]
    older = paths.acts(shown[-1].id) if len(found) > len(shown) else ""
    return page(request, "acts", here="acts", acts=listed, older=older)


def _act(request: web.Request, act: Act, undone: Collection[object]) -> dict[str, object]:
    words, paths = words_of(request), paths_of(request)
    about = act.about or {}
    permalink, edit, entry = about.get("permalink"), about.get("edit"), about.get("entry")
    can_undo = act.what in ("attach", "split") and edit not in undone and request[READER].is_coordinator
    return {
        "at": act.at,
        "moment": moment_of(words, act.at),
        "by": act.by,
        "what": words(_KNOWN_ACTS.get(act.what, "web_act_other")) + (f" ({link_title(act.link)})" if act.link else ""),
        "path": paths.short(permalink) if isinstance(permalink, str) and permalink else "",
        "entry": paths.entry(entry) if isinstance(entry, int) else "",
        "undo": paths.undo(edit) if can_undo and isinstance(edit, int) else "",
    }
