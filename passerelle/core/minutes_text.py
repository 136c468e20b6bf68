"""The words of minutes, one part after the other, as a search looks through them. Pure."""

from collections.abc import Iterable, Iterator

from passerelle.core.minutes_model import Minutes, MinutesEntry, MinutesVote


def searched_text(minutes: Minutes) -> str:
    """All that somebody may remember of a meeting: what was decided and said, who did what; not who was absent."""
    return "\n".join(part for part in _parts(minutes) if part)


def _parts(minutes: Minutes) -> Iterator[str]:
    yield from (minutes.place, minutes.chair, minutes.secretary)
    for entries in (
        minutes.decisions, minutes.actions, minutes.loans, minutes.counts, minutes.infos, minutes.questions,
        minutes.ideas, *(kind.entries for kind in minutes.others),
    ):  # fmt: skip
        yield from _entries(entries)
    yield from _votes(minutes.votes)
    yield from (item.text for item in minutes.agenda)
    for topic in minutes.topics:
        yield topic.title
        yield from (f"{said.author} : {said.text}" for said in topic.excerpts)
    yield from (one.name for one in minutes.presence.present)
    if minutes.next_meeting is not None:
        yield f"{minutes.next_meeting.title} {minutes.next_meeting.place}"


def _entries(entries: Iterable[MinutesEntry]) -> Iterator[str]:
    for entry in entries:
        yield f"{entry.text} {' '.join(entry.names)}"
        yield from _votes(entry.votes)


def _votes(votes: Iterable[MinutesVote]) -> Iterator[str]:
    return (vote.text for vote in votes)
