import ipaddr from 'ipaddr.js';
import { z } from 'zod';

/** The variables processes share. A process's own schema is `z.object({ databaseUrl, port, … })`, its keys as named here. */

const urlOf = (...schemes: readonly string[]) =>
  z
    .string()
    .refine(
      (text) => URL.canParse(text) && schemes.includes(new URL(text).protocol.slice(0, -1)),
      `a URL beginning with ${schemes.join('://, ')}://`,
    );

export const databaseUrl = urlOf('postgres', 'postgresql');
export const adminDatabaseUrl = urlOf('postgres', 'postgresql');
export const queueUrl = urlOf('redis', 'rediss', 'postgres', 'postgresql');

/** Seals channels' secrets. Losing it loses them. */
export const secretKey = z.string().min(32, 'at least 32 characters');
/** Creates tenants and opens the operator's pages. */
export const adminKey = z.string().min(16, 'at least 16 characters');

/** Lets an outside cron run what is due. */
export const schedulerSecret = z.string().min(32, 'at least 32 characters');
/** Who claims slots: the schedulers, or whoever calls the API from outside. */
export const scheduler = z.enum(['internal', 'external'], 'internal or external').default('internal');

export const host = z.string().default('127.0.0.1');
export const port = z
  .string()
  .regex(/^\d{1,5}$/, 'a port number')
  .transform(Number)
  .refine((number) => number <= 65_535, 'a port number')
  .default(8_080);
/** How people reach this installation: the links in messages. No slash at the end. */
export const publicUrl = urlOf('http', 'https').transform((text) => text.replace(/\/+$/, ''));

/** Where mail is handed in, `smtp://user:password@host:587` or `smtps://…`; or in parts, below. */
export const smtpUrl = urlOf('smtp', 'smtps').optional();
export const smtpHost = z.string().optional();
/** Default: 465 with `tls`, else 587. */
export const smtpPort = z
  .string()
  .regex(/^\d{1,5}$/, 'a port number')
  .transform(Number)
  .refine((number) => number >= 1 && number <= 65_535, 'a port number')
  .optional();
export const smtpUser = z.string().optional();
export const smtpPassword = z.string().optional();
/** Whom mail is from: an address, or `Name <address>`. */
export const smtpFrom = z.string().optional();
/** Default: `tls` with `smtps://` or on port 465, else `starttls`. */
export const smtpSecurity = z.enum(['tls', 'starttls', 'off'], 'tls, starttls or off').optional();

/** Rules and channels for every tenant: a path, or `none`. Absent: the checkout's own file. */
export const rulesFile = z.string().optional();

const flag = z.enum(['true', 'false'], 'true or false').transform((text) => text === 'true');

/** Whether the installation keeps a tenant of its own, with rules over its own measurements. */
export const selfWatch = flag.default(true);

/** Whether messages may leave over plain http. */
export const allowHttp = flag.default(false);
/** Networks, otherwise refused, that messages may go to: comma-separated CIDRs. */
export const allowCidrs = z
  .string()
  .transform((text) => text.split(',').map((part) => part.trim()))
  .refine((parts) => parts.every((part) => ipaddr.isValidCIDR(part)), 'CIDRs separated by commas, such as 10.0.0.0/8')
  .default([]);
/** Ports messages may go to on public addresses; in networks named by `allowCidrs` any will do. */
export const allowPorts = z
  .string()
  .transform((text) => text.split(',').map(Number))
  .refine(
    (ports) => ports.every((number) => Number.isInteger(number) && number > 0 && number <= 65_535),
    'port numbers separated by commas',
  )
  .default([80, 443, 8_443]);

export const logLevel = z
  .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], 'trace, debug, info, warn, error, fatal or silent')
  .default('info');
