export { prepareDatabase, type PrepareOptions } from './prepare-database.ts';
