import type postgres from 'postgres';

/** Unique constraints that cross tenants on purpose, each with its reason. */
const CROSS_TENANT_KEYS: Readonly<Record<string, string>> = {
  tenants_external_key_key: "an operator's own name for a tenant has to find one tenant; only the operator's key can set it",
};

/** Tables without tenants, each with its reason. */
const NO_TENANT_TABLES: Readonly<Record<string, string>> = {
  migrations: 'which migrations were applied',
};

/** The tables that functions of `tocsin_pipeline` look at across tenants. */
const CROSS_TENANT_TABLES = [
  'schedules',
  'runs',
  'triggers',
  'deliveries',
  'alert_timers',
  'metric_definitions',
  'channels',
  'drills',
  'drill_schedules',
];

/**
 * What in schema `tocsin` lets one tenant's rows reach another, a sentence each, from the catalogue of the server. Empty: nothing.
 * @param among the tables to judge, with their days; null: everything there is
 */
export async function tenancyBreaches(sql: postgres.ISql, among: readonly string[] | null = null): Promise<string[]> {
  const names = among === null ? null : [...among];
  const rows = await sql<{ breach: string }[]>`
    with relation as (
      select c.*, 'tocsin.' || c.relname as name from pg_class c
      where c.relnamespace = 'tocsin'::regnamespace and c.relname <> all(${Object.keys(NO_TENANT_TABLES)}::text[])
        and (${names}::text[] is null or regexp_replace(c.relname, '_\\d{8}$', '') = any(${names}::text[]))
    ), tenant_table as (
      select r.*, a.attnum as tenant_column from relation r
        left join pg_attribute a on a.attrelid = r.oid and a.attname = 'tenant_id' and not a.attisdropped
      where r.relkind in ('r', 'p')
    ), policy as (
      select p.*, t.name, t.relname, t.relispartition, pg_get_expr(p.polqual, p.polrelid) as visible, pg_get_expr(p.polwithcheck, p.polrelid) as writable
      from pg_policy p join tenant_table t on t.oid = p.polrelid
    ), routine as (
      select p.*, p.oid::regprocedure::text as name, pg_get_userbyid(p.proowner) as owner from pg_proc p
      where p.pronamespace = 'tocsin'::regnamespace
    )
    select name || ' has no column tenant_id' as breach from tenant_table where tenant_column is null
    union all
    select name || ' does not force row-level security on everyone' from tenant_table where not (relrowsecurity and relforcerowsecurity)
    union all
    select name || ' has no policy tenant_only' from tenant_table t
    where not exists (select from policy p where p.polrelid = t.oid and p.polname = 'tenant_only')
    union all
    select name || ': policy tenant_only does not compare tenant_id with the transaction''s tenants' from policy
    where polname = 'tenant_only' and (
      polcmd <> '*' or polroles <> array['tocsin_app'::regrole::oid] or visible is distinct from writable
      or visible is distinct from (select visible from policy where relname = 'tenants' and polname = 'tenant_only')
      or visible not like '%(tenant_id = ANY (%''app.tenant_ids''%'
    )
    union all
    select name || ': policy ' || polname || ' lets rows past tenant_only' from policy
    where polname <> 'tenant_only' and polpermissive and not (
      polroles = array['tocsin_pipeline'::regrole::oid] and relname = any(${CROSS_TENANT_TABLES}::text[])
    )
    union all
    select t.name || ' has no primary key that starts with tenant_id' from tenant_table t
    where not exists (select from pg_index i where i.indrelid = t.oid and i.indisprimary and i.indkey[0] = t.tenant_column)
    union all
    select t.name || ': unique index ' || i.indexrelid::regclass::text || ' does not start with tenant_id'
    from tenant_table t join pg_index i on i.indrelid = t.oid join pg_class c on c.oid = i.indexrelid
    where i.indisunique and i.indkey[0] <> t.tenant_column and c.relname <> all(${Object.keys(CROSS_TENANT_KEYS)}::text[])
    union all
    select t.name || ': foreign key ' || f.conname || ' does not carry tenant_id'
    from tenant_table t join pg_constraint f on f.conrelid = t.oid and f.contype = 'f'
    where not exists (
      select from unnest(f.conkey, f.confkey) as pair (here, there)
        join pg_attribute a on a.attrelid = f.confrelid and a.attnum = pair.there and a.attname = 'tenant_id'
      where pair.here = t.tenant_column
    )
    union all
    select name || ' is a view without security_invoker' from relation
    where relkind = 'v' and not coalesce('security_invoker=true' = any(reloptions) or 'security_invoker=on' = any(reloptions), false)
    union all
    select name || ' is a materialized view, which keeps rows of all tenants' from relation where relkind = 'm'
    union all
    select name || ' is a foreign table, which no policy binds' from relation where relkind = 'f'
    union all
    select name || ' belongs to the role the processes log in as' from relation where relowner = 'tocsin_app'::regrole
    union all
    select r.name || ' is open to everyone (' || g.privilege_type || ')' from relation r, aclexplode(r.relacl) g where g.grantee = 0
    union all
    select r.name || '.' || a.attname || ' is open to everyone (' || g.privilege_type || ')'
    from relation r join pg_attribute a on a.attrelid = r.oid, aclexplode(a.attacl) g where g.grantee = 0
    union all
    select t.name || ' is a partition that ' || g.grantee::regrole::text || ' reaches past its table (' || g.privilege_type || ')'
    from tenant_table t, aclexplode(t.relacl) g where t.relispartition and g.grantee <> t.relowner and g.grantee <> 0
    union all
    select 'function ' || r.name || ' may be called by everyone' from routine r, aclexplode(coalesce(r.proacl, acldefault('f', r.proowner))) g
    where g.grantee = 0
    union all
    select 'function ' || name || ' runs as ' || owner || ' without a pinned search_path' from routine
    where prosecdef and not coalesce('search_path=pg_catalog, pg_temp' = any(proconfig), false)
    union all
    select 'function ' || name || ' runs as ' || owner || ', which is neither tocsin_owner nor tocsin_pipeline' from routine
    where prosecdef and owner <> all(array['tocsin_owner', 'tocsin_pipeline'])
    union all
    select r.name || ': history can be changed (' || g.privilege_type || ')' from relation r, aclexplode(r.relacl) g
    where r.relname = 'audit_events' and g.grantee = 'tocsin_app'::regrole and g.privilege_type not in ('SELECT', 'INSERT')
    order by breach`;
  return rows.map((row) => row.breach);
}
