-- A delivery keeps the id of a channel that is deleted; who reads it looks whether the channel is there. So deleting one writes one row, however
-- much was sent there, and waits for no delivery under way.
alter table tocsin.deliveries drop constraint deliveries_tenant_id_channel_id_fkey;

-- Without the tenant in front: that is in every policy, and would make these look fit for finding a row by its own key.
drop index tocsin.deliveries_of_channel;
create index deliveries_of_channel on tocsin.deliveries (channel_id, id);
drop index tocsin.deliveries_of_alert;
create index deliveries_of_alert on tocsin.deliveries (alert_id);
-- The list goes by the id, which grows with time.
drop index tocsin.deliveries_newest;

-- When people were told last that messages to this channel do not arrive.
alter table tocsin.channels add column dead_told_at timestamptz;

-- A storm makes more rows in a minute than there were: what the planner knows must not be from before it.
alter table tocsin.deliveries set (autovacuum_analyze_scale_factor = 0.02, autovacuum_analyze_threshold = 500);
alter table tocsin.triggers set (autovacuum_analyze_scale_factor = 0.02, autovacuum_analyze_threshold = 500);
