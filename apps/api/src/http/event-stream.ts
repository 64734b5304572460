import type { EventStream } from '@tocsin/services';
import type { FastifyReply } from 'fastify';
import { PassThrough } from 'node:stream';

/** Proxies and the server itself close what is silent for longer than a minute. */
const SIGN_OF_LIFE_MS = 15_000;
const RECONNECT_MS = 3_000;
/** Of what its reader has not taken yet: whoever is further behind is cut off, and comes again. */
const WAITING_MAX = 1_048_576;

/** Answers with server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html) until the stream or its reader ends it. */
export function sendEvents(reply: FastifyReply, stream: EventStream): FastifyReply {
  const lines = new PassThrough();
  lines.write(`retry: ${RECONNECT_MS}\n\n`);
  const signs = setInterval(() => lines.write(':\n\n'), SIGN_OF_LIFE_MS);
  const close = stream.open({
    send(event, id, data) {
      if (lines.writableEnded || lines.destroyed || lines.writableLength > WAITING_MAX) return false;
      lines.write(`event: ${event}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`);
      return true;
    },
    end: () => void lines.end(),
  });
  const over = (): void => {
    clearInterval(signs);
    close();
  };
  lines.once('close', over);
  if (reply.raw.destroyed) lines.destroy();
  reply.raw.once('close', () => void lines.destroy());
  // a proxy that collects answers before it hands them on would keep everything to itself
  reply.header('cache-control', 'no-store').header('x-accel-buffering', 'no');
  return reply.code(200).type('text/event-stream; charset=utf-8').send(lines);
}
