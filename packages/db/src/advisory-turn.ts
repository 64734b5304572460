import type postgres from 'postgres';
import type { Database } from './open-database.ts';

/** What one process of many does, for as long as it lives and its connection holds. */
export interface AdvisoryTurn {
  /** Whether it is this process's to do; takes it when nobody has it. False also when the database does not answer. */
  isMine: () => Promise<boolean>;
  /** Gives it to whoever asks next. */
  close: () => Promise<void>;
}

/** A lock of the server's, held on a connection of its own: it ends with the connection, so that a process that dies leaves nothing to wait for. */
export function openAdvisoryTurn({ sql }: Pick<Database, 'sql'>, name: string): AdvisoryTurn {
  let held: postgres.ReservedSql | null = null;
  const letGo = async (): Promise<void> => {
    const connection = held;
    held = null;
    if (connection === null) return;
    await connection`select pg_advisory_unlock(hashtextextended(${name}, 0))`.catch(() => undefined);
    connection.release();
  };
  return {
    isMine: async () => {
      try {
        if (held !== null) {
          // A connection that broke was made anew behind our back, without the lock.
          const [row] = await held<{ mine: boolean }[]>`
            select exists (select from pg_locks where locktype = 'advisory' and pid = pg_backend_pid() and granted) as mine`;
          if (row?.mine === true) return true;
          await letGo();
        }
        const connection = await sql.reserve();
        const [row] = await connection<{ mine: boolean }[]>`select pg_try_advisory_lock(hashtextextended(${name}, 0)) as mine`;
        if (row?.mine !== true) {
          connection.release();
          return false;
        }
        held = connection as postgres.ReservedSql;
        return true;
      } catch {
        await letGo();
        return false;
      }
    },
    close: letGo,
  };
}
