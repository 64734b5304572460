/** What an `Authorization` header carries; null: nothing that is read here. */
export type Credentials = { scheme: 'bearer' | 'basic'; secret: string };

// The name of a basic credential says nothing: the password alone counts.
export function credentialsOf(header: string | undefined): Credentials | null {
  const match = /^(bearer|basic) +([^ ]+)$/i.exec(header ?? '');
  const [, scheme = '', text = ''] = match ?? [];
  if (match === null) return null;
  if (scheme.toLowerCase() === 'bearer') return { scheme: 'bearer', secret: text };
  const pair = Buffer.from(text, 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  return colon === -1 ? null : { scheme: 'basic', secret: pair.slice(colon + 1) };
}
