import { readFileSync } from 'node:fs';
import autocannon from 'autocannon';

/** A process of its own, so that the load it makes does not wait for what it measures. Prints its figures as JSON. */
const { url, keys, bodyFile, seconds, connections } = JSON.parse(process.argv[2]!) as {
  url: string;
  keys: string[];
  bodyFile: string;
  seconds: number;
  connections: number;
};
const body = readFileSync(bodyFile);
const result = await autocannon({
  url,
  connections,
  duration: seconds,
  requests: keys.map((key) => ({
    method: 'POST',
    path: '/api/v1/events',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body,
  })),
});
console.log(JSON.stringify({ accepted: result['2xx'], refused: result.non2xx + result.errors, seconds: result.duration, p50: result.latency.p50, p99: result.latency.p99 }));
