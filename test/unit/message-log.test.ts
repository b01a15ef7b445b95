import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Message } from '../../client-sdk/contract/index.ts';
import { createMessageLog } from '../../client-sdk/message-log.ts';

function message(seq: number, conversation = 'c', life = ''): Message {
  return {
    id: `${conversation}-${seq}${life}`,
    conversation,
    seq,
    from: { kind: 'buyer', id: 'b' },
    body: { type: 'text', text: `${seq}` },
    at: seq,
  };
}

const seqs = (messages: Message[]) => messages.map(({ seq }) => seq);

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
    log.follow('c', 2);
    expect(log.accept(message(4))).toEqual([]);
    expect(seqs(log.accept(message(5)))).toEqual([5]);
    log.unfollow('c');
    log.follow('c', 9);
    expect(log.shown('c')).toBe(9);
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
    expect(['x', 'y', 'z'].map((id) => log.shown(id))).toEqual([undefined, 3, 3]);
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
          expect(log.shown('c')).toBe(start + shown.length);
        }
        // A heartbeat tells how many there are; the client fetches page by page.
        log.follow('c', last);
        for (let gap = log.gap('c'); gap; gap = log.gap('c')) fetch(gap.afterSeq);
        expect(shown).toEqual(Array.from({ length: count }, (_, i) => start + 1 + i));
      }),
      { numRuns: 500 },
    );
  });

  describe('a store that has lost its latest messages', () => {
    const again = (seq: number) => message(seq, 'c', ' again');
    function five() {
      const log = createMessageLog();
      log.follow('c', 2);
      for (const seq of [3, 4, 5]) log.accept(message(seq));
      return log;
    }

    test('gives a number anew: what it has is compared with what was shown, and what is new is shown', () => {
      const log = five();
      expect(log.accept(again(5))).toEqual([]);
      expect(log.gap('c')).toEqual({ afterSeq: 2, upTo: 5 });
      const page = [message(3), again(4), again(5)];
      expect(page.flatMap((one) => log.accept(one))).toEqual([again(4), again(5)]);
      expect(log.gap('c')).toBeUndefined();
      expect(log.accept(again(4))).toEqual([]);
    });

    test('has fewer than were shown: what is the same is not shown again, the next one is', () => {
      const log = five();
      log.doubt('c', 4);
      expect(log.gap('c')).toEqual({ afterSeq: 2, upTo: 4 });
      expect([message(3), message(4)].flatMap((one) => log.accept(one))).toEqual([]);
      expect(log.shown('c')).toBe(4);
      expect(log.accept(again(5))).toEqual([again(5)]);
    });

    test('had them after all: nothing is shown twice', () => {
      const log = five();
      log.doubt('c', 3);
      for (const seq of [3, 4, 5]) expect(log.accept(message(seq))).toEqual([]);
      expect(seqs(log.accept(message(6)))).toEqual([6]);
    });

    test('has lost more than was shown here: showing begins after what it has', () => {
      const log = createMessageLog();
      log.follow('c', 7);
      log.doubt('c', 4);
      expect(log.gap('c')).toBeUndefined();
      expect(seqs(log.accept(again(5)))).toEqual([5]);
      log.doubt('c', 9);
      expect(log.shown('c')).toBe(5);
    });

    test('what was shown of it longer ago than ids are remembered is taken to be the same', () => {
      const log = createMessageLog({ waiting: 9, remembered: 9, compared: 2 });
      log.follow('c', 0);
      for (const seq of [1, 2, 3, 4]) log.accept(message(seq));
      expect(log.accept(again(2))).toEqual([]);
      expect(log.gap('c')).toBeUndefined();
      expect(log.accept(again(3))).toEqual([again(3)]);
    });

    test('however often it loses whatever: all that it has in the end was shown, once', () => {
      const act = fc.oneof(
        fc.constant({ do: 'say' } as const),
        fc.constant({ do: 'say, unheard' } as const),
        fc.constant({ do: 'beat' } as const),
        fc.record({ do: fc.constant('lose' as const), last: fc.integer({ min: 1, max: 6 }) }),
      );
      fc.assert(
        fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
          const log = createMessageLog();
          log.follow('c', 0);
          const stored: Message[] = [];
          const shown: Message[] = [];
          let said = 0;
          const fetch = () => {
            for (let gap = log.gap('c'); gap; gap = log.gap('c')) {
              const page = stored.slice(gap.afterSeq, gap.afterSeq + 3);
              for (const one of page) shown.push(...log.accept(one));
              if (page.length < 3) shown.push(...log.settle('c', gap.upTo));
            }
          };
          const beat = () => {
            if (stored.length < (log.shown('c') ?? 0)) log.doubt('c', stored.length);
            else log.follow('c', stored.length);
            fetch();
          };
          for (const one of acts) {
            const behind = stored.length < (log.shown('c') ?? 0);
            if (one.do === 'lose') stored.splice(Math.max(0, stored.length - one.last));
            else if (one.do === 'beat') beat();
            // Where it had as many as were shown by then, nothing would tell that they are others.
            else if (one.do === 'say, unheard' && behind) continue;
            else {
              said += 1;
              const next = message(stored.length + 1, 'c', ` ${said}`);
              stored.push(next);
              if (one.do === 'say') shown.push(...log.accept(next));
              fetch();
            }
          }
          beat();
          const ids = shown.map(({ id }) => id);
          expect(new Set(ids).size).toBe(ids.length);
          const there = new Set(stored.map(({ id }) => id));
          expect(ids.filter((id) => there.has(id))).toEqual(stored.map(({ id }) => id));
        }),
        { numRuns: 1_000 },
      );
    });
  });
});
