import type { MessageKind, Severity } from '@tocsin/domain';

/** A line of small print: `Since` and `2026-03-01 12:00:00 UTC`. */
export interface Fact {
  name: string;
  text: string;
}

export interface MessageLink {
  face: 'Open alert' | 'Acknowledge' | 'Silence for 1 h' | 'Runbook';
  /** Absolute http(s), without spaces, quotes, backslashes, pipes or angle brackets, of at most 2,000 characters. */
  url: string;
}

/**
 * What a message says, in words and whatever the medium: every channel for people renders from it. All texts are plain, one line each but for
 * `summary` and what is said of a group, free of control characters and of characters that turn or hide text, and NOT escaped: they hold what tenants and their programs
 * wrote, so each medium escapes and cuts them its own way.
 */
export interface Message {
  kind: MessageKind;
  severity: Severity;
  /** The alert is over. */
  isOver: boolean;
  /** One emoji, beside a word that says the same: colours and pictures are not seen by everybody. */
  icon: '🔴' | '🟠' | '🟡' | '🔵' | '⚪' | '👀' | '✅' | '🔔';
  /** `Critical`, `Critical, muted until now`, `Escalated to critical`, `Still firing`, `Resolved`, `No data`, `Test`, `Not delivered to pagers`, `Channel pagers is failing`; of a group `Critical` or `Resolved`, of one that waited `Digest · Warning` or `After quiet hours · Resolved`. */
  word: string;
  /** The rule's; of a group how many they are: `Checkout latency · 14 alerts`. */
  name: string;
  /** `p95 latency is 2,480 ms (limit > 1,000 ms)`; of one that is over, after how long, the peak, and what it is now. */
  sentence: string;
  /** The rule's own words; null: it has none. */
  summary: string | null;
  /** What is to be said beside it: which others there are, what it waited for, who was not reached, who has it, where the threshold came from, that it flaps, that more series breach. */
  remarks: string[];
  /** Eight at most, by name. */
  labels: { name: string; value: string }[];
  /** How many more there are. */
  labelsLeftOut: number;
  /** Severity where `word` is another, since when, until when and how long, window, samples, tenant. */
  facts: Fact[];
  links: MessageLink[];
  rule: { key: string; name: string };
  /** The tenant's key. */
  tenant: string;
  /** RFC 3339, UTC. */
  startedAt: string;
  /** Null while open. */
  resolvedAt: string | null;
}

/** `Critical · Checkout latency`. */
export const headline = ({ word, name }: Message): string => `${word} · ${name}`;

/** What is said beside the sentence, a paragraph each: the rule's own words first. */
export const saidBeside = ({ summary, remarks }: Message): string[] => (summary === null ? remarks : [summary, ...remarks]);

/** `Rule checkout-p95 · Checkout latency`. */
export const ruleLine = ({ rule }: Message): string => `Rule ${rule.key} · ${rule.name}`;

/** Null: its page is not known. */
export const alertUrl = ({ links }: Message): string | null => links.find(({ face }) => face === 'Open alert')?.url ?? null;

/** `model=gpt-4o, operation=chat and 2 more`; null without group-by. */
export function seriesLine({ labels, labelsLeftOut }: Message): string | null {
  if (labels.length === 0) return null;
  const pairs = labels.map(({ name, value }) => `${name}=${value}`).join(', ');
  return labelsLeftOut === 0 ? pairs : `${pairs} and ${labelsLeftOut} more`;
}
