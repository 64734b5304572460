-- A reader that has read before asks for what is new since: what transactions wrote that its snapshot did not see. Rows that are there count as
-- written by this migration, so that no row is rewritten.
alter table tocsin.segments
  add column written_by xid8 not null default pg_current_xact_id(),
  -- by compaction: the ids that it deleted in the same transaction
  add column replaces uuid[];

-- For the statement that says the same words, and for no other: where the planner expects few rows of a tenant it would take this index for one
-- of times as well, and read all of them.
create index segments_by_writer on tocsin.segments (tenant_id, written_by) where written_by > '0'::xid8;
