const { NODE_ENV, TOCSIN_FAULT_POINT, TOCSIN_FAULT_SIGNAL } = process.env;

/**
 * Marks a place where a test kills the process with SIGKILL, as a crash would. `TOCSIN_FAULT_POINT=name` dies at the
 * first passage, `name:3` at the third; `TOCSIN_FAULT_SIGNAL=SIGSTOP` holds it up there instead. Anywhere but under
 * `NODE_ENV=test` it is an empty function.
 */
export const faultPoint: (name: string) => void =
  NODE_ENV === 'test' && TOCSIN_FAULT_POINT !== undefined ? killerAt(TOCSIN_FAULT_POINT) : () => undefined;

function killerAt(setting: string): (name: string) => void {
  const [wanted, nth = '1'] = setting.split(':');
  let passagesLeft = Number(nth);
  return (name) => {
    if (name !== wanted) return;
    passagesLeft -= 1;
    if (passagesLeft === 0) process.kill(process.pid, TOCSIN_FAULT_SIGNAL ?? 'SIGKILL');
  };
}
