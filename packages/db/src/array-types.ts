import type postgres from 'postgres';
import { epochMsOf, instantText } from './postgres-types.ts';

/**
 * How arrays come and go. postgres.js would ask each new connection for their types, and a connection that dies over that question ends the
 * whole process with a rejection nobody can catch; so the ones in use are named here (`pg_type.typarray`), and it is told not to ask.
 */
export const arrayTypes: Record<string, postgres.PostgresType> = {
  bools: arrayType(1000, (text) => text === 't', plain),
  int2s: arrayType(1005, Number, plain),
  int4s: arrayType(1007, Number, plain),
  texts: arrayType(1009, String, quoted),
  int8s: arrayType(1016, Number, plain),
  float8s: arrayType(1022, Number, plain),
  timestamptzs: arrayType(1185, epochMsOf, (value) => quoted(typeof value === 'number' ? instantText(value) : value)),
  uuids: arrayType(2951, String, quoted),
};

function arrayType(oid: number, parse: (text: string) => unknown, literal: (value: unknown) => string): postgres.PostgresType {
  return {
    to: oid,
    from: [oid],
    parse: (text: string) => elementsOf(text).map((element) => (element === null ? null : parse(element))),
    // Text is taken to be an array's literal already.
    serialize: (values: unknown) =>
      Array.isArray(values) ? `{${values.map((value) => (value === null ? 'null' : literal(value))).join(',')}}` : values,
  };
}

function plain(value: unknown): string {
  return String(value);
}

function quoted(value: unknown): string {
  return `"${String(value).replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

// An element in quotes, where a backslash escapes, or one without: https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO
const ELEMENT = /"((?:[^"\\]|\\.)*)"|([^{},]+)/gs;

/** The elements of a one-dimensional array as the server writes it. */
function elementsOf(text: string): (string | null)[] {
  return [...text.matchAll(ELEMENT)].map(([, inQuotes, bare]) => {
    if (inQuotes !== undefined) return inQuotes.replaceAll(/\\(.)/gs, '$1');
    return bare === 'NULL' || bare === undefined ? null : bare;
  });
}
