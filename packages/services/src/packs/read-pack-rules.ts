import type { RuleBounds } from '@tocsin/domain';
import { readShippedRule } from '../rules/read-rule-body.ts';
import type { FileFaults } from './file-faults.ts';
import type { PackRule } from './pack.ts';

/** The rules of a file, in the words of a request; what is wrong with them goes into `faults`. */
export function readPackRules(written: readonly unknown[], bounds: RuleBounds, faults: FileFaults): PackRule[] {
  const seen = new Map<string, number>();
  return written.flatMap((input, index) => {
    const at = `/rules/${index}`;
    const read = faults.attempt(at, () => readShippedRule(input, bounds));
    if (read === null) return [];
    const { spec, enabled = true } = read;
    const earlier = seen.get(spec.key);
    if (earlier !== undefined) {
      faults.add(`${at}/key`, 'duplicate', `the rule /rules/${earlier} has the key '${spec.key}' already`);
      return [];
    }
    seen.set(spec.key, index);
    return [{ spec, enabled }];
  });
}
