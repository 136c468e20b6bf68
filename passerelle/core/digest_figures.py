"""A digest's time in numbers. Pure."""

from passerelle.core.digest_entries import is_untold
from passerelle.core.digest_items import Figures
from passerelle.core.digest_telling import Telling


def figures_of(telling: Telling) -> Figures:
    """What its reader may know in numbers: who spoke, on which side; what was done, answered, decided.

    People are counted by person, who is not known as one by name. Nobody is named.
    """
    posts = [post for post in telling.facts.posts if telling.is_in_time(post.at)]
    by_mail, in_room = ([post for post in posts if post.side == side] for side in ("list", "room"))
    entries = [fact.entry for fact in telling.facts.entries if not is_untold(fact.entry)]
    open_now = [entry.kind for entry in entries if entry.state == "open"]
    moved = [(entry.kind, entry.state) for entry in entries if telling.is_in_time(entry.changed_at)]
    return Figures(
        people=len({post.author for post in posts}),
        people_by_mail=len({post.author for post in by_mail}),
        people_in_room=len({post.author for post in in_room}),
        posts_by_mail=len(by_mail),
        posts_in_room=len(in_room),
        links=len({shelf.link for post in posts for shelf in post.shelves}),
        actions_done=moved.count(("action", "done")),
        actions_open=open_now.count("action"),
        questions_answered=moved.count(("question", "done")),
        questions_open=open_now.count("question"),
        decisions_adopted=moved.count(("decision", "adopted")),
    )
