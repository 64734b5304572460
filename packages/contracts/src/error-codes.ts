interface ErrorDefinition {
  /** HTTP status. */
  status: number;
  title: string;
  /** What to do about it; `docs/errors.md` carries the same sentence. */
  hint: string;
}

/** Every error the API can answer with. `type` of a problem is `/errors/<code>`. */
export const ERRORS = {
  bad_request: { status: 400, title: 'Bad request', hint: 'The request could not be read as HTTP. Check the client.' },
  bad_json: {
    status: 400,
    title: 'Not JSON',
    hint: 'Send UTF-8 JSON without `__proto__` or `constructor.prototype` keys, nested at most 32 deep.',
  },
  unauthenticated: {
    status: 401,
    title: 'No valid API key',
    hint: 'Send `Authorization: Bearer tk_…` with a key of the tenant. A revoked key stops working within a second.',
  },
  admin_key_required: {
    status: 401,
    title: 'The admin key is needed',
    hint: 'Send `Authorization: Bearer` with the value of `TOCSIN_ADMIN_KEY`, or that value as the password of basic authentication.',
  },
  forbidden: {
    status: 403,
    title: 'Role too low',
    hint: 'Use a key of the role the detail names. Roles: viewer < responder < editor < admin.',
  },
  scheduler_secret_required: {
    status: 403,
    title: 'The scheduler’s secret is needed',
    hint: 'Send the value of `TOCSIN_SCHEDULER_SECRET` as `x-tocsin-scheduler-secret`, or as `Authorization: Bearer`.',
  },
  link_invalid: { status: 403, title: 'Not a link of ours', hint: 'Open the link from the message, whole and unchanged.' },
  slack_signature_required: {
    status: 403,
    title: 'Not signed by Slack',
    hint: 'Slack signs what it sends here. Check the channel’s `signingSecret` and the tenant and channel in the address.',
  },
  cross_origin: {
    status: 403,
    title: 'Request from another site',
    hint: 'Changes in the queue board are accepted from its own pages only.',
  },
  not_found: { status: 404, title: 'Not found', hint: 'Check the path and the id. What belongs to another tenant does not exist for you.' },
  method_not_allowed: { status: 405, title: 'Method not allowed', hint: 'The `Allow` header lists the methods of this path.' },
  request_timeout: { status: 408, title: 'Request timeout', hint: 'Send the whole request within a minute.' },
  key_taken: {
    status: 409,
    title: 'Key already taken',
    hint: 'Keys are unique within a tenant (external keys of tenants everywhere). Choose another, or change the one there is.',
  },
  rule_in_use: {
    status: 409,
    title: 'Rule is in use',
    hint: 'Take it out of the conditions of the rules the detail names.',
  },
  rule_unreadable: {
    status: 409,
    title: 'Rule cannot be read',
    hint: 'Another version of the program stored it. Replace or delete it.',
  },
  channel_in_use: {
    status: 409,
    title: 'Channel is in use',
    hint: 'Take it out of the rules, routes, escalation policies and fallbacks the detail names, or delete it with `?force=true`.',
  },
  alert_resolved: { status: 409, title: 'Alert is over', hint: 'A resolved alert stays so; the next breach opens another.' },
  silence_over: { status: 409, title: 'Silence is over', hint: 'What has ended stays as it was. Make a new one.' },
  metric_in_use: {
    status: 409,
    title: 'Metric is in use',
    hint: 'Take it out of the rules the detail names first; `GET /metrics/definitions/{key}/rules` lists them all.',
  },
  request_in_progress: {
    status: 409,
    title: 'Same request in progress',
    hint: 'A request with this `Idempotency-Key` is being worked on. Ask again in a moment.',
  },
  not_retryable: { status: 409, title: 'Nothing to retry', hint: 'Only a dead delivery whose channel still exists can be sent again.' },
  not_rotatable: {
    status: 409,
    title: 'Nothing to exchange',
    hint: 'Only channels that sign what they send have such a secret: webhooks. Others take new credentials with `PATCH /channels/{id}`.',
  },
  alert_open: {
    status: 409,
    title: 'Alert is open, or being told',
    hint: 'Resolve it first, so that whoever heard of it hears its end. Once its messages are over it can be deleted.',
  },
  alert_archived: {
    status: 409,
    title: 'Alert is archived',
    hint: 'What ended long ago can be read and deleted, and is not changed any more.',
  },
  changed_meanwhile: { status: 409, title: 'Changed meanwhile', hint: 'Another change won. Read the resource again and repeat yours.' },
  link_over: {
    status: 410,
    title: 'The link holds no longer',
    hint: 'Links hold for seven days, until the alert is over, and as long as their channel exists. Use the alert’s page or the API.',
  },
  version_mismatch: {
    status: 412,
    title: 'Changed since you read it',
    hint: 'Read the resource again and send its current `ETag` in `If-Match`.',
  },
  too_large: {
    status: 413,
    title: 'Body too large',
    hint: 'Send at most 5 MiB a request: 5,000 events, or 100,000 values where it is something else.',
  },
  unsupported_media_type: {
    status: 415,
    title: 'Unsupported media type',
    hint: 'Send `application/json`; events may also come as `application/x-ndjson`. Compressed bodies are not read.',
  },
  invalid: {
    status: 422,
    title: 'Invalid request',
    hint: 'Each entry of `errors` names a place as JSON pointer and says what is wrong there.',
  },
  url_not_allowed: {
    status: 422,
    title: 'URL not allowed',
    hint: 'Use a public https address; an operator can allow more with `TOCSIN_ALLOW_HTTP` and `TOCSIN_ALLOW_CIDRS`.',
  },
  bound_exceeded: { status: 422, title: 'Limit reached', hint: 'The detail names the limit.' },
  idempotency_mismatch: {
    status: 422,
    title: 'Idempotency key used before',
    hint: 'This `Idempotency-Key` came with another body. Use a new key for a new request.',
  },
  too_many_requests: { status: 429, title: 'Too many requests', hint: 'Ask again after `Retry-After` seconds.' },
  header_too_large: { status: 431, title: 'Headers too large', hint: 'Send at most 16 KiB of headers.' },
  internal: { status: 500, title: 'Internal error', hint: 'Ours. The `instance` of the answer finds it in the log.' },
  scheduler_unset: {
    status: 503,
    title: 'Not set up to be run from outside',
    hint: 'Set `TOCSIN_SCHEDULER_SECRET` (32 characters or more) for the API.',
  },
  unavailable: {
    status: 503,
    title: 'Temporarily unavailable',
    hint: 'Perhaps nothing was stored. Send the same request again after `Retry-After` seconds, with the same `Idempotency-Key`: then it counts once.',
  },
} as const satisfies Record<string, ErrorDefinition>;

export type ErrorCode = keyof typeof ERRORS;

export const errorDefinition = (code: ErrorCode): ErrorDefinition => ERRORS[code];

export const isErrorCode = (text: string): text is ErrorCode => Object.hasOwn(ERRORS, text);
