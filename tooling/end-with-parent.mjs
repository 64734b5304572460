// Preloaded by bootstrap.mjs: when the bootstrap is killed without a chance to pass a signal on, the pipe it holds open
// breaks, and this process stops as if it had been told to, instead of staying behind on its port.
import { Socket } from 'node:net';
import { isMainThread } from 'node:worker_threads';

const fd = Number(process.env['TOCSIN_PARENT_FD']);
if (isMainThread && fd > 2) {
  // Children inherit this preload but not the pipe.
  delete process.env['TOCSIN_PARENT_FD'];
  const pipe = new Socket({ fd, readable: true, writable: false });
  const stop = () => process.kill(process.pid, 'SIGTERM');
  pipe
    .on('close', stop)
    .on('error', () => {})
    .resume()
    .unref();
}
