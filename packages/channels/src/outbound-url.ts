import { z } from 'zod';

const URL_MAX = 2_048;

/** An absolute http(s) address. Whether it may be called is the outbound door's to say, at saving and again at each send. */
export const outboundUrl = z.url({ protocol: /^https?$/, error: 'must be an absolute http(s) URL' }).max(URL_MAX);
