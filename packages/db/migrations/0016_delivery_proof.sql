-- Whether a channel works. A failure is an attempt that did not arrive and was not asked to come later; a message that arrives ends the count.
alter table tocsin.channels
  add column failures integer not null default 0,
  add column failing_since timestamptz,
  -- when people were told that it keeps failing; null: it does not, or not for long enough
  add column failing_told_at timestamptz,
  add column last_delivered_at timestamptz,
  -- key of the channel that hears what this one cannot be told
  add column fallback text,
  -- until then messages are signed with the secrets before the newest too; null: there are none but what people gave
  add column former_secrets_until timestamptz;

create index channels_former_secrets on tocsin.channels (former_secrets_until) where former_secrets_until is not null;

-- What is true of all channels of a tenant that say nothing of their own.
create table tocsin.notification_settings (
  tenant_id uuid primary key references tocsin.tenants on delete cascade,
  fallback text,
  updated_at timestamptz not null default tocsin.tocsin_now(),
  updated_by text not null
);

call tocsin.protect('tocsin.notification_settings');
grant select, insert, update on tocsin.notification_settings to tocsin_app;

alter table tocsin.deliveries
  -- the delivery whose channel was not reached
  add column instead_of uuid,
  -- the delivery that tells this one too
  add column folded_into uuid;

-- Through one channel a message is told once, however often another fails it.
create unique index deliveries_instead on tocsin.deliveries (tenant_id, instead_of, channel_key) where instead_of is not null;

-- The dead are few, looked for, and sent again by the hundred.
create index deliveries_dead on tocsin.deliveries (tenant_id, id) where status = 'dead';
create index deliveries_of_key on tocsin.deliveries (channel_key, id);

alter table tocsin.delivery_attempts add column next_attempt_at timestamptz;

create policy across_tenants on tocsin.channels to tocsin_pipeline using (true);
grant select (tenant_id, id, former_secrets_until) on tocsin.channels to tocsin_pipeline;

grant create on schema tocsin to tocsin_pipeline;
set local role tocsin_pipeline;
alter default privileges revoke execute on functions from public;

-- Channels that hold secrets nobody needs any more.
create function tocsin.channels_with_former_secrets(max_rows integer) returns table (tenant_id uuid, id uuid)
  language sql stable security definer
  set search_path = pg_catalog, pg_temp
  as $$
  select c.tenant_id, c.id from tocsin.channels c
  where c.former_secrets_until <= tocsin.tocsin_now()
  order by c.former_secrets_until
  limit max_rows
$$;

grant execute on function tocsin.channels_with_former_secrets(integer) to tocsin_app;

set local role tocsin_owner;
revoke create on schema tocsin from tocsin_pipeline;
