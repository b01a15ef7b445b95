/** What happened in a shop, as its events tell it, done once more in the world. Throws for what cannot be. */
import { isDeepStrictEqual } from 'node:util';
import type { Entry } from '../../client-sdk/contract/index.ts';
import type { ShopConfig } from '../../server/plan/config.ts';
import { hasWaitedTooLong, mayBeReassigned, mayEnd } from './overdue.ts';
import { replayPresence } from './presence.ts';
import {
  contactsOf,
  type Happening,
  isDoing,
  must,
  pendingOf,
  personOf,
  priorityOf,
  rosterOf,
  type Talk,
  type World,
} from './world.ts';

function meet(world: World, buyer: string, agent: string): void {
  if (rosterOf(world, agent)?.kind !== 'agent') return;
  const { warmMs } = world.config.settings.contactWindows;
  const others = contactsOf(world, buyer).filter(([id, at]) => id !== agent && world.now - at <= warmMs);
  world.contacts.set(buyer, [[agent, world.now] as [string, number], ...others].slice(0, 10));
}

function nextPlace(world: World): number {
  world.lastPlace = Math.max(world.now, world.lastPlace + 1);
  return world.lastPlace;
}

/** The holder owes the reply from now on, if the buyer waits for one. */
function owe(world: World, talk: Talk): void {
  const owes = talk.agent !== '' && talk.waitingSince !== undefined && talk.via !== 'proxy';
  talk.owedSince = owes ? world.now : undefined;
}

/** Who was hung up for not replying is back once nobody waits for them any more. */
function relieve(world: World, agent: string): void {
  if (agent !== '' && pendingOf(world, agent) === 0) personOf(world, agent).silent = false;
}

/** Who has talked with the robot and comes to a person waits for them. */
function leaveRobot(world: World, talk: Talk): void {
  if (talk.lastSeq > 0) talk.waitingSince ??= world.now;
}

/** It stands in the line of its state now; who has waited in the queue keeps that place among the messages left. */
function standIn(world: World, talk: Talk, was: Talk['state'] | undefined): void {
  if (talk.state === 'queued' || (talk.state === 'pooled' && was !== 'queued')) talk.place = nextPlace(world);
  talk.priority = talk.state === 'queued' ? priorityOf(world, talk.buyer) : 0;
}

/** Throws where time was no reason to move a conversation. */
function checkReason(world: World, mode: string, talk: Talk | undefined): void {
  must(talk !== undefined || mode === 'open', `a new conversation came by ${mode}`);
  if (!talk) return;
  if (mode === 'missed') {
    must(mayBeReassigned(world, talk), `${talk.id} was taken from ${talk.agent}, who owes a reply ${talk.owedSince}`);
  }
  if (mode === 'leave') {
    const chose = isDoing(world, 'leave', talk.buyer);
    must(talk.state === 'queued' && (chose || hasWaitedTooLong(world, talk)), `${talk.id} had to leave the queue`);
  }
}

function replayAssigned(world: World, happening: Happening, entry: Entry): void {
  const { conversation: id = '', buyer = '', outcome, agent = '', from = '', group = '', step } = happening;
  // A new conversation says neither where it comes from nor why: it is a click.
  const { mode = 'open' } = happening;
  const before = world.talks.get(id);
  must(from === (before?.agent ?? ''), `${id} came from ${from}`);
  checkReason(world, mode, before);
  const state =
    outcome === 'robot' ? 'robot' : agent ? 'assigned' : outcome === 'queue' ? ('queued' as const) : 'pooled';
  const talk: Talk = before ?? {
    id,
    buyer,
    state,
    agent,
    group,
    via: '',
    overnight: false,
    waitingSince: undefined,
    owedSince: undefined,
    missed: new Set(),
    lastSeq: 0,
    lastAt: world.now,
    place: 0,
    priority: 0,
    entry,
  };
  const was = before?.state;
  const moved = !before || before.agent !== agent || (agent === '' && was !== state);
  if (mode === 'missed') talk.missed.add(talk.agent);
  const left = (talk.via === 'proxy') !== (outcome === 'proxy');
  const changesHands = before !== undefined && from !== agent;
  Object.assign(talk, { state, agent, group, entry, via: outcome });
  if (moved) {
    if (was === 'robot' && state !== 'robot') leaveRobot(world, talk);
    standIn(world, talk, was);
    owe(world, talk);
  } else if (left) owe(world, talk);
  if (before && moved) talk.lastAt = world.now;
  if (!moved && state === 'queued' && mode === 'open') talk.priority = priorityOf(world, buyer);
  if (step === 'night-shift') {
    talk.overnight = true;
    nextPlace(world); // the one for the morning
  } else if (mode === 'open') talk.overnight = false;
  if (mode === 'open') {
    talk.lastAt = world.now;
    world.newest.set(buyer, id);
  }
  world.talks.set(id, talk);
  if (changesHands) relieve(world, from);
  if (agent) meet(world, buyer, agent);
}

function replayMessage(world: World, talk: Talk, { seq, from }: Happening): void {
  must(Number(seq) === talk.lastSeq + 1, `message ${seq} of ${talk.id} comes after ${talk.lastSeq}`);
  talk.lastSeq = Number(seq);
  talk.lastAt = world.now;
  if (from === 'buyer') {
    if (talk.waitingSince === undefined) {
      talk.waitingSince = world.now;
      owe(world, talk);
    }
  } else {
    Object.assign(talk, { waitingSince: undefined, owedSince: undefined });
    talk.missed.clear();
    personOf(world, talk.agent).silent = false;
  }
  if (talk.agent && (from !== 'buyer' || personOf(world, talk.agent).presence !== 'offline')) {
    meet(world, talk.buyer, talk.agent);
  }
}

function replayClosed(world: World, talk: Talk, { by }: Happening): void {
  must(by !== 'time' || mayEnd(world, talk), `${talk.id} was closed over somebody's head`);
  must(by === 'time' || isDoing(world, 'close'), `${talk.id} was closed by ${by}`);
  Object.assign(talk, { state: 'closed', waitingSince: undefined, owedSince: undefined });
  relieve(world, talk.agent);
}

/** Takes in another configuration. */
export function learn(world: World, config: ShopConfig): void {
  const { autoHangUp } = world.config.settings;
  world.config = config;
  // With another rule of automatic hang-up everybody is looked at anew.
  const another = !isDeepStrictEqual(autoHangUp, config.settings.autoHangUp);
  if (another) for (const person of world.people.values()) person.silent = false;
}

/** Takes in what happened; `entry` is what the buyer of an assignment brought along. */
export function replay(world: World, happening: Happening, entry: Entry) {
  const { type, conversation: id = '', agent = '' } = happening;
  must(Number(happening.at) === world.now, `a ${type} at ${happening.at}`);
  if (type === 'presence') return replayPresence(world, happening);
  if (type === 'assigned') return replayAssigned(world, happening, entry);
  if (type === 'configured' || type === 'profile') return;
  const talk = world.talks.get(id);
  if (!talk || talk.state === 'closed') throw new Error(`a ${type} of ${id}, which is not open`);
  if (type === 'message') return replayMessage(world, talk, happening);
  if (type === 'closed') return replayClosed(world, talk, happening);
  must(type === 'transferred' && happening.from === talk.agent, `a ${type} of ${id} from ${happening.from}`);
  const state = rosterOf(world, agent)?.kind === 'robot' ? 'robot' : 'assigned';
  const from = talk.agent;
  if (talk.state === 'robot' && state !== 'robot') leaveRobot(world, talk);
  const via = state === 'robot' ? 'robot' : 'agent';
  Object.assign(talk, { state, agent, group: happening.group ?? '', via, lastAt: world.now });
  owe(world, talk);
  relieve(world, from);
  meet(world, talk.buyer, agent);
}
