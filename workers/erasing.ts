/** Buyers whose erasing somebody began and could not finish are erased. */
export { goOnErasing } from '../server/services/erasing.ts';
