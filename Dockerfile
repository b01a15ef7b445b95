# One image for server nodes and workers; the command says which.
FROM node:20-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund

FROM node:20-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json tsconfig.json ./
COPY client-sdk ./client-sdk
COPY server ./server
COPY workers ./workers
USER node
EXPOSE 3000
# Not through npm: signals reach the process itself.
CMD ["node", "--import", "tsx", "server/main.ts"]
