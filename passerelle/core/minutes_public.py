"""Minutes as others than members may read them: strangers on the web, who finds a sheet of paper (PEOPLE 9). Pure."""

from dataclasses import replace

from passerelle.core.minutes_model import Minutes, MinutesEntry, Presence
from passerelle.core.names import mask_contacts


def for_paper(minutes: Minutes) -> Minutes:
    """The minutes as they are printed: who is absent without a word is not held up to anybody.

    Present, represented and excused are what an assembly has to prove (PEOPLE 16).
    """
    return replace(minutes, presence=replace(minutes.presence, absent=(), absent_count=0))


def without_names(minutes: Minutes, *, mask: str) -> Minutes:
    """The minutes without anybody's name, absence or contact: who was there is a number, and nobody is quoted.

    What was decided stays as it was said, with `mask` in the place of each address.
    """

    def text(said: str) -> str:
        return mask_contacts(said, mask)

    def entries(of: tuple[MinutesEntry, ...]) -> tuple[MinutesEntry, ...]:
        return tuple(
            replace(
                one,
                text=text(one.text),
                label=text(one.label),
                names=(),
                author="",
                said_for="",
                objections=(),
                path="",
            )
            for one in of
        )

    presence = minutes.presence
    return replace(
        minutes,
        is_nameless=True,
        # It may be somebody's home.
        place="",
        url="",
        chair="",
        secretary="",
        presence=Presence(
            present_count=presence.present_count,
            represented_count=presence.represented_count,
            is_noted=presence.is_noted,
        ),
        decisions=entries(minutes.decisions),
        actions=entries(minutes.actions),
        loans=entries(minutes.loans),
        counts=entries(minutes.counts),
        infos=entries(minutes.infos),
        questions=entries(minutes.questions),
        ideas=entries(minutes.ideas),
        others=tuple(replace(other, entries=entries(other.entries)) for other in minutes.others),
        agenda=tuple(replace(item, text=text(item.text)) for item in minutes.agenda),
        topics=(),
        open_before=entries(minutes.open_before),
        next_meeting=replace(minutes.next_meeting, place="") if minutes.next_meeting is not None else None,
        corrections_left=(),
        source=None,
    )
