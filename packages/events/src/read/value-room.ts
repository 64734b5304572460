/** Arrays to gather values in, by the power of two they hold: one of some kilobytes for every percentile of every tenant is a lot to collect. */
const free: Float64Array[][] = Array.from({ length: 32 }, () => []);
/** A series of a large group-by has few values. */
const SMALLEST = 3;
/** What is kept for the next ones, in values. */
const MAX_FREE = 4_000_000;
let freeValues = 0;

/** Room for `count` values at least, with anything in it. */
export function takeRoom(count: number): Float64Array {
  const power = Math.max(SMALLEST, 32 - Math.clz32(count - 1));
  const room = free[power]!.pop();
  if (room === undefined) return new Float64Array(2 ** power);
  freeValues -= room.length;
  return room;
}

/** For `takeRoom` to hand out again. */
export function giveRoom(room: Float64Array): void {
  if (room.length === 0 || freeValues + room.length > MAX_FREE) return;
  freeValues += room.length;
  free[31 - Math.clz32(room.length)]!.push(room);
}
