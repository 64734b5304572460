import { nearestName } from '@tocsin/domain';
import * as variables from './variables.ts';
import { variableOf } from './variable-of.ts';

/** Read by some process, and not among the shared `variables`. */
const OF_SOME = [
  'archiveAfter',
  'archiveRetention',
  'bodyBytes',
  'comparisonsPerRule',
  'conditionDepth',
  'dataDir',
  'dimsPerEvent',
  'dimValueLength',
  'eventsPerRequest',
  'longestWindow',
  'measuresPerEvent',
  'queryTime',
  'ruleTime',
  'retention',
  'rulesPerTenant',
  'seriesPerRead',
  'seriesPerRule',
  'seriesPerRun',
  'shortestEvery',
];
/** Every variable of docs/operating.md: processes may share one environment, in which each finds what another reads. */
const KNOWN = [...Object.keys(variables), ...OF_SOME].map(variableOf);
/** What other programs of this project read under the same prefix: tests, `docker-compose.yml`. */
const NOT_OURS = /^TOCSIN_(TEST_\w+|FAULT_\w+|PARENT_FD|APP_PASSWORD)$/;

/** What to tell of each variable that is set and that no process reads: most are misspelt. The lines carry names alone. */
export function unreadVariables(env: Readonly<Record<string, string | undefined>>): string[] {
  const known = KNOWN.flatMap((name) => [name, `${name}_FILE`]);
  return Object.keys(env)
    .filter((name) => /^tocsin_/i.test(name) && env[name] !== '' && !known.includes(name) && !NOT_OURS.test(name))
    .map((name) => `${name} is set, but nothing reads it.${hintFor(name, known)}`);
}

function hintFor(name: string, known: readonly string[]): string {
  // The prefix they all share would make any two look alike.
  const prefix = 'TOCSIN_'.length;
  const nearest = nearestName(
    name.slice(prefix),
    known.map((candidate) => candidate.slice(prefix)),
  );
  return nearest === null ? ' docs/operating.md lists what is read.' : ` Did you mean TOCSIN_${nearest}?`;
}
