import { z } from 'zod';

/** One fault of a request. `pointer` is an RFC 6901 JSON pointer into the body, or `?name` for a query parameter. */
export const ProblemIssue = z.strictObject({ pointer: z.string(), code: z.string(), message: z.string() });
export type ProblemIssue = z.infer<typeof ProblemIssue>;

/** RFC 9457. `instance` is the request's id, as in the log. */
export const Problem = z.strictObject({
  type: z.string().startsWith('/errors/'),
  title: z.string(),
  status: z.int().min(400).max(599),
  detail: z.string(),
  instance: z.string(),
  errors: z.array(ProblemIssue).optional(),
});
export type Problem = z.infer<typeof Problem>;
