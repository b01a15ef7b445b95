/** Where a Redis Cluster is, as the environment says it: `host:port` of some of its nodes; the others are found by asking. */

/** What every node of a cluster is talked to with: they are all the same, for most nodes nobody has named. */
export type ClusterNodes = {
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  readonly username?: string;
  readonly password?: string;
  readonly tls?: object;
};

function readNode(text: string): URL {
  const wrong = (why: string) =>
    // What was given may hold a password, and errors are shown.
    new Error(`${why}; a node is host:port, or redis://user:password@host:port (rediss:// with TLS)`);
  let node: URL;
  try {
    node = new URL(text.includes('://') ? text : `redis://${text}`);
  } catch {
    throw wrong('a node cannot be read');
  }
  if (!/^rediss?:$/.test(node.protocol)) throw wrong(`${node.protocol}// is no scheme of Redis`);
  if (node.hostname === '') throw wrong('a node has no host');
  if (!(Number(node.port) > 0)) throw wrong(`${node.hostname} has no port`);
  if (!['', '/'].includes(node.pathname) || node.search || node.hash) {
    throw wrong(`something follows the port of ${node.host}, and a cluster has one database only`);
  }
  return node;
}

/**
 * Reads nodes: `host:port`, or `redis://[user][:password]@host:port`, or the same with `rediss:` for TLS. Scheme, user and
 * password of the first hold for all nodes of the cluster; the others may leave them out. Throws an error that says which
 * node is wrong, without its password.
 */
export function readClusterNodes(texts: readonly string[]): ClusterNodes {
  const nodes = texts.map(readNode);
  const [first] = nodes;
  if (!first) throw new Error('no node is named');
  for (const [i, node] of nodes.entries()) {
    if (!texts[i]?.includes('://')) continue;
    const same = (['protocol', 'username', 'password'] as const).every((part) => node[part] === first[part]);
    if (!same)
      throw new Error(`${node.host} is to be reached otherwise than ${first.host}: all nodes are reached alike`);
  }
  const [username, password] = [decodeURIComponent(first.username), decodeURIComponent(first.password)];
  return {
    // An address of IPv6 stands in brackets in a URL only.
    nodes: nodes.map(({ hostname, port }) => ({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) })),
    ...(username === '' ? {} : { username }),
    ...(password === '' ? {} : { password }),
    ...(first.protocol === 'rediss:' ? { tls: {} } : {}),
  };
}
