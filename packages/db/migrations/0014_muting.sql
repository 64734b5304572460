-- Who is not told, and until when. What has ended stays as history, for as long as alerts do.
create table tocsin.silences (
  tenant_id uuid not null references tocsin.tenants on delete cascade,
  id uuid not null,
  matchers jsonb not null,
  comment text not null,
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  -- ends when the last of the alerts it mutes does, at `ends_at` at the latest
  on_resolve boolean not null default false,
  -- null: it ends, or ended, at its time
  end_reason text check (end_reason in ('ended', 'resolved')),
  version integer not null default 1,
  created_at timestamptz not null default tocsin.tocsin_now(),
  created_by text not null,
  updated_at timestamptz not null default tocsin.tocsin_now(),
  updated_by text not null,
  primary key (tenant_id, id),
  check (ends_at >= starts_at)
);
create index silences_by_end on tocsin.silences (tenant_id, ends_at);

create table tocsin.maintenance_windows (
  tenant_id uuid not null references tocsin.tenants on delete cascade,
  id uuid not null,
  name text not null,
  matchers jsonb not null,
  time_zone text not null,
  -- what clocks of that zone show when it first begins, 2026-11-28T22:00
  start text not null,
  duration_ms bigint not null,
  recurrence jsonb not null,
  version integer not null default 1,
  created_at timestamptz not null default tocsin.tocsin_now(),
  created_by text not null,
  updated_at timestamptz not null default tocsin.tocsin_now(),
  updated_by text not null,
  primary key (tenant_id, id)
);

-- Lists that are read and written whole.
create table tocsin.notification_lists (
  tenant_id uuid not null references tocsin.tenants on delete cascade,
  kind text not null check (kind in ('routes', 'inhibitions')),
  entries jsonb not null,
  version integer not null default 1,
  updated_at timestamptz not null default tocsin.tocsin_now(),
  updated_by text not null,
  primary key (tenant_id, kind)
);

call tocsin.protect('tocsin.silences');
call tocsin.protect('tocsin.maintenance_windows');
call tocsin.protect('tocsin.notification_lists');
grant select, insert, update, delete on tocsin.silences, tocsin.maintenance_windows, tocsin.notification_lists to tocsin_app;

-- What muted it: a silence, a window, an inhibiting alert, or the alert itself where that alone was silenced.
alter table tocsin.deliveries add column suppressed_by uuid;

alter table tocsin.triggers drop constraint triggers_kind_check;
alter table tocsin.triggers add constraint triggers_kind_check
  check (kind in ('fired', 'escalated', 'reminded', 'resolved', 'no_data', 'acknowledged', 'unsilenced'));

-- `unsilence`: when what kept the alert from being told may be over.
alter table tocsin.alert_timers drop constraint alert_timers_kind_check;
alter table tocsin.alert_timers add constraint alert_timers_kind_check check (kind in ('reminder', 'unsilence'));
-- What it waits for to be over, in the words of `deliveries.suppressed_by`; null: its time alone.
alter table tocsin.alert_timers add column waits_for uuid;
create index alert_timers_waiting on tocsin.alert_timers (tenant_id, waits_for) where waits_for is not null;
