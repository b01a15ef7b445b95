/** The environment as it is read: where Redis is, and what is refused before anything is started. */
import { describe, expect, it } from 'vitest';
import { readConfig } from '../../server/config.ts';
import { redisTarget } from '../../server/launch/production.ts';
import { readClusterNodes } from '../../server/store/cluster-nodes.ts';

const clusterOf = (nodes: string) => readClusterNodes(readConfig({ REDIS_CLUSTER: nodes }).redisCluster);
const [a, b] = [
  { host: 'a', port: 7000 },
  { host: 'b', port: 7001 },
];

describe('REDIS_CLUSTER', () => {
  it.each([
    ['a:7000', { nodes: [a] }],
    ['a:7000, b:7001', { nodes: [a, b] }],
    [
      '10.0.0.1:7000,[fe80::1]:7001',
      {
        nodes: [
          { host: '10.0.0.1', port: 7000 },
          { host: 'fe80::1', port: 7001 },
        ],
      },
    ],
    ['redis://:secret@a:7000,b:7001', { nodes: [a, b], password: 'secret' }],
    [
      'redis://fenliu:s%40cret@a:7000,redis://fenliu:s%40cret@b:7001',
      { nodes: [a, b], username: 'fenliu', password: 's@cret' },
    ],
    ['rediss://:secret@a:7000,b:7001', { nodes: [a, b], password: 'secret', tls: {} }],
  ])('%s', (nodes, expected) => {
    expect(clusterOf(nodes)).toEqual(expected);
  });

  it.each([
    ['a', 'a has no port'],
    ['a:0', 'a has no port'],
    ['a:port', 'cannot be read'],
    [':7000', 'cannot be read'],
    ['a:7000,', 'a node has no host'],
    ['a:7000/1', 'one database only'],
    ['http://a:7000', 'http:// is no scheme of Redis'],
    ['redis://:secret@a:7000,redis://:other@b:7001', 'b:7001 is to be reached otherwise than a:7000'],
    ['a:7000,rediss://b:7001', 'b:7001 is to be reached otherwise than a:7000'],
  ])('%s is refused, and says what a node looks like', (nodes, says) => {
    expect(() => readConfig({ REDIS_CLUSTER: nodes })).toThrow(/^The environment is not right:\n {2}REDIS_CLUSTER: /);
    expect(() => readConfig({ REDIS_CLUSTER: nodes })).toThrow(says);
  });

  it('shows no password where a node is wrong', () => {
    for (const nodes of [
      'redis://:hidden@a',
      'redis://:hidden@a:7000/1',
      'redis://:hidden@a:7000,redis://:hidden2@b:1',
    ]) {
      expect(() => readConfig({ REDIS_CLUSTER: nodes })).toThrow(/^(?![\s\S]*hidden)/);
    }
  });

  it('beside REDIS_URL is refused: which one is meant nobody knows', () => {
    expect(() => readConfig({ REDIS_CLUSTER: 'a:7000', REDIS_URL: 'redis://b' })).toThrow('set the one that is meant');
    expect(redisTarget(readConfig({ REDIS_CLUSTER: 'a:7000', REDIS_URL: '' }))).toEqual({ cluster: ['a:7000'] });
    expect(redisTarget(readConfig({ REDIS_CLUSTER: '', REDIS_URL: 'redis://b' }))).toEqual({ url: 'redis://b' });
    expect(redisTarget(readConfig({}))).toBeUndefined();
  });
});
