-- Whoever takes events in asks, every second at most, which rules are to be evaluated as they arrive. Most tenants have none.
create index rules_on_arrival on tocsin.rules (tenant_id) where enabled and spec ->> 'evaluate' = 'arrival';
