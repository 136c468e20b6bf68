"""The register, meetings, reminders, questions that were asked back."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

LONG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
FLAG = sa.Boolean().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table('number',
    sa.Column('association', sa.Text(), nullable=False),
    sa.Column('what', sa.Text(), nullable=False),
    sa.Column('last', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('association', 'what', name=op.f('pk_number')),
    sqlite_autoincrement=False,
    sqlite_strict=True
    )
    op.create_table('ask',
    sa.Column('id', LONG, autoincrement=True, nullable=False),
    sa.Column('association', sa.Text(), nullable=False),
    sa.Column('link', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('person_id', LONG, nullable=True),
    sa.Column('about', sa.Text(), nullable=False),
    sa.Column('asked_at', LONG, nullable=False),
    sa.Column('escalate_at', LONG, nullable=False),
    sa.Column('escalated_at', LONG, nullable=True),
    sa.Column('answered_at', LONG, nullable=True),
    sa.Column('answer', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_ask_person_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ask')),
    sqlite_autoincrement=True,
    sqlite_strict=True
    )
    op.create_index('ix_ask_open', 'ask', ['escalate_at'], unique=False, sqlite_where=sa.text('answered_at IS NULL'), postgresql_where=sa.text('answered_at IS NULL'))
    op.create_index('ix_ask_person', 'ask', ['person_id'], unique=False, sqlite_where=sa.text('person_id IS NOT NULL'), postgresql_where=sa.text('person_id IS NOT NULL'))
    op.create_table('reminder',
    sa.Column('id', LONG, autoincrement=True, nullable=False),
    sa.Column('association', sa.Text(), nullable=False),
    sa.Column('link', sa.Text(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('target', sa.Text(), nullable=False),
    sa.Column('person_id', LONG, nullable=True),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('starts_local', sa.Text(), nullable=False),
    sa.Column('zone', sa.Text(), nullable=False),
    sa.Column('rrule', sa.Text(), nullable=False),
    sa.Column('next_at', LONG, nullable=True),
    sa.Column('by_name', sa.Text(), nullable=False),
    sa.Column('by_person_id', LONG, nullable=True),
    sa.Column('medium', sa.Text(), nullable=False),
    sa.Column('created_at', LONG, nullable=False),
    sa.Column('said_key_hash', sa.Text(), nullable=True),
    sa.Column('ended_at', LONG, nullable=True),
    sa.ForeignKeyConstraint(['by_person_id'], ['person.id'], name=op.f('fk_reminder_by_person_id')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_reminder_person_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_reminder')),
    sa.UniqueConstraint('association', 'number', name=op.f('uq_reminder_association_number')),
    sqlite_autoincrement=True,
    sqlite_strict=True
    )
    op.create_index('ix_reminder_by', 'reminder', ['by_person_id'], unique=False, sqlite_where=sa.text('by_person_id IS NOT NULL'), postgresql_where=sa.text('by_person_id IS NOT NULL'))
    op.create_index('ix_reminder_next', 'reminder', ['next_at'], unique=False, sqlite_where=sa.text('next_at IS NOT NULL'), postgresql_where=sa.text('next_at IS NOT NULL'))
    op.create_index('ix_reminder_person', 'reminder', ['person_id'], unique=False, sqlite_where=sa.text('person_id IS NOT NULL'), postgresql_where=sa.text('person_id IS NOT NULL'))
    op.create_index('ix_reminder_said', 'reminder', ['said_key_hash'], unique=False, sqlite_where=sa.text('said_key_hash IS NOT NULL'), postgresql_where=sa.text('said_key_hash IS NOT NULL'))
    op.create_table('meeting',
    sa.Column('id', LONG, autoincrement=True, nullable=False),
    sa.Column('association', sa.Text(), nullable=False),
    sa.Column('link', sa.Text(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('uid', sa.Text(), nullable=False),
    sa.Column('sequence', sa.Integer(), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('starts_local', sa.Text(), nullable=False),
    sa.Column('zone', sa.Text(), nullable=False),
    sa.Column('duration_minutes', sa.Integer(), nullable=False),
    sa.Column('place', sa.Text(), nullable=False),
    sa.Column('url', sa.Text(), nullable=False),
    sa.Column('notes', sa.Text(), nullable=False),
    sa.Column('rrule', sa.Text(), nullable=False),
    sa.Column('series_id', LONG, nullable=True),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('organizer_name', sa.Text(), nullable=False),
    sa.Column('organizer_person_id', LONG, nullable=True),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('post_id', LONG, nullable=True),
    sa.Column('chair_name', sa.Text(), nullable=False),
    sa.Column('secretary_name', sa.Text(), nullable=False),
    sa.Column('opened_at', LONG, nullable=True),
    sa.Column('closed_at', LONG, nullable=True),
    sa.Column('created_at', LONG, nullable=False),
    sa.ForeignKeyConstraint(['organizer_person_id'], ['person.id'], name=op.f('fk_meeting_organizer_person_id')),
    sa.ForeignKeyConstraint(['post_id'], ['post.id'], name=op.f('fk_meeting_post_id')),
    sa.ForeignKeyConstraint(['series_id'], ['meeting.id'], name=op.f('fk_meeting_series_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_meeting')),
    sa.UniqueConstraint('association', 'number', name=op.f('uq_meeting_association_number')),
    sa.UniqueConstraint('association', 'uid', 'starts_local', name=op.f('uq_meeting_association_uid_starts_local')),
    sqlite_autoincrement=True,
    sqlite_strict=True
    )
    op.create_index('ix_meeting_series', 'meeting', ['series_id'], unique=False, sqlite_where=sa.text('series_id IS NOT NULL'), postgresql_where=sa.text('series_id IS NOT NULL'))
    op.create_index('ix_meeting_starts', 'meeting', ['association', 'starts_local'], unique=False)
    op.create_table('attendance',
    sa.Column('meeting_id', LONG, nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('person_id', LONG, nullable=True),
    sa.Column('presence', sa.Text(), nullable=False),
    sa.Column('how', sa.Text(), nullable=False),
    sa.Column('represented_by', sa.Text(), nullable=False),
    sa.Column('said_by', sa.Text(), nullable=False),
    sa.Column('at', LONG, nullable=False),
    sa.ForeignKeyConstraint(['meeting_id'], ['meeting.id'], name=op.f('fk_attendance_meeting_id')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_attendance_person_id')),
    sa.PrimaryKeyConstraint('meeting_id', 'name', name=op.f('pk_attendance')),
    sqlite_autoincrement=False,
    sqlite_strict=True
    )
    op.create_index('ix_attendance_person', 'attendance', ['person_id'], unique=False, sqlite_where=sa.text('person_id IS NOT NULL'), postgresql_where=sa.text('person_id IS NOT NULL'))
    op.create_table('correction',
    sa.Column('id', LONG, autoincrement=True, nullable=False),
    sa.Column('meeting_id', LONG, nullable=False),
    sa.Column('by_name', sa.Text(), nullable=False),
    sa.Column('by_person_id', LONG, nullable=True),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('applied', FLAG, nullable=False),
    sa.Column('medium', sa.Text(), nullable=False),
    sa.Column('at', LONG, nullable=False),
    sa.Column('post_id', LONG, nullable=True),
    sa.ForeignKeyConstraint(['by_person_id'], ['person.id'], name=op.f('fk_correction_by_person_id')),
    sa.ForeignKeyConstraint(['meeting_id'], ['meeting.id'], name=op.f('fk_correction_meeting_id')),
    sa.ForeignKeyConstraint(['post_id'], ['post.id'], name=op.f('fk_correction_post_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_correction')),
    sqlite_autoincrement=True,
    sqlite_strict=True
    )
    op.create_index('ix_correction_meeting', 'correction', ['meeting_id', 'id'], unique=False)
    op.create_index('ix_correction_person', 'correction', ['by_person_id'], unique=False, sqlite_where=sa.text('by_person_id IS NOT NULL'), postgresql_where=sa.text('by_person_id IS NOT NULL'))
    op.create_table('entry',
    sa.Column('id', LONG, autoincrement=True, nullable=False),
    sa.Column('association', sa.Text(), nullable=False),
    sa.Column('link', sa.Text(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('label', sa.Text(), nullable=False),
    sa.Column('quantity', sa.Integer(), nullable=True),
    sa.Column('due_on', sa.Text(), nullable=True),
    sa.Column('due_at', sa.Text(), nullable=True),
    sa.Column('until_on', sa.Text(), nullable=True),
    sa.Column('until_at', sa.Text(), nullable=True),
    sa.Column('said_at', LONG, nullable=False),
    sa.Column('author_name', sa.Text(), nullable=False),
    sa.Column('author_person_id', LONG, nullable=True),
    sa.Column('said_for', sa.Text(), nullable=False),
    sa.Column('post_id', LONG, nullable=True),
    sa.Column('meeting_id', LONG, nullable=True),
    sa.Column('announce_state', sa.Text(), nullable=False),
    sa.Column('told_at', LONG, nullable=True),
    sa.Column('open_until', LONG, nullable=True),
    sa.Column('replaced_by', LONG, nullable=True),
    sa.Column('review_on', sa.Text(), nullable=True),
    sa.Column('reminded_at', LONG, nullable=True),
    sa.Column('created_at', LONG, nullable=False),
    sa.Column('said_key_hash', sa.Text(), nullable=True),
    sa.Column('changed_at', LONG, nullable=False),
    sa.Column('folded', sa.Text(), nullable=False),
    sa.Column('label_folded', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['author_person_id'], ['person.id'], name=op.f('fk_entry_author_person_id')),
    sa.ForeignKeyConstraint(['meeting_id'], ['meeting.id'], name=op.f('fk_entry_meeting_id')),
    sa.ForeignKeyConstraint(['post_id'], ['post.id'], name=op.f('fk_entry_post_id')),
    sa.ForeignKeyConstraint(['replaced_by'], ['entry.id'], name=op.f('fk_entry_replaced_by')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_entry')),
    sa.UniqueConstraint('association', 'number', name=op.f('uq_entry_association_number')),
    sqlite_autoincrement=True,
    sqlite_strict=True
    )
    op.create_index('ix_entry_author', 'entry', ['author_person_id'], unique=False, sqlite_where=sa.text('author_person_id IS NOT NULL'), postgresql_where=sa.text('author_person_id IS NOT NULL'))
    op.create_index('ix_entry_due', 'entry', ['association', 'due_on'], unique=False, sqlite_where=sa.text("state IN ('open', 'out')"), postgresql_where=sa.text("state IN ('open', 'out')"))
    op.create_index('ix_entry_kind', 'entry', ['association', 'kind', 'state'], unique=False)
    op.create_index('ix_entry_meeting', 'entry', ['meeting_id'], unique=False, sqlite_where=sa.text('meeting_id IS NOT NULL'), postgresql_where=sa.text('meeting_id IS NOT NULL'))
    op.create_index('ix_entry_open_until', 'entry', ['open_until'], unique=False, sqlite_where=sa.text("state = 'proposed'"), postgresql_where=sa.text("state = 'proposed'"))
    op.create_index('ix_entry_post', 'entry', ['post_id'], unique=False, sqlite_where=sa.text('post_id IS NOT NULL'), postgresql_where=sa.text('post_id IS NOT NULL'))
    op.create_index('ix_entry_said', 'entry', ['said_key_hash'], unique=False, sqlite_where=sa.text('said_key_hash IS NOT NULL'), postgresql_where=sa.text('said_key_hash IS NOT NULL'))
    op.create_index('ix_entry_thing', 'entry', ['association', 'label_folded'], unique=False, sqlite_where=sa.text("state IN ('booked', 'out')"), postgresql_where=sa.text("state IN ('booked', 'out')"))
    op.create_index('ix_entry_to_tell', 'entry', ['association', 'link'], unique=False, sqlite_where=sa.text("announce_state IN ('wanted', 'telling')"), postgresql_where=sa.text("announce_state IN ('wanted', 'telling')"))
    op.create_index('ix_entry_told', 'entry', ['association', 'link', 'told_at'], unique=False, sqlite_where=sa.text('told_at IS NOT NULL'), postgresql_where=sa.text('told_at IS NOT NULL'))
    op.create_table('meeting_span',
    sa.Column('meeting_id', LONG, nullable=False),
    sa.Column('started_at', LONG, nullable=False),
    sa.Column('ended_at', LONG, nullable=True),
    sa.ForeignKeyConstraint(['meeting_id'], ['meeting.id'], name=op.f('fk_meeting_span_meeting_id')),
    sa.PrimaryKeyConstraint('meeting_id', 'started_at', name=op.f('pk_meeting_span')),
    sqlite_autoincrement=False,
    sqlite_strict=True
    )
    op.create_index('uq_meeting_span_open', 'meeting_span', ['meeting_id'], unique=True, sqlite_where=sa.text('ended_at IS NULL'), postgresql_where=sa.text('ended_at IS NULL'))
    op.create_table('meeting_step',
    sa.Column('meeting_id', LONG, nullable=False),
    sa.Column('step', sa.Text(), nullable=False),
    sa.Column('due_at', LONG, nullable=False),
    sa.Column('done_at', LONG, nullable=True),
    sa.Column('skipped', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['meeting_id'], ['meeting.id'], name=op.f('fk_meeting_step_meeting_id')),
    sa.PrimaryKeyConstraint('meeting_id', 'step', name=op.f('pk_meeting_step')),
    sqlite_autoincrement=False,
    sqlite_strict=True
    )
    op.create_index('ix_meeting_step_due', 'meeting_step', ['due_at'], unique=False, sqlite_where=sa.text('done_at IS NULL'), postgresql_where=sa.text('done_at IS NULL'))
    op.create_table('minutes',
    sa.Column('id', LONG, autoincrement=True, nullable=False),
    sa.Column('meeting_id', LONG, nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('document', sa.Text(), nullable=False),
    sa.Column('permalink', sa.Text(), nullable=False),
    sa.Column('made_at', LONG, nullable=False),
    sa.Column('by_name', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['meeting_id'], ['meeting.id'], name=op.f('fk_minutes_meeting_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_minutes')),
    sa.UniqueConstraint('meeting_id', 'version', name=op.f('uq_minutes_meeting_id_version')),
    sqlite_autoincrement=True,
    sqlite_strict=True
    )
    op.create_index('ix_minutes_permalink', 'minutes', ['permalink'], unique=False)
    op.create_table('rsvp',
    sa.Column('meeting_id', LONG, nullable=False),
    sa.Column('person_id', LONG, nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('answer', sa.Text(), nullable=False),
    sa.Column('medium', sa.Text(), nullable=False),
    sa.Column('said_by', sa.Text(), nullable=False),
    sa.Column('quiet', FLAG, nullable=False),
    sa.Column('at', LONG, nullable=False),
    sa.ForeignKeyConstraint(['meeting_id'], ['meeting.id'], name=op.f('fk_rsvp_meeting_id')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_rsvp_person_id')),
    sa.PrimaryKeyConstraint('meeting_id', 'person_id', name=op.f('pk_rsvp')),
    sqlite_autoincrement=False,
    sqlite_strict=True
    )
    op.create_index('ix_rsvp_person', 'rsvp', ['person_id'], unique=False)
    op.create_table('entry_change',
    sa.Column('id', LONG, autoincrement=True, nullable=False),
    sa.Column('entry_id', LONG, nullable=False),
    sa.Column('at', LONG, nullable=False),
    sa.Column('move', sa.Text(), nullable=False),
    sa.Column('by_name', sa.Text(), nullable=False),
    sa.Column('by_person_id', LONG, nullable=True),
    sa.Column('medium', sa.Text(), nullable=False),
    sa.Column('before_state', sa.Text(), nullable=False),
    sa.Column('after_state', sa.Text(), nullable=False),
    sa.Column('detail', sa.Text(), nullable=False),
    sa.Column('post_id', LONG, nullable=True),
    sa.ForeignKeyConstraint(['by_person_id'], ['person.id'], name=op.f('fk_entry_change_by_person_id')),
    sa.ForeignKeyConstraint(['entry_id'], ['entry.id'], name=op.f('fk_entry_change_entry_id')),
    sa.ForeignKeyConstraint(['post_id'], ['post.id'], name=op.f('fk_entry_change_post_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_entry_change')),
    sqlite_autoincrement=True,
    sqlite_strict=True
    )
    op.create_index('ix_entry_change_entry', 'entry_change', ['entry_id', 'id'], unique=False)
    op.create_index('ix_entry_change_person', 'entry_change', ['by_person_id'], unique=False, sqlite_where=sa.text('by_person_id IS NOT NULL'), postgresql_where=sa.text('by_person_id IS NOT NULL'))
    op.create_index('ix_entry_change_post', 'entry_change', ['post_id'], unique=False, sqlite_where=sa.text('post_id IS NOT NULL'), postgresql_where=sa.text('post_id IS NOT NULL'))
    op.create_table('entry_person',
    sa.Column('entry_id', LONG, nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('person_id', LONG, nullable=True),
    sa.ForeignKeyConstraint(['entry_id'], ['entry.id'], name=op.f('fk_entry_person_entry_id')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_entry_person_person_id')),
    sa.PrimaryKeyConstraint('entry_id', 'position', name=op.f('pk_entry_person')),
    sqlite_autoincrement=False,
    sqlite_strict=True
    )
    op.create_index('ix_entry_person_person', 'entry_person', ['person_id'], unique=False, sqlite_where=sa.text('person_id IS NOT NULL'), postgresql_where=sa.text('person_id IS NOT NULL'))
    op.create_table('entry_source',
    sa.Column('entry_id', LONG, nullable=False),
    sa.Column('post_id', LONG, nullable=False),
    sa.Column('role', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['entry_id'], ['entry.id'], name=op.f('fk_entry_source_entry_id')),
    sa.ForeignKeyConstraint(['post_id'], ['post.id'], name=op.f('fk_entry_source_post_id')),
    sa.PrimaryKeyConstraint('entry_id', 'post_id', name=op.f('pk_entry_source')),
    sqlite_autoincrement=False,
    sqlite_strict=True
    )
    op.create_index('ix_entry_source_post', 'entry_source', ['post_id'], unique=False)
    op.create_table('objection',
    sa.Column('id', LONG, autoincrement=True, nullable=False),
    sa.Column('entry_id', LONG, nullable=False),
    sa.Column('person_id', LONG, nullable=True),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('passed_on_by', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('at', LONG, nullable=False),
    sa.Column('medium', sa.Text(), nullable=False),
    sa.Column('post_id', LONG, nullable=True),
    sa.Column('said_key_hash', sa.Text(), nullable=True),
    sa.Column('withdrawn_at', LONG, nullable=True),
    sa.Column('settled_at', LONG, nullable=True),
    sa.ForeignKeyConstraint(['entry_id'], ['entry.id'], name=op.f('fk_objection_entry_id')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_objection_person_id')),
    sa.ForeignKeyConstraint(['post_id'], ['post.id'], name=op.f('fk_objection_post_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_objection')),
    sqlite_autoincrement=True,
    sqlite_strict=True
    )
    op.create_index('ix_objection_entry', 'objection', ['entry_id', 'id'], unique=False)
    op.create_index('ix_objection_person', 'objection', ['person_id'], unique=False, sqlite_where=sa.text('person_id IS NOT NULL'), postgresql_where=sa.text('person_id IS NOT NULL'))
    op.create_index('ix_objection_said', 'objection', ['said_key_hash'], unique=False, sqlite_where=sa.text('said_key_hash IS NOT NULL'), postgresql_where=sa.text('said_key_hash IS NOT NULL'))
    op.create_table('vote',
    sa.Column('id', LONG, autoincrement=True, nullable=False),
    sa.Column('meeting_id', LONG, nullable=False),
    sa.Column('entry_id', LONG, nullable=True),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('in_favour', sa.Integer(), nullable=False),
    sa.Column('against', sa.Integer(), nullable=False),
    sa.Column('abstained', sa.Integer(), nullable=False),
    sa.Column('method', sa.Text(), nullable=False),
    sa.Column('at', LONG, nullable=False),
    sa.ForeignKeyConstraint(['entry_id'], ['entry.id'], name=op.f('fk_vote_entry_id')),
    sa.ForeignKeyConstraint(['meeting_id'], ['meeting.id'], name=op.f('fk_vote_meeting_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_vote')),
    sqlite_autoincrement=True,
    sqlite_strict=True
    )
    op.create_index('ix_vote_meeting', 'vote', ['meeting_id', 'id'], unique=False)
    op.create_index('ix_outbox_own_event', 'outbox', ['event_id'], unique=False, sqlite_where=sa.text('post_id IS NULL'), postgresql_where=sa.text('post_id IS NULL'))
    op.create_index('ix_person_association', 'person', ['association'], unique=False)
    op.create_table('direct_room',
    sa.Column('room_id', sa.Text(), nullable=False),
    sa.Column('user_id', sa.Text(), nullable=False),
    sa.Column('opened_at', LONG, nullable=False),
    sa.PrimaryKeyConstraint('room_id', name=op.f('pk_direct_room')),
    sqlite_autoincrement=False,
    sqlite_strict=True
    )
    op.create_index('ix_direct_room_user', 'direct_room', ['user_id'], unique=False)
