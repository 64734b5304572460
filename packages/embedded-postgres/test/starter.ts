// Another process for the tests: starts the server in the folder it is given and reports, or only idles or exits.
import { startPostgres } from '../src/index.ts';

const [what = ''] = process.argv.slice(2);
if (what === '--idle') process.send?.('idle');
else if (what !== '--exit') {
  const server = await startPostgres({ dataDir: what, port: 0 });
  process.on('message', () => void server.stop().then(() => process.exit()));
  process.send?.({ pid: server.pid });
}
if (what !== '--exit') setInterval(() => {}, 60_000);
