import { readdirSync, readFileSync } from 'node:fs';

const TICKS_PER_SECOND = 100;

/** CPU time of a process and all its children, the ended ones included, in seconds (Linux; its clock ticks every 10 ms). */
export function cpuSeconds(pid: number): number {
  const own = stat(pid);
  if (own === null) throw new Error(`no process ${pid}`);
  let ticks = own.used + own.usedByEnded;
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const other = stat(Number(entry));
    if (other?.parent === pid) ticks += other.used;
  }
  return ticks / TICKS_PER_SECOND;
}

function stat(pid: number): { parent: number; used: number; usedByEnded: number } | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    return { parent: fields[1]!, used: fields[11]! + fields[12]!, usedByEnded: fields[13]! + fields[14]! };
  } catch {
    return null;
  }
}
