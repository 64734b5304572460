import { formatDuration } from './duration.ts';
import { formatValue } from './format-value.ts';
import type { Origin } from './origin.ts';

/** Where a threshold came from, or a value, in one sentence without its full stop. `unit` is that of the value. */
export function originWords(origin: Origin, unit: string | null): string {
  const value = (number: number): string => formatValue(number, unit);
  switch (origin.kind) {
    case 'baseline': {
      const hours = { hourOfDay: 'at this hour of the day', hourOfWeek: 'at this hour of the week', none: 'at any hour' }[origin.season];
      const floor = origin.floor === null ? '' : `, floor ${value(origin.floor)}`;
      return `${origin.statistic === 'avg' ? 'the average' : 'the median'} ${hours} is ${value(origin.baseline)}, times ${origin.multiplier}${floor}`;
    }
    case 'change': {
      const before = origin.versus === 'previous' ? 'in the window before' : `${origin.versus} before`;
      const changed =
        origin.percent === null ? 'from nothing' : `${formatValue(origin.percent, 'percent')} ${origin.percent < 0 ? 'less' : 'more'}`;
      return `it was ${value(origin.base)} ${before}: ${changed.replace('-', '')}`;
    }
    case 'anomaly': {
      const away =
        origin.score === null
          ? 'never seen before'
          : `${formatValue(Math.abs(origin.score), null)} spreads ${origin.score < 0 ? 'below' : 'above'}`;
      const tested = origin.testedError === null ? '' : `; the model was ${value(origin.testedError)} off when it was tried`;
      return `${value(origin.expected)} is usual, give or take ${value(origin.spread)}: ${away}${tested}`;
    }
    case 'forecast': {
      const rate = `${value(origin.now)} now, changing by ${value(origin.slopePerHour)} an hour`;
      const when = origin.crossesAt === null ? `not within ${formatDuration(origin.withinMs)}` : `crosses at ${origin.crossesAt}`;
      return `${rate}: ${when} (confidence ${formatValue(origin.confidence * 100, 'percent')})`;
    }
    case 'budget': {
      const over = origin.overrunAt === null ? 'it will last the period' : `all is spent at ${origin.overrunAt} if it goes on so`;
      return `${formatValue(origin.spent, 'percent')} of ${value(origin.amount)} spent since ${origin.periodFrom}; ${over}`;
    }
    case 'ratio': {
      const bound = origin.bound === 'wilson95' ? ', counted as its certain part (Wilson, 95 %)' : '';
      return `${formatValue(origin.numerator, null)} of ${formatValue(origin.denominator, null)}, ${value(origin.share)}${bound}`;
    }
    case 'anomaly_severity': {
      const away = origin.score === null ? 'never seen before' : `${formatValue(Math.abs(origin.score), null)} spreads away`;
      return `${formatValue(origin.now, null)} where ${formatValue(origin.expected, null)} is usual: ${away}`;
    }
  }
}
