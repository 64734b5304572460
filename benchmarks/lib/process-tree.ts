import { readdirSync, readFileSync } from 'node:fs';

const TICKS_PER_SECOND = 100;

export interface TreeProcess {
  pid: number;
  /** As `ps` shows it. */
  command: string;
  /** Memory of its own and its part of what it shares: over all processes this adds up to what is taken. */
  pssBytes: number;
  rssBytes: number;
}

/** A process and everything below it (Linux). */
export function processTree(root: number): TreeProcess[] {
  return pidsBelow(root).flatMap((pid) => {
    try {
      const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
      const bytes = (field: string): number => Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(rollup)?.[1] ?? 0) * 1_024;
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      return [{ pid, command, pssBytes: bytes('Pss'), rssBytes: bytes('Rss') }];
    } catch {
      return [];
    }
  });
}

/** CPU time of the whole tree, processes that have ended included, in seconds. */
export function treeCpuSeconds(root: number): number {
  let ticks = 0;
  for (const pid of pidsBelow(root)) {
    const text = readProc(`${pid}/stat`);
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    for (const field of fields.slice(11, 15)) ticks += Number(field);
  }
  return ticks / TICKS_PER_SECOND;
}

/** Not even waiting to be fetched by its parent counts. */
export const isRunning = (pid: number): boolean => readProc(`${pid}/cmdline`) !== '';

function pidsBelow(root: number): number[] {
  const pids = [root];
  for (const pid of pids) {
    for (const task of tasksOf(pid)) {
      for (const child of readProc(`${pid}/task/${task}/children`).split(' ')) if (child !== '') pids.push(Number(child));
    }
  }
  return pids;
}

function tasksOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

/** Empty when the process has just ended. */
function readProc(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, 'utf8').trim();
  } catch {
    return '';
  }
}
