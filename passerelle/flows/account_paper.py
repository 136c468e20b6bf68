"""An account as a file, made in a thread: the bridge goes on relaying meanwhile."""

import asyncio
from collections.abc import Callable
from typing import Literal

from passerelle.core.account_words import ShownAccount
from passerelle.core.settings import AssociationSettings
from passerelle.documents.account_csv import build_account_csv
from passerelle.documents.account_html import build_account_html
from passerelle.documents.account_odt import build_account_odt
from passerelle.errors import DocumentFailure
from passerelle.flows.context import FlowContext

AccountForm = Literal["html", "odt", "csv"]
FORMS: tuple[AccountForm, ...] = ("html", "odt", "csv")
#: Drawing takes a second or two, the first time a few more.
_SECONDS = 60


async def account_on_paper(
    ctx: FlowContext, association: AssociationSettings, account: ShownAccount, form: AccountForm
) -> bytes:
    """An account as a file to keep. Raises DocumentFailure where it cannot be made, or not in time."""
    renderer, now = ctx.renderer(association), ctx.now()
    make: dict[AccountForm, Callable[[], bytes]] = {
        "html": lambda: build_account_html(account, renderer),
        "odt": lambda: build_account_odt(account, renderer.words, made_at=now),
        "csv": lambda: build_account_csv(account, renderer.words),
    }
    try:
        return await asyncio.wait_for(asyncio.to_thread(make[form]), _SECONDS)
    except TimeoutError as error:
        raise DocumentFailure("it took too long") from error
