/** Presence: what agents chose, and which sockets hold them connected. */
import type { By, Presence } from '../../client-sdk/contract/index.ts';
import { byText } from './audit.ts';
import type { Scope } from './scope.ts';
import { loadScript, run } from './script.ts';
import { type Effects, effectsOf } from './shapes.ts';

const script = loadScript(
  'presence',
  ['live', 'waits', 'owed', 'overnight', 'todo', 'lapses', 'sockets', 'shifts', 'events', 'audit'],
  ['now', 'version', 'agentId', 'change', 'value', 'detail', 'graceMs', 'by'],
);

export type PresenceCommand =
  | {
      readonly change: 'choose';
      readonly agent: string;
      readonly presence: Presence;
      readonly cause: 'chose' | 'supervisor';
      /** The supervisor, or the program, that decided it. */
      readonly by?: By | undefined;
    }
  /** `node`: the server node that has the socket, so that a dead node's sockets can be found; the latest to say so has it. */
  | { readonly change: 'connect'; readonly agent: string; readonly socket: string; readonly node: string }
  | {
      readonly change: 'disconnect';
      readonly agent: string;
      readonly socket: string;
      readonly graceMs: number;
      /** Nothing happens where the socket stands under another node by now; under any unless said. */
      readonly node?: string | undefined;
    }
  /** Hangs up who owes this conversation a reply since `since` (ms); nothing happens where that is not so any more. */
  | { readonly change: 'silent'; readonly agent: string; readonly conversation: string; readonly since: number }
  /** Makes every grace count that has ended. */
  | { readonly change: 'lapse' };

export type PresenceAnswer =
  | { readonly kind: 'unknown' }
  | ({ readonly kind: 'done'; readonly chosen: Presence; readonly effective: Presence } & Effects);

function argsOf(command: PresenceCommand) {
  const args = { agentId: '', change: command.change, value: '', detail: '', graceMs: 0, by: '' };
  if (command.change === 'lapse') return args;
  args.agentId = command.agent;
  if (command.change === 'choose') {
    const { presence: value, cause, by } = command;
    if (cause === 'chose') return { ...args, value };
    return { ...args, value, detail: by?.id ?? by?.kind ?? 'supervisor', by: byText(by) };
  }
  if (command.change === 'silent') return { ...args, value: command.conversation, detail: String(command.since) };
  if (command.change === 'connect') return { ...args, value: command.socket, detail: command.node };
  return { ...args, value: command.socket, detail: command.node ?? '', graceMs: command.graceMs };
}

export async function changePresence(scope: Scope, command: PresenceCommand, now: number): Promise<PresenceAnswer> {
  const reply = await run(
    scope.redis,
    script,
    scope.keys,
    { now, version: scope.version, ...argsOf(command) },
    scope.ready,
  );
  if (reply[0] === 'unknown') return { kind: 'unknown' };
  return {
    kind: 'done',
    chosen: reply[1] as Presence,
    effective: reply[2] as Presence,
    ...effectsOf(reply[3], reply[4]),
  };
}
