import { expect, test } from 'vitest';
import { comparison, ruleOf } from '../test/a-rule.ts';
import { answers, replayOf } from '../test/replay.ts';

test('of more series than are judged only what is not well is remembered, in a preview as it is live', () => {
  const rule = ruleOf({ condition: comparison({ threshold: 500 }), groupBy: ['model'], maxSeries: 2, noData: 'ok', cooldown: '0s' });
  const { series } = replayOf(rule, [
    answers(
      { labels: { model: 'a' }, values: [900, 576] },
      // judged beside `a` and well, while `c` is left out: were it remembered, it would take the place of `c` when it is gone
      { labels: { model: 'b' }, values: [445, null] },
      { labels: { model: 'c' }, values: [419, 421] },
    ),
  ]);
  const judged = series.map(({ seriesKey, points }) => [seriesKey, points.map(({ value, reason }) => `${value} ${reason}`)]);
  expect(judged).toEqual([
    ['{"model":"a"}', ['900 fired', '576 still_firing']],
    ['{"model":"b"}', ['445 clear']],
    ['{"model":"c"}', ['421 clear']],
  ]);
});
