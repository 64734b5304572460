import type { FastifyInstance } from 'fastify';
import { join } from 'node:path';
import { z } from 'zod';
import { readJson, writePrivateJson } from './private-file.ts';

const Credentials = z.strictObject({ url: z.string(), tenantId: z.string(), apiKey: z.string(), schedulerSecret: z.string() });
export type Credentials = z.infer<typeof Credentials>;

export interface FirstTenantOptions {
  app: FastifyInstance;
  adminKey: string;
  schedulerSecret: string;
  url: string;
  dataDir: string;
}

const EXTERNAL_KEY = 'default';

export const credentialsPath = (dataDir: string): string => join(dataDir, 'credentials.json');

/** Makes the tenant and key a newcomer starts with, and keeps them in `credentials.json`. A key that still works is kept. */
export async function firstTenant({ app, adminKey, schedulerSecret, url, dataDir }: FirstTenantOptions): Promise<Credentials> {
  const path = credentialsPath(dataDir);
  const kept = Credentials.safeParse(readKept(path));
  if (kept.success && (await works(app, kept.data.apiKey))) {
    const credentials = { ...kept.data, url, schedulerSecret };
    writePrivateJson(path, credentials);
    return credentials;
  }
  const tenantId = await defaultTenant(app, adminKey);
  const { key: apiKey } = await ask<{ key: string }>(app, adminKey, 'POST', `/api/v1/tenants/${tenantId}/api-keys`, {
    name: 'first start',
    role: 'admin',
  });
  const credentials = { url, tenantId, apiKey, schedulerSecret };
  writePrivateJson(path, credentials);
  return credentials;
}

/** Damaged credentials are like none: another key is made. */
function readKept(path: string): unknown {
  try {
    return readJson(path);
  } catch {
    return null;
  }
}

async function works(app: FastifyInstance, apiKey: string): Promise<boolean> {
  const answer = await app.inject({ method: 'GET', url: '/api/v1/schedule', headers: { authorization: `Bearer ${apiKey}` } });
  return answer.statusCode === 200;
}

async function defaultTenant(app: FastifyInstance, adminKey: string): Promise<string> {
  const { data } = await ask<{ data: { id: string; externalKey: string }[] }>(app, adminKey, 'GET', '/api/v1/tenants?limit=200');
  const existing = data.find((tenant) => tenant.externalKey === EXTERNAL_KEY);
  if (existing !== undefined) return existing.id;
  const made = await ask<{ id: string }>(app, adminKey, 'POST', '/api/v1/tenants', { name: 'Default', externalKey: EXTERNAL_KEY });
  return made.id;
}

async function ask<Body>(app: FastifyInstance, key: string, method: 'GET' | 'POST', url: string, payload?: object): Promise<Body> {
  const answer = await app.inject({
    method,
    url,
    headers: { authorization: `Bearer ${key}` },
    ...(payload === undefined ? {} : { payload }),
  });
  if (answer.statusCode >= 300) throw new Error(`${method} ${url}: ${answer.statusCode} ${answer.body}`);
  return answer.json<Body>();
}
