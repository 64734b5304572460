/** Every channel there is, with a configuration to test it by. A new channel joins by a line here. */
export const EXAMPLES: Record<string, Record<string, unknown>> = {
  webhook: {
    url: 'https://receiver.example/hook',
    secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    headers: { authorization: 'Bearer s3cret-of-the-tenant' },
  },
  slack: { webhookUrl: 'https://hooks.slack.example/services/T000/B000/s3cretpath24characterslong' },
  email: {
    to: ['ops@example.com'],
    from: 'alerts@example.com',
    smtpHost: 'mail.example.com',
    smtpUser: 'u',
    smtpPassword: 's3cret-of-the-mailer',
  },
  pagerduty: { routingKey: 's3cretkeyofthirtytwocharacters12' },
  opsgenie: { apiKey: 's3cret-of-the-integration', team: 'payments' },
  teams: { webhookUrl: 'https://prod.logic.example/workflows/0/triggers/manual/paths/invoke?sig=s3cretsignature24characters' },
  discord: { webhookUrl: 'https://discord.example/api/webhooks/100/s3cret-token-of-the-webhook' },
  telegram: { botToken: '123456789:AAE-s3crettokenofthirtyfivecharacters', chatId: '-1001234567890' },
  ntfy: { topic: 's3cret-topic', token: 'tk_s3cretaccesstoken', serverUrl: 'https://push.example' },
  'google-chat': { webhookUrl: 'https://chat.example/v1/spaces/A/messages?key=AIzas3cretkey&token=s3crettoken24characters' },
  mattermost: { webhookUrl: 'https://mattermost.example/hooks/s3crethook26characterslong', channel: 'on-call' },
  inbox: {},
  log: {},
};
