import type postgres from 'postgres';
import { sqlState } from './sql-state.ts';

export interface RoleUrls {
  appUrl: string;
  queueUrl: string | null;
}

/**
 * Roles belong to the server, not to the database, so another migration may be at work on them under another database's lock.
 * - `tocsin_owner` owns and migrates; NOINHERIT, so that being able to become `tocsin_pipeline` gives it none of its rights
 * - `tocsin_pipeline` owns the functions that look across tenants
 * - `tocsin_app` is what the processes log in as
 * - `tocsin_queue` owns the queue's schema and sees nothing else
 */
export async function ensureRoles(sql: postgres.Sql, { appUrl, queueUrl }: RoleUrls): Promise<void> {
  const app = login(appUrl, 'tocsin_app');
  const queue = queueUrl !== null && isPostgresUrl(queueUrl) ? login(queueUrl, 'tocsin_queue') : null;
  await tryAgain(() =>
    sql.begin(async (tx) => {
      const [{ database, admin } = unreachable()] = await tx<{ database: string; admin: string | null }[]>`
        select quote_ident(current_database()) as database, case when not rolsuper then rolname end as admin
        from pg_roles where rolname = current_user`;
      await ensureRole(tx, 'tocsin_owner', 'nologin noinherit');
      await ensureRole(tx, 'tocsin_pipeline', 'nologin');
      await ensureRole(tx, 'tocsin_app', 'login');
      await setPassword(tx, app);
      await ensureMember(tx, 'tocsin_pipeline', 'tocsin_owner');
      // a superuser may become any role; another has to be a member, and its maker is one that may not until it says so
      if (admin !== null) await ensureMember(tx, 'tocsin_owner', admin);
      await tx.unsafe(`grant create on database ${database} to tocsin_owner`);
      await tx.unsafe(`grant connect on database ${database} to tocsin_app`);
      if (queue === null) return;
      await ensureRole(tx, 'tocsin_queue', 'login');
      await setPassword(tx, queue);
      if (admin !== null) await ensureMember(tx, 'tocsin_queue', admin);
      // adding jobs in bulk goes through a temporary table
      await tx.unsafe(`grant connect, temporary on database ${database} to tocsin_queue`);
      await tx.unsafe('create schema if not exists bullmq authorization tocsin_queue');
    }),
  );
}

interface Login {
  role: string;
  password: string;
}

const isPostgresUrl = (url: string): boolean => /^postgres(?:ql)?:/.test(url);

function login(url: string, role: string): Login {
  const { username, password } = new URL(url);
  if (decodeURIComponent(username) !== role) throw new Error(`the URL of ${role} names another user; the user must be ${role}`);
  return { role, password: decodeURIComponent(password) };
}

async function ensureRole(sql: postgres.TransactionSql, role: string, attributes: string): Promise<void> {
  const [found] = await sql`select from pg_roles where rolname = ${role}`;
  if (!found) await sql.unsafe(`create role ${role} ${attributes}`);
}

/** An empty password leaves the role's as it is: peer, certificate or cloud sign-in. */
async function setPassword(sql: postgres.TransactionSql, { role, password }: Login): Promise<void> {
  if (password === '') return;
  const [quoted] = await sql`select quote_literal(${password}) as literal`;
  await sql.unsafe(`alter role ${role} password ${quoted?.literal}`);
}

/** Asks first: a grant keeps its grantor from ever being dropped. PostgreSQL 15 has no `set_option`; there every member may. */
async function ensureMember(sql: postgres.TransactionSql, role: string, member: string): Promise<void> {
  const [found] = await sql`
    select from pg_auth_members m join pg_roles granted on granted.oid = m.roleid join pg_roles grantee on grantee.oid = m.member
    where granted.rolname = ${role} and grantee.rolname = ${member} and coalesce((to_jsonb(m) ->> 'set_option')::boolean, true)`;
  if (!found) await sql`grant ${sql(role)} to ${sql(member)}`;
}

const CLASHES = new Set(['23505', '42710', 'XX000', '40P01']);
const TRIES = 20;

async function tryAgain(work: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await work();
      return;
    } catch (error) {
      if (attempt === TRIES || !CLASHES.has(sqlState(error) ?? '')) throw error;
    }
  }
}

function unreachable(): never {
  throw new Error('the current user has no role');
}
