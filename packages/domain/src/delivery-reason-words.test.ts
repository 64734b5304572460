import { expect, test } from 'vitest';
import { deliveryReasonWords } from './delivery-reason-words.ts';

test.each([
  ['http_503', 'the receiver answered 503: it is not available'],
  ['http_418', 'the receiver answered 418'],
  ['expired', 'it could not be sent within a day of its trigger'],
  ['folded', 'it is told with others, in one message'],
  ['quiet_hours', 'it waits for the end of the quiet hours of the channel'],
  ['smtp_550', 'the mail server answered 550'],
  ['smtp_not_configured', 'neither the channel nor the installation has a mail server'],
  ['slack_channel_not_found', 'Slack answered channel not found'],
  ['something_new', 'something new'],
])('%s: %s', (reason, words) => {
  expect(deliveryReasonWords(reason)).toBe(words);
});
