-- An attempt that found this installation not set up to send ends `suppressed`. Every row there is fits the narrower check, so none is looked at.
alter table tocsin.delivery_attempts drop constraint delivery_attempts_outcome_check;
alter table tocsin.delivery_attempts
  add constraint delivery_attempts_outcome_check check (outcome in ('delivered', 'retry', 'rejected', 'suppressed')) not valid;

-- What a channel calls its first message about an alert, so that what comes later can change it and answer it.
create table tocsin.channel_threads (
  tenant_id uuid not null,
  channel_id uuid not null,
  alert_id uuid not null,
  -- in the words of the channel's kind
  thread text not null,
  created_at timestamptz not null default tocsin.tocsin_now(),
  primary key (tenant_id, channel_id, alert_id),
  foreign key (tenant_id, channel_id) references tocsin.channels on delete cascade,
  foreign key (tenant_id, alert_id) references tocsin.alerts on delete cascade
);
create index channel_threads_of_alert on tocsin.channel_threads (tenant_id, alert_id);
call tocsin.protect('tocsin.channel_threads');
grant select, insert, update, delete on tocsin.channel_threads to tocsin_app;
