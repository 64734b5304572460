export { startDispatch } from './start-dispatch.ts';
