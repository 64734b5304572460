-- A run is for a slot of its tenant's schedule, or for the moment somebody asked (`manual`) or something arrived (`arrival`).
alter table tocsin.runs
  add column kind text not null default 'scheduled' check (kind in ('scheduled', 'manual', 'arrival')),
  -- the rules it is for; null: all that are due, and of a manual run all that are enabled
  add column rule_ids uuid[],
  -- of a run that is not scheduled, once it has ended: the newest scheduled slot that was evaluated before it, so that nobody has to look further back
  add column scheduled_slot_at timestamptz;

-- The newest slot off its own grid at which the rule was evaluated: by a run that was not scheduled.
alter table tocsin.rules add column extra_slot_at timestamptz;

-- Slots older than the run's own that it was asked to stand for, because whoever schedules looks more rarely than the schedule says.
alter table tocsin.runs add column covered_from timestamptz, add column covered_count integer;

alter table tocsin.schedules
  add column debounce_ms bigint not null default 0 check (debounce_ms between 0 and 86400000),
  -- of the cron and the active hours
  add column time_zone text not null default 'UTC',
  -- null: slots are those of the grid
  add column cron text,
  -- [{days, from, to}]; empty: always
  add column active_hours jsonb not null default '[]',
  add column paused_until timestamptz,
  -- when somebody set any of it; null: nobody has
  add column configured_at timestamptz;

-- A cron may come once a week, or a year.
alter table tocsin.schedules drop constraint schedules_slot_every_ms_check;
alter table tocsin.schedules add constraint schedules_slot_every_ms_check check (slot_every_ms between 10000 and 34560000000);
