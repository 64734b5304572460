/** What the codes mean that a delivery or an attempt ends with. */
const WORDS: Readonly<Record<string, string>> = {
  // it waits
  digest: 'it waits for the digest of the channel',
  quiet_hours: 'it waits for the end of the quiet hours of the channel',
  // nothing was sent
  below_min_severity: 'the channel hears of more severe alerts only',
  channel_disabled: 'the channel is switched off',
  channel_missing: 'there is no such channel any more',
  folded: 'it is told with others, in one message',
  log_level: 'lines of this level are not written by this installation',
  never_told: 'the channel was not told that the alert began, so it is not told that it ended',
  shadow: 'the rule is on trial and tells nobody',
  smtp_not_configured: 'neither the channel nor the installation has a mail server',
  // no answer came
  aborted: 'it was given up by a shutdown of ours; it is sent again',
  bad_response: 'what the receiver answered is not what it should be, or broke off',
  blocked_address: 'the address is in a network that messages may not go to',
  connect: 'no connection could be made',
  dns: 'the name of the receiver could not be resolved',
  invalid_request: 'it is no request that could be sent',
  redirect: 'the receiver answered with a redirect, which is not followed',
  smtp_auth: 'the mail server offers no way to log in',
  timeout: 'the receiver did not answer in time',
  tls: 'the certificate of the receiver is not valid',
  too_large: 'the answer of the receiver was too long',
  url_not_allowed: 'the address is none that messages may go to',
  // given up
  attempts_exhausted: 'every attempt that is allowed has failed',
  expired: 'it could not be sent within a day of its trigger',
  // ours
  config_invalid: 'the configuration of the channel is not valid',
  secrets_unreadable: 'the secrets of the channel were sealed with another key',
  unknown_kind: 'this version knows no channel of its kind',
  unplannable: 'it could not be made ready for sending',
  unrenderable: 'it could not be put into words',
};

const STATUS_WORDS: Readonly<Record<number, string>> = {
  400: 'the request is not understood',
  401: 'the credentials are missing or wrong',
  403: 'the credentials do not suffice',
  404: 'there is nothing at this address',
  408: 'it waited too long for the request',
  410: 'it is gone for good',
  413: 'the message is too long',
  422: 'the message is not accepted',
  429: 'it is asked too often',
  500: 'it failed',
  502: 'what is behind it does not answer',
  503: 'it is not available',
  504: 'what is behind it does not answer in time',
};

/** A reason of a delivery or an attempt, in words. A code that is not known here is its own word. */
export function deliveryReasonWords(reason: string): string {
  const words = WORDS[reason];
  if (words !== undefined) return words;
  const [, kind, said] = /^(smtp|slack)_(\w+)$/.exec(reason) ?? [];
  if (said !== undefined) return `${kind === 'smtp' ? 'the mail server' : 'Slack'} answered ${said.replaceAll('_', ' ')}`;
  const status = /^http_(\d{3})$/.exec(reason)?.[1];
  if (status === undefined) return reason.replaceAll('_', ' ');
  const meaning = STATUS_WORDS[Number(status)];
  return `the receiver answered ${status}${meaning === undefined ? '' : `: ${meaning}`}`;
}
