//! `spell dev`: every save is built on the server and live in the game for its author alone; what the spell logs comes back.

use crate::limits::RETRY_INTERVAL;
use crate::package::Package;
use crate::server::{Server, may_pass, refused};
use crate::server_build::{Outcome, build};
use crate::watch::{Watch, quiet_time};
use crate::{ending, entry, events, logs, plain, target};
use anyhow::Result;
use protocol::{RevisionId, SpellId};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Instant;

/// What is asked for.
pub struct Options<'a> {
    /// The spell's folder or file.
    pub path: &'a Path,
    /// Its id, where that is not its name.
    pub spell: Option<&'a str>,
    /// The draft stays live at the end.
    pub keep: bool,
    /// The end of the standard input ends it.
    pub until_stdin_ends: bool,
}

/// Why there is something to do.
enum News {
    Saved(Instant),
    End,
}

/// The spell that is worked on.
struct Draft {
    server: Arc<Server>,
    path: PathBuf,
    spell: SpellId,
    ending: Arc<AtomicBool>,
    /// What the last build was of.
    built: Option<Package>,
    live: Option<RevisionId>,
    /// The last entry of the log from before, until its stream is followed.
    log_from: Option<i64>,
}

/// Goes on until it is ended.
pub fn run(options: &Options<'_>) -> Result<bool> {
    let spell = target::of_path(options.path, options.spell)?;
    let server = Arc::new(Server::of_login()?);
    let (tell, news) = mpsc::channel();
    let ending = Arc::new(AtomicBool::new(false));
    let (saved, ended, is_ending) = (tell.clone(), tell, ending.clone());
    // A receiver that is gone has ended already.
    let mut watch = Watch::new(options.path, move |when| _ = saved.send(News::Saved(when)))?;
    let end = move || {
        is_ending.store(true, Ordering::Relaxed);
        let _ = ended.send(News::End);
    };
    if options.until_stdin_ends {
        ending::on_stdin_end(end.clone());
    }
    ending::on_interrupt(end)?;

    println!("{spell} at {} as {}: each save is built, and live for you alone; ctrl-c ends that", server.wire.address, server.username());
    let log_from = Some(logs::newest_entry(&server, &spell)?);
    let mut draft = Draft { server, path: options.path.to_path_buf(), spell, ending, built: None, live: None, log_from };
    let went = draft.go_on(&mut watch, &news);
    if draft.live.is_some() && !options.keep {
        draft.server.send("DELETE", &format!("/api/spells/{}/dev", draft.spell), None)?;
        println!("{}: your draft is taken away: you cast what everybody casts", draft.spell);
    }
    went.map(|()| true)
}

impl Draft {
    fn go_on(&mut self, watch: &mut Watch, news: &Receiver<News>) -> Result<()> {
        let (mut since, mut word) = (Instant::now(), "start");
        loop {
            watch.refresh();
            let is_to_be_tried_again = match self.update(since, word) {
                Ok(()) => false,
                Err(error) if is_final(&error) => return Err(error),
                Err(error) => {
                    eprintln!("error: {error:#}");
                    may_pass(&error)
                }
            };
            match next_save(news, is_to_be_tried_again) {
                Some(Some(saved)) => (since, word) = (saved, "save"),
                Some(None) => {}
                None => return Ok(()),
            }
        }
    }

    /// Makes what is in the folder live, unless it is what was built last.
    fn update(&mut self, since: Instant, word: &str) -> Result<()> {
        let package = Package::read(&self.path)?;
        if self.built.as_ref() == Some(&package) {
            return Ok(());
        }
        let Self { server, spell, ending, .. } = self;
        let outcome = build(server, spell, &package, &|| !ending.load(Ordering::Relaxed))?;
        self.built = Some(package);
        match outcome {
            Outcome::Built(revision) => self.make_live(revision, since, word).inspect_err(|_| self.built = None),
            Outcome::Failed => {
                match &self.live {
                    Some(live) => println!("{live} stays live for you"),
                    None => println!("nothing is live for you yet"),
                }
                Ok(())
            }
            Outcome::TakenBack => Ok(()),
        }
    }

    fn make_live(&mut self, revision: RevisionId, since: Instant, word: &str) -> Result<()> {
        if let Some(after) = self.log_from.take() {
            self.follow_log(after);
        }
        let path = format!("/api/spells/{}/dev", self.spell);
        self.server.send("PUT", &path, Some(&json!({ "revision_id": revision })))?;
        println!("{revision} is live for you alone, {} ms after the {word}", since.elapsed().as_millis());
        self.live = Some(revision);
        Ok(())
    }

    /// The spell is there now, so its log is as well. The process ends without waiting for this thread.
    fn follow_log(&self, after: i64) {
        let (server, spell) = (self.server.clone(), self.spell.clone());
        thread::spawn(move || {
            let mut tell = |told: &_| {
                println!("{}", entry::render(told));
                true
            };
            if let Err(error) = events::follow(&server, &logs::events_path(&spell), after, &mut tell) {
                eprintln!("the log of {spell} cannot be followed: {}", plain::lines(&format!("{error:#}")));
            }
        });
    }
}

/// No later save helps against these.
fn is_final(error: &anyhow::Error) -> bool {
    refused(error).is_some_and(|refused| matches!(refused.status, 401 | 403))
}

/// When the folder was saved, once it has come to rest; nothing in it, when it is time to try again; none at the end.
fn next_save(news: &Receiver<News>, is_to_be_tried_again: bool) -> Option<Option<Instant>> {
    let first = match is_to_be_tried_again {
        true => news.recv_timeout(RETRY_INTERVAL),
        false => news.recv().map_err(RecvTimeoutError::from),
    };
    let saved = match first {
        Ok(News::Saved(when)) => when,
        Ok(News::End) | Err(RecvTimeoutError::Disconnected) => return None,
        Err(RecvTimeoutError::Timeout) => return Some(None),
    };
    while let Some(left) = quiet_time(saved.elapsed()) {
        match news.recv_timeout(left) {
            Ok(News::Saved(_)) => {}
            Ok(News::End) | Err(RecvTimeoutError::Disconnected) => return None,
            Err(RecvTimeoutError::Timeout) => break,
        }
    }
    Some(Some(saved))
}
