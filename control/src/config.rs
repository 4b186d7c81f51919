//! What the operator decides, from the environment, and what is found beside the executable.

use crate::{error::Error, generator::Generator, keys, keys::TokenHash, world_command::WorldCommand};
use axum::http::HeaderValue;
use clap::{Parser, Subcommand};
use protocol::worker::Sandbox;
use std::{
    fs,
    io::Write,
    net::SocketAddr,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// The control plane of UGC World: login, worlds, builds, publishing, game servers.
#[derive(Parser)]
#[command(
    name = "ugc-control",
    version,
    after_help = "SECRET_KEY, ADMIN_TOKEN and GENERATOR_KEY are read from the environment alone, for a command line is public."
)]
pub struct Arguments {
    /// Address to listen on.
    #[arg(long, env = "HOST", default_value = "127.0.0.1")]
    pub host: String,
    /// Port to listen on.
    #[arg(long, env = "PORT", default_value_t = 5000)]
    pub port: u16,
    /// Address and port, such as 127.0.0.1:5001, at which alone /admin and /metrics are served; with everything else when left out.
    #[arg(long, env = "ADMIN_ADDRESS")]
    pub admin_address: Option<SocketAddr>,
    /// Where everything is kept.
    #[arg(long, env = "DATA_DIR", default_value = "./data", global = true)]
    pub data_dir: PathBuf,
    /// Whether builds fail where this machine lacks a layer of the sandbox (whole), or go on with the layers that there are (as-there-is).
    #[arg(long, env = "BUILD_SANDBOX", default_value = "whole", value_parser = parse_sandbox)]
    pub build_sandbox: Sandbox,
    /// Has all worlds admit components that import WASI, as those of other toolchains do; a world's policy may also do so alone.
    #[arg(long, env = "WORLD_WASI")]
    pub world_wasi: bool,
    /// Origins whose pages may use the interface and connect to game servers, such as https://game.example, with commas between them.
    #[arg(long, env = "CORS_ORIGINS", value_delimiter = ',')]
    pub cors_origins: Vec<String>,
    /// Where source is written for prompts: the whole address of an endpoint for chat completions, as OpenAI's API has it. GENERATOR_KEY is sent as bearer token.
    #[arg(long, env = "GENERATOR_URL", conflicts_with = "generator_command")]
    pub generator_url: Option<String>,
    /// The model that is asked for there.
    #[arg(long, env = "GENERATOR_MODEL", default_value = "default")]
    pub generator_model: String,
    /// Or a command line that reads guide and prompt on standard input and writes source on standard output.
    #[arg(long, env = "GENERATOR_COMMAND")]
    pub generator_command: Option<String>,
    /// Something else than to serve.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What the program does when it does not serve.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Verifies, restores, exports or imports a stopped world's file
    #[command(subcommand)]
    World(WorldCommand),
    /// Copies everything into an empty folder; the control plane and its worlds may run meanwhile
    Backup {
        /// The folder
        to: PathBuf,
    },
    /// Puts a copy in the place of an empty data directory
    Restore {
        /// The folder that `backup` filled
        from: PathBuf,
    },
    /// Reads a data directory, or a copy of one, and says whether it is whole
    Verify {
        /// The folder; the data directory when left out
        folder: Option<PathBuf>,
    },
    /// Signs artifacts with a new key from the next start on; what is stored is signed anew when game servers ask for it
    RotateKey {
        /// The keys before have leaked: what they signed loads nowhere any more, and casts that a world has saved with it end
        #[arg(long)]
        distrust: bool,
    },
}

/// All settings.
pub struct Config {
    /// Where everything is kept: an existing directory, absolute.
    pub data_dir: PathBuf,
    /// What all keys follow from.
    pub secret: String,
    /// Of the token that opens the admin endpoints; without one they are closed.
    pub admin_token_hash: Option<TokenHash>,
    /// The token, when it was made just now: to be shown once.
    pub new_admin_token: Option<String>,
    /// What becomes of builds where a layer of the sandbox is missing.
    pub sandbox: Sandbox,
    /// Whether all worlds admit components that import WASI.
    pub wasi: bool,
    /// Origins whose pages may use the interface and connect to game servers, beside our own.
    pub cors_origins: Vec<HeaderValue>,
    /// What writes source for prompts, if anything does.
    pub generator: Option<Generator>,
    /// The other programs.
    pub siblings: Siblings,
}

fn generator(arguments: &Arguments) -> Option<Generator> {
    let given = |value: &Option<String>| value.clone().filter(|value| !value.is_empty());
    let http = |url| Generator::Http { url, key: variable("GENERATOR_KEY"), model: arguments.generator_model.clone() };
    given(&arguments.generator_url).map(http).or_else(|| given(&arguments.generator_command).map(Generator::Command))
}

fn parse_sandbox(word: &str) -> Result<Sandbox, String> {
    match word {
        "whole" => Ok(Sandbox::Whole),
        "as-there-is" => Ok(Sandbox::AsThereIs),
        _ => Err("it is `whole` or `as-there-is`".into()),
    }
}

impl Config {
    /// The settings of these arguments and the environment; makes the data directory and the secret where they are missing.
    pub fn new(arguments: &Arguments, siblings: Siblings) -> Result<Self, Error> {
        // For the owner alone: secrets, drafts and the database lie in it.
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&arguments.data_dir).map_err(Error::file(&arguments.data_dir))?;
        let data_dir = arguments.data_dir.canonicalize().map_err(Error::file(&arguments.data_dir))?;
        let secret = match variable("SECRET_KEY") {
            Some(secret) => secret,
            None => secret_file(&data_dir.join("secret"))?,
        };
        let origins = arguments.cors_origins.iter().filter(|origin| !origin.is_empty());
        let cors_origins = origins.filter_map(|origin| origin.parse().ok()).collect();
        let (generator, wasi) = (generator(arguments), arguments.world_wasi);
        let (admin_token_hash, new_admin_token) = admin_token(&data_dir.join("admin_token_hash"))?;
        let admin_token_hash = Some(admin_token_hash);
        Ok(Self {
            data_dir,
            secret,
            admin_token_hash,
            new_admin_token,
            sandbox: arguments.build_sandbox,
            wasi,
            cors_origins,
            generator,
            siblings,
        })
    }
}

/// The game server's name.
pub const HOST_PROGRAM: &str = "ugc-host";

/// The programs and folders that `cargo xtask dist` puts beside this one.
#[derive(Clone)]
pub struct Siblings {
    /// The game server.
    pub host: PathBuf,
    /// The compile worker.
    pub builder: PathBuf,
    /// The prebuilt SDK.
    pub sdk: PathBuf,
}

impl Siblings {
    /// Where they must be when this executable lies in `folder`.
    pub fn beside(folder: &Path) -> Self {
        Self { host: folder.join(HOST_PROGRAM), builder: folder.join("ugc-builder"), sdk: folder.join("sdk") }
    }
    /// Those that are not there.
    pub fn missing(&self) -> Vec<&Path> {
        [&self.host, &self.builder, &self.sdk].into_iter().map(PathBuf::as_path).filter(|path| !path.exists()).collect()
    }
}

/// A variable of the environment; an empty one counts as none.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The hash of the admin token: of `ADMIN_TOKEN`, or the one in this file, or of a token that is made now and answered too.
fn admin_token(path: &Path) -> Result<(TokenHash, Option<String>), Error> {
    if let Some(token) = variable("ADMIN_TOKEN") {
        return Ok((keys::token_hash(&token), None));
    }
    let kept = fs::read_to_string(path).ok().and_then(|text| hex::decode(text.trim()).ok()?.try_into().ok());
    if let Some(hash) = kept {
        return Ok((hash, None));
    }
    let token = keys::token();
    let hash = keys::token_hash(&token);
    write_private(path, &hex::encode(hash))?;
    Ok((hash, Some(token)))
}

/// The secret in this file, made on first use, for the owner's eyes only.
fn secret_file(path: &Path) -> Result<String, Error> {
    match fs::read_to_string(path) {
        Ok(secret) if !secret.trim().is_empty() => Ok(secret.trim().into()),
        Ok(_) => write_secret(path),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => write_secret(path),
        Err(error) => Err(Error::file(path)(error)),
    }
}

fn write_secret(path: &Path) -> Result<String, Error> {
    let secret = keys::token();
    write_private(path, &secret)?;
    Ok(secret)
}

/// Written aside and renamed, so that a crash leaves the whole text or none.
fn write_private(path: &Path, text: &str) -> Result<(), Error> {
    let aside = path.with_extension("new");
    let write = || {
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&aside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&aside, path)?;
        // What is signed with it outlives a power cut, so it has to as well.
        fs::File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
    };
    write().map_err(Error::file(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn an_admin_token_is_told_once_and_kept_as_its_hash() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("admin_token_hash");
        let (hash, told) = admin_token(&path).unwrap();
        assert_eq!(keys::token_hash(&told.unwrap()), hash);
        assert_eq!(admin_token(&path).unwrap(), (hash, None));
    }

    #[test]
    fn a_secret_is_made_once_and_only_its_owner_may_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let secret = secret_file(&path).unwrap();
        assert_eq!(secret.len(), 64);
        assert_eq!(secret_file(&path).unwrap(), secret);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
