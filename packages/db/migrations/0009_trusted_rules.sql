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
