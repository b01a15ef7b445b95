/**
 * Every limit with its number and the reason for it. They are high: whole offices, mobile networks and vendors of robots share
 * one address, and programs serve many conversations over one socket. What they stop is somebody who takes what
 * belongs to others. docs/decisions/0017 says how the numbers came about, docs/operations/security.md how to change them.
 */
import { z } from 'zod';

const MINUTE = 60;
const KB = 1024;
const MB = 1024 * KB;

const whole = z.int().min(1).max(1_000_000_000);
const allowance = z.strictObject({ count: whole, seconds: z.int().min(1).max(86_400) });
const flow = z.strictObject({ perSecond: whole, burst: whole });

const limits = z.strictObject({
  /** New visitors of one shop from one address. */
  visitors: allowance,
  /** Wrong passwords for one account from one address. */
  wrongPasswords: allowance,
  /** Wrong passwords from one address, whatever the account: each costs us a slow hash. */
  wrongPasswordsOfAddress: allowance,
  /** Wrong admin keys from one address, at the operator's pages. */
  wrongAdminKeys: allowance,

  /** Commands of one socket. */
  commands: flow,
  /** Commands of one buyer that write, over all of their sockets and all nodes. */
  writesOfBuyer: allowance,
  /** Commands that write, and REST calls, of one address over all nodes. */
  callsOfAddress: allowance,
  /** The same of one shop; its buyers are counted apart from its staff and programs. */
  callsOfShop: allowance,
  /** Sockets that one address opens, and tokens it shows to a namespace, each counted; over all nodes. */
  handshakes: allowance,

  /** Packets of one connection, whatever is in them. Beyond it the connection is ended. */
  packets: flow,
  /** Bytes that one connection may send once it has joined a namespace. Beyond it the connection is ended. */
  bytes: flow,
  /** Bytes that one connection may send before it has joined a namespace: nobody knows yet who it is. */
  bytesBeforeJoining: whole,
  /** Bytes of packets that have not come to their end, of all connections of a node; the largest is ended for the others. */
  unfinishedBytes: whole,

  /** Connections of a node. */
  connections: whole,
  /** Of those, from one address. */
  connectionsOfAddress: whole,
  /** Connections of a node that have not joined a namespace; the oldest makes room for a new one. */
  halfOpen: whole,
  /** Of those, from one address. */
  halfOpenOfAddress: whole,
});

/** What differs from the defaults: parts of an application, or `LIMITS` in the environment. */
export const limitChanges = limits.partial();

export type LimitOptions = z.output<typeof limits>;
export type LimitChanges = z.output<typeof limitChanges>;

export const defaultLimits: LimitOptions = {
  // A page that loses its token asks for another; sixty new people a minute from one address is a busy office.
  visitors: { count: 60, seconds: MINUTE },
  wrongPasswords: { count: 10, seconds: MINUTE },
  wrongPasswordsOfAddress: { count: 100, seconds: MINUTE },
  wrongAdminKeys: { count: 10, seconds: MINUTE },

  // A robot with a thousand conversations writes less; one node answers about ten times as many.
  commands: { perSecond: 500, burst: 5_000 },
  // A hundred a second: no person, with all their tabs, and 1 % to 2 % of what a node can do.
  writesOfBuyer: { count: 6_000, seconds: MINUTE },
  // What one node can do: a call centre of a thousand agents does a twentieth of it.
  callsOfAddress: { count: 300_000, seconds: MINUTE },
  // A sixth of what one Redis can do for all shops of it.
  callsOfShop: { count: 600_000, seconds: MINUTE },
  // A thousand agents of one office come back ten times a minute, and take two each time.
  handshakes: { count: 60_000, seconds: MINUTE },

  // Four times the commands: acknowledgements, heartbeats and what is refused are packets, too.
  packets: { perSecond: 2_000, burst: 20_000 },
  // Sixteen of the largest packets at once; they are answered unread, so that they cost little but the line.
  bytes: { perSecond: 4 * MB, burst: 256 * MB },
  // A token has 4 kB at most; room to be refused a few times on one connection.
  bytesBeforeJoining: 16 * KB,
  // Sixteen of the largest packets under way at once; a node has to have as much to spare, twice.
  unfinishedBytes: 256 * MB,

  // 16 kB each: 800 MB.
  connections: 50_000,
  // Mobile networks put this many people behind one address.
  connectionsOfAddress: 20_000,
  // A whole company connects at once after its line was down; each takes milliseconds.
  halfOpen: 10_000,
  halfOpenOfAddress: 5_000,
};
