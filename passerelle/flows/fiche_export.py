"""A fiche as a reader sees it, with the words around it: for pages, files and the command line."""

from passerelle.core.fiche import HEADINGS, Audience, Content
from passerelle.core.fiche_export import ExportedFiche
from passerelle.core.ids import AssociationName
from passerelle.core.wording import Words
from passerelle.flows.context import FlowContext
from passerelle.flows.fiche_make import fiche_url, title_of
from passerelle.flows.fiche_read import SeenFiche
from passerelle.flows.readers import association_of


def exported(ctx: FlowContext, seen: SeenFiche, words: Words, *, audience: Audience = "association") -> ExportedFiche:
    """What is written of it. `audience`: for whom; of other associations' readers no address leads into its own."""
    fiche = seen.fiche
    settings = association_of(ctx, AssociationName(fiche.association))
    return ExportedFiche(
        number=fiche.number,
        title=title_of(seen.content, fiche, words),
        content=_shown(seen.content),
        who=seen.who,
        licence=fiche.licence,
        association=settings.title if settings is not None else fiche.association,
        url=fiche_url(ctx, fiche) if audience == "association" else "",
        made_at=fiche.made_at,
        changed_at=fiche.changed_at,
        names={heading: words(f"fiche_heading_{heading}") for heading in HEADINGS},
        who_line=words("web_fiche_who", names=words.names(seen.who)) if seen.who else "",
        licence_label=words("web_fiche_licence"),
        agreed=seen.agreed,
    )


def _shown(content: Content) -> Content:
    """Earlier wordings are nobody else's to read."""
    return Content(source=content.source, parts=content.parts)
