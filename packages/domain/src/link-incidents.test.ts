import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { INCIDENT_ALERTS_MAX, INCIDENT_GAP_MS, linkIncidents, sharedLabels, type LinkableAlert } from './link-incidents.ts';

const at = (id: string, openedMs: number, labels: Record<string, string>, incidentId: string | null = null): LinkableAlert => ({
  id,
  openedMs,
  labels,
  incidentId,
});
const ids = () => {
  let made = 0;
  return () => `new-${(made += 1)}`;
};
const link = (opening: LinkableAlert[], alerts: LinkableAlert[] = [], incidents: { id: string; lastMs: number; alerts: number }[] = []) =>
  linkIncidents(opening, { alerts, incidents, newId: ids() });

describe('an alert that opens', () => {
  test('begins an incident with a relative that stands alone and opened just before', () => {
    const { links, incidents } = link([at('b', INCIDENT_GAP_MS, { host: 'x' })], [at('a', 0, { host: 'x', env: 'prod' })]);
    expect(links).toEqual([
      { alertId: 'a', incidentId: 'new-1' },
      { alertId: 'b', incidentId: 'new-1' },
    ]);
    expect(incidents).toEqual([{ id: 'new-1', firstMs: 0, lastMs: INCIDENT_GAP_MS, alerts: 2, isNew: true }]);
  });

  test.each([
    ['it opened too long ago', at('a', -1, { host: 'x' })],
    ['the value is another', at('a', 0, { host: 'y' })],
    ['only its rule is the same', at('a', 0, { rule: 'r', severity: 'critical' })],
    ['it has no labels', at('a', 0, {})],
  ])('stays alone where %s', (_name, other) => {
    expect(link([at('b', INCIDENT_GAP_MS, { host: 'x', rule: 'r', severity: 'critical' })], [other])).toEqual({ links: [], incidents: [] });
  });

  test('joins the oldest incident that a relative is in, counted from the last of its alerts, however old the relative', () => {
    const alerts = [at('a', 0, { host: 'x' }, 'i1'), at('b', 0, { host: 'x' }, 'i0'), at('c', 900_000, { host: 'x' })];
    const incidents = [
      { id: 'i1', lastMs: 800_000, alerts: 2 },
      { id: 'i0', lastMs: 100_000, alerts: 2 },
    ];
    const linked = link([at('d', 900_000, { host: 'x' })], alerts, incidents);
    expect(linked.links).toEqual([{ alertId: 'd', incidentId: 'i1' }]);
    expect(linked.incidents).toMatchObject([{ id: 'i1', lastMs: 900_000, alerts: 3, isNew: false }]);
  });

  test('begins another one where that is full', () => {
    const full = { id: 'i1', lastMs: 0, alerts: INCIDENT_ALERTS_MAX };
    expect(link([at('d', 0, { host: 'x' })], [at('a', 0, { host: 'x' }, 'i1')], [full]).links).toEqual([]);
  });

  test('is never moved', () => {
    expect(link([at('a', 0, { host: 'x' }, 'i1')], [at('b', 0, { host: 'x' })], [{ id: 'i1', lastMs: 0, alerts: 2 }]).links).toEqual([]);
  });
});

test('whatever opens together or one after the other, an alert is in one incident at most, and none has fewer than two', () => {
  const labels = fc.dictionary(fc.constantFrom('host', 'env', 'rule'), fc.constantFrom('x', 'y'), { maxKeys: 3 });
  fc.assert(
    fc.property(fc.array(labels, { maxLength: 12 }), (each) => {
      const alerts = each.map((own, index) => at(`a${index}`, index * 60_000, own));
      const together = link(alerts, alerts);
      let [open, incidents] = [[] as LinkableAlert[], [] as { id: string; lastMs: number; alerts: number }[]];
      const newId = ids();
      for (const alert of alerts) {
        const step = linkIncidents([alert], { alerts: [...open, alert], incidents, newId });
        const linkOf = (id: string) => step.links.find(({ alertId }) => alertId === id)?.incidentId;
        open = [...open, alert].map((one) => ({ ...one, incidentId: linkOf(one.id) ?? one.incidentId }));
        incidents = [...incidents.filter(({ id }) => !step.incidents.some((grown) => grown.id === id)), ...step.incidents];
      }
      expect(new Set(together.links.map(({ alertId }) => alertId)).size).toBe(together.links.length);
      const one = Object.fromEntries(open.flatMap(({ id, incidentId }) => (incidentId === null ? [] : [[id, incidentId]])));
      expect(incidents.every(({ alerts: count }) => count > 1)).toBe(true);
      expect(Object.values(one).length).toBe(incidents.reduce((sum, { alerts: count }) => sum + count, 0));
    }),
  );
});

test('what all have is what an incident is about', () => {
  expect(sharedLabels([{ labels: { host: 'x', env: 'prod' } }, { labels: { env: 'prod', host: 'y' } }])).toEqual({ env: 'prod' });
  expect(sharedLabels([])).toEqual({});
});
