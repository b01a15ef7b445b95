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
      expect(log.reached('c')).toBe(4);
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
    });

    test('what was shown of it longer ago than ids are remembered is taken to be the same', () => {
      const log = createMessageLog({ waiting: 9, remembered: 9, compared: 2 });
      log.follow('c', 0);
      for (const seq of [1, 2, 3, 4]) log.accept(message(seq));
      expect(log.accept(again(2))).toEqual([]);
      expect(log.gap('c')).toBeUndefined();
      expect(log.accept(again(3))).toEqual([again(3)]);
    });

    test('what was shown before it was left is remembered when it is followed again', () => {
      const log = five();
      log.unfollow('c');
      log.follow('c', 3);
      expect(log.gap('c')).toEqual({ afterSeq: 2, upTo: 3 });
      expect([message(3), again(4), again(5)].flatMap((one) => log.accept(one))).toEqual([again(4), again(5)]);
    });

    test('a straggler under a number that was shown before it was left is shown', () => {
      const log = five();
      log.unfollow('c');
      expect(log.accept(message(4))).toEqual([]);
      expect(log.accept(again(4))).toEqual([again(4)]);
      expect(log.accept(again(4))).toEqual([]);
    });

    test('a straggler with a gap before it makes no news of what was said while nobody listened', () => {
      const log = five();
      log.unfollow('c');
      expect(log.accept(message(9))).toEqual([message(9)]);
      log.follow('c', 8);
      expect(log.gap('c')).toBeUndefined();
      expect(log.accept(message(9))).toEqual([]);
      expect(log.accept(message(10))).toEqual([message(10)]);
    });

    test('what came later and was shown already is not shown again when what is before it is found', () => {
      const log = five();
      expect(log.accept(again(6))).toEqual([again(6)]);
      expect(log.accept(again(5))).toEqual([]);
      const page = [message(3), again(4), again(5), again(6)];
      expect(page.flatMap((one) => log.accept(one))).toEqual([again(4), again(5)]);
      expect(log.gap('c')).toBeUndefined();
    });

    test('what is left while it is compared is as far as it was', () => {
      const log = five();
      log.doubt('c');
      expect(log.gap('c')).toEqual({ afterSeq: 2, upTo: 5 });
      // So a heartbeat asks for it, should this question be lost.
      expect(log.following().get('c')).toBe(2);
      log.unfollow('c');
      expect(log.accept(message(5))).toEqual([]);
      log.follow('c', 5);
      expect(log.gap('c')).toBeUndefined();
    });

    test('those in which something was shown last are known, latest last', () => {
      const log = createMessageLog();
      for (const id of ['a', 'b', 'c', 'd']) log.follow(id, 0);
      for (const id of ['c', 'a', 'b', 'c']) log.accept(message((log.reached(id) ?? 0) + 1, id));
      expect(log.latest(2)).toEqual(['b', 'c']);
      expect(log.latest(9)).toEqual(['a', 'b', 'c']);
    });

    const acts = fc.array(
      fc.oneof(
        { weight: 6, arbitrary: fc.constant({ do: 'say' } as const) },
        { weight: 4, arbitrary: fc.record({ do: fc.constant('hear' as const), which: fc.nat(5) }) },
        { weight: 1, arbitrary: fc.constant({ do: 'miss' } as const) },
        { weight: 2, arbitrary: fc.constant({ do: 'beat' } as const) },
        { weight: 2, arbitrary: fc.record({ do: fc.constant('lose' as const), last: fc.integer({ min: 1, max: 6 }) }) },
        { weight: 1, arbitrary: fc.record({ do: fc.constant('leave and come back' as const), late: fc.nat(3) }) },
      ),
      { maxLength: 80 },
    );
    test('however often it loses whatever, and whatever is heard late or never: all there is was shown, nothing twice', () => {
      fc.assert(
        fc.property(acts, fc.boolean(), (story, leaves) => {
          const log = createMessageLog();
          log.follow('c', 0);
          const [stored, shown, underWay]: [Message[], Message[], Message[]] = [[], [], []];
          let [said, life, knownLife] = [0, 0, 0];
          const fetch = () => {
            for (let gap = log.gap('c'); gap; gap = log.gap('c')) {
              const page = stored.slice(gap.afterSeq, gap.afterSeq + 3);
              for (const one of page) shown.push(...log.accept(one));
              if (page.length < 3) shown.push(...log.settle('c', gap.upTo));
            }
          };
          const beat = () => {
            if (life !== knownLife) log.doubt('c');
            knownLife = life;
            if (stored.length < (log.following().get('c') ?? 0)) log.doubt('c', stored.length);
            else log.follow('c', stored.length);
            fetch();
          };
          for (const one of story) {
            if (one.do === 'lose') {
              stored.splice(Math.max(0, stored.length - one.last));
              life += 1;
            } else if (one.do === 'say') {
              said += 1;
              const next = message(stored.length + 1, 'c', ` ${said}`);
              stored.push(next);
              underWay.push(next);
            } else if (one.do === 'hear') {
              for (const heard of underWay.splice(one.which, 1)) shown.push(...log.accept(heard));
              fetch();
            } else if (one.do === 'miss') underWay.shift();
            else if (one.do === 'beat') beat();
            else if (leaves) {
              log.unfollow('c');
              // It is told of what was so when it was asked: stragglers may be later than that.
              const lastSeq = stored.length;
              for (const heard of underWay.splice(one.late, 1)) shown.push(...log.accept(heard));
              log.follow('c', lastSeq - Math.min(lastSeq, one.late));
              fetch();
            }
          }
          life += 1;
          beat();
          // Twice: what was stored while the first was compared.
          beat();
          const ids = shown.map(({ id }) => id);
          expect(new Set(ids).size).toBe(ids.length);
          // What is found late is told late; where nothing was lost and nobody left, nothing is.
          const inOrder = !leaves && !story.some((one) => one.do === 'lose');
          if (inOrder) expect(seqs(shown)).toEqual(stored.map(({ seq }) => seq));
          // What came while it was left is history.
          if (!leaves) expect(stored.filter(({ id }) => !ids.includes(id))).toEqual([]);
        }),
        { numRuns: 2_000 },
      );
    });
  });
});
