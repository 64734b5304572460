import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { median, type Result } from './result.ts';

export interface Measured {
  benchmark: string;
  /** When it ended. */
  at: string;
  /** How long it took. */
  seconds: number;
  results: Result[];
}

export interface Figures {
  machine: Record<string, string>;
  measured: Measured[];
}

const BEGIN = '<!-- figures: written by npm run bench -->';
const END = '<!-- end of figures -->';

/** Puts what was measured beside earlier figures of this machine, into `results.json` and, between its markers, into the README. */
export function record(fresh: Figures, order: readonly string[], resultsFile: string, readmeFile: string): void {
  const figures = merge(readFigures(resultsFile), fresh, order);
  writeFileSync(resultsFile, `${JSON.stringify(figures, null, 2)}\n`);
  const readme = readFileSync(readmeFile, 'utf8');
  const [before, rest] = readme.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`${readmeFile} has lost its markers`);
  writeFileSync(readmeFile, `${before}${BEGIN}\n\n${markdown(figures)}\n\n${END}${after}`);
}

function readFigures(file: string): Figures {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Figures) : { machine: {}, measured: [] };
}

/** Figures of different machines do not stand side by side. */
function merge(old: Figures, fresh: Figures, order: readonly string[]): Figures {
  const kept = JSON.stringify(old.machine) === JSON.stringify(fresh.machine) ? old.measured : [];
  const all = new Map([...kept, ...fresh.measured].map((each) => [each.benchmark, each]));
  return { machine: fresh.machine, measured: order.flatMap((name) => all.get(name) ?? []) };
}

function markdown({ machine, measured }: Figures): string {
  const machineLines = Object.entries(machine).map(([name, value]) => `| ${name} | ${value} |`);
  const tables = measured.map(({ benchmark, at, seconds, results }) =>
    [
      `### ${benchmark}`,
      '',
      `Measured ${at.slice(0, 16).replace('T', ' ')} UTC, in ${Math.round(seconds)} s.`,
      '',
      '| figure | median | lowest – highest | runs | target | |',
      '| --- | ---: | ---: | ---: | ---: | --- |',
      ...results.map(row),
    ].join('\n'),
  );
  return [['| machine | |', '| --- | --- |', ...machineLines].join('\n'), ...tables].join('\n\n');
}

function row({ name, unit, values, target, atMost, note }: Result): string {
  const middle = median(values);
  const spread = values.length > 1 ? `${number(Math.min(...values))} – ${number(Math.max(...values))}` : '';
  const wanted = target !== undefined ? `≥ ${number(target)}` : atMost !== undefined ? `≤ ${number(atMost)}` : '';
  const isMissed = middle < (target ?? -Infinity) || middle > (atMost ?? Infinity);
  return `| \`${name}\` | ${number(middle)} ${unit} | ${spread} | ${values.length} | ${wanted}${isMissed ? ' **missed**' : ''} | ${note} |`;
}

/** Three digits that count. */
function number(value: number): string {
  if (value !== 0 && Math.abs(value) < 1e-4) return value.toExponential(1);
  return Number(value.toPrecision(3)).toLocaleString('en-GB', { maximumFractionDigits: 6 });
}
