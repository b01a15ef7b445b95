# One image for server nodes and workers; the command says which. TypeScript is run as it is (docs/decisions/0005).
ARG NODE=node:20.20.2-bookworm-slim

FROM ${NODE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund && npm cache clean --force

FROM ${NODE}
ENV NODE_ENV=production
WORKDIR /app
# Owned by root, and run by somebody else: what runs cannot change itself.
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json tsconfig.json ./
COPY client-sdk ./client-sdk
COPY server ./server
COPY workers ./workers
USER node
EXPOSE 3000
# Of a server node; whoever runs workers sets METRICS_PORT and asks there.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.METRICS_PORT || process.env.PORT || 3000}/readyz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Not through npm: signals reach the process itself.
CMD ["node", "--import", "tsx", "server/main.ts"]
