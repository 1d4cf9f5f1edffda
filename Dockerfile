# The service alone: no embedded database, no development packages, nothing that a run does not read.
#
#   docker build --build-arg VERSION="$(npm pkg get version | tr -d '"')" --build-arg REVISION="$(git rev-parse HEAD)" .

# Both stages make files that are the same for every architecture, so that they run on the builder's own.
FROM --platform=$BUILDPLATFORM docker.io/library/node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN npm run compile && npm run docs

FROM --platform=$BUILDPLATFORM docker.io/library/node:24-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
RUN --mount=type=cache,target=/root/.npm \
    npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund

FROM docker.io/library/node:24-bookworm-slim
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Todo API" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000
# glibc keeps what is freed in up to eight arenas for each processor; with two, more goes back to the system.
ENV MALLOC_ARENA_MAX=2
# V8 takes these 16 MB by itself where it has 1 GB; in 512 MB it takes one, and copies what a crowd holds time and again.
ENV NODE_OPTIONS=--max-semi-space-size=16
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY package.json openapi.yaml ./
COPY src/database/migrations src/database/migrations
COPY --from=build /app/dist dist
# The base image's user `node`, by number: so an orchestrator can see that it is not root.
USER 1000:1000
EXPOSE 3000
# The shell is there for PORT alone. A start waits up to a minute for its database.
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s \
    CMD ["sh", "-c", "exec node dist/healthcheck.js http://127.0.0.1:$PORT"]
CMD ["node", "--enable-source-maps", "dist/main.js"]
