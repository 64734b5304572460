export { startEvaluation } from './start-evaluation.ts';
