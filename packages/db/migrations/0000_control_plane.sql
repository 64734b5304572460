-- Runs as tocsin_owner, whose roles and schema `migrate` has made before.
-- Every tenant table: tenant_id first in its primary key, RLS enabled and forced, policy `tenant_only`. Ids are made in TypeScript (UUIDv7).

alter default privileges revoke execute on functions from public;

grant usage on schema tocsin to tocsin_app, tocsin_pipeline;

grant select on tocsin.migrations to tocsin_app;

-- The only clock SQL may read. `app.clock_shift_ms` is set by tests alone and is absent in production.
-- Whole milliseconds, so that a time survives the way to TypeScript and back unchanged.
create function tocsin.tocsin_now() returns timestamptz
  language sql stable parallel safe
  as $$ select date_trunc('milliseconds', now() + make_interval(secs => coalesce(nullif(current_setting('app.clock_shift_ms', true), '')::float8, 0) / 1000)) $$;

grant execute on function tocsin.tocsin_now() to tocsin_app, tocsin_pipeline;

-- After a SET LOCAL the setting reads '' on a reused connection; nullif makes that match no row, like a setting never made.
create procedure tocsin.protect(relation regclass)
  language plpgsql as $$
begin
  execute format('alter table %s enable row level security', relation);
  execute format('alter table %s force row level security', relation);
  execute format($policy$
    create policy tenant_only on %s for all to tocsin_app
      using (tenant_id = any((select string_to_array(nullif(current_setting('app.tenant_ids', true), ''), ',')::uuid[])::uuid[]))
      with check (tenant_id = any((select string_to_array(nullif(current_setting('app.tenant_ids', true), ''), ',')::uuid[])::uuid[]))
  $policy$, relation);
end $$;

create table tocsin.tenants (
  tenant_id uuid primary key,
  name text not null,
  external_key text not null unique,
  created_at timestamptz not null default tocsin.tocsin_now()
);

create table tocsin.api_keys (
  tenant_id uuid not null references tocsin.tenants on delete cascade,
  id uuid not null,
  name text not null,
  role text not null check (role in ('viewer', 'responder', 'editor', 'admin')),
  secret_hash bytea not null,
  last_four text not null,
  created_at timestamptz not null default tocsin.tocsin_now(),
  last_used_at timestamptz,
  revoked_at timestamptz,
  primary key (tenant_id, id),
  unique (tenant_id, secret_hash)
);

create table tocsin.schedules (
  tenant_id uuid primary key references tocsin.tenants on delete cascade,
  every_ms bigint not null default 60000 check (every_ms between 10000 and 86400000),
  -- the finer of every_ms and the smallest `every` of an enabled rule
  slot_every_ms bigint not null default 60000 check (slot_every_ms between 10000 and 86400000),
  phase_ms bigint not null,
  last_slot_at timestamptz,
  -- null: no enabled rule, nothing to claim
  next_slot_at timestamptz,
  failed_runs integer not null default 0,
  backed_off_until timestamptz,
  updated_at timestamptz not null default tocsin.tocsin_now()
);

-- greatest() passes over a null: without a back-off it is the slot itself
create index schedules_due on tocsin.schedules (greatest(next_slot_at, backed_off_until)) where next_slot_at is not null;

create table tocsin.rules (
  tenant_id uuid not null references tocsin.tenants on delete cascade,
  id uuid not null,
  key text not null,
  name text not null,
  -- the rule in the shape of the API, canonical words
  spec jsonb not null,
  enabled boolean not null default true,
  -- counts people's edits; the evaluator's bookkeeping below does not raise it
  version integer not null default 1,
  health text not null default 'ok' check (health in ('ok', 'no_data', 'error', 'warming')),
  health_reason text,
  last_triggered_at timestamptz,
  trigger_count bigint not null default 0,
  created_at timestamptz not null default tocsin.tocsin_now(),
  created_by text not null,
  updated_at timestamptz not null default tocsin.tocsin_now(),
  updated_by text not null,
  primary key (tenant_id, id),
  unique (tenant_id, key)
);

create table tocsin.rule_versions (
  tenant_id uuid not null,
  rule_id uuid not null,
  version integer not null,
  spec jsonb not null,
  created_at timestamptz not null default tocsin.tocsin_now(),
  created_by text not null,
  primary key (tenant_id, rule_id, version),
  foreign key (tenant_id, rule_id) references tocsin.rules on delete cascade
);

create table tocsin.alerts (
  tenant_id uuid not null references tocsin.tenants on delete cascade,
  id uuid not null,
  rule_id uuid not null,
  rule_key text not null,
  rule_name text not null,
  series_key text not null,
  series_digest uuid not null generated always as (md5(series_key)::uuid) stored,
  labels jsonb not null,
  alert_type text not null check (alert_type in ('threshold', 'no_data', 'error')),
  status text not null check (status in ('triggered', 'active', 'acknowledged', 'resolved')),
  severity text not null check (severity in ('info', 'warning', 'error', 'critical')),
  -- what was measured: metric, aggregation, operator, value, threshold, unit, window, samples, peak
  reading jsonb not null,
  started_at timestamptz not null,
  last_slot_at timestamptz not null,
  resolved_at timestamptz,
  resolve_reason text,
  -- how many triggers this alert has told; numbers the next one
  trigger_seq integer not null default 0,
  version integer not null default 1,
  primary key (tenant_id, id)
);

-- A series key may outgrow an index entry, so its digest is what is unique.
create unique index alerts_one_open on tocsin.alerts (tenant_id, rule_id, series_digest) where resolved_at is null;

create index alerts_newest on tocsin.alerts (tenant_id, started_at desc, id desc);

-- What retention has still to reach.
create index alerts_over on tocsin.alerts (tenant_id, resolved_at) where resolved_at is not null;

create table tocsin.series_states (
  tenant_id uuid not null,
  rule_id uuid not null,
  series_key text not null,
  series_digest uuid not null generated always as (md5(series_key)::uuid) stored,
  labels jsonb not null,
  -- the step's SeriesState, as it left it
  state jsonb not null,
  phase text not null check (phase in ('ok', 'pending', 'firing', 'recovering')),
  alert_id uuid,
  -- coarse: written when it is over an hour behind, or with any other change
  last_seen_at timestamptz not null,
  version integer not null default 1,
  primary key (tenant_id, rule_id, series_digest),
  foreign key (tenant_id, rule_id) references tocsin.rules on delete cascade
);

create table tocsin.triggers (
  tenant_id uuid not null references tocsin.tenants on delete cascade,
  id uuid not null,
  alert_id uuid not null,
  rule_id uuid not null,
  seq integer not null,
  kind text not null check (kind in ('fired', 'escalated', 'reminded', 'resolved', 'no_data')),
  severity text not null,
  slot_at timestamptz not null,
  -- the alert as it was then, in the words of the webhook body's data.alert
  snapshot jsonb not null,
  status text not null default 'pending' check (status in ('pending', 'planned', 'suppressed')),
  reason text,
  created_at timestamptz not null default tocsin.tocsin_now(),
  hinted_at timestamptz not null default tocsin.tocsin_now(),
  hints integer not null default 0,
  finished_at timestamptz,
  primary key (tenant_id, id),
  unique (tenant_id, alert_id, seq),
  foreign key (tenant_id, alert_id) references tocsin.alerts on delete cascade
);

create index triggers_open on tocsin.triggers (hinted_at) where status = 'pending';

create table tocsin.alert_timers (
  tenant_id uuid not null,
  id uuid not null,
  alert_id uuid not null,
  kind text not null check (kind in ('reminder')),
  due_at timestamptz not null,
  -- null: the sweep has not handed it out yet
  hinted_at timestamptz,
  hints integer not null default 0,
  primary key (tenant_id, id),
  unique (tenant_id, alert_id, kind),
  foreign key (tenant_id, alert_id) references tocsin.alerts on delete cascade
);

create index alert_timers_due on tocsin.alert_timers (due_at);

create table tocsin.channels (
  tenant_id uuid not null references tocsin.tenants on delete cascade,
  id uuid not null,
  key text not null,
  name text not null,
  kind text not null,
  -- public part of the configuration; secret fields live in `secrets`
  config jsonb not null,
  -- AES-256-GCM, associated data binds tenant, table, row and column
  secrets bytea,
  enabled boolean not null default true,
  disabled_reason text,
  version integer not null default 1,
  last_used_at timestamptz,
  last_error text,
  created_at timestamptz not null default tocsin.tocsin_now(),
  created_by text not null,
  updated_at timestamptz not null default tocsin.tocsin_now(),
  updated_by text not null,
  primary key (tenant_id, id),
  unique (tenant_id, key)
);

create table tocsin.deliveries (
  tenant_id uuid not null references tocsin.tenants on delete cascade,
  id uuid not null,
  -- null: a test message
  trigger_id uuid,
  alert_id uuid,
  -- null once the channel is deleted
  channel_id uuid,
  channel_key text not null,
  channel_kind text not null,
  kind text not null,
  status text not null default 'pending' check (status in ('pending', 'sending', 'retrying', 'delivered', 'dead', 'suppressed')),
  reason text,
  -- frozen by the first attempt; a retry sends these bytes again
  body text,
  -- attempts that count toward the limit, and all that were made
  counted_attempts integer not null default 0,
  attempts integer not null default 0,
  next_attempt_at timestamptz not null default tocsin.tocsin_now(),
  expires_at timestamptz not null,
  lease_token uuid,
  lease_until timestamptz,
  hinted_at timestamptz not null default tocsin.tocsin_now(),
  hints integer not null default 0,
  created_at timestamptz not null default tocsin.tocsin_now(),
  finished_at timestamptz,
  primary key (tenant_id, id),
  unique (tenant_id, trigger_id, channel_key),
  foreign key (tenant_id) references tocsin.tenants on delete cascade,
  foreign key (tenant_id, trigger_id) references tocsin.triggers on delete cascade,
  foreign key (tenant_id, alert_id) references tocsin.alerts on delete cascade,
  foreign key (tenant_id, channel_id) references tocsin.channels on delete set null (channel_id)
);

create index deliveries_open on tocsin.deliveries (next_attempt_at) where status in ('pending', 'sending', 'retrying');

create index deliveries_newest on tocsin.deliveries (tenant_id, created_at desc, id desc);

create index deliveries_of_alert on tocsin.deliveries (tenant_id, alert_id);
create index deliveries_of_channel on tocsin.deliveries (tenant_id, channel_id);

create table tocsin.inbox (
  tenant_id uuid not null references tocsin.tenants on delete cascade,
  id uuid not null,
  -- the delivery's id: a repeated send is the same message
  delivery_id uuid not null,
  alert_id uuid,
  title text not null,
  body jsonb not null,
  created_at timestamptz not null default tocsin.tocsin_now(),
  read_at timestamptz,
  primary key (tenant_id, id),
  unique (tenant_id, delivery_id)
);

create index inbox_oldest on tocsin.inbox (tenant_id, created_at);

create table tocsin.idempotency_keys (
  tenant_id uuid not null references tocsin.tenants on delete cascade,
  route text not null,
  key text not null,
  request_hash bytea not null,
  -- null while the first request is at work
  status integer,
  response jsonb,
  created_at timestamptz not null default tocsin.tocsin_now(),
  primary key (tenant_id, route, key)
);

create index idempotency_keys_oldest on tocsin.idempotency_keys (tenant_id, created_at);

-- What has been seen in events: one row an event name.
create table tocsin.event_names (
  tenant_id uuid not null references tocsin.tenants on delete cascade,
  name text not null,
  dims text[] not null default '{}',
  measures text[] not null default '{}',
  first_seen_at timestamptz not null default tocsin.tocsin_now(),
  last_seen_at timestamptz not null default tocsin.tocsin_now(),
  primary key (tenant_id, name)
);

-- The tables from here on are partitioned by UTC day; the days are made and dropped by the functions of 0001. They have no foreign keys:
-- attaching and dropping a day would lock the table referred to.
create table tocsin.segments (
  tenant_id uuid not null,
  starts_at timestamptz not null,
  id uuid not null,
  ends_at timestamptz not null,
  stream text not null check (stream in ('events', 'evaluations')),
  -- 0 fresh, 1 a compacted minute, 2 a compacted hour
  level smallint not null,
  event_count integer not null,
  data bytea not null,
  created_at timestamptz not null default tocsin.tocsin_now(),
  primary key (tenant_id, starts_at, id)
) partition by range (starts_at);

alter table tocsin.segments alter column data set storage external;
-- What compaction has still to reach: the last day's minutes, not the month.
create index segments_to_compact on tocsin.segments (tenant_id, level, starts_at) where level < 2;

create table tocsin.runs (
  tenant_id uuid not null,
  slot_at timestamptz not null,
  id uuid not null,
  -- exclusive start of what this run covers; null: the tenant's first run
  previous_slot_at timestamptz,
  status text not null check (status in ('queued', 'running', 'done', 'late', 'skipped', 'failed')),
  reason text,
  skipped_from timestamptz,
  skipped_to timestamptz,
  skipped_count integer,
  attempts integer not null default 0,
  lease_token uuid,
  lease_until timestamptz,
  hinted_at timestamptz not null default tocsin.tocsin_now(),
  hints integer not null default 0,
  created_at timestamptz not null default tocsin.tocsin_now(),
  started_at timestamptz,
  finished_at timestamptz,
  rules integer,
  series integer,
  triggers integer,
  primary key (tenant_id, slot_at)
) partition by range (slot_at);

create index runs_open on tocsin.runs (hinted_at) where status in ('queued', 'running');

create index runs_open_of_tenant on tocsin.runs (tenant_id, slot_at) where status in ('queued', 'running');

create index runs_by_id on tocsin.runs (tenant_id, id);

create table tocsin.alert_events (
  tenant_id uuid not null,
  at timestamptz not null default tocsin.tocsin_now(),
  id uuid not null,
  alert_id uuid not null,
  kind text not null,
  reason text,
  actor text not null default 'evaluator',
  data jsonb not null default '{}',
  primary key (tenant_id, at, id)
) partition by range (at);

create index alert_events_of_alert on tocsin.alert_events (tenant_id, alert_id, at);

create table tocsin.delivery_attempts (
  tenant_id uuid not null,
  started_at timestamptz not null default tocsin.tocsin_now(),
  id uuid not null,
  delivery_id uuid not null,
  number integer not null,
  finished_at timestamptz,
  -- null while unknown: written before the call, so a crash leaves it so
  outcome text check (outcome in ('delivered', 'retry', 'rejected')),
  status_code integer,
  reason text,
  retry_after_ms bigint,
  response_excerpt text,
  primary key (tenant_id, started_at, id)
) partition by range (started_at);

create index delivery_attempts_of_delivery on tocsin.delivery_attempts (tenant_id, delivery_id, number);

create table tocsin.audit_events (
  tenant_id uuid not null,
  at timestamptz not null default tocsin.tocsin_now(),
  id uuid not null,
  actor text not null,
  action text not null,
  subject text not null,
  data jsonb not null default '{}',
  primary key (tenant_id, at, id)
) partition by range (at);

do $$
declare
  tenant_table regclass;
begin
  for tenant_table in
    select c.oid from pg_class c
    where c.relnamespace = 'tocsin'::regnamespace and c.relkind in ('r', 'p') and c.relname <> 'migrations'
  loop
    call tocsin.protect(tenant_table);
  end loop;
end $$;

-- What the processes do and nothing more: histories are only added to, segments never change, days go by dropping the partition.
grant select, insert on tocsin.tenants, tocsin.rule_versions, tocsin.alert_events, tocsin.audit_events to tocsin_app;
grant select, insert, update on tocsin.api_keys, tocsin.schedules, tocsin.runs, tocsin.delivery_attempts to tocsin_app;
grant select, insert, delete, update (level) on tocsin.segments to tocsin_app;
grant select, insert, update, delete on tocsin.rules, tocsin.series_states, tocsin.alerts, tocsin.triggers, tocsin.alert_timers, tocsin.channels,
  tocsin.deliveries, tocsin.inbox, tocsin.idempotency_keys, tocsin.event_names to tocsin_app;
