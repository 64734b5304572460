import type { FastifyReply, FastifyRequest } from 'fastify';
import { PassThrough } from 'node:stream';
import { problemOf, toAppError } from './problem.ts';

export const NDJSON = 'application/x-ndjson';
/** Lines are no closer together than this share of the work. */
const LEAST_SHARE = 0.02;

/**
 * Answers with a line for each step of the work, `{"progress": 0.4}`, and a last one with what came of it: `{"result": …}`, or `{"problem": …}` for
 * what went wrong after the answer had begun. What is refused before the first step is answered as ever.
 */
export async function withProgressLines<Output>(
  request: FastifyRequest,
  reply: FastifyReply,
  work: (progress: (share: number) => void) => Promise<Output>,
): Promise<FastifyReply> {
  const lines = new PassThrough();
  let told = -1;
  const begin = (): void => {
    if (told < 0) void reply.code(200).type(`${NDJSON}; charset=utf-8`).send(lines);
  };
  const progress = (share: number): void => {
    if (share < told + LEAST_SHARE && told >= 0) return;
    begin();
    told = share;
    lines.write(`${JSON.stringify({ progress: Math.round(share * 100) / 100 })}\n`);
  };
  try {
    const result = await work(progress);
    begin();
    lines.end(`${JSON.stringify({ result })}\n`);
  } catch (error) {
    if (told < 0) throw error;
    const refusal = toAppError(error);
    if (refusal.status >= 500) request.log.error({ err: error, code: refusal.code }, 'request failed');
    lines.end(`${JSON.stringify({ problem: problemOf(refusal, request.id) })}\n`);
  }
  return reply;
}
