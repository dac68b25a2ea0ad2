# The client: curl for people, Python and the agent for probes, nft for partitions.
ARG BASE
FROM ${BASE}
# Each step names dockconn: by that, and by the label, the steps of a build that was killed are known for ours.
LABEL dockconn.build=unfinished
RUN : dockconn && apt-get update -q \
 && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends curl nftables python3 \
 && apt-get clean && rm -rf /var/lib/apt/lists/*
COPY agent /opt/dockconn/agent
COPY dockconn-agent /usr/local/bin/dockconn-agent
RUN chmod 0755 /usr/local/bin/dockconn-agent && python3 -m compileall -q /opt/dockconn
CMD ["dockconn-agent", "serve"]
