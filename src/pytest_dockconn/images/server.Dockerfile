# The server: Apache with its distribution's default page ("It works"), and an echo on UDP. On top of the client image,
# which has the Python for the echo already.
ARG BASE
FROM ${BASE}
# As in the client's.
LABEL dockconn.build=unfinished
RUN : dockconn && apt-get update -q \
 && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends apache2 \
 && apt-get clean && rm -rf /var/lib/apt/lists/*
COPY apache.conf /etc/apache2/dockconn.conf
COPY dockconn-serve /usr/local/bin/dockconn-serve
RUN chmod 0755 /usr/local/bin/dockconn-serve
CMD ["dockconn-serve", "80/tcp"]
