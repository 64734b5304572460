import { Socket } from 'node:net';

const LOOKS = 7;

/**
 * A socket that is destroyed once no byte has passed for `silenceMs`: a line whose other end vanished without a word is otherwise
 * believed in until TCP gives up, a quarter of an hour later. Whoever is silent for good reasons must be so for less.
 * It counts bytes rather than listen, because drivers take all listeners off a socket when they put TLS on it.
 */
export function watchedSocket(silenceMs: number): Socket {
  const socket = new Socket();
  let passed = 0;
  let silentLooks = 0;
  const watch = setInterval(() => {
    if (socket.destroyed) return clearInterval(watch);
    const now = socket.bytesRead + socket.bytesWritten;
    silentLooks = now === passed ? silentLooks + 1 : 0;
    passed = now;
    if (silentLooks >= LOOKS) socket.destroy();
  }, silenceMs / LOOKS);
  watch.unref();
  return socket;
}
