import { escapeSlack } from '@tocsin/channels';
import { AppError } from '../app-error.ts';

/** What work says, in mrkdwn, or why it could not be done, in the words the API has for that. What is our fault is thrown on. */
export async function saidOf(work: () => Promise<string>): Promise<string> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof AppError) || error.status >= 500) throw error;
    return escapeSlack(error.public);
  }
}
