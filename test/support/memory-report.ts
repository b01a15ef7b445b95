// Loaded into a process before its own code: answers how much memory it uses, after everything that is garbage has gone.
process.on('message', (question) => {
  if (question !== 'memory') return;
  globalThis.gc?.();
  const { rss, heapUsed, external } = process.memoryUsage();
  process.send?.({ rss, heapUsed, external });
});
// Being asked is no reason to go on running.
process.channel?.unref();
// Whoever started it is no more, however that came about: nobody is left to end it.
process.on('disconnect', () => process.exit());
