-- What closed hours hold, summed up, so that a long window need not read every event again. All of it can be made again from the segments.

-- How often events came to an hour (UTC) after its end. No row: never, version 0. Written with segments, and as free as they are.
create table tocsin.hour_versions (
  tenant_id uuid not null,
  hour_at timestamptz not null,
  version bigint not null default 1,
  primary key (tenant_id, hour_at)
);

-- What somebody asks of the hours again and again; `key` is the digest of all that the bodies depend on.
create table tocsin.partial_keys (
  tenant_id uuid not null references tocsin.tenants on delete cascade,
  key text not null,
  kind text not null check (kind in ('partial', 'history')),
  query jsonb not null,
  needed_at timestamptz not null default tocsin.tocsin_now(),
  primary key (tenant_id, key)
);

create table tocsin.partials (
  tenant_id uuid not null,
  key text not null,
  hour_at timestamptz not null,
  -- the versions of the hours it was made from, added up: versions only grow, so an equal sum is equal versions
  version bigint not null,
  body bytea not null,
  primary key (tenant_id, key, hour_at),
  foreign key (tenant_id, key) references tocsin.partial_keys (tenant_id, key) on delete cascade
);

-- Bodies are compressed before they come here.
alter table tocsin.partials alter column body set storage external;

call tocsin.protect('tocsin.hour_versions');
call tocsin.protect('tocsin.partial_keys');
call tocsin.protect('tocsin.partials');

grant select, insert, update, delete on tocsin.hour_versions, tocsin.partial_keys, tocsin.partials to tocsin_app;
