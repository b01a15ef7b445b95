import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createMessageLog } from '../../client-sdk/message-log.ts';
import { message, seqs } from '../support/message.ts';

describe('message log', () => {
  const table: { name: string; follow?: number; arrive: number[]; shown: number[]; gap?: [number, number] }[] = [
    { name: 'in order', follow: 0, arrive: [1, 2, 3], shown: [1, 2, 3] },
    { name: 'out of order', follow: 0, arrive: [2, 3, 1], shown: [1, 2, 3] },
    { name: 'repeated', follow: 0, arrive: [1, 1, 2, 1, 2], shown: [1, 2] },
    { name: 'repeated while waiting', follow: 0, arrive: [2, 2, 1], shown: [1, 2] },
    { name: 'one missing', follow: 0, arrive: [1, 3], shown: [1], gap: [1, 3] },
    { name: 'two missing apart', follow: 0, arrive: [2, 4], shown: [], gap: [0, 4] },
    { name: 'history is not shown', follow: 7, arrive: [6, 7, 8], shown: [8] },
    { name: 'the first live one missing', follow: 7, arrive: [9], shown: [], gap: [7, 9] },
    { name: 'not heard of: from the first that comes', arrive: [5, 4, 6], shown: [5, 6] },
  ];
  test.each(table)('$name', ({ follow, arrive, shown, gap }) => {
    const log = createMessageLog();
    if (follow !== undefined) log.follow('c', follow);
    expect(arrive.flatMap((seq) => seqs(log.accept(message(seq))))).toEqual(shown);
    expect(log.gap('c')).toEqual(gap && { afterSeq: gap[0], upTo: gap[1] });
  });

  test('a last seq told later reveals what did not come', () => {
    const log = createMessageLog();
    log.follow('c', 2);
    log.follow('c', 4);
    expect(log.gap('c')).toEqual({ afterSeq: 2, upTo: 4 });
    log.follow('c', 3);
    expect(log.gap('c')).toEqual({ afterSeq: 2, upTo: 4 });
    expect(seqs([...log.accept(message(4)), ...log.accept(message(3))])).toEqual([3, 4]);
    expect(log.gap('c')).toBeUndefined();
  });

  test('conversations do not wait for each other', () => {
    const log = createMessageLog();
    log.follow('a', 0);
    log.follow('b', 0);
    expect(log.accept(message(2, 'a'))).toEqual([]);
    expect(seqs(log.accept(message(1, 'b')))).toEqual([1]);
    expect([...log.following()]).toEqual([
      ['a', 0],
      ['b', 1],
    ]);
  });

  test('what cannot be fetched is stepped over, what was known to exist only later is not', () => {
    const log = createMessageLog();
    log.follow('c', 0);
    for (const seq of [2, 4, 7]) log.accept(message(seq));
    expect(seqs(log.settle('c', 4))).toEqual([2, 4]);
    expect(log.gap('c')).toEqual({ afterSeq: 4, upTo: 7 });
    expect(seqs(log.settle('c', 6))).toEqual([7]);
    expect(log.gap('c')).toBeUndefined();
    expect(log.settle('c', 7)).toEqual([]);
  });

  test('left and followed again: nothing twice, what came meanwhile is history', () => {
    const log = createMessageLog();
    log.follow('c', 0);
    log.accept(message(1));
    log.accept(message(3));
    log.unfollow('c');
    expect(log.gap('c')).toBeUndefined();
    expect(log.follows('c')).toBe(false);
    expect(log.accept(message(1))).toEqual([]);
    expect(seqs(log.accept(message(4)))).toEqual([4]);
    log.follow('c', 4);
    expect(log.accept(message(4))).toEqual([]);
    expect(seqs(log.accept(message(5)))).toEqual([5]);
    log.unfollow('c');
    log.follow('c', 9);
    expect(log.reached('c')).toBe(9);
  });

  test('keeps no more than its limits, and loses nothing by it', () => {
    const log = createMessageLog({ waiting: 2, remembered: 2, compared: 2 });
    log.follow('c', 0);
    for (const seq of [3, 4, 5, 6]) expect(log.accept(message(seq))).toEqual([]);
    expect(log.gap('c')).toEqual({ afterSeq: 0, upTo: 6 });
    expect(seqs(log.accept(message(1)))).toEqual([1]);
    expect(seqs(log.accept(message(2)))).toEqual([2, 3, 4]);
    expect(log.gap('c')).toEqual({ afterSeq: 4, upTo: 6 });

    for (const id of ['x', 'y', 'z']) {
      log.follow(id, 3);
      log.unfollow(id);
    }
    expect(['x', 'y', 'z'].map((id) => log.reached(id))).toEqual([undefined, 3, 3]);
  });

  test('any order, with repeats and drops: once each, in order, and nothing after fetching what is missing is left out', () => {
    const arrivals = fc.record({
      start: fc.nat(5),
      count: fc.integer({ min: 1, max: 30 }),
      picks: fc.array(fc.record({ at: fc.nat(1_000), fetch: fc.boolean() }), { maxLength: 80 }),
      page: fc.integer({ min: 1, max: 5 }),
      waiting: fc.integer({ min: 1, max: 10 }),
    });
    fc.assert(
      fc.property(arrivals, ({ start, count, picks, page, waiting }) => {
        const log = createMessageLog({ waiting, remembered: 1, compared: 1 });
        const last = start + count;
        const shown: number[] = [];
        log.follow('c', start);
        const fetch = (from: number) => {
          for (let seq = from + 1; seq <= Math.min(from + page, last); seq += 1) {
            shown.push(...seqs(log.accept(message(seq))));
          }
        };
        for (const pick of picks) {
          shown.push(...seqs(log.accept(message((pick.at % last) + 1))));
          const gap = log.gap('c');
          if (pick.fetch && gap) fetch(gap.afterSeq);
          // At no time is anything shown out of order, and what is missing is always known.
          expect(shown).toEqual(shown.map((_, i) => start + 1 + i));
          expect(log.reached('c')).toBe(start + shown.length);
        }
        // A heartbeat tells how many there are; the client fetches page by page.
        log.follow('c', last);
        for (let gap = log.gap('c'); gap; gap = log.gap('c')) fetch(gap.afterSeq);
        expect(shown).toEqual(Array.from({ length: count }, (_, i) => start + 1 + i));
      }),
      { numRuns: 500 },
    );
  });
});
