-- What people do with alerts, what they say of them, and where those go that are long over.
alter table tocsin.alerts
  -- the kind of trouble; alert_type says what it is about: a breach, missing data, a query that fails
  add column type_name text not null default 'custom' check (type_name in (
    'latency_high', 'error_rate_high', 'cost_high', 'throughput_low', 'ttft_high', 'token_usage_high', 'anomaly_critical', 'anomaly_high', 'custom'
  )),
  -- the pack its rule came with; null: none
  add column category text,
  -- the first slot of the breach, and when the alert was written; null in alerts that are older than these columns
  add column breached_at timestamptz,
  add column opened_at timestamptz,
  add column acknowledged_at timestamptz,
  add column acknowledged_by text,
  -- null: it ended by itself
  add column resolved_by text,
  add column resolution_notes text,
  add column assignee text,
  add column silenced_until timestamptz,
  -- somebody says that it was not worth telling
  add column noise_at timestamptz,
  add column noise_by text,
  add column noise_note text;
alter table tocsin.alerts alter column opened_at set default tocsin.tocsin_now();

-- Lists of what is open, and of one rule's, by the order they are shown in.
create index alerts_open on tocsin.alerts (tenant_id, id desc) where resolved_at is null;
-- Without the tenant in front, which would make it look fit for finding an alert by its id.
create index alerts_of_rule on tocsin.alerts (rule_id, id desc);

alter table tocsin.triggers
  drop constraint triggers_kind_check,
  add constraint triggers_kind_check check (kind in ('fired', 'escalated', 'reminded', 'resolved', 'no_data', 'acknowledged'));

-- Alerts that ended long ago, with all that is left to read of them. Nothing hangs on these rows.
create table tocsin.archived_alerts (
  tenant_id uuid not null references tocsin.tenants on delete cascade,
  id uuid not null,
  rule_id uuid not null,
  rule_key text not null,
  rule_name text not null,
  series_key text not null,
  labels jsonb not null,
  alert_type text not null,
  status text not null,
  severity text not null,
  reading jsonb not null,
  started_at timestamptz not null,
  last_slot_at timestamptz not null,
  resolved_at timestamptz not null,
  resolve_reason text,
  trigger_seq integer not null,
  version integer not null,
  type_name text not null,
  category text,
  breached_at timestamptz,
  opened_at timestamptz,
  acknowledged_at timestamptz,
  acknowledged_by text,
  resolved_by text,
  resolution_notes text,
  assignee text,
  silenced_until timestamptz,
  noise_at timestamptz,
  noise_by text,
  noise_note text,
  -- its newest 500 entries, oldest first: [{at, kind, reason, actor, data}], times as epoch milliseconds
  timeline jsonb not null,
  -- who was told: [{channel, kind, told, status, reason, attempts, at, finishedAt}]
  deliveries jsonb not null,
  archived_at timestamptz not null default tocsin.tocsin_now(),
  primary key (tenant_id, id)
);

call tocsin.protect('tocsin.archived_alerts');
create index archived_alerts_newest on tocsin.archived_alerts (tenant_id, started_at desc);
-- What retention has still to reach.
create index archived_alerts_over on tocsin.archived_alerts (tenant_id, resolved_at);
-- one column, so that rows can be locked
grant select, insert, delete, update (archived_at) on tocsin.archived_alerts to tocsin_app;

-- Both as one list; row-level security is that of whoever reads.
create view tocsin.all_alerts with (security_invoker = true) as
  select tenant_id, id, rule_id, rule_key, rule_name, series_key, labels, alert_type, status, severity, reading, started_at, last_slot_at,
    resolved_at, resolve_reason, trigger_seq, version, type_name, category, breached_at, opened_at, acknowledged_at, acknowledged_by, resolved_by,
    resolution_notes, assignee, silenced_until, noise_at, noise_by, noise_note
  from tocsin.alerts
  union all
  select tenant_id, id, rule_id, rule_key, rule_name, series_key, labels, alert_type, status, severity, reading, started_at, last_slot_at,
    resolved_at, resolve_reason, trigger_seq, version, type_name, category, breached_at, opened_at, acknowledged_at, acknowledged_by, resolved_by,
    resolution_notes, assignee, silenced_until, noise_at, noise_by, noise_note
  from tocsin.archived_alerts;
grant select on tocsin.all_alerts to tocsin_app;

-- Trouble that no alert told of, as people report it.
create table tocsin.missed_alerts (
  tenant_id uuid not null references tocsin.tenants on delete cascade,
  id uuid not null,
  from_at timestamptz not null,
  to_at timestamptz not null,
  labels jsonb not null,
  note text,
  -- the rule that should have told; null: there was none
  rule_id uuid,
  created_at timestamptz not null default tocsin.tocsin_now(),
  created_by text not null,
  primary key (tenant_id, id)
);

call tocsin.protect('tocsin.missed_alerts');
create index missed_alerts_oldest on tocsin.missed_alerts (tenant_id, from_at);
grant select, insert, delete, update (note) on tocsin.missed_alerts to tocsin_app;
