"""An account for a spreadsheet: one long table, a line a figure, its definition and where its records are."""

from passerelle.core.account_words import ShownAccount, ShownTable
from passerelle.core.spreadsheet import build_table
from passerelle.core.wording import Words

_HEADS = ("table", "row", "column", "value", "unit", "means", "url")


def build_account_csv(account: ShownAccount, words: Words) -> bytes:
    """The account as CSV: its title and period are its first table; then each figure; then what is not counted."""
    rows = [[words(f"account_csv_{name}") for name in _HEADS]]
    told = (account.period, *account.intro)
    rows += [[account.title, sentence, "", "", "", "", ""] for sentence in told]
    for table in account.tables:
        rows += _rows(table)
    rows += [[words("account_hidden_title"), sentence, "", "", "", "", ""] for sentence in account.hidden]
    rows += [[words("account_uncounted_title"), sentence, "", "", "", "", ""] for sentence in account.uncounted]
    return build_table(rows, words.language)


def _rows(table: ShownTable) -> list[list[str]]:
    return [
        [table.title, row.label, head, cell.plain, cell.unit, row.means or table.note, cell.url]
        for row in table.rows
        for head, cell in zip(table.heads[1:], row.cells, strict=True)
    ]
