-- Runs are found by tenant and slot. Nothing looks for an id, but the planner took this index for one on (tenant_id, slot_at) and read a whole
-- day of a tenant's runs to lease or end one of them.
drop index tocsin.runs_by_id;
