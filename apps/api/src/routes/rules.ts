import {
  backtestRule,
  createRule,
  deleteRule,
  disableRule,
  enableRule,
  explainRule,
  getRule,
  getRuleByKey,
  listEvaluations,
  listRuleCosts,
  listRules,
  previewRule,
  putRuleByKey,
  testDraft,
  testRule,
  updateRule,
} from '@tocsin/services';
import type { FastifyInstance } from 'fastify';
import { hungUp } from '../http/hung-up.ts';
import { bodyOf, ifMatchOf, noBodyOf, paramOf, type VerbRoute } from '../http/verb-route.ts';

/** A preview reads and plays a month in seconds. */
const withProgress = <Input extends object>(input: Input, progress: (share: number) => void): Input => ({ ...input, progress });

export function ruleRoutes(app: FastifyInstance, route: VerbRoute): void {
  app.post('/rules', route(createRule, { status: 201, input: (request) => ({ body: bodyOf(request) }) }));
  app.get('/rules', route(listRules, { input: (request) => ({ query: request.query }) }));
  app.get('/rules/costs', route(listRuleCosts, { input: (request) => ({ query: request.query }) }));
  app.get('/rules/:id', route(getRule, { input: (request) => ({ id: paramOf(request, 'id') }) }));
  app.patch(
    '/rules/:id',
    route(updateRule, {
      input: (request) => ({ id: paramOf(request, 'id'), body: bodyOf(request), ifMatch: ifMatchOf(request) }),
    }),
  );
  app.delete('/rules/:id', route(deleteRule, { input: (request) => ({ id: paramOf(request, 'id'), ifMatch: ifMatchOf(request) }) }));
  app.post('/rules/:id/enable', route(enableRule, { input: (request) => ({ id: paramOf(request, 'id'), body: noBodyOf(request) }) }));
  app.post('/rules/:id/disable', route(disableRule, { input: (request) => ({ id: paramOf(request, 'id'), body: noBodyOf(request) }) }));
  app.get('/rules/:id/evaluations', route(listEvaluations, { input: (request) => ({ id: paramOf(request, 'id'), query: request.query }) }));
  app.get(
    '/rules/:id/explain',
    route(explainRule, {
      input: (request, reply) => ({ id: paramOf(request, 'id'), query: request.query, signal: hungUp(reply) }),
    }),
  );
  app.post(
    '/rules/test',
    route(testDraft, {
      input: (request, reply) => ({ body: bodyOf(request), query: request.query, signal: hungUp(reply) }),
    }),
  );
  app.post(
    '/rules/:id/test',
    route(testRule, {
      input: (request, reply) => ({
        id: paramOf(request, 'id'),
        body: noBodyOf(request),
        query: request.query,
        signal: hungUp(reply),
      }),
    }),
  );
  app.post(
    '/rules/preview',
    route(previewRule, { input: (request, reply) => ({ body: bodyOf(request), signal: hungUp(reply) }), withProgress }),
  );
  app.post(
    '/rules/:id/backtest',
    route(backtestRule, {
      input: (request, reply) => ({ id: paramOf(request, 'id'), body: bodyOf(request), signal: hungUp(reply) }),
      withProgress,
    }),
  );
  app.get('/rules/by-key/:key', route(getRuleByKey, { input: (request) => ({ key: paramOf(request, 'key') }) }));
  app.put(
    '/rules/by-key/:key',
    route(putRuleByKey, {
      input: (request) => ({ key: paramOf(request, 'key'), body: bodyOf(request), ifMatch: ifMatchOf(request) }),
      answer: ({ isNew, rule }) => ({ status: isNew ? 201 : 200, body: rule }),
    }),
  );
}
