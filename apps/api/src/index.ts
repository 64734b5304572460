export { boundVariables, eventBounds } from './api-bounds.ts';
export { type ApiDeps, buildApi } from './build-api.ts';
export { type ApiOptions, type RunningApi, startApi } from './start-api.ts';
