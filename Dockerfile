# Both programs with the builder's toolchain. Not run where it was written: no container runtime is there.
FROM rust:1.95-bookworm AS build
RUN rustup target add wasm32-unknown-unknown && apt-get update && apt-get install -y --no-install-recommends nodejs npm
WORKDIR /ugc
COPY . .
RUN cargo xtask dist

# Spells are compiled by the same rustc that has compiled their SDK.
FROM rust:1.95-slim-bookworm
RUN rustup target add wasm32-unknown-unknown && useradd --create-home ugc && mkdir /data && chown ugc /data
COPY --from=build /ugc/target/release/ugc-control /ugc/target/release/ugc-host /ugc/target/release/ugc-builder /opt/ugc/
COPY --from=build /ugc/target/release/sdk /opt/ugc/sdk
USER ugc
ENV HOST=0.0.0.0 PORT=5000 DATA_DIR=/data
VOLUME /data
# The control plane, and game servers from 7777 up.
EXPOSE 5000 7777-7840
ENTRYPOINT ["/opt/ugc/ugc-control"]
