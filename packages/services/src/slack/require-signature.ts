import { type SlackSignature, slackSignatureOf } from '@tocsin/channels';
import { AppError } from '../app-error.ts';

/** Throws a 403 unless these headers could be of Slack; whether they are, what was sent with them says. */
export function requireSlackSignature(headers: Readonly<Record<string, unknown>>): SlackSignature {
  const signed = slackSignatureOf(headers['x-slack-signature'], headers['x-slack-request-timestamp']);
  if (signed === null) throw new AppError('slack_signature_required', 'There was no signature of Slack.');
  return signed;
}
