//! The control plane over HTTP: requests with the author's session, which is opened anew once when it is over.

use crate::limits::{ANSWER_BYTES_MAX, CONNECT_TIME_MAX, REQUEST_TIME_MAX, STREAM_SILENCE_MAX};
use crate::login::{self, Account, Logins};
use crate::plain;
use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use std::fmt;
use std::io::Read;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use ureq::http::{Request, Response};
use ureq::{Agent, Body};

const NOT_LOGGED_IN: &str = "you are logged in nowhere: run `spell login`";

/// A server, and who we are there.
#[derive(Debug)]
pub struct Server {
    /// How it is reached.
    pub wire: Wire,
    file: PathBuf,
    account: Mutex<Account>,
}

/// A server without anybody.
#[derive(Debug)]
pub struct Wire {
    /// `http://host:port`, without a slash at its end.
    pub address: String,
    requests: Agent,
    streams: Agent,
}

/// What the server does not do, and why.
#[derive(Debug)]
pub struct Refused {
    /// HTTP status.
    pub status: u16,
    /// Stable: programs act on it.
    pub code: String,
    /// For people.
    pub detail: String,
}

impl Server {
    /// The server of the last login.
    pub fn of_login() -> Result<Self> {
        let file = login::path()?;
        let mut logins = Logins::read(&file)?;
        let account = logins.accounts.remove(&logins.server).context(NOT_LOGGED_IN)?;
        Ok(Self { wire: Wire::new(&logins.server)?, file, account: Mutex::new(account) })
    }

    /// Who we are.
    pub fn username(&self) -> String {
        plain::line(&self.account().username)
    }

    /// `GET`.
    pub fn get(&self, path: &str) -> Result<Value> {
        self.with_session(|token| self.wire.ask("GET", path, Some(token), None))
    }

    /// A request that changes something.
    pub fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        self.with_session(|token| self.wire.ask(method, path, Some(token), body))
    }

    /// A stream of server-sent events, from behind the one with this id.
    pub fn events(&self, path: &str, after: i64) -> Result<impl Read + use<>> {
        self.with_session(|token| self.wire.events(path, token, after))
    }

    /// Asks; and once more, with another session, when the session is over.
    fn with_session<T>(&self, ask: impl Fn(&str) -> Result<T>) -> Result<T> {
        let token = self.account().session_token;
        match ask(&token) {
            Err(error) if refused(&error).is_some_and(|refused| refused.status == 401) => {
                self.renew(&token)?;
                ask(&self.account().session_token)
            }
            answer => answer,
        }
    }

    /// Logs in again, unless another thread has done so meanwhile.
    fn renew(&self, old_token: &str) -> Result<()> {
        let mut account = self.account.lock().unwrap_or_else(PoisonError::into_inner);
        if account.session_token != old_token {
            return Ok(());
        }
        let fresh = login::log_in(&self.wire, Some(&account.account_key), None).context("the session is over, and there is no other")?;
        // A server that has lost its players, or another one at the same address, makes a new one of us. Nobody wants to become that by themselves.
        if fresh.account_key != account.account_key {
            bail!(
                "{} does not know {} any more: run `spell login` to be a new player there",
                self.wire.address,
                plain::line(&account.username)
            );
        }
        *account = fresh.clone();
        let mut logins = Logins::read(&self.file)?;
        logins.accounts.insert(self.wire.address.clone(), fresh);
        logins.write(&self.file)
    }

    fn account(&self) -> Account {
        self.account.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Wire {
    /// The server at this address.
    pub fn new(address: &str) -> Result<Self> {
        let address = address.trim_end_matches('/').to_owned();
        ensure!(address.starts_with("http://"), "{address:?} is not the address of a server: it must begin with http://");
        // A token goes to the server that it is for and nowhere else: redirects are not followed.
        let config = || Agent::config_builder().http_status_as_error(false).max_redirects(0).timeout_connect(Some(CONNECT_TIME_MAX));
        let requests = config().timeout_global(Some(REQUEST_TIME_MAX)).build().into();
        let streams = config().timeout_per_read(Some(STREAM_SILENCE_MAX)).build().into();
        Ok(Self { address, requests, streams })
    }

    /// One request; answers with the body as JSON.
    pub fn ask(&self, method: &str, path: &str, token: Option<&str>, body: Option<&Value>) -> Result<Value> {
        let mut request = self.request(method, path, token);
        if body.is_some() {
            request = request.header("Content-Type", "application/json");
        }
        let answer = match body {
            Some(body) => self.requests.run(request.body(body.to_string())?),
            None => self.requests.run(request.body(())?),
        };
        let mut answer = self.checked(answer)?;
        let text = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec();
        let text = text.with_context(|| format!("{} broke off in its answer", self.address))?;
        serde_json::from_slice(&text).with_context(|| format!("{} does not answer in JSON: is it a control plane?", self.address))
    }

    fn events(&self, path: &str, token: &str, after: i64) -> Result<impl Read + use<>> {
        let request = self.request("GET", path, Some(token)).header("Last-Event-ID", after.to_string());
        Ok(self.checked(self.streams.run(request.body(())?))?.into_body().into_reader())
    }

    fn request(&self, method: &str, path: &str, token: Option<&str>) -> ureq::http::request::Builder {
        let request = Request::builder().method(method).uri(format!("{}{path}", self.address));
        match token {
            Some(token) => request.header("Authorization", format!("Bearer {token}")),
            None => request,
        }
    }

    /// The answer, if it is one to what was asked.
    fn checked(&self, answer: Result<Response<Body>, ureq::Error>) -> Result<Response<Body>> {
        let mut answer = answer.with_context(|| format!("cannot reach {}", self.address))?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let status = answer.status().as_u16();
        let problem: Value = answer.body_mut().read_json().unwrap_or_default();
        let word = |key: &str| problem[key].as_str().map(plain::lines);
        Err(Refused {
            status,
            code: word("code").unwrap_or_else(|| format!("status {status}")),
            detail: word("detail").unwrap_or_else(|| format!("{} does not say why", self.address)),
        }
        .into())
    }
}

/// The refusal that an error is, if it is one.
pub fn refused(error: &anyhow::Error) -> Option<&Refused> {
    error.downcast_ref()
}

/// Whether the same may go well a little later: nobody answered, or the server has too much to do.
pub fn may_pass(error: &anyhow::Error) -> bool {
    match refused(error) {
        Some(Refused { status, .. }) => matches!(status, 408 | 429 | 500..),
        None => error.downcast_ref::<ureq::Error>().is_some(),
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.detail, self.code)
    }
}

impl std::error::Error for Refused {}
