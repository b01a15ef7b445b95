/** Sockets are handed on one after another over the window, each when it has nothing under way. */
import { EventEmitter } from 'node:events';
import type { Socket } from 'socket.io';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { handOn, type Present } from '../../server/edge/sockets/hand-on.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

type Made = Present & { readonly socket: Socket; readonly share: { underWay: number; onIdle?: () => void } };

function made(underWay = 0): Made {
  const socket = Object.assign(new EventEmitter(), {
    connected: true,
    disconnect() {
      socket.connected = false;
      socket.emit('disconnect');
    },
  });
  return { socket: socket as unknown as Socket, share: { underWay } };
}

const gone = (present: readonly Made[]) => present.map(({ socket }) => !socket.connected);
const count = (present: readonly Made[]) => gone(present).filter(Boolean).length;

it('spread evenly over the last four fifths of the window, in their order', async () => {
  const present = Array.from({ length: 800 }, () => made());
  let over = false;
  const handedOn = handOn(present, 10_000).then(() => {
    over = true;
  });
  const counts: number[] = [];
  for (let second = 1; second <= 9; second++) {
    await vi.advanceTimersByTimeAsync(1_000);
    counts.push(count(present));
  }
  for (const [i, sockets] of counts.entries()) expect(Math.abs(sockets - Math.max(0, i - 1) * 100)).toBeLessThan(5);
  expect(gone(present)).toEqual([...gone(present)].sort((a, b) => Number(b) - Number(a)));
  expect(over).toBe(false);
  await vi.advanceTimersByTimeAsync(1_000);
  await handedOn;
  expect(count(present)).toBe(800);
});

it('who has something under way goes when it is answered', async () => {
  const busy = made(1);
  const handedOn = handOn([busy, made()], 10_000);
  await vi.advanceTimersByTimeAsync(7_000);
  expect(busy.socket.connected).toBe(true);
  busy.share.underWay = 0;
  busy.share.onIdle?.();
  // The answer is written first.
  expect(busy.socket.connected).toBe(true);
  await vi.advanceTimersByTimeAsync(0);
  expect(busy.socket.connected).toBe(false);
  await handedOn;
});

it('ends with the window, whatever is left; without sockets, when the balancer has noticed', async () => {
  const stuck = made(1);
  let over = 0;
  const count = () => over++;
  const all = [handOn([stuck], 10_000).then(count), handOn([], 10_000).then(count)];
  await vi.advanceTimersByTimeAsync(1_999);
  expect(over).toBe(0);
  await vi.advanceTimersByTimeAsync(1);
  expect(over).toBe(1);
  await vi.advanceTimersByTimeAsync(8_000);
  await Promise.all(all);
  expect(stuck.socket.connected).toBe(true);
});
