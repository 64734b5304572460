import { openTurns } from '@tocsin/runtime';
import { answerSlack, AppError, requireSlackSignature, type Services } from '@tocsin/services';
import type { FastifyInstance } from 'fastify';
import { paramOf } from '../http/verb-route.ts';

/** A press comes with the whole message it is of. */
const BODY_MAX = 256 * 1_024;
/** Signatures nobody has seen to be right share this much of the database. */
const STRANGERS = { atOnce: 4, waiting: 200, retryAfterMs: 1_000 };

/** Buttons and the command of Slack apps. Whoever is not Slack is refused: by headers before the body is read, by the signature before it is looked at. */
export function slackRoutes(app: FastifyInstance, services: Services): void {
  const turns = openTurns(STRANGERS.atOnce);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.post('/tenants/:tenantId/channels/:channelId/slack', {
    config: { permission: 'signature' },
    bodyLimit: BODY_MAX,
    onRequest: async ({ headers }) => void requireSlackSignature(headers),
    handler: async (request, reply) => {
      if (turns.waiting() >= STRANGERS.waiting)
        throw new AppError('too_many_requests', 'Too much is being sent at once.', { retryAfterMs: STRANGERS.retryAfterMs });
      const [tenantId, channelId] = [paramOf(request, 'tenantId'), paramOf(request, 'channelId')];
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      const text = await turns.through(() =>
        answerSlack(services, { tenantId, channelId, signed: requireSlackSignature(request.headers), body }),
      );
      return text === null ? reply.send() : reply.send({ response_type: 'ephemeral', text });
    },
  });
}
