-- A rule that fails again and again is left out for a while; the pause grows with each that did not help.
alter table tocsin.rules
  -- looks in a row that failed
  add column failures integer not null default 0,
  -- quarantines in a row
  add column quarantines integer not null default 0,
  -- the slot whose failure was one too many
  add column quarantined_at timestamptz,
  -- when it is tried again
  add column quarantined_until timestamptz,
  -- the last slot before the pause, until it is looked at again: nobody observed the time between
  add column paused_after timestamptz;

-- What looking at a rule costs: rolling averages, written when they have moved, and the newest look's time. Apart from the rules, whose rows
-- people lock and whose words are long.
create table tocsin.rule_costs (
  tenant_id uuid not null,
  rule_id uuid not null,
  -- of the processor, in milliseconds
  ms double precision not null,
  last_ms double precision not null,
  segments double precision not null,
  events double precision not null,
  series double precision not null,
  measured_at timestamptz not null,
  primary key (tenant_id, rule_id),
  foreign key (tenant_id, rule_id) references tocsin.rules on delete cascade
);
create index rule_costs_dearest on tocsin.rule_costs (tenant_id, ms desc, rule_id desc);
call tocsin.protect('tocsin.rule_costs');
grant select, insert, update, delete on tocsin.rule_costs to tocsin_app;

-- The delay of a rule that follows how late events come; null: it was never another than where it starts.
alter table tocsin.rules add column delay_ms integer;

-- How late events come: counts by bucket (packages/domain/src/lag.ts), halved with every eight hours of age.
alter table tocsin.event_names
  add column lag double precision[],
  add column lag_at timestamptz;
