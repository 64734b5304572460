#!/usr/bin/env node
// Runs a script of the workspace on a machine that has only Node >= 18 and npm: installs the pinned toolchain when it is
// missing or out of date, then hands over to the pinned Node. No dependencies, and only syntax an old Node reads.
//
//   node tooling/bootstrap.mjs <script> [arguments…]
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join, parse, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const bin = join(root, 'node_modules', '.bin');
const stamp = join(root, 'node_modules', '.tocsin-installed');
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const env = {
  // Patient with a network that stumbles, but not for the minutes of npm's defaults with one that is not there.
  npm_config_fetch_retry_mintimeout: '2000',
  npm_config_fetch_retry_maxtimeout: '10000',
  ...process.env,
  PATH: bin + delimiter + process.env.PATH,
  // The versions are pinned: no word about newer ones.
  npm_config_update_notifier: 'false',
  pnpm_config_update_notifier: 'false',
  TURBO_TELEMETRY_DISABLED: '1',
  DO_NOT_TRACK: '1',
};

const [script, ...args] = process.argv.slice(2);
if (script === undefined) fail('usage: node tooling/bootstrap.mjs <script> [arguments…]');
if (major(process.versions.node) < 18)
  fail(`Node ${process.versions.node} is too old: install Node 20 or newer, it fetches the one Tocsin runs on.`);

await ensureInstalled();
process.exit(await handOver());

async function ensureInstalled() {
  const wanted = installKey();
  // What is installed holds absolute paths, and pnpm does not look at them again.
  if (leadsElsewhere(join(bin, 'node'))) rmSync(join(root, 'node_modules'), { recursive: true });
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  // Gone before the install begins and back when it has ended, so an interrupted one is repeated.
  rmSync(stamp, { force: true });
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  console.error(`Installing Tocsin's packages with ${packageManager}, once: some 200 MB to download, 700 MB on disk …`);
  const started = Date.now();
  // From outside the workspace, where npx finds no half-installed pnpm to prefer over a whole one.
  const install = ['--yes', packageManager, '--dir', root, 'install', '--frozen-lockfile', '--config.confirm-modules-purge=false'];
  const code = await run('npx', install, { cwd: parse(root).root, stdio: 'inherit', env });
  const again = 'Run the same command again and it goes on where it stopped.';
  if (code >= 128) {
    console.error(`\nInterrupted. ${again}`);
    process.exit(code);
  }
  if (code !== 0) {
    fail(
      'The install did not finish; the reason is above. Most often there is no way to the npm registry from here (no network, ' +
        `or a proxy npm does not know of: npm config set proxy), or no room on the disk. ${again}`,
    );
  }
  writeFileSync(stamp, wanted);
  console.error(`Installed in ${Math.round((Date.now() - started) / 1000)} s.`);
}

/** Whether a link still leads to where the checkout was before it was moved or copied. */
function leadsElsewhere(path) {
  const isLink = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
  return isLink && relative(root, resolve(dirname(path), readlinkSync(path))).startsWith('..');
}

/** Changes whenever another install could differ from the one that is there. */
function installKey() {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}`);
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml']) hash.update(readFileSync(join(root, file)));
  return hash.digest('hex');
}

function handOver() {
  const preload = pathToFileURL(join(root, 'tooling', 'end-with-parent.mjs')).href;
  return run(node(), ['--import', preload, resolve(root, script), ...args], {
    cwd: root,
    stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
    env: { ...env, TOCSIN_PARENT_FD: '3' },
  });
}

/** The pinned Node, or this machine's where npm has none for the platform and this one runs TypeScript by itself. */
function node() {
  const pinned = join(bin, 'node');
  if (existsSync(pinned) && spawnSync(pinned, ['--version'], { stdio: 'ignore' }).status === 0) return pinned;
  if (major(process.versions.node) < 24) {
    fail(
      `npm has no Node for ${process.platform} ${process.arch}, and Node ${process.versions.node} cannot run Tocsin: install Node 24 or newer.`,
    );
  }
  return process.execPath;
}

/** The exit code of the command. A Ctrl-C at the terminal reaches it without our help; any other signal is passed on. */
function run(command, commandArgs, options) {
  return new Promise((settle) => {
    const child = spawn(command, commandArgs, options);
    const pass = (signal) => {
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    };
    for (const signal of SIGNALS) process.on(signal, pass);
    // An npm that is killed outright can pass nothing on; what it had started must not stay behind on its port.
    const startedBy = process.ppid;
    const watch = setInterval(() => {
      if (process.env.npm_lifecycle_event === undefined || process.ppid === startedBy) return;
      clearInterval(watch);
      child.kill('SIGTERM');
    }, 500);
    const end = (code) => {
      clearInterval(watch);
      for (const signal of SIGNALS) process.off(signal, pass);
      settle(code);
    };
    child.once('error', (error) => {
      console.error(error.code === 'ENOENT' ? `${command} is not on the PATH; it comes with Node and npm.` : error.message);
      end(1);
    });
    child.once('exit', (code, signal) => end(code ?? 128 + constants.signals[signal]));
  });
}

function major(version) {
  return Number(version.split('.')[0]);
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
