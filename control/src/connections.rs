//! The connections: how many are open at once, of whom, and how long one may keep its place without asking or taking anything.

use crate::{
    limits::{
        CONNECTIONS_MAX, CONNECTIONS_PER_ADDRESS_MAX, CONNECTIONS_STANDING_MAX, HEADER_BYTES_MAX, HEADER_TIME_MAX, REQUEST_TIME_MAX,
        UNTAKEN_TIME_MAX,
    },
    problem::Problem,
    rate::network,
};
use axum::{
    Router,
    extract::ConnectInfo,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
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
use std::{
    collections::BTreeMap,
    convert::Infallible,
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};

/// What connections are held to.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Connections from elsewhere at once, and as many again from this machine.
    pub connections_max: usize,
    /// Of them, those of one address elsewhere.
    pub per_address_max: usize,
    /// For the headers of a connection's next request.
    pub header_time_max: Duration,
    /// From there to the first byte of its answer.
    pub request_time_max: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connections_max: CONNECTIONS_MAX,
            per_address_max: CONNECTIONS_PER_ADDRESS_MAX,
            header_time_max: HEADER_TIME_MAX,
            request_time_max: REQUEST_TIME_MAX,
        }
    }
}

/// Answers requests until `close`; then takes no new connections, and returns when those that are open have had their answers.
pub async fn serve(listener: TcpListener, router: Router, bounds: Bounds, close: impl Future<Output = ()>) {
    let (crowd, open) = (Arc::new(Crowd::new(&bounds)), GracefulShutdown::new());
    let router = TowerToHyperService::new(router);
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(bounds.header_time_max).max_buf_size(HEADER_BYTES_MAX);
    let mut close = pin!(close);
    loop {
        let (stream, address) = tokio::select! {
            accepted = accept(&listener) => accepted,
            () = &mut close => break,
        };
        // Where there is not even room to be told so, it is closed at once.
        let Some(place) = crowd.admit(is_local(&stream, address), address.ip()) else { continue };
        let (router, is_standing) = (router.clone(), place.is_standing);
        let answer = service_fn(move |mut request: Request<Incoming>| {
            let is_taken = !is_standing || request.uri().path().starts_with("/internal/");
            request.extensions_mut().insert(ConnectInfo(address));
            let answer = is_taken.then(|| router.call(request));
            async move {
                let answer = match answer {
                    Some(answer) => answer.await?,
                    None => no_place(),
                };
                Ok::<_, Infallible>(if is_standing { unless_good(answer) } else { answer })
            }
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

/// All who are connected. Those from this machine, as game servers are, are counted apart: however many come from elsewhere, a world's line to us stays open.
struct Crowd {
    local: Pool,
    others: Pool,
    by_address: Mutex<BTreeMap<IpAddr, usize>>,
    per_address_max: usize,
}

/// Places, and room to stand for those who find none: they are told so, and go; but for game servers, which are served where they stand. So a crowd that a proxy
/// on this machine brings keeps no game server out either.
struct Pool {
    places: Arc<Semaphore>,
    standing: Arc<Semaphore>,
}

/// A connection's place, given back when dropped.
struct Place {
    crowd: Arc<Crowd>,
    /// Whose, where that is counted.
    network: Option<IpAddr>,
    is_standing: bool,
    _permit: OwnedSemaphorePermit,
}

impl Crowd {
    fn new(bounds: &Bounds) -> Self {
        let pool = || Pool {
            places: Arc::new(Semaphore::new(bounds.connections_max)),
            standing: Arc::new(Semaphore::new(CONNECTIONS_STANDING_MAX)),
        };
        Self { local: pool(), others: pool(), by_address: Mutex::default(), per_address_max: bounds.per_address_max }
    }

    /// A place for one more. Behind an address of this machine there may be a proxy, so those are not counted by address.
    fn admit(self: &Arc<Self>, is_local: bool, address: IpAddr) -> Option<Place> {
        let pool = if is_local { &self.local } else { &self.others };
        let (permit, is_standing) = match pool.places.clone().try_acquire_owned() {
            Ok(permit) => (permit, false),
            Err(_) => (pool.standing.clone().try_acquire_owned().ok()?, true),
        };
        let network = if is_local { None } else { Some(network(address)) };
        if let Some(network) = network {
            let mut counts = self.counts();
            let count = counts.entry(network).or_default();
            if *count >= self.per_address_max {
                return None;
            }
            *count += 1;
        }
        Some(Place { crowd: self.clone(), network, is_standing, _permit: permit })
    }

    fn counts(&self) -> MutexGuard<'_, BTreeMap<IpAddr, usize>> {
        self.by_address.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(network) = self.network else { return };
        let mut counts = self.crowd.counts();
        if let Some(count) = counts.get_mut(&network) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&network);
            }
        }
    }
}

/// What comes from this machine comes from the address that it goes to.
fn is_local(stream: &TcpStream, address: SocketAddr) -> bool {
    stream.local_addr().is_ok_and(|own| own.ip() == address.ip())
}

fn no_place() -> Response {
    let detail = "as many are connected as this server takes";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too_many_connections", detail).retry_after_s(1).into_response()
}

/// Who stands and is no game server has had its answer, and makes room.
fn unless_good(mut answer: Response) -> Response {
    if !answer.status().is_success() {
        answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    answer
}

/// The next connection.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok((stream, address)) => {
                prepare(&stream);
                return (stream, address);
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
    use rustix::net::{AddressFamily, SocketType, bind, connect, socket};
    use std::io::{Read, Write};
    use std::net::{Ipv4Addr, SocketAddrV4, TcpStream as Client};
    use std::time::Instant;

    const GET: &str = "GET / HTTP/1.1\r\nHost: test\r\n\r\n";
    const GET_LINE: &str = "GET /internal/line HTTP/1.1\r\nHost: test\r\n\r\n";

    fn server(connections_max: usize, per_address_max: usize, header_time_max: Duration) -> SocketAddr {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let router = Router::new().route("/", get(|| async { "here" })).route("/internal/line", get(|| async { "line" }));
                let bounds = Bounds { connections_max, per_address_max, header_time_max, ..Bounds::default() };
                serve(TcpListener::from_std(listener).unwrap(), router, bounds, std::future::pending()).await;
            });
        });
        address
    }

    fn client(address: SocketAddr, request: &str) -> Client {
        asked(Client::connect(address).unwrap(), request)
    }

    /// From another address than the one that it goes to, as from another machine.
    fn client_from(last: u8, address: SocketAddr, request: &str) -> Client {
        let socket = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
        bind(&socket, &SocketAddrV4::new(Ipv4Addr::new(127, 0, 0, last), 0)).unwrap();
        connect(&socket, &address).unwrap();
        asked(socket.into(), request)
    }

    fn asked(mut client: Client, request: &str) -> Client {
        client.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        client.write_all(request.as_bytes()).unwrap();
        client
    }

    /// The answer's status, and whether the connection is closed behind it; 0 where there is none.
    fn status(client: &mut Client) -> u16 {
        let mut answer = [0; 12];
        if client.read_exact(&mut answer).is_err() { 0 } else { std::str::from_utf8(&answer[9..]).unwrap().parse().unwrap() }
    }

    #[test]
    fn clients_that_ask_nothing_or_dawdle_give_their_place_to_one_that_asks() {
        let address = server(2, 2, Duration::from_millis(100));
        let mute = client(address, "");
        let slow = client(address, "GET / HTTP/1.1\r\nHost: te");
        let deadline = Instant::now() + Duration::from_secs(20);
        while status(&mut client(address, GET)) != 200 {
            assert!(Instant::now() < deadline, "nobody makes room");
        }
        for mut bad in [mute, slow] {
            // Closed, with or without a word.
            bad.read_to_end(&mut Vec::new()).unwrap();
        }
    }

    #[test]
    fn one_address_elsewhere_leaves_room_for_others() {
        let address = server(4, 2, Duration::from_secs(20));
        let mut loud: Vec<_> = (0..3).map(|_| client_from(2, address, GET)).collect();
        assert_eq!(loud.iter_mut().map(status).collect::<Vec<_>>(), [200, 200, 0]);
        assert_eq!(status(&mut client_from(3, address, GET)), 200);
        loud.clear();
        let deadline = Instant::now() + Duration::from_secs(20);
        while status(&mut client_from(2, address, GET)) != 200 {
            assert!(Instant::now() < deadline, "its places are not given back");
        }
    }

    #[test]
    fn a_game_server_finds_a_place_however_many_others_are_connected() {
        let address = server(2, 2, Duration::from_secs(20));
        let mut elsewhere: Vec<_> = (0..2).map(|_| client_from(2, address, GET)).collect();
        assert_eq!(elsewhere.iter_mut().map(status).collect::<Vec<_>>(), [200, 200]);
        assert_eq!(status(&mut client_from(3, address, GET)), 503);
        // And those that a proxy brings are from here.
        let mut here: Vec<_> = (0..2).map(|_| client(address, GET)).collect();
        assert_eq!(here.iter_mut().map(status).collect::<Vec<_>>(), [200, 200]);
        let mut answer = String::new();
        client(address, GET).read_to_string(&mut answer).unwrap();
        assert!(
            answer.starts_with("HTTP/1.1 503") && answer.contains("retry-after: 1") && answer.contains("too_many_connections"),
            "{answer}"
        );
        let mut lines: Vec<_> = (0..3).map(|_| client(address, GET_LINE)).collect();
        assert_eq!(lines.iter_mut().map(status).collect::<Vec<_>>(), [200, 200, 200]);
        // Whoever only asks as one does not stay.
        client(address, "GET /internal/none HTTP/1.1\r\nHost: test\r\n\r\n").read_to_end(&mut Vec::new()).unwrap();
    }

    #[tokio::test]
    async fn a_client_that_takes_nothing_is_dropped_by_the_kernel() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (_client, accepted) = tokio::join!(TcpStream::connect(address), accept(&listener));
        assert_eq!(u128::from(rustix::net::sockopt::tcp_user_timeout(&accepted.0).unwrap()), UNTAKEN_TIME_MAX.as_millis());
        assert!(accepted.0.nodelay().unwrap());
    }
}
