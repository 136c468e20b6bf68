"""Write the first revision anew from the tables. For as long as no version was released; then it never changes again.

$ .venv/bin/python scripts/first_schema.py
"""

from pathlib import Path

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from passerelle.store.tables import metadata

FILE = Path(__file__).parents[1] / "passerelle/store/migrations/versions/v0001_first.py"
#: What the tables' metadata does not know: words that are searched, made by each database in its own way.
END = """
    for statement in search_tables(op.get_context().dialect.name):
        op.execute(statement)
"""


def main() -> None:
    """Keep the head of the file, make its `upgrade` anew."""
    with create_engine("sqlite://").connect() as connection:
        context = MigrationContext.configure(connection)
        script = produce_migrations(context, metadata)
    assert script.upgrade_ops is not None
    code = render_python_code(script.upgrade_ops)
    for typed in ("Words", "Document"):
        code = code.replace(f"passerelle.store.types.{typed}()", "sa.Text()")
    code = code.replace("passerelle.store.types.Instant()", "LONG").replace("passerelle.store.types.Flag()", "FLAG")
    code = code.replace("sa.BigInteger().with_variant(sa.Integer(), 'sqlite')", "LONG")
    head = FILE.read_text().partition("def upgrade")[0]
    body = code.split("\n", 1)[1] if code.startswith("#") else code
    lines = "\n".join(line for line in body.splitlines() if not line.strip().startswith("#"))
    FILE.write_text(f"{head}def upgrade() -> None:\n    {lines.strip()}\n{END}")


if __name__ == "__main__":
    main()
