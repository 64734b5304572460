export interface ApiAnswer<Body = unknown> {
  status: number;
  headers: Headers;
  body: Body;
}

export interface ApiClient {
  get: <Body>(path: string) => Promise<Body>;
  post: <Body>(path: string, body?: unknown, headers?: Record<string, string>) => Promise<Body>;
  put: <Body>(path: string, body: unknown) => Promise<Body>;
  patch: <Body>(path: string, body: unknown) => Promise<Body>;
  delete: (path: string) => Promise<void>;
  /** Any status, without a throw. */
  ask: <Body>(method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<ApiAnswer<Body>>;
}

/** Speaks to a running API as a program would. The short verbs throw on anything but a 2xx, with the problem's text. */
export function apiClient(url: string, key: string): ApiClient {
  const ask = async <Body>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<ApiAnswer<Body>> => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: (text === '' ? null : JSON.parse(text)) as Body };
  };
  const must = async <Body>(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Body> => {
    const answer = await ask<Body>(method, path, body, headers);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  return {
    get: (path) => must('GET', path),
    post: (path, body, headers) => must('POST', path, body, headers),
    put: (path, body) => must('PUT', path, body),
    patch: (path, body) => must('PATCH', path, body),
    delete: async (path) => {
      await must('DELETE', path);
    },
    ask,
  };
}

/** A tenant of its own with an admin's key, made through the API. */
export async function newTenant(
  url: string,
  adminKey: string,
  externalKey: string,
): Promise<{ tenantId: string; key: string; api: ApiClient }> {
  const platform = apiClient(url, adminKey);
  const { id } = await platform.post<{ id: string }>('/api/v1/tenants', { name: externalKey, externalKey });
  const { key } = await platform.post<{ key: string }>(`/api/v1/tenants/${id}/api-keys`, { name: 'tests', role: 'admin' });
  return { tenantId: id, key, api: apiClient(url, key) };
}
