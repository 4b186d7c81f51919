//! The connections: how many are open at once, and how long one may keep its place without asking or taking anything.

use crate::limits::{CONNECTIONS_MAX, HEADER_BYTES_MAX, HEADER_TIME_MAX, UNTAKEN_TIME_MAX};
use axum::{Router, extract::ConnectInfo};
use hyper::{
    Request,
    body::Incoming,
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use rustix::net::sockopt::set_tcp_user_timeout;
use std::{net::SocketAddr, pin::pin, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};

/// What connections are held to.
pub struct Bounds {
    /// Connections at once; further ones wait in the kernel's queue.
    pub connections_max: usize,
    /// For the headers of a connection's next request.
    pub header_time_max: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { connections_max: CONNECTIONS_MAX, header_time_max: HEADER_TIME_MAX }
    }
}

/// Answers requests until `close`; then takes no new connections, and returns when those that are open have had their answers.
pub async fn serve(listener: TcpListener, router: Router, bounds: Bounds, close: impl Future<Output = ()>) {
    let (places, open) = (Arc::new(Semaphore::new(bounds.connections_max)), GracefulShutdown::new());
    let router = TowerToHyperService::new(router);
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(bounds.header_time_max).max_buf_size(HEADER_BYTES_MAX);
    let mut close = pin!(close);
    loop {
        let (stream, address, place) = tokio::select! {
            accepted = accept(&listener, &places) => accepted,
            () = &mut close => break,
        };
        let router = router.clone();
        let answer = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(address));
            router.call(request)
        });
        let connection = open.watch(http.serve_connection(TokioIo::new(stream), answer));
        tokio::spawn(async move {
            // A broken connection is its client's affair.
            connection.await.ok();
            drop(place);
        });
    }
    drop(listener);
    open.shutdown().await;
}

/// The next connection, once there is a place for it.
async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> (TcpStream, SocketAddr, OwnedSemaphorePermit) {
    let place = places.clone().acquire_owned().await.expect("the semaphore is never closed");
    loop {
        match listener.accept().await {
            Ok((stream, address)) => {
                prepare(&stream);
                return (stream, address, place);
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                // Out of file descriptors, most likely: some have to close first.
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// Frames go out when they are written, and a client that takes nothing is dropped. Where the kernel refuses, the connection works all the same.
fn prepare(stream: &TcpStream) {
    stream.set_nodelay(true).ok();
    set_tcp_user_timeout(stream, u32::try_from(UNTAKEN_TIME_MAX.as_millis()).unwrap_or(u32::MAX)).ok();
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use std::io::{Read, Write};
    use std::net::TcpStream as Client;

    /// Serves one connection at a time, which has this long for its headers.
    fn server(header_time_max: Duration) -> SocketAddr {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let router = Router::new().route("/", get(|| async { "here" }));
                let bounds = Bounds { connections_max: 1, header_time_max };
                serve(TcpListener::from_std(listener).unwrap(), router, bounds, std::future::pending()).await;
            });
        });
        address
    }

    fn client(address: SocketAddr, request: &str) -> Client {
        let mut client = Client::connect(address).unwrap();
        client.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        client.write_all(request.as_bytes()).unwrap();
        client
    }

    #[test]
    fn clients_that_ask_nothing_or_dawdle_give_their_place_to_one_that_asks() {
        let address = server(Duration::from_millis(100));
        let mute = client(address, "");
        let slow = client(address, "GET / HTTP/1.1\r\nHost: te");
        let mut good = client(address, "GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
        let mut answer = String::new();
        good.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("here"), "{answer}");
        for mut bad in [mute, slow] {
            // Closed, with or without a word.
            bad.read_to_end(&mut Vec::new()).unwrap();
        }
    }

    #[tokio::test]
    async fn a_client_that_takes_nothing_is_dropped_by_the_kernel() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, places) = (listener.local_addr().unwrap(), Arc::new(Semaphore::new(1)));
        let (_client, accepted) = tokio::join!(TcpStream::connect(address), accept(&listener, &places));
        assert_eq!(u128::from(rustix::net::sockopt::tcp_user_timeout(&accepted.0).unwrap()), UNTAKEN_TIME_MAX.as_millis());
        assert!(accepted.0.nodelay().unwrap());
    }
}
