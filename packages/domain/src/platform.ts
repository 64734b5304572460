/** The tenant of the installation itself: what its own measurements and fire drills are kept in. Its external key is `platform`. */
export const PLATFORM_TENANT_ID = '00000000-0000-8000-8000-000000000001';
export const PLATFORM_KEY = 'platform';
