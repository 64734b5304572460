import { PERMISSIONS } from '@tocsin/domain';
import { AppError } from './app-error.ts';
import { type CallerRole, type Context, may, type VerbPermission } from './context.ts';

/** What somebody may ask for. `permission` is what its route declares too, so that a caller is refused before the body is read. */
export interface Verb<Input, Output> {
  (call: { ctx: Context; input: Input }): Promise<Output>;
  permission: VerbPermission;
}

/** Every verb: permission → parse → transaction → audit. `work` does the last three. */
export function verb<Input, Output>(
  permission: VerbPermission,
  work: (call: { ctx: Context; input: Input }) => Promise<Output>,
): Verb<Input, Output> {
  const checked = async (call: { ctx: Context; input: Input }): Promise<Output> => {
    requirePermission(call.ctx.role, permission);
    return work(call);
  };
  return Object.assign(checked, { permission });
}

/** Throws a 403 that names the role needed. */
export function requirePermission(role: CallerRole, permission: VerbPermission): void {
  if (may(role, permission)) return;
  const needed = permission === 'operator' ? 'operator' : PERMISSIONS[permission];
  throw new AppError('forbidden', `This needs the role '${needed}'; the key has the role '${role}'.`);
}
