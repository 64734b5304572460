import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { CannotStart } from '../cannot-start.ts';
import { variableOf } from './variable-of.ts';

export interface ConfigProblem {
  variable: string;
  /** Never contains the value. */
  problem: string;
}

/** The environment is not one this process can run in. The message names every variable at fault, and no value. */
export class ConfigError extends CannotStart {
  override name = 'ConfigError';
  readonly problems: readonly ConfigProblem[];
  constructor(problems: readonly ConfigProblem[]) {
    super(problems.map(({ variable, problem }) => `${variable} ${problem}`).join('\n'));
    this.problems = problems;
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads a schema's keys from the environment: `databaseUrl` is `TOCSIN_DATABASE_URL`, or the content of the file that
 * `TOCSIN_DATABASE_URL_FILE` names. An empty variable counts as missing. Throws ConfigError.
 */
export function loadConfig<Shape extends z.ZodRawShape>(schema: z.ZodObject<Shape>, env: Environment): z.infer<z.ZodObject<Shape>> {
  const problems: ConfigProblem[] = [];
  const given: Record<string, string> = {};
  for (const key of Object.keys(schema.shape)) {
    const found = lookUp(variableOf(key), env);
    if (found.problem !== undefined) problems.push(found.problem);
    if (found.value !== undefined) given[key] = found.value;
  }
  const parsed = schema.safeParse(given);
  for (const issue of parsed.error?.issues ?? []) {
    const key = String(issue.path[0] ?? '');
    const variable = variableOf(key);
    if (problems.some((problem) => problem.variable === variable || problem.variable === `${variable}_FILE`)) continue;
    problems.push({ variable, problem: given[key] === undefined ? 'is missing' : `is not valid: ${issue.message}` });
  }
  if (problems.length > 0 || !parsed.success) throw new ConfigError(problems);
  return parsed.data;
}

function lookUp(variable: string, env: Environment): { value?: string; problem?: ConfigProblem } {
  const direct = env[variable] || undefined;
  const path = env[`${variable}_FILE`] || undefined;
  if (path === undefined) return direct === undefined ? {} : { value: direct };
  if (direct !== undefined) return { problem: { variable, problem: `and ${variable}_FILE are both set` } };
  try {
    const content = readFileSync(path, 'utf8').trimEnd();
    return content === '' ? {} : { value: content };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    return { problem: { variable: `${variable}_FILE`, problem: `cannot be read (${code})` } };
  }
}
