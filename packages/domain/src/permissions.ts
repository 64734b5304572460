/** Weakest first: each may do all that the ones before it may. */
export const ROLES = ['viewer', 'responder', 'editor', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** The weakest role that may. A verb or route that is not named here does not exist. */
export const PERMISSIONS = {
  'events:read': 'viewer',
  'events:write': 'editor',
  'metrics:read': 'viewer',
  'metrics:write': 'editor',
  'rules:read': 'viewer',
  'rules:write': 'editor',
  'alerts:read': 'viewer',
  'alerts:handle': 'responder',
  'alerts:delete': 'admin',
  'silences:read': 'viewer',
  'silences:write': 'responder',
  'maintenance:read': 'viewer',
  'maintenance:write': 'editor',
  'routes:read': 'viewer',
  'routes:write': 'editor',
  'inhibitions:read': 'viewer',
  'inhibitions:write': 'editor',
  'escalation:read': 'viewer',
  'escalation:write': 'editor',
  'actions:read': 'viewer',
  'actions:write': 'editor',
  'channels:read': 'viewer',
  'channels:write': 'editor',
  'channels:test': 'editor',
  'deliveries:read': 'viewer',
  'deliveries:retry': 'responder',
  'inbox:read': 'viewer',
  'inbox:handle': 'responder',
  'schedule:read': 'viewer',
  'schedule:write': 'admin',
  'evaluate:now': 'admin',
  'api-keys:read': 'admin',
  'api-keys:write': 'admin',
} as const satisfies Record<string, Role>;

export type Permission = keyof typeof PERMISSIONS;

export const can = (role: Role, permission: Permission): boolean => ROLES.indexOf(role) >= ROLES.indexOf(PERMISSIONS[permission]);
