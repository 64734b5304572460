import { z } from 'zod';
import { jsonOf } from '../post-json.ts';
import type { Verdict } from '../verdict.ts';

// https://docs.slack.dev/reference/methods/chat.postMessage#errors: those that pass
const PASSING = new Set([
  'ratelimited',
  'rate_limited',
  'internal_error',
  'fatal_error',
  'service_unavailable',
  'request_timeout',
  'team_added_to_org',
]);

const Said = z.object({ ok: z.boolean(), error: z.string().optional() });

/** What a call of the Web API means: Slack answers 200 and says in the body whether it was done. */
export function verdictOfCall(verdict: Verdict, body: string): Verdict {
  if (verdict.outcome !== 'delivered') return verdict;
  const said = Said.safeParse(jsonOf(body)).data;
  return said?.ok === true ? verdict : refused(verdict, said?.error);
}

/** What a webhook's answer means: its 2xx counts, whatever the text, unless that is the refusal of a call. */
export function verdictOfHook(verdict: Verdict, body: string): Verdict {
  if (verdict.outcome !== 'delivered') return verdict;
  const said = Said.safeParse(jsonOf(body)).data;
  return said?.ok === false ? refused(verdict, said.error) : verdict;
}

function refused({ statusCode, responseExcerpt }: Verdict, error: string | undefined): Verdict {
  const answered = { statusCode, responseExcerpt };
  if (error === undefined || !/^[a-z][a-z_]{1,60}$/.test(error))
    return { outcome: 'retry', reason: 'bad_response', retryAfterMs: null, ...answered };
  const reason = `slack_${error}`;
  return PASSING.has(error)
    ? { outcome: 'retry', reason, retryAfterMs: null, ...answered }
    : { outcome: 'rejected', reason, disable: false, ...answered };
}
