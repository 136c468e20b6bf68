"""The first schema."""

import sqlalchemy as sa
from alembic import op

from passerelle.store.search_tables import search_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

LONG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
FLAG = sa.Boolean().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table('act',
    sa.Column('id', LONG, autoincrement=True, nullable=False),
    sa.Column('association', sa.Text(), nullable=False),
    sa.Column('link', sa.Text(), nullable=False),
    sa.Column('by', sa.Text(), nullable=False),
    sa.Column('what', sa.Text(), nullable=False),
    sa.Column('about', sa.Text(), nullable=True),
    sa.Column('at', LONG, nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_act')),
    sqlite_autoincrement=True,
    sqlite_strict=True
    )
    op.create_index('ix_act_association', 'act', ['association', 'id'], unique=False)
    op.create_table('blob',
    sa.Column('hash', sa.Text(), nullable=False),
    sa.Column('encoding', sa.Text(), nullable=False),
    sa.Column('size_bytes', LONG, nullable=False),
    sa.Column('data', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('hash', name=op.f('pk_blob')),
    sqlite_autoincrement=False,
    sqlite_strict=True
    )
    op.create_table('cursor',
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('value', sa.Text(), nullable=False),
    sa.Column('updated_at', LONG, nullable=False),
    sa.PrimaryKeyConstraint('source', name=op.f('pk_cursor')),
    sqlite_autoincrement=False,
    sqlite_strict=True
    )
    op.create_table('import_run',
    sa.Column('id', LONG, autoincrement=True, nullable=False),
    sa.Column('association', sa.Text(), nullable=False),
    sa.Column('link', sa.Text(), nullable=False),
    sa.Column('side', sa.Text(), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('format', sa.Text(), nullable=False),
    sa.Column('started_at', LONG, nullable=False),
    sa.Column('ended_at', LONG, nullable=True),
    sa.Column('position', sa.Text(), nullable=True),
    sa.Column('read', sa.Integer(), nullable=False),
    sa.Column('imported', sa.Integer(), nullable=False),
    sa.Column('known', sa.Integer(), nullable=False),
    sa.Column('refused', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_import_run')),
    sqlite_autoincrement=True,
    sqlite_strict=True
    )
    op.create_index('ix_import_run_source', 'import_run', ['association', 'link', 'source'], unique=False)
    op.create_table('incident',
    sa.Column('id', LONG, autoincrement=True, nullable=False),
    sa.Column('association', sa.Text(), nullable=False),
    sa.Column('link', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('detail', sa.Text(), nullable=False),
    sa.Column('at', LONG, nullable=False),
    sa.Column('told_at', LONG, nullable=True),
    sa.Column('resolved_at', LONG, nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_incident')),
    sa.UniqueConstraint('key', name=op.f('uq_incident_key')),
    sqlite_autoincrement=True,
    sqlite_strict=True
    )
    op.create_table('lane',
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('lease_owner', sa.Text(), nullable=False),
    sa.Column('lease_until', LONG, nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_lane')),
    sqlite_autoincrement=False,
    sqlite_strict=True
    )
    op.create_table('link_state',
    sa.Column('association', sa.Text(), nullable=False),
    sa.Column('link', sa.Text(), nullable=False),
    sa.Column('room_id', sa.Text(), nullable=False),
    sa.Column('asked_at', LONG, nullable=True),
    sa.Column('confirmed_at', LONG, nullable=True),
    sa.Column('confirmed_by', sa.Text(), nullable=False),
    sa.Column('stopped_at', LONG, nullable=True),
    sa.Column('stopped_reason', sa.Text(), nullable=False),
    sa.Column('exposure_confirmed', sa.Text(), nullable=False),
    sa.Column('echoes', sa.Integer(), nullable=False),
    sa.Column('last_email_at', LONG, nullable=True),
    sa.Column('last_line_at', LONG, nullable=True),
    sa.PrimaryKeyConstraint('association', 'link', name=op.f('pk_link_state')),
    sqlite_autoincrement=False,
    sqlite_strict=True
    )
    op.create_table('meta',
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('value', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('key', name=op.f('pk_meta')),
    sqlite_autoincrement=False,
    sqlite_strict=True
    )
    op.create_table('opening',
    sa.Column('association', sa.Text(), nullable=False),
    sa.Column('link', sa.Text(), nullable=False),
    sa.Column('what', sa.Text(), nullable=False),
    sa.Column('to', sa.Text(), nullable=False),
    sa.Column('told_at', LONG, nullable=False),
    sa.Column('opens_at', LONG, nullable=True),
    sa.Column('by', sa.Text(), nullable=False),
    sa.Column('cancelled_at', LONG, nullable=True),
    sa.PrimaryKeyConstraint('association', 'link', 'what', 'to', name=op.f('pk_opening')),
    sqlite_autoincrement=False,
    sqlite_strict=True
    )
    op.create_table('person',
    sa.Column('id', LONG, autoincrement=True, nullable=False),
    sa.Column('association', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('created_at', LONG, nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_person')),
    sqlite_autoincrement=True,
    sqlite_strict=True
    )
    op.create_table('privacy_request',
    sa.Column('id', LONG, autoincrement=True, nullable=False),
    sa.Column('association', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('person_id', LONG, nullable=True),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('by', sa.Text(), nullable=False),
    sa.Column('asked_at', LONG, nullable=False),
    sa.Column('confirmed_at', LONG, nullable=True),
    sa.Column('done_at', LONG, nullable=True),
    sa.Column('receipt', sa.Text(), nullable=True),
    sa.Column('progress', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_privacy_request')),
    sqlite_autoincrement=True,
    sqlite_strict=True
    )
    op.create_index('ix_privacy_request_open', 'privacy_request', ['id'], unique=False, sqlite_where=sa.text('done_at IS NULL'), postgresql_where=sa.text('done_at IS NULL'))
    op.create_table('room',
    sa.Column('room_id', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('join_rule', sa.Text(), nullable=False),
    sa.Column('history_visibility', sa.Text(), nullable=False),
    sa.Column('encrypted', FLAG, nullable=False),
    sa.Column('updated_at', LONG, nullable=False),
    sa.PrimaryKeyConstraint('room_id', name=op.f('pk_room')),
    sqlite_autoincrement=False,
    sqlite_strict=True
    )
    op.create_table('room_member',
    sa.Column('room_id', sa.Text(), nullable=False),
    sa.Column('user_id', sa.Text(), nullable=False),
    sa.Column('display_name', sa.Text(), nullable=False),
    sa.Column('membership', sa.Text(), nullable=False),
    sa.Column('joined_at', LONG, nullable=True),
    sa.PrimaryKeyConstraint('room_id', 'user_id', name=op.f('pk_room_member')),
    sqlite_autoincrement=False,
    sqlite_strict=True
    )
    op.create_table('roster',
    sa.Column('association', sa.Text(), nullable=False),
    sa.Column('link', sa.Text(), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('imported_at', LONG, nullable=False),
    sa.PrimaryKeyConstraint('association', 'link', name=op.f('pk_roster')),
    sqlite_autoincrement=False,
    sqlite_strict=True
    )
    op.create_table('seen',
    sa.Column('association', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('keyed_hash', sa.Text(), nullable=False),
    sa.Column('seen_at', LONG, nullable=False),
    sa.PrimaryKeyConstraint('association', 'kind', 'keyed_hash', name=op.f('pk_seen')),
    sqlite_autoincrement=False,
    sqlite_strict=True,
    sqlite_with_rowid=False
    )
    op.create_table('tally',
    sa.Column('association', sa.Text(), nullable=False),
    sa.Column('link', sa.Text(), nullable=False),
    sa.Column('day', sa.Text(), nullable=False),
    sa.Column('what', sa.Text(), nullable=False),
    sa.Column('count', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('association', 'link', 'day', 'what', name=op.f('pk_tally')),
    sqlite_autoincrement=False,
    sqlite_strict=True
    )
    op.create_table('thread',
    sa.Column('id', LONG, autoincrement=True, nullable=False),
    sa.Column('association', sa.Text(), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('split_from_thread_id', LONG, nullable=True),
    sa.Column('created_at', LONG, nullable=False),
    sa.Column('stopped_at', LONG, nullable=True),
    sa.Column('stopped_reason', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['split_from_thread_id'], ['thread.id'], name=op.f('fk_thread_split_from_thread_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_thread')),
    sqlite_autoincrement=True,
    sqlite_strict=True
    )
    op.create_index('ix_thread_split_from', 'thread', ['split_from_thread_id'], unique=False, sqlite_where=sa.text('split_from_thread_id IS NOT NULL'), postgresql_where=sa.text('split_from_thread_id IS NOT NULL'))
    op.create_table('throttle',
    sa.Column('what', sa.Text(), nullable=False),
    sa.Column('who', sa.Text(), nullable=False),
    sa.Column('since', LONG, nullable=False),
    sa.Column('count', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('what', 'who', name=op.f('pk_throttle')),
    sqlite_autoincrement=False,
    sqlite_strict=True
    )
    op.create_table('feed_key',
    sa.Column('keyed_hash', sa.Text(), nullable=False),
    sa.Column('association', sa.Text(), nullable=False),
    sa.Column('person_id', LONG, nullable=False),
    sa.Column('created_at', LONG, nullable=False),
    sa.Column('revoked_at', LONG, nullable=True),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_feed_key_person_id')),
    sa.PrimaryKeyConstraint('keyed_hash', name=op.f('pk_feed_key')),
    sqlite_autoincrement=False,
    sqlite_strict=True
    )
    op.create_index('ix_feed_key_person', 'feed_key', ['person_id'], unique=False)
    op.create_table('import_refusal',
    sa.Column('id', LONG, autoincrement=True, nullable=False),
    sa.Column('run_id', LONG, nullable=False),
    sa.Column('place', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['run_id'], ['import_run.id'], name=op.f('fk_import_refusal_run_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_import_refusal')),
    sqlite_autoincrement=True,
    sqlite_strict=True
    )
    op.create_index('ix_import_refusal_run', 'import_refusal', ['run_id', 'id'], unique=False)
    op.create_table('inbox',
    sa.Column('id', LONG, autoincrement=True, nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('lane', sa.Text(), nullable=False),
    sa.Column('room_id', sa.Text(), nullable=True),
    sa.Column('recipient', sa.Text(), nullable=True),
    sa.Column('envelope_from', sa.Text(), nullable=True),
    sa.Column('raw_hash', sa.Text(), nullable=True),
    sa.Column('size_bytes', LONG, nullable=False),
    sa.Column('received_at', LONG, nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('due_at', LONG, nullable=False),
    sa.Column('done_at', LONG, nullable=True),
    sa.ForeignKeyConstraint(['raw_hash'], ['blob.hash'], name=op.f('fk_inbox_raw_hash')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_inbox')),
    sa.UniqueConstraint('source', 'key', name=op.f('uq_inbox_source_key')),
    sqlite_autoincrement=True,
    sqlite_strict=True
    )
    op.create_index('ix_inbox_head', 'inbox', ['lane', 'id'], unique=False, sqlite_where=sa.text("state = 'waiting'"), postgresql_where=sa.text("state = 'waiting'"))
    op.create_index('ix_inbox_raw_hash', 'inbox', ['raw_hash'], unique=False, sqlite_where=sa.text('raw_hash IS NOT NULL'), postgresql_where=sa.text('raw_hash IS NOT NULL'))
    op.create_index('ix_inbox_room', 'inbox', ['room_id'], unique=False, sqlite_where=sa.text("state = 'waiting'"), postgresql_where=sa.text("state = 'waiting'"))
    op.create_index('ix_inbox_set_aside', 'inbox', ['id'], unique=False, sqlite_where=sa.text("state = 'set_aside'"), postgresql_where=sa.text("state = 'set_aside'"))
    op.create_table('participant',
    sa.Column('association', sa.Text(), nullable=False),
    sa.Column('link', sa.Text(), nullable=False),
    sa.Column('person_id', LONG, nullable=False),
    sa.Column('side', sa.Text(), nullable=False),
    sa.Column('since', LONG, nullable=False),
    sa.Column('until', LONG, nullable=True),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_participant_person_id')),
    sa.PrimaryKeyConstraint('association', 'link', 'person_id', 'side', name=op.f('pk_participant')),
    sqlite_autoincrement=False,
    sqlite_strict=True
    )
    op.create_table('person_address',
    sa.Column('person_id', LONG, nullable=False),
    sa.Column('address', sa.Text(), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('added_at', LONG, nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_person_address_person_id')),
    sa.PrimaryKeyConstraint('person_id', 'address', name=op.f('pk_person_address')),
    sqlite_autoincrement=False,
    sqlite_strict=True
    )
    op.create_index('ix_person_address_address', 'person_address', ['address'], unique=False)
    op.create_table('person_user_id',
    sa.Column('person_id', LONG, nullable=False),
    sa.Column('user_id', sa.Text(), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('added_at', LONG, nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_person_user_id_person_id')),
    sa.PrimaryKeyConstraint('person_id', 'user_id', name=op.f('pk_person_user_id')),
    sqlite_autoincrement=False,
    sqlite_strict=True
    )
    op.create_index('ix_person_user_id_user_id', 'person_user_id', ['user_id'], unique=False)
    op.create_table('reader_session',
    sa.Column('keyed_hash', sa.Text(), nullable=False),
    sa.Column('association', sa.Text(), nullable=False),
    sa.Column('person_id', LONG, nullable=False),
    sa.Column('shared', FLAG, nullable=False),
    sa.Column('created_at', LONG, nullable=False),
    sa.Column('seen_at', LONG, nullable=False),
    sa.Column('expires_at', LONG, nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_reader_session_person_id')),
    sa.PrimaryKeyConstraint('keyed_hash', name=op.f('pk_reader_session')),
    sqlite_autoincrement=False,
    sqlite_strict=True
    )
    op.create_index('ix_reader_session_expires', 'reader_session', ['expires_at'], unique=False)
    op.create_index('ix_reader_session_person', 'reader_session', ['person_id'], unique=False)
    op.create_table('reader_token',
    sa.Column('keyed_hash', sa.Text(), nullable=False),
    sa.Column('association', sa.Text(), nullable=False),
    sa.Column('person_id', LONG, nullable=False),
    sa.Column('purpose', sa.Text(), nullable=False),
    sa.Column('target', sa.Text(), nullable=False),
    sa.Column('sent_to', sa.Text(), nullable=False),
    sa.Column('created_at', LONG, nullable=False),
    sa.Column('expires_at', LONG, nullable=False),
    sa.Column('spent_at', LONG, nullable=True),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_reader_token_person_id')),
    sa.PrimaryKeyConstraint('keyed_hash', name=op.f('pk_reader_token')),
    sqlite_autoincrement=False,
    sqlite_strict=True
    )
    op.create_index('ix_reader_token_expires', 'reader_token', ['expires_at'], unique=False)
    op.create_index('ix_reader_token_person', 'reader_token', ['person_id'], unique=False)
    op.create_table('roster_entry',
    sa.Column('association', sa.Text(), nullable=False),
    sa.Column('link', sa.Text(), nullable=False),
    sa.Column('address', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('person_id', LONG, nullable=False),
    sa.Column('since', LONG, nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_roster_entry_person_id')),
    sa.PrimaryKeyConstraint('association', 'link', 'address', name=op.f('pk_roster_entry')),
    sa.UniqueConstraint('association', 'link', 'person_id', 'address', name=op.f('uq_roster_entry_association_link_person_id_address')),
    sqlite_autoincrement=False,
    sqlite_strict=True
    )
    op.create_table('post',
    sa.Column('id', LONG, autoincrement=True, nullable=False),
    sa.Column('association', sa.Text(), nullable=False),
    sa.Column('link', sa.Text(), nullable=False),
    sa.Column('side', sa.Text(), nullable=False),
    sa.Column('inbox_id', LONG, nullable=True),
    sa.Column('raw_hash', sa.Text(), nullable=True),
    sa.Column('message_id', sa.Text(), nullable=False),
    sa.Column('content_hash', sa.Text(), nullable=False),
    sa.Column('thread_id', LONG, nullable=False),
    sa.Column('parent_post_id', LONG, nullable=True),
    sa.Column('author_name', sa.Text(), nullable=False),
    sa.Column('author_address', sa.Text(), nullable=True),
    sa.Column('author_user_id', sa.Text(), nullable=True),
    sa.Column('person_id', LONG, nullable=True),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('html', sa.Text(), nullable=False),
    sa.Column('msgtype', sa.Text(), nullable=False),
    sa.Column('said_at', LONG, nullable=False),
    sa.Column('accepted_at', LONG, nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('flagged', sa.Text(), nullable=False),
    sa.Column('origin', sa.Text(), nullable=False),
    sa.Column('refs', sa.Text(), nullable=False),
    sa.Column('permalink', sa.Text(), nullable=False),
    sa.Column('chrono_id', LONG, nullable=True),
    sa.Column('index_state', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['inbox_id'], ['inbox.id'], name=op.f('fk_post_inbox_id')),
    sa.ForeignKeyConstraint(['parent_post_id'], ['post.id'], name=op.f('fk_post_parent_post_id')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_post_person_id')),
    sa.ForeignKeyConstraint(['raw_hash'], ['blob.hash'], name=op.f('fk_post_raw_hash')),
    sa.ForeignKeyConstraint(['thread_id'], ['thread.id'], name=op.f('fk_post_thread_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_post')),
    sqlite_autoincrement=True,
    sqlite_strict=True
    )
    op.create_index('ix_post_content', 'post', ['association', 'content_hash'], unique=False)
    op.create_index('ix_post_link_time', 'post', ['association', 'link', 'said_at'], unique=False)
    op.create_index('ix_post_passing', 'post', ['id'], unique=False, sqlite_where=sa.text("state = 'passing'"), postgresql_where=sa.text("state = 'passing'"))
    op.create_index('ix_post_permalink', 'post', ['permalink'], unique=False)
    op.create_index('ix_post_person', 'post', ['person_id'], unique=False, sqlite_where=sa.text('person_id IS NOT NULL'), postgresql_where=sa.text('person_id IS NOT NULL'))
    op.create_index('ix_post_raw_hash', 'post', ['raw_hash'], unique=False, sqlite_where=sa.text('raw_hash IS NOT NULL'), postgresql_where=sa.text('raw_hash IS NOT NULL'))
    op.create_index('ix_post_thread', 'post', ['thread_id', 'id'], unique=False)
    op.create_index('ix_post_to_index', 'post', ['id'], unique=False, sqlite_where=sa.text("index_state = 'waiting'"), postgresql_where=sa.text("index_state = 'waiting'"))
    op.create_index('ix_post_withheld', 'post', ['chrono_id'], unique=False, sqlite_where=sa.text("state != 'accepted'"), postgresql_where=sa.text("state != 'accepted'"))
    op.create_index('uq_post_chrono_id', 'post', ['chrono_id'], unique=True, sqlite_where=sa.text('chrono_id IS NOT NULL'), postgresql_where=sa.text('chrono_id IS NOT NULL'))
    op.create_index('uq_post_identity', 'post', ['association', 'message_id', 'content_hash'], unique=True, sqlite_where=sa.text("side = 'list'"), postgresql_where=sa.text("side = 'list'"))
    op.create_table('attachment',
    sa.Column('id', LONG, autoincrement=True, nullable=False),
    sa.Column('post_id', LONG, nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('filename', sa.Text(), nullable=False),
    sa.Column('media_type', sa.Text(), nullable=False),
    sa.Column('size_bytes', LONG, nullable=False),
    sa.Column('inline', FLAG, nullable=False),
    sa.Column('content_id', sa.Text(), nullable=True),
    sa.Column('duration_ms', LONG, nullable=True),
    sa.Column('blob_hash', sa.Text(), nullable=True),
    sa.Column('media', sa.Text(), nullable=True),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('due_at', LONG, nullable=True),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['blob_hash'], ['blob.hash'], name=op.f('fk_attachment_blob_hash')),
    sa.ForeignKeyConstraint(['post_id'], ['post.id'], name=op.f('fk_attachment_post_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_attachment')),
    sa.UniqueConstraint('post_id', 'position', name=op.f('uq_attachment_post_id_position')),
    sqlite_autoincrement=True,
    sqlite_strict=True
    )
    op.create_index('ix_attachment_blob_hash', 'attachment', ['blob_hash'], unique=False, sqlite_where=sa.text('blob_hash IS NOT NULL'), postgresql_where=sa.text('blob_hash IS NOT NULL'))
    op.create_index('ix_attachment_wanted', 'attachment', ['due_at'], unique=False, sqlite_where=sa.text("state = 'wanted'"), postgresql_where=sa.text("state = 'wanted'"))
    op.create_table('cross_post',
    sa.Column('post_id', LONG, nullable=False),
    sa.Column('link', sa.Text(), nullable=False),
    sa.Column('origin', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['post_id'], ['post.id'], name=op.f('fk_cross_post_post_id')),
    sa.PrimaryKeyConstraint('post_id', 'link', name=op.f('pk_cross_post')),
    sqlite_autoincrement=False,
    sqlite_strict=True
    )
    op.create_index('ix_cross_post_link', 'cross_post', ['link', 'post_id'], unique=False)
    op.create_table('missing_parent',
    sa.Column('association', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('post_id', LONG, nullable=False),
    sa.ForeignKeyConstraint(['post_id'], ['post.id'], name=op.f('fk_missing_parent_post_id')),
    sa.PrimaryKeyConstraint('association', 'name', 'post_id', name=op.f('pk_missing_parent')),
    sqlite_autoincrement=False,
    sqlite_strict=True
    )
    op.create_index('ix_missing_parent_post', 'missing_parent', ['post_id'], unique=False)
    op.create_table('outbox',
    sa.Column('id', LONG, autoincrement=True, nullable=False),
    sa.Column('unique_key', sa.Text(), nullable=False),
    sa.Column('lane', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('association', sa.Text(), nullable=False),
    sa.Column('link', sa.Text(), nullable=False),
    sa.Column('room_id', sa.Text(), nullable=True),
    sa.Column('recipient', sa.Text(), nullable=True),
    sa.Column('mailbox', sa.Text(), nullable=False),
    sa.Column('post_id', LONG, nullable=True),
    sa.Column('part', sa.Integer(), nullable=False),
    sa.Column('parent_post_id', LONG, nullable=True),
    sa.Column('content', sa.Text(), nullable=True),
    sa.Column('upload_hash', sa.Text(), nullable=True),
    sa.Column('uploaded', sa.Text(), nullable=True),
    sa.Column('target_event_id', sa.Text(), nullable=True),
    sa.Column('ghost', sa.Text(), nullable=True),
    sa.Column('raw_hash', sa.Text(), nullable=True),
    sa.Column('message_id', sa.Text(), nullable=False),
    sa.Column('delivery_key', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('sendings', sa.Integer(), nullable=False),
    sa.Column('created_at', LONG, nullable=False),
    sa.Column('first_tried_at', LONG, nullable=True),
    sa.Column('first_device_id', sa.Text(), nullable=True),
    sa.Column('due_at', LONG, nullable=False),
    sa.Column('give_up_at', LONG, nullable=False),
    sa.Column('sent_at', LONG, nullable=True),
    sa.Column('echoed_at', LONG, nullable=True),
    sa.Column('event_id', sa.Text(), nullable=True),
    sa.Column('last_error', sa.Text(), nullable=False),
    sa.Column('failure_told_at', LONG, nullable=True),
    sa.ForeignKeyConstraint(['parent_post_id'], ['post.id'], name=op.f('fk_outbox_parent_post_id')),
    sa.ForeignKeyConstraint(['post_id'], ['post.id'], name=op.f('fk_outbox_post_id')),
    sa.ForeignKeyConstraint(['raw_hash'], ['blob.hash'], name=op.f('fk_outbox_raw_hash')),
    sa.ForeignKeyConstraint(['upload_hash'], ['blob.hash'], name=op.f('fk_outbox_upload_hash')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_outbox')),
    sa.UniqueConstraint('unique_key', name=op.f('uq_outbox_unique_key')),
    sqlite_autoincrement=True,
    sqlite_strict=True
    )
    op.create_index('ix_outbox_delivery_key', 'outbox', ['delivery_key'], unique=False)
    op.create_index('ix_outbox_head', 'outbox', ['lane', 'id'], unique=False, sqlite_where=sa.text("state IN ('waiting', 'sending')"), postgresql_where=sa.text("state IN ('waiting', 'sending')"))
    op.create_index('ix_outbox_message_id', 'outbox', ['message_id'], unique=False)
    op.create_index('ix_outbox_post', 'outbox', ['post_id', 'link'], unique=False)
    op.create_index('ix_outbox_raw_hash', 'outbox', ['raw_hash'], unique=False, sqlite_where=sa.text('raw_hash IS NOT NULL'), postgresql_where=sa.text('raw_hash IS NOT NULL'))
    op.create_index('ix_outbox_sent', 'outbox', ['lane', 'sent_at'], unique=False)
    op.create_index('ix_outbox_trouble', 'outbox', ['state', 'id'], unique=False, sqlite_where=sa.text("state IN ('sending', 'failed', 'unknown')"), postgresql_where=sa.text("state IN ('sending', 'failed', 'unknown')"))
    op.create_index('ix_outbox_upload_hash', 'outbox', ['upload_hash'], unique=False, sqlite_where=sa.text('upload_hash IS NOT NULL'), postgresql_where=sa.text('upload_hash IS NOT NULL'))
    op.create_table('pending_line',
    sa.Column('id', LONG, autoincrement=True, nullable=False),
    sa.Column('association', sa.Text(), nullable=False),
    sa.Column('link', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('post_id', LONG, nullable=False),
    sa.Column('event_id', sa.Text(), nullable=False),
    sa.Column('author_name', sa.Text(), nullable=False),
    sa.Column('author_user_id', sa.Text(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('said_at', LONG, nullable=False),
    sa.ForeignKeyConstraint(['post_id'], ['post.id'], name=op.f('fk_pending_line_post_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_pending_line')),
    sa.UniqueConstraint('event_id', name=op.f('uq_pending_line_event_id')),
    sqlite_autoincrement=True,
    sqlite_strict=True
    )
    op.create_index('ix_pending_line_link', 'pending_line', ['association', 'link', 'id'], unique=False)
    op.create_index('ix_pending_line_post', 'pending_line', ['post_id'], unique=False)
    op.create_table('post_version',
    sa.Column('id', LONG, autoincrement=True, nullable=False),
    sa.Column('event_id', sa.Text(), nullable=False),
    sa.Column('post_id', LONG, nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('html', sa.Text(), nullable=False),
    sa.Column('content_hash', sa.Text(), nullable=False),
    sa.Column('after_left', FLAG, nullable=False),
    sa.ForeignKeyConstraint(['post_id'], ['post.id'], name=op.f('fk_post_version_post_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_post_version')),
    sa.UniqueConstraint('event_id', name=op.f('uq_post_version_event_id')),
    sqlite_autoincrement=True,
    sqlite_strict=True
    )
    op.create_index('ix_post_version_post', 'post_version', ['post_id', 'id'], unique=False)
    op.create_table('thread_edit',
    sa.Column('id', LONG, autoincrement=True, nullable=False),
    sa.Column('association', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('post_id', LONG, nullable=False),
    sa.Column('parent_post_id', LONG, nullable=True),
    sa.Column('by', sa.Text(), nullable=False),
    sa.Column('at', LONG, nullable=False),
    sa.Column('undone_at', LONG, nullable=True),
    sa.ForeignKeyConstraint(['parent_post_id'], ['post.id'], name=op.f('fk_thread_edit_parent_post_id')),
    sa.ForeignKeyConstraint(['post_id'], ['post.id'], name=op.f('fk_thread_edit_post_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_thread_edit')),
    sqlite_autoincrement=True,
    sqlite_strict=True
    )
    op.create_index('ix_thread_edit_post', 'thread_edit', ['post_id', 'id'], unique=False)
    op.create_table('batch',
    sa.Column('id', LONG, autoincrement=True, nullable=False),
    sa.Column('association', sa.Text(), nullable=False),
    sa.Column('link', sa.Text(), nullable=False),
    sa.Column('thread_id', LONG, nullable=False),
    sa.Column('is_burst', FLAG, nullable=False),
    sa.Column('no_archive', FLAG, nullable=False),
    sa.Column('first_said_at', LONG, nullable=False),
    sa.Column('last_said_at', LONG, nullable=False),
    sa.Column('due_at', LONG, nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('sealed_at', LONG, nullable=True),
    sa.Column('outbox_id', LONG, nullable=True),
    sa.Column('message_id', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['outbox_id'], ['outbox.id'], name=op.f('fk_batch_outbox_id')),
    sa.ForeignKeyConstraint(['thread_id'], ['thread.id'], name=op.f('fk_batch_thread_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_batch')),
    sqlite_autoincrement=True,
    sqlite_strict=True
    )
    op.create_index('ix_batch_message_id', 'batch', ['association', 'message_id'], unique=False)
    op.create_index('ix_batch_open', 'batch', ['due_at'], unique=False, sqlite_where=sa.text("state = 'open'"), postgresql_where=sa.text("state = 'open'"))
    op.create_index('ix_batch_sealed', 'batch', ['association', 'link', 'sealed_at'], unique=False)
    op.create_index('ix_batch_thread', 'batch', ['thread_id'], unique=False)
    op.create_table('file_text',
    sa.Column('attachment_id', LONG, nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('text_hash', sa.Text(), nullable=True),
    sa.Column('size_bytes', LONG, nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['attachment_id'], ['attachment.id'], name=op.f('fk_file_text_attachment_id')),
    sa.ForeignKeyConstraint(['text_hash'], ['blob.hash'], name=op.f('fk_file_text_text_hash')),
    sa.PrimaryKeyConstraint('attachment_id', name=op.f('pk_file_text')),
    sqlite_autoincrement=False,
    sqlite_strict=True
    )
    op.create_index('ix_file_text_hash', 'file_text', ['text_hash'], unique=False)
    op.create_index('ix_file_text_waiting', 'file_text', ['attachment_id'], unique=False, sqlite_where=sa.text("state = 'waiting'"), postgresql_where=sa.text("state = 'waiting'"))
    op.create_table('room_event',
    sa.Column('event_id', sa.Text(), nullable=False),
    sa.Column('room_id', sa.Text(), nullable=False),
    sa.Column('post_id', LONG, nullable=False),
    sa.Column('part', sa.Integer(), nullable=False),
    sa.Column('thread_root_event_id', sa.Text(), nullable=True),
    sa.Column('outbox_id', LONG, nullable=True),
    sa.Column('said_at', LONG, nullable=False),
    sa.ForeignKeyConstraint(['outbox_id'], ['outbox.id'], name=op.f('fk_room_event_outbox_id')),
    sa.ForeignKeyConstraint(['post_id'], ['post.id'], name=op.f('fk_room_event_post_id')),
    sa.PrimaryKeyConstraint('event_id', name=op.f('pk_room_event')),
    sqlite_autoincrement=False,
    sqlite_strict=True
    )
    op.create_index('ix_room_event_post', 'room_event', ['post_id', 'part'], unique=False)
    op.create_table('told',
    sa.Column('association', sa.Text(), nullable=False),
    sa.Column('link', sa.Text(), nullable=False),
    sa.Column('who', sa.Text(), nullable=False),
    sa.Column('outbox_id', LONG, nullable=True),
    sa.Column('told_at', LONG, nullable=False),
    sa.ForeignKeyConstraint(['outbox_id'], ['outbox.id'], name=op.f('fk_told_outbox_id')),
    sa.PrimaryKeyConstraint('association', 'link', 'who', name=op.f('pk_told')),
    sqlite_autoincrement=False,
    sqlite_strict=True
    )
    op.create_table('batch_line',
    sa.Column('id', LONG, autoincrement=True, nullable=False),
    sa.Column('batch_id', LONG, nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('post_id', LONG, nullable=False),
    sa.Column('event_id', sa.Text(), nullable=False),
    sa.Column('author_name', sa.Text(), nullable=False),
    sa.Column('author_user_id', sa.Text(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('said_at', LONG, nullable=False),
    sa.Column('asked_by', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['batch_id'], ['batch.id'], name=op.f('fk_batch_line_batch_id')),
    sa.ForeignKeyConstraint(['post_id'], ['post.id'], name=op.f('fk_batch_line_post_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_batch_line')),
    sa.UniqueConstraint('event_id', 'kind', name=op.f('uq_batch_line_event_id_kind')),
    sqlite_autoincrement=True,
    sqlite_strict=True
    )
    op.create_index('ix_batch_line_asked_by', 'batch_line', ['asked_by'], unique=False, sqlite_where=sa.text('asked_by IS NOT NULL'), postgresql_where=sa.text('asked_by IS NOT NULL'))
    op.create_index('ix_batch_line_batch', 'batch_line', ['batch_id', 'id'], unique=False)
    op.create_index('ix_batch_line_post', 'batch_line', ['post_id'], unique=False)
    op.create_table('mail_id',
    sa.Column('association', sa.Text(), nullable=False),
    sa.Column('message_id', sa.Text(), nullable=False),
    sa.Column('thread_id', LONG, nullable=False),
    sa.Column('post_id', LONG, nullable=True),
    sa.Column('batch_id', LONG, nullable=True),
    sa.Column('outbox_id', LONG, nullable=True),
    sa.ForeignKeyConstraint(['batch_id'], ['batch.id'], name=op.f('fk_mail_id_batch_id')),
    sa.ForeignKeyConstraint(['outbox_id'], ['outbox.id'], name=op.f('fk_mail_id_outbox_id')),
    sa.ForeignKeyConstraint(['post_id'], ['post.id'], name=op.f('fk_mail_id_post_id')),
    sa.ForeignKeyConstraint(['thread_id'], ['thread.id'], name=op.f('fk_mail_id_thread_id')),
    sa.PrimaryKeyConstraint('association', 'message_id', name=op.f('pk_mail_id')),
    sqlite_autoincrement=False,
    sqlite_strict=True
    )
    op.create_index('ix_mail_id_post', 'mail_id', ['post_id'], unique=False)
    op.create_index('ix_mail_id_thread', 'mail_id', ['thread_id'], unique=False)

    for statement in search_tables(op.get_context().dialect.name):
        op.execute(statement)
