/** Who is logged in at the desk. */
import type { Agent } from '../contract/index.ts';

export type Session = { readonly shop: string; readonly token: string; readonly agent: Agent };
