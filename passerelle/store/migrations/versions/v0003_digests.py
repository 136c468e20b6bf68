"""Digests, offers, consents, fiches."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

LONG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
FLAG = sa.Boolean().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table('consent',
    sa.Column('id', LONG, autoincrement=True, nullable=False),
    sa.Column('association', sa.Text(), nullable=False),
    sa.Column('person_id', LONG, nullable=False),
    sa.Column('what', sa.Text(), nullable=False),
    sa.Column('asked_at', LONG, nullable=False),
    sa.Column('answered_at', LONG, nullable=True),
    sa.Column('given', FLAG, nullable=False),
    sa.Column('withdrawn_at', LONG, nullable=True),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_consent_person_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_consent')),
    sa.UniqueConstraint('association', 'person_id', 'what', name=op.f('uq_consent_association_person_id_what')),
    sqlite_autoincrement=True,
    sqlite_strict=True
    )
    op.create_index('ix_consent_person', 'consent', ['person_id'], unique=False)
    op.create_table('digest',
    sa.Column('id', LONG, autoincrement=True, nullable=False),
    sa.Column('association', sa.Text(), nullable=False),
    sa.Column('link', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('person_id', LONG, nullable=True),
    sa.Column('reader', sa.Text(), nullable=False),
    sa.Column('since', LONG, nullable=False),
    sa.Column('until', LONG, nullable=False),
    sa.Column('document', sa.Text(), nullable=False),
    sa.Column('permalink', sa.Text(), nullable=False),
    sa.Column('made_at', LONG, nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_digest_person_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_digest')),
    sa.UniqueConstraint('association', 'kind', 'reader', 'until', name=op.f('uq_digest_association_kind_reader_until')),
    sqlite_autoincrement=True,
    sqlite_strict=True
    )
    op.create_index('ix_digest_permalink', 'digest', ['permalink'], unique=False)
    op.create_index('ix_digest_person', 'digest', ['person_id', 'until'], unique=False, sqlite_where=sa.text('person_id IS NOT NULL'), postgresql_where=sa.text('person_id IS NOT NULL'))
    op.create_table('digest_shown',
    sa.Column('association', sa.Text(), nullable=False),
    sa.Column('person_id', LONG, nullable=False),
    sa.Column('item_key', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('shown_at', LONG, nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_digest_shown_person_id')),
    sa.PrimaryKeyConstraint('association', 'person_id', 'item_key', name=op.f('pk_digest_shown')),
    sqlite_autoincrement=False,
    sqlite_strict=True,
    sqlite_with_rowid=False
    )
    op.create_index('ix_digest_shown_person', 'digest_shown', ['person_id'], unique=False)
    op.create_table('digest_subscription',
    sa.Column('association', sa.Text(), nullable=False),
    sa.Column('person_id', LONG, nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('rhythm', sa.Text(), nullable=False),
    sa.Column('weekdays', sa.Text(), nullable=False),
    sa.Column('at', sa.Text(), nullable=False),
    sa.Column('medium', sa.Text(), nullable=False),
    sa.Column('whole', FLAG, nullable=False),
    sa.Column('paused_until', LONG, nullable=True),
    sa.Column('told_until', LONG, nullable=True),
    sa.Column('next_at', LONG, nullable=True),
    sa.Column('changed_at', LONG, nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_digest_subscription_person_id')),
    sa.PrimaryKeyConstraint('association', 'person_id', name=op.f('pk_digest_subscription')),
    sqlite_autoincrement=False,
    sqlite_strict=True
    )
    op.create_index('ix_digest_subscription_next', 'digest_subscription', ['next_at'], unique=False, sqlite_where=sa.text('next_at IS NOT NULL'), postgresql_where=sa.text('next_at IS NOT NULL'))
    op.create_index('ix_digest_subscription_person', 'digest_subscription', ['person_id'], unique=False)
    op.create_table('fiche',
    sa.Column('id', LONG, autoincrement=True, nullable=False),
    sa.Column('association', sa.Text(), nullable=False),
    sa.Column('link', sa.Text(), nullable=False),
    sa.Column('number', LONG, nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('audience', sa.Text(), nullable=False),
    sa.Column('document', sa.Text(), nullable=False),
    sa.Column('licence', sa.Text(), nullable=False),
    sa.Column('permalink', sa.Text(), nullable=False),
    sa.Column('made_by_person_id', LONG, nullable=True),
    sa.Column('made_at', LONG, nullable=False),
    sa.Column('published_at', LONG, nullable=True),
    sa.Column('changed_at', LONG, nullable=False),
    sa.ForeignKeyConstraint(['made_by_person_id'], ['person.id'], name=op.f('fk_fiche_made_by_person_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_fiche')),
    sqlite_autoincrement=True,
    sqlite_strict=True
    )
    op.create_index('ix_fiche_association', 'fiche', ['association', 'state'], unique=False)
    op.create_index('ix_fiche_permalink', 'fiche', ['permalink'], unique=False)
    op.create_index('ix_fiche_person', 'fiche', ['made_by_person_id'], unique=False, sqlite_where=sa.text('made_by_person_id IS NOT NULL'), postgresql_where=sa.text('made_by_person_id IS NOT NULL'))
    op.create_table('offer',
    sa.Column('id', LONG, autoincrement=True, nullable=False),
    sa.Column('association', sa.Text(), nullable=False),
    sa.Column('person_id', LONG, nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('said_at', LONG, nullable=False),
    sa.Column('post_id', LONG, nullable=True),
    sa.Column('said_key_hash', sa.Text(), nullable=True),
    sa.Column('ended_at', LONG, nullable=True),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_offer_person_id')),
    sa.ForeignKeyConstraint(['post_id'], ['post.id'], name=op.f('fk_offer_post_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_offer')),
    sqlite_autoincrement=True,
    sqlite_strict=True
    )
    op.create_index('ix_offer_association', 'offer', ['association', 'ended_at'], unique=False)
    op.create_index('ix_offer_person', 'offer', ['person_id'], unique=False)
    op.create_index('ix_offer_post', 'offer', ['post_id'], unique=False, sqlite_where=sa.text('post_id IS NOT NULL'), postgresql_where=sa.text('post_id IS NOT NULL'))
    op.create_index('ix_offer_said', 'offer', ['said_key_hash'], unique=False, sqlite_where=sa.text('said_key_hash IS NOT NULL'), postgresql_where=sa.text('said_key_hash IS NOT NULL'))
    op.create_table('room_pin',
    sa.Column('room_id', sa.Text(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('event_id', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('room_id', 'position', name=op.f('pk_room_pin')),
    sqlite_autoincrement=False,
    sqlite_strict=True,
    sqlite_with_rowid=False
    )
    op.create_index('ix_entry_changed', 'entry', ['association', 'changed_at'], unique=False)
    op.create_index('ix_incident_open', 'incident', ['association', 'id'], unique=False, sqlite_where=sa.text('resolved_at IS NULL'), postgresql_where=sa.text('resolved_at IS NULL'))
