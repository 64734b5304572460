import { AppError } from '../app-error.ts';

const KEYS_SHOWN = 5;

/** A 409 that names the rules. `why` is a sentence without its end. */
export function metricInUse(why: string, ruleKeys: readonly string[]): AppError {
  const keys = ruleKeys
    .slice(0, KEYS_SHOWN)
    .map((key) => `'${key}'`)
    .join(', ');
  const more = ruleKeys.length > KEYS_SHOWN ? ` and ${ruleKeys.length - KEYS_SHOWN} more` : '';
  return new AppError('metric_in_use', `${why} ${keys}${more}.`);
}
