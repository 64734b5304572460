import { readFileSync } from 'node:fs';
import { connect } from 'node:net';

/**
 * A process of its own, so that the load it makes does not wait for what it measures, and a lean one, because it shares the cores with it:
 * each connection writes a whole request that was put together before, and reads as far as the answer's end. Prints its figures as JSON.
 */
const { port, keys, bodyFile, seconds, connections } = JSON.parse(process.argv[2]!) as {
  port: number;
  keys: string[];
  bodyFile: string;
  seconds: number;
  connections: number;
};
const body = readFileSync(bodyFile);
const requests = keys.map((key) =>
  Buffer.concat([
    Buffer.from(
      `POST /api/v1/events HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\nauthorization: Bearer ${key}\r\ncontent-length: ${body.length}\r\n\r\n`,
    ),
    body,
  ]),
);
const latencies: number[] = [];
let refused = 0;
const started = performance.now();
const isOver = (): boolean => performance.now() - started > seconds * 1_000;

function keepSending(at: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let turn = at;
    let sentAt = 0;
    let answer = '';
    const send = (): void => {
      answer = '';
      sentAt = performance.now();
      socket.write(requests[turn++ % requests.length]!);
    };
    socket.on('connect', send);
    socket.on('error', reject);
    socket.on('close', resolve);
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
      if (!isWhole(answer)) return;
      if (answer.startsWith('HTTP/1.1 202')) latencies.push(performance.now() - sentAt);
      else refused++;
      if (isOver()) socket.end();
      else send();
    });
  });
}

function isWhole(answer: string): boolean {
  const headersEnd = answer.indexOf('\r\n\r\n');
  const length = /\r\ncontent-length: (\d+)/i.exec(answer)?.[1];
  return headersEnd >= 0 && length !== undefined && answer.length >= headersEnd + 4 + Number(length);
}

await Promise.all(Array.from({ length: connections }, (_, at) => keepSending(at)));
latencies.sort((a, b) => a - b);
const quantile = (share: number): number => latencies[Math.floor(share * (latencies.length - 1))] ?? 0;
console.log(
  JSON.stringify({
    accepted: latencies.length,
    refused,
    seconds: (performance.now() - started) / 1_000,
    p50: quantile(0.5),
    p99: quantile(0.99),
  }),
);
