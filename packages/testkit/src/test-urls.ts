/** Roles belong to the server, which all test databases share, so all have the same password. */
const TEST_PASSWORD = 'tocsin-test';

/** The server's superuser in this database, or the role given. */
export function testUrl(serverUrl: string, database: string, role?: 'tocsin_app' | 'tocsin_queue'): string {
  const url = new URL(serverUrl);
  url.pathname = `/${database}`;
  if (role !== undefined) {
    url.username = role;
    url.password = TEST_PASSWORD;
  }
  return url.href;
}
