"""An account as one HTML file that needs nothing else (`templates/account/account.html.j2`)."""

import base64

from passerelle.core.account_words import ShownAccount
from passerelle.documents.account_charts import build_chart
from passerelle.render import Renderer


def build_account_html(account: ShownAccount, renderer: Renderer) -> bytes:
    """The page, its charts in it as SVG. The processor's work: call it in a thread.

    A picture in an `img` runs nothing and loads nothing (HTML standard, "images"). Raises ConfigError where
    Passerelle's own template fails.
    """
    charts = {
        table.id: base64.b64encode(build_chart(table, "svg")).decode("ascii") if table.chart else ""
        for table in account.tables
    }
    return renderer.render("account/account.html", account=account, charts=charts).encode("utf-8", "replace")
