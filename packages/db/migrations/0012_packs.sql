-- Rules that come with the product or from the installation's own file. `config` is the key of that file.
create table tocsin.installed_packs (
  tenant_id uuid not null references tocsin.tenants on delete cascade,
  key text not null,
  -- of what was installed last; another one means that there is something to look at
  digest text not null,
  -- the channels that were chosen for all of its rules; null: each has its own
  notify jsonb,
  -- rules that are not to come again by themselves, by key: `deleted` by people, `retired` because they are shipped no more
  gone jsonb not null default '{}',
  installed_at timestamptz not null default tocsin.tocsin_now(),
  installed_by text not null,
  primary key (tenant_id, key)
);

call tocsin.protect('tocsin.installed_packs');
grant select, insert, update, delete on tocsin.installed_packs to tocsin_app;

-- Which pack a rule came with, and what it was then: its words' digest and its channels. Where they are others now, people changed them.
alter table tocsin.rules
  add column pack_key text,
  add column pack_digest text,
  add column pack_notify jsonb;
create index rules_of_pack on tocsin.rules (tenant_id, pack_key) where pack_key is not null;

alter table tocsin.channels
  add column pack_key text,
  add column pack_digest text;
