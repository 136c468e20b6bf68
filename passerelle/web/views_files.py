"""Files of posts, and original mails: handed out so that nothing in them runs."""

from aiohttp import web

from passerelle.core.model import Post
from passerelle.core.names import mask_contacts
from passerelle.errors import StoreError
from passerelle.flows.read_original import Original, read_original
from passerelle.store.archive_pages import find_by_short, find_readable_post, openings_of_threads
from passerelle.store.attachments import list_attachments
from passerelle.store.blobs import get_blob
from passerelle.web.app_keys import CONTEXT
from passerelle.web.door import READER, is_signed_in, nothing_here
from passerelle.web.heavy import made
from passerelle.web.lists import association_name, opening_title, presenting
from passerelle.web.pages import SAFE_HEADERS, page, paths_of, words_of
from passerelle.web.present import author_of, file_name, moment_of
from passerelle.web.safe_files import FILE_POLICY, Served, attached, served


async def _readable(request: web.Request) -> list[Post]:
    """The posts of the short name that stand and may be read: one, but for a rare coincidence."""
    shelves = request[READER].shelves
    async with request.app[CONTEXT].store.read() as conn:
        placed = await find_by_short(conn, association_name(request), request.match_info["short"], shelves)
        found = [await find_readable_post(conn, one.id, shelves) for one in placed]
    posts = [post for post in found if post is not None]
    if not posts:
        raise nothing_here(request)
    return posts


async def file(request: web.Request) -> web.StreamResponse:
    """A file of a post."""
    posts, position = await _readable(request), int(request.match_info["position"])
    mask = presenting(request, paths_of(request)).mask
    async with request.app[CONTEXT].store.read() as conn:
        for post in posts:
            for row in await list_attachments(conn, post.id):
                if row.position == position and row.state == "here" and row.blob_hash is not None:
                    try:
                        data = await get_blob(conn, row.blob_hash)
                    except StoreError as error:
                        raise nothing_here(request) from error
                    return _handed_out(data, served(file_name(row.filename, mask=mask), row.media_type, data))
    raise nothing_here(request)


def _handed_out(data: bytes, how: Served) -> web.Response:
    headers = {
        **SAFE_HEADERS,
        "Content-Security-Policy": FILE_POLICY,
        "Content-Type": how.content_type,
        "Content-Disposition": how.disposition,
        "Referrer-Policy": "no-referrer",
    }
    return web.Response(body=data, headers=headers)


def _has_headers(request: web.Request, post: Post) -> bool:
    """Whether the reader may see a mail's header: its author, and coordinators (PEOPLE 4)."""
    reader = request[READER]
    if not is_signed_in(request) or reader.person_id is None:
        return False
    return reader.is_coordinator or post.person_id == reader.person_id


async def _original(request: web.Request) -> tuple[Post, Original]:
    for post in await _readable(request):
        original = await read_original(request.app[CONTEXT], post)
        if original is not None:
            return post, original
    raise nothing_here(request)


async def _masked(request: web.Request, found: Original) -> str:
    mask = words_of(request)("masked_address")
    return await made(len(found.text), lambda: mask_contacts(found.text, mask))


async def original(request: web.Request) -> web.StreamResponse:
    """The whole text of a mail as it came, with what it quotes."""
    post, found = await _original(request)
    showing, words = presenting(request, paths_of(request)), words_of(request)
    async with request.app[CONTEXT].store.read() as conn:
        opening = (await openings_of_threads(conn, [post.thread_id], request[READER].shelves)).get(post.thread_id)
    with_headers = _has_headers(request, post)
    return page(
        request,
        "original",
        title=opening_title(words, opening, mask=showing.mask) if opening else words("web_a_post"),
        short=post.permalink,
        author=author_of(words, post.side, post.author_name),
        said_at=post.said_at,
        moment=moment_of(words, post.said_at),
        text=found.text if with_headers else await _masked(request, found),
        with_headers=with_headers,
    )


async def original_file(request: web.Request) -> web.StreamResponse:
    """The mail itself for its author and coordinators; its words alone for others."""
    post, found = await _original(request)
    if _has_headers(request, post):
        return _handed_out(found.raw, attached(f"{post.permalink}.eml", "message/rfc822"))
    words = words_of(request)
    heading = f"{author_of(words, post.side, post.author_name)}, {moment_of(words, post.said_at)}"
    text = f"{heading}\n\n{await _masked(request, found)}\n"
    return _handed_out(text.encode(), attached(f"{post.permalink}.txt", "text/plain; charset=utf-8"))
