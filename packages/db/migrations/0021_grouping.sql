-- Messages that are told together: what follows the first of a rule at a channel, and what is more than a channel takes in a minute.
create table tocsin.message_windows (
  tenant_id uuid not null references tocsin.tenants on delete cascade,
  channel_id uuid not null,
  -- `rule:<id>`, or `channel`: all that goes there
  scope text not null,
  opened_at timestamptz not null,
  messages integer not null,
  primary key (tenant_id, channel_id, scope),
  foreign key (tenant_id, channel_id) references tocsin.channels on delete cascade
) with (fillfactor = 50);
call tocsin.protect('tocsin.message_windows');
grant select, insert, update, delete on tocsin.message_windows to tocsin_app;

-- Whoever is due first of those with the same one tells of all of them; null: it is told by itself.
alter table tocsin.deliveries add column fold_key text;
create index deliveries_to_fold on tocsin.deliveries (tenant_id, channel_id, fold_key) where fold_key is not null and status = 'pending';
create index deliveries_folded on tocsin.deliveries (tenant_id, folded_into) where folded_into is not null;

-- More than so many messages in a minute are told together; null: as its kind has it.
alter table tocsin.channels
  add column max_per_minute integer check (max_per_minute between 1 and 10000),
  -- false: each alert is told by itself, for receivers that want every one
  add column grouping boolean not null default true;
