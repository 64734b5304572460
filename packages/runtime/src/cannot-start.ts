/** A reason not to start that whoever started the process can mend. The message says what is wrong and what to do; it is told as it is, without a stack. */
export class CannotStart extends Error {
  override name = 'CannotStart';
}
