/** What a client's log of messages does with a store that has lost its latest ones and gives their numbers anew. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Message } from '../../client-sdk/contract/index.ts';
import { createMessageLog } from '../../client-sdk/message-log.ts';
import { message, seqs } from '../support/message.ts';

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
