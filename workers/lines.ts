/** The safety net under every line: whoever waits is served although nothing has happened to say so. */
export { sweep as serveLines } from '../server/services/sweep.ts';
