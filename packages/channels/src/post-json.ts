import type { EpochMs } from '@tocsin/domain';
import type { OutboundAnswer, Outside } from './outside.ts';
import { verdictOfAnswer, verdictOfFailure, type Verdict } from './verdict.ts';

export interface JsonPost {
  url: string;
  /** Beside the content's type and who we are. */
  headers?: Record<string, string>;
  /** JSON text. */
  body: string;
  /** Cut out of what is kept of the answer. */
  secrets: readonly string[];
  nowMs: EpochMs;
  /** Milliseconds that an answer asks to be left alone for, where it says so in its body; null: it does not. */
  retryAfterOf?: (answer: OutboundAnswer) => number | null;
  /** The status that a 2xx should have had, where its body says that it was refused; null: it says no such thing. */
  refusalOf?: (answer: OutboundAnswer) => number | null;
}

/** One POST of JSON, and what its answer means. */
export async function postJson(outside: Outside, post: JsonPost): Promise<Verdict> {
  const headers = { 'user-agent': 'Tocsin', ...post.headers, 'content-type': 'application/json' };
  try {
    const given = await outside.request({ url: post.url, method: 'POST', headers, body: post.body }, outside.signal);
    const status = given.status < 300 ? (post.refusalOf?.(given) ?? given.status) : given.status;
    const answer = { ...given, status };
    const verdict = verdictOfAnswer(answer, post.secrets, post.nowMs);
    if (verdict.outcome !== 'retry' || verdict.retryAfterMs !== null) return verdict;
    return { ...verdict, retryAfterMs: post.retryAfterOf?.(answer) ?? null };
  } catch (error) {
    return verdictOfFailure(error);
  }
}

/** Null: it is no JSON. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
