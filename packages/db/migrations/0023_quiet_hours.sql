-- When the people behind a channel want to be told of what. Null: of everything, at once.
alter table tocsin.channels
  add column quiet_hours jsonb,
  add column digest jsonb,
  -- what is milder is collected for the digest
  add column digest_below text check (digest_below in ('warning', 'error', 'critical')),
  add check ((digest is null) = (digest_below is null));

-- What a message waits for, or waited, and until when it is told to nobody; null: for neither quiet hours nor a digest.
alter table tocsin.deliveries
  add column held_for text check (held_for in ('quiet_hours', 'digest')),
  add column held_until timestamptz,
  add check ((held_for is null) = (held_until is null));
