//! Builds over HTTP: of source, of a zip, of a component, of words; of another's revision, here or from another server.

use crate::{
    App,
    body::{self, Upload},
    build_queue::{BuildOrder, What},
    clock,
    error::Error,
    ids::JobId,
    limits::BUILD_BODY_BYTES_MAX,
    package::{Package, entries},
    problem::Problem,
    revision,
    session::{Player, Viewer, is_handle},
    spell::{immutable, visible},
    store::{Database, NewJob, Revision},
};
use axum::{
    Json,
    extract::{Path, State},
    http::HeaderMap,
    response::Response,
};
use protocol::{
    Manifest, SpellId,
    limits::{PROMPT_BYTES_MAX, SOURCE_BYTES_MAX},
    manifest::{Metadata, Origin},
    package::SOURCE_ROOT,
};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{Cursor, Write};
use std::sync::Arc;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

/// `POST /api/spells/<id>/build`, as JSON.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct BuildRequest {
    prompt: Option<String>,
    /// `src/lib.rs` alone.
    code: Option<String>,
    /// Text files by path.
    files: Option<BTreeMap<String, String>>,
    /// Other files by path, as base64.
    assets: Option<BTreeMap<String, String>>,
    #[serde(default)]
    options: Option<BuildOptions>,
}

/// What goes with a build's files.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct BuildOptions {
    metadata: Option<Value>,
    /// A component of another toolchain, as base64, in the place of source.
    component: Option<String>,
}

/// `POST /api/spells/<id>/fork`.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct ForkRequest {
    spell_id: String,
    revision_id: String,
}

/// The name of the manifest in an archive.
const MANIFEST: &str = "manifest.json";
/// The content type of archives and of packages that are sent as one file.
const ZIP_TYPE: &str = "application/zip";

/// What builds take here beside source.
#[utoipa::path(
    get,
    path = "/api/build",
    responses((status = 200, description = "Whether there is a generator that writes source for a prompt", body = serde_json::Value), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json"))
)]
pub async fn takes(State(app): State<Arc<App>>) -> Json<Value> {
    Json(json!({ "prompts": app.queue.has_generator() }))
}

/// Queues a build of a spell that the player may change, or of a new one, which is theirs from now on.
#[utoipa::path(
    post,
    path = "/api/spells/{spell}/build",
    params(("spell" = String, Path, description = "A spell id")),
    request_body(content((BuildRequest = "application/json"), (body::Binary = "application/zip"))),
    responses((status = 200, description = "The job", body = serde_json::Value), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json"), (status = 507, description = "The disk is full", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security(("session" = []))
)]
pub async fn build(
    State(app): State<Arc<App>>,
    player: Player,
    Path(spell): Path<String>,
    upload: Upload<BuildRequest, BUILD_BODY_BYTES_MAX>,
) -> Result<Json<Value>, Problem> {
    let spell_id = spell_id(spell)?;
    let (what, metadata, prompt) = match upload {
        Upload::Zip(bytes) => (What::Package(in_background(move || Package::of_zip(&bytes)).await?), None, None),
        Upload::Json(request) => {
            let metadata = revision::metadata(request.options.as_ref().and_then(|options| options.metadata.clone()))?;
            let prompt = prompt(request.prompt.clone())?;
            let has_generator = app.queue.has_generator();
            let asked = prompt.clone();
            (in_background(move || what(request, asked, has_generator)).await?, metadata, prompt)
        }
    };
    queue(&app, player, spell_id, what, metadata, None, prompt).await
}

/// Queues a build of somebody's published revision as a spell of the player's own.
#[utoipa::path(
    post,
    path = "/api/spells/{spell}/fork",
    params(("spell" = String, Path, description = "A spell id")),
    request_body = ForkRequest,
    responses((status = 200, description = "The job", body = serde_json::Value), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json"), (status = 507, description = "The disk is full", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security(("session" = []))
)]
pub async fn fork(
    State(app): State<Arc<App>>,
    player: Player,
    Path(spell): Path<String>,
    body::Body(request): body::Body<ForkRequest>,
) -> Result<Json<Value>, Problem> {
    let spell_id = spell_id(spell)?;
    let Revision { manifest, .. } = visible(&app, &Viewer(Some(player.clone())), request.spell_id, &request.revision_id).await?;
    let (metadata, origin) = (manifest.metadata.clone(), origin(&manifest));
    let (package, component) = stored_package(&app, manifest).await?;
    queue(&app, player, spell_id, What::Import { package, component }, Some(metadata), Some(origin), None).await
}

/// Queues a build of a revision's archive, which may be of another server. What it was built to there, it is here.
#[utoipa::path(
    post,
    path = "/api/spells/{spell}/import",
    params(("spell" = String, Path, description = "A spell id")),
    request_body(content = body::Binary, content_type = "application/zip"),
    responses((status = 200, description = "The job", body = serde_json::Value), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json"), (status = 507, description = "The disk is full", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security(("session" = []))
)]
pub async fn import(
    State(app): State<Arc<App>>,
    player: Player,
    Path(spell): Path<String>,
    upload: Upload<IgnoredAny, BUILD_BODY_BYTES_MAX>,
) -> Result<Json<Value>, Problem> {
    let spell_id = spell_id(spell)?;
    let Upload::Zip(bytes) = upload else {
        return Err(Problem::unprocessable("bad_archive", format!("send the archive with the content type {ZIP_TYPE}")));
    };
    let (manifest, package, component) = in_background(move || read_archive(&bytes)).await?;
    let (metadata, origin) = (manifest.metadata.clone(), origin(&manifest));
    queue(&app, player, spell_id, What::Import { package, component }, Some(metadata), Some(origin), None).await
}

/// `GET /api/spells/<id>/revisions/<revision>/archive`: all of the revision as one zip, always the same bytes.
#[utoipa::path(
    get,
    path = "/api/spells/{spell}/revisions/{revision}/archive",
    params(("spell" = String, Path, description = "A spell id"), ("revision" = String, Path, description = "A revision id")),
    responses((status = 200, description = "The whole revision", content_type = "application/zip"), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security((), ("session" = []))
)]
pub async fn archive(
    State(app): State<Arc<App>>,
    viewer: Viewer,
    headers: HeaderMap,
    Path((spell, revision)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let Revision { manifest, published, .. } = visible(&app, &viewer, spell, &revision).await?;
    let etag = format!("\"{}\"", manifest.revision_id);
    let blobs = app.blobs.clone();
    let bytes = async move {
        tokio::task::spawn_blocking(move || {
            let files = std::iter::once((revision::ENTRYPOINT.to_owned(), manifest.component.hash.clone()))
                .chain(manifest.code.iter().chain(&manifest.assets).map(|file| (file.path.clone(), file.hash.clone())));
            let files = files.map(|(path, hash)| Ok((path, blobs.get(&hash)?))).collect::<Result<Vec<_>, Error>>()?;
            Ok(write_archive(&manifest, files).map_err(|error| Error::Archive(error.to_string()))?)
        })
        .await
        .map_err(|_| Error::Lost)?
    };
    immutable(&headers, etag, ZIP_TYPE.into(), published, bytes).await
}

fn spell_id(text: String) -> Result<SpellId, Problem> {
    SpellId::new(text).map_err(|error| Problem::unprocessable("bad_spell_id", error.to_string()))
}

fn prompt(prompt: Option<String>) -> Result<Option<String>, Problem> {
    let prompt = prompt.filter(|prompt| !prompt.trim().is_empty());
    match &prompt {
        Some(prompt) if prompt.len() > PROMPT_BYTES_MAX => {
            Err(Problem::too_large(format!("the prompt is over the limit of {PROMPT_BYTES_MAX} bytes")))
        }
        _ => Ok(prompt),
    }
}

/// What a request wants to have built.
fn what(request: BuildRequest, prompt: Option<String>, has_generator: bool) -> Result<What, Problem> {
    let BuildRequest { code, files, assets, options, .. } = request;
    let code = code.filter(|code| !code.trim().is_empty());
    let component = options.and_then(|options| options.component);
    if code.is_none() && files.is_none() && component.is_none() {
        return match prompt {
            Some(prompt) if has_generator => Ok(What::Prompt(prompt)),
            Some(_) => Err(Problem::unprocessable(
                "no_generator",
                "this server has no generator configured that could write code from a prompt: send code",
            )),
            None => Err(Problem::unprocessable("code_missing", "send the spell's source as code")),
        };
    }
    let mut package = match code {
        Some(_) if files.is_some() => return Err(Problem::unprocessable("bad_package", "send code or files, not both")),
        Some(code) if code.len() > SOURCE_BYTES_MAX => {
            return Err(Problem::too_large(format!("the code of {} bytes is over the limit of {SOURCE_BYTES_MAX}", code.len())));
        }
        Some(code) => Package::of_code(code)?,
        None => Package::default(),
    };
    for (path, text) in files.unwrap_or_default() {
        package = package.with(&path, text.into_bytes())?;
    }
    for (path, base64) in assets.unwrap_or_default() {
        package = package.with_asset(&path, &base64)?;
    }
    if let Some(component) = component {
        package = package.with_component(&component)?;
    }
    Ok(What::Package(package.complete()?))
}

async fn queue(
    app: &Arc<App>,
    player: Player,
    spell_id: SpellId,
    what: What,
    metadata: Option<Metadata>,
    origin: Option<Origin>,
    prompt: Option<String>,
) -> Result<Json<Value>, Problem> {
    let place = app.queue.place(&player.client_id, &what)?;
    let job_id = JobId::generate();
    let job =
        NewJob { job_id: job_id.clone(), spell_id: spell_id.clone(), client_id: player.client_id.clone(), prompt, now_ms: clock::now_ms() };
    let answer = json!({ "job_id": job_id, "spell_id": spell_id });
    let order = BuildOrder { job_id, spell_id, player, what, metadata, origin };
    // One step: a client that goes away in between would leave a job that no worker ever gets.
    let add = move |db: &mut Database| db.add_job(&job).map(|()| place.take(order));
    app.store.ask(add).await?;
    Ok(Json(answer))
}

fn origin(manifest: &Manifest) -> Origin {
    Origin { spell_id: manifest.spell_id.clone(), revision_id: manifest.revision_id.clone(), author: manifest.author.clone() }
}

/// A stored revision as the package that it was built of, and what that was built to.
async fn stored_package(app: &App, manifest: Manifest) -> Result<(Package, Vec<u8>), Problem> {
    let blobs = app.blobs.clone();
    in_background(move || {
        let mut files = manifest.code.iter().chain(&manifest.assets);
        let mut package = files.try_fold(Package::default(), |package, file| package.with(&file.path, blobs.get(&file.hash)?))?;
        let component = blobs.get(&manifest.component.hash)?;
        if !has_root(&manifest) {
            package = package.with(revision::ENTRYPOINT, component.clone())?;
        }
        Ok((package.complete()?, component))
    })
    .await
}

/// Unpacking and checking are work for a thread that may take its time.
async fn in_background<T: Send + 'static>(work: impl FnOnce() -> Result<T, Problem> + Send + 'static) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Error::Lost)?
}

/// Whether it was built of source.
fn has_root(manifest: &Manifest) -> bool {
    manifest.code.iter().any(|file| file.path == SOURCE_ROOT)
}

fn write_archive(manifest: &Manifest, files: Vec<(String, Vec<u8>)>) -> zip::result::ZipResult<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored).last_modified_time(zip::DateTime::default());
    zip.start_file(MANIFEST, options)?;
    zip.write_all(&serde_json::to_vec_pretty(manifest).map_err(std::io::Error::other)?)?;
    for (path, bytes) in files {
        zip.start_file(path, options)?;
        zip.write_all(&bytes)?;
    }
    Ok(zip.finish()?.into_inner())
}

/// An archive's manifest, files and component, each with the hash that the manifest names.
fn read_archive(bytes: &[u8]) -> Result<(Manifest, Package, Vec<u8>), Problem> {
    let refused = |why: String| Problem::unprocessable("bad_archive", why);
    let mut files: BTreeMap<String, Vec<u8>> = entries(bytes)?.into_iter().collect();
    let manifest = files.remove(MANIFEST).ok_or_else(|| refused(format!("there is no {MANIFEST} in it")))?;
    let manifest: Manifest = serde_json::from_slice(&manifest).map_err(|error| refused(format!("{MANIFEST}: {error}")))?;
    manifest.metadata.check().map_err(|why| refused(format!("{MANIFEST}: metadata: {why}")))?;
    if !is_handle(&manifest.author) {
        return Err(refused(format!("{MANIFEST}: author is no name that a player could have")));
    }
    let mut take = |path: &str, hash: &protocol::Sha256Hex| {
        let bytes = files.remove(path).ok_or_else(|| refused(format!("{path} is missing")))?;
        if protocol::Sha256Hex::of(&bytes) == *hash {
            Ok(bytes)
        } else {
            Err(refused(format!("{path} has another hash than {MANIFEST} says")))
        }
    };
    let component = take(&manifest.entrypoint, &manifest.component.hash)?;
    let mut package = Package::default();
    for file in manifest.code.iter().chain(&manifest.assets) {
        package = package.with(&file.path, take(&file.path, &file.hash)?)?;
    }
    if let Some(path) = files.keys().next() {
        return Err(refused(format!("{path:?} is not in {MANIFEST}")));
    }
    if !has_root(&manifest) {
        package = package.with(revision::ENTRYPOINT, component.clone())?;
    }
    Ok((manifest, package.complete()?, component))
}
