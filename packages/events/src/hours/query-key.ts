import type { MetricQuery } from '@tocsin/domain';
import { createHash } from 'node:crypto';

/** Part of every key: a body of another layout or meaning has another key. */
const BODY_VERSION = 1;

interface Keys {
  partial: string;
  history: string;
}

/** A rule's query is asked again and again, so its keys are kept with it. */
const keysByQuery = new WeakMap<MetricQuery, Keys>();

/** Names the sums of an hour: equal for queries that differ in window and aggregation alone. */
export const partialKey = (query: MetricQuery): string => keysOf(query).partial;

/** Names what a query was worth at the steps of an hour. */
export const historyKey = (query: MetricQuery): string => keysOf(query).history;

function keysOf(query: MetricQuery): Keys {
  let keys = keysByQuery.get(query);
  if (keys === undefined) {
    const { name, filters, subject, groupBy, aggregation, windowMs, ratePerMs } = query;
    const events = [name, filters, subject, groupBy];
    keys = {
      partial: digest(['partial', ...events]),
      history: digest(['history', ...events, aggregation, windowMs, aggregation === 'rate' ? ratePerMs : null]),
    };
    keysByQuery.set(query, keys);
  }
  return keys;
}

const digest = (words: readonly unknown[]): string =>
  createHash('sha256')
    .update(JSON.stringify([BODY_VERSION, ...words]))
    .digest('hex')
    .slice(0, 32);
