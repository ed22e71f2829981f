# Connector, gateways and simulator in one image: Node 24 runs the TypeScript sources as they are.
FROM node:24.11.1-trixie-slim

WORKDIR /app
ENV NODE_ENV=production
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --loglevel=error && npm cache clean --force
COPY contract contract
COPY connector connector
COPY gateways gateways
COPY timescale timescale
COPY scripts/dev/simulator scripts/dev/simulator
COPY config config
RUN mkdir /data && chown node:node /data

USER node
# The flags halve the memory, see docs/performance.md.
CMD ["node", "--max-semi-space-size=16", "--heap-growing-percent=50", "connector/main.ts"]
