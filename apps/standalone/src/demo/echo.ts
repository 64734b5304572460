/** A message as it arrived at the built-in receiver. */
export interface EchoMessage {
  receivedAt: string;
  headers: Record<string, string>;
  body: unknown;
}

const KEPT = 50;

/** A receiver that keeps the last messages, newest first, so that a newcomer sees what a real one would get. */
export function openEcho() {
  const messages: EchoMessage[] = [];
  return {
    take: (message: EchoMessage): void => {
      messages.unshift(message);
      messages.length = Math.min(messages.length, KEPT);
    },
    last: (): readonly EchoMessage[] => messages,
  };
}

export type Echo = ReturnType<typeof openEcho>;
