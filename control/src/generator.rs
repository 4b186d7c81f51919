//! Source for a prompt, by whatever the operator has configured. What it writes is built like anyone's: it is trusted with nothing.

use crate::limits::{GENERATOR_ANSWER_BYTES_MAX, GENERATOR_END_TIME_MAX, GENERATOR_TIME_MAX};
use protocol::job::Diagnostic;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use serde_json::{Value, json};
use std::convert::Infallible;
use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

/// What writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Generator {
    /// An endpoint that speaks the chat completions of OpenAI's API.
    Http {
        /// The whole address, as `https://host/v1/chat/completions`.
        url: String,
        /// Sent as bearer token, where there is one.
        key: Option<String>,
        /// The model to ask for.
        model: String,
    },
    /// A command line for the shell: it reads the guide and the conversation on standard input and writes source on standard output.
    Command(String),
}

/// Why there is no source. The operator's log has all of it.
#[derive(Debug, thiserror::Error)]
pub enum GeneratorError {
    /// It could not be reached, or answered something else than a completion.
    #[error("endpoint: {0}")]
    Endpoint(String),
    /// It did not run, or failed.
    #[error("command: {0}")]
    Command(String),
    /// It took longer than `GENERATOR_TIME_MAX`.
    #[error("no answer within {} s", GENERATOR_TIME_MAX.as_secs())]
    Slow,
}

impl GeneratorError {
    /// What an author is told: nothing of the operator's addresses and words.
    pub fn in_short(&self) -> String {
        match self {
            Self::Endpoint(_) => "it could not be reached, or did not answer with source".into(),
            Self::Command(_) => "it ended without source".into(),
            Self::Slow => self.to_string(),
        }
    }
}

/// What a generator must know of spells.
const GUIDE: &str = concat!(
    "You write spells for UGC World, in Rust, as one source file `src/lib.rs` that uses the crate `spell_sdk` and nothing else. Answer with the source alone, in one code block.\n\n",
    include_str!("../../docs/spells.md"),
    "\n\nA whole spell, as an example:\n\n```rust\n",
    include_str!("../../spells/fireball/src/lib.rs"),
    "```\n"
);

/// What was said so far: the prompt, then source and the compiler's errors in turns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    /// Author and generator in turns, the author's first.
    turns: Vec<String>,
}

impl Conversation {
    /// With the author's words.
    pub fn begin(prompt: &str) -> Self {
        Self { turns: vec![prompt.to_owned()] }
    }
    /// How often source was asked for.
    pub fn rounds(&self) -> usize {
        self.turns.len().div_ceil(2)
    }
    /// The source was refused for these reasons.
    pub fn go_on(&mut self, code: String, diagnostics: &[Diagnostic]) {
        let mut errors = String::from("This does not build. Mend it, and answer with the whole source again.\n");
        for Diagnostic { file, line, column, code, message, help, .. } in diagnostics {
            writeln!(errors, "{file}:{line}:{column}: {code} {message}").expect("a string takes all text");
            if let Some(help) = help {
                writeln!(errors, "  help: {help}").expect("a string takes all text");
            }
        }
        self.turns.extend([code, errors]);
    }

    fn messages(&self) -> Vec<Value> {
        let roles = ["user", "assistant"].into_iter().cycle();
        let turns = roles.zip(&self.turns).map(|(role, content)| json!({ "role": role, "content": content }));
        std::iter::once(json!({ "role": "system", "content": GUIDE })).chain(turns).collect()
    }

    fn text(&self) -> String {
        self.turns.iter().fold(String::from(GUIDE), |text, turn| text + "\n---\n" + turn)
    }
}

impl Generator {
    /// Asks for source. Blocks, for `GENERATOR_TIME_MAX` at most. A command is ended, with all that it has started, when `wanted`'s other end is dropped, and when
    /// this process dies.
    pub fn write(&self, conversation: &Conversation, wanted: Receiver<Infallible>) -> Result<String, GeneratorError> {
        let answer = match self {
            Self::Http { url, key, model } => ask(url, key.as_deref(), &json!({ "model": model, "messages": conversation.messages() }))?,
            Self::Command(command) => run(command, conversation.text(), wanted)?,
        };
        Ok(source(&answer).to_owned())
    }
}

fn ask(url: &str, key: Option<&str>, body: &Value) -> Result<String, GeneratorError> {
    let refused = |error: ureq::Error| match error {
        ureq::Error::Timeout(_) => GeneratorError::Slow,
        error => GeneratorError::Endpoint(error.to_string()),
    };
    let agent: ureq::Agent = ureq::Agent::config_builder().timeout_global(Some(GENERATOR_TIME_MAX)).max_redirects(0).build().into();
    let mut request = agent.post(url);
    if let Some(key) = key {
        request = request.header("Authorization", &format!("Bearer {key}"));
    }
    let mut response = request.send_json(body).map_err(refused)?;
    let answer: Value = response.body_mut().with_config().limit(GENERATOR_ANSWER_BYTES_MAX as u64).read_json().map_err(refused)?;
    let content = answer["choices"][0]["message"]["content"].as_str();
    content.map(str::to_owned).ok_or_else(|| GeneratorError::Endpoint("the answer has no choices[0].message.content".into()))
}

/// What the wait for a command's answer ends with.
enum Heard {
    Answer(std::io::Result<Vec<u8>>),
    /// Nobody waits for it any more.
    Unwanted,
}

fn run(command: &str, input: String, wanted: Receiver<Infallible>) -> Result<String, GeneratorError> {
    let failed = |error: std::io::Error| GeneratorError::Command(error.to_string());
    // Of our environment it gets what programs need to be found, and what is its own: nothing that signs or opens anything here.
    let is_for_it = |name: &str| ["PATH", "HOME", "LANG"].contains(&name) || name.starts_with("GENERATOR_");
    let mut child = Command::new("/bin/sh")
        .args(["-c", command])
        .env_clear()
        .envs(std::env::vars().filter(|(name, _)| is_for_it(name)))
        .current_dir(std::env::temp_dir())
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .map_err(failed)?;
    // Where there is no process for it, there soon is none for anything.
    let lifeline = Lifeline::to(&child).inspect_err(|error| tracing::warn!(%error, "a command may outlive this process")).ok();
    let (mut stdin, stdout) = (child.stdin.take().expect("stdin is piped"), child.stdout.take().expect("stdout is piped"));
    let (said, heard) = mpsc::channel();
    let gone = said.clone();
    // Not joined: what a killed command has started may hold the pipes for longer than anybody waits.
    thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
    thread::spawn(move || {
        let mut answer = Vec::new();
        let read = stdout.take(GENERATOR_ANSWER_BYTES_MAX as u64).read_to_end(&mut answer).map(|_| answer);
        said.send(Heard::Answer(read)).ok();
    });
    thread::spawn(move || {
        wanted.recv().ok();
        gone.send(Heard::Unwanted).ok();
    });
    let heard = heard.recv_timeout(GENERATOR_TIME_MAX);
    // What has closed its output has had its say; it gets a moment to say how it ended.
    let moment = if matches!(heard, Ok(Heard::Answer(_))) { GENERATOR_END_TIME_MAX } else { Duration::ZERO };
    let status = end(child, lifeline, moment).map_err(failed)?;
    let answer = match heard {
        Ok(Heard::Answer(answer)) => answer.map_err(failed)?,
        Ok(Heard::Unwanted) => return Err(GeneratorError::Command("nobody waits for its answer any more".into())),
        Err(_) => return Err(GeneratorError::Slow),
    };
    if !status.success() {
        return Err(GeneratorError::Command(format!("it ended with {status}")));
    }
    String::from_utf8(answer).map_err(|_| GeneratorError::Command("its answer is not UTF-8".into()))
}

/// Gives a command a moment to end by itself; then ends it, and whatever it has left running.
fn end(mut child: Child, lifeline: Option<Lifeline>, moment: Duration) -> std::io::Result<ExitStatus> {
    let group = Pid::from_child(&child);
    let (ended, waits) = mpsc::channel();
    thread::spawn(move || ended.send(waitid(WaitId::Pid(group), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT).is_ok()));
    waits.recv_timeout(moment).ok();
    // Before the wait: until then the dead leader keeps its group's number from being given away.
    kill_process_group(group, Signal::KILL).ok();
    drop(lifeline);
    child.wait()
}

/// Ends a command's process group when this process is gone, however it went: a shell that reads from us until then. That a parent's death ends a child
/// (`PR_SET_PDEATHSIG`) would not do: the command's own children live on.
struct Lifeline(Child);

impl Lifeline {
    fn to(command: &Child) -> std::io::Result<Self> {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", "read -r _; kill -s KILL -- \"-$0\"", &command.id().to_string()]);
        shell.env_clear().process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().map(Self)
    }
}

impl Drop for Lifeline {
    fn drop(&mut self) {
        // Killed before its input ends.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// The source in an answer: its first code block, or all of it.
fn source(answer: &str) -> &str {
    let Some((_, rest)) = answer.split_once("```") else { return answer };
    let Some((_, code)) = rest.split_once('\n') else { return answer };
    code.split_once("\n```").map_or(code, |(code, _)| code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn source_is_taken_out_of_its_block() {
        assert_eq!(source("fn a() {}"), "fn a() {}");
        assert_eq!(source("Here:\n```rust\nfn a() {}\n```\nIt burns."), "fn a() {}");
        assert_eq!(source("```\nfn a() {}\nfn b() {}\n"), "fn a() {}\nfn b() {}\n");
        assert_eq!(source("```"), "```");
    }

    #[test]
    fn a_command_gets_the_guide_and_the_prompt_and_answers() {
        let generator = Generator::Command("grep -c 'spell_sdk\\|a ball of fire'".into());
        let (_asker, wanted) = mpsc::channel();
        let count: u32 = generator.write(&Conversation::begin("a ball of fire"), wanted).unwrap().trim().parse().unwrap();
        assert!(count > 2);
        let (_asker, wanted) = mpsc::channel();
        assert!(matches!(Generator::Command("exit 3".into()).write(&Conversation::begin("x"), wanted), Err(GeneratorError::Command(_))));
    }

    #[test]
    fn a_conversation_takes_turns() {
        let mut conversation = Conversation::begin("fire");
        assert_eq!(conversation.rounds(), 1);
        conversation.go_on("fn".into(), &[]);
        assert_eq!(conversation.rounds(), 2);
        let roles: Vec<_> = conversation.messages().iter().map(|message| message["role"].as_str().unwrap().to_owned()).collect();
        assert_eq!(roles, ["system", "user", "assistant", "user"]);
    }
}
