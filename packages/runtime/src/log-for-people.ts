import type { DestinationStream } from 'pino';

/** Fields of every line, said elsewhere or the same in each. */
const NOT_SHOWN = new Set(['level', 'time', 'pid', 'hostname', 'name', 'msg', 'err']);

/**
 * What a terminal shows of a log line: the time, the level, the sentence, what the error says, the fields. A stack only where
 * the process ends of it; the JSON lines, which machines read, have all of them.
 */
function lineForPeople(json: string): string {
  const line = JSON.parse(json) as { level: string; time: string; msg?: string; err?: { message?: string; stack?: string } };
  const fields = Object.entries(line)
    .filter(([name]) => !NOT_SHOWN.has(name))
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const error = line.level === 'fatal' ? line.err?.stack : line.err?.message;
  const said = `${line.msg ?? ''}${error === undefined ? '' : `: ${error}`}`;
  const at = new Date(line.time).toLocaleTimeString('sv');
  return `${[at, line.level.padEnd(5), said, ...fields].join('  ')}\n`;
}

export const forPeople = (terminal: { write: (text: string) => unknown }): DestinationStream => ({
  write: (json) => void terminal.write(lineForPeople(json)),
});
