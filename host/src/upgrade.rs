//! From an accepted socket to a WebSocket, or to an HTTP answer that says why not (RFC 6455, section 4.2).

#![allow(clippy::result_large_err, reason = "the type is tungstenite's")]

use crate::limits::{CLOSE_TIMEOUT, HANDSHAKE_TIMEOUT, LINGER_BYTES_MAX, REQUEST_BYTES_MAX};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::{CapacityError, Error as WsError, ProtocolError};
use tokio_tungstenite::tungstenite::handshake::machine::TryParse;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response, create_response, write_response};
use tokio_tungstenite::tungstenite::http::header::{
    ALLOW, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderName, HeaderValue, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use tokio_tungstenite::tungstenite::http::{HeaderMap, StatusCode};
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

/// Reads a request and answers it. A good one is shown to `choose`, which adds to the answer or refuses. Nothing when it was refused, or the client has gone.
pub async fn upgrade(
    mut stream: TcpStream,
    config: WebSocketConfig,
    choose: impl FnOnce(&Request, Response) -> Result<Response, ErrorResponse>,
) -> Option<WebSocketStream<TcpStream>> {
    let read = tokio::time::timeout(HANDSHAKE_TIMEOUT, read_request(&mut stream)).await;
    let read = read.unwrap_or_else(|_| Some(Err(refusal(StatusCode::REQUEST_TIMEOUT, "no whole request in time"))))?;
    let answer = read.and_then(|(request, rest)| Ok((choose(&request, good(&request)?)?, rest)));
    match answer {
        Ok((response, rest)) => {
            let mut head = Vec::new();
            write_response(&mut head, &response).ok()?;
            tokio::time::timeout(CLOSE_TIMEOUT, stream.write_all(&head)).await.ok()?.ok()?;
            // A client must not send frames before it has the answer; what one has sent all the same is taken.
            Some(WebSocketStream::from_partially_read(stream, rest, Role::Server, Some(config)).await)
        }
        Err(refusal) => {
            refuse(stream, refusal).await;
            None
        }
    }
}

/// An answer that grants nothing, with a line for people.
pub fn refusal(status: StatusCode, why: &str) -> ErrorResponse {
    let mut refusal = ErrorResponse::new(Some(format!("{why}\n")));
    *refusal.status_mut() = status;
    let headers = refusal.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(why.len() + 1));
    refusal
}

/// Sends it and closes, within `CLOSE_TIMEOUT`.
pub async fn refuse(mut stream: TcpStream, refusal: ErrorResponse) {
    let mut answer = Vec::new();
    if write_response(&mut answer, &refusal).is_err() {
        return;
    }
    answer.extend_from_slice(refusal.into_body().unwrap_or_default().as_bytes());
    let farewell = async {
        stream.write_all(&answer).await?;
        linger(&mut stream).await
    };
    let _ = tokio::time::timeout(CLOSE_TIMEOUT, farewell).await;
}

/// Ends our side and reads on for a moment: a socket that is closed with bytes unread is reset, and the client would never see why it was closed.
pub async fn linger(stream: &mut TcpStream) -> std::io::Result<()> {
    stream.shutdown().await?;
    let mut ignored = [0; 4096];
    let mut total = 0;
    while total < LINGER_BYTES_MAX {
        match stream.read(&mut ignored).await? {
            0 => break,
            read => total += read,
        }
    }
    Ok(())
}

/// The request, and what came behind it; nothing when the client goes before it has asked.
async fn read_request(stream: &mut TcpStream) -> Option<Result<(Request, Vec<u8>), ErrorResponse>> {
    // An ordinary request fits; the buffer doubles when it is full.
    let mut bytes = Vec::with_capacity(REQUEST_BYTES_MAX / 8);
    while bytes.len() < REQUEST_BYTES_MAX {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        match Request::try_parse(&bytes) {
            Ok(Some((size, request))) => return Some(Ok((request, bytes.split_off(size)))),
            Ok(None) => {}
            Err(error) => return Some(Err(refusal_of(&error))),
        }
    }
    let why = format!("a request of more than {REQUEST_BYTES_MAX} bytes");
    Some(Err(refusal(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, &why)))
}

/// The answer to a request that is as the RFC wants it.
fn good(request: &Request) -> Result<Response, ErrorResponse> {
    // tungstenite does not look for the host, and takes the first of several keys and versions.
    let headers = request.headers();
    if !is_once(headers, HOST) || headers.contains_key(SEC_WEBSOCKET_KEY) && !is_once(headers, SEC_WEBSOCKET_KEY) {
        return Err(refusal(StatusCode::BAD_REQUEST, "a request has Host and Sec-WebSocket-Key once each"));
    }
    if headers.get_all(SEC_WEBSOCKET_VERSION).iter().count() > 1 {
        return Err(refusal_of(&ProtocolError::MissingSecWebSocketVersionHeader.into()));
    }
    create_response(request).map_err(|error| refusal_of(&error))
}

fn is_once(headers: &HeaderMap, name: HeaderName) -> bool {
    headers.get_all(name).iter().count() == 1
}

fn refusal_of(error: &WsError) -> ErrorResponse {
    let (status, why) = match error {
        WsError::Protocol(ProtocolError::WrongHttpMethod) => (StatusCode::METHOD_NOT_ALLOWED, "a websocket is asked for by GET"),
        WsError::Protocol(ProtocolError::WrongHttpVersion) => {
            (StatusCode::HTTP_VERSION_NOT_SUPPORTED, "a websocket is asked for by HTTP/1.1")
        }
        WsError::Protocol(ProtocolError::MissingConnectionUpgradeHeader | ProtocolError::MissingUpgradeWebSocketHeader) => {
            (StatusCode::UPGRADE_REQUIRED, "only a websocket is served here: ask with Connection: Upgrade and Upgrade: websocket")
        }
        WsError::Protocol(ProtocolError::MissingSecWebSocketVersionHeader) => {
            (StatusCode::UPGRADE_REQUIRED, "this server speaks version 13 of the websocket protocol")
        }
        WsError::Protocol(ProtocolError::MissingSecWebSocketKey | ProtocolError::InvalidSecWebSocketKey) => {
            (StatusCode::BAD_REQUEST, "Sec-WebSocket-Key is 16 bytes in base64")
        }
        WsError::Capacity(CapacityError::TooManyHeaders) => (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "too many headers"),
        _ => (StatusCode::BAD_REQUEST, "not an HTTP/1.1 request"),
    };
    let mut refusal = refusal(status, why);
    let headers = refusal.headers_mut();
    if status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(ALLOW, HeaderValue::from_static("GET"));
    }
    if status == StatusCode::UPGRADE_REQUIRED {
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade, close"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    }
    refusal
}
