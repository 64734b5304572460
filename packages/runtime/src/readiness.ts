/** What a process depends on, each `ok` or what is wrong with it in words fit for anyone. */
export type DependencyChecks = Readonly<Record<string, () => Promise<void>>>;

export interface Readiness {
  ready: boolean;
  checks: Record<string, string>;
}

const CHECK_TIMEOUT_MS = 3_000;

/** Asks all dependencies at once; one that has not answered after 3 s is `timeout`. Never rejects. */
export async function checkReadiness(dependencies: DependencyChecks): Promise<Readiness> {
  const answers = await Promise.all(Object.entries(dependencies).map(async ([name, check]) => [name, await answerOf(check)] as const));
  return { ready: answers.every(([, answer]) => answer === 'ok'), checks: Object.fromEntries(answers) };
}

async function answerOf(check: () => Promise<void>): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(resolve, CHECK_TIMEOUT_MS, 'timeout');
  });
  // An error's words may hold addresses and names of the inside; the log has them.
  const answer = check().then(
    () => 'ok',
    () => 'unavailable',
  );
  return Promise.race([answer, late]).finally(() => clearTimeout(timer));
}
