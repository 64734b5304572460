-- Whoever leases or ends a tenant's run finds it by tenant and slot. The planner, to whom an index of a few rows costs nothing, took others that
-- fit the same question: all unfinished runs of everybody, or all runs of the tenant that day. Nothing looks for an id, so that index goes; the
-- sweep's says `finished_at is null`, which nobody else asks.
drop index tocsin.runs_by_id;
drop index tocsin.runs_open;
create index runs_open on tocsin.runs (hinted_at) where finished_at is null;

grant select (finished_at) on tocsin.runs to tocsin_pipeline;
grant create on schema tocsin to tocsin_pipeline;
set local role tocsin_pipeline;

-- A run waits for the earlier ones of its tenant.
create or replace function tocsin.due_runs(max_rows integer) returns table (tenant_id uuid, id uuid)
  language sql security definer
  set search_path = pg_catalog, pg_temp
  as $$
  with due as (
    select r.tenant_id, r.slot_at from tocsin.runs r
    where r.finished_at is null and r.status in ('queued', 'running')
      and (r.lease_until is null or r.lease_until <= tocsin.tocsin_now())
      and r.hinted_at + tocsin.hint_wait(r.hints) <= tocsin.tocsin_now()
      and not exists (
        select from tocsin.runs earlier
        where earlier.tenant_id = r.tenant_id and earlier.slot_at < r.slot_at and earlier.status in ('queued', 'running')
      )
    order by r.hinted_at
    limit max_rows
    for no key update skip locked
  )
  update tocsin.runs r set hinted_at = tocsin.tocsin_now(), hints = r.hints + 1
  from due where r.tenant_id = due.tenant_id and r.slot_at = due.slot_at
  returning r.tenant_id, r.id
$$;

set local role tocsin_owner;
revoke create on schema tocsin from tocsin_pipeline;
