-- Who is told when nobody takes an alert in hand.
create table tocsin.escalation_policies (
  tenant_id uuid not null references tocsin.tenants on delete cascade,
  key text not null,
  name text not null,
  -- of those that match the one with the lowest holds; among equals the one whose key comes first
  position integer not null,
  matchers jsonb not null,
  -- [{afterMs, channels: [key]}], ascending
  steps jsonb not null,
  -- {everyMs, times}; null: the last step is told once
  repeat jsonb,
  version integer not null default 1,
  created_at timestamptz not null default tocsin.tocsin_now(),
  created_by text not null,
  updated_at timestamptz not null default tocsin.tocsin_now(),
  updated_by text not null,
  primary key (tenant_id, key)
);

call tocsin.protect('tocsin.escalation_policies');
grant select, insert, update, delete on tocsin.escalation_policies to tocsin_app;

alter table tocsin.triggers drop constraint triggers_kind_check;
alter table tocsin.triggers add constraint triggers_kind_check
  check (kind in ('fired', 'escalated', 'reminded', 'resolved', 'no_data', 'unsilenced', 'acknowledged', 'unacknowledged'));
-- Keys of the channels that hear of it; null: those of the rule and the routes.
alter table tocsin.triggers add column channels jsonb;

alter table tocsin.alert_timers drop constraint alert_timers_kind_check;
alter table tocsin.alert_timers add constraint alert_timers_kind_check check (kind in ('reminder', 'unsilence', 'escalation'));
-- Null: no instant, but somebody wakes it.
alter table tocsin.alert_timers alter column due_at drop not null;
-- Of `escalation`: the policy it goes by, the step that is told next, and since when its time counts.
alter table tocsin.alert_timers
  add column policy text,
  add column step integer,
  add column since timestamptz;
create index alert_timers_of_policy on tocsin.alert_timers (tenant_id, policy) where policy is not null;

-- Calls to a tenant's own automation. Each goes through a channel of its own, which nobody sees among the others: its key begins with `action/`.
create table tocsin.runbook_actions (
  tenant_id uuid not null,
  key text not null,
  name text not null,
  matchers jsonb not null,
  -- of fired, acknowledged, resolved
  events jsonb not null,
  channel_id uuid not null,
  version integer not null default 1,
  created_at timestamptz not null default tocsin.tocsin_now(),
  created_by text not null,
  updated_at timestamptz not null default tocsin.tocsin_now(),
  updated_by text not null,
  primary key (tenant_id, key),
  foreign key (tenant_id, channel_id) references tocsin.channels on delete cascade
);
create index runbook_actions_by_channel on tocsin.runbook_actions (tenant_id, channel_id);

call tocsin.protect('tocsin.runbook_actions');
grant select, insert, update, delete on tocsin.runbook_actions to tocsin_app;

-- Alerts that opened close together and share labels. One that stands alone has none.
create table tocsin.incidents (
  tenant_id uuid not null references tocsin.tenants on delete cascade,
  id uuid not null,
  -- when the first and the last of its alerts opened
  opened_at timestamptz not null,
  last_at timestamptz not null,
  -- how many have been linked
  alerts integer not null,
  primary key (tenant_id, id)
);

-- Apart from the alerts, which evaluators write all day: linking one waits for nobody.
create table tocsin.incident_alerts (
  tenant_id uuid not null,
  alert_id uuid not null,
  incident_id uuid not null,
  primary key (tenant_id, alert_id),
  foreign key (tenant_id, alert_id) references tocsin.alerts on delete cascade,
  foreign key (tenant_id, incident_id) references tocsin.incidents on delete cascade
);
create index incident_alerts_of on tocsin.incident_alerts (tenant_id, incident_id);

call tocsin.protect('tocsin.incidents');
call tocsin.protect('tocsin.incident_alerts');
grant select, insert, update, delete on tocsin.incidents to tocsin_app;
grant select, insert, delete on tocsin.incident_alerts to tocsin_app;
