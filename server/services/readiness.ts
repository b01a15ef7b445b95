/** Whether Redis can do what we need of it. */
export { mustServe } from '../store/must-serve.ts';
