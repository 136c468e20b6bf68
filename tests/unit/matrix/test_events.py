"""Room events: what each means, and that nothing which another server lets through breaks the reading."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.errors import MalformedEvent
from passerelle.matrix.events import (
    DELIVERY_KEY,
    Edit,
    Ignored,
    MemberChange,
    Parsed,
    Reaction,
    Redaction,
    RoomFactChange,
    RoomLine,
    Undecryptable,
    is_kept_in_room,
    parse_event,
    readable_text,
)
from passerelle.render import load_words

FRENCH = load_words("fr")
NOON = datetime(2026, 11, 12, 12, tzinfo=UTC)
NOON_MS = int(NOON.timestamp() * 1000)


def event(content: dict[str, Any], kind: str = "m.room.message", **more: Any) -> dict[str, Any]:
    return {
        "type": kind,
        "event_id": "$e1",
        "sender": "@lea:example.org",
        "origin_server_ts": NOON_MS,
        "content": content,
        **more,
    }


def line_of(content: dict[str, Any], kind: str = "m.room.message") -> RoomLine:
    parsed = parse_event(event(content, kind))
    assert isinstance(parsed, RoomLine)
    return parsed


def text(body: str, **more: Any) -> dict[str, Any]:
    return {"msgtype": "m.text", "body": body, **more}


def test_text_line() -> None:
    line = line_of(text("Bonjour\x00 à\x07 tous", format="org.matrix.custom.html", formatted_body="<b>Bonjour</b>"))
    assert (line.body, line.formatted_body, line.said_at) == ("Bonjour à tous", "<b>Bonjour</b>", NOON)
    assert line.thread_root is None
    assert line.replies_to is None


def test_formatted_body_of_another_format_is_left() -> None:
    assert line_of(text("a", format="org.example.markdown", formatted_body="<b>a</b>")).formatted_body == ""


@pytest.mark.parametrize("kind", ["m.emote", "m.notice"])
def test_emote_and_notice_are_known(kind: str) -> None:
    line = line_of({"msgtype": kind, "body": "danse"})
    assert (line.is_emote, line.is_notice) == (kind == "m.emote", kind == "m.notice")


def test_real_reply() -> None:
    line = line_of(text("Oui", **{"m.relates_to": {"m.in_reply_to": {"event_id": "$a"}}}))
    assert (line.replies_to, line.thread_root) == ("$a", None)


def test_reply_fallback_of_older_clients_is_removed() -> None:
    line = line_of(
        text(
            "> <@paul:example.org> Qui vient ?\n> Samedi.\n\nMoi.",
            format="org.matrix.custom.html",
            formatted_body="<mx-reply><blockquote>Qui vient ?</blockquote></mx-reply>Moi.",
            **{"m.relates_to": {"m.in_reply_to": {"event_id": "$a"}}},
        )
    )
    assert (line.body, line.formatted_body) == ("Moi.", "Moi.")


def test_quote_that_an_author_wrote_stays() -> None:
    line = line_of(text("> Qui vient ?\n\nMoi.", **{"m.relates_to": {"m.in_reply_to": {"event_id": "$a"}}}))
    assert line.body == "> Qui vient ?\n\nMoi."


@pytest.mark.parametrize(("falls_back", "replies_to"), [(True, None), (False, "$b"), (None, "$b")])
def test_thread_and_its_fallback(falls_back: bool | None, replies_to: str | None) -> None:
    relation: dict[str, Any] = {"rel_type": "m.thread", "event_id": "$root", "m.in_reply_to": {"event_id": "$b"}}
    if falls_back is not None:
        relation["is_falling_back"] = falls_back
    line = line_of(text("Oui", **{"m.relates_to": relation}))
    assert (line.thread_root, line.replies_to) == ("$root", replies_to)


def test_edit_comes_before_its_fallback_body() -> None:
    content = text(
        "* Rendez-vous à 15 h",
        **{
            "m.new_content": text("Rendez-vous à 15 h"),
            "m.relates_to": {"rel_type": "m.replace", "event_id": "$a"},
        },
    )
    edit = parse_event(event(content))
    assert isinstance(edit, Edit)
    assert (edit.target, edit.line.body) == ("$a", "Rendez-vous à 15 h")


def test_edit_without_new_content_is_ignored_not_shown() -> None:
    content = text("* x", **{"m.relates_to": {"rel_type": "m.replace", "event_id": "$a"}})
    assert isinstance(parse_event(event(content)), Ignored)


@pytest.mark.parametrize("place", ["top", "content"])
def test_redaction_of_every_room_version(place: str) -> None:
    made = event({"reason": "erreur"}, "m.room.redaction")
    (made if place == "top" else made["content"])["redacts"] = "$a"
    parsed = parse_event(made)
    assert isinstance(parsed, Redaction)
    assert (parsed.target, parsed.reason) == ("$a", "erreur")


def test_redacted_line_is_ignored() -> None:
    parsed = parse_event(event({}, unsigned={"redacted_because": {"type": "m.room.redaction"}}))
    assert isinstance(parsed, Ignored)


def test_reaction() -> None:
    parsed = parse_event(
        event({"m.relates_to": {"rel_type": "m.annotation", "event_id": "$a", "key": "📧"}}, "m.reaction")
    )
    assert isinstance(parsed, Reaction)
    assert (parsed.target, parsed.key) == ("$a", "📧")


def test_member_and_room_facts() -> None:
    member = parse_event(
        event({"membership": "join", "displayname": "Léa\u202e"}, "m.room.member", state_key="@lea:example.org")
    )
    rules = parse_event(event({"join_rule": "public"}, "m.room.join_rules", state_key=""))
    visibility = parse_event(event({"history_visibility": "world_readable"}, "m.room.history_visibility", state_key=""))
    assert isinstance(member, MemberChange)
    assert (member.user_id, member.display_name, member.membership) == ("@lea:example.org", "Léa", "join")
    assert isinstance(rules, RoomFactChange)
    assert isinstance(visibility, RoomFactChange)
    assert (rules.value, visibility.value) == ("public", "world_readable")


def test_undecryptable() -> None:
    content = {"algorithm": "m.megolm.v1.aes-sha2", "ciphertext": "…", "session_id": "S"}
    parsed = parse_event(event(content, "m.room.encrypted"))
    assert isinstance(parsed, Undecryptable)
    assert parsed.session_id == "S"


def test_mentions() -> None:
    line = line_of(text("Karim ?", **{"m.mentions": {"user_ids": ["@karim:x", 3, "no"], "room": True}}))
    assert (line.mentions, line.mentions_room) == (("@karim:x",), True)


def test_file_without_caption() -> None:
    line = line_of(
        {
            "msgtype": "m.image",
            "body": "../../photo.jpg",
            "url": "mxc://x/1",
            "info": {"mimetype": "image/jpeg; a=b", "size": 1234, "w": 3},
        }
    )
    (file,) = line.files
    assert (line.body, file.filename, file.media_type, file.size_bytes) == ("", "photo.jpg", "image/jpeg", 1234)
    assert file.media == {"url": "mxc://x/1"}


def test_caption_is_the_body() -> None:
    line = line_of({"msgtype": "m.file", "body": "Le plan", "filename": "plan.pdf", "url": "mxc://x/1"})
    assert (line.body, line.files[0].filename) == ("Le plan", "plan.pdf")


def test_encrypted_file_in_a_clear_room_keeps_its_keys() -> None:
    file = {"url": "mxc://x/1", "key": {"k": "…"}, "iv": "…", "hashes": {"sha256": "…"}, "v": "v2"}
    line = line_of({"msgtype": "m.file", "body": "a.pdf", "file": file})
    assert line.files[0].media == {"file": file}


def test_file_without_media_is_readable() -> None:
    line = line_of({"msgtype": "m.file", "body": "plan.pdf", "url": "http://evil/x"})
    assert (line.files, line.body) == ((), "plan.pdf")


def test_voice_message() -> None:
    line = line_of(
        {
            "msgtype": "m.audio",
            "body": "Voice message.ogg",
            "url": "mxc://x/1",
            "info": {"mimetype": "audio/ogg", "duration": 72000},
            "org.matrix.msc3245.voice": {},
        }
    )
    assert line.is_voice
    assert line.files[0].duration_ms == 72000


def test_location_is_readable() -> None:
    line = line_of({"msgtype": "m.location", "body": "La salle", "geo_uri": "geo:50.69,3.17;u=35"})
    assert readable_text(line, FRENCH) == (
        "Lieu\u00a0: La salle\nhttps://www.openstreetmap.org/?mlat=50.69000&mlon=3.17000#map=17/50.69000/3.17000"
    )


def test_nonsense_coordinates_are_left() -> None:
    line = line_of({"msgtype": "m.location", "body": "Ici", "geo_uri": "geo:999,3"})
    assert readable_text(line, FRENCH) == "Lieu\u00a0: Ici"


def test_sticker_is_readable() -> None:
    line = line_of({"body": "chat content", "url": "mxc://x/1", "info": {"mimetype": "image/png"}}, "m.sticker")
    assert readable_text(line, FRENCH) == "[autocollant\u00a0: chat content]"
    assert line.files[0].filename == "sticker"


STABLE_POLL = {
    "m.text": [{"body": "repli"}],
    "m.poll": {
        "question": {"m.text": [{"body": "Quelle date ?"}]},
        "answers": [{"m.id": "a", "m.text": [{"body": "Jeudi"}]}, {"m.id": "b", "m.text": [{"body": "Samedi"}]}],
    },
}
UNSTABLE_POLL = {
    "org.matrix.msc3381.poll.start": {
        "question": {"org.matrix.msc1767.text": "Quelle date ?"},
        "answers": [{"id": "a", "org.matrix.msc1767.text": "Jeudi"}, {"id": "b", "org.matrix.msc1767.text": "Samedi"}],
    }
}


@pytest.mark.parametrize(
    ("kind", "content"), [("m.poll.start", STABLE_POLL), ("org.matrix.msc3381.poll.start", UNSTABLE_POLL)]
)
def test_poll_is_readable_by_both_names(kind: str, content: dict[str, Any]) -> None:
    assert readable_text(line_of(content, kind), FRENCH) == "Sondage\u00a0: Quelle date ?\n1. Jeudi\n2. Samedi"


@pytest.mark.parametrize("body", ["// entre nous", "  //x", "//", "\u200b//x"])
def test_line_that_stays_in_the_room(body: str) -> None:
    assert is_kept_in_room(line_of(text(body)))


@pytest.mark.parametrize("body", ["https://x.org", "a // b", "/ /"])
def test_line_that_does_not_stay_in_the_room(body: str) -> None:
    assert not is_kept_in_room(line_of(text(body)))


def test_reply_fallback_does_not_hide_the_keep_mark() -> None:
    line = line_of(text("> <@a:b> x\n\n// entre nous", **{"m.relates_to": {"m.in_reply_to": {"event_id": "$a"}}}))
    assert is_kept_in_room(line)


def test_delivery_key_is_read() -> None:
    assert line_of(text("a", **{DELIVERY_KEY: "k1"})).delivery_key == "k1"
    assert line_of(text("a", **{DELIVERY_KEY: 3})).delivery_key is None


@pytest.mark.parametrize("stamp", [-5, 0, 10**18, 1e400, float("nan"), "x", None, True, NOON_MS + 10**9])
def test_time_is_held_between_bounds(stamp: object) -> None:
    made = event(text("a"))
    made["origin_server_ts"] = stamp
    parsed = parse_event(made, not_after=NOON)
    assert datetime(2010, 1, 1, tzinfo=UTC) <= parsed.said_at <= NOON


@pytest.mark.parametrize("missing", ["type", "event_id", "sender", "content"])
def test_event_without_what_every_event_has_is_malformed(missing: str) -> None:
    made = event(text("a"))
    del made[missing]
    with pytest.raises(MalformedEvent):
        parse_event(made)


def _json_values(folder: Path) -> Iterator[Any]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix in (".json", ".yaml", ".txt"):
            try:
                yield json.loads(path.read_text("utf-8", "replace"))
            except ValueError:
                continue


def _events_in(value: Any) -> Iterator[dict[str, Any]]:
    """Every object of a JSON document, and each completed to a whole event."""
    stack = [value]
    while stack:
        one = stack.pop()
        if isinstance(one, dict):
            yield one
            kind = one.get("type") if isinstance(one.get("type"), str) else "m.room.message"
            content = one.get("content") if isinstance(one.get("content"), dict) else one
            yield {"event_id": "$e", "sender": "@a:b", "origin_server_ts": 1, **one, "type": kind, "content": content}
            stack.extend(one.values())
        elif isinstance(one, list):
            stack.extend(one)


def _try(made: dict[str, Any]) -> Parsed | None:
    try:
        parsed = parse_event(made)
    except MalformedEvent:
        return None
    if isinstance(parsed, RoomLine):
        readable_text(parsed, FRENCH)
        is_kept_in_room(parsed)
    return parsed


@pytest.mark.parametrize(
    ("name", "at_least"), [("matrix-spec", 80), ("matrix-spec-proposals", 60), ("matrix-nio", 100)]
)
def test_every_sample_event_is_survived(corpora: Path, name: str, at_least: int) -> None:
    parsed = [_try(made) for value in _json_values(corpora / name) for made in _events_in(value)]
    assert sum(one is not None for one in parsed) >= at_least
    assert any(isinstance(one, RoomLine) for one in parsed)


def test_polls_threads_edits_and_reactions_of_the_proposals_are_understood(corpora: Path) -> None:
    found = {
        type(parsed)
        for value in _json_values(corpora / "matrix-spec-proposals")
        for made in _events_in(value)
        if (parsed := _try(made)) is not None
    }
    assert {RoomLine, Edit, Reaction} <= found


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
KEYS = [
    "msgtype", "body", "format", "formatted_body", "m.relates_to", "m.new_content", "m.mentions", "url", "file", "info",
    "filename", "geo_uri", "m.poll", "question", "answers", "m.text", "redacts", "membership", "rel_type", "event_id",
    "m.in_reply_to", "user_ids", "key", "is_falling_back", "duration", "size", "mimetype",
    "org.matrix.msc3381.poll.start",
]  # fmt: skip
WORDS = ["m.text", "m.image", "m.audio", "m.location", "m.emote", "m.replace", "m.thread", "m.annotation", "$a",
         "mxc://a/b",
         "org.matrix.custom.html", "> <@a:b> x\n\ny", "geo:1,2", "join", "public", "//x"]  # fmt: skip
odd_contents = st.recursive(
    st.sampled_from(WORDS) | json_values,
    lambda inner: st.dictionaries(st.sampled_from(KEYS), inner, max_size=6) | st.lists(inner, max_size=3),
    max_leaves=15,
)
KINDS = [
    "m.room.message", "m.reaction", "m.room.redaction", "m.sticker", "m.poll.start", "m.poll.end", "m.room.member",
    "m.room.encrypted", "m.room.join_rules", "org.matrix.msc3381.poll.start", "m.room.topic",
]  # fmt: skip


@settings(deadline=None)
@given(kind=st.sampled_from(KINDS), content=odd_contents, state_key=st.none() | st.sampled_from(["", "@a:b", "x"]))
def test_odd_contents_are_survived(kind: str, content: Any, state_key: str | None) -> None:
    made = event(content, kind)
    if state_key is not None:
        made["state_key"] = state_key
    parsed = _try(made)
    assert (parsed is None) == (not isinstance(content, dict))


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["type", "event_id", "sender", "content", "unsigned", "origin_server_ts"]), json_values
    )
)
def test_odd_events_are_survived(made: dict[str, Any]) -> None:
    _try(made)
