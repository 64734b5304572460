import { once } from 'node:events';
import { createServer } from 'node:net';

/** Whether a server could listen there now: asked first, so that a taken port is told before anything else is started. */
export async function portIsFree(host: string, port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen({ host, port, exclusive: true });
    await once(server, 'listening');
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'EADDRINUSE' || error.code === 'EACCES')) return false;
    throw error;
  } finally {
    server.close();
  }
}
