import { CannotStart } from '@tocsin/runtime';
import { isNode, LineCounter, parseDocument } from 'yaml';

/** A file's content, and where in it a JSON pointer lies. */
export interface YamlText {
  value: unknown;
  /** Of the nearest place there is, for what is missing; from 1. */
  lineOf: (pointer: string) => number;
}

/** YAML 1.2; a key that is given twice is an error. Throws CannotStart with the file, the line and what is wrong. */
export function readYaml(text: string, file: string): YamlText {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [error] = document.errors;
  if (error !== undefined) throw new CannotStart(`${file}, line ${lines.linePos(error.pos[0]).line}: not YAML: ${error.message}`);

  const lineOf = (pointer: string): number => {
    const path = pointer.split('/').slice(1);
    for (let depth = path.length; depth >= 0; depth -= 1) {
      const keys = path.slice(0, depth).map((key) => (/^\d+$/.test(key) ? Number(key) : key.replaceAll('~1', '/').replaceAll('~0', '~')));
      const node = depth === 0 ? document.contents : document.getIn(keys, true);
      if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
    }
    return 1;
  };
  return { value: document.toJS(), lineOf };
}
