# The image of commander. Build: docker build -t mu-commander:0.1.0 .
# Plain Dockerfile on purpose: every builder since Docker 17.05 understands it, also without BuildKit.

FROM node:24-bookworm-slim AS build
WORKDIR /app
# Dependencies first: they change less often than the sources, and this layer is then reused.
COPY package.json package-lock.json .npmrc ./
# No install scripts: nothing in the tree needs a compiler, and a package that wanted to run code here could not.
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json nest-cli.json ./
COPY scripts ./scripts
COPY src ./src
# The same command as everywhere else: whatever a build comes to consist of, the image has it.
RUN npm run build && npm prune --omit=dev --ignore-scripts
# Nobody reads them there, and node would keep the maps of what it has loaded in its heap. Ours stay: they name the lines.
RUN find node_modules -type f '(' -name '*.map' -o -name '*.ts' -o -name '*.mts' -o -name '*.cts' ')' -delete

FROM node:24-bookworm-slim
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="mu-commander" \
      org.opencontainers.image.description="Crawl commander: schedules over Nest TCP, runs on healthy agents, diagnostics that name the line" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

# Loopback would be unreachable from outside the container. The service refuses to listen beyond it until COMMANDER_TOKEN
# and DIAGNOSTICS_TOKEN are set, so an image that is started without them ends with a line that says so.
# NODE_OPTIONS fits a pod of 192 MiB, or 216 MiB where HEALTHCHECK runs; whoever sets another limit sets both, side by
# side (k8s/README.md has the sum).
ENV NODE_ENV=production \
    TCP_HOST=0.0.0.0 \
    TCP_PORT=7970 \
    HTTP_HOST=0.0.0.0 \
    HTTP_PORT=6060 \
    EVIDENCE_DIR=/var/lib/commander \
    NODE_OPTIONS="--max-old-space-size=96 --max-semi-space-size=4"

WORKDIR /app
# Owned by root: the process can read its code and not change it.
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
# The one place beside /tmp where the process may write; mount a volume here to keep what is written.
RUN install -d -o node -g node /var/lib/commander

USER node
EXPOSE 7970 6060
# Node itself asks: the slim image has no curl, and /livez opens no connection to anything.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 CMD ["node", "--max-old-space-size=16", "-e", "require('node:http').get({ host: '127.0.0.1', port: process.env.HTTP_PORT, path: '/livez', timeout: 4000 }, (reply) => process.exit(reply.statusCode === 200 ? 0 : 1)).on('timeout', () => process.exit(1)).on('error', () => process.exit(1))"]
# Exec form: node is PID 1 and gets SIGTERM itself, with no shell in between that would keep it.
CMD ["node", "--enable-source-maps", "--min-semi-space-size=4", "dist/main.js"]
