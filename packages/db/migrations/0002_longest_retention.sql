-- In two calls, since one makes at most 400 days: with a retention of 400 days, those behind and those ahead.
create or replace function tocsin.ensure_horizon(retention interval default interval '30 days') returns integer
  language sql security definer
  set search_path = pg_catalog, pg_temp
  as $$
  select tocsin.ensure_partitions(tocsin.tocsin_now() - retention, tocsin.tocsin_now(), 'segments')
       + tocsin.ensure_partitions(tocsin.tocsin_now() - interval '3 days', tocsin.tocsin_now() + interval '7 days')
$$;
