-- A run is for a slot of its tenant's schedule, or for the moment somebody asked (`manual`) or something arrived (`arrival`).
alter table tocsin.runs
  add column kind text not null default 'scheduled' check (kind in ('scheduled', 'manual', 'arrival')),
  -- the rules it is for; null: all that are due, and of a manual run all that are enabled
  add column rule_ids uuid[],
  -- of a run that is not scheduled, once it has ended: the newest scheduled slot that was evaluated before it, so that nobody has to look further back
  add column scheduled_slot_at timestamptz;

-- The newest slot off its own grid at which the rule was evaluated: by a run that was not scheduled.
alter table tocsin.rules add column extra_slot_at timestamptz;
